"""A dataset as `ldrt push --withheld` published it: its files, opened through the gates of `trust/`, and the rows
of config `withheld`, which say how figures are made again.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow.lib
import pyarrow.parquet as parquet
from pydantic import TypeAdapter, ValidationError

from dataset_builder.assembly.rebuild import Rebuild
from dataset_builder.extraction.units import Layout
from dataset_builder.manifest import MANIFEST_FILE
from dataset_builder.schema import CONFIGS, SPLITS
from trust.dataset_files import check_dataset
from trust.files import inside
from trust.ids import is_doi, pmcid
from trust.places import refuse_commit

WITHHELD = "withheld"
EXAMPLES = tuple(name for name in CONFIGS if name not in ("pairs", "instruct"))  # configs of examples, with own files
PROVENANCE = ("provenance/*.json", "provenance/*.jsonl")
_FILES = (
    *("README.md", "eval.yaml", *PROVENANCE),
    *(f"{config}/*.parquet" for config in ("pairs", WITHHELD, *EXAMPLES)),
)
_ROWS_A_BATCH = 100  # rows with pictures are held in memory by this many


class Withheld(Rebuild):
    """A row of config `withheld`."""

    position: int  # row number in its split, among those that are published or listed


_ROW = TypeAdapter(Withheld)


@dataclass(frozen=True)
class Wanted:
    """A figure to make again."""

    split: str
    row: Withheld

    @property
    def article(self) -> str:
        return self.row["article_id"]


@dataclass(frozen=True)
class Published:
    """Files that were checked before they were opened."""

    name: str
    folder: Path
    commit: str | None  # of the Hub; None for a folder
    wanted: list[Wanted]  # in the order of `pairs`
    layout: Layout  # that PDFs were read with

    def files(self, pattern: str) -> list[Path]:
        """Its own files that a pattern names. Raises RefusedError for a link to something that is not its own."""
        return _own_files(self.folder, self.commit, pattern)

    def pairs(self, split: str) -> Iterator[dict[str, Any]]:
        """The rows of `pairs` with their pictures as stored."""
        for path in self.files(f"pairs/{split}-*.parquet"):
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS_A_BATCH):
                    yield from batch.to_pylist()

    def state(self) -> str:
        """What tells this state of the dataset from another: the commit, or a hash of its files' sizes and times."""
        if self.commit:
            return self.commit
        stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for p in _FILES for path in self.files(p)]
        return hashlib.sha256(repr(stats).encode()).hexdigest()


def open_published(name: str, revision: str | None) -> Published:
    """A dataset by its folder, or by its Hub id at a commit, which is downloaded.

    Raises FileNotFoundError where there is none, or none with config `withheld`; RefusedError for one that names files
    of others; ValueError for a row of `withheld` that is none; OSError where the download breaks off.
    """
    refuse_commit(name, revision)
    commit = check_dataset(name, revision)
    folder = Path(name)
    if not folder.is_dir():
        folder = _download(name, commit)
        commit = folder.name
        check_dataset(str(folder))
    wanted = list(_wanted(folder, commit, name))
    _refuse_twice(name, folder, commit, wanted)
    if not wanted:
        raise FileNotFoundError(
            f"{name} lists no figure without its picture (config `{WITHHELD}`): there is nothing to make again, or "
            "whoever published it did not say `ldrt push --withheld`"
        )
    return Published(name, folder, commit, wanted, _layout(folder))


def _refuse_twice(name: str, folder: Path, commit: str | None, wanted: list[Wanted]) -> None:
    """Raises ValueError for a figure that is listed twice, or listed and published: `pairs` has each once."""
    published = [
        figure_id
        for path in _own_files(folder, commit, "pairs/*.parquet")
        for figure_id in parquet.read_table(path, columns=["figure_id"]).column(0).to_pylist()
    ]
    counts = Counter([*(one.row["figure_id"] for one in wanted), *dict.fromkeys(published)])
    if twice := [figure_id for figure_id, n in counts.items() if n > 1]:
        raise ValueError(
            f"{name} has {twice[0]} twice, in config `{WITHHELD}` or there and in `pairs`: ask whoever published it to "
            "push again"
        )


def _download(name: str, commit: str | None) -> Path:
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, repo_type="dataset", revision=commit, allow_patterns=list(_FILES)))
    except HFValidationError as error:
        raise FileNotFoundError(f"no dataset {name}: give a folder or ORG/NAME") from error
    except LocalEntryNotFoundError as error:
        raise FileNotFoundError(f"{name}: not downloaded before, and the Hub cannot be asked") from error
    except (HfHubHTTPError, httpx.TransportError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise OSError(f"{name}: the download broke off ({reason}): run again, what came is kept") from error


def _own_files(folder: Path, commit: str | None, pattern: str) -> list[Path]:
    blobs = folder.resolve().parent.parent / "blobs" if commit else None
    return [inside(folder, path, blobs) for path in sorted(folder.glob(pattern))]


def _wanted(folder: Path, commit: str | None, name: str) -> Iterator[Wanted]:
    for split in SPLITS:
        rows = [
            row for path in _own_files(folder, commit, f"{WITHHELD}/{split}-*.parquet") for row in _rows(path, name)
        ]
        yield from (Wanted(split, row) for row in sorted(rows, key=lambda row: row["position"]))


def _rows(path: Path, name: str) -> Iterator[Withheld]:
    """The rows of one file. Raises ValueError, naming the row, for what is none."""
    where = f"{name}: {WITHHELD}/{path.name}"
    try:
        rows = parquet.read_table(path).to_pylist()
    except (pyarrow.lib.ArrowException, OSError) as error:
        raise ValueError(f"{where} is no Parquet file: ask whoever published it to push again") from error
    for number, row in enumerate(rows, 1):
        try:
            checked = _checked(_ROW.validate_python(row, strict=True))
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            column = ".".join(map(str, fault["loc"]))
            raise ValueError(f"{where}, row {number}: `{column}`: {fault['msg']}: no row of `{WITHHELD}`") from error
        if not all(map(isfinite, _measures(checked))):
            raise ValueError(f"{where}, row {number}: a box or resolution is no finite number: no row of `{WITHHELD}`")
        yield checked


def _measures(row: Withheld) -> Iterator[float]:
    yield from row["bbox"] or ()
    yield row["dpi"] or 0.0
    for panel in row["panels"]:
        yield from panel["bbox"]


def _checked(row: Withheld) -> Withheld:
    """The row with ids that are some: they are asked for, and printed."""
    ids: Mapping[str, Any] = {
        "pmcid": row["pmcid"] if row["pmcid"] and pmcid(row["pmcid"]) == row["pmcid"] else None,
        "doi": row["doi"] if row["doi"] and is_doi(row["doi"]) else None,
    }
    return {**row, **ids}  # type: ignore[typeddict-item]  # the same keys


def _layout(folder: Path) -> Layout:
    """What found the blocks of a PDF's page when the dataset was built."""
    manifest = MANIFEST_FILE.read_if_there(folder / "provenance" / "manifest.json") or {"stages": {}}
    options = manifest["stages"].get("build", {}).get("options", {})
    return "heron" if options.get("layout") == "heron" else "geometric"
