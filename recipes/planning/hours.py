"""Hours of training: arithmetic, and what GPUs send each other."""

from dataclasses import dataclass

import numpy as np

from recipes.planning.arithmetic import Parameters, tflop_per_row
from recipes.planning.devices import HOST_LINK_GB_S
from recipes.planning.launches import Launch
from recipes.planning.memory import BF16, Precision
from recipes.planning.rows import Rows
from recipes.planning.setting import Setting

LINK_SHARE = 0.6  # assumption: share of the link's nominal speed that NCCL's collectives reach on large messages
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Hours:
    """`compute`: arithmetic alone. `transfer`: weights and gradients between GPUs, were none of it hidden."""

    compute: float
    transfer: float

    @property
    def low(self) -> float:
        return max(self.compute, self.transfer)

    @property
    def high(self) -> float:
        return self.compute + self.transfer


@dataclass(frozen=True)
class Transfers:
    """Bytes that one GPU sends."""

    micro_step: float  # to other GPUs, in each micro-step
    optimizer_step: float  # to other GPUs, in each optimizer step
    host: float  # to and from CPU memory, in each micro-step


def training_hours(setting: Setting, rows: Rows, launch: Launch, checkpointing: bool) -> Hours:
    """Hours of the whole run."""
    args = setting.args
    batch, accumulation = args.per_device_train_batch_size, args.gradient_accumulation_steps
    by_length = args.train_sampling_strategy == "group_by_length"
    padded = padded_lengths(rows.lengths, rows.n_rows, batch, launch.processes, by_length)
    longest = padded.max(1)  # (micro-steps,): all wait for the GPU with the longest batch
    tflop = batch * tflop_per_row(setting.shape, setting.parameters, longest, checkpointing)
    has_reference = setting.recipe.trainable == "preference"
    precision = setting.precision.under(launch)
    transfers = transfer_bytes(setting.parameters, precision, launch, checkpointing, has_reference)
    compute_s = tflop.sum() / setting.device.tflops
    transfer_s = transfer_seconds(transfers, len(longest), accumulation, setting.device.link_gb_s)
    passes = args.num_train_epochs
    if args.max_steps > 0:
        passes = args.max_steps * accumulation / len(padded)
    return Hours(compute_s / SECONDS_AN_HOUR * passes, transfer_s / SECONDS_AN_HOUR * passes)


def padded_lengths(lengths: np.ndarray, rows: int, batch: int, processes: int, by_length: bool) -> np.ndarray:
    """Tokens of each micro-batch's padded rows, (micro-steps, processes): `lengths` drawn anew to `rows` rows, each
    batch padded to its longest."""
    chance = np.random.default_rng(0)
    drawn = lengths if len(lengths) == rows else chance.choice(lengths, rows)
    drawn = np.sort(drawn) if by_length else chance.permutation(drawn)
    whole = -(-rows // (batch * processes)) * batch * processes
    drawn = np.resize(drawn, whole)  # the last step is filled up from the first rows
    return drawn.reshape(-1, processes, batch).max(2)


def transfer_bytes(
    parameters: Parameters, precision: Precision, launch: Launch, checkpointing: bool, has_reference: bool = False
) -> Transfers:
    """What one GPU sends; `precision` is that under `launch`.

    ZeRO-3 gathers the weights for the forward and the backward pass, and once more to recompute under checkpointing;
    FSDP recomputes with the weights it has gathered for the backward pass; the reference of a preference phase
    (`has_reference`) takes one more. Gradients are reduced in a ring. Under
    offload the work of the CPU itself (its Adam) is not counted.
    """
    others = (launch.processes - 1) / launch.processes
    gradients = 2 * others * parameters.trained * precision.trained.itemsize
    host = 2 * parameters.trained * BF16 / launch.processes if launch.offloads else 0
    if not launch.shards_weights:
        if launch.stage == 2:  # ZeRO-2 reduces in every micro-step, DDP once an optimizer step
            return Transfers(gradients, 0, host)
        return Transfers(0, gradients, host)
    passes = (3 if launch.kind == "zero" and checkpointing else 2) + has_reference
    weights = passes * parameters.frozen * precision.weights.itemsize
    if launch.offload_parameters:
        host += weights / launch.processes
    return Transfers(others * weights + gradients, 0, host)


def transfer_seconds(transfers: Transfers, micro_steps: int, accumulation: int, link_gb_s: float) -> float:
    """Seconds of one pass over the rows, were nothing hidden behind arithmetic; `link_gb_s` nominal."""
    sent = transfers.micro_step * micro_steps + transfers.optimizer_step * micro_steps / accumulation
    return (sent / link_gb_s + transfers.host * micro_steps / HOST_LINK_GB_S) / (1e9 * LINK_SHARE)
