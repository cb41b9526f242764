"""Launch configs: what a file of accelerate_configs/ says of processes and of what they share out."""

from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from trust.errors import UsageError


@dataclass(frozen=True)
class Launch:
    """One launch config. `kind`: single, ddp, zero or fsdp; `stage` is DeepSpeed's."""

    name: str  # of the file
    kind: str
    processes: int
    machines: int = 1
    stage: int = 0
    offload_optimizer: bool = False
    offload_parameters: bool = False
    on_cpu: bool = False

    @property
    def shards_weights(self) -> bool:
        return self.kind == "fsdp" or self.stage == 3

    @property
    def offloads(self) -> bool:
        return self.offload_optimizer or self.offload_parameters


def read_launch(path: Path, processes: int | None = None) -> Launch:
    """The launch config in a file, with `processes` where they are not the file's own.

    Raises FileNotFoundError, and UsageError for no launch config or a way to launch that is not planned for.
    """
    config = _read_config(path)
    common = {
        "name": path.name,
        "processes": config.get("num_processes", 1),
        "machines": config.get("num_machines", 1),
        "on_cpu": bool(config.get("use_cpu", False)),
    }
    launch = _by_kind(path, config, common)
    return launch if processes is None else replace(launch, processes=processes)


def _read_config(path: Path) -> dict:
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    if not isinstance(config, dict) or "distributed_type" not in config:
        raise UsageError(f"{path} is no accelerate config: it has no distributed_type")
    return config


def _by_kind(path: Path, config: dict, common: dict) -> Launch:
    kind = str(config["distributed_type"])
    plain = kind in ("MULTI_GPU", "MULTI_CPU")
    if kind == "NO" or (plain and common["processes"] == 1):
        return Launch(kind="single", **common)
    if plain:
        return Launch(kind="ddp", **common)
    if kind == "FSDP":
        fsdp = config.get("fsdp_config", {})
        return Launch(kind="fsdp", offload_parameters=bool(fsdp.get("fsdp_offload_params", False)), **common)
    if kind == "DEEPSPEED":
        return Launch(kind="zero", **_read_deepspeed(path, config.get("deepspeed_config", {})), **common)
    raise UsageError(f"{path}: distributed_type {kind} is not planned for; use NO, MULTI_GPU, DEEPSPEED or FSDP")


def _read_deepspeed(path: Path, deepspeed: dict) -> dict:
    if "deepspeed_config_file" in deepspeed:
        raise UsageError(f"{path}: a separate deepspeed_config_file is not read; put zero_stage and offload here")
    return {
        "stage": int(deepspeed.get("zero_stage", 2)),
        "offload_optimizer": deepspeed.get("offload_optimizer_device", "none") != "none",
        "offload_parameters": deepspeed.get("offload_param_device", "none") != "none",
    }
