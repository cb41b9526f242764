"""What the rest of recipes/ needs to know of a family of vision-language models. Each family fills in one `Family`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from transformers import PreTrainedConfig, PreTrainedModel, ProcessorMixin


@dataclass(frozen=True)
class TextSize:
    """Dimensions of a language model."""

    width: int
    feed_forward: int
    layers: int
    heads: int
    vocabulary: int
    max_tokens: int  # positions that it was made for


@dataclass(frozen=True)
class VisionSize:
    """Dimensions of a vision tower."""

    width: int
    feed_forward: int
    layers: int
    heads: int
    image_side_px: int  # of a tile
    patch_side_px: int


@dataclass(frozen=True)
class Family:
    """One family, found from `model_type` of its config.json (`find.py`).

    `projector`, `vision_tower` and `language_model` are names of modules within `model.model`; `lm_head` is the name of
    a module of the model itself. Names of weights, on the Hub and in memory, contain them.
    """

    model_type: str
    projector: str
    vision_tower: str
    language_model: str
    lm_head: str
    lora_modules: str  # regular expression over the full paths of the modules that LoRA adapts
    chat_template: str  # template of questions and answers, a path in the project
    blank_side_px: int  # side of the blank picture of a batch without pictures: the side with the fewest tokens
    class_tokens: int  # tokens that the vision tower works on beside the patches
    # Hub checkpoints whose shape is known without a network
    released: Mapping[str, tuple[TextSize, VisionSize]]
    make_config: Callable[[TextSize, VisionSize], PreTrainedConfig]
    # (processor, configuration, max_grid_tiles): handle pictures as the family was trained; may change both
    set_up_processor: Callable[[ProcessorMixin, PreTrainedConfig, int | None], None]
    most_tiles: Callable[[PreTrainedConfig], int]  # that a picture is cut to, an overview included
    patches: Callable[[PreTrainedConfig], int]  # of a tile, each an image token
    projector_numbers: Callable[[PreTrainedConfig], int]  # that the projector keeps for each image token going backward

    def part(self, model: PreTrainedModel, name: str) -> torch.nn.Module:
        """The projector, vision tower or language model of a model that no adapter wraps."""
        return model.model.get_submodule(name)
