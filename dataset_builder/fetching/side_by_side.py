"""Several things at once, a bounded number of them, out of a list that need not fit into memory."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


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
