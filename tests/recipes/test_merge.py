"""Merging: the merged checkpoint is the tuned model, and a broken one is refused."""

import json
import shutil

import pytest
import torch
from peft import PeftConfig
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from recipes import merge
from recipes.merging.adapter import CHECK
from tests.recipes.conftest import tensors


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
    assert lineage == json.loads((phase2 / "lineage.json").read_text()) | {"merge": {"dtype": "auto"}}
    check = json.loads((merged[0] / CHECK).read_text())
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
