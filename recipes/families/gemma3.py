"""Gemma 3 with eyes, MedGemma among them: SigLIP, a pooled projector and Gemma's language model.

Every picture becomes one square of 896 px and 256 tokens. The tokens of a picture see each other in both directions
(`token_type_ids`).
"""

from transformers import (
    Gemma3Config,
    Gemma3ImageProcessor,
    Gemma3Processor,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    ProcessorMixin,
)

from recipes.families import tiny
from recipes.families.family import Family, Limits, PictureWork, Tiny

TILE_PX = 896
START, END, SOFT = "<start_of_image>", "<end_of_image>", "<image_soft_token>"
END_OF_TURN = "<end_of_turn>"

_TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\\n' -}}
{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}{{- '<start_of_image>' -}}{%- else -%}{{- part['text'] -}}{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<end_of_turn>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}
"""


def _released() -> Gemma3Config:
    text = {
        "vocab_size": 262208,
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "sliding_window": 1024,
        "max_position_embeddings": 131072,
    }
    vision = {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "image_size": TILE_PX,
        "patch_size": 14,
        "vision_use_head": False,
    }
    return Gemma3Config(text_config=text, vision_config=vision)


def _set_up(_processor: ProcessorMixin, _config: PreTrainedConfig, limits: Limits) -> None:
    limits.refuse(grid=True, size=True)


def _picture_work(config: PreTrainedConfig, _limits: Limits) -> PictureWork:
    patches = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
    return PictureWork(1, patches, config.mm_tokens_per_image)


def _projector_numbers(config: PreTrainedConfig) -> int:
    """The pooled input, normed, and the output of its one matrix."""
    return 2 * config.vision_config.hidden_size + config.text_config.hidden_size


def _unread(_config: PreTrainedConfig) -> list[str]:
    return ["vision_tower.head"]  # SigLIP's, where it is kept


def _refit(config: PreTrainedConfig) -> None:
    text = config.text_config
    text.layer_types = text.layer_types[: text.num_hidden_layers]


# --- the tiny one ----------------------------------------------------------------------------------------------------

_POOLED = 4  # tokens of a picture


def _tiny_tokenizer(texts: list[str]) -> PreTrainedTokenizerBase:
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", END_OF_TURN, START, END, SOFT]
    return tiny.byte_tokenizer(
        texts,
        special,
        end_of_turn=END_OF_TURN,
        padding="<pad>",
        bos="<bos>",
        named={"image_token": SOFT, "boi_token": START, "eoi_token": END},
    )


def _tiny_config(tokenizer: PreTrainedTokenizerBase) -> Gemma3Config:
    layers = ["sliding_attention"] * (tiny.LAYERS - 1) + ["full_attention"]
    text = {**tiny.text_sizes(len(tokenizer)), **tiny.ends(tokenizer), "sliding_window": 512, "layer_types": layers}
    ids = {"image_token_index": SOFT, "boi_token_index": START, "eoi_token_index": END}
    return Gemma3Config(
        vision_config={"vision_use_head": False, **tiny.vision_sizes()},
        text_config=text | {"query_pre_attn_scalar": tiny.HEAD_WIDTH},
        mm_tokens_per_image=_POOLED,
        **{name: tokenizer.convert_tokens_to_ids(token) for name, token in ids.items()},
    )


def _tiny_processor(tokenizer: PreTrainedTokenizerBase, _config: PreTrainedConfig) -> ProcessorMixin:
    images = Gemma3ImageProcessor(size={"height": tiny.IMAGE_SIDE_PX, "width": tiny.IMAGE_SIDE_PX})
    return Gemma3Processor(images, tokenizer, chat_template=_TEMPLATE, image_seq_length=_POOLED)


GEMMA3 = Family(
    model_type="gemma3",
    projector=("multi_modal_projector",),
    vision_tower=("vision_tower",),
    language_model="language_model",
    image_text=START,
    blank_side_px=TILE_PX,
    released={"google/medgemma-4b-it": _released, "google/gemma-3-4b-it": _released},
    set_up_processor=_set_up,
    picture_work=_picture_work,
    projector_numbers=_projector_numbers,
    tiny=Tiny(_tiny_tokenizer, _tiny_config, _tiny_processor),
    refit=_refit,
    unread=_unread,
)
