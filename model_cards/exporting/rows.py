"""The rows of a dataset that a policy permits, as they are exported: what an exported file says of each."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

from model_cards.dataset_folder import INSTRUCT, SPLITS, Splits, all_files, config_files, row_terms
from trust.errors import UsageError
from trust.licenses import Policy, permits
from trust.pictures.stored import StoredPicture
from trust.text import clean, cleaned

CONVERSATIONS = ("align", "detail", "reasoning")
PREFERENCE = "preference"
ANSWERS = ("completion", "chosen", "rejected")  # columns that a row has one or two of
_TEXT, _PICTURE = pyarrow.string(), pyarrow.struct({"bytes": pyarrow.binary()})
_MESSAGES = pyarrow.list_(pyarrow.struct({"role": _TEXT, "content": _TEXT}))
# The columns without which a row is none.
_PAIR = {"image": _PICTURE, "caption": _TEXT, "context": pyarrow.list_(_TEXT), "figure_id": _TEXT}
_EXAMPLE = {"images": pyarrow.list_(_PICTURE), "prompt": _MESSAGES, "example_id": _TEXT, "figure_id": _TEXT}
_NEEDED = {"pairs": _PAIR, PREFERENCE: _EXAMPLE | dict.fromkeys(("chosen", "rejected"), _MESSAGES)}
_NEEDED |= dict.fromkeys((*CONVERSATIONS, "instruct"), _EXAMPLE | {"completion": _MESSAGES})
ROWS_AT_ONCE = 50  # in memory, with their pictures
# Of a row, beside its picture and its text: from what and on what terms it was made.
_ABOUT = (
    *("example_id", "figure_id", "label", "panel", "article_id", "doi", "title", "journal", "year", "language"),
    *("task", "teacher", "chosen_by", "rejected_by", "license", "licenses", "rights", "attribution"),
)


def chosen_files(
    dataset: Path, configs: Sequence[str], splits: Sequence[str], known: tuple[str, ...]
) -> dict[str, Splits]:
    """Config -> split -> Parquet files, of those asked for; without `configs` or `splits` all that there are.

    `instruct` has the files of `detail` and `reasoning`, as on the Hub. Raises ValueError for a config that is not in
    the dataset or not among those `known` to the format, and for a split that none of the configs has.
    """
    there = config_files(dataset)
    if not there:
        raise FileNotFoundError(
            f"{dataset} is no dataset repo folder (no pairs/train-*.parquet): run `ldrt build` first"
        )
    usable = {name: files for name, files in there.items() if name in known}
    if set(INSTRUCT) & usable.keys():
        usable["instruct"] = _joined([usable[name] for name in INSTRUCT if name in usable])
    wanted = configs or [name for name in usable if name != "instruct"]
    for name in wanted:
        if name not in usable:
            raise UsageError(f"{dataset}: no config {name!r} for this format; there {_are(usable)}")
    found = {name: {s: files for s, files in usable[name].items() if not splits or s in splits} for name in wanted}
    for split in splits:
        if not any(split in of_config for of_config in found.values()):
            there_are = [name for name in SPLITS if any(name in usable[config] for config in wanted)]
            raise UsageError(f"{dataset}: no split {split!r} in {', '.join(wanted)}; there {_are(there_are)}")
    if not wanted:
        raise ValueError(f"{dataset} has no conversations yet: run `ldrt instruct {dataset}` first")
    for name, of_config in found.items():
        for path in all_files(of_config):
            _check_columns(path, _NEEDED[name])
    return {name: of_config for name, of_config in found.items() if of_config}


def _check_columns(path: Path, needed: Mapping[str, pyarrow.DataType]) -> None:
    """Raises ValueError, naming the file, for one without a column that its rows need, or with another kind of it."""
    try:
        there = parquet.read_schema(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise ValueError(f"{path} is no readable Parquet file ({error}): make the dataset again") from error
    cure = "make the dataset again with `ldrt`"
    if absent := needed.keys() - set(there.names):
        raise ValueError(f"{path} has no column {', '.join(sorted(absent))}: {cure}")
    for name, wanted in needed.items():
        if not _fits(there.field(name).type, wanted):
            raise ValueError(f"{path}: column {name} holds {there.field(name).type}, not {wanted}: {cure}")


def _fits(there: pyarrow.DataType, wanted: pyarrow.DataType) -> bool:
    """Whether values of a type can be read as another: further keys of a record are let be, and all may be null."""
    kinds = pyarrow.types
    if kinds.is_null(there):
        return True
    if kinds.is_list(wanted):
        return (kinds.is_list(there) or kinds.is_large_list(there)) and _fits(there.value_type, wanted.value_type)
    if kinds.is_struct(wanted):
        names = {field.name for field in there} if kinds.is_struct(there) else set()
        return all(field.name in names and _fits(there.field(field.name).type, field.type) for field in wanted)
    return there in (wanted, pyarrow.large_string() if kinds.is_string(wanted) else pyarrow.large_binary())


def _joined(parts: list[Splits]) -> Splits:
    joined = {split: [path for part in parts for path in part.get(split, [])] for split in SPLITS}
    return {split: paths for split, paths in joined.items() if paths}


def _are(names: Any) -> str:
    return f"are {', '.join(names)}" if names else "are none"


def rows_of(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """The rows of Parquet files in their order, pictures as they are stored."""
    for path in paths:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                yield from batch.to_pylist()


def is_permitted(row: Mapping[str, Any], policy: Policy) -> bool:
    """Whether the row may be handed on, by the rule of `ldrt push`."""
    return permits(policy, *row_terms(row))


def pictures_of(row: Mapping[str, Any]) -> list[StoredPicture | None]:
    """The row's pictures: of `pairs` one, of a conversation as many as its list has."""
    return row["images"] or [None] if "images" in row else [row["image"]]


class NotExported(ValueError):
    """A row that the format cannot hold, and why."""


def messages_of(row: Mapping[str, Any], column: str) -> list[dict[str, str]]:
    """The messages of one column, [{"role", "content"}, …], without what a tokenizer would take for special tokens.

    Raises `NotExported` for none, and for an answer without a word.
    """
    messages = row[column] or []
    if not messages or any(m is None or not m["role"] for m in messages):
        raise NotExported(f"its {column} is no list of messages")
    if column in ANSWERS and not all((m["content"] or "").strip() for m in messages):
        raise NotExported(f"its {column} is empty")
    return cleaned([{"role": m["role"], "content": m["content"] or ""} for m in messages])


def conversation_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The `messages` of a row; of one of `preference` the question as `messages`, and `chosen` and `rejected`.

    Raises `NotExported` as `messages_of` does.
    """
    asked, answers = messages_of(row, "prompt"), {name: messages_of(row, name) for name in ANSWERS if name in row}
    return {"messages": asked + answers.pop("completion", []), **answers}


def about(row: Mapping[str, Any]) -> dict[str, Any]:
    """Where the row comes from, on what terms and with which credit line, as far as it says."""
    return {name: row.get(name) for name in _ABOUT if name in row}


def text_of_pair(row: Mapping[str, Any]) -> dict[str, Any]:
    """Caption and context of a row of `pairs`, cleaned as messages are."""
    caption = row["caption"]
    return {
        "caption": caption if caption is None else clean(caption),
        "context": [clean(sentence) for sentence in row["context"] or [] if sentence],
    }
