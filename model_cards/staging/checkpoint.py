"""The files of a checkpoint that are published: complete, never a pickle, and the ones that were evaluated."""

import fnmatch
from pathlib import Path

from model_cards.staging.hashes import file_sha256
from trust.weights.checkpoint_files import ALLOWED, check_folder, content_hash, files_of, is_allowed
from trust.weights.safetensors_files import ADAPTER, check_index, check_weights

MANAGED = (  # of the repository's files, those that a publish may delete
    *("README.md", "answers.html", "results/*", "plots/*", "examples/*"),
    *ALLOWED,
    *(f"adapter/{pattern}" for pattern in ALLOWED),
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

    Raises FileNotFoundError when there is no configuration, RefusedError for what is never loaded (`trust/`): no
    safetensors, weights that are cut off or empty or named by an index but absent, links out of the folder, code.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    check_folder(folder)
    files = files_of(folder)
    for name in fnmatch.filter(files, "*.safetensors*"):
        if name.endswith(".json"):
            check_index(files[name], set(files))
        else:
            check_weights(files[name])
    return files


def left_out(folder: Path) -> list[str]:
    """The names of the folder's files that are not published."""
    return [path.name for path in sorted(folder.iterdir()) if path.is_file() and not is_allowed(path.name)]


def is_other_adapter(lineage: dict | None, adapter: Path) -> bool:
    """Whether the checkpoint of this lineage says that another adapter than this one was merged into it."""
    merged = ((lineage or {}).get("merge") or {}).get("adapter_sha256")
    weights = adapter / ADAPTER
    return merged is not None and not (weights.is_file() and file_sha256(weights) == merged)


def check_evaluated(manifest: dict, checkpoint: Path, adapter: Path | None) -> None:
    """Raises ValueError when the run's numbers belong to another checkpoint (known where the run used a folder), or
    that was merged of another adapter (known where `ldrt merge` has noted its hash)."""
    if adapter is not None and is_other_adapter(manifest["lineage"], adapter):
        raise ValueError(
            f"{adapter} is not the adapter that was merged into the evaluated checkpoint (lineage.json: adapter_sha256)"
            ": give that one as --adapter"
        )
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
