"""The adapter that is merged: its hash, the checkpoint it was trained on, its lineage; and what is merged already."""

import hashlib
import json
import shutil
from pathlib import Path

from peft import PeftConfig
from transformers.utils import cached_file

from recipes.training import lineage

CHECK = "merge.json"  # what was merged and how far the logits are apart; where it is, the checkpoint is whole


def hash_adapter(adapter: str) -> str:
    """SHA-256 of the adapter's weights. Raises OSError when there is no adapter."""
    with open(cached_file(adapter, "adapter_model.safetensors"), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_merged(output: Path, adapter_sha256: str) -> bool:
    """Whether `output` is this adapter, merged. Raises ValueError when it holds something else."""
    if not output.exists() or not any(output.iterdir()):
        return False
    check = output / CHECK
    if not check.exists() or json.loads(check.read_text(encoding="utf-8"))["adapter_sha256"] != adapter_sha256:
        raise ValueError(f"{output} is not empty: choose another --output or remove it")
    return True


def find_base(adapter: str, base: str | None) -> tuple[str, str | None]:
    """(checkpoint, revision) that the adapter was trained on, as the adapter names it, or `base`.

    Raises FileNotFoundError where the adapter names a folder that is not here.
    """
    config = PeftConfig.from_pretrained(adapter)
    if base is not None:
        return base, None
    name = config.base_model_name_or_path
    if Path(name).is_absolute() and not Path(name).exists():
        raise FileNotFoundError(f"{adapter} was trained on {name}, which is not here: give it with --base")
    return name, config.revision


def copy_lineage(adapter: str, folder: Path) -> None:
    """Copy the adapter's lineage.json, where it has one."""
    path = cached_file(adapter, lineage.FILE, _raise_exceptions_for_missing_entries=False)
    if path is not None:
        shutil.copyfile(path, folder / lineage.FILE)
