"""What the rest of recipes/ needs to know of a family of vision-language models. Each family fills in one `Family`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from recipes.families.limits import Limits as Limits


@dataclass(frozen=True)
class PictureWork:
    """What the largest picture that goes in costs."""

    tiles: int  # that the vision tower sees, an overview included
    tower_tokens: int  # that the tower works on, of a tile
    image_tokens: int  # that the language model reads, of all tiles

    @property
    def tower_tokens_in_all(self) -> int:
        return self.tiles * self.tower_tokens


@dataclass(frozen=True)
class TowerLayer:
    """What a layer of the vision tower keeps of each token going backward, where it is more than SigLIP's keeps."""

    mlp_outputs: int = (
        2  # as wide as `intermediate_size`: of the first linear and the activation; 4 where it has a gate
    )
    rotated: int = 0  # in fp32, as wide as the tower: queries and keys, before and after they are rotated


@dataclass(frozen=True)
class Tiny:
    """A tiny model of the family, for the demo and the tests: no weights of anybody's, made on the spot."""

    # texts -> a tokenizer trained on them, with the family's special tokens
    make_tokenizer: Callable[[list[str]], PreTrainedTokenizerBase]
    make_config: Callable[[PreTrainedTokenizerBase], PreTrainedConfig]
    make_processor: Callable[[PreTrainedTokenizerBase, PreTrainedConfig], ProcessorMixin]


def _same_name(name: str) -> str:
    return name


def _leave(_config: PreTrainedConfig) -> None:
    pass


def _projector_modules(family: "Family", _config: PreTrainedConfig) -> list[str]:
    return [f"model.{path}" for path in family.projector]


def _tower_modules(family: "Family", _config: PreTrainedConfig) -> list[str]:
    return [f"model.{path}" for path in family.vision_tower]


def _reads_all(_config: PreTrainedConfig) -> list[str]:
    return []


# What PEFT puts into the names of a module that it trains whole: the trained copy, and the one that it leaves alone.
_COPIES = (".modules_to_save.default", ".original_module")


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family, found from `model_type` of its config.json (`find.py`).

    `projector`, `vision_tower` and `language_model` are paths of modules within `model.model`; `lm_head` is the name of
    a module of the model itself. Names of weights, on the Hub and in memory, contain them.
    """

    model_type: str
    projector: tuple[str, ...]  # trained in both phases, and saved with the adapter
    vision_tower: tuple[str, ...]  # frozen, run without a graph; trained under `trainable: full-vision`
    language_model: str
    lm_head: str = "lm_head"
    # Template of questions and answers, a path in the project, where the checkpoints' own trains no end of an answer;
    # None: the checkpoint's own.
    chat_template: str | None = None
    # Template of the rows of phase 1, a path in the project, where the family aligns its projector without a question;
    # None: the chat template, the picture alone asks.
    align_template: str | None = None
    image_text: str  # what stands for a picture in the text
    blank_side_px: int  # side of the blank picture of a batch without pictures: the side with the fewest tokens
    # Hub checkpoints whose shape is known without a network
    released: Mapping[str, Callable[[], PreTrainedConfig]]
    # (processor, configuration, limits): handle pictures as the family was trained; may change both. Raises ValueError
    # where a limit cannot be kept.
    set_up_processor: Callable[[ProcessorMixin, PreTrainedConfig, Limits], None]
    # (configuration, limits): of the largest picture
    picture_work: Callable[[PreTrainedConfig, Limits], PictureWork]
    projector_numbers: Callable[[PreTrainedConfig], int]  # that the projector keeps for each image token going backward
    tiny: Tiny
    # names of the vision tower's layers and heads in its configuration
    vision_layers: str = "num_hidden_layers"
    vision_heads: str = "num_attention_heads"
    # make the numbers of a configuration fit together after its layers or widths were cut
    refit: Callable[[PreTrainedConfig], None] = _leave
    # (family, configuration): the modules that PEFT is to save, by full path
    projector_modules: "Callable[[Family, PreTrainedConfig], list[str]]" = _projector_modules
    # the same of the tower, where it is trained
    tower_modules: "Callable[[Family, PreTrainedConfig], list[str]]" = _tower_modules
    # configuration -> paths of what lies in the tower and has no part in what the projector reads: never trained
    unread: Callable[[PreTrainedConfig], list[str]] = _reads_all
    tower_layer: TowerLayer = TowerLayer()
    # a weight's name as saved -> as the Hub's repositories have it
    hub_name: Callable[[str], str] = _same_name

    @property
    def lora_modules(self) -> str:
        """Regular expression over the full paths of the modules that LoRA adapts.

        By full path: PEFT's "all-linear" and lists of suffixes would adapt the tower's q_proj, k_proj and v_proj too.
        """
        linears = r"(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj"
        return rf"model\.{self.language_model}\.layers\.\d+\.{linears}"

    def is_projector(self, name: str) -> bool:
        """Whether the weight of this name, in memory or in a file, is the projector's."""
        return any(f"{path}." in name for path in self.projector)

    def is_vision_tower(self, name: str) -> bool:
        """Whether the weight of this name is the vision tower's."""
        return any(f"{path}." in name for path in self.vision_tower)

    def is_unread(self, name: str, config: PreTrainedConfig) -> bool:
        """Whether the weight of this name lies in the tower and nothing depends on it."""
        for copy in _COPIES:
            name = name.replace(copy, "")
        return any(f"{path}." in f"{name}." for path in self.unread(config))

    def projectors(self, model: PreTrainedModel) -> list[torch.nn.Module]:
        """The projector's modules of a model that no adapter wraps."""
        return [self.part(model, path) for path in self.projector]

    def towers(self, model: PreTrainedModel) -> list[torch.nn.Module]:
        """The vision tower's modules of a model that no adapter wraps."""
        return [self.part(model, path) for path in self.vision_tower]

    def part(self, model: PreTrainedModel, path: str) -> torch.nn.Module:
        """One module of a model that no adapter wraps."""
        return model.model.get_submodule(path)
