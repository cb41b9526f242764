"""LLaVA v1.5 and v1.6 (LLaVA-NeXT) as llava-hf has them: CLIP, a projector of two linears, and a Llama.

v1.5 sees one square; v1.6 an overview and a grid of tiles, chosen by the picture's shape.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaImageProcessor,
    LlavaNextConfig,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    LlavaProcessor,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    ProcessorMixin,
)

from recipes.families import tiny
from recipes.families.family import Family, Limits, PictureWork, Tiny
from recipes.project_files import project_file


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


TEMPLATE = "recipes/templates/vicuna_v1.jinja"
CLIP_LARGE_336 = VisionSize(1024, 4096, layers=24, heads=16, image_side_px=336, patch_side_px=14)
VICUNA_7B = TextSize(4096, 11008, layers=32, heads=32, vocabulary=32064, max_tokens=4096)
VICUNA_13B = TextSize(5120, 13824, layers=40, heads=40, vocabulary=32064, max_tokens=4096)
CLASS_TOKENS = 1  # of CLIP


def _hub_name(name: str) -> str:
    """A weight's name in the llava-hf repositories.

    A model made from a configuration saves `vision_tower.embeddings…`, the Hub's have `vision_tower.vision_model.…`.
    """
    return name.replace("vision_tower.", "vision_tower.vision_model.")


# --- configurations --------------------------------------------------------------------------------------------------


def llava_config(text: TextSize, vision: VisionSize) -> LlavaConfig:
    return LlavaConfig(text_config=_text_config(text), vision_config=_vision_config(vision))


def llava_next_config(text: TextSize, vision: VisionSize) -> LlavaNextConfig:
    return LlavaNextConfig(text_config=_text_config(text), vision_config=_vision_config(vision))


def _text_config(size: TextSize) -> LlamaConfig:
    return LlamaConfig(
        hidden_size=size.width,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        vocab_size=size.vocabulary,
        max_position_embeddings=size.max_tokens,
    )


def _vision_config(size: VisionSize) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=size.width,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        image_size=size.image_side_px,
        patch_size=size.patch_side_px,
    )


# --- pictures --------------------------------------------------------------------------------------------------------


def _set_up_llava(processor: ProcessorMixin, config: PreTrainedConfig, limits: Limits) -> None:
    """Pad pictures to a square. `max_grid_tiles` says nothing here: there are no grids.

    The default centre crop loses the outer parts of a wide figure; LLaVA v1.5 was trained with pictures padded to a
    square with CLIP's mean colour (haotian-liu/LLaVA, `--image_aspect_ratio pad`).
    """
    limits.refuse(size=True)
    _set_up_tokens(processor, config)
    processor.image_processor.do_pad = True


def _set_up_llava_next(processor: ProcessorMixin, config: PreTrainedConfig, limits: Limits) -> None:
    """Drop the grids of more than `max_grid_tiles` tiles, of `config` too. Raises ValueError if none is left."""
    limits.refuse(size=True)
    _set_up_tokens(processor, config)
    if limits.max_grid_tiles is not None:
        drop_grids(processor, config, limits.max_grid_tiles)


def drop_grids(processor: ProcessorMixin, config: PreTrainedConfig, max_grid_tiles: int) -> None:
    """Drop the image grids of more than so many tiles. Raises ValueError if none is left."""
    most_px = max_grid_tiles * config.vision_config.image_size**2
    grids = [grid for grid in config.image_grid_pinpoints if grid[0] * grid[1] <= most_px]
    if not grids:
        raise ValueError(f"max_grid_tiles {max_grid_tiles} leaves no image grid of {config.image_grid_pinpoints}")
    config.image_grid_pinpoints = processor.image_processor.image_grid_pinpoints = grids


def _set_up_tokens(processor: ProcessorMixin, config: PreTrainedConfig) -> None:
    """What the processor counts image tokens with: older checkpoints do not say it."""
    processor.patch_size = config.vision_config.patch_size
    processor.vision_feature_select_strategy = config.vision_feature_select_strategy
    processor.num_additional_image_tokens = CLASS_TOKENS


def patches_of_tile(config: PreTrainedConfig) -> int:
    """Patches of a tile of a tower with square tiles."""
    vision = config.vision_config
    return (vision.image_size // vision.patch_size) ** 2


def _one_tile(config: PreTrainedConfig, _limits: Limits) -> PictureWork:
    patches = patches_of_tile(config)
    return PictureWork(1, patches + CLASS_TOKENS, patches)


def _largest_grid(config: PreTrainedConfig, _limits: Limits) -> PictureWork:
    """The overview and the largest grid: 5 tiles with LLaVA-NeXT's own grids."""
    patches, tiles = patches_of_tile(config), 1 + tiles_of_largest_grid(config)
    return PictureWork(tiles, patches + CLASS_TOKENS, tiles * patches)


def tiles_of_largest_grid(config: PreTrainedConfig) -> int:
    side = config.vision_config.image_size
    return max((height // side) * (width // side) for height, width in config.image_grid_pinpoints)


def unread(config: PreTrainedConfig) -> list[str]:
    """The layers of CLIP or SigLIP behind the last one that `vision_feature_layer` reads (LLaVA: the last but one), and
    what comes after all layers."""
    chosen, layers = config.vision_feature_layer, config.vision_config.num_hidden_layers
    numbers = [chosen] if isinstance(chosen, int) else chosen
    last = max(number if number >= 0 else layers + 1 + number for number in numbers)  # 0: what goes into the first
    behind = [f"vision_tower.encoder.layers.{number}" for number in range(last, layers)]
    return [*behind, "vision_tower.post_layernorm", "vision_tower.head"]


def projector_numbers(config: PreTrainedConfig) -> int:
    """Its input, and the outputs of the first linear, of the activation and of the second linear."""
    return config.vision_config.hidden_size + 3 * config.text_config.hidden_size


# --- the tiny ones ---------------------------------------------------------------------------------------------------

GRIDS = [[1, 2], [2, 1], [2, 2], [3, 1], [1, 3]]  # LLaVA-NeXT's image grids in tiles (rows, columns)


def _tiny_tokenizer(texts: list[str]) -> PreTrainedTokenizerBase:
    template = project_file(TEMPLATE).read_text(encoding="utf-8")
    system_prompt = template.split('{{- " ')[1].split('"')[0]
    return tiny.llama_tokenizer(texts, f"{system_prompt} USER: ASSISTANT:")


def _tiny_config(
    tokenizer: PreTrainedTokenizerBase, make: Callable[..., PreTrainedConfig], **options: object
) -> PreTrainedConfig:
    return make(
        vision_config=CLIPVisionConfig(**tiny.vision_sizes()),  # LLaVA reads the last layer but one: the patches
        text_config=LlamaConfig(**tiny.text_sizes(len(tokenizer)), **tiny.ends(tokenizer)),
        image_token_index=tokenizer.image_token_id,
        image_seq_length=(tiny.IMAGE_SIDE_PX // tiny.PATCH_SIDE_PX) ** 2,
        **options,
    )


def _tiny_next_config(tokenizer: PreTrainedTokenizerBase) -> PreTrainedConfig:
    grids = [[rows * tiny.IMAGE_SIDE_PX, columns * tiny.IMAGE_SIDE_PX] for rows, columns in GRIDS]
    return _tiny_config(tokenizer, LlavaNextConfig, image_grid_pinpoints=grids)


_SIDE = tiny.IMAGE_SIDE_PX
_TINY_TILE = {"size": {"shortest_edge": _SIDE}, "crop_size": {"height": _SIDE, "width": _SIDE}}


def _tiny_processor(tokenizer: PreTrainedTokenizerBase, _config: PreTrainedConfig) -> ProcessorMixin:
    images = LlavaImageProcessor(do_pad=True, **_TINY_TILE)
    return LlavaProcessor(images, tokenizer, **_tiny_processor_options())


def _tiny_next_processor(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> ProcessorMixin:
    images = LlavaNextImageProcessor(image_grid_pinpoints=config.image_grid_pinpoints, **_TINY_TILE)
    return LlavaNextProcessor(images, tokenizer, **_tiny_processor_options())


def _tiny_processor_options() -> dict[str, object]:
    return {
        "patch_size": tiny.PATCH_SIDE_PX,
        "vision_feature_select_strategy": "default",
        "num_additional_image_tokens": CLASS_TOKENS,
        "chat_template": project_file(TEMPLATE).read_text(encoding="utf-8"),
    }


# --- the families ----------------------------------------------------------------------------------------------------

LLAVA = Family(
    model_type="llava",
    projector=("multi_modal_projector",),
    vision_tower=("vision_tower",),
    language_model="language_model",
    chat_template=TEMPLATE,  # that of the llava-hf checkpoints has no end of answer
    align_template="recipes/templates/plain.jinja",
    image_text="<image>",
    blank_side_px=336,  # one tile of v1.6, its fewest tokens; v1.5 takes any side
    released={
        "llava-hf/llava-1.5-7b-hf": partial(llava_config, VICUNA_7B, CLIP_LARGE_336),
        "llava-hf/llava-1.5-13b-hf": partial(llava_config, VICUNA_13B, CLIP_LARGE_336),
    },
    set_up_processor=_set_up_llava,
    picture_work=_one_tile,
    projector_numbers=projector_numbers,
    tiny=Tiny(_tiny_tokenizer, partial(_tiny_config, make=LlavaConfig), _tiny_processor),
    hub_name=_hub_name,
    unread=unread,
)

LLAVA_NEXT = replace(
    LLAVA,
    model_type="llava_next",
    released={"llava-hf/llava-v1.6-vicuna-13b-hf": partial(llava_next_config, VICUNA_13B, CLIP_LARGE_336)},
    set_up_processor=_set_up_llava_next,
    picture_work=_largest_grid,
    tiny=Tiny(_tiny_tokenizer, _tiny_next_config, _tiny_next_processor),
)
