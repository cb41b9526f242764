"""RUN/thumbnails.jsonl: small copies of the pictures asked about, so that a page can show them beside the answers.

The run folder then needs no dataset to be looked at, wherever it is copied to.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from datasets import Dataset

from dataset_builder.files.jsonfiles import write_jsonl
from evaluation.answering.questions import first_picture
from evaluation.run_folder import THUMBNAIL_FILE, Thumbnail
from trust.handovers import stamped
from trust.pictures.encoding import THUMBNAIL_PX, thumbnail
from trust.pictures.opener import UnreadablePicture, open_picture
from trust.pictures.stored import StoredPicture, stored_bytes


def keep_thumbnails(rows: Dataset, example_ids: Iterable[str], path: Path) -> None:
    """Write the pictures of these examples, each picture once; nothing is done where `path` has them all."""
    wanted = set(example_ids)
    there = {example_id for row in THUMBNAIL_FILE.rows(path) for example_id in row["example_ids"]}
    if not wanted <= there:
        write_jsonl(path, map(stamped, _thumbnails(rows, wanted | there)))


def _thumbnails(rows: Dataset, wanted: set[str]) -> Iterator[Thumbnail]:
    for example_ids, picture in _by_picture(rows, wanted):
        try:
            jpeg = thumbnail(open_picture(stored_bytes(picture), near_px=THUMBNAIL_PX))
        except UnreadablePicture as problem:
            yield {"example_ids": example_ids, "jpeg": None, "problem": str(problem)}
        else:
            yield {"example_ids": example_ids, "jpeg": base64.b64encode(jpeg).decode(), "problem": None}


def _by_picture(rows: Dataset, wanted: set[str]) -> Iterator[tuple[list[str], StoredPicture | None]]:
    """Each picture with the examples about it: a figure is asked about more than once. One is in memory at a time."""
    alike: dict[str, list[int]] = {}
    names = rows["example_id"]
    for number, row in enumerate(rows.select_columns("images")):
        if names[number] in wanted:
            alike.setdefault(_fingerprint(first_picture(row)), []).append(number)
    for numbers in alike.values():
        yield [names[number] for number in numbers], first_picture(rows[numbers[0]])


def _fingerprint(picture: StoredPicture | None) -> str:
    content = b"" if picture is None else picture["bytes"] or (picture["path"] or "").encode()
    return hashlib.sha256(content).hexdigest()
