"""What a run leaves behind: lineage, the base that the adapter names, a finished run that is left alone."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForImageTextToText
from trl import ModelConfig

from recipes import sft
from recipes.families.llava import LLAVA
from recipes.training.checkpoints import SAVED
from recipes.training.results import point_at_base
from recipes.training.trainer import lora_config
from tests.recipes.conftest import options
from trust.checkpoints import Checkpoint, open_base, open_checkpoint


def test_lineage_carries_both_phases(base, phase1, phase2, dataset):
    first, second = (json.loads((folder / "lineage.json").read_text()) for folder in (phase1, phase2))
    assert first["base_model"] == second["base_model"] == base.name
    assert first["base_revision"] is None
    assert [phase["trainable"] for phase in second["phases"]] == ["projector", "lora"]
    assert second["phases"][0] == first["phases"][0]
    last = second["phases"][1]
    assert (last["dataset"], last["dataset_config"], last["steps"]) == (dataset.name, "instruct", 2)
    assert last["settings"]["global_batch_size"] == 4
    assert last["settings"]["lora_r"] == 32
    assert last["train_loss"] > 0
    assert last["rows"]["kept"] == 64
    assert str(dataset.parent) not in json.dumps(second)


@pytest.mark.parametrize("commit", [None, "c" * 40])
def test_the_adapter_names_the_released_checkpoint_where_there_is_one_and_else_its_start(commit):
    adapter = lora_config(ModelConfig(), LLAVA, LLAVA.tiny.make_config(LLAVA.tiny.make_tokenizer(["dose"])))
    adapter.base_model_name_or_path = "/where/the/hub/keeps/it"
    start = Checkpoint("lab/phase1", Path("/where/the/hub/keeps/it"), commit)
    phases = [{"trainable": "projector"}, {"trainable": "lora"}]
    point_at_base(adapter, {"base_model": "tiny-llava", "base_revision": None, "phases": phases}, start)
    assert (adapter.base_model_name_or_path, adapter.revision) == ("lab/phase1", commit)
    point_at_base(adapter, {"base_model": "llava-hf/llava-1.5-13b-hf", "base_revision": "abc", "phases": phases}, start)
    assert (adapter.base_model_name_or_path, adapter.revision) == ("llava-hf/llava-1.5-13b-hf", "abc")


def test_the_lineage_has_the_hash_of_what_each_phase_started_from(base, phase1, phase2):
    noted = [phase["start_revision"] for phase in json.loads((phase2 / "lineage.json").read_text())["phases"]]
    assert noted == [open_checkpoint(str(folder)).revision for folder in (base, phase1)]
    assert open_base(open_checkpoint(str(phase2))).folder == phase1


def test_the_adapter_gives_the_same_model_on_the_base_as_on_phase_1(base, phase1, phase2):
    """Why `point_at_base` may do so: the adapter brings the whole projector."""
    logits = []
    for folder in (base, phase1):
        model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(folder), phase2).eval()
        ids = torch.tensor([[1, *[model.config.image_token_index] * 16, 300, 301]])
        with torch.no_grad():
            logits.append(model(input_ids=ids, pixel_values=torch.ones(1, 3, 64, 64)).logits)
    assert torch.equal(*logits)


def test_a_finished_run_is_left_alone_and_another_is_not_mixed_in(base, phase1, dataset, capsys):
    before = {path: path.stat().st_mtime_ns for path in phase1.iterdir()}
    assert sft.main(options(1, base, dataset, phase1)) == 0
    assert "finished run already" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"holds another run \(learning_rate 0.00\d+ there, 1.0 here\)"):
        sft.main(options(1, base, dataset, phase1, learning_rate=1))
    assert before == {path: path.stat().st_mtime_ns for path in phase1.iterdir()}


def turn_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("phase", [1, 2])
def test_a_finished_run_with_another_bit_is_not_finished_and_is_saved_again_from_its_checkpoint(
    phase, base, phase1, dataset, tmp_path, capsys
):
    run = tmp_path / "run"
    words = options(phase, base if phase == 1 else phase1, dataset, run, save_strategy="steps", save_steps=1)
    assert sft.main(words) == 0
    (weights,) = run.glob("*.safetensors")
    whole = weights.read_bytes()
    (run / "chat_template.jinja").touch()  # what is text may be mended
    assert sft.main(words) == 0
    assert "finished run already" in capsys.readouterr().out
    turn_a_bit(weights)
    with pytest.raises(
        ValueError, match=rf"{run} is damaged \({weights.name} is not .*: remove its lineage.json"
    ) as error:
        sft.main(words)
    assert "\n" not in str(error.value)
    if phase == 1:
        with pytest.raises(ValueError, match=f"{run} is damaged"):
            sft.main(options(2, run, dataset, tmp_path / "next"))
    (run / "lineage.json").unlink()
    assert sft.main(words) == 0
    assert f"continues from {run / 'checkpoint-2'}" in capsys.readouterr().out
    assert weights.read_bytes() == whole


def test_a_finished_run_of_before_checksums_were_noted_is_left_alone(phase1, phase2, dataset, tmp_path, capsys):
    shutil.copytree(phase2, tmp_path / "run")
    (tmp_path / "run" / SAVED).unlink()
    assert sft.main(options(2, phase1, dataset, tmp_path / "run")) == 0
    assert "finished run already" in capsys.readouterr().out


@pytest.mark.parametrize("noted", ["lineage.json", "recipe.json"])
def test_processes_by_which_an_epoch_trains_other_rows_make_another_run(phase1, phase2, dataset, tmp_path, noted):
    """As of five processes with a row each, whose 64 rows do not divide: the same command in one process."""
    run = tmp_path / "run"
    shutil.copytree(phase2, run)
    if noted == "recipe.json":
        (run / "lineage.json").unlink()
    content = json.loads((run / noted).read_text())
    entry = content["phases"][-1] if noted == "lineage.json" else content
    assert (entry["rows"]["kept"], entry["rows_repeated"]) == (64, 0)
    entry["rows_repeated"] = 1
    (run / noted).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"another run \(each epoch repeats 1 of its rows there, 0 here"):
        sft.main(options(2, phase1, dataset, run))
    del entry["rows_repeated"], entry["rows"]  # of before it was noted
    (run / noted).write_text(json.dumps(content))
    assert sft.main(options(2, phase1, dataset, run)) == 0
