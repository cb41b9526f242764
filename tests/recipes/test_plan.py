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
        (["--gpu", "H2000", "--accelerate", str(ROOT / "accelerate_configs/ddp.yaml")], "no GPU 'H2000'", 1),
        (["--tokens", "800"], "--tokens needs --rows", 1),
    ],
)
def test_wrong_options_are_named(base, dataset, capsys, words, message, status):
    assert ldrt.main(command(1, base, dataset, *words)) == status
    assert message in capsys.readouterr().err


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
