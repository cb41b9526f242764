"""`recipes/dpo.py` in two processes on a CPU: the weights of one process, killed and resumed or not."""

import io
import json
from pathlib import Path

import pytest
import torch
from datasets import Dataset

from dataset_builder.schema import PREFERENCES
from recipes import dpo
from tests.recipes.conftest import ROOT, example, picture, tensors
from tests.recipes.test_dpo import dpo_options
from tests.recipes.test_launch import WEIGHT_TOLERANCE, launch, printed

STEPS = {"max_steps": 4, "save_steps": 2, "learning_rate": 1e-3, "warmup_steps": 0}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """A dataset with the config `preference` alone: the true answer is preferred to one of another figure."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = []
    for number in range(16):
        good, other = example(number, "detail"), example(number + 16, "reasoning")
        file = io.BytesIO()
        picture("red", "left", (64 + number, 48)).save(file, "PNG")
        row = {"images": [{"bytes": file.getvalue(), "path": None}], "prompt": good["prompt"]}
        row |= {"chosen": good["completion"], "rejected": other["completion"], "example_id": good["example_id"]}
        rows.append({column: row.get(column) for column in PREFERENCES})
    (folder / "preference").mkdir()
    Dataset.from_list(rows, features=PREFERENCES).to_parquet(folder / "preference" / "train-00000-of-00001.parquet")
    card = {"config_name": "preference", "data_files": [{"split": "train", "path": "preference/train-*.parquet"}]}
    (folder / "README.md").write_text(f"---\nconfigs: {json.dumps([card])}\n---\n")
    return folder


@pytest.fixture(scope="module")
def one_process(base, pairs, tmp_path_factory):
    output = tmp_path_factory.mktemp("one") / "dpo"
    batch = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    assert dpo.main(dpo_options(base, pairs, output, **STEPS, **batch)) == 0
    return output


@pytest.mark.parametrize(
    ("config", "killed"),
    [
        ("zero3_cpu", True),
        pytest.param("ddp_cpu", False, marks=pytest.mark.slow),
        pytest.param("zero2_cpu", False, marks=pytest.mark.slow),
    ],
)
def test_two_processes_prefer_as_one_does(one_process, base, pairs, tmp_path, config, killed):
    output, config = tmp_path / "dpo", ROOT / "accelerate_configs" / f"{config}.yaml"
    words = dpo_options(base, pairs, output, **STEPS, per_device_train_batch_size=2)
    if killed:
        died = launch(config, tmp_path / "died", "tests/recipes/killed.py", "4", *words)
        assert died.returncode != 0, died.stderr[-3000:]
    done = launch(config, tmp_path / "done", "recipes/dpo.py", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (f"continues from {output / 'checkpoint-2'}" in printed(tmp_path / "done", 0)) == killed
    saved, expected = tensors(output), tensors(one_process)
    assert set(saved) == set(expected)
    assert all(tensor.numel() and ".lora_" in name for name, tensor in saved.items())
    assert all(torch.allclose(tensor, expected[name], atol=WEIGHT_TOLERANCE) for name, tensor in saved.items())
    assert all(tensor.any() for name, tensor in saved.items() if "lora_B" in name)
    there, here = (json.loads((folder / "lineage.json").read_text())["phases"][-1] for folder in (one_process, output))
    assert here["launch"]["processes"] == 2
    assert here["rewards"]["first"]["margin"] == pytest.approx(0, abs=1e-4)
    assert here["rewards"]["last"]["margin"] == pytest.approx(there["rewards"]["last"]["margin"], abs=1e-3)
