"""Tiny tokenizers with the special tokens of known model families, and a processor around each."""

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

# family -> (the template's markers beside the special tokens, special tokens, added tokens that are not called special)
FAMILIES = {
    "llava": ("USER: {t} ASSISTANT:", "<unk> <s> </s> <pad> <image>", ""),
    "qwen2_5_vl": (
        "<|im_start|>user\n{t}<|im_end|>",
        "<|endoftext|> <|im_start|> <|im_end|> <|vision_start|> <|vision_end|> <|image_pad|> <|video_pad|>",
        "<tool_call> </tool_call> <|fim_prefix|> <think> </think>",
    ),
    "gemma3": (
        "<start_of_turn>user\n{t}<end_of_turn>",
        "<pad> <eos> <bos> <unk> <start_of_turn> <end_of_turn> <start_of_image> <end_of_image> <image_soft_token>",
        "[multimodal] <unused7> <i> <b> <sub> <table>",
    ),
    "internvl": ("<|im_start|>user\n{t}<|im_end|>", "<|im_end|> <|im_start|> <img> </img> <IMG_CONTEXT> <box>", ""),
    "smolvlm": (
        "User: {t}<end_of_utterance>\nAssistant:",
        "<|im_start|> <end_of_utterance> <image> <fake_token_around_image> <global-img> <row_1_col_1>",
        "",
    ),
    "glm": ("[gMASK]<sop><|user|>{t}", "[gMASK] [MASK] [sMASK] <sop> <eop> <|user|> <|assistant|>", ""),
    "mistral": ("[INST]{t}[/INST]", "<s> </s> [IMG] [IMG_BREAK] [IMG_END] [TOOL_CALLS]", ""),
    "llama2_text": ("[INST] <<SYS>>x<</SYS>> {t} [/INST]", "<unk> <s> </s>", ""),
    "deepseek": ("<｜User｜>{t}", "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜>", ""),
    "bert": ("{t}", "[CLS] [SEP] [MASK] [UNK] [PAD]", ""),
    "words": ("### Human: {t}### Assistant:", "eos_of_text ENDOFTURN", ""),
}


def tokenizer(family: str, normalizer: str | None = None, is_normalized: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer without merges: whatever is no special token is read byte by byte.

    `normalizer` names one of tokenizers' own; `is_normalized` has special tokens found in the text it makes.
    """
    template, special, added = FAMILIES[family]
    letters = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    made = Tokenizer(models.BPE(vocab=letters, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    if normalizer:
        made.normalizer = getattr(normalizers, normalizer)()
    made.add_special_tokens([AddedToken(word, special=True, normalized=is_normalized) for word in special.split()])
    made.add_tokens([AddedToken(word, special=False, normalized=is_normalized) for word in added.split()])
    first, *others = special.split()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token=first, extra_special_tokens=others)
    fast.chat_template = template.replace("{t}", "{{ messages[0]['content'] }}")
    return fast


def special_ids(fast: PreTrainedTokenizerFast) -> set[int]:
    return set(fast.added_tokens_decoder)
