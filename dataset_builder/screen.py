"""`ldrt screen DATASET`: look for personal data in the pictures of a dataset before it is published.

    ldrt screen dataset                                                # text, needs the extra `ocr`
    ldrt screen dataset --face_model face_detection_yunet_2023mar.onnx # and faces

Reads the text that is burned into the pictures of `pairs` and finds what looks like a patient's name, birth date or
record number, an unexplained date, or a hospital; with a model file of OpenCV's YuNet it finds faces. Each finding is
a line of DATASET/review.jsonl; decide on it in DATASET/review.html or in the file: `keep`, `drop` (the figure leaves
every config) or `blur` (the pixels in the box are overwritten). `ldrt push` holds back what is not decided.

Run it again after a rebuild, or when it was interrupted: a picture is looked at once, and decisions stay. What is found
is personal data itself: it is in review.jsonl, review.html and screened.jsonl, and nowhere else.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

if TYPE_CHECKING:
    from dataset_builder.screening.ledger import Reviewed


@dataclass
class Options:
    """Options of `ldrt screen`."""

    dataset: str = field(
        metadata={"help": "dataset folder made by `ldrt build`", "positional": True, "path": "dataset folder"}
    )
    face_model: str | None = field(
        default=None,
        metadata={"help": "OpenCV's face detector YuNet (.onnx); without it no faces are found", "path": "file"},
    )
    workers: Annotated[int, Ge(1)] = field(
        default=os.cpu_count() or 1, metadata={"help": "processes that look at pictures"}
    )
    timeout_s: Annotated[float, Gt(0)] = field(
        default=300.0, metadata={"help": "longest time for one picture, seconds"}
    )


def run(options: Options) -> str:
    """Screen what is new; returns how much was found and how much of it is not decided.

    Raises FileNotFoundError for a folder that is no dataset, UsageError where OCR is not installed, ValueError for a
    face model that is none, or a review.jsonl that is broken.
    """
    # here, as OpenCV and pyarrow take a second and `ldrt screen --help` needs neither
    from dataset_builder.screening.faces import model_version
    from dataset_builder.screening.ledger import read_screened, write_review
    from dataset_builder.screening.ocr import engine_version
    from dataset_builder.screening.rules import VERSION
    from dataset_builder.screening.screening import Screening, figure_ids, screen_new

    dataset = Path(options.dataset)
    if not (dataset / "pairs").is_dir():
        raise FileNotFoundError(f"{dataset} is no dataset repo folder (no pairs): run `ldrt build` first")
    face_model = Path(options.face_model) if options.face_model else None
    text_version = f"rules {VERSION}, {engine_version()}"
    how = Screening(text_version, face_model, model_version(face_model), options.workers, options.timeout_s)
    figure_of = figure_ids(dataset)
    screened = read_screened(dataset)
    new = {picture for picture in figure_of if not how.has_seen(screened.get(picture))}
    problems = screen_new(dataset, new, how) if new else 0
    rows = write_review(dataset, read_screened(dataset), figure_of)
    return _summary(dataset, len(figure_of), len(new), problems, [row for row in rows if row["picture"] in figure_of])


def _summary(dataset: Path, n_pictures: int, n_new: int, problems: int, rows: Sequence["Reviewed"]) -> str:
    """Counts alone: what was found is personal data."""
    kinds = Counter(row["kind"] for row in rows)
    undecided = sum(row["decision"] is None for row in rows)
    flagged = len({row["picture"] for row in rows})
    lines = [f"{n_pictures} pictures, {n_new} of them new, {flagged} flagged"]
    if problems:
        lines.append(f"{problems} could not be screened: {dataset}/screened.jsonl says why")
    if rows:
        lines.append("findings: " + ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())))
        lines.append(f"{undecided} not decided" + f": open {dataset}/review.html" * bool(undecided))
    return "\n".join(lines)
