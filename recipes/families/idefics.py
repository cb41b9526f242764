"""Idefics3 and SmolVLM: SigLIP, pixel shuffle and one linear ("connector"), and a Llama.

A picture is scaled up to the processor's longest edge and cut into a grid of tiles, with an overview beside it; rows
and columns of the grid are written out as tokens. SmolVLM2's processor needs the package num2words (extra
`smolvlm`); SmolVLM's own checkpoints are Idefics3 by their `model_type`.
"""

import math
from dataclasses import replace
from functools import partial

from transformers import (
    Idefics3Config,
    Idefics3ImageProcessor,
    Idefics3Processor,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    ProcessorMixin,
    SmolVLMConfig,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

from recipes.families import tiny
from recipes.families.family import Family, Limits, PictureWork, Tiny

IMAGE, END_OF_TURN, PADDING = "<image>", "<end_of_utterance>", "<|endoftext|>"
MOST_TILES = 16  # of SmolVLM's grid: 2,048 px by 512
MOST_TOKENS_OF_GRID = 6  # rows and columns that have a token

_TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- message['role'] | capitalize + ':' -}}
{%- if message['content'] is string -%}{{- ' ' + message['content'] -}}{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}{{- '<image>' -}}{%- else -%}{{- ' ' + part['text'] -}}{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<end_of_utterance>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}
"""


def _released(
    make: type[PreTrainedConfig], width: int, feed_forward: int, layers: int, heads: int, key_heads: int
) -> PreTrainedConfig:
    text = {
        "model_type": "llama",
        "vocab_size": 49280,
        "hidden_size": width,
        "intermediate_size": feed_forward,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "max_position_embeddings": 8192,
    }
    vision = {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "image_size": 512,
        "patch_size": 16,
    }
    return make(text_config=text, vision_config=vision, scale_factor=4, tie_word_embeddings=False)


def _set_up(processor: ProcessorMixin, config: PreTrainedConfig, limits: Limits) -> None:
    """`max_grid_tiles` bounds the square grid of a square picture."""
    limits.refuse(size=True)
    if limits.max_grid_tiles is not None:
        edge = config.vision_config.image_size * math.isqrt(limits.max_grid_tiles)
        processor.image_processor.size = {"longest_edge": edge}


def _picture_work(config: PreTrainedConfig, limits: Limits) -> PictureWork:
    grid = math.isqrt(limits.max_grid_tiles or MOST_TILES) ** 2
    tiles = grid + 1 if grid > 1 else 1
    patches = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
    return PictureWork(tiles, patches, tiles * patches // config.scale_factor**2)


def _projector_numbers(config: PreTrainedConfig) -> int:
    """The input and the output of its one linear."""
    return config.vision_config.hidden_size * config.scale_factor**2 + config.text_config.hidden_size


# --- the tiny ones ---------------------------------------------------------------------------------------------------

_SHUFFLE = 2  # 2 × 2 patches become one token


def _tiny_tokenizer(texts: list[str]) -> PreTrainedTokenizerBase:
    names = {
        "image_token": IMAGE,
        "fake_image_token": "<fake_token_around_image>",
        "global_image_token": "<global-img>",
        "end_of_utterance_token": END_OF_TURN,
    }
    places = range(1, MOST_TOKENS_OF_GRID + 1)
    grid = [f"<row_{row}_col_{column}>" for row in places for column in places]
    special = [PADDING, "<|im_start|>", *names.values(), *grid]
    return tiny.byte_tokenizer(
        texts, special, end_of_turn=END_OF_TURN, padding=PADDING, bos="<|im_start|>", named=names
    )


def _tiny_config(tokenizer: PreTrainedTokenizerBase, make: type[PreTrainedConfig]) -> PreTrainedConfig:
    return make(
        vision_config=tiny.vision_sizes(),
        text_config={"model_type": "llama", **tiny.text_sizes(len(tokenizer)), **tiny.ends(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids(IMAGE),
        scale_factor=_SHUFFLE,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )


_TINY_IMAGES = {
    "size": {"longest_edge": 2 * tiny.IMAGE_SIDE_PX},
    "max_image_size": {"longest_edge": tiny.IMAGE_SIDE_PX},
}
_TINY_TILE_TOKENS = (tiny.IMAGE_SIDE_PX // tiny.PATCH_SIDE_PX // _SHUFFLE) ** 2


def _tiny_idefics3(tokenizer: PreTrainedTokenizerBase, _config: PreTrainedConfig) -> ProcessorMixin:
    images = Idefics3ImageProcessor(**_TINY_IMAGES)
    return Idefics3Processor(images, tokenizer, image_seq_len=_TINY_TILE_TOKENS, chat_template=_TEMPLATE)


def _tiny_smolvlm(tokenizer: PreTrainedTokenizerBase, _config: PreTrainedConfig) -> ProcessorMixin:
    images, video = SmolVLMImageProcessor(**_TINY_IMAGES), SmolVLMVideoProcessor()
    return SmolVLMProcessor(images, tokenizer, video, image_seq_len=_TINY_TILE_TOKENS, chat_template=_TEMPLATE)


# --- the families ----------------------------------------------------------------------------------------------------

IDEFICS3 = Family(
    model_type="idefics3",
    projector=("connector",),
    vision_tower=("vision_model",),
    language_model="text_model",
    image_text=IMAGE,
    blank_side_px=64,  # scaled up in any case
    released={
        "HuggingFaceTB/SmolVLM-256M-Instruct": partial(_released, Idefics3Config, 576, 1536, 30, 9, 3),
        "HuggingFaceTB/SmolVLM-500M-Instruct": partial(_released, Idefics3Config, 960, 2560, 32, 15, 5),
    },
    set_up_processor=_set_up,
    picture_work=_picture_work,
    projector_numbers=_projector_numbers,
    tiny=Tiny(_tiny_tokenizer, partial(_tiny_config, make=Idefics3Config), _tiny_idefics3),
)

SMOLVLM = replace(
    IDEFICS3,
    model_type="smolvlm",
    released={
        "HuggingFaceTB/SmolVLM2-256M-Video-Instruct": partial(_released, SmolVLMConfig, 576, 1536, 30, 9, 3),
        "HuggingFaceTB/SmolVLM2-500M-Video-Instruct": partial(_released, SmolVLMConfig, 960, 2560, 32, 15, 5),
    },
    tiny=Tiny(_tiny_tokenizer, partial(_tiny_config, make=SmolVLMConfig), _tiny_smolvlm),
)
