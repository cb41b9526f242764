"""Taking articles and figures out of a dataset repo folder, in an order in which a kill at any moment does no harm.

The list comes first: from then on `ldrt build` and `ldrt instruct` leave them out, and the same command goes on where
it was, as every step only takes away what is still there.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dataset_builder.assembly.articles import markdown_name
from dataset_builder.assembly.splits import CERTIFICATE_FILE
from dataset_builder.extraction.records import empty_record, remove_pictures
from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl
from dataset_builder.ldrt import is_current, mark_current
from dataset_builder.manifest import MANIFEST_FILE
from dataset_builder.retracted import FILE, RETRACTED_FILE, Retracted, Retraction, article_of
from dataset_builder.retracting.asked import Known, config_rows
from dataset_builder.retracting.records import records_of, remove_unpacked
from dataset_builder.retracting.rows import filter_config, filter_lines
from dataset_builder.retracting.told import rewrite_certificate, rewrite_manifest, write_changelogs
from dataset_builder.schema import CONFIGS
from dataset_builder.screening.ledger import REVIEW, REVIEW_FILE, forget
from trust.handovers import stamped

_LISTS = (FILE, "changelog.jsonl")  # of provenance/: they say what is gone, and have only ids
_PAGES = ("preview.html", "examples.html", "review.html")


def check(dataset: Path) -> None:
    """Raises ValueError, in one line, where the folder is in use, or keeps what nobody can look into."""
    for lock in (dataset / ".work").glob("push-*.lock"):
        try:
            with FileLock(lock, timeout=0):
                shutil.rmtree(lock.with_name(lock.stem), ignore_errors=True)  # of a push that was killed
        except Timeout as error:
            raise ValueError(f"`ldrt push` is at work in {dataset}: wait for its end, then run this again") from error
    CERTIFICATE_FILE.read_if_there(dataset / "provenance" / "splits.json")  # both are written anew in the end
    MANIFEST_FILE.read_if_there(dataset / "provenance" / "manifest.json")
    under_way = [path for path in (dataset / ".work").glob("*.batches/*") if path.is_file()]
    if under_way:
        raise ValueError(
            f"{under_way[0].parent} has a batch of LLM answers under way: run the `ldrt instruct` that asked for it "
            "again until it is in, or delete that folder (its answers are lost), then run this again"
        )


def with_digests(dataset: Path, known: Known, entry: Retraction) -> Retraction:
    """The entry, with the hashes of the packages that its article was read from."""
    if entry["article_id"] is None:
        return entry
    sources = known.sources.get(entry["article_id"], set())
    found = records_of(dataset, entry["names"], sources).values()
    return {**entry, "digests": sorted({record["digest"] for record in found})}


def put_on_list(dataset: Path, entries: Sequence[Retraction]) -> None:
    """Add the entries to provenance/retracted.jsonl."""
    path = dataset / "provenance" / FILE
    path.parent.mkdir(exist_ok=True)  # a dataset from the Hub may have none
    write_jsonl(path, [*RETRACTED_FILE.rows(path), *map(stamped, entries)])


def take_out(dataset: Path, known: Known, entries: Sequence[Retraction]) -> None:
    """Take out what the entries, which are on the list, name; may be done again at any time."""
    retracted = Retracted.of(RETRACTED_FILE.rows(dataset / "provenance" / FILE))
    current = [config for config in CONFIGS if is_current(dataset, config)]
    borrowed = _examples_from(dataset, retracted)  # ids of examples that were written from its text
    write_changelogs(dataset, entries)
    for page in _PAGES:
        (dataset / page).unlink(missing_ok=True)
    _take_out_records(dataset, known, entries)
    _take_out_lines(dataset, retracted, borrowed)
    forget(dataset, _pictures_of(dataset, retracted))
    for entry in entries:
        article_id = entry["article_id"] or article_of(str(entry["figure_id"]))
        (dataset / "provenance" / "markdown" / markdown_name(article_id)).unlink(missing_ok=True)
    for config in CONFIGS:
        filter_config(dataset / config, retracted.has_row)
    rewrite_certificate(dataset, retracted)
    rewrite_manifest(dataset, retracted)
    for config in current:
        mark_current(dataset, config)


def _examples_from(dataset: Path, retracted: Retracted) -> set[str]:
    """The ids of the examples whose question or answer is from the context of a figure that goes."""
    rows = (row for config in CONFIGS[1:] for row in config_rows(dataset, config))
    return {row["example_id"] for row in rows if row.get("context_of") in retracted.figures}


def _pictures_of(dataset: Path, retracted: Retracted) -> set[str]:
    """The pictures (column `image_sha256`) that no figure which stays has; those of before a rebuild, too."""
    reviewed = REVIEW_FILE.rows(dataset / REVIEW)
    gone = {row["picture"] for row in reviewed if row["figure_id"] in retracted.figures}
    kept: set[str] = set()
    for row in config_rows(dataset, "pairs"):
        (gone if retracted.has_row(row) else kept).add(row.get("image_sha256") or "")
    return gone - kept


def _take_out_records(dataset: Path, known: Known, entries: Sequence[Retraction]) -> None:
    """What the build has read of the articles, and the pictures of figures."""
    for entry in entries:
        if entry["article_id"] is None:
            remove_pictures(dataset, _image_paths(dataset, str(entry["figure_id"])))
            continue
        sources = known.sources.get(entry["article_id"], set())
        for folder, record in records_of(dataset, entry["names"], sources).items():
            empty_record(folder, record)
        remove_unpacked(dataset, sources)


def _image_paths(dataset: Path, figure_id: str) -> Iterator[str]:
    built = read_jsonl(dataset / ".work" / "verdicts.jsonl")
    made_again = (made["row"] for made in read_jsonl(dataset / ".work" / "made.jsonl"))  # by `ldrt rehydrate`
    for row in (*built, *made_again):
        if row["figure_id"] == figure_id and row["image_path"]:
            yield row["image_path"]


def _take_out_lines(dataset: Path, retracted: Retracted, borrowed: set[str]) -> None:
    """The rows of every JSONL file, an LLM's replies too; what a kill has left half written goes whole."""
    work, provenance = dataset / ".work", dataset / "provenance"

    def is_gone(row: Mapping[str, Any]) -> bool:
        return row.get("example_id") in borrowed or retracted.has_row(row)

    for path in (*dataset.glob("*.partial"), *dataset.glob("*/*.partial")):  # in hidden folders, too
        path.unlink()
    for path in (*sorted(work.glob("*.jsonl")), *sorted(provenance.glob("*.jsonl"))):
        if path.name not in _LISTS:
            filter_lines(path, is_gone)
