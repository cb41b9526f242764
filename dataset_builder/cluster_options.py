"""Options of the commands that can run on a cluster, and which of them fit together: told before anything is read."""

from collections.abc import Collection

from trust.errors import UsageError

OF_SLURM = ("partition", "time", "sbatch_args")
OF_CLUSTERS = ("executor", "tasks", *OF_SLURM)
# What sbatch's --time takes
TIME = r"\d+|\d+:\d\d|\d+:\d\d:\d\d|\d+-\d+|\d+-\d+:\d\d|\d+-\d+:\d\d:\d\d|UNLIMITED"
TIME_HELP = "SLURM: longest time of a job: MINUTES, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS or UNLIMITED"


def check_cluster(executor: str, given: Collection[str]) -> None:
    """Raises UsageError for options, those `given` that are not the defaults, that `executor` would not look at, and
    for the partition that SLURM needs."""
    unused = {"local": ("tasks", *OF_SLURM), "ray": OF_SLURM, "slurm": ()}[executor]
    wrong = [f"--{name}" for name in unused if name in given]
    if wrong:
        needed = "slurm" if set(given) & set(OF_SLURM) else "slurm or ray"
        raise UsageError(f"{', '.join(wrong)} without --executor {needed}: leave it out, or add the executor")
    if executor == "slurm" and "partition" not in given:
        raise UsageError("--executor slurm needs --partition; `sinfo` lists the partitions")
