"""The few answers that a model card shows, with their pictures: RUN/examples/*.jpg."""

import hashlib
import shutil
from pathlib import Path
from typing import TypedDict

from model_cards.card_file import ShownExample
from model_cards.cards.text import quote
from model_cards.preview.answers import checked, read_thumbnails
from model_cards.quotable import permitted_predictions
from model_cards.result_files import PAIRED, PREDICTIONS, Prediction
from trust.pictures.opener import UnreadablePicture

FOLDER = "examples"  # of the run, and of the repository
N_EXAMPLES = 3


class Example(TypedDict):
    """One held-out question on the card."""

    example_id: str
    task: str
    figure_id: str
    rows: list[tuple[str, str]]  # name, text; the base model's answer is among them where it was compared
    picture: str | None  # path from the card; None where the run keeps none


def write_examples(folder: Path) -> list[Example]:
    """A few held-out items, drawn by the hash of their id (not by their score), of rows whose licence lets us quote.

    Those that have a picture come first. Writes RUN/examples/ anew.
    """
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    base_answers = {item["example_id"]: item["base_answer"] for item in PAIRED.rows(folder / "paired_items.jsonl")}
    jpegs = read_thumbnails(folder).jpegs
    quotable = {
        row["example_id"]: row
        for row, is_permitted in permitted_predictions(folder, "commercial")
        if is_permitted and row["image_condition"] == "true" and row["prediction"] is not None
    }
    drawn = sorted(quotable, key=lambda name: (name not in jpegs, hashlib.sha256(name.encode()).hexdigest()))
    return [
        make_example(quotable[name], base_answers.get(name), _write_picture(folder, number, jpegs.get(name)))
        for number, name in enumerate(drawn[:N_EXAMPLES], 1)
    ]


def examples_of(folder: Path, shown: list[ShownExample]) -> list[Example]:
    """The answers that card.json says a card shows, as it shows them; the pictures are there already."""
    base_answers = {item["example_id"]: item["base_answer"] for item in PAIRED.rows(folder / "paired_items.jsonl")}
    answers = PREDICTIONS.rows(folder / "predictions.jsonl")
    of_true_pictures = {row["example_id"]: row for row in answers if row["image_condition"] == "true"}
    there = [one for one in shown if one["example_id"] in of_true_pictures]
    return [
        make_example(of_true_pictures[one["example_id"]], base_answers.get(one["example_id"]), one["picture"])
        for one in there
    ]


def _write_picture(folder: Path, number: int, jpeg: bytes | None) -> str | None:
    """Its path from the card; None where there is none to show."""
    if jpeg is None:
        return None
    try:
        shown = checked(jpeg)
    except UnreadablePicture:
        return None
    path = folder / FOLDER / f"{number}.jpg"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(shown)
    return f"{FOLDER}/{path.name}"


def make_example(prediction: Prediction, base_answer: str | None, picture: str | None) -> Example:
    """The answer as it stands on the card, beside the base model's where there is one; `picture`: its path."""
    answers = [("answer", prediction["prediction"] or "")]
    if base_answer is not None:
        answers = [("base", base_answer), ("tuned", prediction["prediction"] or "")]
    asked = [("question", prediction["question"]), ("reference", prediction["reference"])]
    return {
        "example_id": prediction["example_id"],
        "task": prediction["task"],
        "figure_id": prediction["figure_id"],
        "rows": [(name, quote(text)) for name, text in asked + answers],
        "picture": picture,
    }
