"""How many tokens a text is for the model that will be trained."""

from dataset_builder.teaching.gate.exam import CountTokens
from trust.checkpoints import LOADING, open_checkpoint

_BYTES_A_TOKEN = 2.5  # of Llama's tokenizer, on the safe side: about 3.3 for English, 4 for Russian, 2 for Chinese


def counter(tokenizer: str | None) -> CountTokens:
    """Counts with the tokenizer of that name (Hub id or folder); by the text's length where none is named.

    Raises FileNotFoundError where there is no such tokenizer, RefusedError for one that is not to be trusted.
    """
    if tokenizer is None:
        return estimated_tokens
    from transformers import AutoTokenizer

    checked = open_checkpoint(tokenizer, with_weights=False)
    known = AutoTokenizer.from_pretrained(checked.folder, **LOADING)
    return lambda text: len(known(text, add_special_tokens=False)["input_ids"])


def estimated_tokens(text: str) -> int:
    """Tokens of a text where no tokenizer is named."""
    return round(len(text.encode()) / _BYTES_A_TOKEN)
