"""What a teacher is given of each figure: the rows of `pairs`, with their own context or, in ablations, another."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as parquet

from dataset_builder.files.errors import UsageError
from dataset_builder.schema import SPLITS
from trust.licenses import combined, in_order, of_row

_CURATED_FORM = '{"figure_id": "…", "context": ["a sentence", …]}'
_ROWS_AT_ONCE = 500  # in memory
_COLUMNS = [
    *("figure_id", "article_id", "caption", "context", "questions", "language", "license", "licenses", "rights"),
    *("panels", "width", "height"),
]
_OF_BEFORE: dict = {"rights": None, "questions": [], "panels": []}  # columns that older datasets have not


def read_pairs(dataset: Path) -> Iterator[dict]:
    """The rows of `pairs` with `split`, without their pictures, in the order of the files.

    Raises FileNotFoundError where there are none.
    """
    files = [(split, path) for split in SPLITS for path in sorted((dataset / "pairs").glob(f"{split}-*.parquet"))]
    if not files:
        raise FileNotFoundError(f"{dataset} has no config `pairs`; run `ldrt build ARTICLES --output {dataset}` first")
    for split, path in files:
        for batch in parquet.ParquetFile(path).iter_batches(_ROWS_AT_ONCE, columns=_COLUMNS):
            yield from (_OF_BEFORE | row | {"split": split} for row in batch.to_pylist())


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


def given_context(
    rows: Iterable[dict], context: str, curated: Mapping[str, Sequence[str]] | None = None
) -> Iterator[dict]:
    """Rows with the `context` that the teacher is given and `context_of`, the figure it belongs to (None: no context).

    Their `licenses` are then those of both, and their `license` the one that covers all (`trust.licenses.combined`).
    `context` is own, none or shuffled; figures in `curated` (figure_id -> sentences) have a curator's in place of their
    own. Panels have none. Only training rows change, so that every ablation answers the same held-out
    questions. Rows are held only where they are shuffled.
    """
    others: dict[str, dict] = {}
    if context == "shuffled":
        rows = list(rows)
        others = _shuffled([row for row in rows if row["split"] == "train"])
    for row in rows:
        donor: dict | None = None if row["questions"] or row.get("panel") else row  # those rest on no context
        if donor and row["split"] == "train" and context != "own":
            donor = others.get(row["figure_id"])
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


def _shuffled(rows: list[dict]) -> dict[str, dict]:
    """figure_id -> a row of another article in the same language; each row that has a context gives it to one other.

    In a fixed random order of articles, every row takes the context as many places further on as the largest article
    has rows. Rows of a language in which one article has more than half of them get none.
    """
    of_language: dict[str, list[dict]] = {}
    for row in rows:
        if row["context"]:
            of_language.setdefault(row["language"] or "", []).append(row)
    donors: dict[str, dict] = {}
    for of_it in of_language.values():
        of_it.sort(key=lambda row: (hashlib.sha256(row["article_id"].encode()).hexdigest(), row["figure_id"]))
        largest = max(Counter(row["article_id"] for row in of_it).values())
        if 2 * largest <= len(of_it):
            further = of_it[largest:] + of_it[:largest]
            donors |= {row["figure_id"]: other for row, other in zip(of_it, further, strict=True)}
    return donors
