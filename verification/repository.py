"""What is to be verified: a folder, or a repository on the Hub at one commit, downloaded through the gates of `trust/`.

Nothing of it is run: a checkpoint comes through `trust.checkpoints`, a dataset's card through `trust.dataset_files`;
besides these JSON, Parquet and the card's text are read, nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow.parquet as parquet

from model_cards.dataset_folder import CONFIGS, WITHHELD
from trust.checkpoints import MAX_NAME_CHARS, open_checkpoint
from trust.dataset_files import check_dataset
from trust.errors import UsageError
from trust.files import inside
from trust.places import refuse_commit
from trust.weights.checkpoint_files import ADAPTER_CONFIG, ALLOWED, CONFIG

_OF_DATASETS = "datasets/"  # before a dataset's id, as in its address
_MODEL_FILES = (
    "README.md",
    "results/*.json",
    "results/*.jsonl",
    "plots/*",
    "examples/*",
    *("answers.html", "CHANGELOG.md", "CITATION.cff", ".eval_results/*.yaml"),
    *(f"adapter/{pattern}" for pattern in ALLOWED),
)
_DATASET_FILES = (
    *("README.md", "CHANGELOG.md", "eval.yaml", "preview.html", "examples.html"),
    *("provenance/*.json", "provenance/*.jsonl", "provenance/*.parquet"),
    *(f"{config}/*.parquet" for config in (*CONFIGS, WITHHELD)),
)


@dataclass(frozen=True)
class Repository:
    """Files that were checked before they were opened."""

    name: str  # as it was given, without `datasets/`
    type: Literal["model", "dataset"]
    folder: Path
    commit: str | None  # of the Hub; None for a folder

    def path(self, name: str) -> Path:
        """One of its files. Raises RefusedError where it is a link to something that is not the repository's."""
        path = self.folder / name
        if path.is_symlink() or path.exists():
            inside(self.folder, path, self._blobs)
        return path

    @property
    def _blobs(self) -> Path | None:
        home = self.folder.resolve()
        return home.parent.parent / "blobs" if self.commit else None


def open_repository(name: str, revision: str | None) -> Repository:
    """A folder made by this project, or ORG/NAME (a model) and datasets/ORG/NAME on the Hub.

    Raises FileNotFoundError where there is none, RefusedError for one that is not to be trusted, ValueError for a
    folder with a revision.
    """
    if Path(name).is_dir():
        refuse_commit(name, revision)
        return _open_folder(Path(name))
    if name.startswith(_OF_DATASETS):
        return open_dataset(name.removeprefix(_OF_DATASETS), revision)
    try:
        checkpoint = open_checkpoint(name, revision)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}; a dataset is named datasets/ORG/NAME") from error
    folder = _download(name, "model", checkpoint.commit, _MODEL_FILES)
    return Repository(name, "model", folder, checkpoint.commit)


def open_dataset(name: str, revision: str | None) -> Repository:
    """A dataset by its folder or Hub id. Raises FileNotFoundError; RefusedError for a card that names others' files."""
    if len(name) > MAX_NAME_CHARS:
        raise FileNotFoundError(f"no dataset {name[:40]}…: give a folder or ORG/NAME")
    commit = check_dataset(name, revision)
    if Path(name).is_dir():
        _check_parquet(Path(name))
        return _checked(Repository(name, "dataset", Path(name), None), _DATASET_FILES)
    folder = _download(name, "dataset", commit, _DATASET_FILES)
    check_dataset(str(folder))
    _check_parquet(folder)
    return Repository(name, "dataset", folder, folder.name)


def _check_parquet(folder: Path) -> None:
    """Raises ValueError, naming the file, where one is no Parquet, which is all that its reader would say."""
    for path in [path for config in (*CONFIGS, WITHHELD) for path in sorted((folder / config).glob("*.parquet"))]:
        try:
            parquet.read_schema(path)
        except ValueError as error:
            raise ValueError(
                f"{path.relative_to(folder)} of {folder} is not Parquet ({' '.join(str(error).split())})"
            ) from error


def _open_folder(folder: Path) -> Repository:
    if (folder / CONFIG).is_file() or (folder / ADAPTER_CONFIG).is_file():
        open_checkpoint(str(folder))
        return _checked(Repository(str(folder), "model", folder, None), _MODEL_FILES)
    if any((folder / config).is_dir() for config in CONFIGS):
        return open_dataset(str(folder), None)
    raise UsageError(f"{folder} is neither a checkpoint nor a dataset: give what `ldrt publish` or push sent")


def _checked(repository: Repository, patterns: Iterable[str]) -> Repository:
    for pattern in patterns:
        for path in repository.folder.glob(pattern):
            repository.path(path.relative_to(repository.folder).as_posix())
    return repository


def _download(name: str, repo_type: str, commit: str | None, patterns: Iterable[str]) -> Path:
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, repo_type=repo_type, revision=commit, allow_patterns=list(patterns)))
    except LocalEntryNotFoundError as error:
        raise FileNotFoundError(f"{name}: not downloaded before, and the Hub cannot be asked") from error
    except (HfHubHTTPError, httpx.TransportError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise OSError(f"{name}: the download broke off ({reason}): run again, what came is kept") from error
