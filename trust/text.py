"""Strangers' text that a tokenizer, a processor or a chat template would take for its own: `<image>`, `</s>`, `[INST]`.

One cleaner takes the power out of such words and leaves them readable: their brackets and colons become look-alikes
(`LOOKALIKES`: `<image>` -> `‹image›`, `[gMASK]` -> `⟦gMASK⟧`, `USER:` -> `USER∶`). Everything else stays as it is.

    clean(text)                                  # no processor is known yet: the words of common chat formats
    cleaner_of(processor, template).clean(text)  # all special and added tokens of this processor
    cleaned(messages, clean)                     # a whole conversation, with either of them
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, cached_property, lru_cache
from typing import Any

from lxml.html.defs import tags as HTML_TAGS

# None of them has a compatibility decomposition, so no tokenizer's normalizer turns them back into ASCII.
LOOKALIKES = {"<": "‹", ">": "›", "[": "⟦", "]": "⟧", "{": "❴", "}": "❵", ":": "∶"}
SPLITTER = "·"  # goes into a special token that has none of these characters
ROUNDS = 8  # of asking the tokenizer again; one does unless its normalizer is a strange one

# Words of the chat formats and picture placeholders in use, for text whose reader is not known yet. Tags of HTML other
# than <s> and <img>, and what looks like prose ([CLS] in an article about BERT), are no part of it.
_COMMON = re.compile(
    r"""
      <\|[^<>|\s]{1,64}\|>                      # <|im_end|>, <|eot_id|>, <|image_pad|>
    | <｜[^<>\s]{1,64}｜>                        # <｜end▁of▁sentence｜>
    | </?(?:s|unk|pad|bos|eos|eot|eod|sop|eop|mask|sep|cls|image|img|video|audio|think|tool)>
    | </?[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)+>  # <end_of_turn>, <IMG_CONTEXT>, <row_1_col_2>, <global-img>
    | <(?:loc|seg|unused|extra_id_|reserved_)\d+>
    | <</?SYS>>
    | \[/?(?:INST|IMG|IMG_BREAK|IMG_END|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|SYSTEM_PROMPT|[gs]MASK)\]
    """,
    re.VERBOSE,
)

# What a chat template writes besides special tokens: words in brackets, and who speaks.
_IN_TEMPLATE = re.compile(
    r"<{1,2}/?[^<>\s{}'\"%]{1,64}>{1,2}"
    r"|\[/?(?=[a-z_]*[A-Z])[A-Za-z_]{3,64}\]"
    r"|\#{2,}\s\w+:"
    r"|\b(?:USER|ASSISTANT|SYSTEM|HUMAN|BOT|GPT|User|Assistant|System|Human|Bot):"
)
_TEMPLATE_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_MARKER = re.compile(r"[<\[{|].*[>\]}|]", re.DOTALL)  # the shape of added tokens that are not called special
_NOT_PLAIN = re.compile(r"[^\x20-\x7e\s]")


def clean(text: str) -> str:
    """`text` in which the words of common chat formats are no special tokens any more."""
    return _COMMON.sub(lambda match: _disarmed(match[0]), text)


def cleaned(messages: list[dict], clean: Callable[[str], str] = clean) -> list[dict]:
    """A conversation with its texts (strings, parts of lists; roles, too) cleaned by `clean`; None stays None."""
    return [{key: _content(value, clean) for key, value in message.items()} for message in messages]


def _content(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [part | {"text": clean(part["text"])} if part.get("text") else part for part in value]
    return value


class Cleaner:
    """What one processor, or one tokenizer, must not find in strangers' text."""

    def __init__(self, tokenizer: Any, tokens: Iterable[str], words: Iterable[str] = ()):
        """`tokens` are those that the tokenizer makes special, `words` others that mean something to its model."""
        self._tokenizer = tokenizer
        self._tokens = {token.strip() for token in tokens if len(token.strip()) > 1}
        known = {*self._tokens, *words}
        self._spelt = _any_of(_as_pattern(word) for word in known if not word.isalnum())
        self._suspicious = _any_of(_digits_free(_folded(word)) for word in known)

    def clean(self, text: str) -> str:
        """`text` of which the tokenizer makes no special token, and in which no marker of the template is left."""
        if not self._suspicious.search(_folded(text)):
            return text
        text = self._spelt.sub(lambda match: _disarmed(match[0]), text)
        for _ in range(ROUNDS if self._reader else 0):
            spans = self._special_spans(text)
            if not spans:
                break
            for start, end in reversed(spans):
                text = text[:start] + _disarmed(text[start:end]) + text[end:]
        return text

    @cached_property
    def _reader(self) -> Any:
        """A tokenizer of our own, so that no other thread changes its padding meanwhile; None for a slow one.

        Made when the first text looks suspicious: copying a large vocabulary takes a second.
        """
        if not self._tokenizer.is_fast:
            return None
        reader = type(self._tokenizer.backend_tokenizer).from_str(self._tokenizer.backend_tokenizer.to_str())
        reader.no_truncation()
        reader.no_padding()
        return reader

    @cached_property
    def _ids(self) -> set[int]:
        """The tokens by number; not that for unknown words, which any text may have."""
        ids = set(self._tokenizer.convert_tokens_to_ids(sorted(self._tokens)))
        return ids - {self._tokenizer.unk_token_id, None}

    def _special_spans(self, text: str) -> list[tuple[int, int]]:
        """(first, end) characters of what the tokenizer makes special tokens of."""
        read = self._reader.encode(text, add_special_tokens=False)
        found = zip(read.ids, read.offsets, strict=True)
        return [span for number, span in found if number in self._ids and span[1] > span[0]]


def cleaner_of(processor: Any, template: str | None = None) -> Cleaner:
    """The cleaner for a processor of transformers, or a tokenizer alone.

    It knows the tokenizer's special tokens, its added ones that look like markup (Gemma's `<i>` and runs of spaces do
    not), the processor's own for pictures, and what the chat template (`template`, None: the processor's) writes.
    """
    written = template or processor.chat_template or ""
    return _cleaner(processor, written if isinstance(written, str) else "\n".join(written.values()))


@lru_cache(maxsize=16)
def _cleaner(processor: Any, template: str) -> Cleaner:
    tokenizer = getattr(processor, "tokenizer", processor)
    tokens = {token.content for token in tokenizer.added_tokens_decoder.values() if _is_markup(token)}
    tokens |= set(tokenizer.all_special_tokens)
    own = {str(value) for name, value in vars(processor).items() if _names_a_token(name) and value and _is_text(value)}
    return Cleaner(tokenizer, tokens | own, template_words(template))


def template_words(template: str) -> set[str]:
    """The markers that a chat template writes as plain text: `[INST]`, `<|user|>`, `USER:`."""
    return set(_IN_TEMPLATE.findall(_TEMPLATE_COMMENT.sub("", template)))


def _is_markup(token: Any) -> bool:
    name = token.content.strip("</>").lower()
    return token.special or (bool(_MARKER.fullmatch(token.content)) and name not in HTML_TAGS)


def _names_a_token(attribute: str) -> bool:
    """`image_token`, `boi_token`, `fake_image_token`, `global_image_tag` of a processor."""
    return attribute.endswith(("_token", "_tag"))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or hasattr(value, "content")  # tokenizers.AddedToken


def _disarmed(marker: str) -> str:
    """The same to the eye, and no marker any more."""
    plain = "".join(LOOKALIKES.get(character, character) for character in marker)
    if plain != marker:
        return plain
    first = len(marker) - len(marker.lstrip()) + 1
    return marker[:first] + SPLITTER + marker[first:]


def _as_pattern(word: str) -> str:
    """A word that says who speaks counts at its beginning alone: `USER:`, not `ENDUSER:`."""
    return (r"(?<!\w)" if word[0].isalnum() else "") + _digits_free(word)


def _digits_free(word: str) -> str:
    """The pattern of a word, whatever its numbers: Gemma has 6,242 tokens `<unused…>`, each too slow to look for."""
    return re.sub(r"[0-9]+", "[0-9]+", re.escape(word))


def _any_of(patterns: Iterable[str]) -> re.Pattern:
    """Matches any of the patterns, the longest first; nothing where there are none."""
    longest_first = sorted(set(patterns), key=lambda pattern: (-len(pattern), pattern))
    return re.compile("|".join(longest_first) or r"(?!)")


def _folded(text: str) -> str:
    """`text` as normalizers of tokenizers may see it: compatibility forms, no accents, nothing hidden, lower case."""
    return _NOT_PLAIN.sub(lambda match: _folded_character(match[0]), text).lower()


@cache
def _folded_character(character: str) -> str:
    kept = (c for c in unicodedata.normalize("NFKD", character) if unicodedata.category(c) not in ("Mn", "Cf", "Cc"))
    return "".join(kept)
