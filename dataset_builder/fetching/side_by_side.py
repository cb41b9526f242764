"""Several things at once, a bounded number of them, out of a list that need not fit into memory.

What goes wrong with one article is a `Failure`, a line of `failed.jsonl`, and the others go on: here alone is decided
which errors are one article's, and which everybody's.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypedDict, TypeVar

from dataset_builder.fetching.answers import TransferError, one_line

T = TypeVar("T")

_EVERYBODYS = {  # a full or broken disk, a folder that may not be written to, no file handle left
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE),
}


class Failure(TypedDict):
    """An article, or an id that names none, that did not come: a line of `failed.jsonl`."""

    id: str
    reason: str


async def side_by_side(items: Iterable[T], work: Callable[[T], Awaitable[None]], concurrency: int) -> None:
    """`await work(item)` for all items, at most `concurrency` at once; the first error ends all of them."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await work(item)

    workers = [asyncio.create_task(worker()) for _ in range(concurrency)]
    try:
        await asyncio.gather(*workers)
    finally:
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def article_by_article(
    items: Iterable[T], name: Callable[[T], str], work: Callable[[T], Awaitable[None]], concurrency: int
) -> list[Failure]:
    """As `side_by_side`; returns the articles (by their `name`) that failed. Raises what concerns all of them."""
    failed: list[Failure] = []

    async def one(item: T) -> None:
        try:
            await work(item)
        except (TransferError, ValueError, RecursionError, OSError) as error:
            if is_everybodys(error):
                raise
            failed.append({"id": name(item), "reason": reason_of(error)})

    await side_by_side(items, one, concurrency)
    return failed


def is_everybodys(error: Exception) -> bool:
    """Whether no other article would fare better: the disk is full, or the folder somebody else's."""
    return isinstance(error, TimeoutError) or (isinstance(error, OSError) and error.errno in _EVERYBODYS)


def reason_of(error: Exception) -> str:
    """One line."""
    if isinstance(error, OSError) and error.strerror:
        name = Path(str(error.filename)).name if error.filename else ""
        return one_line(f"{error.strerror}: {name}" if name else error.strerror)
    if isinstance(error, RecursionError):
        return "an answer that is nested too deeply"
    return one_line(str(error) or type(error).__name__)
