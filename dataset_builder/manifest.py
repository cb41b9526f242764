"""`provenance/manifest.json`: what each stage was run with, so that anybody can run it again."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import write_json
from trust.handovers import Kind, stamped


class Manifest(TypedDict):
    """The file's content: what each stage says of itself."""

    stages: dict[str, dict[str, Any]]


MANIFEST_FILE = Kind(Manifest, "ldrt build")


def write_stage(dataset: Path, stage: str, packages: tuple[str, ...], **entry) -> None:
    """Record `stage` in the manifest: the versions of `packages` and `entry` (options, hashes, counts)."""
    path = dataset / "provenance" / "manifest.json"
    manifest = MANIFEST_FILE.read_if_there(path) or {"stages": {}}
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    manifest["stages"][stage] = {"versions": versions, **entry}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, stamped(manifest))
