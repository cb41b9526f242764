"""The part of `provenance/` that a policy permits: text from an article goes where the article's licence lets it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pyarrow
import pyarrow.parquet as parquet

from model_cards.dataset_folder import all_files, config_files, row_terms
from model_cards.files import read_jsonl
from model_cards.staging.rows import CDC, ROWS_A_GROUP
from trust.licenses import Policy, permits

_WHOLE = ("manifest.json", "splits.json", "audit.json")  # counts and names, no text from an article
_FAILED = "failed.jsonl"  # file names and errors, no text from an article

Licenses = dict[str | None, set[str | None]]  # article_id -> the licences of its own figures; None: not stated


def stage_provenance(dataset: Path, folder: Path, policy: Policy) -> None:
    """Write what `policy` permits of DATASET/provenance to FOLDER/provenance, the Markdown as one Parquet file."""
    source, target = dataset / "provenance", folder / "provenance"
    target.mkdir()
    for name in _WHOLE:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    for path in sorted(source.glob("[!.]*.jsonl")):
        _copy_permitted(path, target / path.name, policy)
    _stage_markdown(dataset, target / "markdown.parquet", policy)


def _copy_permitted(source: Path, target: Path, policy: Policy) -> None:
    with target.open("w", encoding="utf-8") as file:
        for row in read_jsonl(source):
            if source.name == _FAILED or permits(policy, *row_terms(row)):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


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
        "markdown": path.read_text(encoding="utf-8"),
    }


def _article_licenses(dataset: Path) -> Licenses:
    """Of all figures: kept, rejected and supplementary ones; not of those with rights of their own."""
    licenses: Licenses = {}
    for row in _figure_rows(dataset):
        if row.get("rights"):
            continue
        licenses.setdefault(row.get("article_id"), set()).add(row.get("license"))
    return licenses


def _figure_rows(dataset: Path) -> Iterator[dict]:
    """Every figure of the dataset, with at least its `article_id`, `license` and, where it has some, `rights`."""
    for path in all_files(config_files(dataset).get("pairs", {})):
        for batch in parquet.ParquetFile(path).iter_batches(columns=["article_id", "license", "rights"]):
            yield from batch.to_pylist()
    for name in ("rejected.jsonl", "supplementary.jsonl"):
        yield from read_jsonl(dataset / "provenance" / name)
