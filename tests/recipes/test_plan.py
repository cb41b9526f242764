"""`ldrt plan`: the command, its warnings and errors, and its advice for the paper's study."""

import json

import pytest

import ldrt
from tests.recipes.conftest import ROOT
from tests.recipes.planning.shapes import command


def test_plan_of_a_dataset(base, dataset, tmp_path, capsys):
    output = tmp_path / "plan.json"
    assert ldrt.main(command(1, base, dataset, "--output", str(output))) == 0
    result = json.loads(output.read_text())
    assert result["rows"] == result["rows_scanned"] == 32
    assert sum(bin_["rows"] for bin_ in result["histogram"]) == 32
    assert result["parameters"]["projector_trained"] == 96 * 128 + 128 + 128 * 128 + 128
    assert result["asked"]["memory_gib"]["CUDA context"] == 0
    printed = capsys.readouterr().out
    assert "cpu.yaml" in printed
    assert "recommended: cpu.yaml" in printed


def test_long_rows_are_warned_about(base, dataset, capsys):
    assert ldrt.main(command(2, base, dataset, "--max_length", "120")) == 0
    assert "rows are dropped: longer than max_length 120 tokens" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message", "status"),
    [
        (["--max_lenght", "5"], "did you mean max_length", 2),  # an option of the recipe
        (
            ["--gpu", "H2000", "--accelerate", str(ROOT / "accelerate_configs/ddp.yaml")],
            "no GPU 'H2000', did you mean H200?",
            2,
        ),
        (["--tokens", "800"], "--tokens needs --rows", 2),
        (["--rows", "0"], "--rows '0': give a whole number, at least 1", 2),
        (["--processes", "0"], "--processes '0': give a whole number, at least 1", 2),
        (["--gpu_memory", "-3"], "--gpu_memory '-3': give a number, above 0", 2),
        (["--price_per_gpu_hour=-1"], "--price_per_gpu_hour '-1'", 2),
        (
            ["--global_batch_size", "12"],
            "global_batch_size 12 is no multiple of 1 process(es) × per_device_train_batch_size 8",
            2,
        ),
    ],
)
def test_wrong_options_are_named(base, dataset, capsys, words, message, status):
    assert ldrt.main(command(1, base, dataset, *words)) == status
    assert message in capsys.readouterr().err


def plan_offline(tmp_path, monkeypatch, *words) -> dict:
    """A plan of 13B in phase 2 for the paper's rows, without a network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)  # the project's own files are found from anywhere
    start = ["plan", "--config", "recipes/llava-v1.5-13b/phase2.yaml", "--rows", "50882", "--tokens", "876"]
    assert ldrt.main([*start, "--output", str(tmp_path / "plan.json"), *words]) == 0
    return json.loads((tmp_path / "plan.json").read_text())


def test_the_global_batch_is_the_recipes_whatever_the_launch_and_money_is_counted(tmp_path, monkeypatch, capsys):
    one = plan_offline(
        tmp_path,
        monkeypatch,
        "--accelerate",
        "accelerate_configs/single_gpu.yaml",
        "--gpu",
        "h200",
        "--price_per_gpu_hour",
        "4",
    )
    printed = capsys.readouterr().out
    two = plan_offline(
        tmp_path, monkeypatch, "--accelerate", "accelerate_configs/ddp.yaml", "--processes", "2", "--gpu", "h200"
    )
    assert one["global_batch"] == two["global_batch"] == 16
    assert "price_per_gpu_hour" in one
    (line,) = [line for line in printed.splitlines() if line.startswith("single_gpu.yaml") and " yes " in line]
    assert f"{4 * one['asked']['hours_low']:.2f}" in line
    assert one["asked"]["host_gib"] > 0
    offload = next(plan for plan in one["plans"] if plan["offloads"])
    assert offload["host_gib"] > one["asked"]["host_gib"] + 20  # the weights lie there


@pytest.mark.parametrize(
    ("gpu", "said"), [("A100", "A100 is taken as A100-80G"), ("v100-32g", "V100-32G does not compute in bf16")]
)
def test_what_a_gpus_name_hides_is_said(tmp_path, monkeypatch, capsys, gpu, said):
    plan_offline(tmp_path, monkeypatch, "--accelerate", "accelerate_configs/single_gpu.yaml", "--gpu", gpu)
    assert said in capsys.readouterr().out


def test_the_study_of_the_paper_is_advised_zero2(tmp_path, monkeypatch, capsys):
    """13B on four 48 GB cards: the model fits each, so nothing needs ZeRO-3; hours as reckoned beforehand."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)  # the project's own files are found from anywhere
    words = ["plan", "--config", "recipes/llava-v1.5-13b/phase2.yaml", "--rows", "50882", "--tokens", "876"]
    words += ["--accelerate", "accelerate_configs/zero3.yaml", "--output", str(tmp_path / "plan.json")]
    assert ldrt.main(words) == 0
    result = json.loads((tmp_path / "plan.json").read_text())
    assert "known shape" in result["shape_from"]
    assert result["recommended"]["launch"] == "zero2.yaml"
    assert result["recommended"]["gradient_checkpointing"]
    assert result["recommended"]["hours_low"] == pytest.approx(3.4, rel=0.02)
    assert result["asked"]["hours_high"] > 1.5 * result["recommended"]["hours_high"]
