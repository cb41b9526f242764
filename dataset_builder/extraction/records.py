"""What was read from one file, on disk: a folder with `article.json`, `article.md` and, of each figure,
the picture (`figures-0.png`), a thumbnail (`figures-0.thumb.jpg`) and, from a PDF, its page (`figures-0.page.jpg`).

A record is written under a temporary name and renamed, so that it is there whole or not at all.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import NotRequired  # pydantic checks it, also on Python 3.11

from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import write_json
from dataset_builder.readers.article import Article, Figure, PictureFile, Question, TextDamage, Version
from dataset_builder.retracted import TAKEN_DOWN
from trust.handovers import Kind, stamped

_PNG = b"\x89PNG"  # how such a file starts; `encode` makes only PNG and JPEG
_OWN_FILE = ("figures", "supplementary", "markdown", "rejected_captions")  # of an `Article`: not copied as they are
_NOT_IN_JSON = ("picture", "page_thumbnail", "panels")  # of a `Figure`


class PanelRecord(TypedDict):
    """`readers.article.Panel`, as JSON."""

    label: str
    bbox: list[float]  # pixels of the figure's picture: x0, y0, x1, y1
    caption: str | None


class FigureRecord(TypedDict):
    """One figure, and the name of its picture's file in the record's folder; where there is one, also `Measures`."""

    label: str | None
    caption: str | None
    context: list[str]
    image_error: str | None  # why there is no picture
    image_fault: str | None  # the same in one word, see `readers.article.Figure`
    page: int | None  # 1-based, PDF only
    bbox: list[float] | None  # PDF points, origin top left: x0, y0, x1, y1
    panels: list[PanelRecord]
    rights: str | None  # as the figure states them, where they are not the article's
    license: str | None  # SPDX id of its own licence, where it has `rights`
    questions: list[Question]  # that came with it
    image_file: str | None
    picture_files: NotRequired[list[PictureFile]]  # that the picture was made of, where not of the article's own file
    dpi: NotRequired[float | None]  # pixels an inch of the page, PDF only


class CaptionLikeRecord(TypedDict):
    """`readers.article.CaptionLike`, as JSON."""

    label: str
    text: str
    page: int
    reason: str
    confidence: float


class About(TypedDict):
    """What a record says of the file that was read."""

    source: str  # jats | pdf | csv | package
    source_file: str  # relative to the articles folder
    digest: str  # sha256 of the package's content
    file_sha256: NotRequired[str | None]  # of the file itself; None for a package that cannot be opened
    paired: bool  # whether the package has an XML and a PDF
    error: str | None  # why the file could not be read


class Record(About, total=False):
    """`article.json`; what `About` does not have is absent when the file could not be read."""

    pmcid: str | None
    doi: str | None
    title: str | None
    authors: list[str]
    journal: str | None
    year: int | None
    language: str | None  # ISO 639-1
    license: str | None  # SPDX id
    article_type: str | None
    status: str | None  # retracted | concern | corrected
    notices: dict[str, str]  # DOI or PMCID of another article -> its status
    notes: list[str]  # what the reader had to do to the file
    text_damage: TextDamage | None  # of a PDF
    version: Version | None  # of an XML
    figures: list[FigureRecord]
    supplementary: list[FigureRecord]
    rejected_captions: list[CaptionLikeRecord]
    starts: list[int]  # pages on which articles start: several where a PDF holds several


RECORD_FILE = Kind(Record, "ldrt build")


def write_record(folder: Path, article: Article | None, about: About) -> None:
    """Write `article` (None when reading failed) and what is said `about` its file to `folder`.

    Raises OSError when the disk does not take it, ValueError when a text is no valid Unicode.
    """
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    record: dict = {**about}
    if article:
        (partial / "article.md").write_text(article.markdown, encoding="utf-8")
        record |= {name: value for name, value in vars(article).items() if name not in _OWN_FILE}
        record["rejected_captions"] = [asdict(line) for line in article.rejected_captions]
        for kind, figures in (("figures", article.figures), ("supplementary", article.supplementary)):
            record[kind] = [_write_figure(partial, f"{kind}-{i}", figure) for i, figure in enumerate(figures)]
    write_json(partial / "article.json", stamped(record))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def empty_record(folder: Path, record: Record) -> None:
    """Leave a mark in place of the record of a file that was taken down, so that it is not read again: its hash, and
    nothing of its text and pictures."""
    about: About = {
        "source": record["source"],
        "source_file": record["source_file"],
        "digest": record["digest"],
        "paired": record["paired"],
        "error": TAKEN_DOWN,
    }
    write_record(folder, None, about)


def _write_figure(folder: Path, name: str, figure: Figure) -> dict:
    """Write the figure's pictures as `folder`/`name`.*; returns its `FigureRecord`."""
    row = {key: value for key, value in vars(figure).items() if key not in _NOT_IN_JSON}
    row |= {"panels": [asdict(panel) for panel in figure.panels], "image_file": None}
    picture = figure.picture
    if picture is None:
        error, fault = figure.image_error or "no picture found", figure.image_fault or "image_missing"
        return row | {"image_error": error, "image_fault": fault}
    row["image_file"] = name + (".png" if picture.encoded.startswith(_PNG) else ".jpg")
    (folder / row["image_file"]).write_bytes(picture.encoded)
    (folder / f"{name}.thumb.jpg").write_bytes(picture.thumbnail)
    if figure.page_thumbnail:
        (folder / f"{name}.page.jpg").write_bytes(figure.page_thumbnail)
    return row | picture.measures


def is_written(folder: Path) -> bool:
    """Whether the record is there; it is renamed into place, so it is then whole."""
    return (folder / "article.json").is_file()


def read_record(folder: Path) -> Record:
    """The content of `article.json`."""
    return RECORD_FILE.read(folder / "article.json")


def remove_pictures(dataset: Path, image_paths: Iterable[str | None]) -> None:
    """Remove the pictures of single figures, their thumbnails and pages; the records that name them stay."""
    for image_path in filter(None, image_paths):
        picture = dataset / image_path
        for path in picture.parent.glob(f"{picture.stem}.*"):
            path.unlink()
