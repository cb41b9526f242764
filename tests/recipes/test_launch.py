"""`accelerate launch` with two processes on a CPU gives what one process gives."""

import json
import os
import subprocess
import sys

import pytest
import torch

from recipes import sft

from .conftest import ROOT, options, tensors


def launch(config: str, words: list[str]) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--main_process_port", "0"]
    command += ["--config_file", str(ROOT / "accelerate_configs" / config), str(ROOT / "recipes" / "sft.py"), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)


def losses(folder):
    (checkpoint,) = folder.glob("checkpoint-*")
    history = json.loads((checkpoint / "trainer_state.json").read_text())["log_history"]
    return [log["loss"] for log in history if "loss" in log]


@pytest.mark.parametrize(
    ("config", "phase", "part"),
    [
        ("ddp_cpu.yaml", 1, "rng_state_1.pth"),
        ("zero3_cpu.yaml", 2, "global_step2/zero_pp_rank_1_mp_rank_00_optim_states.pt"),
    ],
)
def test_two_processes_give_what_one_gives(base, phase1, dataset, tmp_path, config, phase, part):
    start = base if phase == 1 else phase1
    changes = {"save_strategy": "steps", "save_steps": 2, "per_device_train_batch_size": 2}
    done = launch(config, options(phase, start, dataset, tmp_path / "two", **changes))
    assert done.returncode == 0, done.stderr[-3000:]
    entry = json.loads((tmp_path / "two" / "lineage.json").read_text())["phases"][-1]
    assert entry["settings"]["global_batch_size"] == 4  # two processes of two rows
    assert (tmp_path / "two" / "checkpoint-2" / part).exists()  # what the second process wrote

    sft.main(options(phase, start, dataset, tmp_path / "one", **changes, **{"gradient_accumulation_steps": 2}))
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-3)
    one, two = tensors(tmp_path / "one"), tensors(tmp_path / "two")
    assert set(one) == set(two)
    moved = 0
    for name, tensor in two.items():
        assert tensor.numel() and torch.allclose(tensor, one[name], atol=2e-3), name
        moved += "multi_modal_projector" in name and not torch.equal(
            tensor, tensors(start)[name.removeprefix("base_model.model.model.")]
        )
    assert moved == 4
