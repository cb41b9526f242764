"""A dataset's card says which files its rows are in: they must be the dataset's own.

`datasets` takes what `configs: data_files:` names as it stands: a path of the reader's disk, `../private/*.parquet`, an
address that is asked even offline. `check_dataset` goes before every `load_dataset` and `load_dataset_builder`:

    revision = check_dataset(name, revision)
    load_dataset(name, config, revision=revision)
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from trust.errors import RefusedError

CARD, SETTINGS = "README.md", ".huggingface.yaml"  # where `datasets` looks for `configs`
_NAMED_SHOWN = 200  # characters of a stranger's pattern in a message


def check_dataset(name: str, revision: str | None = None) -> str | None:
    """Check a dataset's folder, or a Hub repository's card at `revision`, before a row is opened or asked for.

    Returns the revision to load: the Hub commit whose card was checked; `revision` where the Hub is out of reach, as
    `datasets` then reads what it downloaded before and no card; None for a folder. Raises RefusedError where a file is
    named that is not the dataset's own, FileNotFoundError where the Hub has no such dataset.
    """
    if not Path(name).is_dir():
        return _check_on_the_hub(name, revision)
    folder = Path(name)
    cards = [folder / CARD, folder / SETTINGS]
    for path in cards:
        _check_is_its_own(path, folder)
    configs = [config for path in cards if path.is_file() for config in _configs(path, name)]
    _check_names(configs, name)
    for path in _matched(configs, folder):
        _check_is_its_own(path, folder)
    return None


# ---- what a card names


def _configs(path: Path, name: str) -> list[dict[str, Any]]:
    """`configs` of a card, or of a file of settings, as `datasets` reads it."""
    from huggingface_hub import DatasetCard

    try:
        if path.name == CARD:
            found = DatasetCard.load(path).data.to_dict().get("configs")
        else:
            found = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("configs")
    except (ValueError, AttributeError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:_NAMED_SHOWN]
        raise RefusedError(f"{name}: its {path.name} cannot be read ({reason}): mend its YAML") from error
    return [config for config in found if isinstance(config, dict)] if isinstance(found, list) else []


def _check_names(configs: list[dict[str, Any]], name: str) -> None:
    """Raises RefusedError for a pattern that leads out of the dataset, by what it says alone."""
    for text in (text for config in configs for text in _named(config)):
        if not isinstance(text, str):
            raise RefusedError(
                f"{name}: its card names {type(text).__name__} in the place of files: name paths within it"
            )
        if _leads_out(text):
            raise RefusedError(
                f"{name}: its card reads rows from {text[:_NAMED_SHOWN]!r}, outside of the dataset, which is not "
                "opened: name files of the dataset's own, by paths within it"
            )


def _named(config: dict[str, Any]) -> Iterator[object]:
    """What a config names: a pattern, a list of them, or of {"split", "path": a pattern or a list of them}."""
    if config.get("data_dir"):
        yield config["data_dir"]
    for item in _as_list(config.get("data_files")):
        yield from _as_list(item.get("path")) if isinstance(item, dict) else [item]


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _leads_out(pattern: str) -> bool:
    from datasets.utils.file_utils import is_relative_path

    try:
        relative = is_relative_path(pattern)
    except ValueError:  # `//[`: an address that cannot be taken apart
        return True
    return not relative or "::" in pattern or "://" in pattern or ".." in PurePosixPath(pattern).parts


# ---- files


def _matched(configs: list[dict[str, Any]], folder: Path) -> Iterator[Path]:
    """The files of all configs, as `datasets` finds them; none is opened."""
    from datasets.data_files import DataFilesDict, get_data_patterns, sanitize_patterns

    for config in configs or [{}]:
        named = config.get("data_files")
        try:
            base = str(folder.resolve() / (config.get("data_dir") or ""))
            patterns = sanitize_patterns(named) if named else get_data_patterns(base)
            found = DataFilesDict.from_patterns(patterns, base_path=base)
        except (FileNotFoundError, TypeError, ValueError):
            continue  # `datasets` says so where it is the config that is asked for
        yield from (Path(path) for paths in found.values() for path in paths)


def _check_is_its_own(path: Path, folder: Path) -> None:
    """The Hub's cache keeps `snapshots/COMMIT/NAME` as links to `blobs/HASH` of the same repository: those may be."""
    home, target = folder.resolve(), path.resolve()
    roots = [home, home.parent.parent / "blobs"] if home.parent.name == "snapshots" else [home]
    if not any(target.is_relative_to(root) for root in roots):
        raise RefusedError(f"{path} is a link out of the dataset, to {target}: put the file itself there")
    if target.exists() and not target.is_file():
        raise RefusedError(f"{path} is no regular file: put the dataset's own file there, or remove it")


# ---- the Hub


def _check_on_the_hub(name: str, revision: str | None) -> str | None:
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    api = HfApi(library_name="ldrt-vlm")
    try:
        info = api.dataset_info(name, revision=revision)
        there = {file.rfilename for file in info.siblings or []} & {CARD, SETTINGS}
        cards = [api.hf_hub_download(name, card, repo_type="dataset", revision=info.sha) for card in sorted(there)]
    except (httpx.TransportError, OfflineModeIsEnabled, HFValidationError):
        return revision
    except HfHubHTTPError as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise FileNotFoundError(f"{name}: no dataset there that the Hub lets you read ({reason})") from error
    for card in cards:
        _check_names(_configs(Path(card), name), name)
    return info.sha
