"""Pictures of public benchmarks, so that no figure that a model is later tested on gets into its training data.

    keys = benchmark_keys(["vqa-rad", "ORG/VQA", "folder/of/SLAKE"], Path("dataset/.work/benchmarks"))

A benchmark is one of those that `dataset_builder/benchmarks/` knows by name, any dataset with pictures on the Hub, or a
folder of picture files, nested at will. Its pictures are compared with the dataset's as those are with each other: by
hash and perceptual hash.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PIL import Image

from dataset_builder.articles.kinds import PICTURE_SUFFIXES
from dataset_builder.assembly.duplicates import FigureKey
from dataset_builder.benchmarks.benchmark import names, read_benchmark
from dataset_builder.benchmarks.source import Pictures, all_pictures, pictures_of
from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl
from dataset_builder.readers.pictures.images import measure
from trust.pictures.encoding import encode
from trust.pictures.opener import UnreadablePicture, open_picture, open_picture_file
from trust.pictures.stored import StoredPicture, stored_bytes

_HASHED = "of what a dataset would hold"  # which bytes `image_sha256` is of: part of the key of what stays in the cache
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_PREFIX = "benchmark:"  # of the ids of a benchmark's pictures; no article has it


def benchmark_keys(benchmarks: list[str], cache: Path) -> list[FigureKey]:
    """The pictures of the benchmarks, as `duplicate_groups` compares them; unreadable ones are left out.

    What was read stays in the folder `cache`; it is read again when a file of a folder is new or has changed, or when
    the Hub has another commit. Raises FileNotFoundError for a benchmark that is not there or holds no picture.
    """
    return [key for name in benchmarks for key in _read(name, cache)]


def public_name(benchmark: str) -> str:
    """As files that are published call it: of a folder its name, as a path is the user's own."""
    return Path(benchmark).resolve().name if Path(benchmark).is_dir() else benchmark


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
    left_out = Counter(name for name in pictures for picture in leaked.values() if picture.startswith(f"{name}/"))
    return {name: {"pictures": n, "figures_left_out": left_out[name]} for name, n in sorted(pictures.items())}


def _without_prefix(name: str) -> str:
    return name.removeprefix(_PREFIX)


def _read(benchmark: str, cache: Path) -> list[FigureKey]:
    if Path(benchmark).exists():
        return _read_folder(Path(benchmark), cache)
    if benchmark in names():
        return _read_rows(benchmark, pictures_of(read_benchmark(benchmark)), cache)
    if _HUB_ID.fullmatch(benchmark):
        return _read_rows(benchmark, all_pictures(benchmark), cache)
    return _read_folder(Path(benchmark), cache)  # which says what is taken


def _read_rows(name: str, rows: Pictures, cache: Path) -> list[FigureKey]:
    pictures = ((str(number), _opened(row["images"])) for number, row in enumerate(rows.pictures))
    return _kept([name, rows.revision, _HASHED], cache, lambda: _rows(name, pictures))


def _read_folder(folder: Path, cache: Path) -> list[FigureKey]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not files:
        raise FileNotFoundError(
            f"no picture in {folder}; --benchmarks takes folders of picture files, Hub ids ORG/NAME and the names "
            f"{', '.join(names())}"
        )
    stats = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    name = folder.resolve().name
    pictures = ((path.relative_to(folder).as_posix(), _opened_file(path)) for path in files)
    return _kept([name, stats, _HASHED], cache, lambda: _rows(name, pictures))


def _kept(identity: list, cache: Path, make: Callable[[], Iterator[dict]]) -> list[FigureKey]:
    """The keys that `make` gives, of the cache where the identity is known there."""
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    kept = cache / f"{digest[:32]}.jsonl"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_jsonl(kept, make())
    return [FigureKey(**row) for row in read_jsonl(kept)]


def _opened(picture: StoredPicture | None) -> Image.Image | None:
    try:
        return open_picture(stored_bytes(picture))
    except UnreadablePicture:
        return None


def _opened_file(path: Path) -> Image.Image | None:
    try:
        return open_picture_file(path)
    except UnreadablePicture:
        return None


def _rows(name: str, pictures: Iterable[tuple[str, Image.Image | None]]) -> Iterator[dict]:
    """The readable pictures, each once, as the fields of its `FigureKey`; `pictures` are by their place in it."""
    benchmark = f"{_PREFIX}{name}"
    seen = set()
    for place, picture in pictures:
        if picture is None:
            continue
        measures = measure(picture, encode(picture))
        if measures["image_sha256"] in seen:  # several questions are about one picture
            continue
        seen.add(measures["image_sha256"])
        yield {
            "figure_id": f"{benchmark}/{place}",
            "article_id": benchmark,
            "image_sha256": measures["image_sha256"],
            "phash": measures["phash"],
            "aspect": picture.width / picture.height,
            "caption_sha256": None,
        }
