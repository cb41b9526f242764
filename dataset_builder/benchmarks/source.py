"""Where a benchmark's rows are: a folder or the Hub, Parquet, CSV, JSON or pictures in files; pictures as stored."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Image, Value, load_dataset, load_dataset_builder
from datasets.exceptions import DatasetGenerationError

from dataset_builder.benchmarks.benchmark import Benchmark, Columns, named
from dataset_builder.files.configs import why_unopened
from dataset_builder.files.nearest import nearest
from trust.dataset_files import check_dataset
from trust.errors import RefusedError, UsageError
from trust.files import inside
from trust.pictures.stored import StoredPicture
from trust.pictures.zipped import zipped_pictures

_READERS = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "json"}  # of `datasets`, by suffix
_PICTURES = Features({"images": Image(decode=False)})


@dataclass(frozen=True)
class Source:
    """The rows of a benchmark."""

    texts: list[dict[str, Any]]  # without the pictures
    pictures: Dataset  # column `images`: the first of each row, a StoredPicture
    n_pictures: list[int]  # of each row
    revision: str  # Hub commit, or "sha256:" and 64 hex digits of the files read


@dataclass(frozen=True)
class Pictures:
    """All pictures of a benchmark."""

    pictures: Dataset  # column `images`, a StoredPicture; several times where several questions are about it
    revision: str


def pictures_of(benchmark: Benchmark) -> Pictures:
    """Raises as `open_source` does."""
    source = open_source(benchmark)
    return Pictures(source.pictures, source.revision)


def all_pictures(hub_id: str) -> Pictures:
    """The pictures of any dataset on the Hub: of its split `test`, or the only one, and its first column of pictures.

    Raises FileNotFoundError for no dataset there, ValueError for one without such a split or column.
    """
    unknown = Columns(image="", question="", answer="")
    benchmark = Benchmark(name=hub_id, title=hub_id, hub_id=hub_id, split="test", columns=unknown)
    commit = _commit(benchmark)
    files = _files(benchmark, commit)
    rows = _read(benchmark, commit, files)
    column = next((name for name, feature in rows.features.items() if _holds_pictures(feature)), None)
    if column is None:
        raise ValueError(f"{hub_id}: no column of pictures; it has {', '.join(rows.column_names)}")
    found = replace(benchmark, columns=replace(unknown, image=column))
    return Pictures(_pictures(rows, found, commit)[0], _revision(commit, files))


def _holds_pictures(feature: object) -> bool:
    return isinstance(feature, Image) or isinstance(getattr(feature, "feature", None), Image)


def open_source(benchmark: Benchmark) -> Source:
    """The rows of its split. Raises FileNotFoundError for no dataset, ValueError for an absent split or column."""
    commit = _commit(benchmark)
    files = _files(benchmark, commit)
    rows = _without_edges(_read(benchmark, commit, files))
    _check_columns(rows, benchmark)
    columns = [name for name in rows.column_names if name in named(benchmark.columns)]
    texts = list(rows.select_columns(columns))
    pictures, counts = _pictures(rows, benchmark, commit)
    return Source(texts, pictures, counts, _revision(commit, files))


# ---- files


def _commit(benchmark: Benchmark) -> str | None:
    name = benchmark.hub_id
    is_folder = Path(name).is_dir()
    if not is_folder and (Path(name).exists() or name.startswith((".", "/")) or name.count("/") > 1):
        raise FileNotFoundError(f"{name}: no such dataset folder")
    return check_dataset(name, None if is_folder else benchmark.revision)


def _address(benchmark: Benchmark, commit: str | None, file: str) -> str:
    """Path or hf:// address of a file in the benchmark's folder or repository."""
    folder = Path(benchmark.hub_id)
    if folder.is_dir():
        return str(inside(folder, folder / file))
    return f"hf://datasets/{benchmark.hub_id}@{commit or 'main'}/{file}"


def _files(benchmark: Benchmark, commit: str | None) -> list[str]:
    """Paths or hf:// addresses of the split's files."""
    if benchmark.file:
        return [_address(benchmark, commit, benchmark.file)]
    name, split = benchmark.hub_id, benchmark.split
    try:
        builder = load_dataset_builder(name, benchmark.config, revision=commit)
    except (FileNotFoundError, ConnectionError) as error:
        raise FileNotFoundError(f"{name}: no dataset there ({' '.join(str(error).split())})") from error
    except RefusedError:
        raise
    except ValueError as error:
        raise UsageError(f"{name}: {why_unopened(name, benchmark.config, commit, error)}") from error
    files = builder.config.data_files or {}
    if split not in files:
        known = f"{nearest(split, map(str, files))}; it has {', '.join(map(str, files)) or 'none'}"
        raise UsageError(f"{name}: no split {split!r}{known}")
    return sorted(map(str, files[split]))


def _read(benchmark: Benchmark, commit: str | None, files: list[str]) -> Dataset:
    split = benchmark.split
    reader = _READERS.get(Path(files[0]).suffix.lower())
    if reader:
        return load_dataset(reader, data_files={split: files}, split=split)
    return load_dataset(benchmark.hub_id, benchmark.config, split=split, revision=commit)  # pictures in files


def _without_edges(rows: Dataset) -> Dataset:
    """Names of columns without white space at their ends, which CSVs have."""
    wrong = {name: name.strip() for name in rows.column_names if name != name.strip()}
    return rows.rename_columns(wrong) if wrong else rows


def _check_columns(rows: Dataset, benchmark: Benchmark) -> None:
    there = rows.column_names
    for name in (benchmark.columns.image, *named(benchmark.columns)):
        if name not in there:
            raise UsageError(
                f"{benchmark.hub_id}: no column {name!r}{nearest(name, there)}; it has {', '.join(there) or 'none'}"
            )
    for name in named(benchmark.columns):
        if isinstance(rows.features[name], Image):  # which `datasets` would open by itself
            raise UsageError(f"{benchmark.hub_id}: the column {name!r} holds pictures: name one that holds text")


def _revision(commit: str | None, files: list[str]) -> str:
    if commit:
        return commit
    digest = hashlib.sha256()
    for path in files:
        if "://" in path:  # the Hub is out of reach, and what was downloaded before is read
            digest.update(path.encode())
            continue
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"


# ---- pictures


def _pictures(rows: Dataset, benchmark: Benchmark, commit: str | None) -> tuple[Dataset, list[int]]:
    """The first picture of each row, and how many a row has."""
    column = benchmark.columns.image
    feature = rows.features[column]
    one_each = [1] * len(rows)
    if isinstance(feature, Image):
        stored = rows.select_columns([column]).cast_column(column, Image(decode=False))
        return _embedded(stored, column, benchmark), one_each
    if isinstance(feature, dict):  # {"bytes", "path"} of Parquet files that `datasets` has not written
        return _renamed(rows.select_columns([column]), column), one_each
    if isinstance(feature, Value):
        address = _address(benchmark, commit, benchmark.pictures) if benchmark.pictures else None
        return _by_names([str(name) for name in rows[column]], benchmark, address), one_each
    lists = rows.select_columns([column]).cast_column(column, type(feature)(Image(decode=False)))
    counts = [len(row[column] or []) for row in lists]
    return _generated(_first, rows=lists, column=column), counts


def _renamed(rows: Dataset, column: str) -> Dataset:
    return rows if column == "images" else rows.rename_column(column, "images")


def _embedded(rows: Dataset, column: str, benchmark: Benchmark) -> Dataset:
    """Column `images`; pictures that lie in files of the dataset's own folder are read from there."""
    rows = _renamed(rows, column)
    first = rows[0]["images"] if len(rows) else None
    if first is None or first["bytes"] is not None or not Path(benchmark.hub_id).is_dir():
        return rows
    return _by_names([(row["images"] or {}).get("path") or "" for row in rows], benchmark, None)


def _by_names(names: list[str], benchmark: Benchmark, address: str | None) -> Dataset:
    """The pictures of these names: of the ZIP at `address`, or of the dataset's own folder."""
    if address:
        return _generated(_of_zip, names=names, address=address, seen=_seen(Path(address)))
    home = Path(benchmark.hub_id).resolve()
    return _generated(_of_folder, names=names, home=home, seen=[_seen(home / name) for name in names])


def _seen(path: Path) -> tuple[int, int] | None:
    """Size and time of a file, so that one that has changed is not taken from the cache of `datasets`."""
    return (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else None


def _generated(function: Callable[..., Iterator[dict]], **arguments: Any) -> Dataset:
    try:
        return Dataset.from_generator(function, gen_kwargs=arguments, features=_PICTURES)
    except DatasetGenerationError as error:
        raise error.__cause__ or error from None


def _of_zip(names: list[str], address: str, seen: object) -> Iterator[dict[str, StoredPicture]]:
    for picture in zipped_pictures(address, names):
        yield {"images": picture}


def _of_folder(names: list[str], home: Path, seen: object) -> Iterator[dict[str, StoredPicture]]:
    for name in names:
        yield {"images": {"bytes": _own_file(home, name), "path": name}}


def _own_file(home: Path, name: str) -> bytes | None:
    """None for what is no file of the folder: a row may name any file of whoever reads it."""
    path = home / name
    try:
        return inside(home, path).read_bytes() if path.is_relative_to(home) and path.is_file() else None
    except (RefusedError, OSError):
        return None


def _first(rows: Dataset, column: str) -> Iterator[dict[str, StoredPicture | None]]:
    for row in rows:
        yield {"images": row[column][0] if row[column] else None}
