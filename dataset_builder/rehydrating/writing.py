"""The dataset folder that comes out: the published rows and those made again as one `pairs`, in the order of all.

Beside it lie the published examples (`align`, `detail`, …) and provenance, as they were; and in provenance what
differs, and rebuild.jsonl, by which a second `ldrt push --withheld` lists the same figures again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from dataset_builder.assembly.rebuild import NAME as REBUILD
from dataset_builder.files.jsonfiles import write_json, write_jsonl, write_lines
from dataset_builder.ldrt import write_config
from dataset_builder.manifest import MANIFEST_FILE, write_stage
from dataset_builder.rehydrating.matching import Outcome
from dataset_builder.rehydrating.published import EXAMPLES, PROVENANCE, Published
from dataset_builder.rehydrating.taken_down import LISTS, filter_examples, filter_provenance
from dataset_builder.retracted import Retracted
from dataset_builder.schema import PAIRS, SPLITS
from trust.handovers import stamped
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import stored_bytes

DIFFERENCES = "differences.jsonl"
_NOT_COPIED = (DIFFERENCES, REBUILD, "hashes.json", *LISTS)  # of provenance: of the published files, or taken over
_DONE = "rehydrated.sha256"  # in .work: of what the dataset was last made of
_PACKAGES = ("ldrt-vlm", "datasets", "docling", "imagehash", "lxml", "opencv-python-headless", "pillow", "pypdfium2")


def write_differences(dataset: Path, outcomes: Iterable[Outcome]) -> None:
    """Write provenance/differences.jsonl: every wanted figure that is not just as it was published."""
    (dataset / "provenance").mkdir(parents=True, exist_ok=True)
    found = (outcome.difference() for outcome in outcomes)
    write_jsonl(dataset / "provenance" / DIFFERENCES, (stamped(one) for one in found if one))


def write_dataset(dataset: Path, published: Published, outcomes: Sequence[Outcome], retracted: Retracted) -> int:
    """Write `pairs`, and what was published beside it, without what is `retracted`; returns the number of its rows.

    Nothing is written where it would be the same as last time: examples that were made since stay. Raises
    UnreadablePicture for a published row without its picture.
    """
    made_of, rows = _made_of(published, outcomes), dataset / ".work" / "rows.jsonl"
    done = dataset / ".work" / _DONE
    if not done.exists() or done.read_text() != made_of or not (dataset / "pairs").is_dir():
        done.unlink(missing_ok=True)
        pictures = dataset / ".work" / "pictures"
        every = _rows(published, outcomes, dataset, pictures)
        write_jsonl(rows, (row for row in every if not retracted.has_row(row)))
        write_config(dataset, "pairs", rows)
        shutil.rmtree(pictures, ignore_errors=True)  # they are in `pairs` now
        _copy_beside(published, dataset, retracted)
        recipes = (_recipe(outcome) for outcome in outcomes if outcome.row)
        write_jsonl(dataset / "provenance" / REBUILD, recipes)
        write_lines(done, [made_of])
    _record(dataset, published, outcomes)
    with rows.open("rb") as file:
        return sum(1 for _ in file)


def _made_of(published: Published, outcomes: Sequence[Outcome]) -> str:
    """A hash of the published state and of the rows made again."""
    total = hashlib.sha256(published.state().encode())
    for outcome in outcomes:
        total.update(json.dumps(outcome.row, sort_keys=True).encode())
    return total.hexdigest()


# ---- pairs


def _rows(published: Published, outcomes: Sequence[Outcome], dataset: Path, pictures: Path) -> Iterator[dict]:
    """All rows, each with the file of its picture, split by split in the order of the whole `pairs`."""
    for split in SPLITS:
        there = (_with_picture(row, dataset, pictures) for row in published.pairs(split))
        made = [outcome for outcome in outcomes if outcome.wanted.split == split]
        yield from (_of_pairs(row, split) for row in _in_order(there, made))


def _in_order(there: Iterator[dict], made: Sequence[Outcome]) -> Iterator[dict]:
    """The published rows with the others at their positions; one that could not be made leaves its place empty."""
    position = 0
    for outcome in made:  # in the order of their positions
        for row in islice(there, max(0, outcome.wanted.row["position"] - position)):
            yield row
            position += 1
        if outcome.row:
            yield outcome.row
        position += 1
    yield from there


def _of_pairs(row: dict[str, Any], split: str) -> dict[str, Any]:
    """The columns of `pairs`, null where a published row has none, with the place of the picture."""
    columns = {name: row.get(name) for name in PAIRS if name != "image"}
    return {**columns, "image_path": row["image_path"], "split": split}


def _with_picture(row: dict[str, Any], dataset: Path, pictures: Path) -> dict[str, Any]:
    """A published row, its picture as a file that is called by its hash."""
    try:
        encoded = stored_bytes(row["image"])
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row['figure_id']}: {error}") from error
    name = hashlib.sha256(encoded).hexdigest()
    path = pictures / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded)
    return {**row, "image_path": path.relative_to(dataset).as_posix()}


# ---- what lies beside it


def _copy_beside(published: Published, dataset: Path, retracted: Retracted) -> None:
    """Copy the published provenance, then the examples, without what is `retracted`.

    Examples that are there stay: new `pairs` have taken older ones away, so that these were made of the same `pairs`
    since, or copied before a kill. With them goes the provenance that is there.
    """
    if not any((dataset / config).is_dir() for config in EXAMPLES):
        for path in [*published.files("eval.yaml"), *(path for p in PROVENANCE for path in published.files(p))]:
            if path.name not in _NOT_COPIED:
                _copy_file(path, dataset / path.relative_to(published.folder))
        filter_provenance(dataset, retracted)
    for config in EXAMPLES:
        if not (dataset / config).is_dir():
            files = published.files(f"{config}/*.parquet")
            _copy_folder(files, dataset / config, dataset / ".work" / f"{config}.copied", retracted)


def _copy_file(path: Path, target: Path) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(path, partial)
    os.replace(partial, target)


def _copy_folder(files: list[Path], target: Path, partial: Path, retracted: Retracted) -> None:
    shutil.rmtree(partial, ignore_errors=True)
    if files:
        partial.mkdir()
        for path in files:
            shutil.copyfile(path, partial / path.name)
        filter_examples(partial, retracted)
        if partial.is_dir():  # of a config with no row that stays there is nothing
            os.replace(partial, target)


def _recipe(outcome: Outcome) -> dict[str, Any]:
    """The line of rebuild.jsonl of a row made again: what the published row says, without its position, and the hash of
    the picture as it is here.
    """
    assert outcome.row is not None
    said = {name: value for name, value in outcome.wanted.row.items() if name != "position"}
    return stamped(said | {"image_sha256": outcome.row["image_sha256"]})


def _record(dataset: Path, published: Published, outcomes: Sequence[Outcome]) -> None:
    """Note in the manifest where the rows come from; rows are published anew only when they are pushed anew."""
    path = dataset / "provenance" / "manifest.json"
    manifest = MANIFEST_FILE.read_if_there(path)
    if manifest and manifest["stages"].pop("push", None):
        write_json(path, stamped(manifest))
    made = sum(outcome.row is not None for outcome in outcomes)
    counts = {"listed": len(outcomes), "made": made}
    write_stage(dataset, "rehydrate", _PACKAGES, of=published.name, revision=published.commit, counts=counts)
