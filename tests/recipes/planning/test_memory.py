"""Bytes that each GPU keeps under each way to launch."""

import pytest
import torch

from recipes.planning.arithmetic import Parameters
from recipes.planning.launches import Launch
from recipes.planning.memory import NF4, Precision, state_bytes

PARAMETERS = Parameters(layers=1000, lora=60, projector_trained=40)


@pytest.mark.parametrize(
    ("launch", "expected"),
    [
        (Launch("single", "single", 1), {"frozen weights": 2000, "gradients": 400, "optimizer": 800}),
        (Launch("ddp", "ddp", 4), {"trained weights": 400, "buffers": 400}),
        # DeepSpeed: trained weights and gradients in bf16, and fp32 copies with the two moments
        (Launch("2", "zero", 4, stage=2), {"trained weights": 200, "gradients": 50, "optimizer": 300}),
        (Launch("3", "zero", 4, stage=3), {"frozen weights": 500, "trained weights": 50, "optimizer": 300}),
        (Launch("f", "fsdp", 4), {"frozen weights": 500, "trained weights": 100, "optimizer": 200}),
        (
            Launch("o", "zero", 1, stage=3, offload_optimizer=True, offload_parameters=True),
            {"frozen weights": 0, "optimizer": 0},
        ),
    ],
)
def test_bytes_that_each_gpu_keeps(launch, expected):
    kept = state_bytes(PARAMETERS, Precision(torch.bfloat16, True).under(launch), launch, n_layers=2)
    assert {part: kept[part] for part in expected} == expected


def test_four_bit_layers_and_eight_bit_optimizer():
    kept = state_bytes(PARAMETERS, Precision(torch.bfloat16, True, NF4, 2), Launch("single", "single", 1), 2)
    assert kept["frozen weights"] == 562
    assert kept["optimizer"] == 200
