"""The trainer: the projector's learning rate and precision, the best checkpoint, checkpoints that are whole."""

import json

import pytest
import torch
from trl import ModelConfig

from recipes import sft
from recipes.families.llava import LLAVA
from recipes.training.model import load_model
from recipes.training.trainer import COMPLETE, last_complete_checkpoint, load_projector
from tests.recipes.conftest import PROJECTOR, moved_share, options, tensors
from trust.checkpoints import open_checkpoint


def test_bf16_projector_weights_move_at_a_small_learning_rate(phase1, dataset, tmp_path):
    """At 2e-5 most bf16 weights would stay where they are: the change is below their precision."""
    words = options(2, phase1, dataset, tmp_path / "run", dtype="bfloat16", bf16="true", max_steps=1)
    sft.main([*words, "--projector_learning_rate", "2e-5", "--warmup_steps", "0"])
    before, after = tensors(phase1), tensors(tmp_path / "run")
    for name in PROJECTOR:
        if name.endswith("weight"):
            old = before[name].bfloat16()
            assert moved_share(old, after[f"base_model.model.model.{name}"]) > 0.99


def test_the_projector_has_its_own_learning_rate(phase1, dataset, tmp_path):
    words = options(2, phase1, dataset, tmp_path / "run", max_steps=1, projector_learning_rate=0, learning_rate=1e-2)
    sft.main([*words, "--warmup_steps", "0"])
    before, after = tensors(phase1), tensors(tmp_path / "run")
    for name in PROJECTOR:
        assert torch.equal(before[name], after[f"base_model.model.model.{name}"])
    assert all(tensor.norm() > 0 for name, tensor in after.items() if "lora_B" in name)


@pytest.mark.parametrize("phase", [1, 2])
def test_the_best_checkpoint_is_what_is_saved(phase, base, phase1, dataset, tmp_path):
    """Worst would be the word: the loss falls, so the largest one is that of the first checkpoint, not of the last."""
    steps = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 2}
    best = {"load_best_model_at_end": "true", "metric_for_best_model": "eval_loss", "greater_is_better": "true"}
    sft.main(options(phase, base if phase == 1 else phase1, dataset, tmp_path, **steps, **best))
    assert json.loads((tmp_path / "lineage.json").read_text())["phases"][-1]["best_step"] == 2
    saved, kept, last = (tensors(folder) for folder in (tmp_path, tmp_path / "checkpoint-2", tmp_path / "checkpoint-4"))
    assert set(saved) == set(kept)
    assert (tmp_path / "checkpoint-2" / COMPLETE).exists()
    assert all(torch.equal(saved[name], kept[name]) for name in kept)
    moved = [name for name in last if not torch.equal(last[name], kept[name])]
    assert sum("multi_modal_projector" in name for name in moved) == 4


def test_a_checkpoint_without_the_projector_is_refused(base, tmp_path):
    model = load_model(open_checkpoint(str(base)), ModelConfig(), LLAVA, "projector")
    with pytest.raises(RuntimeError, match="linear_1.weight"):
        load_projector(model, LLAVA, tmp_path)


def test_only_checkpoints_written_to_their_end_are_continued_from(tmp_path):
    assert last_complete_checkpoint(tmp_path) is None
    for step, complete in ((9, True), (10, True), (11, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if complete:
            (tmp_path / f"checkpoint-{step}" / COMPLETE).touch()
    assert last_complete_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")
