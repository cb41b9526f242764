"""The adapter that is merged: its hash; and what is merged already."""

import hashlib
from pathlib import Path

from typing_extensions import TypedDict

from trust.checkpoints import Checkpoint
from trust.errors import RefusedError
from trust.handovers import Kind
from trust.weights.safetensors_files import ADAPTER

CHECK = "merge.json"  # what was merged and how far the logits are apart; where it is, the checkpoint is whole


class Merge(TypedDict):
    """What is read of merge.json."""

    adapter_sha256: str


MERGE_FILE = Kind(Merge, "ldrt merge … --output {folder}")


def hash_adapter(adapter: Checkpoint) -> str:
    """SHA-256 of the adapter's weights. Raises RefusedError where it is no adapter."""
    if not adapter.is_adapter:
        raise RefusedError(f"{adapter.name} is a whole checkpoint, no adapter: there is nothing to merge")
    with open(adapter.folder / ADAPTER, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_merged(output: Path, adapter_sha256: str) -> bool:
    """Whether `output` is this adapter, merged. Raises ValueError when it holds something else."""
    if not output.exists() or not any(output.iterdir()):
        return False
    check = output / CHECK
    if not check.exists() or MERGE_FILE.read(check)["adapter_sha256"] != adapter_sha256:
        raise ValueError(f"{output} is not empty: choose another --output or remove it")
    return True
