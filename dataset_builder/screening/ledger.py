"""What was found in which picture, and what people decided: two files of the dataset's folder.

screened.jsonl: a line a picture, added when it has been looked at, so that no picture is looked at twice by the same
rules, and an interrupted run goes on. review.jsonl: a line a finding, written anew at the end of each run, in which a
person fills in `decision`. Both hold personal data, and neither is ever published. Pictures go by the hash of their
bytes: decisions hold after a rebuild, and for the same picture in another figure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Literal

from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import append_jsonl, write_jsonl
from dataset_builder.screening.rules import Found
from trust.handovers import Kind, stamped

SCREENED, REVIEW = "screened.jsonl", "review.jsonl"
Decision = Literal["keep", "drop", "blur"]
_STRICTEST_FIRST: tuple[Decision, ...] = ("drop", "blur", "keep")  # of several for one place


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
    face_version: str | None  # how, and by which model, faces were looked for; None: nobody looked
    findings: list[Finding]
    problem: str | None  # why it could not be screened


class Reviewed(Finding):
    """A line of review.jsonl."""

    picture: str
    figure_id: str  # of the first figure with this picture
    decision: Decision | None  # None: not decided yet


SCREENED_FILE = Kind(ScreenedPicture, "ldrt screen {folder}")
REVIEW_FILE = Kind(Reviewed, "ldrt screen {folder}", is_edited=True)


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
    rebuild may bring the picture back, and people may add boxes of their own. What was dropped or blurred in a picture
    that is not there is asked anew of the one that its figure has now.
    """
    before = list(REVIEW_FILE.rows(dataset / REVIEW))
    decided = _strictest(before, _place)
    same_text = _strictest(before, _words)
    rows: dict[tuple, Reviewed] = {}
    for picture, figure_id in figure_of.items():
        for finding in screened[picture]["findings"] if picture in screened else ():
            row: Reviewed = {"picture": picture, "figure_id": figure_id, **finding, "decision": None}
            known = decided.get(_place(row))
            if known is None and row["text"]:
                known = same_text.get(_words(row))
            row["decision"] = known["decision"] if known else None
            rows[_place(row)] = row
    rows |= {place: row for place, row in decided.items() if place not in rows}
    rows |= {_place(row): row for row in _asked_anew(decided.values(), figure_of) if _place(row) not in rows}
    if rows or before:
        write_jsonl(dataset / REVIEW, map(stamped, rows.values()))
    return list(rows.values())


def _strictest(rows: Iterable[Reviewed], key: Callable[[Reviewed], tuple]) -> dict[tuple, Reviewed]:
    """key -> of the rows that are decided the strictest, as a file that people edit may say two things of one place."""
    found: dict[tuple, Reviewed] = {}
    for row in rows:
        if row["decision"] is None:
            continue
        known = found.setdefault(key(row), row)
        if known["decision"] and _STRICTEST_FIRST.index(row["decision"]) < _STRICTEST_FIRST.index(known["decision"]):
            found[key(row)] = row
    return found


def _asked_anew(decided: Iterable[Reviewed], figure_of: Mapping[str, str]) -> Iterator[Reviewed]:
    """What was dropped or blurred in a picture that is not there, as a question about its figure's picture of now."""
    picture_of = {figure_id: picture for picture, figure_id in figure_of.items()}
    for row in decided:
        now = picture_of.get(row["figure_id"])
        if now and row["picture"] not in figure_of and row["decision"] != "keep":
            yield {**row, "picture": now, "decision": None}


def forget(dataset: Path, pictures: Set[str]) -> None:
    """Take what was found in these pictures, and what was decided of it, out of both files."""
    for name, kind in ((SCREENED, SCREENED_FILE), (REVIEW, REVIEW_FILE)):
        rows = list(kind.rows(dataset / name))
        kept = [row for row in rows if row["picture"] not in pictures]
        if len(kept) < len(rows):
            write_jsonl(dataset / name, map(stamped, kept))


def _place(row: Reviewed) -> tuple:
    return row["picture"], row["kind"], *row["box"]


def _words(row: Reviewed) -> tuple:
    return row["picture"], row["kind"], row["text"]
