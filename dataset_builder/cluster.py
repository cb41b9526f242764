"""A datatrove step on a SLURM or on a Ray cluster."""

import math
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from datatrove.executor import SlurmPipelineExecutor
from datatrove.executor.slurm import launch_slurm_job
from datatrove.pipeline.base import PipelineStep

from trust.errors import UsageError


@dataclass(frozen=True)
class Cluster:
    """How a cluster is asked: `tasks` jobs; on SLURM in `partition`, for at most `time`, with more `sbatch_args`."""

    tasks: int
    partition: str | None  # SLURM's, which has one
    time: str  # as sbatch takes it
    sbatch_args: dict[str, str]


@dataclass(frozen=True)
class Share:
    """What one task needs of a machine."""

    cpus: int
    memory_gb: float  # a CPU


def run_on_ray(step: PipelineStep, logs: Path, cluster: Cluster, share: Share) -> None:
    """Run on the Ray cluster that RAY_ADDRESS names, or else on one started here; a task that fails is only logged.

    Raises ModuleNotFoundError without the extra `ray`.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('--executor ray needs the extra `ray`: pip install "ldrt-vlm[ray]"') from error
    from datatrove.executor import RayPipelineExecutor

    with ray.init(include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": _pythonpath()}}):
        RayPipelineExecutor(
            [step],
            tasks=cluster.tasks,
            cpus_per_task=share.cpus,
            mem_per_cpu_gb=share.memory_gb,
            logging_dir=str(logs.absolute() / "ray"),
            skip_completed=False,
        ).run()


def submit_to_slurm(
    step: PipelineStep, logs: Path, cluster: Cluster, share: Share, names: tuple[str, str], then: list[str]
) -> tuple[str, str]:
    """Submit an array of `tasks` jobs, and a job that runs the command `then` when they have ended.

    `names` are those of the two. Returns the ids of both. Raises FileNotFoundError where there is no `sbatch`,
    UsageError for an unfit path.
    """
    folder = str(logs.absolute() / "slurm")
    if shlex.quote(folder) != folder:
        raise UsageError(f"{folder}: SLURM scripts need a path without spaces and special characters; move --output")
    if shutil.which("sbatch") is None:
        raise FileNotFoundError("--executor slurm: no `sbatch` on the PATH; submit from a login node of the cluster")
    executor = SlurmPipelineExecutor(
        [step],
        tasks=cluster.tasks,
        time=cluster.time,
        partition=cluster.partition,
        cpus_per_task=share.cpus,
        mem_per_cpu_gb=math.ceil(share.memory_gb),
        job_name=names[0],
        qos=None,
        env_command=f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH PYTHONPATH={_pythonpath()}",
        sbatch_args=cluster.sbatch_args,
        logging_dir=folder,
        skip_completed=False,
    )
    executor.run()
    settings = executor.get_sbatch_args() | {"job-name": names[1], "dependency": f"afterany:{executor.job_id}"}
    script = executor.get_launch_file_contents(settings, shlex.join(then))
    return executor.job_id, launch_slurm_job(script, executor.job_id_retriever)


def _pythonpath() -> str:
    """Where the tasks find this package, installed or not."""
    return os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))
