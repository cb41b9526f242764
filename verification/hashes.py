"""Whether the files are those that were published, by their hashes; of a changed Parquet file which row is another."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import zip_longest

from model_cards.staging import checkpoint, dataset
from model_cards.staging.hashes import HASHES, NAME, Hashes, file_sha256, row_hashes
from verification.report import Check, judged, not_checked
from verification.repository import Repository

_WHAT = "files: those that were published (hashes.json)"
_HASHES = (f"results/{NAME}", f"provenance/{NAME}")
_EDITED = ("README.md", "CHANGELOG.md")  # on the Hub, too
_MANAGED = {"model": checkpoint.MANAGED, "dataset": dataset.MANAGED}


def check_hashes(repository: Repository) -> Check:
    """Every file that hashes.json of the repository names, by its sha256."""
    folder = "results" if repository.type == "model" else "provenance"
    hashes = HASHES.read_if_there(repository.path(f"{folder}/hashes.json"))
    if hashes is None:
        return not_checked(_WHAT, f"there is no {folder}/hashes.json: it was published by an earlier version")
    return judged(_WHAT, _changed(repository, hashes))


def _changed(repository: Repository, hashes: Hashes) -> Iterator[str]:
    yield from (f"{name} is not among the files that were published" for name in _added(repository, hashes))
    for name, sha256 in hashes["files"].items():
        if ".." in name.split("/") or name.startswith("/"):
            yield f"hashes.json names {name!r}, which is no file of the repository"
            continue
        path = repository.path(name)
        if not path.is_file():
            yield f"{name} is gone"
        elif file_sha256(path) != sha256:
            yield f"{name} is not the file that was published{_rows(repository, name, hashes)}"


def _added(repository: Repository, hashes: Hashes) -> list[str]:
    """Files of the kinds that are published, which hashes.json does not name; of other kinds anybody may add some."""
    names = [path.relative_to(repository.folder).as_posix() for path in repository.folder.rglob("*") if path.is_file()]
    managed = [pattern for pattern in _MANAGED[repository.type] if pattern not in _EDITED]
    named = {*hashes["files"], *_EDITED, *_HASHES}
    return sorted(
        name
        for name in names
        if name not in named
        and any(fnmatchcase(name, pattern) and name.count("/") == pattern.count("/") for pattern in managed)
    )


def _rows(repository: Repository, name: str, hashes: Hashes) -> str:
    """ ": row 3 (PMC1/fig1) has changed", where the file has rows whose hashes are known."""
    known = hashes["rows"].get(name)
    if known is None:
        return ""
    now = row_hashes(repository.path(name))
    places = [number for number, pair in enumerate(zip_longest(known, now)) if pair[0] != pair[1]]
    if not places:
        return ": its rows are the same"
    if len(now) != len(known):
        return f": it has {len(now)} rows, not {len(known)}; the first that differs is row {places[0] + 1}"
    ids = _ids(repository, name)
    changed = ", ".join(f"row {number + 1} ({ids[number]})" for number in places[:5])
    return f": {changed} {'has' if len(places) == 1 else 'have'} changed"


def _ids(repository: Repository, name: str) -> list[str | None]:
    import pyarrow.parquet as parquet

    path = repository.path(name)
    there = parquet.read_schema(path).names
    column = next((column for column in ("example_id", "figure_id", "article_id") if column in there), there[0])
    return parquet.read_table(path, columns=[column]).column(0).to_pylist()
