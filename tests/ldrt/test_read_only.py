"""Folders that cannot be written to: a real mount, read-only, in a namespace of the test's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluation.runs import make_run

ROOT = Path(__file__).parents[2]
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99; shift; exec "$@"'


def _namespaces() -> bool:
    command = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs tmpfs /mnt && mount -o remount,bind,ro /mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _namespaces(), reason="no namespace of one's own to mount a folder read-only in")


def with_read_only(folder: Path, *words: str) -> subprocess.CompletedProcess:
    command = ["unshare", "-Urm", "sh", "-c", READ_ONLY, "sh", str(folder), sys.executable, "-m", "ldrt", *words]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_run_folder_that_is_to_hold_results_is_one_line_with_what_to_do(tmp_path):
    run = make_run(tmp_path / "run", "org/model", 0.5)
    done = with_read_only(tmp_path, "score", str(run))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ldrt score: {run}/")
    assert line.endswith("Read-only file system; change its permissions, or copy its folder to where you may write")


def test_calls_are_counted_in_a_run_folder_where_nothing_has_to_be_written(tmp_path):
    run = make_run(tmp_path / "run", "org/model", 0.5)
    done = with_read_only(
        tmp_path, "judge", str(run), "--judge", "a/b", "--base_url", "http://127.0.0.1:9", "--dry_run"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert " calls with " in done.stdout


def test_training_names_its_output_before_it_loads_a_model(tmp_path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "model").mkdir()
    given = ["--dataset_name", "dataset", "--model_name_or_path", "model", "--output_dir", "runs/phase1"]
    recipe, launch = "recipes/tiny-llava/phase1.yaml", "accelerate_configs/cpu.yaml"
    done = with_read_only(tmp_path, "train", "--launch", launch, "--config", recipe, *given)
    assert done.returncode == 2
    assert done.stderr == f"ldrt train: cannot write to {tmp_path}; choose another --output_dir\n"
