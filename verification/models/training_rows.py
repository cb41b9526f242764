"""Whether training rows and test questions share an article, a picture or a near-duplicate of one."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dataset_builder.assembly.duplicates import FigureKey, duplicate_groups
from model_cards.dataset_folder import config_files
from verification.models.published import Published
from verification.models.questions import Asked, find_dataset
from verification.report import Check, judged, not_checked
from verification.repository import Repository
from verification.rows import keys_of, rows_of

_WHAT = "training rows: without the article, picture or near-duplicate of a test question"
_PARTS = {"instruct": ("detail", "reasoning")}  # config that lists the files of others


def check_training(published: Published, asked: Asked, name: str | None) -> list[Check]:
    """For each phase of the lineage, its training rows against the questions that were asked."""
    phases = (published.manifest["lineage"] or {"phases": []})["phases"]
    if not phases:
        return [not_checked(_WHAT, "the results have no lineage, which names the training rows")]
    return [_check_phase(number, phase, published, asked, name) for number, phase in enumerate(phases, 1)]


def _check_phase(number: int, phase: dict[str, Any], published: Published, asked: Asked, name: str | None) -> Check:
    what = f"{_WHAT} (phase {number})"
    stated = published.card["dataset_id"] if published.card else None
    is_same = phase["dataset"] == published.manifest["dataset"]  # another dataset is found by its own name alone
    known = (name, phase, stated) if is_same else (None, phase, None)
    dataset = find_dataset(*known, published.pinned)
    if isinstance(dataset, str):
        return not_checked(what, dataset)
    files = split_files(dataset.folder, phase["dataset_config"], phase["dataset_split"])
    if not files:
        named = f"config {phase['dataset_config']!r}, split {phase['dataset_split']!r}"
        return judged(what, [f"{dataset.name} has no {named}, which the lineage names"])
    trained = _figures(files)
    tested = {row["figure_id"]: row["article_id"] for row in published.predictions}
    return judged(what, _leaks(trained, tested, _keys(dataset), _keys(asked.dataset) if asked.dataset else {}))


def split_files(folder: Path, config: str, split: str) -> list[Path]:
    """The Parquet files of a split, of `instruct` those of its parts."""
    configs = config_files(folder)
    return [path for part in _PARTS.get(config, (config,)) for path in configs.get(part, {}).get(split, [])]


def _figures(files: Iterable[Path]) -> dict[str, str]:
    """figure -> article."""
    rows = rows_of(files, ("figure_id", "article_id"))
    return {row["figure_id"]: row["article_id"] for row in rows}


def _keys(dataset: Repository) -> dict[str, FigureKey]:
    """figure -> what duplicates are told by; {} for a dataset without config `pairs`."""
    return keys_of(config_files(dataset.folder).get("pairs", {}))


def _leaks(
    trained: dict[str, str], tested: dict[str, str], of_training: dict[str, FigureKey], of_test: dict[str, FigureKey]
) -> Iterator[str]:
    articles = set(trained.values())
    for figure, article in sorted(tested.items()):
        if article in articles:
            yield f"{figure}: its article {article} is in the training rows"
    keys = [of_training[name] for name in trained if name in of_training]
    asked = [of_test[name] for name in tested if name in of_test and name not in trained]
    groups = duplicate_groups(keys + asked)
    trained_groups = {groups[key.figure_id]: key.figure_id for key in keys if key.figure_id in groups}
    for key in asked:
        if groups.get(key.figure_id) in trained_groups:
            other = trained_groups[groups[key.figure_id]]
            yield f"{key.figure_id}: its picture is that of {other} in the training rows"
