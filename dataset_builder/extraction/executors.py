"""Read the files that have no record yet: on this machine, on a SLURM or on a Ray cluster, through datatrove."""

import json
import math
import os
import shlex
import sys
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor, SlurmPipelineExecutor
from datatrove.executor.slurm import launch_slurm_job
from datatrove.pipeline.base import PipelineStep
from loguru import logger

from dataset_builder.articles.packages import Package
from dataset_builder.extraction.isolation import Limits, read_isolated
from dataset_builder.extraction.records import is_written
from dataset_builder.extraction.units import Layout, Unit, extract
from dataset_builder.files.jsonfiles import read_jsonl, write_lines

ONE_THREAD = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")  # a process a core already keeps the machine busy


@dataclass(frozen=True)
class Cluster:
    """How a cluster is asked: `tasks` jobs; on SLURM in `partition`, for at most `time`, with more `sbatch_args`."""

    tasks: int
    partition: str | None
    time: str  # HH:MM:SS
    sbatch_args: dict[str, str]


class ReadArticles(PipelineStep):
    """The datatrove step: reads every `world_size`-th file of the list `todo`, from number `rank` on."""

    name = "articles"
    type = "READER"

    def __init__(self, units: list[Unit], todo: Path, layout: Layout, limits: Limits):
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
    files = {name: Path(package[name]) for name in ("xml", "pdf", "pictures_in") if package[name]}
    return Unit(Package(**{**package, **files}), row["source"], Path(row["record"]))


def missing_records(units: list[Unit]) -> list[Unit]:
    """The files that are still to be read."""
    return [unit for unit in units if not is_written(unit.record)]


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
