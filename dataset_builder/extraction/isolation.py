"""Read each file in a process of its own, with a time and a memory limit: a file that hangs, crashes the parser or eats
memory gets a record with `error`, and nothing else is harmed.
"""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pebble import ProcessExpired, ProcessPool

from dataset_builder.extraction.units import Unit, one_line, record_failure
from dataset_builder.files.progress import progress

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

_SCHEDULED_A_WORKER = 4  # enough that no worker waits, few enough that memory does not grow with the number of files
_IMPORTED_ONCE = [
    "dataset_builder.extraction.units",
    "dataset_builder.readers.jats.reader",
    "dataset_builder.readers.pdf.reader",
]
_FILES_A_PROCESS = 1000  # then a fresh one takes over: what a parser leaks stays bounded
_BYTES_A_GIGABYTE = 1024**3


@dataclass(frozen=True)
class Limits:
    """`workers` processes read at a time; a file may take `timeout_s` seconds and `memory_gb` gigabytes (Linux)."""

    workers: int
    timeout_s: float
    memory_gb: float


def read_isolated(units: Iterable[Unit], total: int, read: Callable[[Unit], None], limits: Limits) -> None:
    """Call `read` for each of the `total` units, in processes of their own; one that fails to return gets a record
    with `error`. Raises RuntimeError when the processes are stopped from outside.
    """
    pool = ProcessPool(
        max_workers=max(1, min(limits.workers, total)),
        max_tasks=_FILES_A_PROCESS,
        initializer=_limit_memory,
        initargs=(limits.memory_gb,),
        context=_processes(),
    )
    with pool, progress(total, "files", "read") as bar:
        try:
            for unit, future in _finished(pool, iter(units), read, limits):
                error = _failure(future, limits)
                if error:
                    record_failure(unit, error)
                bar.update()
        except BaseException:
            pool.stop()
            raise


def _processes() -> "ForkServerContext | SpawnContext":
    """What starts a process: on Linux as a copy of one that has imported what reads and has no threads.

    A copy of this process would hold the locks of its threads. Elsewhere such a copy is not safe, or there is none; and
    a process that was started so itself, as by `ldrt demo`, would be given copies of what that one has imported.
    """
    if sys.platform != "linux" or multiprocessing.parent_process():
        return multiprocessing.get_context("spawn")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(_IMPORTED_ONCE)
    return processes


def _limit_memory(gigabytes: float) -> None:
    """Let allocations beyond the limit fail. RLIMIT_DATA counts private memory on Linux; macOS has no such limit."""
    if sys.platform == "linux":
        import resource

        limit = int(gigabytes * _BYTES_A_GIGABYTE)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _finished(
    pool: ProcessPool, units: Iterator[Unit], read: Callable, limits: Limits
) -> Iterator[tuple[Unit, Future]]:
    """The units as they are done, each with its future; only a few are scheduled at a time."""
    running: dict[Future, Unit] = {}
    while True:
        room = _SCHEDULED_A_WORKER * limits.workers - len(running)
        for unit in islice(units, room):
            running[pool.schedule(_call, args=(read, unit), timeout=limits.timeout_s)] = unit
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future


def _call(read: Callable[[Unit], None], unit: Unit) -> str | None:
    """What runs in the process: `read`, and the error when it has taken all the memory."""
    try:
        read(unit)
        return None
    except MemoryError:
        pass  # only after this block what has eaten the memory is free
    return "needs more memory than --memory_gb allows"


def _failure(future: Future, limits: Limits) -> str | None:
    """Why the file was not read, None when it was. Raises what is no file's fault: a stopped job, a full disk."""
    try:
        return future.result()
    except TimeoutError:
        return f"took longer than {limits.timeout_s:g} s (--timeout_s)"
    except ProcessExpired as error:
        if abs(error.exitcode) == signal.SIGTERM:  # of the whole job: not this file's doing
            raise RuntimeError("the reading processes were stopped; run the same command again to continue") from error
        return f"the reader's process died (exit code {error.exitcode})"
    except (OSError, BrokenProcessPool):  # a full disk is no file's fault, either
        raise
    except Exception as error:  # the record of what was read cannot be written
        return one_line(error)
