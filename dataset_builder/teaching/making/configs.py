"""The configs of the training examples in a dataset repo folder."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as parquet
import yaml

from dataset_builder.ldrt import write_config


def count_examples(dataset: Path, task: str) -> int:
    """How many examples the config of a task has; 0 where there is none."""
    return sum(parquet.read_metadata(path).num_rows for path in (dataset / task).glob("*.parquet"))


def write_examples(dataset: Path, task: str, rows: Path | None) -> None:
    """Write the config of a task from a JSONL of rows; None: it has none, and what was there is taken away."""
    if rows:
        write_config(dataset, task, rows)
    else:
        shutil.rmtree(dataset / task, ignore_errors=True)


def write_eval_yaml(dataset: Path, tasks: Sequence[str]) -> None:
    """Declare the test tasks, if there are any, as the Hub does: `eval.yaml` in the root of a dataset repo."""
    if not tasks:
        (dataset / "eval.yaml").unlink(missing_ok=True)
        return
    about = {
        "name": "Biomedical figures: description and reasoning",
        "description": "Questions about figures of articles that are not in the training data.",
        "evaluation_framework": "ldrt-vlm",
        "tasks": [{"id": task, "config": task, "split": "test"} for task in tasks],
    }
    (dataset / "eval.yaml").write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")
