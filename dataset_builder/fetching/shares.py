"""One task's share of a list, as a step that `cluster.py` runs on SLURM or Ray; all together keep to one rate."""

import asyncio
from pathlib import Path

from datatrove.pipeline.base import PipelineStep

from dataset_builder.fetching.task import Fetching, fetch_listed


class FetchArticles(PipelineStep):
    """The datatrove step: brings every `world_size`-th article of the list in `output`, from number `rank` on.

    What fails is left to the run that follows, which says so.
    """

    name = "articles"
    type = "READER"

    def __init__(self, output: Path, task: Fetching):
        super().__init__()
        self.output, self.task = output.absolute(), task

    def run(self, data=None, rank: int = 0, world_size: int = 1) -> None:
        counts, _ = asyncio.run(fetch_listed(self.output, self.task, rank, world_size))
        self.stat_update("fetched", value=counts["fetched"])
