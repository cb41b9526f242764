"""Checkpoints of a run: each is marked once it is whole, and only one that still is as it was marked is continued from.

The mark has the size and the CRC-32 of every file of the checkpoint. A kill while it is written leaves no mark, and a
disk that has lost something leaves files that are not as marked: then the run goes on from the one before.
"""

import shutil
import zlib
from pathlib import Path

from transformers import TrainerCallback
from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import write_json
from trust.handovers import Kind, stamped
from trust.weights.checkpoint_files import LINEAGE

COMPLETE = "complete"  # file in a checkpoint's folder
SAVED = "saved.json"  # the same of what a finished run leaves, in its output folder
PATTERN = "checkpoint-*"
DAMAGED = "damaged-"  # before the name of a checkpoint that is put aside
_BLOCK_BYTES = 16 * 2**20


class Mark(TypedDict):
    """The file `complete`, or `saved.json`."""

    files: dict[str, list[int]]  # path in the checkpoint -> size in bytes, CRC-32


MARK_FILE = Kind(Mark, "recipes/sft.py")


class MarkComplete(TrainerCallback):
    """Marks a checkpoint once every process has written its part."""

    def on_save(self, args, state, control, **_):
        args.distributed_state.wait_for_everyone()
        if args.process_index == 0:
            mark_complete(Path(args.output_dir, f"checkpoint-{state.global_step}"))


def mark_complete(checkpoint: Path) -> None:
    """Note size and CRC-32 of each file of a checkpoint that is whole."""
    _mark(checkpoint / COMPLETE, _names(checkpoint))


def mark_saved(output: Path) -> None:
    """Note the same of the weights of a finished run; its lineage comes after. What is text may be mended by hand."""
    _mark(output / SAVED, sorted(path.name for path in output.glob("*.safetensors")))


def _mark(file: Path, names: list[str]) -> None:
    write_json(file, stamped({"files": {name: _print(file.parent / name) for name in names}}))


def check_saved(folder: Path) -> None:
    """Raises ValueError, saying what to do, where the weights of a finished run are not as it left them. A folder of
    before this was noted, or of another program, is let pass."""
    if (folder / SAVED).is_file() and (fault := fault_of(folder, SAVED)) is not None:
        raise ValueError(
            f"{folder} is damaged ({fault}): remove its {LINEAGE} and run its training again, which goes on from the "
            "last checkpoint, or get it again from where it was copied from"
        )


def step_of(checkpoint: Path | str) -> int:
    return int(Path(checkpoint).name.rpartition("-")[2])


def last_whole_checkpoint(output: Path) -> tuple[Path | None, list[str]]:
    """(the newest checkpoint that is as it was marked, what is to be said of newer ones that are not).

    Those are put aside, as `damaged-checkpoint-STEP`, lest they be taken for what the run writes next. One that was
    never written to its end goes: Trainer would count it among the last ones, and delete a whole one in its place.
    """
    said: list[str] = []
    for unfinished in _unmarked(output):
        shutil.rmtree(unfinished)
    for checkpoint in _marked(output):
        fault = fault_of(checkpoint)
        if fault is None:
            return checkpoint, said
        checkpoint.rename(_free_name(checkpoint))
        said.append(f"{checkpoint} is damaged ({fault}): put aside, not gone on from")
    return None, said


def newest_marked(output: Path) -> Path | None:
    """The newest checkpoint that was written to its end."""
    return next(iter(_marked(output)), None)


def _marked(output: Path) -> list[Path]:
    """The checkpoints that were written to their end, the newest first."""
    return sorted((path.parent for path in output.glob(f"{PATTERN}/{COMPLETE}")), key=step_of, reverse=True)


def _unmarked(output: Path) -> list[Path]:
    """The checkpoints that a kill left half written."""
    found = [path for path in output.glob(PATTERN) if path.is_dir() and path.name.rpartition("-")[2].isdigit()]
    return [path for path in found if not (path / COMPLETE).exists()]


def fault_of(checkpoint: Path, mark: str = COMPLETE) -> str | None:
    """What of a marked checkpoint is not as it was marked, or None."""
    try:
        marked = MARK_FILE.read(checkpoint / mark)["files"]
    except (ValueError, OSError) as error:
        return f"its mark cannot be read: {error}"
    for name, noted in marked.items():
        path = checkpoint / name
        if not path.is_file():
            return f"{name} is gone"
        if path.stat().st_size != noted[0] or _print(path) != noted:
            return f"{name} is not as it was written"
    return None if marked else "its mark names no file"


def _free_name(checkpoint: Path) -> Path:
    names = [checkpoint.with_name(f"{DAMAGED}{checkpoint.name}{'-again' * times}") for times in range(100)]
    return next(name for name in names if not name.exists())


def _names(checkpoint: Path) -> list[str]:
    files = (path for path in checkpoint.rglob("*") if path.is_file() and not path.name.startswith(COMPLETE))
    return sorted(path.relative_to(checkpoint).as_posix() for path in files)


def _print(path: Path) -> list[int]:
    """[size in bytes, CRC-32] of a file."""
    check = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            check = zlib.crc32(block, check)
    return [path.stat().st_size, check]
