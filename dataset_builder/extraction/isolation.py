"""Read each file in a process of its own, with a time and a memory limit: a file that hangs, crashes the parser or eats
memory gets a record with `error`, and nothing else is harmed.
"""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial

from pebble import ProcessExpired

from dataset_builder.extraction.units import Unit, one_line, record_failure
from dataset_builder.files.isolated import Processes
from dataset_builder.files.progress import progress

_READERS = (
    "dataset_builder.extraction.units",
    "dataset_builder.readers.jats.reader",
    "dataset_builder.readers.pdf.reader",
)
_FILES_A_PROCESS = 1000
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
    workers = max(1, min(limits.workers, total))
    processes = Processes(
        workers, limits.timeout_s, _FILES_A_PROCESS, _limit_memory, (limits.memory_gb,), imported=_READERS
    )
    with (
        contextlib.closing(processes.call_each(partial(_call, read), units)) as done,
        progress(total, "files", "read") as bar,
    ):
        for unit, future in done:
            error = _failure(future, limits)
            if error:
                record_failure(unit, error)
            bar.update()


def _limit_memory(gigabytes: float) -> None:
    """Let allocations beyond the limit fail. RLIMIT_DATA counts private memory on Linux; macOS has no such limit."""
    if sys.platform == "linux":
        import resource

        limit = int(gigabytes * _BYTES_A_GIGABYTE)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


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
