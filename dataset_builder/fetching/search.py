"""Which articles there are: from Europe PMC or NCBI's ESearch by a query, or from a list of ids.

All three give PMCIDs, the names of articles in PMC. Answers are read tolerantly: an error comes as HTTP 200 with
`errCode` (Europe PMC) or `ERROR` (ESearch), maintenance as plain text.
"""

import datetime
import json
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from dataset_builder.fetching.transfer import Client, TransferError

_PAGE = 1000  # articles a page: the most that both services give
_LONGEST_QUERY_CHARS = 4_000  # a longer one goes by POST: servers stop reading an address near 12,000
_ESEARCH_REACH = 9_999  # articles that ESearch pages through; more are asked for slice of time by slice of time
_FIRST_DAY = datetime.date(1990, 1, 1)  # before PMC took in its first article
_CONVERTED = 200  # ids a request of the converter
_BUSY_TRIES = 3  # for an error that comes as an answer
_PMCID = re.compile(r"(?:PMC)?(\d{1,9})(?:\.\d+)?", re.IGNORECASE)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_PMID = re.compile(r"(?:pmid:?\s*)?(\d{1,8})", re.IGNORECASE)


class Found(TypedDict):
    """What a search says of an article; None where it says nothing."""

    pmcid: str
    doi: str | None
    pmid: str | None
    title: str | None
    language: str | None  # as the service has it
    year: int | None
    license: str | None  # as the service has it


class Failure(TypedDict):
    """An article, or an id that names none, that did not come: a line of `failed.jsonl`."""

    id: str
    reason: str


@dataclass(frozen=True)
class Asker:
    """Who asks NCBI, which wants to know: `tool` and `email` go along; the key comes from NCBI_API_KEY."""

    email: str

    def has_key(self) -> bool:
        return bool(os.environ.get("NCBI_API_KEY"))

    def fields(self) -> dict[str, str]:
        key = os.environ.get("NCBI_API_KEY")
        return {"tool": "ldrt-vlm", "email": self.email} | ({"api_key": key} if key else {})


# ---- Europe PMC: https://europepmc.org/RestfulWebService ----


async def search_europepmc(client: Client, url: str, query: str) -> AsyncIterator[tuple[list[Found], int]]:
    """Page by page: the articles of the query that are in PMC, and how many of all kinds the service counts."""
    cursor = "*"
    while True:
        form = {
            "query": query,
            "resultType": "core",
            "format": "json",
            "pageSize": str(_PAGE),
            "cursorMark": cursor,
        }
        page = await _europepmc_page(client, url.rstrip("/"), form)
        results = _list(_dict(page.get("resultList")).get("result"))
        yield (
            [found for result in results if (found := _of_europepmc(_dict(result)))],
            _number(page.get("hitCount")) or 0,
        )
        following = page.get("nextCursorMark")
        if not results or not isinstance(following, str) or following == cursor:
            return
        cursor = following


async def _europepmc_page(client: Client, url: str, form: dict[str, str]) -> dict:
    for _ in range(_BUSY_TRIES):
        if len(form["query"]) > _LONGEST_QUERY_CHARS:
            data = await client.get(f"{url}/searchPOST", form=form)
        else:
            data = await client.get(f"{url}/search", form)
        page = _json(data, url)
        if "errCode" not in page:
            return page
    raise TransferError(f"{url}: {page.get('errCode')} {page.get('errMsg', '')}".strip())


def _of_europepmc(result: Mapping[str, object]) -> Found | None:
    pmcid = _pmcid(result.get("pmcid"))
    if pmcid is None:
        return None
    return {
        "pmcid": pmcid,
        "doi": _text(result.get("doi")),
        "pmid": _text(result.get("pmid")),
        "title": _text(result.get("title")),
        "language": _text(result.get("language")),
        "year": _number(result.get("pubYear")),
        "license": _text(result.get("license")),
    }


# ---- NCBI ESearch: https://www.ncbi.nlm.nih.gov/books/NBK25499/ ----


async def search_esearch(
    client: Client, url: str, query: str, asker: Asker, today: datetime.date
) -> AsyncIterator[tuple[list[Found], int]]:
    """As `search_europepmc`, but of each article only its PMCID is told. Beyond 9,999 the time is halved and halved."""
    spans = [(_FIRST_DAY, today + datetime.timedelta(days=1))]
    total: int | None = None
    while spans:
        first, last = spans.pop()
        count, ids = await _esearch_page(client, url, query, asker, (first, last), 0)
        total = count if total is None else total
        if count > _ESEARCH_REACH and first < last:
            middle = first + (last - first) // 2
            spans += [(middle + datetime.timedelta(days=1), last), (first, middle)]
            continue
        if count > _ESEARCH_REACH:
            raise TransferError(
                f"{url}: {count} articles of one day, {first}, and ESearch gives 9,999; narrow the query"
            )
        yield [_only(pmcid) for pmcid in ids], total
        for start in range(_PAGE, count, _PAGE):
            _, ids = await _esearch_page(client, url, query, asker, (first, last), start)
            yield [_only(pmcid) for pmcid in ids], total


async def _esearch_page(
    client: Client, url: str, query: str, asker: Asker, span: tuple[datetime.date, datetime.date], start: int
) -> tuple[int, list[str]]:
    """How many articles there are in all, and the PMCIDs from number `start` on."""
    first, last = (day.strftime("%Y/%m/%d") for day in span)
    form = {
        "db": "pmc",
        "term": f"({query}) AND {first}:{last}[pmcrdat]",
        "retmode": "json",
        "retstart": str(start),
        "retmax": str(_PAGE),
        **asker.fields(),
    }
    address = f"{url.rstrip('/')}/esearch.fcgi"
    for _ in range(_BUSY_TRIES):
        data = await client.get(address, form=form)  # by POST: neither its length nor the key belongs in an address
        result = _dict(_json(data, address).get("esearchresult"))
        if "ERROR" not in result:
            ids = [pmcid for value in _list(result.get("idlist")) if (pmcid := _pmcid(value))]
            return _number(result.get("count")) or 0, ids
    raise TransferError(f"{address}: {result['ERROR']}")


# ---- ids that somebody has: https://pmc.ncbi.nlm.nih.gov/tools/id-converter-api/ ----


def read_ids(lines: Iterable[str]) -> tuple[dict[str, list[str]], list[Failure]]:
    """Ids, one a line (PMCIDs, DOIs, PMIDs mixed, `#` starts a remark) -> those of each type, and what is none.

    A bare number is a PMID: PMCIDs carry their "PMC".
    """
    ids: dict[str, list[str]] = {"pmcid": [], "doi": [], "pmid": []}
    unknown: list[Failure] = []
    for line in lines:
        word = line.partition("#")[0].strip().strip(",;\"'")
        if not word or word.lower() in ("id", "pmcid", "doi", "pmid"):  # a table's heading
            continue
        if match := _DOI.fullmatch(word):
            ids["doi"].append(match[1])
        elif match := _PMID.fullmatch(word):
            ids["pmid"].append(match[1])
        elif match := _PMCID.fullmatch(word):
            ids["pmcid"].append(f"PMC{match[1]}")
        else:
            unknown.append({"id": word, "reason": "neither PMCID (PMC123), DOI (10.…/…) nor PMID (a number)"})
    return {kind: list(dict.fromkeys(values)) for kind, values in ids.items()}, unknown


async def convert_ids(
    client: Client, url: str, ids: Mapping[str, Sequence[str]], asker: Asker
) -> tuple[list[Found], list[Failure]]:
    """The articles that the ids name, PMCIDs as they are, and the ids that name none. One type a request."""
    found = [_only(pmcid) for pmcid in ids.get("pmcid", ())]
    unknown: list[Failure] = []
    for kind in ("doi", "pmid"):
        for start in range(0, len(ids.get(kind, ())), _CONVERTED):
            asked = ids[kind][start : start + _CONVERTED]
            form = {"ids": ",".join(asked), "idtype": kind, "format": "json", **asker.fields()}
            records = [_dict(record) for record in _list(_json(await client.get(url, form), url).get("records"))]
            named = {_text(record.get("requested-id")) or _text(record.get(kind)): record for record in records}
            for one in asked:
                article, why = _converted(named.get(one) or {})
                if article:
                    found.append(article)
                else:
                    unknown.append({"id": one, "reason": why})
    return list({article["pmcid"]: article for article in found}.values()), unknown


def _converted(record: Mapping[str, object]) -> tuple[Found | None, str]:
    pmcid = _pmcid(record.get("pmcid"))
    if pmcid is None or record.get("status") == "error":
        return None, _text(record.get("errmsg")) or "not in PMC"
    return {**_only(pmcid), "doi": _text(record.get("doi")), "pmid": _text(record.get("pmid"))}, ""


# ---- what strangers send ----


def _only(pmcid: str) -> Found:
    return {
        "pmcid": pmcid,
        "doi": None,
        "pmid": None,
        "title": None,
        "language": None,
        "year": None,
        "license": None,
    }


def _json(data: bytes, url: str) -> dict:
    """A JSON object. Raises TransferError for anything else, as a service in maintenance sends it."""
    try:
        value = json.loads(data)
    except ValueError as error:
        said = " ".join(data[:120].decode("utf-8", "replace").split())
        raise TransferError(f"{url}: no JSON but {said!r}") from error
    if not isinstance(value, dict):
        raise TransferError(f"{url}: no JSON object")
    return value


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _pmcid(value: object) -> str | None:
    match = _PMCID.fullmatch(str(value).strip()) if isinstance(value, str | int) else None
    return f"PMC{int(match[1])}" if match else None


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if text.isdecimal() else None


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return " ".join(str(value).split()) or None
