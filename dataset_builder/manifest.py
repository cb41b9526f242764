"""`provenance/manifest.json`: what each stage was run with, so that anybody can run it again."""

import json
import platform
from importlib.metadata import version
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json


def write_stage(dataset: Path, stage: str, packages: tuple[str, ...], **entry) -> None:
    """Record `stage` in the manifest: the versions of `packages` and `entry` (options, hashes, counts)."""
    path = dataset / "provenance" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"stages": {}}
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    manifest["stages"][stage] = {"versions": versions, **entry}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, manifest)
