"""Whether the numbers for the Hub's leaderboards, `.eval_results/ldrt.yaml`, are those of the scores."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from model_cards.staging.eval_results import FILE, shown_scores
from trust.files import read_limited
from verification.differences import is_same, shown
from verification.report import Check, judged
from verification.repository import Repository

_WHAT = f"leaderboards: each number of {FILE}"
_MAX_BYTES = 1024**2


def check_eval_results(repository: Repository, scores: Iterable[Any]) -> list[Check]:
    """`scores` are the rows of scores.json as made again."""
    path = repository.path(FILE)
    if not path.is_file():
        return []
    expected = shown_scores(scores)
    try:
        entries = yaml.safe_load(read_limited(path, _MAX_BYTES).decode("utf-8"))
        published = [(entry["dataset"]["task_id"], entry["value"]) for entry in entries]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        return [judged(_WHAT, [f"it is not in the Hub's format ({' '.join(str(error).split())})"])]
    return [judged(_WHAT, _wrong(published, expected))]


def _wrong(published: list[tuple[Any, Any]], expected: dict[str, float]) -> Iterator[str]:
    for task, value in published:
        if not isinstance(task, str) or task not in expected:
            yield f"{task}: {shown(value)}, which no result gives"
        elif not is_same(value, expected[task]):
            yield f"{task}: {shown(value)} is published, {shown(expected[task])} when made again"
    gone = expected.keys() - {task for task, _ in published if isinstance(task, str)}
    yield from (f"{task}: {shown(expected[task])} is left out" for task in sorted(gone))
