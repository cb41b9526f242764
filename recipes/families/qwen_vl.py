"""Qwen2.5-VL and Qwen3-VL: pictures in their own size, a merger that ends the vision tower, Qwen's language model.

The merger makes one token of 2 × 2 patches. It lies inside the tower, so the tower's other parts are frozen each by
itself. Qwen3-VL has more mergers: features of some of the tower's layers go straight to the first layers of the
language model ("deepstack").
"""

from dataclasses import replace

from transformers import (
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    ProcessorMixin,
    Qwen2_5_VLConfig,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from recipes.families import tiny
from recipes.families.chatml import END_OF_TURN, PADDING, TOKENS, chat_template
from recipes.families.family import Family, Limits, PictureWork, Tiny, TowerLayer

START, END, IMAGE, VIDEO = "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"
IMAGE_TEXT = START + IMAGE + END
MOST_IMAGE_TOKENS = 16384  # of a picture, by the processors of the Hub's checkpoints
MERGED = 4  # patches of a token


def _released_2_5() -> Qwen2_5_VLConfig:
    text = {
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "max_position_embeddings": 128000,
    }
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 3584}
    return Qwen2_5_VLConfig(text_config=text, vision_config=vision)


def _released_3() -> Qwen3VLConfig:
    text = {
        "vocab_size": 151936,
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "max_position_embeddings": 262144,
    }
    vision = {
        "depth": 27,
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_heads": 16,
        "out_hidden_size": 4096,
        "num_position_embeddings": 2304,
        "deepstack_visual_indexes": [8, 16, 24],
    }
    return Qwen3VLConfig(text_config=text, vision_config=vision)


def _set_up(processor: ProcessorMixin, config: PreTrainedConfig, limits: Limits) -> None:
    """Shrink pictures of more than `max_image_tokens`: the processor keeps their shape."""
    limits.refuse(grid=True)
    if limits.max_image_tokens is not None:
        side_px = config.vision_config.patch_size * config.vision_config.spatial_merge_size  # of a token
        images = processor.image_processor
        images.size = {**dict(images.size), "longest_edge": limits.max_image_tokens * side_px**2}  # pixels in all


def _picture_work(_config: PreTrainedConfig, limits: Limits) -> PictureWork:
    tokens = limits.max_image_tokens or MOST_IMAGE_TOKENS
    return PictureWork(1, MERGED * tokens, tokens)


def _projector_numbers(config: PreTrainedConfig) -> int:
    """Of each merger its input, normed, and the outputs of the first linear, of the activation and of the second."""
    merged = MERGED * config.vision_config.hidden_size
    mergers = 1 + len(getattr(config.vision_config, "deepstack_visual_indexes", []))
    return mergers * (4 * merged + config.text_config.hidden_size)


def _refit(config: PreTrainedConfig) -> None:
    text, vision = config.text_config, config.vision_config
    vision.out_hidden_size = text.hidden_size
    for name in ("fullatt_block_indexes", "deepstack_visual_indexes"):
        if hasattr(vision, name):
            setattr(vision, name, list(range(vision.depth))[-len(getattr(vision, name)) :])
    of_axis = text.head_dim // 2 * 3 // 8  # of height, of width; time gets what is left of half a head
    text.rope_parameters["mrope_section"] = [text.head_dim // 2 - 2 * of_axis, of_axis, of_axis]


def _tower_modules(family: Family, config: PreTrainedConfig) -> list[str]:
    """PEFT refuses to save a list of modules: each block by its name."""
    *others, blocks = family.vision_tower
    return [f"model.{path}" for path in (*others, *(f"{blocks}.{n}" for n in range(config.vision_config.depth)))]


def _with_deepstack(family: Family, config: PreTrainedConfig) -> list[str]:
    """PEFT refuses to save a list of modules: each merger by its name."""
    merger, deepstack = family.projector
    count = len(config.vision_config.deepstack_visual_indexes)
    return [f"model.{merger}", *(f"model.{deepstack}.{number}" for number in range(count))]


# --- the tiny ones ---------------------------------------------------------------------------------------------------

_ROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}  # halves of a head, three axes
_TINY_SIDE_PX = 4 * tiny.IMAGE_SIDE_PX  # of the largest square picture


def _tiny_tokenizer(texts: list[str]) -> PreTrainedTokenizerBase:
    return tiny.byte_tokenizer(texts, [*TOKENS, START, END, IMAGE, VIDEO], end_of_turn=END_OF_TURN, padding=PADDING)


def _tiny_options(tokenizer: PreTrainedTokenizerBase) -> dict[str, object]:
    ids = {
        "image_token_id": IMAGE,
        "video_token_id": VIDEO,
        "vision_start_token_id": START,
        "vision_end_token_id": END,
    }
    return {
        "text_config": {**tiny.text_sizes(len(tokenizer)), **tiny.ends(tokenizer), "rope_parameters": _ROPE},
        **{name: tokenizer.convert_tokens_to_ids(token) for name, token in ids.items()},
    }


def _tiny_vision(depth: int) -> dict[str, object]:
    return {
        "depth": depth,
        "hidden_size": tiny.VISION_WIDTH,
        "intermediate_size": 2 * tiny.VISION_WIDTH,
        "num_heads": tiny.VISION_HEADS,
        "out_hidden_size": tiny.WIDTH,
        "patch_size": tiny.PATCH_SIDE_PX,
    }


def _tiny_config_2_5(tokenizer: PreTrainedTokenizerBase) -> Qwen2_5_VLConfig:
    vision = {**_tiny_vision(depth=1), "fullatt_block_indexes": [0]}
    return Qwen2_5_VLConfig(vision_config=vision, **_tiny_options(tokenizer))


def _tiny_config_3(tokenizer: PreTrainedTokenizerBase) -> Qwen3VLConfig:
    vision = {**_tiny_vision(depth=2), "deepstack_visual_indexes": [0, 1], "num_position_embeddings": 64}
    return Qwen3VLConfig(vision_config=vision, **_tiny_options(tokenizer))


def _tiny_images() -> Qwen2VLImageProcessor:
    size = {"shortest_edge": tiny.IMAGE_SIDE_PX**2, "longest_edge": _TINY_SIDE_PX**2}
    return Qwen2VLImageProcessor(size=size, patch_size=tiny.PATCH_SIDE_PX)


def _tiny_processor_2_5(tokenizer: PreTrainedTokenizerBase, _config: PreTrainedConfig) -> ProcessorMixin:
    video = Qwen2VLVideoProcessor(patch_size=tiny.PATCH_SIDE_PX)
    return Qwen2_5_VLProcessor(_tiny_images(), tokenizer, video, chat_template=chat_template(IMAGE_TEXT))


def _tiny_processor_3(tokenizer: PreTrainedTokenizerBase, _config: PreTrainedConfig) -> ProcessorMixin:
    video = Qwen3VLVideoProcessor(patch_size=tiny.PATCH_SIDE_PX)
    return Qwen3VLProcessor(_tiny_images(), tokenizer, video, chat_template=chat_template(IMAGE_TEXT))


# --- the families ----------------------------------------------------------------------------------------------------

QWEN2_5_VL = Family(
    model_type="qwen2_5_vl",
    projector=("visual.merger",),
    vision_tower=("visual.patch_embed", "visual.blocks"),
    language_model="language_model",
    image_text=IMAGE_TEXT,
    blank_side_px=56,  # the smallest picture of these processors
    released={"Qwen/Qwen2.5-VL-7B-Instruct": _released_2_5},
    set_up_processor=_set_up,
    picture_work=_picture_work,
    projector_numbers=_projector_numbers,
    tiny=Tiny(_tiny_tokenizer, _tiny_config_2_5, _tiny_processor_2_5),
    vision_layers="depth",
    vision_heads="num_heads",
    refit=_refit,
    tower_modules=_tower_modules,
    tower_layer=TowerLayer(mlp_outputs=4, rotated=4),
)

QWEN3_VL = replace(
    QWEN2_5_VL,
    model_type="qwen3_vl",
    projector=("visual.merger", "visual.deepstack_merger_list"),
    vision_tower=("visual.patch_embed", "visual.pos_embed", "visual.blocks"),
    released={"Qwen/Qwen3-VL-8B-Instruct": _released_3},
    tiny=Tiny(_tiny_tokenizer, _tiny_config_3, _tiny_processor_3),
    projector_modules=_with_deepstack,
    tower_layer=TowerLayer(rotated=4),
)
