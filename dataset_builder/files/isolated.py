"""Calls in processes of their own, each with a time limit: one that hangs or dies harms no other."""

import multiprocessing
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pebble import ProcessPool

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

_SCHEDULED_A_WORKER = 4  # enough that no worker waits, few enough that memory does not grow with the number of items

Item = TypeVar("Item")


@dataclass(frozen=True)
class Processes:
    """`workers` of them; a call may take `timeout_s` seconds. Each begins with `start(*start_with)`, with the modules
    `imported` where that can be done once for all; after `calls` calls a fresh one takes over: what a library leaks
    stays bounded.
    """

    workers: int
    timeout_s: float
    calls: int
    start: Callable[..., None]
    start_with: tuple[Any, ...]
    imported: tuple[str, ...] = ()

    def call_each(
        self, call: Callable[[Item], Any], items: Iterable[Item]
    ) -> Generator[tuple[Item, Future], None, None]:
        """The items as they are done, each with the future of `call(item)`: its result, or pebble's ProcessExpired, or
        TimeoutError, or what was raised. All processes end with this iterator.
        """
        pool = ProcessPool(self.workers, self.calls, self.start, self.start_with, process_context(self.imported))
        with pool:
            try:
                yield from self._finished(pool, call, iter(items))
            except BaseException:  # of the items, or GeneratorExit: nobody wants the rest
                pool.stop()
                raise

    def _finished(
        self, pool: ProcessPool, call: Callable[[Item], Any], items: Iterator[Item]
    ) -> Iterator[tuple[Item, Future]]:
        running: dict[Future, Item] = {}
        while True:
            for item in islice(items, _SCHEDULED_A_WORKER * self.workers - len(running)):
                running[pool.schedule(call, args=(item,), timeout=self.timeout_s)] = item
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future


def process_context(imported: tuple[str, ...]) -> "ForkServerContext | SpawnContext":
    """What starts a process: on Linux as a copy of one that has imported these modules and has no threads.

    A copy of this process would hold the locks of its threads. Elsewhere such a copy is not safe, or there is none; and
    a process that was started so itself, as by `ldrt demo`, would be given copies of what that one has imported.
    """
    if sys.platform != "linux" or multiprocessing.parent_process():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(imported))
    return context
