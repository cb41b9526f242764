"""Ids that somebody has, as they are written down, and the articles that they name.

https://pmc.ncbi.nlm.nih.gov/tools/id-converter-api/
"""

import csv
import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence

from dataset_builder.fetching.answers import as_dict, as_list, json_object, text
from dataset_builder.fetching.searching.esearch import Asker
from dataset_builder.fetching.searching.found import Found, only, pmcid_of
from dataset_builder.fetching.side_by_side import Failure
from dataset_builder.fetching.transfer import Client

_CONVERTED = 200  # ids a request of the converter
_COLUMNS = ("pmcid", "pmid", "doi")  # of a table, the surest first
_MAX_LINE_CHARS = 20_000  # of a row of a table, with an abstract in it
_HEADINGS = {"id", "ids", *_COLUMNS}
_REMARK = re.compile(r"(?:^|\s)#.*")  # a DOI may hold a "#" within
_SEPARATORS = re.compile(r"[,;\t]|\s+")
_PMCID = re.compile(r"(?:PMCID:?\s*(?:PMC)?|PMC)0*([1-9]\d{0,8})(?:\.(\d{1,4}))?", re.IGNORECASE)
_DOI = re.compile(r"(?:doi:?\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_PMID = re.compile(r"(?:pmid:?\s*)?(\d{1,8})", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://)?(?P<host>[a-z.]+\.(?:gov|org))/(?P<path>\S+)", re.IGNORECASE)
_NONE = "neither PMCID (PMC123), DOI (10.…/…) nor PMID (a number)"
_COMMA = "the converter takes no DOI with a comma: give the article's PMCID or PMID"

Named = tuple[str, str]  # kind (pmcid, doi, pmid), id; a PMCID may have its version: PMC123.2


def read_ids(lines: Iterable[str]) -> tuple[dict[str, list[str]], list[Failure]]:
    """Ids (PMCIDs, DOIs, PMIDs mixed, addresses; `#` starts a remark), one a line, several, or in a table with a
    heading -> those of each kind, and the lines with none.

    A bare number is a PMID: PMCIDs carry their "PMC".
    """
    ids: dict[str, list[str]] = {"pmcid": [], "doi": [], "pmid": []}
    unknown: list[Failure] = []
    columns: dict[str, int] = {}
    for raw in lines:
        line = _REMARK.sub("", raw[:_MAX_LINE_CHARS]).strip()
        heading = _heading(line)
        columns = heading or columns
        if not line or heading or line.lower() in _HEADINGS:
            continue
        named = _of_row(line, columns) if len(columns) > 1 else _of_line(line)
        for kind, one in named:
            ids[kind].append(one)
        if not named:
            unknown.append({"id": line[:100], "reason": _NONE})
    return {kind: list(dict.fromkeys(values)) for kind, values in ids.items()}, unknown


def _heading(line: str) -> dict[str, int]:
    """The places of the columns of ids, where the line is the heading of a table."""
    cells = [cell.strip().lower() for cell in _cells(line)]
    return {name: cells.index(name) for name in _COLUMNS if name in cells} if len(cells) > 1 else {}


def _cells(line: str) -> list[str]:
    delimiter = next((sign for sign in "\t;," if sign in line), ",")
    return next(csv.reader([line], delimiter=delimiter), [])


def _of_row(line: str, columns: Mapping[str, int]) -> list[Named]:
    """The first id of a row of a table: all of them name one article."""
    cells = _cells(line)
    words = [cells[place] for place in columns.values() if place < len(cells)]
    return [named for word in words if (named := _named(word))][:1]


def _of_line(line: str) -> list[Named]:
    """One id, or several; of numbers beside ids of other kinds nobody knows what they are."""
    if named := _named(line):
        return [named]
    words = [word for word in _SEPARATORS.split(line) if word]
    found = [named for word in words if (named := _named(word))]
    is_all = len(found) == len(words)
    return found if is_all else [(kind, one) for kind, one in found if kind != "pmid"]


def _named(written: str) -> Named | None:
    """The id that is written; None where it is none."""
    word = written.strip(" \t\r\n\"',;")
    if match := _ADDRESS.fullmatch(word.strip("<>")):
        return _addressed(match["host"].lower(), urllib.parse.unquote(match["path"]))
    if match := _DOI.fullmatch(word):
        return "doi", match[1].rstrip(".,;")
    if match := _PMID.fullmatch(word):
        return "pmid", match[1]
    match = _PMCID.fullmatch(word)
    return _pmcid(match) if match else None


def _pmcid(match: re.Match) -> Named:
    return "pmcid", f"PMC{match[1]}.{int(match[2])}" if match[2] else f"PMC{match[1]}"


def _addressed(host: str, path: str) -> Named | None:
    """The id in a web address of a DOI, of PMC, PubMed or Europe PMC."""
    if host.endswith("doi.org"):
        found = _DOI.fullmatch(path)
        return ("doi", found[1].rstrip(".,;/")) if found else None
    parts = [part for part in re.split(r"[/?#]", path) if part]
    for part in parts:
        if match := _PMCID.fullmatch(part):
            return _pmcid(match)
    is_pubmed = host.startswith("pubmed.") or {"pubmed", "med"} & {part.lower() for part in parts}
    numbers = [part for part in parts if _PMID.fullmatch(part)]
    return ("pmid", numbers[0]) if is_pubmed and numbers else None


# ---- what they name


async def convert_ids(
    client: Client, url: str, ids: Mapping[str, Sequence[str]], asker: Asker
) -> tuple[list[Found], list[Failure]]:
    """The articles that the ids name, PMCIDs as they are, and the ids that name none. One kind a request."""
    found, unknown = _stated(ids.get("pmcid", ()))
    unknown += [{"id": one, "reason": _COMMA} for one in ids.get("doi", ()) if "," in one]
    for kind in ("doi", "pmid"):
        without_comma = [one for one in ids.get(kind, ()) if "," not in one]
        for start in range(0, len(without_comma), _CONVERTED):
            asked = without_comma[start : start + _CONVERTED]
            records = await _records(client, url, asked, kind, asker)
            for one in asked:
                article, why = _converted(records.get(one.lower()) or {})
                if article:
                    found.setdefault(article["pmcid"], article)
                else:
                    unknown.append({"id": one, "reason": why})
    return list(found.values()), unknown


def _stated(pmcids: Sequence[str]) -> tuple[dict[str, Found], list[Failure]]:
    """PMCIDs, some with a version; of an article with several the highest, and the others are said."""
    found: dict[str, Found] = {}
    unknown: list[Failure] = []
    for one in sorted(pmcids, key=lambda each: -int(each.partition(".")[2] or 0)):
        pmcid, _, version = one.partition(".")
        if pmcid not in found:
            found[pmcid] = only(pmcid, int(version) if version else None)
        elif version:
            taken = found[pmcid]["version"]
            unknown.append({"id": one, "reason": f"one version of an article at a time; version {taken} is taken"})
    return found, unknown


async def _records(client: Client, url: str, asked: list[str], kind: str, asker: Asker) -> dict[str, dict]:
    """Asked id, in lower case -> what the converter says of it."""
    form = {"ids": ",".join(asked), "idtype": kind, "format": "json", **asker.fields()}
    records = [as_dict(record) for record in as_list(json_object(await client.get(url, form), url).get("records"))]
    named = {text(record.get("requested-id")) or text(record.get(kind)): record for record in records}
    return {name.lower(): record for name, record in named.items() if name}


def _converted(record: Mapping[str, object]) -> tuple[Found | None, str]:
    pmcid = pmcid_of(record.get("pmcid"))
    if pmcid is None or record.get("status") == "error":
        return None, text(record.get("errmsg")) or "not in PMC"
    return {**only(pmcid), "doi": text(record.get("doi")), "pmid": text(record.get("pmid"))}, ""
