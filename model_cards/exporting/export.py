"""An export as a whole: which rows, in which form, into which files, and what was left out."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as parquet
from tqdm import tqdm
from typing_extensions import TypedDict

from model_cards.dataset_folder import CONFIGS, Splits, all_files, config_files
from model_cards.exporting import files
from model_cards.exporting.conversations import Write, llama_factory_info, llava, sharegpt
from model_cards.exporting.rows import (
    CONVERSATIONS,
    PREFERENCE,
    NotExported,
    about,
    conversation_of,
    is_permitted,
    pictures_of,
    rows_of,
    text_of_pair,
)
from model_cards.reviewing.review import Review
from model_cards.reviewing.rows import blurred, is_held
from trust.handovers import Kind, stamped
from trust.licenses import Policy
from trust.pictures.derived import as_file
from trust.pictures.opener import UnreadablePicture
from trust.pictures.stored import StoredPicture

Format = Literal["llava", "sharegpt", "webdataset"]
KNOWN: dict[Format, tuple[str, ...]] = {
    "llava": CONVERSATIONS,
    "sharegpt": (*CONVERSATIONS, PREFERENCE),
    "webdataset": CONFIGS,
}
SETTINGS, LEFT_OUT, CREDITS, INFO = "export.json", "left_out.jsonl", "attribution.jsonl", "dataset_info.json"
DRAFTS = ".drafts"  # in OUTPUT, while it is written
_SHOWN = 5  # rows with a problem, in the command's summary

Item = Callable[[Mapping[str, Any], Write], dict[str, Any]]
ITEMS: dict[Format, Item] = {"llava": llava, "sharegpt": sharegpt}


class Settings(TypedDict):
    """OUTPUT/export.json: what the export was made from, and how. Equal settings give equal bytes."""

    content_sha256: str  # of the Parquet files read
    made_as: str  # one of `Format`
    policy: str
    configs: list[str]
    splits: dict[str, list[str]]  # of each config


SETTINGS_FILE = Kind(Settings, "ldrt export DATASET --output {folder}")
_OPTION = {"content_sha256": "rows", "made_as": "--format", "policy": "--policy", "configs": "--configs"}
_OPTION |= {"splits": "--splits"}


@dataclass
class Export:
    """One run of `ldrt export`: where it writes, and what it has seen so far."""

    output: Path
    drafts: Path
    form: Format
    policy: Policy
    figures: set[str] = field(default_factory=set)  # ids of those that were exported
    problems: list[dict[str, str]] = field(default_factory=list)  # {"row": id, "reason": why it is not exported}
    written: dict[str, int] = field(default_factory=dict)  # file, of several shards their stem -> rows
    n_without_rights: int = 0
    review: Review | None = None  # what people decided of personal data in the pictures
    n_held: int = 0

    def claim(self, settings: Settings) -> None:
        """Write down first what the folder holds: a run that is stopped is gone on with, or refused."""
        path = self.output / SETTINGS
        files.write_text(json.dumps(stamped(settings), indent=1) + "\n", path, self.drafts)

    def write(self, config: str, split: str, paths: list[Path]) -> None:
        """Write one split of one config."""
        stem = f"{config}-{split}"
        rows = self._permitted(tqdm(rows_of(paths), desc=stem, unit="row", disable=None))
        if self.form == "webdataset":
            samples = files.numbered(stem, self._samples(rows))
            self.written[f"{stem}-*.tar"] = files.write_tars(samples, self.output, stem, self.drafts)
        else:
            path = self.output / f"{stem}.json"
            self.written[path.name] = files.write_array(self._items(rows), path, self.drafts)

    def _permitted(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            if not is_permitted(row, self.policy):
                self.n_without_rights += 1
            elif is_held(row, self.review):
                self.n_held += 1
            else:
                yield from self._reviewed(row)

    def _reviewed(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The row with what is to be blurred overwritten; none where its picture cannot be opened for it."""
        try:
            yield blurred(row, self.review) if self.review else row
        except UnreadablePicture as problem:
            self._note(row, problem)

    def _items(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            try:
                item = ITEMS[self.form](row, self._write_pictures)
            except (UnreadablePicture, NotExported) as problem:
                self._note(row, problem)
            else:
                self.figures.add(row["figure_id"])
                yield item

    def _write_pictures(self, pictures: list[StoredPicture | None]) -> list[str]:
        return files.write_pictures(pictures, self.output, self.drafts)

    def _samples(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, bytes]]:
        for row in rows:
            try:
                yield sample(row)
            except (UnreadablePicture, NotExported) as problem:
                self._note(row, problem)
            else:
                self.figures.add(row["figure_id"])

    def _note(self, row: Mapping[str, Any], problem: Exception) -> None:
        self.problems.append({"row": row.get("example_id") or row["figure_id"], "reason": str(problem)})

    def finish(self, pairs: Splits) -> None:
        """Write what goes with the rows: credit lines of their figures, what was left out, LLaMA-Factory's index.

        Raises RuntimeError where no row was exported.
        """
        files.write_lines(self._credits(pairs), self.output / CREDITS, self.drafts)
        files.write_lines(self.problems, self.output / LEFT_OUT, self.drafts)
        if not any(self.written.values()):
            raise RuntimeError(f"no row could be exported: {'; '.join(self._left_out()) or 'there are none'}")
        if self.form == "sharegpt":
            info = llama_factory_info([name for name, n in self.written.items() if n])
            files.write_text(json.dumps(info, indent=1) + "\n", self.output / INFO, self.drafts)

    def _credits(self, pairs: Splits) -> Iterator[dict[str, Any]]:
        for path in all_files(pairs):
            with parquet.ParquetFile(path) as file:
                columns = [name for name in file.schema_arrow.names if name not in ("image", "panels", "questions")]
                for batch in file.iter_batches(columns=columns):
                    yield from (about(row) for row in batch.to_pylist() if row["figure_id"] in self.figures)

    def describe(self) -> str:
        """What was written and what was left out, a line each."""
        return "\n".join([*(f"{name}: {n} rows" for name, n in self.written.items()), *self._left_out()])

    def _left_out(self) -> list[str]:
        lines = []
        if self.n_without_rights:
            lines.append(f"{self.n_without_rights} rows left out: their licences do not permit it ({self.policy})")
        if self.n_held:
            lines.append(f"{self.n_held} rows held back: personal data in their pictures, dropped or not decided")
        lines += [f"left out: {one['row']}: {one['reason']}" for one in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"left out: {len(self.problems) - _SHOWN} more, see {self.output / LEFT_OUT}")
        return lines


def sample(row: Mapping[str, Any]) -> dict[str, bytes]:
    """Suffix -> content of a row's files in a tar: its picture, what it says as JSON, and a caption as text, too.

    Several pictures are `0.png`, `1.png`, …. Raises `UnreadablePicture`, or `NotExported` for a row without messages.
    """
    opened = [as_file(picture) for picture in pictures_of(row)]
    if len(opened) == 1:
        found = {suffix: content for content, suffix in opened}
    else:
        found = {f"{place}.{suffix}": content for place, (content, suffix) in enumerate(opened)}
    says: dict[str, Any] = text_of_pair(row) if "caption" in row else conversation_of(row)
    if says.get("caption") is not None:
        found["txt"] = says["caption"].encode()
    found["json"] = json.dumps({**about(row), **says}, ensure_ascii=False).encode()
    return found


def refuse_other(output: Path, settings: Settings) -> None:
    """Raises ValueError for a folder with other files, or with an export of other rows or under other terms, whose
    files would stay beside the new ones."""
    path = output / SETTINGS
    before = SETTINGS_FILE.read_if_there(path)
    if before is None:
        if output.exists() and any(not one.name.startswith(DRAFTS) for one in output.iterdir()):
            raise ValueError(f"{output} holds other files already: give a new folder as --output")
        return
    changed = [_OPTION[name] for name, value in settings.items() if before.get(name) != value]
    if changed:
        raise ValueError(f"{output} holds an export of other {', '.join(changed)}: give a new folder as --output")


def settings_of(
    chosen: dict[str, Splits], pairs: Splits, form: Format, policy: Policy, review: Review | None
) -> Settings:
    """What decides the bytes of an export of the files `chosen`, with credit lines from `pairs`."""
    return {
        "content_sha256": _content_sha256([*chosen.values(), pairs], review),
        "made_as": form,
        "policy": policy,
        "configs": list(chosen),
        "splits": {config: list(splits) for config, splits in chosen.items()},
    }


def _content_sha256(read: list[Splits], review: Review | None) -> str:
    total = hashlib.sha256()
    for path in sorted({path for splits in read for path in all_files(splits)}):
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    if review:
        total.update(review.digest())
    return total.hexdigest()


def pairs_of(dataset: Path) -> Splits:
    """The files that say whom to credit for a figure."""
    return config_files(dataset).get("pairs", {})
