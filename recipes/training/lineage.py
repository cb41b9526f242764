"""Where a checkpoint comes from: `lineage.json` beside the weights, one entry a training phase.

{"base_model": Hub id or folder name, "base_revision": Hub commit or null, "phases": [{"trainable", "dataset", …,
"licenses": {licence of what the rows are made from: rows}, "settings": {…}, "versions": {…}, "train_loss", "steps"}]}.
It is written last: where it is, the run is finished.
"""

import importlib.metadata
import importlib.util
import json
from pathlib import Path

from transformers.utils import cached_file
from transformers.utils.hub import extract_commit_hash

FILE = "lineage.json"
STARTED = "recipe.json"  # the phase's entry as it was when the run started
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "deepspeed", "datasets", "tokenizers", "pillow")


def read(model: str, revision: str | None) -> dict:
    """The lineage of a checkpoint (folder or Hub id); of one that has none, itself as the base model with no phases.

    Raises OSError when there is no such checkpoint.
    """
    path = cached_file(model, FILE, revision=revision, _raise_exceptions_for_missing_entries=False)
    if path is not None:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    if Path(model).exists():
        return {"base_model": Path(model).resolve().name, "base_revision": None, "phases": []}
    commit = extract_commit_hash(cached_file(model, "config.json", revision=revision), None)
    return {"base_model": model, "base_revision": commit, "phases": []}


def versions() -> dict[str, str]:
    """package -> version; DeepSpeed is required on Linux only."""
    absent = {"deepspeed"} if importlib.util.find_spec("deepspeed") is None else set()
    return {package: importlib.metadata.version(package) for package in PACKAGES if package not in absent}


def difference(old: dict, new: dict) -> str | None:
    """The first setting or input of `new` that is another in `old`, as "learning_rate 0.001 there, 0.002 here"."""
    old, new = ({**entry, **entry["settings"]} for entry in (old, new))
    beside = {"settings", "versions", "recipe", "licenses"}  # the licences are in the data's hash
    for key in sorted(set(new) - beside):
        if old.get(key) != new[key]:
            return f"{key} {old.get(key)!r} there, {new[key]!r} here"
    return None
