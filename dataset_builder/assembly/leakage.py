"""Pictures of public benchmarks, so that no figure that a model is later tested on gets into its training data.

    keys = benchmark_keys([Path("VQA-RAD")], Path("dataset/.work/benchmarks"))

A benchmark (VQA-RAD, SLAKE, PathVQA, ...) is a folder of picture files, nested at will. Its pictures are compared with
the dataset's as those are with each other: by hash and perceptual hash.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dataset_builder.articles.kinds import PICTURE_SUFFIXES
from dataset_builder.assembly.duplicates import FigureKey
from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl
from dataset_builder.readers.pictures.images import measure
from trust.pictures.encoding import encode
from trust.pictures.opener import UnreadablePicture, open_picture_file

_HASHED = "of what a dataset would hold"  # which bytes `image_sha256` is of: part of the key of what stays in the cache
_PREFIX = "benchmark:"  # of the ids of a benchmark's pictures; no article has it


def benchmark_keys(folders: list[Path], cache: Path) -> list[FigureKey]:
    """The pictures of the benchmark folders, as `duplicate_groups` compares them; unreadable ones are left out.

    What was read of a folder stays in the folder `cache` and is read again when a file there is new or has changed.
    Raises FileNotFoundError for a folder that is not there or holds no picture.
    """
    return [key for folder in folders for key in _read_folder(folder, cache)]


def leaked_figures(figures: list[FigureKey], known: list[FigureKey], duplicates: dict[str, str]) -> dict[str, str]:
    """figure_id -> `folder/path/picture.png` of a benchmark, for the figures that share a group with a known picture.

    `duplicates` are the groups (figure_id -> group) of the figures and the known pictures together.
    """
    picture_of = {}  # group -> the last of the known pictures in it
    for picture in known:
        if picture.figure_id in duplicates:
            picture_of[duplicates[picture.figure_id]] = _without_prefix(picture.figure_id)
    groups = {figure.figure_id: duplicates.get(figure.figure_id) for figure in figures}
    return {figure_id: picture_of[group] for figure_id, group in groups.items() if group in picture_of}


def benchmark_counts(known: list[FigureKey], leaked: dict[str, str]) -> dict[str, dict[str, int]]:
    """benchmark -> how many pictures it has and how many figures were left out for them."""
    pictures = Counter(_without_prefix(picture.article_id) for picture in known)
    left_out = Counter(picture.split("/")[0] for picture in leaked.values())
    return {name: {"pictures": n, "figures_left_out": left_out[name]} for name, n in sorted(pictures.items())}


def _without_prefix(name: str) -> str:
    return name.removeprefix(_PREFIX)


def _read_folder(folder: Path, cache: Path) -> list[FigureKey]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not files:
        raise FileNotFoundError(f"no picture in {folder}; --benchmarks takes folders of picture files")
    stats = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    digest = hashlib.sha256(json.dumps([folder.resolve().name, stats, _HASHED]).encode()).hexdigest()
    kept = cache / f"{digest[:32]}.jsonl"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_jsonl(kept, _rows(folder, files))
    return [FigureKey(**row) for row in read_jsonl(kept)]


def _rows(folder: Path, files: list[Path]) -> Iterator[dict]:
    """The readable pictures, each as the fields of its `FigureKey`."""
    benchmark = f"{_PREFIX}{folder.resolve().name}"
    for path in files:
        try:
            picture = open_picture_file(path)
        except UnreadablePicture:
            continue
        measures = measure(picture, encode(picture))
        yield {
            "figure_id": f"{benchmark}/{path.relative_to(folder).as_posix()}",
            "article_id": benchmark,
            "image_sha256": measures["image_sha256"],
            "phash": measures["phash"],
            "aspect": picture.width / picture.height,
            "caption_sha256": None,
        }
