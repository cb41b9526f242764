"""What has become of each figure of a dataset that was screened: clear, kept, blurred, dropped, or not decided."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Literal

import pyarrow.parquet as parquet
from typing_extensions import TypedDict

from model_cards.dataset_folder import all_files, config_files
from model_cards.reviewing.files import (
    REVIEW,
    REVIEW_FILE,
    SCREENED,
    SCREENED_FILE,
    Decision,
    Finding,
    Reviewed,
    ScreenedPicture,
    strictest,
)

Fate = Literal["unscreened", "clear", "keep", "blur", "drop", "undecided"]
HELD: tuple[Fate, ...] = ("drop", "undecided")  # what of a figure's rows is not published
Box = list[float]


class ScreeningCounts(TypedDict):
    """How many figures, for the card; no text and no id"""

    figures: int
    screened: int
    faces: int  # in how many of them faces were looked for
    kinds: dict[str, int]  # kind of finding -> figures with one
    fates: dict[str, int]  # `Fate` -> figures, of those that were flagged


@dataclass(frozen=True)
class Review:
    """What is known of a dataset's pictures. A finding of which review.jsonl says nothing is not decided."""

    picture_of: Mapping[str, str | None]  # figure_id -> sha256 of its picture
    panels_of: Mapping[str, Mapping[str, Box]]  # figure_id -> label -> box in pixels
    screened: Mapping[str, ScreenedPicture]  # picture -> what was found
    reviewed: Mapping[str, list[Reviewed]]  # picture -> its lines in review.jsonl

    @cached_property
    def fates(self) -> dict[str, Fate]:
        """figure_id -> what has become of it."""
        return {figure_id: self._fate(figure_id, picture) for figure_id, picture in self.picture_of.items()}

    @cached_property
    def _decided_of_others(self) -> set[str]:
        """The figures of which another picture, that is nowhere any more, was dropped or blurred."""
        there = set(self.picture_of.values())
        old = (row for picture, rows in self.reviewed.items() if picture not in there for row in rows)
        return {row["figure_id"] for row in old if row["decision"] in ("drop", "blur")}

    @cached_property
    def held(self) -> set[str]:
        """The figures none of whose rows may be published, in no config."""
        return {figure_id for figure_id, fate in self.fates.items() if fate in HELD}

    def boxes(self, figure_id: str) -> list[Box]:
        """The parts of a figure whose pixels must not be published."""
        rows = self.reviewed.get(self.picture_of.get(figure_id) or "", [])
        return [row["box"] for row in rows if row["decision"] == "blur"]

    def digest(self) -> bytes:
        """A hash of all that the review changes of what is published."""
        changes = [sorted(self.held), sorted((one, self.boxes(one)) for one in self.fates if self.boxes(one))]
        return hashlib.sha256(json.dumps(changes).encode()).digest()

    def counts(self) -> ScreeningCounts:
        """For the card."""
        pictures = [picture for picture in self.picture_of.values() if picture]
        looked_at = [row for picture in pictures if (row := self.screened.get(picture)) and row["problem"] is None]
        kinds = Counter(kind for picture in pictures for kind in {one["kind"] for one in self._findings(picture)})
        fates = Counter(fate for fate in self.fates.values() if fate not in ("unscreened", "clear"))
        return {
            "figures": len(self.picture_of),
            "screened": len(looked_at),
            "faces": sum(row["face_version"] is not None for row in looked_at),
            "kinds": dict(sorted(kinds.items())),
            "fates": dict(sorted(fates.items())),
        }

    def _is_screened(self, picture: str | None) -> bool:
        row = self.screened.get(picture or "")
        return row is not None and row["problem"] is None

    def _findings(self, picture: str) -> list[Finding]:
        """What was found in the picture, and what people added; a decision stays where rules changed their mind."""
        found = self.screened[picture]["findings"] if picture in self.screened else []
        return [*found, *self.reviewed.get(picture, [])]

    def _fate(self, figure_id: str, picture: str | None) -> Fate:
        if figure_id in self._decided_of_others and not self.reviewed.get(picture or ""):
            return "undecided"  # the same figure, compressed by another library or changed: `ldrt screen` asks again
        if picture is None or not self._findings(picture):
            return "clear" if self._is_screened(picture) else "unscreened"
        decided: dict[tuple, set[Decision | None]] = {}
        for row in self.reviewed.get(picture, []):
            decided.setdefault(_place(row), set()).add(row["decision"])
        decisions = {strictest(decided.get(_place(finding), ())) for finding in self._findings(picture)}
        if "drop" in decisions:
            return "drop"
        if None in decisions:
            return "undecided"
        return "blur" if "blur" in decisions else "keep"


def _place(finding: Finding | Reviewed) -> tuple:
    return finding["kind"], *finding["box"]


def read_review(dataset: Path) -> Review | None:
    """What `ldrt screen` and people left in the dataset's folder; None where it was never screened.

    Raises ValueError, in one line, for a file that is broken, such as a decision that is none or a box to blur that is
    not in its picture.
    """
    if not (dataset / SCREENED).exists() and not (dataset / REVIEW).exists():
        return None
    picture_of, panels_of, size_of = _figures(dataset)
    reviewed: dict[str, list[Reviewed]] = {}
    for number, row in enumerate(REVIEW_FILE.rows(dataset / REVIEW), 1):
        if row["decision"] == "blur":
            _check_box(row["box"], size_of.get(row["picture"]), f"{dataset / REVIEW}, line {number}")
        reviewed.setdefault(row["picture"], []).append(row)
    screened = {row["picture"]: row for row in SCREENED_FILE.rows(dataset / SCREENED)}
    return Review(picture_of, panels_of, screened, reviewed)


def _check_box(box: Box, size: tuple[int, int] | None, where: str) -> None:
    """Refuse a box that would leave its picture as it is; `size` is None for a picture that is not in the dataset."""
    if len(box) != 4 or not all(map(isfinite, box)) or box[0] >= box[2] or box[1] >= box[3]:
        sides = "left, top, right and bottom in pixels, left < right, top < bottom"
        raise ValueError(f"{where}: `box` {box} to blur is none: give {sides}")
    if size and (box[2] <= 0 or box[3] <= 0 or box[0] >= size[0] or box[1] >= size[1]):
        picture = f"its picture of {size[0]}x{size[1]} pixels"
        raise ValueError(f"{where}: `box` {box} to blur is outside {picture}: nothing would be blurred")


def _figures(
    dataset: Path,
) -> tuple[dict[str, str | None], dict[str, dict[str, Box]], dict[str | None, tuple[int, int]]]:
    """The picture and the panels of each figure, without those of which there are two of a label; sizes of pictures."""
    pictures: dict[str, str | None] = {}
    panels: dict[str, dict[str, Box]] = {}
    sizes: dict[str | None, tuple[int, int]] = {}
    for path in all_files(config_files(dataset).get("pairs", {})):
        wanted = {"figure_id", "image_sha256", "panels", "width", "height"} & set(parquet.read_schema(path).names)
        for row in parquet.read_table(path, columns=sorted(wanted)).to_pylist():
            pictures[row["figure_id"]] = row.get("image_sha256")
            labels = Counter(panel["label"] for panel in row.get("panels") or [])
            of_figure = {panel["label"]: panel["bbox"] for panel in row.get("panels") or []}
            panels[row["figure_id"]] = {label: box for label, box in of_figure.items() if labels[label] == 1}
            if row.get("width") and row.get("height"):
                sizes[row.get("image_sha256")] = row["width"], row["height"]
    return pictures, panels, sizes


def said_of(review: Review | None, dataset: Path) -> list[str]:
    """What who publishes the dataset should know, one line each; none where all is screened and decided."""
    screen = f"run `ldrt screen {dataset}`"
    if review is None:
        return [f"not screened for personal data in its pictures: {screen} first, and decide on what it finds"]
    counts = review.counts()
    lines = []
    if counts["screened"] < counts["figures"]:
        new = counts["figures"] - counts["screened"]
        lines.append(f"{new} of {counts['figures']} figures are not screened for personal data: {screen}")
    if undecided := counts["fates"].get("undecided"):
        lines.append(f"{undecided} figures held back until decided: open {dataset}/review.html")
    if changed := sum(counts["fates"].get(fate, 0) for fate in (*HELD, "blur")):
        lines.append(f"what was pushed before may still hold {changed} of them as they were: `--squash` removes it")
    return lines
