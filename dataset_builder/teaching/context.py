"""What a teacher is given of each figure: the rows of `pairs`, with their own context or, in ablations, another."""

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as parquet

from dataset_builder.files.compact import CompactMap
from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import to_line
from dataset_builder.retracted import read_retracted
from dataset_builder.schema import SPLITS
from dataset_builder.teaching.panels import with_panels
from trust.licenses import combined, in_order, of_row

_CURATED_FORM = '{"figure_id": "…", "context": ["a sentence", …]}'
_ROWS_AT_ONCE = 500  # in memory
_COLUMNS = [
    *("figure_id", "article_id", "caption", "context", "questions", "language", "license", "licenses", "rights"),
    *("panels", "width", "height"),
]
_OF_DONORS = ("figure_id", "context", "license", "licenses")
_OF_BEFORE: dict = {"rights": None, "questions": [], "panels": []}  # columns that older datasets have not


def read_pairs(dataset: Path) -> Iterator[dict]:
    """The rows of `pairs` with `split`, without their pictures, in the order of the files; none of what is on the list
    of `ldrt retract`, whatever the files hold.

    Raises FileNotFoundError where there are none.
    """
    files = [(split, path) for split in SPLITS for path in sorted((dataset / "pairs").glob(f"{split}-*.parquet"))]
    if not files:
        raise FileNotFoundError(f"{dataset} has no config `pairs`; run `ldrt build ARTICLES --output {dataset}` first")
    retracted = read_retracted(dataset)
    for split, path in files:
        for batch in parquet.ParquetFile(path).iter_batches(_ROWS_AT_ONCE, columns=_COLUMNS):
            rows = (row for row in batch.to_pylist() if not retracted.has_row(row))
            yield from (_OF_BEFORE | row | {"split": split} for row in rows)


def count_pairs(dataset: Path) -> int:
    """The figures of `pairs`."""
    return sum(parquet.read_metadata(path).num_rows for path in (dataset / "pairs").glob("*.parquet"))


def read_curated(path: Path) -> dict[str, list[str]]:
    """A curator's context: figure_id -> sentences, of lines {"figure_id": …, "context": [sentence, …]}.

    Raises UsageError for a line that is none, and for a figure named twice.
    """
    curated: dict[str, list[str]] = {}
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            figure_id, sentences = _curated_line(f"{path}, line {number}", line)
            if figure_id in curated:
                raise UsageError(f"{path}, line {number}: {figure_id} has a line already; put its sentences into one")
            curated[figure_id] = sentences
    if not curated:
        raise UsageError(f"{path}: has no line {_CURATED_FORM}")
    return curated


def check_curated(path: Path, curated: Mapping[str, list[str]], rows: Iterable[dict]) -> None:
    """Raises UsageError where the dataset lacks a figure that the curator names, or where none is a training one."""
    splits = {row["figure_id"]: row["split"] for row in rows if row["figure_id"] in curated}
    unknown = [figure_id for figure_id in curated if figure_id not in splits]
    if unknown:
        raise UsageError(
            f"{path}: {len(unknown)} of {len(curated)} figures are not in the dataset; first {unknown[0]!r}"
        )
    if "train" not in splits.values():
        raise UsageError(f"{path}: none of its figures is in the training split, the only one whose context changes")


class Donors:
    """Whose context each training figure is given where contexts are shuffled; they wait on the disk, not in memory.

    A row of another article in the same language; each row that has a context gives it to one other. In a fixed random
    order of articles, every row takes the context as many places further on as the largest article has rows. Rows of a
    language in which one article has more than half of them get none.
    """

    def __init__(self, rows: Iterable[dict], folder: Path):
        """`folder` is where their contexts wait, in a file without a name that ends with the process."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - as long as the donors are asked for
        of_language: dict[str, list[_Place]] = {}
        for row in rows:
            if row["split"] == "train" and row["context"]:
                of_language.setdefault(row["language"] or "", []).append(self._put(row))
        self._places = CompactMap(entry for places in of_language.values() for entry in _shifted(places))

    def of(self, row: Mapping) -> dict | None:
        """The row whose context this one gets: figure_id, context and licences; None: there is none."""
        place = self._places.get(_digest(row["figure_id"]))
        if place is None:
            return None
        self._file.seek(place)
        return json.loads(self._file.readline())

    def _put(self, row: Mapping) -> "_Place":
        place = self._file.tell()
        self._file.write(to_line({name: row[name] for name in _OF_DONORS if name in row}).encode())
        return _Place(_digest(row["article_id"]), row["figure_id"], place)


class GivenRows(Iterable[dict]):
    """The rows of `pairs` as a teacher is given them, read anew each time that they are asked for; see `given_context`.

    `panels`: with a row for each panel that has a caption behind its figure's.
    """

    def __init__(
        self, dataset: Path, context: str, curated: Mapping[str, Sequence[str]] | None = None, panels: bool = False
    ):
        self._dataset, self._context, self._curated, self._panels = dataset, context, curated, panels
        self._donors = Donors(read_pairs(dataset), dataset) if context == "shuffled" else None

    def __iter__(self) -> Iterator[dict]:
        return given_context(self._pairs(), self._context, self._curated, self._donors)

    def without_context(self) -> Iterator[dict]:
        """The same rows, none of a training figure with a context."""
        return given_context(self._pairs(), "none")

    def _pairs(self) -> Iterator[dict]:
        pairs = read_pairs(self._dataset)
        return with_panels(pairs) if self._panels else pairs


def given_context(
    rows: Iterable[dict],
    context: str,
    curated: Mapping[str, Sequence[str]] | None = None,
    donors: Donors | None = None,
) -> Iterator[dict]:
    """Rows with the `context` that the teacher is given and `context_of`, the figure it belongs to (None: no context).

    Their `licenses` are then those of both, and their `license` the one that covers all (`trust.licenses.combined`).
    `context` is own, none or shuffled (by `donors`); figures in `curated` (figure_id -> sentences) have a curator's in
    place of their own. Panels have none. Only training rows change, so that every ablation answers the same held-out
    questions.
    """
    for row in rows:
        donor: dict | None = None if row["questions"] or row.get("panel") else row  # those rest on no context
        if donor and row["split"] == "train" and context != "own":
            donor = donors.of(row) if donors else None
        elif donor and row["split"] == "train" and curated and row["figure_id"] in curated:
            donor = row | {"context": list(curated[row["figure_id"]])}
        if donor is not None and donor["context"]:
            yield _with_context_of(row, donor)
        else:
            yield _under_all(row, of_row(row)) | {"context": [], "context_of": None}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error


def _curated_line(place: str, line: str) -> tuple[str, list[str]]:
    try:
        value = json.loads(line)
        figure_id, sentences = value["figure_id"], value["context"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(f"{place}: is not {_CURATED_FORM}") from error
    texts = [figure_id, *sentences] if isinstance(sentences, list) else [None]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise UsageError(f"{place}: is not {_CURATED_FORM}")
    return figure_id, sentences


def _with_context_of(row: dict, donor: dict) -> dict:
    licensed = _under_all(row, (*of_row(row), *of_row(donor)))
    return licensed | {"context": donor["context"], "context_of": donor["figure_id"]}


def _under_all(row: dict, licenses: Iterable[str | None]) -> dict:
    return row | {"licenses": list(in_order(licenses)), "license": combined(licenses)}


class _Place(NamedTuple):
    """A row with a context, and where it waits."""

    article: bytes  # its digest: the order of articles
    figure_id: str
    place: int  # in bytes


def _shifted(rows: list[_Place]) -> Iterator[tuple[bytes, int]]:
    """(digest of a row's figure_id, place of the row whose context it gets), for the rows of one language."""
    rows.sort()
    largest = max(Counter(row.article for row in rows).values())
    if 2 * largest <= len(rows):
        for number, row in enumerate(rows):
            yield _digest(row.figure_id), rows[(number + largest) % len(rows)].place


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
