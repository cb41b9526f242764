"""Shapes and commands that the tests of planning share."""

from transformers import AutoConfig
from trl import ModelConfig

from recipes.families.find import find_family, released_config
from recipes.planning.arithmetic import Shape
from recipes.training.trainer import lora_config
from tests.recipes.conftest import ROOT

V15, V16 = "llava-hf/llava-1.5-13b-hf", "llava-hf/llava-v1.6-vicuna-13b-hf"


def known_shape(name: str, trainable: str) -> Shape:
    """The shape of a released checkpoint, with LoRA as in the recipes."""
    return _shape(released_config(name), name, trainable, rank=128, dropout=0.05)


def shape_of(folder, trainable: str, rank: int = 8, dropout: float = 0.05) -> Shape:
    """The shape of a tiny checkpoint."""
    return _shape(AutoConfig.from_pretrained(folder), str(folder), trainable, rank, dropout)


def _shape(config, name: str, trainable: str, rank: int, dropout: float) -> Shape:
    family = find_family(config.model_type, name)
    adapter = None
    if trainable != "projector":
        lora = ModelConfig(lora_r=rank, lora_alpha=2 * rank, lora_dropout=dropout)
        adapter = lora_config(lora, family, config, trainable)
    return Shape(family, config, trainable, adapter)


def command(phase: int, model, dataset, *words) -> list[str]:
    recipe = ROOT / "recipes" / "tiny-llava" / f"phase{phase}.yaml"
    changes = ["--model_name_or_path", str(model), "--dataset_name", str(dataset)]
    return [
        "plan",
        "--config",
        str(recipe),
        "--accelerate",
        str(ROOT / "accelerate_configs/cpu.yaml"),
        *changes,
        *words,
    ]
