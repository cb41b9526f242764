"""The files of `ldrt screen` as push, card and page read them; what they hold is personal data."""

from collections.abc import Collection
from typing import Literal

from typing_extensions import TypedDict

from trust.handovers import Kind

SCREENED, REVIEW = "screened.jsonl", "review.jsonl"
Decision = Literal["keep", "drop", "blur"]
STRICTEST_FIRST: tuple[Decision, ...] = ("drop", "blur", "keep")  # of several for one place


class Finding(TypedDict):
    """One thing in a picture that looks like a person's."""

    kind: str
    text: str
    box: list[float]  # x0, y0, x1, y1 in pixels of the figure's picture
    score: float


class ScreenedPicture(TypedDict):
    """A line of screened.jsonl; of several of one picture the last counts."""

    picture: str
    face_version: str | None  # None: nobody looked for faces
    findings: list[Finding]
    problem: str | None  # why it could not be screened


class Reviewed(Finding):
    """A line of review.jsonl"""

    picture: str
    figure_id: str
    decision: Decision | None


def strictest(decisions: Collection[Decision | None]) -> Decision | None:
    """What counts of several decisions; None where there is none."""
    return next((one for one in STRICTEST_FIRST if one in decisions), None)


SCREENED_FILE = Kind(ScreenedPicture, "ldrt screen {folder}")
REVIEW_FILE = Kind(Reviewed, "ldrt screen {folder}", is_edited=True)
