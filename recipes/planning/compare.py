"""The launch configs that could be taken, each with its memory and hours, and the one to take."""

from dataclasses import replace
from typing import TypedDict

from recipes.planning.activations import Batch, activation_bytes, batch_of
from recipes.planning.devices import GIB
from recipes.planning.hours import training_hours
from recipes.planning.launches import Launch, read_launch
from recipes.planning.memory import Precision, host_bytes, state_bytes
from recipes.planning.rows import Rows
from recipes.planning.setting import Setting
from recipes.project_files import launch_configs

CUDA_CONTEXT_GIB = 1.0  # assumption: CUDA context, NCCL and cuBLAS workspaces of one process; not measured here
USABLE_SHARE = 0.9  # assumption: of a GPU's memory; the allocator's fragments take the rest
ABOUT_AS_FAST = 1.05  # times the hours of the fastest plan


class Plan(TypedDict):
    """One launch config, with or without gradient checkpointing."""

    launch: str  # file of accelerate_configs/
    kind: str  # single, ddp, zero1 to zero3 or fsdp
    processes: int
    gradient_checkpointing: bool
    memory_gib: dict[str, float]  # part -> GiB of one GPU
    total_gib: float
    host_gib: float  # CPU memory of one machine
    fits: bool
    offloads: bool
    hours_compute: float
    hours_transfer: float
    hours_low: float  # transfers hidden behind arithmetic
    hours_high: float  # none of them hidden


def compare(setting: Setting, rows: Rows) -> list[Plan]:
    """One plan for each launch config that could take this one's place, with and without checkpointing; the one asked
    for first."""
    asked = setting.args.gradient_checkpointing
    counted: dict[tuple[Batch, Precision], int] = {}  # bytes of activations, which many launch configs share
    plans = []
    for launch in [setting.launch, *alternatives(setting.launch, setting.precision.four_bit is not None)]:
        for checkpointing in (asked, not asked):
            precision = setting.precision.under(launch)
            batch = batch_of(setting.shape, setting.args.per_device_train_batch_size, rows.longest, checkpointing)
            if (batch, precision) not in counted:
                counted[batch, precision] = activation_bytes(setting.shape, batch, precision, launch.on_cpu)
            plans.append(plan_one(setting, rows, launch, checkpointing, counted[batch, precision]))
    return plans


def alternatives(asked: Launch, four_bit: bool) -> list[Launch]:
    """The shipped launch configs that could take the place of `asked`, with its number of processes.

    Raises FileNotFoundError when the project's launch configs are not there.
    """
    shipped = [read_launch(path) for path in launch_configs()]
    return [replace(launch, processes=asked.processes) for launch in shipped if _can_replace(launch, asked, four_bit)]


def _can_replace(launch: Launch, asked: Launch, four_bit: bool) -> bool:
    if launch.name == asked.name or launch.machines != asked.machines:
        return False
    if launch.on_cpu or asked.on_cpu:
        return False
    if four_bit and launch.shards_weights:  # 4-bit weights cannot be shared out
        return False
    if asked.processes == 1:
        return launch.kind == "single" or launch.offloads
    return launch.kind != "single"


def plan_one(setting: Setting, rows: Rows, launch: Launch, checkpointing: bool, activations: int) -> Plan:
    """Memory and hours under one launch config; `activations` in bytes."""
    n_layers = setting.shape.config.text_config.num_hidden_layers
    memory = state_bytes(setting.parameters, setting.precision.under(launch), launch, n_layers)
    memory["activations"] = activations
    memory["CUDA context"] = 0 if launch.on_cpu else int(CUDA_CONTEXT_GIB * GIB)
    total_gib = sum(memory.values()) / GIB
    workers = setting.args.dataloader_num_workers
    host_gib = host_bytes(setting.parameters, setting.precision.under(launch), launch, workers) / GIB
    hours = training_hours(setting, rows, launch, checkpointing)
    return {
        "launch": launch.name,
        "kind": f"zero{launch.stage}" if launch.kind == "zero" else launch.kind,
        "processes": launch.processes,
        "gradient_checkpointing": checkpointing,
        "memory_gib": {name: round(value / GIB, 3) for name, value in memory.items()},
        "total_gib": round(total_gib, 2),
        "host_gib": round(host_gib, 1),
        "fits": total_gib <= USABLE_SHARE * setting.device.memory_gib,
        "offloads": launch.offloads,
        "hours_compute": round(hours.compute, 3),
        "hours_transfer": round(hours.transfer, 3),
        "hours_low": round(hours.low, 3),
        "hours_high": round(hours.high, 3),
    }


def recommend(plans: list[Plan]) -> Plan | None:
    """Of the plans that fit and are about as fast as the fastest, transfers not hidden, the one of the least memory.

    Offloading is the last resort. None when nothing fits.
    """
    fitting = [plan for plan in plans if plan["fits"]]
    without_offload = [plan for plan in fitting if not plan["offloads"]]
    fitting = without_offload or fitting
    if not fitting:
        return None
    limit = ABOUT_AS_FAST * min(plan["hours_high"] for plan in fitting)
    fast = [plan for plan in fitting if plan["hours_high"] <= limit]
    return min(fast, key=lambda plan: plan["total_gib"])
