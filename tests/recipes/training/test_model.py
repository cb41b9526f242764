"""The model of a phase: what is frozen, what is adapted, which attention, 4 bits; and what is refused."""

import json
import shutil

import pytest
import torch
from peft import get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForImageTextToText, LlamaConfig, LlavaForConditionalGeneration
from trl import ModelConfig

from recipes import sft
from recipes.families.find import released_config
from recipes.families.llava import LLAVA, LLAVA_NEXT
from recipes.training import model as room
from recipes.training.model import audit_trainable, load_model, read_family
from recipes.training.trainer import lora_config
from tests.recipes.conftest import PROJECTOR, moved_share, options, tensors
from trust.checkpoints import open_checkpoint


def test_the_vision_tower_gives_its_features_without_a_graph(base):
    model = load_model(open_checkpoint(str(base)), ModelConfig(), LLAVA, "projector")
    plain = AutoModelForImageTextToText.from_pretrained(base)
    model.gradient_checkpointing_enable()
    model.enable_input_require_grads()
    pixels = torch.randn(2, 3, 64, 64)
    features = model.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-2]
    assert torch.equal(features, plain.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-2])
    assert features.grad_fn is None


def test_lora_adapts_the_280_linears_of_a_13b_language_model():
    """LLaVA-1.5-13B at its true shape, without memory; also the tower's q_proj, k_proj and v_proj stay as they are."""
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(released_config("llava-hf/llava-1.5-13b-hf"))
        adapted = get_peft_model(model, lora_config(ModelConfig(lora_r=128, lora_alpha=256), LLAVA, model.config))
    names = [name for name, module in adapted.named_modules() if hasattr(module, "lora_A")]
    assert len(names) == 280
    assert not any("vision_tower" in name for name in names)
    audit = audit_trainable(adapted, LLAVA, "lora")
    assert audit["parameters"] == 500_695_040 + 31_467_520  # LoRA r=128, projector


def test_four_bits_without_bitsandbytes_say_what_to_install(base, monkeypatch):
    monkeypatch.setattr(room, "is_bitsandbytes_available", lambda: False)
    with pytest.raises(RuntimeError, match=r"load_in_4bit needs bitsandbytes: pip install 'ldrt-vlm\[gpu\]'"):
        load_model(open_checkpoint(str(base)), ModelConfig(load_in_4bit=True), LLAVA, "lora")


def test_four_bits_are_for_the_language_model_alone(phase1, dataset, tmp_path):
    bitsandbytes = pytest.importorskip("bitsandbytes")
    args = ModelConfig(load_in_4bit=True)
    model = load_model(open_checkpoint(str(phase1)), args, LLAVA, "lora")
    packed = [name for name, module in model.named_modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    assert len(packed) == 28
    assert all(".language_model.layers." in name for name in packed)
    sft.main(options(2, phase1, dataset, tmp_path, load_in_4bit="true"))
    before, after = tensors(phase1), tensors(tmp_path)
    assert sum("lora_B" in name and tensor.norm() > 0 for name, tensor in after.items()) == 28
    for name in PROJECTOR:
        assert moved_share(before[name], after[f"base_model.model.model.{name}"]) > 0.99
    audits = [json.loads((folder / "trainable.json").read_text()) for folder in (tmp_path, phase1)]
    assert audits[0]["of"] - audits[0]["parameters"] == audits[1]["of"]  # counted unpacked, projector once more


def test_flash_attention_falls_back_to_sdpa_with_one_line(base, monkeypatch):
    monkeypatch.setattr(room, "is_flash_attn_2_available", lambda: False)
    said = []
    args = ModelConfig(attn_implementation="flash_attention_2")
    model = load_model(open_checkpoint(str(base)), args, LLAVA, "projector", said.append)
    assert model.config._attn_implementation == "sdpa"
    assert len(said) == 1
    assert "SDPA" in said[0]


def test_the_family_is_that_of_the_config(base, base_next):
    assert read_family(open_checkpoint(str(base))) is LLAVA
    assert read_family(open_checkpoint(str(base_next))) is LLAVA_NEXT


def test_a_model_of_no_known_family_is_refused(tmp_path):
    LlamaConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"is a llama, not one of \('llava', 'llava_next', "):
        read_family(open_checkpoint(str(tmp_path), with_weights=False))
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"model_type": "brandnew_vl"}))  # nor does transformers
    with pytest.raises(ValueError, match=r"is a brandnew_vl, not one of \('llava', "):
        read_family(open_checkpoint(str(tmp_path), with_weights=False))


def test_a_phase_that_would_train_the_vision_tower_is_a_fault(base):
    model = load_model(open_checkpoint(str(base)), ModelConfig(), LLAVA, "projector")
    model.model.vision_tower.requires_grad_(True)
    with pytest.raises(ValueError, match="would train .*vision_tower"):
        audit_trainable(model, LLAVA, "projector")
    model.requires_grad_(False)
    with pytest.raises(ValueError, match="would train no projector"):
        audit_trainable(model, LLAVA, "projector")


@pytest.mark.parametrize(
    ("part", "end"),
    [("multi_modal_projector.linear_1.bias", "linear_1.bias"), ("language_model.model.norm.weight", "norm.weight")],
)
def test_a_checkpoint_that_lacks_weights_is_refused(base, tmp_path, part, end):
    """Transformers would draw them by chance and go on with a warning."""
    folder = tmp_path / "torn"
    shutil.copytree(base, folder)
    (file,) = folder.glob("*.safetensors")
    kept = {name: tensor for name, tensor in tensors(base).items() if name != part}
    assert len(kept) == len(tensors(base)) - 1
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=f"torn lacks 1 of its model's weights .*{end}"):
        load_model(open_checkpoint(str(folder)), ModelConfig(), LLAVA, "projector")
