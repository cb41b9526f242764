"""`trainable: full-vision` in two processes on a CPU: the weights of one process, killed and resumed or not."""

import json

import pytest
import torch
from transformers import AutoModelForImageTextToText

from recipes import sft
from recipes.families.find import find_family
from tests.recipes.conftest import ROOT, options, tensors
from tests.recipes.families.test_full_vision import deepen
from tests.recipes.test_launch import WEIGHT_TOLERANCE, launch, printed

STEPS = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2, "per_device_train_batch_size": 2}
PARTS = {"trainable": "full-vision", "vision_learning_rate": 1e-3, "weight_decay": 0.1, "warmup_steps": 0}


@pytest.fixture(scope="module")
def runs(bases, dataset, tmp_path_factory):
    """family -> (its command line but for the folder, the folder of a run by one process)."""
    made = {}

    def run(name):
        if name not in made:
            start = deepen(bases(name), tmp_path_factory.mktemp("start") / name)
            one = tmp_path_factory.mktemp("one") / name
            assert sft.main(options(2, start, dataset, one, **STEPS, **PARTS, gradient_accumulation_steps=2)) == 0
            made[name] = start, one
        return made[name]

    return run


@pytest.mark.parametrize(
    ("config", "name", "killed", "checkpointing"),
    [
        ("ddp_cpu", "llava", False, True),
        pytest.param("zero3_cpu", "qwen3_vl", True, False, marks=pytest.mark.slow),
        pytest.param("ddp_cpu", "qwen3_vl", True, False, marks=pytest.mark.slow),
        pytest.param("zero2_cpu", "llava", False, False, marks=pytest.mark.slow),
        pytest.param("zero3_cpu", "llava", False, True, marks=pytest.mark.slow),
        pytest.param("zero2_cpu", "idefics3", True, False, marks=pytest.mark.slow),
    ],
)
def test_two_processes_train_the_tower_as_one_does(runs, dataset, tmp_path, config, name, killed, checkpointing):
    start, one = runs(name)
    output, config = tmp_path / "run", ROOT / "accelerate_configs" / f"{config}.yaml"
    words = options(2, start, dataset, output, **STEPS, **PARTS, gradient_checkpointing=str(checkpointing).lower())
    if killed:
        died = launch(config, tmp_path / "died", "tests/recipes/killed.py", "4", *words)
        assert died.returncode != 0, died.stderr[-3000:]
    done = launch(config, tmp_path / "done", "recipes/sft.py", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (f"continues from {output / 'checkpoint-2'}" in printed(tmp_path / "done", 0)) == killed
    family, saved, expected = find_family(name, name), tensors(output), tensors(one)
    config = AutoModelForImageTextToText.from_pretrained(start).config
    unread = {key for key in saved if family.is_vision_tower(key) and family.is_unread(key, config)}
    assert set(saved) == set(expected)
    assert bool(unread) == (name == "llava")
    for key, tensor in saved.items():
        assert tensor.numel(), key
        assert torch.allclose(tensor, expected[key], atol=WEIGHT_TOLERANCE), key
        assert key not in unread or torch.equal(tensor, expected[key]), key  # no weight decay, either
    half = tensors(output / "checkpoint-2")
    moved = {key for key in saved if not torch.equal(saved[key], half[key])}
    assert {key for key in saved if family.is_vision_tower(key)} - moved == unread
    settings = json.loads((output / "lineage.json").read_text())["phases"][-1]["settings"]
    assert (settings["vision_learning_rate"], settings["global_batch_size"]) == (1e-3, 4)
