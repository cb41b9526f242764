"""Peak bytes of activations: fake tensors against real ones, and the sizes of a 13B."""

import pytest
import torch

from recipes.planning.activations import Batch, LiveBytes, activation_bytes, drop_gradient, peak_bytes, recompute_layers
from recipes.planning.arithmetic import build_on_meta
from recipes.planning.memory import Precision
from tests.recipes.planning.shapes import V15, known_shape, shape_of


def test_activations_on_fake_tensors_are_those_of_real_ones(base):
    """The same pass on memory has the same peak; without dropout, whose mask is smaller on a GPU."""
    shape = shape_of(base, "lora", dropout=0)
    precision = Precision(torch.float32, autocast=False)
    for checkpointing in (False, True):
        fake = peak_bytes(shape, build_on_meta(shape), Batch(2, 50, 0, checkpointing), precision)
        real = build_on_meta(shape).to_empty(device="cpu").float()
        language_model = real.get_base_model().model.language_model
        if checkpointing:
            recompute_layers(language_model)
        for parameter in language_model.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(drop_gradient)
        with LiveBytes() as live:
            live.ignore([*language_model.parameters(), *language_model.buffers()])
            hidden = torch.empty(2, 50, 128, requires_grad=True)
            language_model(inputs_embeds=hidden, use_cache=False).last_hidden_state.sum().backward()
        assert live.peak == pytest.approx(fake, rel=0.05)  # the fake pass makes the mask of a padded batch


@pytest.mark.parametrize(
    ("trainable", "checkpointing", "low", "high"),
    [("projector", False, 5.5, 6.8), ("projector", True, 0.36, 0.9), ("lora", False, 8.3, 12.8)],
)
def test_activations_of_13b(trainable, checkpointing, low, high):
    """Gigabytes a row as reckoned by hand beforehand, see `low` and `high`."""
    shape = known_shape(V15, trainable)
    batch = Batch(rows=1, tokens=876, image_tokens=576, checkpointing=checkpointing)
    used = activation_bytes(shape, batch, Precision(torch.bfloat16, autocast=True), on_cpu=False)
    assert low <= used / 1e9 <= high
