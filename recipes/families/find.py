"""Which family a model is of."""

from transformers import PreTrainedConfig

from recipes.families.family import Family
from recipes.families.gemma3 import GEMMA3
from recipes.families.idefics import IDEFICS3, SMOLVLM
from recipes.families.internvl import INTERNVL
from recipes.families.llava import LLAVA, LLAVA_NEXT
from recipes.families.llava_onevision import LLAVA_ONEVISION
from recipes.families.qwen_vl import QWEN2_5_VL, QWEN3_VL

FAMILIES = (LLAVA, LLAVA_NEXT, LLAVA_ONEVISION, INTERNVL, QWEN2_5_VL, QWEN3_VL, IDEFICS3, SMOLVLM, GEMMA3)


def find_family(model_type: str, model: str) -> Family:
    """The family of that `model_type` (config.json). Raises ValueError, naming the model, where there is none."""
    for family in FAMILIES:
        if family.model_type == model_type:
            return family
    raise ValueError(f"{model} is a {model_type}, not one of {tuple(family.model_type for family in FAMILIES)}")


def released_models() -> list[str]:
    """Hub checkpoints whose shape is known without a network."""
    return [name for family in FAMILIES for name in family.released]


def released_config(name: str) -> PreTrainedConfig:
    """Configuration of one of `released_models`. Raises KeyError for any other."""
    for family in FAMILIES:
        if name in family.released:
            return family.released[name]()
    raise KeyError(name)
