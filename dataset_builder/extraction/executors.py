"""Read the files that have no record yet: on this machine, on a SLURM or on a Ray cluster, through datatrove.

Files are read in processes of their own, with a time and a memory limit: a file that hangs, crashes the parser or eats
memory gets a record with `error`, and nothing else is harmed.
"""

import json
import math
import multiprocessing
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, TimeoutError, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor, SlurmPipelineExecutor
from datatrove.executor.slurm import launch_slurm_job
from datatrove.pipeline.base import PipelineStep
from loguru import logger
from pebble import ProcessExpired, ProcessPool

from dataset_builder.articles.packages import Package
from dataset_builder.extraction.records import is_written
from dataset_builder.extraction.units import Unit, extract, one_line, record_failure
from dataset_builder.files.jsonfiles import read_jsonl, write_lines
from dataset_builder.files.progress import progress

_SCHEDULED_A_WORKER = 4  # enough that no worker waits, few enough that memory does not grow with the number of files
_FILES_A_PROCESS = 1000  # then a fresh one takes over: what a parser leaks stays bounded
ONE_THREAD = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")  # a process a core already keeps the machine busy


@dataclass(frozen=True)
class Limits:
    """`workers` processes read at a time; a file may take `timeout_s` seconds and `memory_gb` gigabytes (Linux)."""

    workers: int
    timeout_s: float
    memory_gb: float


@dataclass(frozen=True)
class Cluster:
    """How a cluster is asked: `tasks` jobs; on SLURM in `partition`, for at most `time`, with more `sbatch_args`."""

    tasks: int
    partition: str | None
    time: str
    sbatch_args: dict[str, str]


class ReadArticles(PipelineStep):
    """The datatrove step: reads every `world_size`-th file of the list `todo`, from number `rank` on."""

    name = "articles"
    type = "READER"

    def __init__(self, units: list[Unit], todo: Path, layout: str, limits: Limits):
        """Write the list of files to `todo`, for every task to read; `layout` as in `extract`."""
        super().__init__()
        self.todo, self.layout, self.limits = todo.absolute(), layout, limits
        self.total = write_lines(todo, map(_to_line, units))

    def run(self, data=None, rank: int = 0, world_size: int = 1) -> None:
        """Read this task's share, but for files that have got a record in the meantime."""
        for name in ONE_THREAD:
            os.environ.setdefault(name, "1")
        share = islice(map(_from_row, read_jsonl(self.todo)), rank, None, world_size)
        missing = (unit for unit in share if not is_written(unit.record))
        total = len(range(rank, self.total, world_size))
        read_isolated(missing, total, partial(extract, layout=self.layout), self.limits)
        self.stat_update("files", value=total)


def _to_line(unit: Unit) -> str:
    """The unit as JSON in ASCII, so that a file name that is no Unicode survives, too."""
    row = {"package": asdict(unit.package), "source": unit.source, "record": unit.record}
    return json.dumps(row, default=lambda path: str(path.absolute())) + "\n"


def _from_row(row: dict) -> Unit:
    package = row["package"]
    files = {name: Path(package[name]) for name in ("xml", "pdf") if package[name]}
    return Unit(Package(**package | files), row["source"], Path(row["record"]))


# ---- one process a file ----


def read_isolated(units: Iterable[Unit], total: int, read: Callable[[Unit], None], limits: Limits) -> None:
    """Call `read` for each of the `total` units, in processes of their own; one that fails to return gets a record
    with `error`. Raises RuntimeError when the processes are stopped from outside.
    """
    pool = ProcessPool(
        max_workers=limits.workers,
        max_tasks=_FILES_A_PROCESS,
        initializer=_limit_memory,
        initargs=(limits.memory_gb,),
        context=multiprocessing.get_context("spawn"),  # a fork would copy the locks that threads of this process hold
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


def _limit_memory(gigabytes: float) -> None:
    """Let allocations beyond the limit fail. RLIMIT_DATA counts private memory on Linux; macOS has no such limit."""
    if sys.platform == "linux":
        import resource

        limit, (_, hard) = int(gigabytes * 1024**3), resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _finished(
    pool: ProcessPool, units: Iterator[Unit], read: Callable, limits: Limits
) -> Iterator[tuple[Unit, Future]]:
    """The units as they are done, each with its future; only a few are scheduled at a time."""
    running: dict[Future, Unit] = {}
    while True:
        for unit in islice(units, _SCHEDULED_A_WORKER * limits.workers - len(running)):
            running[pool.schedule(_call, args=(read, unit), timeout=limits.timeout_s)] = unit
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future


def _call(read: Callable[[Unit], None], unit: Unit) -> str | None:
    """What runs in the process: `read`, and the error when it has taken all the memory."""
    try:
        return read(unit)
    except MemoryError:
        pass  # only after this block what has eaten the memory is free
    return "needs more memory than --memory_gb allows"


def _failure(future: Future, limits: Limits) -> str | None:
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


# ---- where the tasks run ----


def read_here(step: ReadArticles, work: Path) -> None:
    """Read on this machine. Raises RuntimeError when stopped from outside."""
    logger.disable("datatrove")  # its log of one task says nothing that the progress lines do not
    LocalPipelineExecutor([step], tasks=1, workers=1, logging_dir=str(work / "local"), skip_completed=False).run()


def read_on_ray(step: ReadArticles, work: Path, cluster: Cluster) -> None:
    """Read on the Ray cluster that RAY_ADDRESS names, or else on one started here; a task that fails is only logged.

    Raises ModuleNotFoundError without the extra `ray`.
    """
    import ray
    from datatrove.executor import RayPipelineExecutor

    with ray.init(include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": _pythonpath()}}):
        RayPipelineExecutor(
            [step],
            tasks=cluster.tasks,
            cpus_per_task=step.limits.workers,
            mem_per_cpu_gb=step.limits.memory_gb,
            logging_dir=str(work.absolute() / "ray"),
            skip_completed=False,
        ).run()


def submit_to_slurm(step: ReadArticles, work: Path, cluster: Cluster, then: list[str]) -> tuple[str, str]:
    """Submit an array of `tasks` jobs that read, and a job that runs the command `then` when they have ended.

    Returns the ids of both. Raises FileNotFoundError where there is no `sbatch`, ValueError for an unfit path.
    """
    folder = str(work.absolute() / "slurm")
    if shlex.quote(folder) != folder:
        raise ValueError(f"{folder}: SLURM scripts need a path without spaces and special characters; move --output")
    executor = SlurmPipelineExecutor(
        [step],
        tasks=cluster.tasks,
        time=cluster.time,
        partition=cluster.partition,
        cpus_per_task=step.limits.workers,
        mem_per_cpu_gb=math.ceil(step.limits.memory_gb),
        job_name="ldrt-read",
        qos=None,
        env_command=f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH PYTHONPATH={_pythonpath()}",
        sbatch_args=cluster.sbatch_args,
        logging_dir=folder,
        skip_completed=False,
    )
    executor.run()
    settings = executor.get_sbatch_args() | {"job-name": "ldrt-build", "dependency": f"afterany:{executor.job_id}"}
    script = executor.get_launch_file_contents(settings, shlex.join(then))
    return executor.job_id, launch_slurm_job(script, executor.job_id_retriever)


def _pythonpath() -> str:
    """Where the tasks find this package, installed or not."""
    return os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
