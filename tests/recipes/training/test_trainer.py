"""The trainer: the projector's learning rate and precision, the best checkpoint, checkpoints that are whole."""

import json
from types import SimpleNamespace

import pytest
import torch
from trl import ModelConfig

from recipes import sft
from recipes.families.llava import LLAVA
from recipes.training.checkpoints import COMPLETE
from recipes.training.model import load_model
from recipes.training.trainer import LengthGroups, describe_repeats, load_projector, repeats
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


def test_rows_of_like_length_are_drawn_together_and_anew_each_epoch():
    lengths = [10 * (number % 7) + number for number in range(200)]
    sampler = LengthGroups(lengths, batch_size=4, seed=3)
    epochs = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
        assert sorted(epochs[-1]) == list(range(200))
    assert epochs[0] == epochs[2] != epochs[1]
    assert list(LengthGroups(lengths, batch_size=4, seed=4)) != epochs[0]
    batches = [[lengths[index] for index in epochs[0][first : first + 4]] for first in range(0, 200, 4)]
    spread = sum(max(batch) - min(batch) for batch in batches) / len(batches)
    assert spread < 30  # of lengths between 0 and 260; drawn at random they are 150 apart


@pytest.mark.parametrize(
    ("rows", "processes", "batch", "drop_last", "said"),
    [
        (32, 2, 4, False, None),
        (30, 1, 4, False, None),  # the last batch is smaller, that is all
        (30, 2, 4, False, "each epoch trains 2 rows of the beginning of its order again at its end"),
        (5, 4, 8, False, "each epoch trains 27 rows"),
        (30, 2, 4, True, "each epoch leaves out the last 6"),
    ],
)
def test_rows_that_do_not_divide_are_said(rows, processes, batch, drop_last, said):
    args = SimpleNamespace(world_size=processes, per_device_train_batch_size=batch, dataloader_drop_last=drop_last)
    lines = describe_repeats(rows, args)
    assert lines == [] if said is None else said in lines[0]
    numbers = [int(word) for word in (said or "").split() if word.isdigit()]
    assert abs(repeats(rows, args)) == (numbers[0] if numbers else 0)
    assert (repeats(rows, args) < 0) == drop_last
