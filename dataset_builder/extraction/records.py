"""What was read from one file, on disk: a folder with `article.json`, `article.md` and, of each figure,
the picture (`figures-0.png`), a thumbnail (`figures-0.thumb.jpg`) and, from a PDF, its page (`figures-0.page.jpg`).

A record is written under a temporary name and renamed, so that it is there whole or not at all.
"""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json
from dataset_builder.readers.article import Article, Figure


def write_record(folder: Path, article: Article | None, **about) -> None:
    """Write `article` (None when reading failed) and `about` (JSON values: source_file, digest, error…) to `folder`."""
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    record = dict(about)
    if article:
        (partial / "article.md").write_text(article.markdown, encoding="utf-8")
        columns = {k: v for k, v in vars(article).items() if k not in ("figures", "supplementary", "markdown")}
        record |= columns
        for kind, figures in (("figures", article.figures), ("supplementary", article.supplementary)):
            record[kind] = [_write_figure(partial, f"{kind}-{i}", figure) for i, figure in enumerate(figures)]
    write_json(partial / "article.json", record)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)


def _write_figure(folder: Path, name: str, figure: Figure) -> dict:
    row = {k: v for k, v in vars(figure).items() if k not in ("picture", "page_thumbnail", "panels")}
    row |= {"panels": [asdict(panel) for panel in figure.panels], "image_file": None}
    picture = figure.picture
    if picture is None:
        return row | {"image_error": figure.image_error or "no picture found"}
    row["image_file"] = name + (".png" if picture.encoded.startswith(b"\x89PNG") else ".jpg")
    (folder / row["image_file"]).write_bytes(picture.encoded)
    (folder / f"{name}.thumb.jpg").write_bytes(picture.thumbnail)
    if figure.page_thumbnail:
        (folder / f"{name}.page.jpg").write_bytes(figure.page_thumbnail)
    return row | picture.measures


def is_written(folder: Path) -> bool:
    """Whether the record is there; it is renamed into place, so it is then whole."""
    return (folder / "article.json").is_file()


def read_record(folder: Path) -> dict:
    """The content of `article.json`."""
    return json.loads((folder / "article.json").read_text(encoding="utf-8"))
