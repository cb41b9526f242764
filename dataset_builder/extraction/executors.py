"""Reading the files that have no record yet, as a step that `cluster.py` runs here, on SLURM or on Ray."""

import json
import os
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import get_type_hints

from datatrove.pipeline.base import PipelineStep

from dataset_builder.articles.packages import Package
from dataset_builder.cluster import Share
from dataset_builder.extraction.isolation import Limits, read_isolated
from dataset_builder.extraction.records import is_written
from dataset_builder.extraction.units import Layout, Unit, extract
from dataset_builder.files.jsonfiles import read_jsonl, write_lines

ONE_THREAD = ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")  # a process a core already keeps the machine busy

_PATHS = [name for name, hint in get_type_hints(Package).items() if hint == Path | None]  # of a package's fields


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
    files = {name: Path(package[name]) for name in _PATHS if package[name]}
    return Unit(Package(**{**package, **files}), row["source"], Path(row["record"]))


def missing_records(units: list[Unit]) -> list[Unit]:
    """The files that are still to be read."""
    return [unit for unit in units if not is_written(unit.record)]


def share_of(limits: Limits) -> Share:
    """What a task that reads needs of a machine."""
    return Share(limits.workers, limits.memory_gb)
