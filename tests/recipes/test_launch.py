"""`accelerate launch`: two processes on a CPU give what one gives, killed and resumed or not; configs; SLURM."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser
from datasets import Dataset

from dataset_builder.schema import EXAMPLES
from recipes import sft
from recipes.training.checkpoints import COMPLETE
from recipes.watching.watch import FILE
from tests import processes
from tests.recipes.conftest import ROOT, example, options, tensors

CONFIGS = sorted(ROOT.glob("accelerate_configs/*.yaml"))
SLURM_SCRIPT = ROOT / "accelerate_configs" / "multi_node.slurm"
STEPS = {"max_steps": 6, "save_strategy": "steps", "save_steps": 2, "per_device_train_batch_size": 2}
# Worst would be the word: the loss falls, so that the largest one is that of the first checkpoint.
BEST = {"load_best_model_at_end": "true", "metric_for_best_model": "eval_loss", "greater_is_better": "true"}
BEST |= {"eval_strategy": "steps", "eval_steps": 2}
LOSS_TOLERANCE = 1e-4  # of losses between 2 and 5, in fp32; measured: 0
WEIGHT_TOLERANCE = 2e-3  # a step of Adam is up to 2e-3 for a gradient near zero, whatever its size


def launch(config: Path, logs: Path, *words: str) -> subprocess.CompletedProcess:
    """Each process prints to files of its own below `logs`, which `printed` reads: in one pipe lines get mixed."""
    command = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--main_process_port", "0"]
    command += ["--tee", "3", "--log_dir", str(logs), "--config_file", str(config), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    return processes.run(command, logs, env=environment, cwd=ROOT)


def printed(logs: Path, process: int) -> str:
    (path,) = logs.glob(f"*/attempt_0/{process}/stdout.log")
    return path.read_text(encoding="utf-8")


def losses(folder):
    history = json.loads((folder / "checkpoint-6" / "trainer_state.json").read_text())["log_history"]
    return {log["step"]: log["loss"] for log in history if "loss" in log}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A dataset with three rows in four without a picture: some steps have one on one process, none on the other."""
    folder = tmp_path_factory.mktemp("data") / "mixed"
    rows = [example(number, "detail") | ({"images": []} if number % 4 else {}) for number in range(28)]
    splits, digest = {"train": rows[:24], "validation": rows[24:]}, hashlib.sha256()
    (folder / "detail").mkdir(parents=True)
    for split, rows_of_split in splits.items():
        path = folder / "detail" / f"{split}-00000-of-00001.parquet"
        Dataset.from_list(rows_of_split, features=EXAMPLES).to_parquet(path)
        digest.update(path.read_bytes())
    card = {"config_name": "detail", "description": digest.hexdigest()}
    card["data_files"] = [{"split": split, "path": f"detail/{split}-*.parquet"} for split in splits]
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': [card]})}---\n")
    return folder


@pytest.fixture(scope="module")
def run(base, phase1, dataset, mixed):
    """(phase, output folder, changes) -> the command line of a run: phase 2 is on rows with and without pictures."""

    def words(phase, output, **changes):
        if phase == 1:
            return options(1, base, dataset, output, **STEPS, **changes)
        return options(2, phase1, mixed, output, dataset_config="detail", **STEPS, **changes)

    return words


@pytest.fixture(scope="module")
def one_process(run, tmp_path_factory):
    """phase -> folder of a run by one process, never interrupted."""
    folders = {phase: tmp_path_factory.mktemp("one") / f"phase{phase}" for phase in (1, 2)}
    for phase, folder in folders.items():
        sft.main(run(phase, folder, gradient_accumulation_steps=2))
    return folders


@pytest.mark.parametrize(
    ("config", "phase", "distributed", "killed"),
    [
        ("ddp_cpu", 1, "MULTI_CPU", True),
        pytest.param("ddp_cpu", 2, "MULTI_CPU", True, marks=pytest.mark.slow),
        pytest.param("zero2_cpu", 2, "DEEPSPEED ZeRO-2", False, marks=pytest.mark.slow),
        pytest.param("zero3_cpu", 1, "DEEPSPEED ZeRO-3", True, marks=pytest.mark.slow),
        ("zero3_cpu", 2, "DEEPSPEED ZeRO-3", True),
    ],
)
def test_two_processes_give_the_losses_of_one(one_process, run, tmp_path, config, phase, distributed, killed):
    """Killed while step 4 is saved, started again, and the best checkpoint kept at the end; or nothing of that."""
    output, config = tmp_path / "run", ROOT / "accelerate_configs" / f"{config}.yaml"
    words = run(phase, output, **BEST if killed else {})
    if killed:
        died = launch(config, tmp_path / "died", "tests/recipes/killed.py", "4", *words)
        assert died.returncode != 0, died.stderr[-3000:]
        assert (output / "checkpoint-4").is_dir(), died.stderr[-3000:]
    done = launch(config, tmp_path / "done", "recipes/sft.py", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (f"continues from {output / 'checkpoint-2'}" in printed(tmp_path / "done", 0)) == killed

    entry = json.loads((output / "lineage.json").read_text())["phases"][-1]
    assert entry["launch"] == {"processes": 2, "distributed": distributed, "backend": "gloo"}
    assert entry["settings"]["global_batch_size"] == 4  # two processes of two rows
    assert entry["best_step"] == (2 if killed else None)
    one = one_process[phase]
    assert list(losses(output)) == [1, 2, 3, 4, 5, 6]
    assert losses(output) == pytest.approx(losses(one), abs=LOSS_TOLERANCE)
    last, expected = tensors(output / "checkpoint-6"), tensors(one)
    assert set(last) == set(expected)
    for name, tensor in last.items():
        assert torch.allclose(tensor, expected[name], atol=WEIGHT_TOLERANCE), name
    kept = tensors(output / "checkpoint-2") if killed else last
    saved = tensors(output)
    assert set(saved) == set(kept)
    assert all(torch.equal(saved[name], kept[name]) for name in kept)
    moved = [name for name in last if not torch.equal(last[name], kept[name])]
    assert sum("multi_modal_projector" in name for name in moved) == (4 if killed else 0)
    check_what_is_saved(output)
    if killed:
        check_samples(output)


def check_what_is_saved(output):
    """Final folder and checkpoints: the whole projector, no empty tensor; nothing pickled beside the weights."""
    checkpoints = sorted(output.glob(f"checkpoint-*/{COMPLETE}"))
    assert len(checkpoints) == 2
    for folder in (output, *(path.parent for path in checkpoints)):
        saved = tensors(folder)
        assert sum("multi_modal_projector" in name for name in saved) == 4
        assert all(tensor.numel() for tensor in saved.values())
    kinds = {path.suffix for path in output.iterdir() if path.is_file() and path.name != FILE}
    assert kinds <= {".json", ".jinja", ".safetensors"}


def check_samples(output):
    """Each evaluation has answered the same questions, by both processes together, also after the kill."""
    samples = [json.loads(line) for line in (output / FILE).read_text(encoding="utf-8").splitlines()]
    names = {step: [sample["example_id"] for sample in samples if sample["step"] == step] for step in (2, 4, 6)}
    assert len(samples) == sum(map(len, names.values()))
    assert names[2]
    assert names[2] == names[4] == names[6]
    logged = json.loads((output / "checkpoint-6" / "trainer_state.json").read_text())["log_history"]
    assert [log["step"] for log in logged if "eval_answer_rougeL" in log] == [2, 4, 6]


def test_fsdp2_on_a_cpu_is_plain_ddp(tmp_path):
    """accelerate does not say so; the key `launch` of lineage.json does, from the same state as here."""
    config = yaml.safe_load((ROOT / "accelerate_configs" / "fsdp2.yaml").read_text())
    config |= {"use_cpu": True, "num_processes": 2, "mixed_precision": "no"}
    (tmp_path / "fsdp2.yaml").write_text(yaml.safe_dump(config))
    lines = ["from accelerate import Accelerator", "state = Accelerator(cpu=True).state"]  # as SFTConfig has it
    lines += ["print(state.num_processes, state.distributed_type.value, state.backend)"]
    (tmp_path / "state.py").write_text("\n".join(lines))
    done = launch(tmp_path / "fsdp2.yaml", tmp_path / "logs", str(tmp_path / "state.py"))
    assert done.returncode == 0, done.stderr[-3000:]
    assert [printed(tmp_path / "logs", process) for process in (0, 1)] == ["2 MULTI_CPU gloo\n"] * 2


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_loads_and_says_when_to_use_it(path):
    comment = path.read_text(encoding="utf-8").split("compute_environment")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert "When:" in comment
    config = load_config_from_file(str(path))
    stage = next((int(digit) for digit in "23" if path.stem.startswith(f"zero{digit}")), None)
    assert stage is None or config.deepspeed_config["zero_stage"] == stage
    assert path.stem != "fsdp2" or config.fsdp_config["fsdp_version"] == 2


# --- SLURM -----------------------------------------------------------------------------------------------------------

FAKE = {
    "scontrol": 'test "$1 $2 $3" = "show hostnames gpu[07-08]" && printf "gpu07\\ngpu08\\n"',
    "srun": 'shift; for SLURM_PROCID in 0 1; do export SLURM_PROCID; "$@"; done',
    "accelerate": 'printf "%s\\0" "$@" > "$SEEN/$SLURM_PROCID"',
}


@pytest.fixture
def slurm(tmp_path):
    """Environment of a batch job on two nodes, with commands that only record what they are asked."""
    for name, script in FAKE.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    job = {"SLURM_JOB_NODELIST": "gpu[07-08]", "SLURM_JOB_ID": "4242123", "SLURM_JOB_NUM_NODES": "2"}
    job |= {"SLURM_GPUS_ON_NODE": "4", "SLURM_CPUS_PER_TASK": "32", "SLURM_SUBMIT_DIR": str(ROOT)}
    job["SEEN"] = str(tmp_path)
    return os.environ | job | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


def test_the_slurm_script_starts_one_launcher_a_node(slurm, tmp_path):
    assert subprocess.run(["bash", "-n", SLURM_SCRIPT], check=False).returncode == 0
    command = ["bash", SLURM_SCRIPT, "my recipe.yaml", "--max_steps", "3"]
    subprocess.run(command, env=slurm, check=True, cwd=tmp_path, capture_output=True)
    for rank in (0, 1):
        words = (tmp_path / str(rank)).read_text().split("\0")[:-1]
        assert words[0] == "launch"
        args = launch_command_parser().parse_args(words[1:])
        assert (args.machine_rank, args.num_machines, args.num_processes) == (rank, 2, 8)
        assert (args.main_process_ip, args.main_process_port) == ("gpu07", 22123)
        assert (ROOT / args.config_file).is_file()
        assert args.training_script == "recipes/sft.py"
        assert args.training_script_args == ["--config", "my recipe.yaml", "--max_steps", "3"]


def test_the_slurm_script_without_a_recipe_says_how_to_call_it(slurm):
    done = subprocess.run(["bash", SLURM_SCRIPT], env=slurm, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: sbatch")
