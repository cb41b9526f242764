"""`provenance/rebuild.jsonl`: what somebody else needs to make a row of `pairs` again from an own copy of its article.

One row a figure: ids, names of files, places and hashes, and nothing of the article's text or picture. `ldrt push
--withheld` publishes those of the figures that may not be published themselves; `ldrt rehydrate` follows them.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from dataset_builder.extraction.makers import makers_digest
from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl
from dataset_builder.readers.article import PictureFile
from trust.handovers import Kind, stamped

NAME = "rebuild.jsonl"
TEXTS = ("label", "caption", "context", "questions", "panels")  # columns that a row made again must have alike
ABOUT = ("rights", "title", "journal", "year", "language", "attribution", "article_type", "notes")  # or it is said
_AS_IN_ROW = (
    *("figure_id", "article_id", "pmcid", "doi", "license", "licenses", "status", "source", "source_file"),
    *("source_sha256", "picture_files", "page", "bbox", "dpi", "width", "height", "image_sha256", "pixels_sha256"),
    "duplicate_group",
)
_MAX_LABEL_CHARS = 32  # of what a label prints: "Supplementary Figure S12A–C" has 27; more is a sentence of the text
_OF_TABLES = "csv"  # the `source` of figures of somebody's own table, whose names tell others nothing
_VERSION_IN_NAME = re.compile(r"(?:^|[/!])PMC[0-9]+\.([0-9]{1,3})(?:\.[a-z]+)?(?=$|/)")  # as PMC's bucket names files


class PanelPlace(TypedDict):
    """A panel without its caption."""

    label: str | None  # None where it is longer than a label
    bbox: list[float]  # pixels of the figure's picture: x0, y0, x1, y1


class ColumnHash(TypedDict):
    """The hash of what a column holds, see `column_hash`."""

    column: str
    sha256: str  # hex


class Rebuild(TypedDict):
    """How a figure is found and made again, and by what one knows that it is the same."""

    figure_id: str
    label: str | None  # as printed; None for none, and for what is longer than a label
    article_id: str
    pmcid: str | None
    article_version: int | None  # in PMC
    doi: str | None
    license: str | None  # these three as in `pairs`, but that `rights` is not quoted
    licenses: list[str | None]
    has_rights: bool
    status: str | None
    source: str  # jats | pdf | jats+pdf
    source_file: str  # relative to the folder that was read
    source_sha256: str  # of that file, hex
    picture_files: list[PictureFile]  # that the picture was made of
    page: int | None  # 1-based, PDF only
    bbox: list[float] | None  # PDF points, origin top left: x0, y0, x1, y1
    dpi: float | None
    panels: list[PanelPlace]
    width: int  # pixels
    height: int  # pixels
    image_sha256: str  # of the finished picture
    pixels_sha256: str  # of its pixels, which another library may compress otherwise
    duplicate_group: str | None
    hashes: list[ColumnHash]
    tool: str  # that made the row: name and version
    makers_sha256: str  # of its code and libraries (`extraction.makers`)


REBUILD_FILE = Kind(Rebuild, "ldrt build")


def write_rebuild(rows: Path, target: Path) -> int:
    """Write `target` from the kept rows of `rows` (.work/rows.jsonl), but for those of tables; returns their number."""
    made_by = {"tool": f"ldrt-vlm {version('ldrt-vlm')}", "makers_sha256": makers_digest()}
    return write_jsonl(target, (stamped(rebuild_of(row) | made_by) for row in _rebuildable(rows)))


def _rebuildable(rows: Path) -> Iterator[Mapping[str, Any]]:
    return (row for row in read_jsonl(rows) if row["source"] != _OF_TABLES and row["source_sha256"])


def rebuild_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The `Rebuild` of a kept row, without what made it."""
    return {
        **{name: row[name] for name in _AS_IN_ROW},
        "label": _short(row["label"]),
        "article_version": row["article_version"] or _version_in(row["source_file"]),
        "has_rights": row["rights"] is not None,
        "panels": [{"label": _short(panel["label"]), "bbox": panel["bbox"]} for panel in row["panels"]],
        "hashes": [{"column": name, "sha256": column_hash(row[name])} for name in (*TEXTS, *ABOUT)],
    }


def column_hash(value: object) -> str:
    """sha256, hex, of a value as JSON: keys sorted, no spaces, letters as they are."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _short(label: str | None) -> str | None:
    return label if label is not None and len(label) <= _MAX_LABEL_CHARS else None


def _version_in(source_file: str) -> int | None:
    """ "a/PMC123.2.xml" and "PMC123.2/article.xml" -> 2."""
    found = _VERSION_IN_NAME.search(source_file)
    return int(found[1]) if found else None
