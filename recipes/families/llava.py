"""LLaVA v1.5 and v1.6 (LLaVA-NeXT) as llava-hf has them: CLIP, a projector of two linears, and a Llama.

v1.5 sees one square; v1.6 an overview and a grid of tiles, chosen by the picture's shape.
"""

from dataclasses import replace

from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaNextConfig,
    PreTrainedConfig,
    ProcessorMixin,
)

from recipes.families.family import Family, TextSize, VisionSize

CLIP_LARGE_336 = VisionSize(1024, 4096, layers=24, heads=16, image_side_px=336, patch_side_px=14)
VICUNA_7B = TextSize(4096, 11008, layers=32, heads=32, vocabulary=32064, max_tokens=4096)
VICUNA_13B = TextSize(5120, 13824, layers=40, heads=40, vocabulary=32064, max_tokens=4096)
CLASS_TOKENS = 1  # of CLIP


def hub_name(name: str) -> str:
    """A weight's name in the llava-hf repositories.

    A model made from a configuration saves `vision_tower.embeddings…`, the Hub's have `vision_tower.vision_model.…`.
    """
    return name.replace("vision_tower.", "vision_tower.vision_model.")


# --- configurations --------------------------------------------------------------------------------------------------


def _llava_config(text: TextSize, vision: VisionSize) -> LlavaConfig:
    return LlavaConfig(text_config=_text_config(text), vision_config=_vision_config(vision))


def _llava_next_config(text: TextSize, vision: VisionSize) -> LlavaNextConfig:
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


def _set_up_llava(processor: ProcessorMixin, config: PreTrainedConfig, _max_grid_tiles: int | None) -> None:
    """Pad pictures to a square. `max_grid_tiles` says nothing here: there are no grids.

    The default centre crop loses the outer parts of a wide figure; LLaVA v1.5 was trained with pictures padded to a
    square with CLIP's mean colour (haotian-liu/LLaVA, `--image_aspect_ratio pad`).
    """
    _set_up_tokens(processor, config)
    processor.image_processor.do_pad = True


def _set_up_llava_next(processor: ProcessorMixin, config: PreTrainedConfig, max_grid_tiles: int | None) -> None:
    """Drop the grids of more than `max_grid_tiles` tiles, of `config` too. Raises ValueError if none is left."""
    _set_up_tokens(processor, config)
    if max_grid_tiles is None:
        return
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


def _one_tile(_config: PreTrainedConfig) -> int:
    return 1


def _tiles_of_largest_grid(config: PreTrainedConfig) -> int:
    """The overview and the largest grid: 5 with LLaVA-NeXT's own grids."""
    side = config.vision_config.image_size
    tiles_of_grids = [(height // side) * (width // side) for height, width in config.image_grid_pinpoints]
    return 1 + max(tiles_of_grids)


def _patches(config: PreTrainedConfig) -> int:
    vision = config.vision_config
    return (vision.image_size // vision.patch_size) ** 2


def _projector_numbers(config: PreTrainedConfig) -> int:
    """Its input, and the outputs of the first linear, of the activation and of the second linear."""
    return config.vision_config.hidden_size + 3 * config.text_config.hidden_size


# --- the families ----------------------------------------------------------------------------------------------------

LLAVA = Family(
    model_type="llava",
    projector="multi_modal_projector",
    vision_tower="vision_tower",
    language_model="language_model",
    lm_head="lm_head",
    # By full path: PEFT's "all-linear" and lists of suffixes would adapt the tower's q_proj, k_proj and v_proj too.
    lora_modules=r"model\.language_model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj",
    chat_template="recipes/templates/vicuna_v1.jinja",
    blank_side_px=336,  # one tile of v1.6, its fewest tokens; v1.5 takes any side
    class_tokens=CLASS_TOKENS,
    released={
        "llava-hf/llava-1.5-7b-hf": (VICUNA_7B, CLIP_LARGE_336),
        "llava-hf/llava-1.5-13b-hf": (VICUNA_13B, CLIP_LARGE_336),
    },
    make_config=_llava_config,
    set_up_processor=_set_up_llava,
    most_tiles=_one_tile,
    patches=_patches,
    projector_numbers=_projector_numbers,
)

LLAVA_NEXT = replace(
    LLAVA,
    model_type="llava_next",
    released={"llava-hf/llava-v1.6-vicuna-13b-hf": (VICUNA_13B, CLIP_LARGE_336)},
    make_config=_llava_next_config,
    set_up_processor=_set_up_llava_next,
    most_tiles=_tiles_of_largest_grid,
)
