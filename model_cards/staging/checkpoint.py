"""The files of a checkpoint that are published: complete, never a pickle, and the ones that were evaluated."""

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from model_cards.files import matches

CHECKPOINT = (
    *("*.safetensors", "*.safetensors.index.json", "config.json", "*_config.json", "tokenizer*.json", "*.jinja"),
    *("tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt"),
    *("lineage.json", "trainable.json"),
)
MANAGED = (  # of the repository's files, those that a publish may delete
    *("README.md", "results/*", "plots/*"),
    *CHECKPOINT,
    *(f"adapter/{pattern}" for pattern in CHECKPOINT),
)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
# What `ldrt generate` hashes for the run's `revision` (evaluation/answering/checkpoints.py); a test keeps both alike.
_HASHED = (
    *("*.safetensors", "*config.json", "tokenizer*", "*.jinja", "special_tokens_map.json", "vocab.json", "merges.txt"),
)


def find_checkpoint(given: str | None, run: str, manifest: dict) -> Path:
    """The checkpoint's folder: as `given`, else as the run's manifest names it. Raises FileNotFoundError."""
    named = given or manifest.get("model")
    if named is None or not Path(named).is_dir():
        said = "--checkpoint" if given else f"`model` in {run}/manifest.json"
        raise FileNotFoundError(f"no folder {named} ({said}): give the checkpoint's folder as --checkpoint")
    return Path(named)


def model_files(checkpoint: Path, adapter: Path | None) -> dict[str, Path]:
    """Path in the repository -> file of the checkpoint and, under `adapter/`, of the adapter.

    Raises what `checkpoint_files` raises.
    """
    files = checkpoint_files(checkpoint)
    if adapter is not None:
        files |= {f"adapter/{name}": path for name, path in checkpoint_files(adapter).items()}
    return files


def checkpoint_files(folder: Path) -> dict[str, Path]:
    """File name -> path of what is published of a checkpoint, full or adapter.

    Raises FileNotFoundError when there are no weights as safetensors or no configuration, ValueError when weights are
    cut off, empty or named by the index but absent.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    found = {path.name: path for path in _files(folder) if matches(path.name, CHECKPOINT)}
    weights = [path for name, path in found.items() if name.endswith(".safetensors")]
    if not weights:
        raise FileNotFoundError(_no_weights(folder))
    if "config.json" not in found and "adapter_config.json" not in found:
        raise FileNotFoundError(f"{folder} has no config.json or adapter_config.json: is it a checkpoint?")
    for path in weights:
        check_weights(path)
    for index in folder.glob("*.safetensors.index.json"):
        _check_index(index, found)
    return found


def left_out(folder: Path) -> list[str]:
    """The names of the folder's files that are not published."""
    return [path.name for path in _files(folder) if not matches(path.name, CHECKPOINT)]


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file()]


def _no_weights(folder: Path) -> str:
    pickles = [name for name in left_out(folder) if name.endswith(_PICKLES)]
    beside = f", only pickles ({', '.join(pickles)}), which are never published" if pickles else ""
    return f"{folder} has no weights as *.safetensors{beside}: save the model as safetensors"


def check_weights(path: Path) -> None:
    """Raises ValueError when a safetensors file is cut off or holds an empty tensor (a ZeRO-3 shard saved as is)."""
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise ValueError(f"{path} cannot be read as safetensors ({error}): save the checkpoint again") from error
    if not shapes:
        raise ValueError(f"{path} holds no tensor at all; gather the weights and save again")
    empty = sorted(name for name, shape in shapes.items() if 0 in shape)
    if empty:
        raise ValueError(f"{path}: {empty[0]} is empty; gather the weights and save again")


def _check_index(index: Path, found: dict[str, Path]) -> None:
    """Raises ValueError when the index of sharded weights names a file that is not there."""
    shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    missing = sorted(shards - set(found))
    if missing:
        raise ValueError(f"{index} names {missing[0]}, which is absent: the checkpoint is not complete")


def check_evaluated(manifest: dict, checkpoint: Path, adapter: Path | None) -> None:
    """Raises ValueError when the run's numbers belong to another checkpoint (known where the run used a folder)."""
    revision = str(manifest.get("revision"))
    if not revision.startswith("sha256:"):
        return
    if revision == content_hash(checkpoint):
        return
    if adapter is not None and revision == content_hash(adapter):
        return
    raise ValueError(
        f"{checkpoint} is not the checkpoint that the run evaluated ({manifest.get('model')}, {revision[:15]}…): "
        "give that one as --checkpoint, or evaluate this one"
    )


def content_hash(folder: Path) -> str:
    """What identifies a local checkpoint in a run's manifest: "sha256:" and 64 hex digits over its files."""
    paths = {path for pattern in _HASHED for path in folder.glob(pattern) if path.is_file()}
    digest = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(path.name.encode() + b"\0" + content)
    return f"sha256:{digest.hexdigest()}"
