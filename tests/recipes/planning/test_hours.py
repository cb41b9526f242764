"""Padding and transfers."""

import numpy as np
import torch

from recipes.planning.arithmetic import Parameters
from recipes.planning.hours import padded_lengths, transfer_bytes
from recipes.planning.launches import Launch
from recipes.planning.memory import Precision

PARAMETERS = Parameters(layers=1000, lora=60, projector_trained=40)


def test_zero3_sends_the_weights_three_times_under_checkpointing():
    precision, zero3 = Precision(torch.bfloat16, True), Launch("3", "zero", 4, stage=3)
    gradients = 2 * 0.75 * 100 * 2
    assert transfer_bytes(PARAMETERS, precision.under(zero3), zero3, True).micro_step == 3 * 0.75 * 2000 + gradients
    assert transfer_bytes(PARAMETERS, precision.under(zero3), zero3, False).micro_step == 2 * 0.75 * 2000 + gradients
    assert transfer_bytes(PARAMETERS, precision, Launch("d", "ddp", 4), True).micro_step == 0


def test_grouping_by_length_pads_less():
    lengths = np.array([100, 1000] * 50)
    mixed = padded_lengths(lengths, 100, 5, 2, by_length=False)
    grouped = padded_lengths(lengths, 100, 5, 2, by_length=True)
    assert mixed.shape == grouped.shape == (10, 2)
    assert grouped.sum() == 100 * 10 + 1000 * 10 < mixed.sum()
