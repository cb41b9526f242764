"""`.eval_results/ldrt.yaml`: a run's main scores in the Hub's format for leaderboards, one number a task id.

It is shown for datasets only that the Hub has registered as benchmarks; see
https://huggingface.co/docs/hub/eval-results.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import yaml
from huggingface_hub import EvalResultEntry, constants, eval_result_entries_to_yaml

from model_cards.cards.front_matter import INDEXED
from model_cards.result_files import MANIFEST, SCORES, ScoreRow

FILE = ".eval_results/ldrt.yaml"


def write_eval_results(run: Path, dataset: str | None, revision: str | None, repo_id: str, target: Path) -> None:
    """Write the scores of the true pictures to `target`; `dataset` and `revision` are the published ones.

    Without them the run's own are taken. Raises ValueError where these are a folder's, which the Hub does not know.
    """
    manifest = MANIFEST.read(run / "manifest.json")
    dataset, revision = (dataset, revision) if dataset else (manifest["dataset"], manifest["dataset_revision"])
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", dataset, re.ASCII):
        raise ValueError(f"--eval_results: the run's dataset {dataset} is a folder, and the Hub shows those of its own")
    rows = _shown(SCORES.read(run / "scores.json")["scores"])
    entries = [_entry(row, dataset, revision, repo_id) for row in rows]
    target.write_text(yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False), encoding="utf-8")


def shown_scores(rows: Iterable[ScoreRow]) -> dict[str, float]:
    """Task id -> the number that goes to the leaderboards."""
    return {_task_id(row): float(row["value"] or 0.0) for row in _shown(rows)}


def _shown(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    return [row for row in rows if _is_shown(row)]


def _is_shown(row: ScoreRow) -> bool:
    return row["image_condition"] == "true" and row["metric"] in INDEXED and row["value"] is not None


def _task_id(row: ScoreRow) -> str:
    return re.sub(r"[^\w.-]+", "-", "-".join([row["task"], row["judge"] or row["metric"]]))


def _entry(row: ScoreRow, dataset: str, revision: str | None, repo_id: str) -> EvalResultEntry:
    return EvalResultEntry(
        dataset_id=dataset,
        task_id=_task_id(row),
        value=float(row["value"] or 0.0),
        dataset_revision=revision,
        source_url=f"{constants.ENDPOINT}/{repo_id}",
        source_name="ldrt-vlm",
        notes=f"{row['metric']}, n = {row['n']}",
    )
