"""What an LLM is asked: the server that gets the question, the question, and the quoting of strangers' text in it."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trust.errors import UsageError

# What starts and ends our blocks and the special tokens of chat templates: <|im_end|>, </s>, [INST], [gMASK], [/inst] …
# and the characters that a tokenizer's normalizer makes the same of. Not [3], [18F].
_MARKUP = re.compile(r"[<>＜＞﹤﹥≮≯]|[\[［](?=/?[^\W\d]\w*[\]］])")
_LENGTHS = ("max_tokens", "max_completion_tokens")  # names of the longest reply's length
_OURS = ("model", "messages", "n", "stream")  # fields of a request that `Server.request` must leave alone
_MILLION = 1e6  # tokens that a price is for


@dataclass(frozen=True)
class Price:
    """Money, of whatever currency, for a million tokens."""

    per_million_in: float = 0.0
    per_million_out: float = 0.0

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """What these tokens cost."""
        return (tokens_in * self.per_million_in + tokens_out * self.per_million_out) / _MILLION


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible server, how to sample from it, and how fast and for how much it may be asked.

    The API key comes from the environment variable `OPENAI_API_KEY` (servers without keys ignore it). `request` has
    fields of the request's body that are added to ours or replace them, None for one that is not sent: some models
    refuse `temperature`, or want `max_completion_tokens` in place of `max_tokens`.
    """

    base_url: str
    model: str
    revision: str | None = None
    temperature: float = 0.0
    max_tokens: int = 1024
    concurrency: int = 16
    timeout_s: float = 300.0
    max_retries: int = 5
    request: Mapping[str, Any] = field(default_factory=dict)
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None  # of prompts and replies
    price: Price = Price()
    max_cost: float | None = None  # of one run, in the money of `price`
    spent_before: float = 0.0  # of it, by another model of the same run
    picture_tokens: float | None = None  # of one picture; None: by the rule of the model's makers (tokens.py)
    retry_unparsable: bool = False  # ask again what was answered, and paid for, but cannot be read

    def __post_init__(self) -> None:
        """Raises ValueError for a `request` with what is not a matter of sampling."""
        if wrong := [name for name in _OURS if name in self.request]:
            raise UsageError(f"{', '.join(wrong)} cannot be set by --request: leave it out")

    @property
    def sampling(self) -> dict[str, Any]:
        """The fields of a request's body beside the model, the messages and the form of the reply."""
        fields: dict[str, Any] = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        if any(name in self.request for name in _LENGTHS):
            del fields["max_tokens"]
        return {name: value for name, value in (fields | dict(self.request)).items() if value is not None}

    @property
    def longest_reply(self) -> int:
        """Tokens that a reply has at most; a guess where the server is not told."""
        return max((self.sampling[name] for name in _LENGTHS if name in self.sampling), default=self.max_tokens)

    def key(self, request: "Request") -> str:
        """The request's key in a ledger of this server."""
        others = {name: value for name, value in self.sampling.items() if name not in _LENGTHS}
        temperature = others.pop("temperature", None)
        return request.key(self.model, self.revision, temperature, others)


@dataclass(frozen=True)
class Request:
    """One question to the LLM and how to read its reply.

    `about` (JSON values) stands in the record of the reply and is part of the request's identity. `parse` makes a JSON
    value of the reply's text and raises ValueError for text that it cannot use. `schema`, a JSON schema of the reply,
    is sent to servers that honour it; it decides the reply's form, not what it says, and is no part of the identity.
    `picture_sizes`, width and height in pixels of each picture in the messages, say how many tokens these are.
    """

    messages: list[dict]
    about: dict = field(default_factory=dict)
    parse: Callable[[str], object] = str
    schema: Mapping[str, Any] | None = None
    picture_sizes: Sequence[tuple[int, int]] = ()

    def key(
        self,
        model: str,
        revision: str | None,
        temperature: float | None,
        others: Mapping[str, Any] | None = None,
    ) -> str:
        """sha256 of all that a whole reply depends on; `max_tokens` only decides whether it is whole.

        `others` are sampling parameters beside the temperature.
        """
        asked: list = [[model, revision, temperature], self.messages, self.about]
        text = json.dumps([*asked, dict(others)] if others else asked, sort_keys=True)
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
