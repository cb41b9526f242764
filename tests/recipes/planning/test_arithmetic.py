"""Parameters by part and TFLOP of a row: against a table reckoned by hand and against PyTorch's own counting."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from recipes.planning.arithmetic import build_on_meta, count_parameters, tflop_per_row
from tests.recipes.planning.shapes import V15, V16, known_shape, shape_of


# TFLOP a row of 576 image and 300 text tokens (v1.6: 2,880 and 300), reckoned by hand for the project
@pytest.mark.parametrize(
    ("model", "trainable", "checkpointing", "tokens", "expected"),
    [
        (V15, "projector", False, 876, 46.1),
        (V15, "projector", True, 876, 68.6),
        (V15, "lora", False, 876, 48.7),
        (V15, "lora", True, 876, 72.1),
        (V16, "lora", True, 3180, 274),
    ],
)
def test_flops_agree_with_the_table(model, trainable, checkpointing, tokens, expected):
    shape = known_shape(model, trainable)
    parameters = count_parameters(build_on_meta(shape), shape.family)
    assert float(tflop_per_row(shape, parameters, tokens, checkpointing)) == pytest.approx(expected, rel=0.02)


def test_flops_agree_with_pytorch_counting(base):
    """The language model of the tiny model, forward and backward, counted by PyTorch: all but attention."""
    shape = shape_of(base, "lora")
    model = build_on_meta(shape).to_empty(device="cpu").float()
    hidden = torch.randn(1, 50, 128, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        language_model = model.get_base_model().model.language_model
        language_model(inputs_embeds=hidden, use_cache=False).last_hidden_state.sum().backward()
    counted = sum(n for op, n in counter.get_flop_counts()["Global"].items() if "attention" not in str(op))
    parameters = count_parameters(model, shape.family)
    assert counted == pytest.approx((2 * 2 * parameters.layers + 3 * 2 * parameters.lora) * 50, rel=0.01)


def test_parameters_of_13b_by_part():
    shape = known_shape(V15, "lora")
    parameters = count_parameters(build_on_meta(shape), shape.family)
    assert parameters.layers == 40 * (4 * 5120**2 + 3 * 5120 * 13824 + 2 * 5120) + 5120
    assert parameters.lora == 128 * 40 * (4 * 2 * 5120 + 3 * (5120 + 13824))
    assert parameters.projector == parameters.projector_trained == 1024 * 5120 + 5120 + 5120**2 + 5120
