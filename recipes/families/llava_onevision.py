"""LLaVA-OneVision as llava-hf has it: SigLIP, a projector of two linears, and Qwen2.

A picture is an overview and a grid of up to 6 × 6 tiles; the features of more than 9 tiles are scaled down to those of
9 (`vision_aspect_ratio: anyres_max_9`).
"""

from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    ProcessorMixin,
)

from recipes.families import tiny
from recipes.families.chatml import END_OF_TURN, PADDING, TOKENS, chat_template
from recipes.families.family import Family, Limits, PictureWork, Tiny
from recipes.families.llava import drop_grids, patches_of_tile, projector_numbers, tiles_of_largest_grid, unread

TILE_PX = 384
MOST_FEATURE_TILES = 9  # of anyres_max_9
IMAGE, VIDEO = "<image>", "<video>"


def _released() -> LlavaOnevisionConfig:
    text = {
        "model_type": "qwen2",
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "max_position_embeddings": 32768,
    }
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 26,
        "num_attention_heads": 16,
        "image_size": TILE_PX,
        "patch_size": 14,
        "vision_use_head": False,
    }
    return LlavaOnevisionConfig(text_config=text, vision_config=vision)


def _set_up(processor: ProcessorMixin, config: PreTrainedConfig, limits: Limits) -> None:
    """Drop the grids of more than `max_grid_tiles` tiles, of `config` too. Raises ValueError if none is left."""
    limits.refuse(size=True)
    if limits.max_grid_tiles is not None:
        drop_grids(processor, config, limits.max_grid_tiles)


def _picture_work(config: PreTrainedConfig, _limits: Limits) -> PictureWork:
    patches, tiles = patches_of_tile(config), tiles_of_largest_grid(config)
    return PictureWork(1 + tiles, patches, (1 + min(tiles, MOST_FEATURE_TILES)) * patches)


# --- the tiny one ----------------------------------------------------------------------------------------------------


def _tiny_tokenizer(texts: list[str]) -> PreTrainedTokenizerBase:
    return tiny.byte_tokenizer(texts, [*TOKENS, IMAGE, VIDEO], end_of_turn=END_OF_TURN, padding=PADDING)


def _tiny_config(tokenizer: PreTrainedTokenizerBase) -> LlavaOnevisionConfig:
    side = tiny.IMAGE_SIDE_PX
    return LlavaOnevisionConfig(
        vision_config={"model_type": "siglip_vision_model", "vision_use_head": False, **tiny.vision_sizes()},
        text_config={"model_type": "qwen2", **tiny.text_sizes(len(tokenizer)), **tiny.ends(tokenizer)},
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        video_token_index=tokenizer.convert_tokens_to_ids(VIDEO),
        image_grid_pinpoints=[[side, 2 * side], [2 * side, side], [2 * side, 2 * side]],
        vision_feature_layer=-1,
    )


def _tiny_processor(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> ProcessorMixin:
    size = {"height": tiny.IMAGE_SIDE_PX, "width": tiny.IMAGE_SIDE_PX}
    return LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=config.image_grid_pinpoints),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=patches_of_tile(config),
        vision_feature_select_strategy="full",
        chat_template=chat_template(IMAGE),
    )


LLAVA_ONEVISION = Family(
    model_type="llava_onevision",
    projector=("multi_modal_projector",),
    vision_tower=("vision_tower",),
    language_model="language_model",
    image_text=IMAGE,
    blank_side_px=TILE_PX,
    released={"llava-hf/llava-onevision-qwen2-7b-ov-hf": _released},
    set_up_processor=_set_up,
    picture_work=_picture_work,
    projector_numbers=projector_numbers,
    tiny=Tiny(_tiny_tokenizer, _tiny_config, _tiny_processor),
    unread=unread,
)
