"""`ldrt plan --check`: what was expected is what is measured; a large model takes tiny widths."""

import json

import pytest

import ldrt
from recipes.planning import dry_run
from tests.recipes.planning.shapes import command


@pytest.mark.parametrize("phase", [1, 2])
def test_check_measures_what_was_expected(request, base, dataset, phase, tmp_path, capsys):
    model = base if phase == 1 else request.getfixturevalue("phase1")
    output = tmp_path / "plan.json"
    words = ["--check", "true", "--output", str(output), "--per_device_train_batch_size", "4"]
    assert ldrt.main(command(phase, model, dataset, *words)) == 0
    check = json.loads(output.read_text())["check"]
    assert check["widths"] == "true"
    assert len(check["losses"]) == 2
    expected, measured = check["memory_bytes"]["expected"], check["memory_bytes"]["measured"]
    for part in ("frozen weights", "trained weights", "optimizer"):
        assert measured[part] == expected[part]
    peak = "gradients, optimizer and activations, peak"
    assert measured[peak] == pytest.approx(expected[peak], rel=0.15)
    trained = [stretch["text"] for stretch in check["label_mask"] if stretch["trained"]]
    assert len(trained) == 1
    assert trained[0].rstrip().endswith("</s>" if phase == 2 else ".")
    assert "TRAINED" in capsys.readouterr().out


def test_check_of_a_large_model_takes_tiny_widths(base_next, dataset, monkeypatch, tmp_path):
    """LLaVA-NeXT, LoRA, checkpointing: as for a 13B on a CPU, where the true widths are out of reach."""
    monkeypatch.setattr(dry_run, "CPU_PARAMETERS", 0)
    monkeypatch.setattr(dry_run, "TINY_WIDTH", 64)
    monkeypatch.setattr(dry_run, "TINY_FEED_FORWARD", 96)
    words = ["--check", "true", "--output", str(tmp_path / "plan.json"), "--gradient_checkpointing", "true"]
    assert ldrt.main(command(2, base_next, dataset, *words)) == 0
    result = json.loads((tmp_path / "plan.json").read_text())
    check = result["check"]
    assert check["widths"] == "tiny"
    assert check["batch"]["input_ids"][1] == result["tokens"]["100"]
    assert sum(stretch["tokens"] for stretch in check["label_mask"]) == result["tokens"]["100"]
    shapes = {tuple(tensor["shape"]) for tensor in check["trainable"]["tensors"] if "lora_A" in tensor["name"]}
    assert shapes == {(8, 64), (8, 96)}
