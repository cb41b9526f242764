"""The pictures of `pairs`, each looked at once, in processes of their own: one that hangs or dies harms no other."""

import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from pebble import ProcessExpired

from dataset_builder.files.isolated import Processes
from dataset_builder.files.progress import progress
from dataset_builder.screening.faces import FaceFinder
from dataset_builder.screening.ledger import Finding, ScreenedPicture, as_finding, note_screened
from dataset_builder.screening.ocr import TextReader
from dataset_builder.screening.rules import personal
from trust.pictures.opener import UnreadablePicture, open_picture
from trust.pictures.stored import stored_bytes

_ROWS_A_BATCH = 50  # rows with pictures are held in memory by this many
_PICTURES_A_PROCESS = 2000


@dataclass(frozen=True)
class Screening:
    """How pictures are looked at."""

    text_version: str
    face_model: Path | None
    face_version: str | None
    workers: int
    timeout_s: float  # for one picture

    def has_seen(self, row: ScreenedPicture | None) -> bool:
        """Whether a picture was looked at in this way, or in more: faces that were looked for stay looked for."""
        if row is None or row["problem"] is not None or row["text_version"] != self.text_version:
            return False
        return self.face_version in (None, row["face_version"])


def figure_ids(dataset: Path) -> dict[str, str]:
    """Picture (column `image_sha256`) -> figure_id of the first figure that shows it."""
    found: dict[str, str] = {}
    for path in sorted((dataset / "pairs").glob("*.parquet")):
        _check_columns(path)
        for row in parquet.read_table(path, columns=["image_sha256", "figure_id"]).to_pylist():
            found.setdefault(row["image_sha256"], row["figure_id"])
    return found


def _check_columns(path: Path) -> None:
    """Raises ValueError for a file whose rows do not say which picture they have."""
    if absent := {"image", "image_sha256", "figure_id"} - set(parquet.read_schema(path).names):
        raise ValueError(f"{path} has no column {', '.join(sorted(absent))}: make the dataset again with `ldrt build`")


def screen_new(dataset: Path, wanted: set[str], how: Screening) -> int:
    """Look at the pictures `wanted` and note in the ledger what is in them; returns how many could not be looked at."""
    processes = Processes(how.workers, how.timeout_s, _PICTURES_A_PROCESS, _start, (how.face_model,))
    problems = 0
    with (
        contextlib.closing(processes.call_each(_look, _only(dataset, wanted))) as done,
        progress(len(wanted), "pictures", "screen") as bar,
    ):
        for (picture, _), future in done:
            findings, problem = _outcome(future, how)
            note_screened(dataset, [_screened(picture, findings, problem, how)])
            problems += problem is not None
            bar.update()
    return problems


def _only(dataset: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """(picture, bytes) of those wanted, each once."""
    left = set(wanted)
    for path in sorted((dataset / "pairs").glob("*.parquet")):
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(_ROWS_A_BATCH, columns=["figure_id", "image", "image_sha256"]):
                for row in batch.to_pylist():
                    if row["image_sha256"] in left:
                        left.remove(row["image_sha256"])
                        yield row["image_sha256"], _bytes(row)


def _bytes(row: dict[str, Any]) -> bytes:
    """Raises UnreadablePicture, with the figure's id, where the picture is not there or is another."""
    try:
        data = stored_bytes(row["image"])
    except UnreadablePicture as error:
        raise UnreadablePicture(f"{row['figure_id']}: {error}") from error
    if hashlib.sha256(data).hexdigest() != row["image_sha256"]:
        raise UnreadablePicture(
            f"{row['figure_id']}: its picture is not the one whose hash is in its row: run `ldrt build` again"
        )
    return data


def _screened(picture: str, findings: list[Finding], problem: str | None, how: Screening) -> ScreenedPicture:
    versions = {"text_version": how.text_version, "face_version": how.face_version}
    return {"picture": picture, **versions, "findings": findings, "problem": problem}  # type: ignore[typeddict-item]


def _outcome(future: Future, how: Screening) -> tuple[list[Finding], str | None]:
    """What was found, or why the picture was not screened."""
    try:
        return future.result(), None
    except UnreadablePicture as error:
        return [], str(error)
    except TimeoutError:
        return [], f"took longer than {how.timeout_s:g} s (--timeout_s)"
    except ProcessExpired as error:
        return [], f"the process died (exit code {error.exitcode})"


# ---- in the processes ----

_text: TextReader
_faces: FaceFinder | None


def _start(face_model: Path | None) -> None:
    global _text, _faces
    _text = TextReader()
    _faces = FaceFinder(face_model) if face_model else None


def _look(named: tuple[str, bytes]) -> list[Finding]:
    image = open_picture(named[1])
    found = personal(_text.lines(image))
    if _faces is not None:
        found += _faces.faces(image)
    return [as_finding(one) for one in found]
