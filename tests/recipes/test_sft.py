"""Both phases on tiny models, end to end: what moves, what is saved, what is said, what a killed run comes to."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from recipes import sft
from recipes.training.checkpoints import newest_marked
from tests import processes
from tests.recipes.conftest import PROJECTOR, ROOT, moved_share, options, tensors


def run_sft(*words, **kwargs):
    command = [sys.executable, str(ROOT / "recipes" / "sft.py"), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False, **kwargs)


def test_phase_1_moves_the_projector_and_nothing_else(base, phase1):
    before, after = tensors(base), tensors(phase1)
    assert set(before) == set(after)
    assert sorted(name for name in before if not torch.equal(before[name], after[name])) == PROJECTOR


def test_phase_1_is_a_complete_checkpoint_with_the_hubs_names(phase1):
    names = set(tensors(phase1))
    prefixes = {".".join(name.split(".")[:2]) for name in names}
    assert prefixes >= {"language_model.model", "language_model.lm_head", "vision_tower.vision_model"}
    assert {name.split(".")[0] for name in names} == {"language_model", "vision_tower", "multi_modal_projector"}
    _, report = AutoModelForImageTextToText.from_pretrained(phase1, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    processor = AutoProcessor.from_pretrained(phase1)
    assert processor.image_processor.do_pad
    assert "ASSISTANT" in processor.chat_template
    assert not (phase1 / "README.md").exists()
    assert not list(phase1.glob("*.bin"))


def test_the_freeze_audit_names_every_trainable_tensor(phase1, phase2):
    audit = json.loads((phase1 / "trainable.json").read_text())
    assert [tensor["name"] for tensor in audit["tensors"]] == [
        f"model.{name}" for name in sorted(PROJECTOR, key=_order)
    ]
    audit = json.loads((phase2 / "trainable.json").read_text())
    lora = [tensor for tensor in audit["tensors"] if "lora_" in tensor["name"]]
    assert len(lora) == 2 * 7 * 4  # A and B of seven linears in four layers
    assert len(audit["tensors"]) == len(lora) + 4
    assert {tensor["dtype"] for tensor in audit["tensors"]} == {"float32"}
    assert not any("vision_tower" in tensor["name"] for tensor in audit["tensors"])


def _order(name):
    return name.split(".")[1], name.endswith("bias")


def test_phase_2_saves_lora_and_the_projector(phase1, phase2):
    saved = tensors(phase2)
    projector = {name: tensor for name, tensor in saved.items() if "multi_modal_projector" in name}
    assert sorted(name.removeprefix("base_model.model.model.") for name in projector) == PROJECTOR
    assert all(tensor.numel() for tensor in saved.values())
    up = [tensor for name, tensor in saved.items() if "lora_B" in name]
    assert len(up) == 28
    assert all(tensor.norm() > 0 for tensor in up)
    assert all(".language_model.layers." in name for name in saved if "lora_" in name)
    before = tensors(phase1)
    for name, tensor in projector.items():
        assert moved_share(before[name.removeprefix("base_model.model.model.")], tensor) > 0.99
    assert not (phase2 / "README.md").exists()
    assert not list(phase2.glob("*.bin"))


def test_gradient_checkpointing_gives_the_same_loss_and_leaves_the_tower_out_of_autograd(phase1, dataset, tmp_path):
    losses = []
    for checkpointing in ("false", "true"):
        output = tmp_path / checkpointing
        sft.main(options(2, phase1, dataset, output, gradient_checkpointing=checkpointing))
        losses.append(json.loads((output / "lineage.json").read_text())["phases"][-1]["train_loss"])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_llava_next_trains_too_with_fewer_grids(base_next, dataset, tmp_path):
    sft.main(options(1, base_next, dataset, tmp_path / "one", max_grid_tiles=2))
    sft.main(options(2, tmp_path / "one", dataset, tmp_path / "two"))
    before, after = tensors(base_next), tensors(tmp_path / "one")
    assert sorted(name for name in before if not torch.equal(before[name], after[name])) == PROJECTOR
    grids = [[64, 128], [128, 64]]
    assert AutoProcessor.from_pretrained(tmp_path / "two").image_processor.image_grid_pinpoints == grids
    assert json.loads((tmp_path / "one" / "config.json").read_text())["image_grid_pinpoints"] == grids


def test_tensorboard_gets_the_losses(base, dataset, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    sft.main(options(1, base, dataset, tmp_path, report_to="tensorboard"))
    (folder,) = (tmp_path / "runs").iterdir()
    events = EventAccumulator(str(folder)).Reload()
    mean = json.loads((tmp_path / "lineage.json").read_text())["phases"][-1]["train_loss"]
    logged = events.Scalars("train/loss")
    assert [event.step for event in logged] == [1, 2]
    assert sum(event.value for event in logged) / 2 == pytest.approx(mean, abs=1e-5)


def test_an_adapter_is_no_starting_point(phase2, dataset, tmp_path):
    with pytest.raises(ValueError, match="is an adapter: run `ldrt merge`"):
        sft.main(options(2, phase2, dataset, tmp_path / "run"))


def test_a_killed_run_continues_to_the_same_weights(phase1, dataset, tmp_path):
    changes = {"max_steps": 30, "save_strategy": "steps", "save_steps": 5}
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    words = options(2, phase1, dataset, killed, **changes)
    command = [sys.executable, str(ROOT / "recipes" / "sft.py"), *words]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT, stderr=subprocess.DEVNULL)
    processes.wait(process, until=lambda: newest_marked(killed) is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert newest_marked(killed) is not None
    assert not (killed / "lineage.json").exists()
    sft.main(words)
    sft.main(options(2, phase1, dataset, whole, **changes))
    resumed, uninterrupted = (json.loads((folder / "lineage.json").read_text()) for folder in (killed, whole))
    assert resumed["phases"][-1]["train_loss"] == pytest.approx(uninterrupted["phases"][-1]["train_loss"], abs=1e-4)
    expected = tensors(whole)
    for name, tensor in tensors(killed).items():
        assert torch.allclose(tensor, expected[name], atol=1e-5), name


def test_errors_are_one_line_with_the_right_status(base, dataset, tmp_path):
    words = options(1, base, tmp_path / "no-such-dataset", tmp_path / "run")
    failed = run_sft(*words)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert failed.stderr.strip().splitlines()[-1].startswith("sft: ")
    assert "no-such-dataset" in failed.stderr
