"""Where a checkpoint comes from: `lineage.json` beside the weights, one entry a training phase.

{"base_model": Hub id or folder name, "base_revision": Hub commit or null, "phases": [{"trainable", "dataset", …,
"licenses": {licence of what the rows are made from: rows}, "tags": [of the dataset's card], "settings": {…},
"versions": {…}, "command": how it was started (command.py), "train_loss", "steps", "start_revision": Hub commit or hash
of the folder that it started from, "model_type": of its config.json, "rows": what the scan dropped, "…_sha256",
"rows_made_by": see identity.py}], "merge": {"dtype", "adapter_sha256": of its weights} where `ldrt merge` made a whole
checkpoint of an adapter}.
It is written last: where it is, the run is finished.
"""

import importlib.metadata
import importlib.util

from trust.checkpoints import Checkpoint
from trust.weights.checkpoint_files import LINEAGE

FILE = LINEAGE
STARTED = "recipe.json"  # the phase's entry as it was when the run started
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "deepspeed", "datasets", "tokenizers", "pillow")


def read(start: Checkpoint) -> dict:
    """The lineage of a checkpoint; of one that has none, itself as the base model with no phases."""
    if start.lineage is not None:
        return start.lineage
    if start.commit is None:
        return {"base_model": start.folder.resolve().name, "base_revision": None, "phases": []}
    return {"base_model": start.name, "base_revision": start.commit, "phases": []}


def versions() -> dict[str, str]:
    """package -> version; DeepSpeed is required on Linux only."""
    absent = {"deepspeed"} if importlib.util.find_spec("deepspeed") is None else set()
    return {package: importlib.metadata.version(package) for package in PACKAGES if package not in absent}
