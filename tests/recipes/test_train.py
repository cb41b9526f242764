"""`ldrt train` with real processes: what is said last, exit status, nobody left behind when it is stopped."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dataset_builder.files.errors import UsageError
from recipes.launching.outcome import SIGNALS, ended_by
from recipes.launching.start import ALL_GPUS, CPU, ONE_GPU, asks_for_cpu, choose, script_of
from recipes.train import Options, run
from tests import processes
from tests.recipes.conftest import ROOT, options

TWO = ["--launch", str(ROOT / "accelerate_configs" / "ddp_cpu.yaml")]
_OF_US = ("OMP_NUM_THREADS", "LDRT_DEBUG")  # in the environment of the tests, as other tests leave it
ENDLESS = {"num_train_epochs": 5000, "max_steps": 100000}


def started(words: list[str], output: Path, **kwargs) -> subprocess.Popen:
    environment = {key: value for key, value in os.environ.items() if key not in _OF_US}
    environment |= {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ldrt", "train", *words]
    return subprocess.Popen(command, env=environment, cwd=output, preexec_fn=_hear_ctrl_c, **kwargs)


def _hear_ctrl_c() -> None:
    """A shell's background jobs, and what they start, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(words: list[str], output: Path) -> subprocess.CompletedProcess:
    with (output / "out").open("w") as out, (output / "err").open("w") as err:
        status = processes.wait(started(words, output, stdout=out, stderr=err))
    return subprocess.CompletedProcess(words, status, (output / "out").read_text(), (output / "err").read_text())


@pytest.mark.parametrize("launch", [[], pytest.param(TWO, marks=pytest.mark.slow)])
def test_wrong_usage_is_one_last_line_and_status_2(base, dataset, tmp_path, launch):
    done = ended([*launch, *options(1, base, dataset, tmp_path / "run"), "--learning_rat", "1"], tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["ldrt train: no key 'learning_rat', did you mean learning_rate?"]


def test_a_failed_run_of_two_processes_is_one_last_line_and_status_1(base, tmp_path):
    (tmp_path / "no-such-dataset").mkdir()
    done = ended([*TWO, *options(1, base, tmp_path / "no-such-dataset", tmp_path / "run")], tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("ldrt train: ")
    assert "no-such-dataset" in line


def test_a_normal_run_shows_nothing_of_other_peoples_libraries(base, dataset, tmp_path):
    done = ended(options(1, base, dataset, tmp_path / "run"), tmp_path)
    assert done.returncode == 0, done.stderr
    ours = ("sft: ", "ldrt train: ", "{", "done in ", "next: ")
    assert [line for line in done.stdout.splitlines() if not line.startswith(ours)] == []
    assert [line for line in done.stderr.splitlines() if line and not line.startswith("scan: ")] == []
    assert "accelerate_configs/cpu.yaml (the recipe says use_cpu: true)" in done.stdout
    assert re.fullmatch(r"next: ldrt \w+ .*", done.stdout.splitlines()[-1])


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_nobody_is_left_when_it_is_stopped(base, dataset, tmp_path, number):
    run_folder = tmp_path / "run"
    words = [*TWO, *options(1, base, dataset, run_folder, **ENDLESS), "--save_strategy", "steps", "--save_steps", "5"]
    with (tmp_path / "err").open("w") as err:
        process = started(words, tmp_path, stdout=err, stderr=err)
        processes.wait(process, until=lambda: (run_folder / "checkpoint-5").is_dir())
        everybody = psutil.Process(process.pid).children(recursive=True)
        assert len(everybody) >= 3  # the launcher and two that train
        process.send_signal(number)
        status = processes.wait(process)
    gone, left = psutil.wait_procs(everybody, timeout=60)
    assert not left
    said = (tmp_path / "err").read_text().splitlines()
    if number == signal.SIGINT:
        assert status == 130
        assert said[-1] == "ldrt train: stopped; run the same command again to continue"
    assert not any("Traceback" in line for line in said)


@pytest.mark.parametrize(
    ("gpus", "on_cpu", "path", "said"),
    [
        (0, False, CPU, "no GPU is found here"),
        (0, True, CPU, "the recipe says use_cpu: true"),
        (8, True, CPU, "the recipe says use_cpu: true"),
        (1, False, ONE_GPU, "1 GPU"),
        (8, False, ONE_GPU, f"1 GPU of 8; for all of them --launch {ALL_GPUS}"),
    ],
)
def test_the_launch_config_follows_from_what_is_there(gpus, on_cpu, path, said):
    assert choose(gpus, on_cpu) == (path, said)
    assert (ROOT / path).is_file()


@pytest.mark.parametrize(
    ("text", "words", "on_cpu"),
    [
        ("use_cpu: true", [], True),
        ("use_cpu: true", ["--use_cpu", "false"], False),
        ("use_cpu: false", ["--seed", "1", "--use_cpu"], True),
        ("seed: 1", ["--use_cpu=true", "--seed", "1"], True),
        ("seed: 1", ["--seed", "1"], False),
        ("- a list", [], False),
        ("{", [], False),
    ],
)
def test_a_recipe_may_ask_for_a_cpu(tmp_path, text, words, on_cpu):
    (tmp_path / "phase1.yaml").write_text(text)
    assert asks_for_cpu(tmp_path / "phase1.yaml", words) == on_cpu


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": "no.yaml"}, "--config: no file no.yaml"),
        ({"launch": "no.yaml"}, "--launch: no file no.yaml; accelerate_configs/ has cpu.yaml, ddp.yaml"),
        ({"launch": CPU, "num_processes": 2}, "starts one process: use ddp.yaml"),
        ({"launch": ALL_GPUS, "num_processes": 0}, "give 1 or more"),
        ({"launch": "recipes/tiny-llava/phase1.yaml"}, "is no accelerate config"),
    ],
)
def test_what_cannot_be_launched_is_wrong_usage(changes, said):
    words = ["--dataset_name", "lab/data", "--model_name_or_path", "lab/model"]
    with pytest.raises(UsageError, match=said):
        run(Options(**{"config": "recipes/tiny-llava/phase1.yaml", "overrides": words, **changes}))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (SIGNALS + signal.SIGKILL, "a process was killed: the machine had no memory left"),
        (-signal.SIGKILL, "a process was killed"),
        (SIGNALS + signal.SIGSEGV, "signal 11 (SIGSEGV)"),
        (1, "exit status 1 and did not say why"),
    ],
)
def test_a_process_that_could_not_say_why_it_ended(status, said):
    assert said in ended_by(status)


def test_a_recipe_of_preferences_starts_the_script_for_them():
    assert script_of(ROOT / "recipes/tiny-llava/dpo.yaml") == "recipes/dpo.py"
    assert script_of(ROOT / "recipes/tiny-llava/phase2.yaml") == "recipes/sft.py"
