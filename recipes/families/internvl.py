"""InternVL 3 as OpenGVLab's `-hf` repositories have it: InternViT, pixel shuffle and a projector, and Qwen2.

A picture is cut into up to 12 tiles and an overview; the processor chooses them, the configuration says nothing.
"""

from transformers import (
    GotOcr2ImageProcessor,
    InternVLConfig,
    InternVLProcessor,
    InternVLVideoProcessor,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    ProcessorMixin,
)

from recipes.families import tiny
from recipes.families.chatml import END_OF_TURN, PADDING, TOKENS, chat_template
from recipes.families.family import Family, Limits, PictureWork, Tiny

TILE_PX = 448
MOST_TILES = 12  # of the grid, the processor's own
IMAGE, IMAGE_START, IMAGE_END, VIDEO = "<IMG_CONTEXT>", "<img>", "</img>", "<video>"
CLASS_TOKENS = 1  # of InternViT


def _released() -> InternVLConfig:
    text = {
        "model_type": "qwen2",
        "vocab_size": 151674,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "max_position_embeddings": 32768,
    }
    vision = {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "attention_bias": True,
        "image_size": [TILE_PX, TILE_PX],
        "patch_size": [14, 14],
    }
    return InternVLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False)


def _set_up(processor: ProcessorMixin, _config: PreTrainedConfig, limits: Limits) -> None:
    limits.refuse(size=True)
    if limits.max_grid_tiles is not None:
        processor.image_processor.max_patches = limits.max_grid_tiles


def _picture_work(config: PreTrainedConfig, limits: Limits) -> PictureWork:
    """The grid, and an overview beside a grid of more than one tile."""
    grid = limits.max_grid_tiles or MOST_TILES
    tiles = grid + 1 if grid > 1 else 1
    return PictureWork(tiles, _patches(config) + CLASS_TOKENS, tiles * config.image_seq_length)


def _patches(config: PreTrainedConfig) -> int:
    height, width = config.vision_config.image_size
    patch_height, patch_width = config.vision_config.patch_size
    return (height // patch_height) * (width // patch_width)


def _projector_numbers(config: PreTrainedConfig) -> int:
    """Its input, normed, and the outputs of the first linear, of the activation and of the second linear."""
    shuffled = config.vision_config.hidden_size * round(1 / config.downsample_ratio) ** 2
    return 2 * shuffled + 3 * config.text_config.hidden_size


def _unread(config: PreTrainedConfig) -> list[str]:
    """A token for hidden patches, and the layers behind the one that is read; -1 is the end of all of them."""
    of_masks, chosen = "vision_tower.embeddings.mask_token", config.vision_feature_layer
    if chosen == -1:
        return [of_masks]
    layers = config.vision_config.num_hidden_layers
    last = chosen if chosen >= 0 else layers + 1 + chosen
    behind = [f"vision_tower.encoder.layer.{number}" for number in range(last, layers)]
    return [of_masks, *behind, "vision_tower.layernorm"]


# --- the tiny one ----------------------------------------------------------------------------------------------------

_SHUFFLE = 0.5  # four patches become one token


def _tiny_tokenizer(texts: list[str]) -> PreTrainedTokenizerBase:
    names = {
        "start_image_token": IMAGE_START,
        "end_image_token": IMAGE_END,
        "context_image_token": IMAGE,
        "video_token": VIDEO,
    }
    return tiny.byte_tokenizer(texts, [*TOKENS, *names.values()], end_of_turn=END_OF_TURN, padding=PADDING, named=names)


def _tiny_config(tokenizer: PreTrainedTokenizerBase) -> InternVLConfig:
    vision = tiny.vision_sizes()
    sides = {name: [vision[name]] * 2 for name in ("image_size", "patch_size")}
    patches = (tiny.IMAGE_SIDE_PX // tiny.PATCH_SIDE_PX) ** 2
    return InternVLConfig(
        vision_config=vision | sides,
        text_config={"model_type": "qwen2", **tiny.text_sizes(len(tokenizer)), **tiny.ends(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=round(patches * _SHUFFLE**2),
        downsample_ratio=_SHUFFLE,
    )


def _tiny_processor(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> ProcessorMixin:
    size = {"height": tiny.IMAGE_SIDE_PX, "width": tiny.IMAGE_SIDE_PX}
    return InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, crop_to_patches=True, max_patches=4),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=size),
        image_seq_length=config.image_seq_length,
        chat_template=chat_template(IMAGE),
    )


INTERNVL = Family(
    model_type="internvl",
    projector=("multi_modal_projector",),
    vision_tower=("vision_tower",),
    language_model="language_model",
    image_text=IMAGE,
    blank_side_px=TILE_PX,
    released={"OpenGVLab/InternVL3-8B-hf": _released},
    set_up_processor=_set_up,
    picture_work=_picture_work,
    projector_numbers=_projector_numbers,
    tiny=Tiny(_tiny_tokenizer, _tiny_config, _tiny_processor),
    unread=_unread,
)
