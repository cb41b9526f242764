"""key.json: what the raters' page hides, and what makes ratings of it readable."""

import hashlib
import json
import os
from pathlib import Path

from typing_extensions import TypedDict

from evaluation.judgements import answer_sha256
from evaluation.people.criteria import read_criteria
from evaluation.people.sample import AnsweredRun, Showing
from trust.handovers import Kind

KEY = "key.json"
_PACKET_DIGITS = 16  # hexadecimal


class KeyRun(TypedDict):
    run: str  # name of the folder
    folder: str  # relative to that of the key
    model: str
    revision: str | None


class KeyItem(TypedDict):
    item: int  # number on the page, from 1
    run: str
    example_id: str
    article_id: str
    task: str
    answer_sha256: str
    repeat_of: int | None  # the item that shows the same answer earlier


class Key(TypedDict):
    packet: str  # names the page in the ratings: a hash of the showings and their answers
    dataset: str
    dataset_revision: str
    split: str
    criteria_sha256: dict[str, str]  # task -> what the page says counts
    seed: int
    runs: list[KeyRun]  # the base first
    items: list[KeyItem]


KEY_FILE = Kind(Key, "ldrt human export … --output {folder}")


def read_key(folder: Path) -> Key:
    """Raises FileNotFoundError where nothing was exported to the folder."""
    return KEY_FILE.read(folder / KEY)


def check_free(folder: Path, packet: str) -> None:
    """A new key over an old one would make the ratings of the old page unreadable: raises ValueError."""
    path = folder / KEY
    if path.exists() and read_key(folder)["packet"] != packet:
        raise ValueError(f"{path} belongs to another page, ratings of which may be under way: give another --output")


def make_key(runs: list[AnsweredRun], showings: list[Showing], seed: int, output: Path) -> Key:
    """What key.json holds; `output` is the folder where it will be."""
    items = _items(runs, showings)
    criteria = {task: _sha256(read_criteria(task)) for task in sorted({item["task"] for item in items})}
    manifest = runs[0].manifest
    about = {name: manifest[name] for name in ("dataset", "dataset_revision", "split")}
    hashed = json.dumps([about | {"criteria_sha256": criteria}, seed, items])
    return {
        "packet": _sha256(hashed)[:_PACKET_DIGITS],
        "dataset": manifest["dataset"],
        "dataset_revision": manifest["dataset_revision"],
        "split": manifest["split"],
        "criteria_sha256": criteria,
        "seed": seed,
        "runs": [_key_run(run, output) for run in runs],
        "items": items,
    }


def _items(runs: list[AnsweredRun], showings: list[Showing]) -> list[KeyItem]:
    first_shown: dict[tuple[str, int], int] = {}  # (example, number of the run) -> item
    items: list[KeyItem] = []
    for number, showing in enumerate(showings, 1):
        record = showing.record
        answer = record["example_id"], showing.run
        items.append(
            {
                "item": number,
                "run": runs[showing.run].name,
                "example_id": record["example_id"],
                "article_id": record["article_id"],
                "task": record["task"],
                "answer_sha256": answer_sha256(record["prediction"] or ""),
                "repeat_of": first_shown.get(answer),
            }
        )
        first_shown.setdefault(answer, number)
    return items


def _key_run(run: AnsweredRun, output: Path) -> KeyRun:
    return {
        "run": run.name,
        "folder": Path(os.path.relpath(run.folder, output)).as_posix(),
        "model": run.manifest["model"],
        "revision": run.manifest["revision"],
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
