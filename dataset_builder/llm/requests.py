"""What an LLM is asked: the server that gets the question, the question, and the quoting of strangers' text in it."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

# What starts and ends our blocks and the special tokens of chat templates: <|im_end|>, </s>, [INST], [gMASK], [/inst] …
# and the characters that a tokenizer's normalizer makes the same of. Not [3], [18F].
_MARKUP = re.compile(r"[<>＜＞﹤﹥≮≯]|[\[［](?=/?[^\W\d]\w*[\]］])")


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible server and how to sample from it. The API key comes from the environment variable
    `OPENAI_API_KEY` (servers without keys ignore it)."""

    base_url: str
    model: str
    revision: str | None = None
    temperature: float = 0.0
    max_tokens: int = 1024
    concurrency: int = 16
    timeout_s: float = 300.0
    max_retries: int = 5


@dataclass(frozen=True)
class Request:
    """One question to the LLM and how to read its reply.

    `about` (JSON values) stands in the record of the reply and is part of the request's identity. `parse` makes a JSON
    value of the reply's text and raises ValueError for text that it cannot use.
    """

    messages: list[dict]
    about: dict = field(default_factory=dict)
    parse: Callable[[str], object] = str

    def key(self, model: str, revision: str | None, temperature: float) -> str:
        """sha256 of all that a whole reply depends on; `max_tokens` only decides whether it is whole."""
        text = json.dumps([[model, revision, temperature], self.messages, self.about], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def by_key(requests: Iterable[Request], model: str, revision: str | None, temperature: float) -> dict[str, Request]:
    """key -> request, in their order: how the ledger of `model` knows them."""
    return {request.key(model, revision, temperature): request for request in requests}


def quote(value) -> str:
    """Text (or a list of texts, or None) of strangers as JSON on one line, for a prompt's block `<<<NAME … NAME>>>`.

    No text can end the block or its own line, nor write a special token of a chat template: besides what JSON asks for,
    `<`, `>`, the bracket of `[INST]` and its like, and all that does not print (line separators, direction marks,
    hidden characters) are escaped as \\uXXXX. json.loads gives the value back.
    """
    text = json.dumps(value, ensure_ascii=False)
    text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return _MARKUP.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
