"""Resuming: the same weights as a run that was never interrupted; a damaged checkpoint is not gone on from."""

import json
import shutil

import pytest
import torch

from recipes import sft
from recipes.training.checkpoints import COMPLETE, fault_of, last_whole_checkpoint, mark_complete, newest_marked
from tests.recipes.conftest import ROOT, options, tensors
from tests.recipes.test_launch import launch, printed


def checkpoint(folder, step, marked=True):
    made = folder / f"checkpoint-{step}"
    (made / "global_step").mkdir(parents=True)
    (made / "adapter_model.safetensors").write_bytes(bytes(range(256)) * 40)
    (made / "trainer_state.json").write_text("{}")
    (made / "global_step" / "part.pt").write_bytes(b"of a process" * 9)
    if marked:
        mark_complete(made)
    return made


def shorten(path):
    path.write_bytes(path.read_bytes()[:-1])


def turn_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "a file cut short": lambda folder: shorten(folder / "adapter_model.safetensors"),
    "a bit turned": lambda folder: turn_a_bit(folder / "adapter_model.safetensors"),
    "a file of another process": lambda folder: turn_a_bit(folder / "global_step" / "part.pt"),
    "a file gone": lambda folder: (folder / "trainer_state.json").unlink(),
    "a file empty": lambda folder: (folder / "trainer_state.json").write_text(""),
    "zeros": lambda folder: (folder / "trainer_state.json").write_bytes(b"\0\0"),
    "an empty mark": lambda folder: (folder / COMPLETE).write_text(""),
    "half a mark": lambda folder: (folder / COMPLETE).write_bytes((folder / COMPLETE).read_bytes()[:40]),
    "another mark": lambda folder: (folder / COMPLETE).write_text('{"files": {}}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    before, damaged = checkpoint(tmp_path, 9), checkpoint(tmp_path, 10)
    checkpoint(tmp_path, 11, marked=False)  # killed meanwhile
    assert last_whole_checkpoint(tmp_path) == (damaged, [])
    DAMAGES[damage](damaged)
    found, (said,) = last_whole_checkpoint(tmp_path)
    assert found == before
    assert said.startswith(f"{damaged} is damaged (")
    assert "\n" not in said
    assert (tmp_path / "damaged-checkpoint-10").is_dir()
    assert not damaged.exists()
    assert last_whole_checkpoint(tmp_path) == (before, [])


def test_further_files_beside_it_are_no_damage(tmp_path):
    whole = checkpoint(tmp_path, 3)
    (whole / "notes.txt").write_text("mine")
    assert fault_of(whole) is None


def test_a_half_written_checkpoint_goes_and_nothing_else(tmp_path):
    """Trainer keeps the last two by their names: a half written one among them would cost a whole one."""
    whole, half = checkpoint(tmp_path, 4), checkpoint(tmp_path, 6, marked=False)
    others = [tmp_path / name for name in ("checkpoint-best", "my-checkpoint-7", "damaged-checkpoint-8")]
    for other in others:
        other.mkdir()
    assert last_whole_checkpoint(tmp_path) == (whole, [])
    assert not half.exists()
    assert all(other.exists() for other in others)


def test_where_none_is_whole_there_is_none(tmp_path):
    assert last_whole_checkpoint(tmp_path) == (None, [])
    for step in (2, 4):
        shorten(checkpoint(tmp_path, step) / "trainer_state.json")
    found, said = last_whole_checkpoint(tmp_path)
    assert (found, len(said)) == (None, 2)
    assert newest_marked(tmp_path) is None


# --- runs

STEPS = {"num_train_epochs": 3, "max_steps": -1, "save_strategy": "steps", "save_steps": 2, "save_total_limit": 9}
STEPS |= {"per_device_train_batch_size": 8}  # 32 rows: four steps an epoch, twelve in all


def cut_back(whole, folder, step):
    """The folder as a kill behind the checkpoint of `step` would have left it."""
    shutil.copytree(whole, folder)
    for path in folder.glob("checkpoint-*"):
        if int(path.name.split("-")[1]) > step:
            shutil.rmtree(path)
    for path in folder.iterdir():
        if path.is_file() and path.name != "recipe.json":
            path.unlink()
    return folder


def assert_same(folder, whole):
    for name, tensor in tensors(whole).items():
        assert torch.equal(tensors(folder)[name], tensor), name
    losses = [json.loads((path / "lineage.json").read_text())["phases"][-1]["train_loss"] for path in (folder, whole)]
    assert losses[0] == losses[1]


@pytest.fixture(scope="module", params=["random", "group_by_length"])
def whole(request, base, dataset, tmp_path_factory):
    """(sampling strategy, folder of an uninterrupted run of three epochs on rows of several lengths)."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert sft.main(words(base, dataset, folder, request.param)) == 0
    return request.param, folder


def words(base, dataset, folder, strategy, **changes):
    changes = {"dataset_config": "instruct", "dataset_train_split": "train[:32]", **STEPS, **changes}
    return options(1, base, dataset, folder, train_sampling_strategy=strategy, **changes)


@pytest.mark.parametrize("step", [2, 4, 6, 10])
def test_a_run_that_goes_on_in_any_epoch_draws_the_same_rows(whole, base, dataset, tmp_path, capsys, step):
    strategy, folder = whole
    again = cut_back(folder, tmp_path / "run", step)
    assert sft.main(words(base, dataset, again, strategy)) == 0
    assert f"continues from {again / f'checkpoint-{step}'}" in capsys.readouterr().out
    assert_same(again, folder)


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(whole, base, dataset, tmp_path, capsys):
    strategy, folder = whole
    again = cut_back(folder, tmp_path / "run", 8)
    shorten(again / "checkpoint-8" / "optimizer.pt")
    assert sft.main(words(base, dataset, again, strategy)) == 0
    said = capsys.readouterr().out
    assert f"sft: {again / 'checkpoint-8'} is damaged (optimizer.pt is not as it was written)" in said
    assert f"continues from {again / 'checkpoint-6'}" in said
    assert_same(again, folder)


def test_another_way_to_save_cannot_go_on(whole, base, dataset, tmp_path):
    """A checkpoint of ZeRO-3 has no optimizer that one process reads: it would begin with a new one in silence."""
    strategy, folder = whole
    again = cut_back(folder, tmp_path / "run", 8)
    entry = json.loads((again / "recipe.json").read_text())
    (again / "recipe.json").write_text(json.dumps(entry | {"saved_by": "ZeRO-3 with 2 processes"}))
    with pytest.raises(ValueError, match="written by ZeRO-3 with 2 processes, this launch is whole models"):
        sft.main(words(base, dataset, again, strategy))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["random", "group_by_length"])
def test_two_processes_go_on_in_the_middle_of_the_second_epoch(base, dataset, tmp_path, strategy):
    config, runs = ROOT / "accelerate_configs" / "ddp_cpu.yaml", (tmp_path / "whole", tmp_path / "again")
    rows = {"dataset_train_split": "train[:30]", "per_device_train_batch_size": 4}  # 30 do not divide by 8
    done = launch(config, tmp_path / "first", "recipes/sft.py", *words(base, dataset, runs[0], strategy, **rows))
    assert done.returncode == 0, done.stderr[-3000:]
    said = "30 rows do not divide by 2 processes x 4 rows: each epoch trains 2 rows of the beginning"
    assert said in printed(tmp_path / "first", 0)
    cut_back(*runs, step=6)
    done = launch(config, tmp_path / "second", "recipes/sft.py", *words(base, dataset, runs[1], strategy, **rows))
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"continues from {runs[1] / 'checkpoint-6'}" in printed(tmp_path / "second", 0)
    assert_same(*runs)
