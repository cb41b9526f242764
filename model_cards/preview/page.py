"""`preview.html` of a dataset repo folder: one page to look at the figures and at what the filters said of them.

    write_preview(Path("dataset"))

It holds all it needs, asks no network and runs no script but its own: captions, sentences and pictures are data from
strangers. In a folder that `ldrt build` made it shows every figure, kept or rejected, with the page of a PDF; elsewhere
(a dataset from the Hub, or about to be pushed there) the rows of `pairs`, and what `provenance/rejected.jsonl` says.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from model_cards.dataset_folder import config_files
from model_cards.files import read_jsonl, write_parts
from model_cards.preview.parts import (
    Loaded,
    Pictures,
    cut,
    fair_shares,
    load_thumbnail,
    parquet_rows,
    rendered,
)
from trust.markup import is_relative_path
from trust.pictures.opener import picture_size

PAGE_DPI = 36  # of the pictures of pages that `ldrt build` makes
POINTS_PER_INCH = 72
_SHOWN = (
    *(
        "figure_id",
        "label",
        "caption",
        "panels",
        "article_id",
        "title",
        "journal",
        "year",
        "language",
        "license",
        "rights",
    ),
    *("attribution", "article_type", "status", "source", "source_file", "page", "width", "height", "sharpness"),
    *("duplicate_group", "pmcid", "doi", "split", "filter", "value", "threshold"),
)


def write_preview(dataset: Path, max_rows: int = 2000, build: Path | None = None) -> Path:
    """Write DATASET/preview.html and return its path; the same files give the same page.

    Of more than `max_rows` figures a sample is shown, drawn by the hash of their ids, with as many of each verdict as
    there are, up to an equal share. `build` is the folder that `ldrt build` made, where `dataset` holds rows of it: it
    knows where sentences mention a figure. Raises FileNotFoundError when the folder holds no figure.
    """
    path = dataset / "preview.html"
    write_parts(path, _page(dataset, max_rows, build))
    return path


def render_preview(dataset: Path, max_rows: int = 2000, build: Path | None = None) -> str:
    """The page's text; see `write_preview`."""
    return "".join(_page(dataset, max_rows, build))


def _page(dataset: Path, max_rows: int, build: Path | None) -> Iterator[str]:
    """The page in parts."""
    has_build = (dataset / ".work" / "verdicts.jsonl").exists()
    read = _read_build if has_build else _read_published
    totals, chosen = _sample(read(dataset, set()), max_rows)
    if not chosen:
        raise FileNotFoundError(f"{dataset} has no figure to show: run `ldrt build` first")
    pictures = Pictures()
    rows = []
    for number, (row, load) in enumerate(read(dataset, chosen)):
        if number in chosen:
            rows.append(_shown(row, load(), pictures))
    _mark_mentions(rows, (build or dataset) / ".work" / "verdicts.jsonl")
    shown = {"rows": rows, "totals": totals}
    return rendered("preview", shown, pictures, links_examples=(dataset / "examples.html").exists())


def verdict(row: dict) -> str:
    """The row's split when it was kept ("train"), else the filter that rejected it ("min_sharpness")."""
    return row.get("filter") or row.get("split") or "kept"


# ---- where the figures come from


Figure = tuple[dict, Callable[[], Loaded]]  # its row, and what loads its pictures when it is shown


def _read_build(dataset: Path, chosen: set[int]) -> Iterator[Figure]:
    """The figures of the build, from `.work/`; the thumbnails lie beside the pictures."""
    for row in read_jsonl(dataset / ".work" / "verdicts.jsonl"):
        picture = _inside(dataset, row["image_path"])
        row["full"] = row["image_path"] if picture else None
        yield row, partial(_load_beside, picture)


def _inside(dataset: Path, name: str | None) -> Path | None:
    """The file of that name in the dataset's folder; None where there is no name, or it leads out of the folder."""
    path = dataset / name if name and is_relative_path(name) else None
    return path if path and path.resolve().is_relative_to(dataset.resolve()) else None


def _load_beside(picture: Path | None) -> Loaded:
    if picture is None:
        return Loaded()
    return Loaded(_read_if_there(picture.with_suffix(".thumb.jpg")), _read_if_there(picture.with_suffix(".page.jpg")))


def _read_if_there(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _read_published(dataset: Path, chosen: set[int]) -> Iterator[Figure]:
    """The rows of `pairs`, then the rejected ones; pictures are read only of batches with a chosen row."""
    number = 0
    for split, paths in config_files(dataset).get("pairs", {}).items():
        for path in paths:
            for row in parquet_rows(path, number, chosen):
                number += 1
                picture = row.pop("image", None)
                yield row | {"split": split}, partial(load_thumbnail, picture)
    for row in read_jsonl(dataset / "provenance" / "rejected.jsonl"):
        yield row, partial(load_thumbnail, None)


# ---- which figures are shown


def _sample(figures: Iterator[Figure], max_rows: int) -> tuple[Counter[str], set[int]]:
    """How many figures got each verdict, and the numbers of those to show."""
    found: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for number, (row, _) in enumerate(figures):
        drawn = hashlib.sha256(str(row.get("figure_id")).encode()).digest()
        found[verdict(row)].append((drawn, number))
    totals = Counter({name: len(found[name]) for name in sorted(found)})
    shares = fair_shares(totals, max_rows)
    chosen: set[int] = set()
    for name, figures_drawn in found.items():
        chosen.update(number for _, number in sorted(figures_drawn)[: shares[name]])
    return totals, chosen


# ---- what the page is given


def _shown(row: dict, loaded: Loaded, pictures: Pictures) -> dict:
    """The row as the page's script takes it; what is None is left out."""
    shown = {name: row.get(name) for name in _SHOWN} | {"full": row.get("full"), "verdict": verdict(row)}
    shown["context"] = row.get("context") or []
    shown |= {"picture": pictures.add(loaded.thumbnail), "picture_problem": loaded.problem}
    if loaded.page and row.get("bbox"):
        shown |= {"page_picture": pictures.add(loaded.page), "page_box": _share_of_page(row["bbox"], loaded.page)}
    return {name: value for name, value in shown.items() if value is not None}


def _mark_mentions(rows: list[dict], verdicts: Path) -> None:
    """Cut the sentences of each row's context where the build found that they mention the figure.

    Without the build's file `verdicts` nothing is marked.
    """
    shown = {row["figure_id"] for row in rows}
    built = read_jsonl(verdicts) if verdicts.exists() else ()
    mentions = {row["figure_id"]: row.get("mentions") for row in built if row["figure_id"] in shown}
    for row in rows:
        spans = mentions.get(row["figure_id"]) or [[]] * len(row["context"])
        row["context"] = [cut(sentence, found) for sentence, found in zip(row["context"], spans, strict=True)]


def _share_of_page(bbox: list[float], page: bytes) -> list[float]:
    """Left, top, width and height of a box in points as shares of the page."""
    width, height = (side * POINTS_PER_INCH / PAGE_DPI for side in picture_size(page))  # points
    x0, y0, x1, y1 = bbox
    shares = (x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height)
    return [round(share, 4) for share in shares]
