"""Merging: the merged checkpoint is the tuned model, and a broken one is refused."""

import hashlib
import json
import shutil

import pytest
import torch
from peft import PeftConfig
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

from recipes import merge
from recipes.merging.adapter import CHECK
from recipes.training.checkpoints import SAVED
from tests.recipes.conftest import tensors
from trust.checkpoints import open_checkpoint


@pytest.fixture(scope="module")
def merged(phase2, tmp_path_factory):
    output = tmp_path_factory.mktemp("merged") / "tuned"
    return output, merge.run(merge.Options(str(phase2), str(output)))


def test_the_merged_checkpoint_has_the_hubs_names_and_loads_in_plain_transformers(base, merged):
    output, summary = merged
    assert set(tensors(output)) == set(tensors(base))
    _, report = AutoModelForImageTextToText.from_pretrained(output, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert "ASSISTANT" in AutoProcessor.from_pretrained(output).chat_template
    assert "largest difference of a logit" in summary


def test_merging_changes_the_language_model_and_the_projector_only(base, merged):
    before, after = tensors(base), tensors(merged[0])
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert sum("multi_modal_projector" in name for name in changed) == 4
    assert sum("_proj.weight" in name and "language_model" in name for name in changed) == 28
    assert len(changed) == 32


def test_the_lineage_and_the_check_travel_with_it(phase2, merged):
    lineage = json.loads((merged[0] / "lineage.json").read_text())
    check = json.loads((merged[0] / CHECK).read_text())
    adapter = hashlib.sha256((phase2 / "adapter_model.safetensors").read_bytes()).hexdigest()
    assert check["adapter_sha256"] == adapter
    noted = {"merge": {"dtype": "auto", "adapter_sha256": adapter}}
    assert lineage == json.loads((phase2 / "lineage.json").read_text()) | noted
    assert check["error_std"] < 1e-3 < check["change_std"]


def test_merged_already_is_left_alone_and_something_else_is_not_overwritten(phase2, merged, tmp_path):
    output, _ = merged
    assert "already" in merge.run(merge.Options(str(phase2), str(output)))
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ValueError, match="is not empty"):
        merge.run(merge.Options(str(phase2), str(tmp_path)))


def test_an_adapter_that_changes_nothing_is_refused(base, phase2, tmp_path):
    """As when a server or a loader skips weights whose names it does not know."""
    adapter = tmp_path / "adapter"
    shutil.copytree(phase2, adapter, ignore=shutil.ignore_patterns("checkpoint-*"))
    weights, projector = load_file(adapter / "adapter_model.safetensors"), tensors(base)
    for name in weights:
        if "lora_B" in name:
            weights[name] = torch.zeros_like(weights[name])
        elif "multi_modal_projector" in name:
            weights[name] = projector[name.removeprefix("base_model.model.model.")]
    save_file(weights, adapter / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"adapter is damaged \(adapter_model.safetensors is not as it was written\)"):
        merge.run(merge.Options(str(adapter), str(tmp_path / "out"), base=str(base)))
    (adapter / SAVED).unlink()
    with pytest.raises(RuntimeError, match="is the base model"):
        merge.run(merge.Options(str(adapter), str(tmp_path / "out"), base=str(base)))
    assert not (tmp_path / "out").exists()


def test_a_base_that_is_gone_is_asked_for(phase2, tmp_path):
    adapter = tmp_path / "adapter"
    shutil.copytree(phase2, adapter, ignore=shutil.ignore_patterns("checkpoint-*"))
    config = PeftConfig.from_pretrained(adapter)
    config.base_model_name_or_path = str(tmp_path / "gone")
    config.save_pretrained(adapter)
    with pytest.raises(FileNotFoundError, match="--base"):
        merge.run(merge.Options(str(adapter), str(tmp_path / "out")))


# --- another base ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other(base, tmp_path_factory):
    """A base of the same kind with other weights, as another phase 1 would leave it."""
    folder = tmp_path_factory.mktemp("models") / "other-llava"
    shutil.copytree(base, folder)
    weights = {name: tensor.clone() for name, tensor in tensors(base).items()}
    for name in weights:
        if "multi_modal_projector" in name or "mlp" in name:
            weights[name] += 0.05
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_another_base_is_what_the_merged_checkpoint_says_it_is_made_of(phase1, phase2, other, tmp_path):
    output = tmp_path / "out"
    said = merge.run(merge.Options(str(phase2), str(output), base=str(other)))
    assert f"and {other} into" in said
    check, lineage = (json.loads((output / name).read_text()) for name in (CHECK, "lineage.json"))
    revision = open_checkpoint(str(other)).revision
    assert (check["base"], check["base_revision"], check["own_base"]) == ("other-llava", revision, False)
    assert lineage["base_model"] == "other-llava"
    assert [phase["trainable"] for phase in lineage["phases"]] == ["projector", "lora"]  # their data is in it
    assert lineage["phases"][-1]["merged_into"] == revision
    assert "already" in merge.run(merge.Options(str(phase2), str(output), base=str(other)))
    for base in (None, str(phase1)):
        with pytest.raises(ValueError, match="holds this adapter merged into another base"):
            merge.run(merge.Options(str(phase2), str(output), base=base))


def test_its_own_base_given_by_hand_changes_nothing(phase1, phase2, merged):
    output, _ = merged
    check = json.loads((output / CHECK).read_text())
    assert (check["base"], check["own_base"]) == ("phase1", True)
    assert "already" in merge.run(merge.Options(str(phase2), str(output), base=str(phase1)))
    with pytest.raises(ValueError, match="merged in float32: choose"):
        merge.run(merge.Options(str(phase2), str(output), dtype="bfloat16"))


def without_model_type(phase2, folder):
    """An adapter of before lineage.json said what it was trained on."""
    shutil.copytree(phase2, folder, ignore=shutil.ignore_patterns("checkpoint-*"))
    lineage = json.loads((folder / "lineage.json").read_text())
    del lineage["phases"][-1]["model_type"]
    (folder / "lineage.json").write_text(json.dumps(lineage))
    return folder


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "not noted"])
def test_a_base_of_another_family_is_one_line(phase2, base_next, tmp_path, noted):
    adapter = phase2 if noted else without_model_type(phase2, tmp_path / "adapter")
    with pytest.raises(ValueError, match=r"a llava_next|a LlavaNextProcessor") as error:
        merge.run(merge.Options(str(adapter), str(tmp_path / "out"), base=str(base_next)))
    assert str(error.value).endswith("give the checkpoint that it was trained on with `--base`")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("num_hidden_layers", 2, "is not there"),
        ("intermediate_size", 96, "has another size"),
        ("hidden_size", 64, "has"),
    ],
)
def test_a_base_of_another_size_is_one_line(phase2, base, tmp_path, key, value, fault):
    config = AutoConfig.from_pretrained(base)
    setattr(config.text_config, key, value)
    config.text_config.head_dim = config.text_config.hidden_size // config.text_config.num_attention_heads
    AutoModelForImageTextToText.from_config(config).save_pretrained(tmp_path / "small")
    with pytest.raises(ValueError, match=f"does not fit .*small: .*{fault}") as error:
        merge.run(merge.Options(str(phase2), str(tmp_path / "out"), base=str(tmp_path / "small")))
    assert "\n" not in str(error.value)
