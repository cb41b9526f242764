"""Preferences -> rows of the config `preference`: the dataset's own question, the two answers, who said and judged."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as parquet

from evaluation.answering.questions import load_items
from evaluation.preferring.outcomes import Preference
from evaluation.preferring.runs import TRAIN
from evaluation.run_folder import Prediction
from trust.licenses import combined, in_order, of_row

_OF_QUESTION = ("prompt", "task", "example_id", "figure_id", "article_id")  # columns that a row has of its question
_OF_RUN = ("model", "revision", "generation", "seed")  # keys of a run's manifest


class Figure(NamedTuple):
    """Where a figure stands in `pairs`."""

    number: int  # of its row
    panels: dict[str, list[float]]  # label -> box in pixels of the picture: x0, y0, x1, y1


def read_questions(dataset: Path, manifests: list[dict]) -> dict[str, dict]:
    """example_id -> training row, without its picture, of the questions that the runs have answered.

    Raises FileNotFoundError for no dataset, ValueError where the runs have answered those of another one.
    """
    if not dataset.is_dir():
        raise FileNotFoundError(f"{dataset} is no dataset repo folder: pairs are written into one")
    items = load_items(str(dataset), TRAIN, manifests[0]["tasks"])
    if items.revision != manifests[0]["dataset_revision"]:
        raise ValueError(f"{dataset} has other training questions than the runs have answered: run them again")
    return {row["example_id"]: row for row in items.rows.remove_columns("images")}


def read_figures(dataset: Path) -> dict[str, Figure]:
    """figure_id -> figure, of the training rows of `pairs`, where the pictures are. Raises ValueError without them."""
    found: dict[str, Figure] = {}
    for path in sorted((dataset / "pairs").glob(f"{TRAIN}-*.parquet")):
        for row in parquet.read_table(path, columns=["figure_id", "panels"]).to_pylist():
            panels = {panel["label"]: panel["bbox"] for panel in row["panels"] or ()}
            found[row["figure_id"]] = Figure(len(found), panels)
    if not found:
        raise ValueError(f"{dataset} has no training figures (pairs/{TRAIN}-*.parquet), which the pictures come from")
    return found


def preference_rows(
    preferences: Iterable[Preference], questions: Mapping[str, dict], figures: Mapping[str, Figure]
) -> Iterator[dict]:
    """The rows as `dataset_builder.ldrt.write_config` takes them, in the order of the figures.

    Raises ValueError for an answer to a question that is none of `questions`.
    """
    rows = [_row(preference, questions, figures) for preference in preferences]
    return iter(sorted(rows, key=lambda row: (figures[row["figure_id"]].number, row["example_id"])))


def _row(preference: Preference, questions: Mapping[str, dict], figures: Mapping[str, Figure]) -> dict[str, Any]:
    chosen, rejected = preference.chosen, preference.rejected
    row = questions.get(chosen["example_id"])
    if row is None or row["figure_id"] not in figures:
        raise ValueError(f"{chosen['example_id']} is no training question of the dataset")
    panel = row.get("panel")
    licenses = list(in_order(of_row(row)))
    judges = [
        {"judge": _named(name, revision), "prompt_sha256": prompt} for name, revision, prompt in preference.judges
    ]
    return {
        "split": TRAIN,
        **{column: row[column] for column in _OF_QUESTION},
        "chosen": _said(chosen),
        "rejected": _said(rejected),
        "panel": panel,
        "panel_bbox": figures[row["figure_id"]].panels[panel] if panel else None,
        "license": combined(licenses),
        "licenses": licenses,
        "rights": row.get("rights"),
        "chosen_by": _named(chosen["model"], chosen["revision"]),
        "rejected_by": _named(rejected["model"], rejected["revision"]),
        "judges": judges,
    }


def told_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the dataset's manifest keeps of a run: who answered, and how."""
    return {key: manifest.get(key) for key in _OF_RUN}


def _said(answer: Prediction) -> list[dict[str, str | None]]:
    return [{"role": "assistant", "content": answer["prediction"]}]


def _named(model: str, revision: str | None) -> str:
    return f"{model}@{revision}" if revision else model
