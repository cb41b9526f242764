"""A search in Europe PMC: https://europepmc.org/RestfulWebService

Answers are read tolerantly: an error comes as HTTP 200 with `errCode`, maintenance as plain text.
"""

from collections.abc import AsyncIterator, Mapping

from dataset_builder.fetching.answers import TransferError, as_dict, as_list, json_object, number, quoted, text
from dataset_builder.fetching.searching.found import Found, pmcid_of, slack
from dataset_builder.fetching.transfer import Client

_PAGE = 1000  # articles a page: the most that it gives
_LONGEST_QUERY_CHARS = 4_000  # a longer one goes by POST: servers stop reading an address near 12,000
_TRIES = 3  # for an error that comes as an answer, and for a page that is empty before the end


async def search_europepmc(client: Client, url: str, query: str) -> AsyncIterator[tuple[list[Found], int]]:
    """Page by page: the articles of the query that are in PMC, and how many of all kinds the service counts.

    Raises TransferError, also where fewer come than it counts.
    """
    cursor, seen, total = "*", set[int](), 0
    while True:
        page, new = await _page_with_news(client, url.rstrip("/"), _form(query, cursor), seen, total)
        total = number(page.get("hitCount")) or total
        seen |= new
        yield _found(page), total
        following = page.get("nextCursorMark")
        if not new or len(seen) >= total > 0 or not isinstance(following, str) or following == cursor:
            break
        cursor = following
    if len(seen) < total - slack(total):
        raise TransferError(f"{url}: it counts {total:,} articles and gave {len(seen):,} of them")


def _form(query: str, cursor: str) -> dict[str, str]:
    return {
        "query": query,
        "resultType": "core",
        "format": "json",
        "pageSize": str(_PAGE),
        "cursorMark": cursor,
    }


async def _page_with_news(
    client: Client, url: str, form: dict[str, str], seen: set[int], total: int
) -> tuple[dict[str, object], set[int]]:
    """A page, and its results that are not among the `seen`; one without any is asked for again where more are due."""
    for _ in range(_TRIES):
        page = await _page(client, url, form)
        new = {_key(result) for result in _results(page)} - seen
        if new or len(seen) >= (number(page.get("hitCount")) or total):
            break
    return page, new


def _results(page: Mapping[str, object]) -> list[dict]:
    return [as_dict(result) for result in as_list(as_dict(page.get("resultList")).get("result"))]


def _key(result: Mapping[str, object]) -> int:
    """What tells a result from others; hashed, that millions take little memory."""
    return hash(tuple(str(result.get(name)) for name in ("source", "id", "pmcid", "doi")))


async def _page(client: Client, url: str, form: dict[str, str]) -> dict[str, object]:
    for _ in range(_TRIES):
        if len(form["query"]) > _LONGEST_QUERY_CHARS:
            data = await client.get(f"{url}/searchPOST", form=form)
        else:
            data = await client.get(f"{url}/search", form)
        page = json_object(data, url)
        if "errCode" not in page:
            return page
    raise TransferError(f"{url}: {quoted(str(page.get('errCode')))} {quoted(str(page.get('errMsg', '')))}".strip())


def _found(page: Mapping[str, object]) -> list[Found]:
    return [found for result in _results(page) if (found := _article(result))]


def _article(result: Mapping[str, object]) -> Found | None:
    pmcid = pmcid_of(result.get("pmcid"))
    if pmcid is None:
        return None
    return {
        "pmcid": pmcid,
        "version": None,
        "doi": text(result.get("doi")),
        "pmid": text(result.get("pmid")),
        "title": text(result.get("title")),
        "language": text(result.get("language")),
        "year": number(result.get("pubYear")),
        "license": text(result.get("license")),
    }
