"""Weights: which safetensors files of a checkpoint are loaded, and whether they are whole."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from trust.errors import RefusedError
from trust.files import read_limited

WEIGHTS, INDEX, ADAPTER = "model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_MENDS = "use a checkpoint that has its weights as safetensors, or ask who made it for one"


def weight_names(where: str, names: set[str], folder: Path) -> list[str]:
    """The safetensors files that hold the weights of the checkpoint `where`, all of them among its files `names`.

    `folder` holds its index where it has one. Raises RefusedError for weights of any other kind.
    """
    if "adapter_config.json" in names:
        if ADAPTER not in names:
            raise RefusedError(no_weights(where, ADAPTER, names))
        return [ADAPTER]
    if WEIGHTS in names:
        return [WEIGHTS]
    if INDEX in names:
        return shards(folder / INDEX, names)
    raise RefusedError(no_weights(where, WEIGHTS, names))


def no_weights(where: str, wanted: str, names: set[str]) -> str:
    """Why a checkpoint without safetensors is refused, in one line."""
    pickles = sorted(name for name in names if name.endswith(PICKLES))
    beside = f", only pickles ({', '.join(pickles)}), which are never opened or published" if pickles else ""
    return f"{where} has no weights as safetensors (no {wanted}){beside}: {_MENDS}"


def shards(index: Path, names: set[str] | None = None) -> list[str]:
    """The files that an index of sharded weights names.

    Raises RefusedError where one is no safetensors file of the same folder, or is not among `names`.
    """
    found = sorted(set(_weight_map(index).values()))
    for name in found:
        if "/" in name or "\\" in name or not name.endswith(".safetensors"):
            raise RefusedError(
                f"{index} names {name!r}: weights are safetensors files beside their index, nothing else"
            )
        if names is not None and name not in names:
            raise RefusedError(f"{index} names {name}, which is absent: the checkpoint is not complete")
    return found


def check_index(index: Path, names: set[str]) -> None:
    """Raises RefusedError for an index that `shards` refuses, or that names a tensor which its file does not hold."""
    shards(index, names)
    held = {name: set(check_weights(index.with_name(name))) for name in set(_weight_map(index).values())}
    for tensor, name in _weight_map(index).items():
        if tensor not in held[name]:
            raise RefusedError(f"{index}: {name} does not hold {tensor}: the checkpoint is not complete")


def _weight_map(index: Path) -> dict[str, str]:
    content = read_limited(index)
    try:
        found = json.loads(content.decode("utf-8"))["weight_map"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedError(f"{index} is no index of weights ({error!r}): save the checkpoint again") from error
    if not isinstance(found, dict) or not found or not all(isinstance(name, str) for name in found.values()):
        raise RefusedError(f"{index} is no index of weights (weight_map: tensor -> file): save the checkpoint again")
    return found


def check_weights(path: Path) -> list[str]:
    """The names of a file's tensors, by its header alone.

    Raises RefusedError when it is no safetensors, is cut off or holds an empty tensor (a ZeRO-3 shard saved as is).
    """
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise RefusedError(f"{path} cannot be read as safetensors ({error}): save the checkpoint again") from error
    if not shapes:
        raise RefusedError(f"{path} holds no tensor at all; gather the weights and save again")
    empty = sorted(name for name, shape in shapes.items() if 0 in shape)
    if empty:
        raise RefusedError(f"{path}: {empty[0]} is empty; gather the weights and save again")
    return list(shapes)
