"""`ldrt plan` of `trainable: full-vision`: what the tower keeps, and what it computes."""

import json

import pytest
import torch
from datasets import Dataset
from transformers import AutoConfig

import ldrt
from recipes.families.family import Limits
from recipes.families.find import find_family
from recipes.planning.activations import (
    Batch,
    LiveBytes,
    activation_bytes,
    batch_of,
    drop_gradient,
    recompute_layers,
    tower_bytes,
)
from recipes.planning.arithmetic import Shape, build_on_meta, count_parameters, tflop_per_row
from recipes.planning.memory import FP32, Precision
from recipes.training.examples import ExampleCollator
from tests.recipes.conftest import example
from tests.recipes.families.test_families import png, processor_of, rows
from tests.recipes.families.test_full_vision import adapted, deepen
from tests.recipes.planning.shapes import V15, command, known_shape
from trust.pictures.stored import as_stored

IN_FP32 = Precision(torch.float32, autocast=False)
ROWS = 2


def limits_of(name):
    """By which the pictures of the tests are as large as the largest ones of the plan."""
    return Limits(max_image_tokens=4) if name.startswith("qwen") else Limits()


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("name", ["llava_onevision", "qwen2_5_vl", "qwen3_vl", "gemma3"])
def test_what_a_tower_keeps_is_measured(bases, tmp_path, name, checkpointing):
    """The plan's layers of SigLIP, and what it counts for the projector, against the tower and the projector."""
    folder, limits = deepen(bases(name), tmp_path / name), limits_of(name)
    model, family = adapted(folder, name)
    if checkpointing:
        recompute_layers(model)
    batch = ExampleCollator(processor_of(folder, limits), family)(square(rows(ROWS)))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.register_post_accumulate_grad_hook(drop_gradient)
    pictures = {key: batch[key] for key in batch if key.startswith(("pixel", "image", "batch"))}
    with LiveBytes() as live:
        live.ignore([*model.parameters(), *model.buffers(), *batch.values()])
        # of all that is returned the features alone, as the language model takes them
        seen = model.base_model.model.model.get_image_features(**pictures).pooler_output
        kept = live.now
        sum(features.sum() for features in (seen if isinstance(seen, list | tuple) else [seen])).backward()
    shape = Shape(family, AutoConfig.from_pretrained(folder), "full-vision", None, limits)
    of_tower = tower_bytes(shape, Batch(ROWS, 100, 100, checkpointing), IN_FP32)
    beside = ROWS * shape.picture.image_tokens * family.projector_numbers(shape.config) * FP32
    if not checkpointing:
        assert kept == pytest.approx(of_tower.kept + beside, rel=0.2)
        assert kept > 2 * beside
    assert 0.65 <= (of_tower.peak + beside) / live.peak <= 1.35  # tiny towers: embeddings and projector weigh, too


def square(examples):
    large = as_stored(Dataset.from_list([example(0, "detail") | {"images": [png(700, 700)]}]))[0]["images"]
    return [row | {"images": large} for row in examples]


def test_a_trained_tower_costs_its_copy_its_gradients_and_its_way_back():
    """LLaVA v1.5: CLIP's 304 million parameters, of which 12.6 million in the last layer are not read."""
    lora, full = known_shape(V15, "lora"), known_shape(V15, "full-vision")
    frozen, trained = (count_parameters(build_on_meta(shape), shape.family) for shape in (lora, full))
    assert trained.vision_tower_trained == 290_909_184
    assert trained.trained == frozen.trained + trained.vision_tower_trained
    assert trained.vision_tower - frozen.vision_tower == 303_507_456 - 290_909_184  # what is not read of the copy
    forward = 577 * (2 * trained.vision_tower_trained + 4 * 24 * 1024 * 577) / 1e12
    for checkpointing, passes in ((False, 2), (True, 3)):
        more = tflop_per_row(full, trained, 876, checkpointing) - tflop_per_row(lora, frozen, 876, checkpointing)
        assert more == pytest.approx(passes * forward, rel=0.05)
        used = [
            activation_bytes(
                shape, batch_of(shape, 1, 876, checkpointing), Precision(torch.bfloat16, autocast=True), False
            )
            for shape in (lora, full)
        ]
        assert 0.03e9 < used[1] - used[0] < 1.5e9


def test_the_check_measures_what_was_expected(bases, dataset, tmp_path):
    output, start = tmp_path / "plan.json", deepen(bases("llava"), tmp_path / "llava")
    words = ["--trainable", "full-vision", "--per_device_train_batch_size", "4"]
    assert ldrt.main([*command(2, start, dataset, *words), "--check", "true", "--output", str(output)]) == 0
    plan = json.loads(output.read_text())
    check, family = plan["check"], find_family("llava", "llava")
    assert plan["trainable"] == "full-vision"
    assert any(family.is_vision_tower(tensor["name"]) for tensor in check["trainable"]["tensors"])
    expected, measured = check["memory_bytes"]["expected"], check["memory_bytes"]["measured"]
    for part in ("frozen weights", "trained weights", "optimizer"):
        assert measured[part] == expected[part]
    peak = "gradients, optimizer and activations, peak"
    assert measured[peak] == pytest.approx(expected[peak], rel=0.15)
