"""The part of `provenance/` that a policy permits: text from an article goes where the article's licence lets it."""

import shutil
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow
import pyarrow.parquet as parquet

from model_cards.dataset_folder import all_files, config_files, row_terms
from model_cards.files import to_json
from model_cards.provenance_files import (
    AUDIT,
    CERTIFICATE,
    DATASET_MANIFEST,
    PROVENANCE,
    PROVENANCE_ROWS,
    REBUILD_NAME,
)
from model_cards.reviewing.rows import is_of
from model_cards.staging.rows import CDC, ROWS_A_GROUP
from trust.handovers import Kind
from trust.licenses import Policy, permits

_WHOLE: dict[str, Kind[Any]] = {  # counts and names, no text from an article
    "manifest.json": DATASET_MANIFEST,
    "splits.json": CERTIFICATE,
    "audit.json": AUDIT,
}
# File names and errors, ids and what became of them: no text from an article, and others have to know what is gone.
_WITHOUT_TEXT = ("failed.jsonl", "changelog.jsonl", "retracted.jsonl")

Licenses = dict[str | None, set[str | None]]  # article_id -> the licences of its own figures; None: not stated


def stage_provenance(dataset: Path, folder: Path, policy: Policy, held: Set[str] = frozenset()) -> None:
    """Write what `policy` permits of DATASET/provenance to FOLDER/provenance, the Markdown as one Parquet file.

    Nothing is said of the figures `held`, whose pictures hold personal data, nor what was written from their text.
    """
    source, target = dataset / "provenance", folder / "provenance"
    target.mkdir()
    for name, kind in _WHOLE.items():
        if kind.read_if_there(source / name) is not None:
            shutil.copyfile(source / name, target / name)
    for path in sorted(source.glob("[!.]*.jsonl")):
        if path.name == REBUILD_NAME:  # config `withheld` has of it what is asked for
            continue
        _copy_permitted(path, target / path.name, policy, held)
    _stage_markdown(dataset, target / "markdown.parquet", policy)


def _copy_permitted(source: Path, target: Path, policy: Policy, held: Set[str]) -> None:
    with target.open("w", encoding="utf-8") as file:
        for number, row in enumerate(PROVENANCE.get(source.name, PROVENANCE_ROWS).rows(source), 1):
            if is_of(row, held):
                continue
            if source.name in _WITHOUT_TEXT or permits(policy, *row_terms(row)):
                file.write(to_json(row, f"{source}, line {number}") + "\n")


def _stage_markdown(dataset: Path, target: Path, policy: Policy) -> None:
    """Pack the permitted articles' Markdown into one Parquet file: tens of thousands of small files, sent singly,
    would make the commit larger than the Hub takes.
    """
    licenses = _article_licenses(dataset)
    paths = sorted((dataset / "provenance" / "markdown").glob("[!.]*.md"))
    kept = [path for path in paths if _is_permitted(licenses.get(_article_id(path), {None}), policy)]
    if not kept:
        return
    schema = pyarrow.schema([(name, pyarrow.string()) for name in ("article_id", "license", "markdown")])
    with parquet.ParquetWriter(target, schema, write_page_index=True, use_content_defined_chunking=CDC) as writer:
        for start in range(0, len(kept), ROWS_A_GROUP):
            rows = [_markdown_row(path, licenses) for path in kept[start : start + ROWS_A_GROUP]]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))


def _article_id(path: Path) -> str:
    """`ldrt build` names an article's Markdown by its id, percent-encoded."""
    return unquote(path.stem)


def _is_permitted(licenses: set[str | None], policy: Policy) -> bool:
    """An article's whole text goes only where every licence that its figures state permits it."""
    return all(permits(policy, [license]) for license in licenses)


def _markdown_row(path: Path, licenses: Licenses) -> dict[str, str | None]:
    article_id = _article_id(path)
    stated = sorted(license for license in licenses.get(article_id, ()) if license)
    return {
        "article_id": article_id,
        "license": stated[0] if stated else None,
        "markdown": _text(path),
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 ({error}): remove it and run `ldrt build` again") from error


def _article_licenses(dataset: Path) -> Licenses:
    """Of all figures: kept, rejected and supplementary ones; not of those with rights of their own."""
    licenses: Licenses = {}
    for row in _figure_rows(dataset):
        if row.get("rights"):
            continue
        licenses.setdefault(row.get("article_id"), set()).add(row.get("license"))
    return licenses


def _figure_rows(dataset: Path) -> Iterator[Mapping]:
    """Every figure of the dataset, with at least its `article_id`, `license` and, where it has some, `rights`."""
    for path in all_files(config_files(dataset).get("pairs", {})):
        for batch in parquet.ParquetFile(path).iter_batches(columns=["article_id", "license", "rights"]):
            yield from batch.to_pylist()
    for name in ("rejected.jsonl", "supplementary.jsonl"):
        yield from PROVENANCE[name].rows(dataset / "provenance" / name)
