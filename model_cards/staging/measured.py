"""What was measured and judged of a run's answers, as published: every number, no text that a policy withholds."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from model_cards.dataset_folder import row_terms
from model_cards.files import to_json
from model_cards.quotable import permitted_predictions
from model_cards.result_files import EVIDENCE, ITEMS, JUDGEMENTS, PAIRED, VERDICTS
from trust.handovers import Kind
from trust.licenses import Policy, permits

MEASURED: dict[str, Kind[Any]] = {
    "evidence.jsonl": EVIDENCE,
    "judgements.jsonl": JUDGEMENTS,
    "pairwise.jsonl": VERDICTS,
    "per_item_scores.jsonl": ITEMS,
    "paired_items.jsonl": PAIRED,
}
_SAID = ("said", "base_said", "tuned_said")  # columns with what judges replied

Place = tuple[str, str]  # (image condition, example_id)
IsOpen = Callable[[Mapping[str, Any]], bool]  # whether a row's text may be published


def write_measured(folder: Path, policy: Policy, temporary: Path, dataset: Path | None = None) -> list[Path]:
    """Write the files of `MEASURED` that a run folder has to `temporary`; returns their paths. `dataset`: the run's.

    Where `policy` does not permit a row, what quotes the article is null in it: captions, sentences, judges' replies.
    """
    is_open = _permission(folder, policy, dataset)
    written = []
    for name, kind in MEASURED.items():
        if not (folder / name).is_file():
            continue
        rows = kind.rows(folder / name)
        shown = map(_evidence(policy), rows) if kind is EVIDENCE else (_without_replies(row, is_open) for row in rows)
        _write(temporary / name, shown, folder / name)
        written.append(temporary / name)
    return written


def _permission(folder: Path, policy: Policy, dataset: Path | None) -> IsOpen:
    """By the predictions that the policy permits to quote; a control shows a judge another row's text, too."""
    allowed: dict[Place, bool] = {}
    for row, is_permitted in permitted_predictions(folder, policy, dataset):
        allowed[_place(row)] = is_permitted
    is_whole = all(allowed.values())
    return lambda row: allowed.get(_place(row), False) and (is_whole or row.get("control") is None)


def _place(row: Mapping[str, Any]) -> Place:
    return row["image_condition"], row.get("example_id", "")


def _evidence(policy: Policy) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A row of evidence.jsonl, without the article's words where they may not be published."""

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        return dict(row) if permits(policy, *row_terms(row)) else {**row, "caption": None, "context": []}

    return shown


def _without_replies(row: Mapping[str, Any], is_open: IsOpen) -> dict[str, Any]:
    if is_open(row):
        return dict(row)
    shown = dict(row)
    if "reply" in shown:
        shown["reply"] = None
    for column in _SAID:
        if column in shown:
            shown[column] = [{**said, "reply": None} for said in shown[column]]
    return shown


def _write(path: Path, rows: Iterator[dict[str, Any]], source: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows, 1):
            file.write(to_json(row, f"{source}, line {number}") + "\n")
