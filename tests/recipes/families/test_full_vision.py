"""`trainable: full-vision`: the vision tower learns at its own rate, and nothing else that `lora` leaves alone does."""

import json
import shutil

import pytest
import torch
from peft import get_peft_model
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText
from trl import ModelConfig

import ldrt
from dataset_builder.files.errors import UsageError
from recipes import merge, sft
from recipes.families.find import find_family
from recipes.keys.recipe import VISION_LEARNING_RATE
from recipes.training.examples import ExampleCollator
from recipes.training.model import audit_trainable, check_trained, load_model
from recipes.training.options import DPO, parse
from recipes.training.trainer import freeze_unread, lora_config
from tests.recipes.conftest import options, tensors
from tests.recipes.families.conftest import NAMES
from tests.recipes.families.test_families import processor_of, rows
from trust.checkpoints import open_checkpoint

ADAPTER = "base_model.model."
TOWER = {"trainable": "full-vision", "vision_learning_rate": 1e-3}


@pytest.fixture(scope="module")
def starts(bases, dataset, tmp_path_factory):
    """model_type -> a finished phase 1 with a tower of three layers, of which LLaVA reads two."""
    made = {}

    def start(name):
        if name not in made:
            base = deepen(bases(name), tmp_path_factory.mktemp("deep") / name)
            made[name] = tmp_path_factory.mktemp("phase1") / name
            assert sft.main(options(1, base, dataset, made[name])) == 0
        return made[name]

    return start


def deepen(base, folder):
    shutil.copytree(base, folder)
    config = AutoModelForImageTextToText.from_pretrained(base).config
    family = find_family(config.model_type, "base")
    setattr(config.vision_config, family.vision_layers, 3)
    family.refit(config)
    torch.manual_seed(5)
    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)
    return folder


def adapted(start, name):
    family = find_family(name, name)
    model = load_model(open_checkpoint(str(start)), ModelConfig(), family, "full-vision").train()
    lora = ModelConfig(lora_r=2, lora_dropout=0.0)
    torch.manual_seed(0)
    wrapped = get_peft_model(model, lora_config(lora, family, model.config, "full-vision"))
    freeze_unread(wrapped, family)
    return wrapped, family


@pytest.mark.parametrize("name", NAMES)
def test_all_of_the_tower_that_is_read_gets_a_gradient_with_checkpointing_the_same(starts, name):
    found = {}
    for checkpointing in (False, True):
        model, family = adapted(starts(name), name)
        audit_trainable(model, family, "full-vision")
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
            model.enable_input_require_grads()
        model(**ExampleCollator(processor_of(starts(name)), family)(rows(2))).loss.backward()
        found[checkpointing] = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    of_tower = [n for n in found[False] if family.is_vision_tower(n)]
    assert all(gradient is not None for gradient in found[False].values())
    assert all(found[False][n].any() for n in of_tower)
    assert all(torch.equal(gradient, found[True][n]) for n, gradient in found[False].items())
    copies = [n for n, _ in model.named_parameters() if family.is_vision_tower(n) and ".original_module." in n]
    unread = [n for n in copies if family.is_unread(n, model.config)]
    assert len(copies) - len(unread) == len(of_tower)
    assert bool(unread) == (name in ("llava", "llava_next", "llava_onevision"))


@pytest.mark.parametrize("name", NAMES)
def test_the_tower_moves_the_language_model_does_not_and_merged_is_what_was_trained(starts, dataset, tmp_path, name):
    start, second, merged = starts(name), tmp_path / "phase2", tmp_path / "merged"
    assert sft.main(options(2, start, dataset, second, **TOWER, gradient_checkpointing="true")) == 0
    family = find_family(name, name)
    before, saved = tensors(start), tensors(second)
    beside = {key.removeprefix(ADAPTER): tensor for key, tensor in saved.items() if ".lora_" not in key}
    assert all(family.is_vision_tower(key) or family.is_projector(key) for key in beside)
    merge.run(merge.Options(adapter=str(second), output=str(merged)))
    check = json.loads((merged / "merge.json").read_text())
    assert check["error_std"] < 1e-5 < check["change_std"]
    after = tensors(merged)
    assert set(after) == set(before)
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    config = AutoModelForImageTextToText.from_pretrained(merged).config
    read = {key for key in before if family.is_vision_tower(key) and not family.is_unread(key, config)}
    assert {key for key in moved if family.is_vision_tower(key)} == read
    linears = {key for key in moved if not family.is_vision_tower(key) and not family.is_projector(key)}
    assert all("_proj.weight" in key for key in linears)  # of the language model, what LoRA adapts
    assert len(linears) == 7 * config.text_config.num_hidden_layers
    entry = json.loads((second / "lineage.json").read_text())["phases"][-1]
    assert (entry["trainable"], entry["settings"]["vision_learning_rate"]) == ("full-vision", 1e-3)
    audit = json.loads((second / "trainable.json").read_text())
    assert sum(family.is_vision_tower(tensor["name"]) for tensor in audit["tensors"]) == len(read)


def test_a_run_that_was_cut_goes_on_to_the_same_weights(starts, dataset, tmp_path, capsys):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    words = {**TOWER, "max_steps": 4, "save_strategy": "steps", "save_steps": 2, "weight_decay": 0.1}
    assert sft.main(options(2, starts("llava"), dataset, whole, **words)) == 0
    shutil.copytree(whole, cut)
    for name in ("lineage.json", "adapter_model.safetensors"):
        (cut / name).unlink()
    shutil.rmtree(cut / "checkpoint-4")
    assert sft.main(options(2, starts("llava"), dataset, cut, **words)) == 0
    assert f"continues from {cut / 'checkpoint-2'}" in capsys.readouterr().out
    one, other = (tensors(folder) for folder in (whole, cut))
    assert set(one) == set(other)
    assert all(torch.equal(one[key], other[key]) for key in one)
    half = tensors(whole / "checkpoint-2")
    family = find_family("llava", "llava")
    config = AutoModelForImageTextToText.from_pretrained(starts("llava")).config
    for key in filter(family.is_vision_tower, one):
        is_unread = family.is_unread(key, config)  # weight decay would have moved it
        assert torch.equal(one[key], half[key]) == is_unread


def test_each_part_learns_at_its_own_rate(starts, dataset, tmp_path):
    """A rate of 0 leaves a part where it was, and it alone."""
    before, family = tensors(starts("qwen3_vl")), find_family("qwen3_vl", "qwen3_vl")
    parts = {"vision_learning_rate": family.is_vision_tower, "projector_learning_rate": family.is_projector}
    for rate, is_part in parts.items():
        given = dict.fromkeys(parts, 1e-3) | {rate: 0.0}
        output = tmp_path / rate
        changes = {**given, "trainable": "full-vision", "max_steps": 1, "warmup_steps": 0, "weight_decay": 0.1}
        assert sft.main(options(2, starts("qwen3_vl"), dataset, output, **changes)) == 0
        saved = {key.removeprefix(ADAPTER): tensor for key, tensor in tensors(output).items()}
        for key, tensor in saved.items():
            if ".lora_" not in key:
                assert torch.equal(tensor, before[key]) == is_part(key), key
        assert all(tensor.any() for key, tensor in saved.items() if ".lora_B" in key)


def test_the_rate_is_low_by_default_and_for_this_phase_alone(dataset, tmp_path):
    recipe, _, _ = parse(options(2, "model", dataset, tmp_path, trainable="full-vision"))
    assert recipe.vision_learning_rate == VISION_LEARNING_RATE < 1e-5
    assert parse(options(2, "model", dataset, tmp_path))[0].vision_learning_rate is None
    for phase in (1, 2):
        with pytest.raises(UsageError, match="vision_learning_rate is for `trainable: full-vision`"):
            parse(options(phase, "model", dataset, tmp_path, vision_learning_rate=1e-5))
    with pytest.raises(UsageError, match="vision_learning_rate '-1': give a number, at least 0"):
        parse(options(2, "model", dataset, tmp_path, trainable="full-vision", vision_learning_rate=-1))
    words = ["--config", "recipes/tiny-llava/dpo.yaml", "--vision_learning_rate", "1e-5"]
    with pytest.raises(UsageError, match="the vision tower is not trained here"):
        parse(words, script=DPO)


@pytest.mark.parametrize(
    ("phase", "name", "is_wrong"),
    [
        ("full-vision", "model.vision_tower.modules_to_save.default.encoder.layers.0.mlp.fc1.weight", False),
        ("full-vision", "model.vision_tower.encoder.layers.0.self_attn.q_proj.lora_A.default.weight", True),
        ("full-vision", "model.multi_modal_projector.linear_1.lora_A.default.weight", True),
        ("full-vision", "model.language_model.embed_tokens.weight", True),
        ("lora", "model.vision_tower.modules_to_save.default.encoder.layers.0.mlp.fc1.weight", True),
        ("projector", "model.vision_tower.embeddings.class_embedding", True),
        ("preference", "model.vision_tower.modules_to_save.default.encoder.layers.0.mlp.fc1.weight", True),
    ],
)
def test_the_audit_lets_the_tower_be_trained_whole_and_in_this_phase_alone(phase, name, is_wrong):
    family = find_family("llava", "llava")
    projector = "model.multi_modal_projector.modules_to_save.default.linear_1.weight"
    lora = "model.language_model.layers.0.mlp.up_proj.lora_A.default.weight"
    tower = "model.vision_tower.modules_to_save.default.embeddings.class_embedding"
    given = {"projector": [projector], "lora": [projector, lora], "preference": [lora]}
    names = [*given.get(phase, [tower, projector, lora]), name]
    if not is_wrong:
        check_trained(names, family, phase)
        return
    with pytest.raises(ValueError, match="would train"):
        check_trained(names, family, phase)


def test_the_audit_stops_where_a_part_of_the_tower_is_left_out(starts):
    model, family = adapted(starts("qwen2_5_vl"), "qwen2_5_vl")
    left = model.base_model.model.model.visual.blocks[1].modules_to_save.default.norm1.weight
    left.requires_grad_(False)
    with pytest.raises(ValueError, match=r"would leave out .*blocks\.1\..*norm1\.weight"):
        audit_trainable(model, family, "full-vision")


def test_the_adapter_answers_as_the_merged_model_does(starts, dataset, tmp_path):
    """`ldrt generate` reads the tower out of the adapter: the same answers as the merged checkpoint's."""
    second, merged = tmp_path / "phase2", tmp_path / "merged"
    changes = {**TOWER, "vision_learning_rate": 0.05, "max_steps": 4}
    assert sft.main(options(2, starts("qwen3_vl"), dataset, second, **changes)) == 0
    merge.run(merge.Options(adapter=str(second), output=str(merged)))
    said = {}
    for model in (second, merged):
        run = tmp_path / f"run-{model.name}"
        words = ["generate", "--model", model, "--dataset", dataset, "--output", run, "--max_new_tokens", 8]
        assert ldrt.main([str(word) for word in [*words, "--device", "cpu"]]) == 0
        lines = (run / "predictions.jsonl").read_text().splitlines()
        said[model] = [json.loads(line)["prediction"] for line in lines]
    assert said[second] == said[merged]
    assert all(tensor.numel() for tensor in load_file(second / "adapter_model.safetensors").values())
