"""Sizes of the tiny models, and the tokenizers that they share."""

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

VOCABULARY = 1024  # tokens, the special ones of the family included or not
IMAGE_SIDE_PX, PATCH_SIDE_PX = 64, 16  # 4 × 4 patches a tile
VISION_WIDTH, VISION_HEADS = 96, 4
WIDTH, LAYERS, HEADS, FEED_FORWARD = 128, 4, 4, 384
HEAD_WIDTH = WIDTH // HEADS
MAX_TOKENS = 1024


def text_sizes(vocabulary: int) -> dict[str, int | float]:
    """Sizes of a tiny language model, by the names that all configurations of transformers have for them."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "intermediate_size": FEED_FORWARD,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "head_dim": HEAD_WIDTH,
        "max_position_embeddings": MAX_TOKENS,
        "initializer_range": 0.05,
    }


def vision_sizes(layers: int = 1) -> dict[str, int]:
    """Sizes of a tiny vision tower, by the names that most configurations have for them."""
    return {
        "hidden_size": VISION_WIDTH,
        "intermediate_size": 2 * VISION_WIDTH,
        "num_hidden_layers": layers,
        "num_attention_heads": VISION_HEADS,
        "image_size": IMAGE_SIDE_PX,
        "patch_size": PATCH_SIDE_PX,
    }


def llama_tokenizer(texts: list[str], prompt: str) -> LlamaTokenizer:
    """BPE with `▁` at word starts and byte fallback; <unk> <s> </s> are 0 1 2.

    `prompt` is what stands around every question, so that its words become tokens.
    """
    learner = Tokenizer(models.BPE(byte_fallback=True))
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    learner.train_from_iterator([*texts, *[prompt] * len(texts)], trainer)
    learnt = json.loads(learner.to_str())["model"]
    return LlamaTokenizer(
        vocab=learnt["vocab"],
        merges=[tuple(merge) for merge in learnt["merges"]],
        pad_token="<pad>",
        add_bos_token=True,
        extra_special_tokens={"image_token": "<image>"},
    )


def byte_tokenizer(
    texts: list[str],
    special: list[str],
    *,
    end_of_turn: str,
    padding: str,
    bos: str | None = None,
    named: dict[str, str] | None = None,
) -> PreTrainedTokenizerFast:
    """Byte-level BPE, as Qwen's and SmolLM's. `special` tokens come first; `named` are those a processor asks for."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    learner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=learner,
        bos_token=bos,
        eos_token=end_of_turn,
        pad_token=padding,
        extra_special_tokens=named or {},
    )


def ends(tokenizer: PreTrainedTokenizerBase) -> dict[str, int | None]:
    """The numbers of a tokenizer's own special tokens, for a configuration."""
    return {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
