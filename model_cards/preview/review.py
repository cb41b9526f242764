"""`review.html` of a dataset repo folder: one page to decide on what `ldrt screen` found in the pictures.

    write_review_page(Path("dataset"))

It shows each flagged figure with its findings; a person decides, and downloads review.jsonl. Like the other pages it
holds all it needs and asks no network. It is full of personal data, and `ldrt push` never sends it.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from model_cards.dataset_folder import config_files
from model_cards.files import write_parts
from model_cards.preview.parts import Pictures, parquet_rows, rendered
from model_cards.reviewing.files import REVIEW, REVIEW_FILE, Reviewed
from trust.pictures.opener import UnreadablePicture, open_picture
from trust.pictures.stored import StoredPicture, stored_bytes

PAGE = "review.html"
MAX_FIGURES = 400  # of the page, those not decided first: some 60 megabytes
_PICTURE_PX, _PICTURE_QUALITY = 1100, 75  # longest side, of a JPEG: burned-in print can still be read
_ABOUT = ("figure_id", "label", "caption", "article_id", "title", "journal", "year", "status", "width", "height")


def write_review_page(dataset: Path) -> Path | None:
    """Write DATASET/review.html and return its path; None, and no page, where nothing was found."""
    path = dataset / PAGE
    findings = list(REVIEW_FILE.rows(dataset / REVIEW))
    if not findings:
        path.unlink(missing_ok=True)
        return None
    write_parts(path, _rendered(dataset, findings))
    return path


def _rendered(dataset: Path, findings: list[Reviewed]) -> Iterator[str]:
    shown = _shown_pictures(findings)
    pictures = Pictures()
    rows = [_row(row, findings, pictures) for row in _figures(dataset, shown)]
    rows.sort(key=lambda row: (all(findings[i]["decision"] for i in row["findings"]), str(row["figure_id"])))
    totals = {"undecided": 0, "decided": 0}
    for row in rows:
        totals["decided" if all(findings[i]["decision"] for i in row["findings"]) else "undecided"] += 1
    return rendered("review", {"rows": rows, "totals": totals, "findings": findings}, pictures)


def _shown_pictures(findings: list[Reviewed]) -> set[str]:
    """Which pictures the page shows: those not decided first."""
    pictures = dict.fromkeys(row["picture"] for row in findings if row["decision"] is None)
    pictures |= dict.fromkeys(row["picture"] for row in findings)
    return set(list(pictures)[:MAX_FIGURES])


def _figures(dataset: Path, shown: set[str]):
    """The rows of `pairs` with one of these pictures, each picture once."""
    left = set(shown)
    for paths in config_files(dataset).get("pairs", {}).values():
        for path in paths:
            for row in parquet_rows(path, 0, _numbers(path, left)):
                if row.get("image_sha256") in left:
                    left.discard(row["image_sha256"])
                    yield row


def _numbers(path: Path, pictures: set[str]) -> set[int]:
    """Which rows of the file have one of the pictures."""
    return {number for number, row in enumerate(parquet_rows(path, 0, set())) if row.get("image_sha256") in pictures}


def _row(row: dict, findings: list[Reviewed], pictures: Pictures) -> dict:
    """The figure as the page's script takes it; `findings` are numbers in the list of all."""
    jpeg, problem = _jpeg(row.get("image"))
    shown = {name: row.get(name) for name in _ABOUT}
    shown |= {"picture": pictures.add(jpeg), "picture_problem": problem}
    shown["findings"] = [i for i, one in enumerate(findings) if one["picture"] == row["image_sha256"]]
    return {name: value for name, value in shown.items() if value is not None}


def _jpeg(picture: StoredPicture | None) -> tuple[bytes | None, str | None]:
    """The picture, large enough to be read, or why it cannot be shown."""
    try:
        image = open_picture(stored_bytes(picture))
    except UnreadablePicture as error:
        return None, str(error)
    image.thumbnail((_PICTURE_PX, _PICTURE_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_PICTURE_QUALITY)
    return buffer.getvalue(), None
