"""The articles that one has no copy of, fetched by their ids as `ldrt fetch --ids` does."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from dataset_builder.fetching.task import Fetching, alone_in, fetch_listed, finish, list_wanted, with_ids
from dataset_builder.rehydrating.published import Wanted

FOLDER = "fetched"  # below the user's articles: their own files and lists stay as they are


def ids_of(wanted: Sequence[Wanted]) -> list[str]:
    """The ids of the articles of these figures, sorted: PMC's version where it is known, else PMCID, else DOI."""
    return sorted({one for one in map(_id, wanted) if one})


def _id(wanted: Wanted) -> str | None:
    row = wanted.row
    if row["pmcid"] is None:
        return row["doi"]
    return f"{row['pmcid']}.{row['article_version']}" if row["article_version"] else row["pmcid"]


def fetch_articles(ids: list[str], articles: Path, task: Fetching) -> str:
    """Fetch to ARTICLES/fetched; returns what came of it. That nothing comes ends nothing: the others are read."""
    output = articles / FOLDER
    try:
        with alone_in(output):
            task = with_ids(task, ids, output)
            unlisted = asyncio.run(list_wanted(output, task))
            counts, lost = asyncio.run(fetch_listed(output, task))
            return finish(output, unlisted, counts, lost).rpartition("\nnext: ")[0]
    except (RuntimeError, ConnectionError) as error:
        return f"nothing fetched: {error}"
