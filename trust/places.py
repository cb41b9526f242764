"""Whether a name that may be a folder's or a Hub repository's is a folder's."""

import os
import re
from pathlib import Path

from trust.errors import UsageError

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"  # one of them makes a folder a checkpoint
MAX_NAME_CHARS = 1_000  # a Hub id has at most 96, a path of files that anybody keeps some hundred
COMMIT = re.compile(r"[0-9a-f]{40}")  # of the Hub
_HUB_ID = re.compile(r"[\w\-.]+/[\w\-.]+")
_DATA = (".parquet", ".json", ".jsonl", ".csv", ".tsv", ".arrow", ".zip", ".tar", ".gz", ".zst")  # files with rows
# Folders that this project's own commands and documentation name; nobody else's repository is meant by `runs/phase1`.
_FOLDER_WORDS = ("runs", "checkpoints", "outputs", "demo", "dataset")


def is_folder(name: str, of: str = "checkpoint") -> bool:
    """Whether a folder of that name is here; `of`: what is looked for. Raises FileNotFoundError for a name that can
    only be a folder's: no ORG/NAME, or one that looks like a path."""
    if len(name) > MAX_NAME_CHARS:
        raise FileNotFoundError(
            f"there is no folder {name[:40]}… ({len(name):,} characters): give a folder or a Hub id"
        )
    if os.path.isdir(name):
        return True
    if os.path.exists(name):
        raise FileNotFoundError(f"{name} is a file: give the {of}'s folder or its Hub id")
    if only_a_folders(name):
        raise FileNotFoundError(f"there is no folder {name}: give the {of}'s folder or its Hub id (ORG/NAME)")
    return False


def is_checkpoint_folder(name: str, of: str = "checkpoint") -> bool:
    """As `is_folder`, and raises FileNotFoundError for a folder that has no model's configuration: that is told here
    before torch is imported."""
    is_here = is_folder(name, of)
    if is_here and not any(os.path.isfile(os.path.join(name, file)) for file in (CONFIG, ADAPTER_CONFIG)):
        raise FileNotFoundError(f"{name}: no checkpoint there (it has no {CONFIG} or {ADAPTER_CONFIG})")
    return is_here


def refuse_commit(name: str | None, revision: str | None, option: str = "revision") -> None:
    """Raises UsageError for a `revision`, given as --OPTION, of a folder or of nothing."""
    if revision and name is None:
        raise UsageError(f"--{option} is a Hub commit of something that is not given: leave it out")
    if revision and os.path.isdir(str(name)):
        raise UsageError(f"{name} is a folder, which has no commits: leave out --{option}")


def check_writable(path: str, label: str) -> None:
    """Raises UsageError where a folder that may not be there yet cannot be written to; `label`: the option's name."""
    above = next(folder for folder in [Path(path), *Path(path).absolute().parents] if folder.exists())
    if above != Path(path) and not above.is_dir():
        raise UsageError(f"{label} {path}: {above} is a file, and nothing can be written below it")
    if not os.access(above, os.W_OK):
        raise UsageError(f"cannot write to {above}; choose another {label}")


def is_dataset_folder(name: str, of: str = "dataset") -> bool:
    """As `is_folder`, and raises FileNotFoundError for a folder without a file that `datasets` reads rows from: that is
    told here before `datasets` is imported."""
    is_here = is_folder(name, of)
    if is_here and not any(file.lower().endswith(_DATA) for _, _, files in os.walk(name) for file in files):
        raise FileNotFoundError(f"{name}: no dataset there (no Parquet, JSON, CSV, Arrow, ZIP or tar file below it)")
    return is_here


def only_a_folders(name: str) -> bool:
    """Whether nobody means a Hub repository by it."""
    owner = name.split("/")[0]
    return not _HUB_ID.fullmatch(name) or owner in (".", "..", *_FOLDER_WORDS) or os.path.isdir(owner)
