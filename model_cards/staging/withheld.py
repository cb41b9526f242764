"""Config `withheld`: of figures that a policy keeps back the ids and hashes by which others make them again.

A row of it has no picture and no word of the article: it is a row of provenance/rebuild.jsonl, in the columns of
`SCHEMA` alone. Figures without such a row (of a table of figures, of a dataset built before) are not listed, nor are
those that people held back, or blurred, for personal data in them: nobody is told how to make these again.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
from datasets import Features

from model_cards.dataset_folder import WITHHELD, Splits, terms
from model_cards.provenance_files import REBUILD, REBUILD_NAME
from model_cards.reviewing.review import HELD, Review
from trust.licenses import Policy, permits

_STRING, _FLOAT, _INT = pyarrow.string(), pyarrow.float32(), pyarrow.int32()
_BOX = pyarrow.list_(_FLOAT)


def _structs(*fields: tuple[str, pyarrow.DataType]) -> pyarrow.DataType:
    return pyarrow.list_(pyarrow.struct(fields))


SCHEMA = pyarrow.schema(
    [
        ("figure_id", _STRING),
        ("position", _INT),
        ("label", _STRING),
        ("article_id", _STRING),
        ("pmcid", _STRING),
        ("article_version", _INT),
        ("doi", _STRING),
        ("license", _STRING),
        ("licenses", pyarrow.list_(_STRING)),
        ("has_rights", pyarrow.bool_()),
        ("status", _STRING),
        ("source", _STRING),
        ("source_file", _STRING),
        ("source_sha256", _STRING),
        ("picture_files", _structs(("name", _STRING), ("sha256", _STRING))),
        ("page", _INT),
        ("bbox", _BOX),
        ("dpi", _FLOAT),
        ("panels", _structs(("label", _STRING), ("bbox", _BOX))),
        ("width", _INT),
        ("height", _INT),
        ("image_sha256", _STRING),
        ("pixels_sha256", _STRING),
        ("duplicate_group", _STRING),
        ("hashes", _structs(("column", _STRING), ("sha256", _STRING))),
        ("tool", _STRING),
        ("makers_sha256", _STRING),
    ]
)


@dataclass
class WithheldCounts:
    """How many of the figures that a policy keeps back are listed by their ids, and how many are not."""

    listed: int = 0
    unlisted: int = 0


@dataclass(frozen=True)
class _Place:
    split: str
    position: int  # in the split, among the rows that are published or listed


def stage_withheld(dataset: Path, pairs: Splits, folder: Path, policy: Policy, review: Review | None) -> WithheldCounts:
    """Write FOLDER/withheld/SPLIT-*.parquet for the rows of `pairs` that `policy` keeps back.

    Raises FileNotFoundError where the dataset has no provenance/rebuild.jsonl, ValueError where that is none.
    """
    path = dataset / "provenance" / REBUILD_NAME
    if not path.exists():
        raise FileNotFoundError(f"{path} is absent, and --withheld needs it: run `ldrt build` again")
    private = {one for one, fate in review.fates.items() if fate in (*HELD, "blur")} if review else set()
    listable = {row["figure_id"] for row in REBUILD.rows(path)} - private
    kept_back, unlisted = _kept_back(pairs, policy, listable, review.held if review else set())
    by_split: dict[str, list[dict]] = {}
    for row in REBUILD.rows(path):
        place = kept_back.get(row["figure_id"])
        if place:
            by_split.setdefault(place.split, []).append({**row, "position": place.position})
    for split, rows in by_split.items():
        _write(folder / WITHHELD / f"{split}-00000-of-00001.parquet", rows)
    listed = sum(map(len, by_split.values()))
    return WithheldCounts(listed, unlisted)


def _kept_back(pairs: Splits, policy: Policy, listable: set[str], held: set[str]) -> tuple[dict[str, _Place], int]:
    """figure_id -> place of each row of `pairs` that the policy does not permit and that is `listable`; and how many
    are not. `held` rows are not published, either.
    """
    found: dict[str, _Place] = {}
    unlisted = 0
    for split, paths in pairs.items():
        position = 0
        for path in paths:
            with parquet.ParquetFile(path) as file:
                names = [n for n in ("figure_id", "license", "licenses", "rights") if n in file.schema_arrow.names]
                for batch in file.iter_batches(columns=names):
                    ids = batch.column("figure_id").to_pylist()
                    for figure_id, (licenses, rights) in zip(ids, terms(batch), strict=True):
                        is_permitted = permits(policy, licenses, rights)
                        if not is_permitted and figure_id in listable:
                            found[figure_id] = _Place(split, position)
                        unlisted += not is_permitted and figure_id not in listable
                        position += figure_id in found or (is_permitted and figure_id not in held)
    return found, unlisted


def _write(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(exist_ok=True)
    in_order = sorted(rows, key=lambda row: row["position"])
    schema = Features.from_arrow_schema(SCHEMA).arrow_schema  # the same columns, named as `datasets` names them
    parquet.write_table(pyarrow.Table.from_pylist(in_order, schema), path, write_page_index=True)
