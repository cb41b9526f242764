"""The one gate for checkpoints: whoever loads one asks here, and loads from the folder that comes back, nothing else.

    start = open_checkpoint("llava-hf/llava-1.5-13b-hf", revision)
    AutoModelForImageTextToText.from_pretrained(start.folder, **LOADING)

A folder that is here wins over a Hub id of the same name. Of a Hub repository the list of files is checked first, and
only what may be opened is downloaded, at one commit.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from trust.errors import RefusedError
from trust.files import MAX_JSON_BYTES
from trust.handovers import Kind
from trust.places import COMMIT, MAX_NAME_CHARS, is_folder, only_a_folders
from trust.weights.checkpoint_files import (
    ADAPTER_CONFIG,
    CONFIG,
    LINEAGE,
    check_folder,
    content_hash,
    is_allowed,
    read_object,
)
from trust.weights.safetensors_files import ADAPTER, INDEX, WEIGHTS, no_weights, weight_names

# How Transformers opens a folder that passed the gate: it has no reason to look anywhere else.
LOADING = {"local_files_only": True, "trust_remote_code": False}
_NOT_NOW = (429, 500, 502, 503, 504)  # HTTP: what was downloaded before will do


class Lineage(TypedDict):
    """lineage.json, as far as another command relies on it; its writer says the rest (recipes/training/lineage.py)."""

    base_model: str
    base_revision: NotRequired[str | None]
    phases: list[dict[str, Any]]


LINEAGE_FILE = Kind(Lineage, "recipes/sft.py --output_dir {folder}", MAX_JSON_BYTES)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose files were checked."""

    name: str  # as it was given: a folder or a Hub id
    folder: Path  # where its files are
    commit: str | None  # of the Hub; None for a folder

    @cached_property
    def revision(self) -> str:
        """The Hub commit, or "sha256:" and 64 hex digits of a folder's content (reads the weights)."""
        return self.commit or content_hash(self.folder)

    @property
    def is_adapter(self) -> bool:
        return (self.folder / ADAPTER_CONFIG).is_file()

    @property
    def lineage(self) -> dict[str, Any] | None:
        """lineage.json of recipes/sft.py, None where there is none. Raises ValueError where it is no lineage."""
        found = LINEAGE_FILE.read_if_there(self.folder / LINEAGE)
        return None if found is None else dict(found)

    def read(self, name: str) -> dict[str, Any] | None:
        """The JSON object in one of its files, None where it has no such file."""
        return read_object(self.folder / name) if (self.folder / name).is_file() else None


def open_checkpoint(name: str, revision: str | None = None, *, with_weights: bool = True) -> Checkpoint:
    """Check a folder, or check and download a Hub repository at `revision`; without weights only what plans need.

    Raises FileNotFoundError where there is no such checkpoint, RefusedError for one that is not to be trusted.
    """
    if is_folder(name):
        check_folder(Path(name), with_weights=with_weights)
        return Checkpoint(name, Path(name), None)
    return _open_from_hub(name, revision, with_weights)


def open_base(adapter: Checkpoint, given: str | None = None, *, with_weights: bool = True) -> Checkpoint:
    """The whole checkpoint that an adapter was trained on: as `given`, else as the adapter names it.

    The adapter may name a folder, which must be the one that its lineage.json has the hash of (without a lineage, only
    a full path is taken: `base` is another folder wherever one stands); or a Hub repository at a commit, as
    recipes/sft.py writes it. Raises FileNotFoundError for one that is neither, RefusedError for another
    checkpoint than the adapter was trained on, and for an adapter in the base's place.
    """
    if given is not None:
        base = open_checkpoint(given, with_weights=with_weights)
    else:
        base = _open_named_base(adapter, with_weights)
    if base.is_adapter:
        itself = "itself" if base.folder.resolve() == adapter.folder.resolve() else f"{base.name}, another adapter,"
        raise RefusedError(
            f"{adapter.name} names {itself} as its base: give the whole checkpoint with `ldrt merge --base`"
        )
    return base


# ---- adapters


def _open_named_base(adapter: Checkpoint, with_weights: bool) -> Checkpoint:
    named = _named_base(adapter)
    if adapter.commit is None and _is_the_bases_folder(named, adapter):
        base = open_checkpoint(named, with_weights=with_weights)
        _check_is_the_one(base, adapter)
        return base
    return _open_from_hub(named, _commit_of_base(adapter, named), with_weights)


def _named_base(adapter: Checkpoint) -> str:
    named = (adapter.read(ADAPTER_CONFIG) or {}).get("base_model_name_or_path")
    if not isinstance(named, str) or not named:
        raise RefusedError(f"{adapter.name} names no base: give the checkpoint with `ldrt merge --base`")
    if len(named) > MAX_NAME_CHARS:
        raise RefusedError(
            f"{adapter.name} names a base of {len(named):,} characters, {named[:40]!r}…: give the checkpoint with "
            "`ldrt merge --base`"
        )
    return named


def _is_the_bases_folder(named: str, adapter: Checkpoint) -> bool:
    """A relative path is a stranger's word for whatever lies there: it is taken where the lineage has a hash for it."""
    return os.path.isdir(named) and (Path(named).is_absolute() or _noted_hash(adapter) is not None)


def _commit_of_base(adapter: Checkpoint, named: str) -> str:
    """The commit that pins the base. A bare name is not enough: `runs/phase1` was a folder to whoever trained on it,
    and on the Hub it belongs to whoever takes it first."""
    lineage = adapter.lineage or {}
    pins = [(adapter.read(ADAPTER_CONFIG) or {}).get("revision")]
    if lineage.get("base_model") == named:
        pins.append(lineage.get("base_revision"))
    for pin in pins:
        if isinstance(pin, str) and COMMIT.fullmatch(pin) and not only_a_folders(named):
            return pin
    here = "a folder here whose hash it does not name" if os.path.isdir(named) else "no folder here"
    raise FileNotFoundError(
        f"{adapter.name} was trained on {named!r}, which is {here}, and names no commit of the Hub: give the base with "
        "`ldrt merge --base`"
    )


def _check_is_the_one(base: Checkpoint, adapter: Checkpoint) -> None:
    """By the hash that recipes/sft.py has noted; adapters of before have none."""
    noted = _noted_hash(adapter)
    if noted is not None and noted != base.revision:
        raise RefusedError(
            f"{base.name} is not the checkpoint that {adapter.name} was trained on (it is "
            f"{base.revision[:15]}…, not {noted[:15]}…): give the right one with `ldrt merge --base`"
        )


def _noted_hash(adapter: Checkpoint) -> str | None:
    """ "sha256:" and the hash of the folder that its last phase started from, None where its lineage has none."""
    phases = (adapter.lineage or {"phases": []})["phases"]
    noted = phases[-1].get("start_revision") if phases else None
    return noted if isinstance(noted, str) and noted.startswith("sha256:") else None


# ---- the Hub


class _OutOfReachError(Exception):
    """The Hub does not answer, or not now."""


def _open_from_hub(name: str, revision: str | None, with_weights: bool) -> Checkpoint:
    """Its small files, then, when these are in order, its weights; what an earlier call got where the Hub is away."""
    try:
        commit, names = _list_files(name, revision)
    except _OutOfReachError as error:
        return _open_cached(name, revision, with_weights, str(error))
    if with_weights:
        _check_listed(name, names)
    small = [file for file in names if is_allowed(file) and not file.endswith(".safetensors")]
    if CONFIG not in small and ADAPTER_CONFIG not in small:
        raise FileNotFoundError(f"{name}: no checkpoint there (it has no {CONFIG} or {ADAPTER_CONFIG})")
    folder = _download(name, revision, small)  # by its name, so that the cache knows later which commit that was
    if folder.name != commit:
        raise OSError(f"{name} has changed on the Hub this moment: run again")
    check_folder(folder, with_weights=False)
    if with_weights:
        _download(name, commit, weight_names(name, names, folder))
        check_folder(folder)
    return Checkpoint(name, folder, commit)


def _open_cached(name: str, revision: str | None, with_weights: bool, reason: str) -> Checkpoint:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    files = [CONFIG, ADAPTER_CONFIG]
    try:
        found = snapshot_download(name, revision=revision, local_files_only=True, allow_patterns=files)
    except LocalEntryNotFoundError as error:
        raise FileNotFoundError(
            f"{name}: no folder here, not downloaded before, and the Hub cannot be asked ({reason})"
        ) from error
    check_folder(Path(found), with_weights=with_weights)
    return Checkpoint(name, Path(found), Path(found).name)


def _list_files(name: str, revision: str | None) -> tuple[str, set[str]]:
    """(commit, its files). Raises _OutOfReachError, or FileNotFoundError where the Hub says no."""
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        info = HfApi(library_name="ldrt-vlm").model_info(name, revision=revision)
    except (httpx.TransportError, OfflineModeIsEnabled) as error:
        raise _OutOfReachError(_first_line(error)) from error
    except (HfHubHTTPError, HFValidationError) as error:
        if isinstance(error, HfHubHTTPError) and error.response.status_code in _NOT_NOW:
            raise _OutOfReachError(_first_line(error)) from error
        raise FileNotFoundError(
            f"{name}: neither a folder here nor a model that the Hub lets you read ({_first_line(error)})"
        ) from error
    return info.sha or "", {file.rfilename for file in info.siblings or []}


def _download(name: str, revision: str | None, files: list[str]) -> Path:
    """The folder of the Hub's cache with these files in it."""
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=files))
    except (HfHubHTTPError, httpx.TransportError) as error:
        raise OSError(f"{name}: the download broke off ({_first_line(error)}): run again, what came is kept") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _check_listed(name: str, names: set[str]) -> None:
    """Raises RefusedError, before anything is downloaded, where the repository has no safetensors."""
    wanted = (ADAPTER,) if ADAPTER_CONFIG in names else (WEIGHTS, INDEX)
    if not names & set(wanted):
        raise RefusedError(no_weights(name, wanted[0], names))
