"""The adapter that is merged: its hash, whether it fits a base, what becomes of its lineage, what is merged already."""

import hashlib
from pathlib import Path
from typing import Any, NotRequired

from safetensors import safe_open
from transformers import PreTrainedModel
from typing_extensions import TypedDict

from recipes.training import lineage
from trust.checkpoints import Checkpoint
from trust.errors import RefusedError
from trust.handovers import Kind
from trust.weights.checkpoint_files import ADAPTER_CONFIG, CONFIG
from trust.weights.safetensors_files import ADAPTER

PROCESSOR = "processor_config.json"
_CURE = "give the checkpoint that it was trained on with `--base`"
CHECK = "merge.json"  # what was merged and how far the logits are apart; where it is, the checkpoint is whole


class Merge(TypedDict):
    """merge.json, as far as it is read; files of before have no `base_revision`."""

    adapter_sha256: str
    dtype: str
    base_revision: NotRequired[str]
    own_base: NotRequired[bool]


MERGE_FILE = Kind(Merge, "ldrt merge … --output {folder}")


def hash_adapter(adapter: Checkpoint) -> str:
    """SHA-256 of the adapter's weights. Raises RefusedError where it is no adapter."""
    if not adapter.is_adapter:
        raise RefusedError(f"{adapter.name} is a whole checkpoint, no adapter: there is nothing to merge")
    with open(adapter.folder / ADAPTER, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_merged(output: Path, adapter_sha256: str, base: Checkpoint | None, dtype: str) -> bool:
    """Whether `output` is this adapter, merged as asked: into `base` (None: the one that the adapter names), in `dtype`
    (`auto`: any). Raises ValueError when it holds something else.
    """
    if not output.exists() or not any(output.iterdir()):
        return False
    check = output / CHECK
    held = MERGE_FILE.read(check) if check.exists() else None
    if held is None or held["adapter_sha256"] != adapter_sha256:
        raise ValueError(f"{output} is not empty: choose another --output or remove it")
    same_base = held.get("own_base", True) if base is None else held.get("base_revision") == base.revision
    if not same_base or dtype not in ("auto", held["dtype"]):
        change = f"in {held['dtype']}" if same_base else "into another base"
        raise ValueError(f"{output} holds this adapter merged {change}: choose another --output or remove it")
    return True


def is_own_base(adapter: Checkpoint, base: Checkpoint) -> bool:
    """Whether `base` is what the adapter was trained on, or what it names: then its lineage is the merged one's."""
    lineage = adapter.lineage or {"phases": []}
    named = (adapter.read(ADAPTER_CONFIG) or {}).get("revision")
    own = [phase.get("start_revision") for phase in lineage["phases"][-1:]]
    return base.revision in (*own, lineage.get("base_revision"), named)


def lineage_on_other(adapter: Checkpoint, base: Checkpoint) -> dict[str, Any] | None:
    """lineage.json of the adapter merged into another base than its own; None where the adapter has none.

    It says that base and its phases, and then the adapter's: the data of all of them is in the weights.
    """
    history = adapter.lineage
    if history is None:
        return None
    under = lineage.read(base)
    before = [phase for phase in under["phases"] if phase not in history["phases"]]
    merged = [phase | {"merged_into": base.revision} for phase in history["phases"][-1:]]
    return under | {"phases": [*before, *history["phases"][:-1], *merged]}


# --- does it fit


def check_family(adapter: Checkpoint, base: Checkpoint) -> None:
    """Raises ValueError where the adapter is of another kind of model than `base`, before that is loaded."""
    phases = (adapter.lineage or {"phases": []})["phases"]
    trained = phases[-1].get("model_type") if phases else None
    given = (base.read(CONFIG) or {}).get("model_type")
    processors = [(folder.read(PROCESSOR) or {}).get("processor_class") for folder in (adapter, base)]
    if trained not in (None, given):
        raise ValueError(f"{adapter.name} was trained on a {trained}, {base.name} is a {given}: {_CURE}")
    if None not in processors and len(set(processors)) > 1:
        raise ValueError(f"{adapter.name} has a {processors[0]}, {base.name} a {processors[1]}: {_CURE}")


def check_fit(adapter: Checkpoint, model: PreTrainedModel, base: str) -> None:
    """Raises ValueError where a weight of the adapter has no place of its size in the base `model`."""
    sizes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    with safe_open(adapter.folder / ADAPTER, framework="pt") as file:
        for key in sorted(file.keys()):
            name, size = _place(key, tuple(file.get_slice(key).get_shape()))
            there = sizes.get(name)
            if there is None or not all(want in (None, have) for want, have in zip(size, there, strict=False)):
                held = "is not there" if there is None else f"has another size ({'x'.join(map(str, there))})"
                raise ValueError(f"{adapter.name} does not fit {base}: {name} {held}: {_CURE}")


def _place(key: str, shape: tuple[int, ...]) -> tuple[str, tuple[int | None, ...]]:
    """A tensor of an adapter -> the weight of the base it belongs to, and what that one's shape must be."""
    name = key.removeprefix("base_model.model.")
    module, is_lora, part = name.partition(".lora_")
    if not is_lora:
        return name, shape
    size = {"A.weight": (None, shape[-1]), "B.weight": (shape[0], None)}.get(part, (None,))
    return f"{module}.weight", size
