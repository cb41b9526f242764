"""Pictures of public benchmarks, so that no figure that a model is later tested on gets into its training data.

    keys = benchmark_keys([Path("VQA-RAD")], Path("dataset/.work/benchmarks"))

A benchmark (VQA-RAD, SLAKE, PathVQA, ...) is a folder of picture files, nested at will. Its pictures are compared with
the dataset's as those are with each other: by hash and perceptual hash.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from dataset_builder.articles.packages import PICTURE_SUFFIXES
from dataset_builder.assembly.splits import FigureKey
from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl
from dataset_builder.readers.pictures.images import measure, open_image

_PREFIX = "benchmark:"  # of the ids of a benchmark's pictures; no article has it


def benchmark_keys(folders: list[Path], cache: Path) -> list[FigureKey]:
    """The pictures of the benchmark folders, as `splits.duplicate_groups` compares them; unreadable ones are left out.

    What was read of a folder stays in the folder `cache` and is read again when a file there is new or has changed.
    Raises FileNotFoundError for a folder that is not there or holds no picture.
    """
    return [key for folder in folders for key in _read_folder(folder, cache)]


def benchmark_of(figure_id: str) -> str | None:
    """`folder/path/picture.png` for the id of a benchmark's picture, None for that of a figure."""
    return figure_id.removeprefix(_PREFIX) if figure_id.startswith(_PREFIX) else None


def _read_folder(folder: Path, cache: Path) -> list[FigureKey]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not files:
        raise FileNotFoundError(f"no picture in {folder}; --benchmarks takes folders of picture files")
    stats = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    digest = hashlib.sha256(json.dumps([folder.resolve().name, stats]).encode()).hexdigest()
    kept = cache / f"{digest[:32]}.jsonl"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_jsonl(kept, _rows(folder, files))
    return [FigureKey(**row) for row in read_jsonl(kept)]


def _rows(folder: Path, files: list[Path]) -> Iterator[dict]:
    for path in files:
        try:
            picture = open_image(path)
        except ValueError:
            continue
        measures = measure(picture, path.read_bytes())
        yield {
            "figure_id": f"{_PREFIX}{folder.resolve().name}/{path.relative_to(folder).as_posix()}",
            "article_id": f"{_PREFIX}{folder.resolve().name}",
            "image_sha256": measures["image_sha256"],
            "phash": measures["phash"],
            "aspect": picture.width / picture.height,
            "caption_sha256": None,
        }
