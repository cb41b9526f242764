"""The plan of a preference phase: two answers a row, and a reference that reads both once more."""

import json

import pytest
import torch

import ldrt
from recipes.planning.activations import activation_bytes, batch_of
from recipes.planning.arithmetic import Parameters, build_on_meta, count_parameters, tflop_per_row
from recipes.planning.hours import transfer_bytes
from recipes.planning.launches import Launch
from recipes.planning.memory import Precision
from tests.recipes.planning.shapes import V15, known_shape


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_pair_is_two_answers_and_the_references_two(checkpointing):
    """13B by hand: both answers forward, backward, forward again under checkpointing; both forward by the reference."""
    lora, pairs = known_shape(V15, "lora"), known_shape(V15, "preference")
    trained, preferred = (count_parameters(build_on_meta(shape), shape.family) for shape in (lora, pairs))
    assert preferred.trained == preferred.lora == trained.lora
    tokens = 900
    layers_and_head = 2 * (preferred.layers + 32064 * 5120) * tokens
    tower = 577 * (2 * preferred.vision_tower + 4 * 24 * 1024 * 577)
    forward = (layers_and_head + 2 * 40 * 5120 * tokens**2 + tower + 2 * preferred.projector * 576) / 1e12
    one = tflop_per_row(lora, trained, tokens, checkpointing) - 3 * 2 * trained.projector_trained * 576 / 1e12
    seen = 2 * preferred.projector * 576 / 1e12
    assert tflop_per_row(pairs, preferred, tokens, checkpointing) == pytest.approx(2 * (one + seen + forward), rel=1e-6)


def test_a_pair_has_twice_the_activations_of_an_answer_but_the_projectors():
    precision = Precision(torch.bfloat16, autocast=True)
    shapes = known_shape(V15, "lora"), known_shape(V15, "preference")
    one, two = (batch_of(shape, rows, 876, checkpointing=True) for shape, rows in zip(shapes, (2, 1), strict=True))
    assert one == two
    lora, pairs = (activation_bytes(shape, one, precision, on_cpu=False) for shape in shapes)
    projector = 2 * 576 * shapes[0].family.projector_numbers(shapes[0].config) * 4
    assert lora - pairs == pytest.approx(projector, abs=2)


@pytest.mark.parametrize("folder", ["llava-v1.5-13b", "qwen3-vl-8b"])
def test_a_recipe_of_preferences_is_planned(folder, tmp_path, capsys):
    phase2, dpo = (f"recipes/{folder}/{name}.yaml" for name in ("phase2", "dpo"))
    found = {}
    for recipe in (phase2, dpo):
        model = {"llava-v1.5-13b": V15, "qwen3-vl-8b": "Qwen/Qwen3-VL-8B-Instruct"}[folder]
        words = ["--model_name_or_path", model, "--rows", "800", "--tokens", "900", "--gpu", "H100"]
        words += ["--gradient_checkpointing", "true", "--per_device_train_batch_size", "2"]
        words += ["--num_train_epochs", "1", "--global_batch_size", "16", "--output", str(tmp_path / "plan.json")]
        ends = ["plan", "--config", recipe, "--accelerate", "accelerate_configs/ddp.yaml", *words]
        assert ldrt.main(ends) == 0, capsys.readouterr().err
        found[recipe] = json.loads((tmp_path / "plan.json").read_text())
    assert found[dpo]["trainable"] == "preference"
    assert 2.2 < found[dpo]["tflop_per_row"] / found[phase2]["tflop_per_row"] < 2.8
    assert found[dpo]["asked"]["hours_compute"] > 2 * found[phase2]["asked"]["hours_compute"]
    memory = [found[recipe]["asked"]["memory_gib"]["activations"] for recipe in (phase2, dpo)]
    assert 1 < memory[1] / memory[0] < 2.1  # two answers, no projector on the way back
    assert ldrt.main([*ends[:5], "--dataset_name", "lab/data", "--check", "true"]) == 2
    assert "--check is for phases 1 and 2" in capsys.readouterr().err


def test_the_reference_gathers_the_weights_once_more():
    parameters, precision = Parameters(layers=1000), Precision(torch.bfloat16, autocast=False)
    zero3 = Launch("zero3", "zero", processes=4, on_cpu=False, stage=3)
    sent = [
        transfer_bytes(parameters, precision, zero3, checkpointing=True, has_reference=has).micro_step
        for has in (False, True)
    ]
    assert sent[1] / sent[0] == pytest.approx(4 / 3)
