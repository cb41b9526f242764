"""What was found in which picture, and what people decided: two files of the dataset's folder.

screened.jsonl: a line a picture, added when it has been looked at, so that no picture is looked at twice by the same
rules, and an interrupted run goes on. review.jsonl: a line a finding, written anew at the end of each run, in which a
person fills in `decision`. Both hold personal data, and neither is ever published. Pictures go by the hash of their
bytes: decisions hold after a rebuild, and for the same picture in another figure.
"""

from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Literal

from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import append_jsonl, write_jsonl
from dataset_builder.screening.rules import Found
from trust.handovers import Kind, stamped

SCREENED, REVIEW = "screened.jsonl", "review.jsonl"
Decision = Literal["keep", "drop", "blur"]


class Finding(TypedDict):
    """One thing in a picture that looks like a person's."""

    kind: str  # name | birth_date | date | number | institution | face
    text: str
    box: list[float]  # x0, y0, x1, y1 in pixels of the figure's picture
    score: float


class ScreenedPicture(TypedDict):
    """A line of screened.jsonl; of several of one picture the last counts."""

    picture: str  # sha256 of its bytes, column `image_sha256`
    text_version: str  # rules and OCR that looked for text
    face_version: str | None  # hash of the model that looked for faces; None: nobody looked
    findings: list[Finding]
    problem: str | None  # why it could not be screened


class Reviewed(Finding):
    """A line of review.jsonl."""

    picture: str
    figure_id: str  # of the first figure with this picture
    decision: Decision | None  # None: not decided yet


SCREENED_FILE = Kind(ScreenedPicture, "ldrt screen {folder}")
REVIEW_FILE = Kind(Reviewed, "ldrt screen {folder}")


def read_screened(dataset: Path) -> dict[str, ScreenedPicture]:
    """Picture -> what was found in it when it was last looked at."""
    return {row["picture"]: row for row in SCREENED_FILE.rows(dataset / SCREENED)}


def note_screened(dataset: Path, rows: Iterable[ScreenedPicture]) -> None:
    """Add pictures that have been looked at."""
    append_jsonl(dataset / SCREENED, map(stamped, rows))


def as_finding(found: Found) -> Finding:
    """As it stands in the files."""
    box = [round(side, 1) for side in found.box]
    return {"kind": found.kind, "text": found.text, "box": box, "score": round(found.score, 3)}


def write_review(
    dataset: Path, screened: Mapping[str, ScreenedPicture], figure_of: Mapping[str, str]
) -> list[Reviewed]:
    """Write review.jsonl anew: each finding with what was decided of it before. Returns its rows.

    `figure_of` is picture -> figure_id of those in the dataset. Decisions on what is not there (any more) stay: a
    rebuild may bring the picture back, and people may add boxes of their own.
    """
    before = list(REVIEW_FILE.rows(dataset / REVIEW))
    decided = {_place(row): row for row in before if row["decision"] is not None}
    same_text = {(row["picture"], row["kind"], row["text"]): row["decision"] for row in decided.values()}
    rows: dict[tuple, Reviewed] = {}
    for picture, figure_id in figure_of.items():
        for finding in screened[picture]["findings"] if picture in screened else ():
            row: Reviewed = {"picture": picture, "figure_id": figure_id, **finding, "decision": None}
            known = decided.get(_place(row))
            words = (picture, row["kind"], row["text"])
            row["decision"] = known["decision"] if known else same_text.get(words) if row["text"] else None
            rows[_place(row)] = row
    rows |= {place: row for place, row in decided.items() if place not in rows}
    if rows or before:
        write_jsonl(dataset / REVIEW, map(stamped, rows.values()))
    return list(rows.values())


def forget(dataset: Path, pictures: Set[str]) -> None:
    """Take what was found in these pictures, and what was decided of it, out of both files."""
    for name, kind in ((SCREENED, SCREENED_FILE), (REVIEW, REVIEW_FILE)):
        rows = list(kind.rows(dataset / name))
        kept = [row for row in rows if row["picture"] not in pictures]
        if len(kept) < len(rows):
            write_jsonl(dataset / name, map(stamped, kept))


def _place(row: Reviewed) -> tuple:
    return row["picture"], row["kind"], *row["box"]
