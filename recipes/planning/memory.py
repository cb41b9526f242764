"""Bytes that one GPU keeps for the whole run: weights, gradients, optimizer and communication buffers."""

from dataclasses import dataclass, replace

import torch

from recipes.planning.arithmetic import Parameters
from recipes.planning.launches import Launch

FP32, BF16 = 4, 2  # bytes a number
NF4 = 0.5 + 1 / 64 * 4  # bytes a number: 4 bits, and one fp32 scale for 64 (QLoRA, arXiv 2305.14314)
NF4_DOUBLE = 0.5 + 1 / 64 + 4 / (64 * 256)  # the scales in 8 bits, with one fp32 scale for 256 of them
# Bytes of CPU memory. Assumptions: PyTorch with CUDA, and what a run of ours took on a CPU; a file of a checkpoint at a
# time, as the Hub's are cut.
HOST_OF_PROCESS, HOST_OF_WORKER, SHARD_OF_FILE = 3e9, 1e9, 5e9
# DeepSpeed's defaults in numbers (deepspeed/runtime/zero/config.py at 0.19.8)
REDUCE_BUCKET, ALLGATHER_BUCKET, MAX_LIVE_PARAMETERS = 5e8, 5e8, 1e9


@dataclass(frozen=True)
class Precision:
    """How numbers are kept."""

    weights: torch.dtype  # frozen ones
    autocast: bool
    four_bit: float | None = None  # bytes a number of the language model's layers, where they are quantised
    optimizer: int = 2 * FP32  # bytes a trained number of AdamW's two moments
    trained: torch.dtype = torch.float32  # trained weights and their gradients: training/trainer.py makes them fp32

    def under(self, launch: Launch) -> "Precision":
        """The same under a launch config.

        DeepSpeed's engine keeps fp32 copies of its own and runs in the weights' own dtype; accelerate starts no
        autocast under it.
        """
        return replace(self, trained=self.weights, autocast=False) if launch.kind == "zero" else self


def state_bytes(parameters: Parameters, precision: Precision, launch: Launch, n_layers: int) -> dict[str, int]:
    """{"frozen weights", "trained weights", "gradients", "optimizer" (AdamW), "buffers"}: bytes on one GPU.

    `precision` is that under `launch`, `n_layers` of the language model.
    """
    trained, size = parameters.trained, precision.trained.itemsize
    of_layers = parameters.layers * (precision.four_bit or precision.weights.itemsize)
    frozen = of_layers + (parameters.frozen - parameters.layers) * precision.weights.itemsize
    optimizer = trained * precision.optimizer
    if launch.kind == "zero":
        optimizer += trained * FP32  # the master copy
    whole = {
        "frozen weights": frozen,
        "trained weights": trained * size,
        "gradients": trained * size,
        "optimizer": optimizer,
    }
    kept = _share(whole, launch) | {"buffers": _buffer_bytes(trained, frozen, launch, n_layers)}
    return {name: int(value) for name, value in kept.items()}


def host_bytes(parameters: Parameters, precision: Precision, launch: Launch, workers: int) -> int:
    """CPU memory of one machine: what its processes and their data workers need, the checkpoint while it is loaded, and
    what is offloaded.

    `precision` is that under `launch`, `workers` those of one process.
    """
    here = -(-launch.processes // launch.machines)
    total = here * (HOST_OF_PROCESS + workers * HOST_OF_WORKER)
    weights = parameters.frozen * precision.weights.itemsize
    total += weights if launch.shards_weights and not launch.offload_parameters else SHARD_OF_FILE * here
    if launch.offload_parameters:
        total += (parameters.frozen + parameters.trained) * precision.weights.itemsize / launch.machines
    if launch.offload_optimizer:
        total += parameters.trained * (precision.optimizer + 2 * FP32) / launch.machines  # master copy, gradients
    return int(total)


def _share(whole: dict[str, float], launch: Launch) -> dict[str, float]:
    """What each of the processes keeps of the parts, on its GPU."""
    shared: set[str] = set()
    if launch.shards_weights:
        shared = set(whole)
    elif launch.stage == 2:
        shared = {"gradients", "optimizer"}
    elif launch.stage == 1:
        shared = {"optimizer"}
    kept = {name: value / launch.processes if name in shared else value for name, value in whole.items()}
    if launch.offload_optimizer or (launch.kind == "fsdp" and launch.offload_parameters):
        kept |= {"optimizer": 0, "gradients": 0}
    if launch.offload_parameters:
        kept |= {"frozen weights": 0, "trained weights": 0}
    return kept


def _buffer_bytes(trained: int, frozen: float, launch: Launch, n_layers: int) -> float:
    """DDP's and DeepSpeed's communication buffers, and the weights gathered at one time under ZeRO-3 and FSDP.

    `trained` in numbers, `frozen` in bytes.
    """
    if launch.kind == "ddp":
        return trained * FP32  # gradient buckets are a second copy
    if launch.kind == "fsdp":
        return 2 * frozen / n_layers  # the layer at work and the one fetched ahead
    if launch.stage == 3:
        return REDUCE_BUCKET * BF16 + min(MAX_LIVE_PARAMETERS * BF16, frozen)
    if launch.kind == "zero":
        return REDUCE_BUCKET * BF16 + min(ALLGATHER_BUCKET, trained) * BF16
    return 0
