"""A search by NCBI's ESearch: https://www.ncbi.nlm.nih.gov/books/NBK25499/

It pages through 9,999 articles at most: more are asked for slice of time by slice of time. An error comes as HTTP 200
with `ERROR`.
"""

import datetime
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from dataset_builder.fetching.answers import TransferError, as_dict, as_list, json_object, number, quoted
from dataset_builder.fetching.searching.found import Found, only, pmcid_of, slack
from dataset_builder.fetching.transfer import Client

_PAGE = 1000  # articles a page
_REACH = 9_999  # articles that it pages through
_FIRST_DAY = datetime.date(1990, 1, 1)  # before PMC took in its first article
_FIRST_PRINTED = datetime.date(1700, 1, 1)  # before the oldest article in PMC was published
_PRINTED_AHEAD = datetime.timedelta(days=3 * 365)  # of today: issues are dated ahead
_DAY = datetime.timedelta(days=1)
_TRIES = 3  # for an error that comes as an answer, and for a page that lacks articles


@dataclass(frozen=True)
class Asker:
    """Who asks NCBI, which wants to know: `tool` and `email` go along; the key comes from NCBI_API_KEY."""

    email: str

    def has_key(self) -> bool:
        return bool(os.environ.get("NCBI_API_KEY"))

    def fields(self) -> dict[str, str]:
        return {"tool": "ldrt-vlm", "email": self.email}

    def key(self) -> dict[str, str]:
        """For ESearch alone, which takes it by POST: it belongs in no address."""
        return {"api_key": os.environ["NCBI_API_KEY"]} if self.has_key() else {}


@dataclass(frozen=True)
class _Slice:
    """Articles whose date `field` is from `first` to `last`; of a single day's, those in `within`."""

    field: str  # pmcrdat: taken in by PMC; pdat: published
    first: datetime.date
    last: datetime.date
    within: str = ""

    def term(self) -> str:
        first, last = (day.strftime("%Y/%m/%d") for day in (self.first, self.last))
        return f"{self.within}{first}:{last}[{self.field}]"

    def halves(self, today: datetime.date) -> list["_Slice"]:
        """The slice in two; that of one day by the date of publication; [] where it cannot be cut."""
        if self.first < self.last:
            middle = self.first + (self.last - self.first) // 2
            return [replace(self, last=middle), replace(self, first=middle + _DAY)]
        if self.field == "pmcrdat":
            return _Slice("pdat", _FIRST_PRINTED, today + _PRINTED_AHEAD, f"{self.term()} AND ").halves(today)
        return []


async def search_esearch(
    client: Client, url: str, query: str, asker: Asker, today: datetime.date
) -> AsyncIterator[tuple[list[Found], int]]:
    """Page by page: the articles, of which only the PMCID is told, and how many the service counts.

    Raises TransferError, also where fewer come than it counts.
    """
    address = f"{url.rstrip('/')}/esearch.fcgi"
    slices = [_Slice("pmcrdat", _FIRST_DAY, today + _DAY)]
    total, seen = -1, set[str]()
    while slices:
        one = slices.pop()
        form = {"db": "pmc", "term": f"({query}) AND {one.term()}", "retmode": "json", "retmax": str(_PAGE)}
        form |= asker.fields() | asker.key()
        count, ids = await _page(client, address, form, 0)
        total = count if total < 0 else total
        if count > _REACH:
            slices += _cut(one, count, today, address)
            continue
        for start in range(0, max(count, 1), _PAGE):
            if start:
                _, ids = await _page(client, address, form, start)
            seen.update(ids)
            yield [only(pmcid) for pmcid in ids], total
    if len(seen) < total - slack(total):
        raise TransferError(f"{address}: it counts {total:,} articles and gave {len(seen):,} of them")


def _cut(one: _Slice, count: int, today: datetime.date, address: str) -> list[_Slice]:
    halves = one.halves(today)
    if not halves:
        raise TransferError(
            f"{address}: {count:,} articles of one day ({one.first}), and ESearch gives {_REACH:,}; narrow the query "
            "or its years, or search Europe PMC"
        )
    return halves[::-1]


async def _page(client: Client, address: str, form: dict[str, str], start: int) -> tuple[int, list[str]]:
    """How many articles there are in all, and the PMCIDs from number `start` on."""
    why = ""
    for _ in range(_TRIES):
        data = await client.get(address, form={**form, "retstart": str(start)})  # by POST: long, and with the key
        result = as_dict(json_object(data, address).get("esearchresult"))
        count, listed = number(result.get("count")), as_list(result.get("idlist"))
        if "ERROR" in result:
            why = quoted(str(result["ERROR"]))
        elif count is None:
            why = "an answer that counts no articles"
        elif count <= _REACH and len(listed) < min(_PAGE, count - start) - slack(count):
            why = f"{len(listed)} articles from number {start} on, of {count:,} that it counts"
        else:
            return count, [pmcid for value in listed if (pmcid := pmcid_of(value))]
    raise TransferError(f"{address}: {why}")
