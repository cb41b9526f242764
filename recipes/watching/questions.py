"""The fixed handful of held-out questions that a run answers at each evaluation, and whose picture each gets instead.

Drawn by hash: the same ones every time and on every machine, whatever the order of the rows.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from datasets import Dataset
from PIL import Image as PILImage

from recipes.training.conversations import render
from recipes.training.examples import NAME, ExampleCollator
from trust.pictures.stored import open_stored, stored_bytes


@dataclass(frozen=True)
class Watched:
    """One question with all that asks and answers it."""

    name: str  # its example_id
    question: str
    reference: str
    prompt: str  # the text up to where the answer begins, with one image token a picture
    ending: str  # what the template writes behind an answer
    pictures: list[PILImage.Image]
    others: list[PILImage.Image] | None  # of another question, as many; None where there is none
    others_of: str | None  # that question's example_id


def draw(rows: Dataset, number: int, collator: ExampleCollator) -> list[Watched]:
    """Up to `number` questions about a picture, of rows that `scan_rows` has kept; fewer where there are fewer."""
    chosen: list[dict] = []
    for index in sorted(range(len(rows)), key=_keys(rows).__getitem__):
        if len(chosen) == number:
            break
        if (row := rows[index])["images"]:
            chosen.append(row)
    return [_watch(row, _donor(place, chosen), collator) for place, row in enumerate(chosen)]


def _keys(rows: Dataset) -> list[str]:
    """Of each row the hash that it is drawn by."""
    if NAME in rows.column_names:
        return [_hash(name) for name in rows[NAME]]
    return [_hash([prompt, answer]) for prompt, answer in zip(rows["prompt"], rows["completion"], strict=True)]


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, default=str).encode()).hexdigest()


def _donor(place: int, rows: Sequence[dict]) -> dict | None:
    """The next row, the first after the last, with other pictures, as many as the row at `place` has."""
    own = [stored_bytes(picture) for picture in rows[place]["images"]]
    for row in (*rows[place + 1 :], *rows[:place]):
        pictures = [stored_bytes(picture) for picture in row["images"]]
        if len(pictures) == len(own) and pictures != own:
            return row
    return None


def _watch(row: dict, donor: dict | None, collator: ExampleCollator) -> Watched:
    reference = row["completion"][-1]["content"]
    rendered = render(row, collator.processor, collator.template)
    begins = len(rendered.text) - rendered.trained[-1][0]
    return Watched(
        name=row.get(NAME) or "",
        question=next((turn["content"] for turn in reversed(row["prompt"]) if turn["role"] == "user"), ""),
        reference=reference,
        prompt=rendered.text[:begins],
        ending=rendered.text[begins:].rpartition(reference)[2],
        pictures=[open_stored(picture) for picture in row["images"]],
        others=None if donor is None else [open_stored(picture) for picture in donor["images"]],
        others_of=None if donor is None else donor.get(NAME),
    )
