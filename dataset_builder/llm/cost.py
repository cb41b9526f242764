"""What the requests that a ledger does not answer yet will cost: calls, tokens, time, money. Nothing is asked."""

import statistics
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.llm.ledger import Index
from dataset_builder.llm.requests import Request, Server
from dataset_builder.llm.tokens import Counted, count_words, picture_rule, picture_tokens, prompt_tokens, used_tokens

_ASSUMED_LATENCY_S = 5.0  # of a call, until the ledger has replies of the same LLM
ASSUMED_REPLY_TOKENS = 250.0  # likewise: a question, an answer of about 150 words, evidence
_LONG_MIN = 120.0  # from here on a time is given in hours


@dataclass(frozen=True)
class Cost:
    """Of the calls still to make; `n_answered` requests need none: they have their answer, or one that was paid for."""

    n_calls: int
    n_answered: int
    n_measured: int  # calls before, by which the latency and the lengths of replies are known
    prompt_words: int
    n_pictures: int
    picture_tokens: float  # of `tokens_in`, as guessed
    tokens_in: float
    tokens_out: float
    latency_s: float  # of one call: the median of those answered, or an assumption
    server: Server

    @property
    def minutes(self) -> float:
        """With the server's `concurrency` calls under way at once, and no more a minute than its limits allow."""
        requests, tokens = self.server.requests_per_minute, self.server.tokens_per_minute
        return max(
            self.n_calls * self.latency_s / self.server.concurrency / 60,
            self.n_calls / requests if requests else 0.0,
            (self.tokens_in + self.tokens_out) / tokens if tokens else 0.0,
        )

    @property
    def money(self) -> float:
        """In the money of the server's `price`."""
        return self.server.price.of(self.tokens_in, self.tokens_out)

    def __str__(self) -> str:
        """One line for a `--dry_run`."""
        source = f"as {self.n_measured} calls before" if self.n_measured else "assumed"
        minutes = self.minutes
        time = f"{minutes:.0f} min" if minutes < _LONG_MIN else f"{minutes / 60:.1f} h"
        return (
            f"{self.n_calls} calls with {self.prompt_words} words{self._pictures_text()} of prompt "
            f"(about {self.tokens_in:.0f} tokens), "
            f"{self.n_answered} already answered; about {time} with {self.server.concurrency} at once and "
            f"{self.latency_s:.1f} s a call ({source}); about {self.tokens_out:.0f} tokens of reply ({source})"
            f"{self._money_text()}"
        )

    def _pictures_text(self) -> str:
        if not self.n_pictures:
            return ""
        guess = f"{picture_rule(self.server).name}: {self.picture_tokens:.0f} tokens"
        return f" and {self.n_pictures} pictures ({'as measured' if self.n_measured else guess})"

    def _money_text(self) -> str:
        price = self.server.price
        if not (price.per_million_in or price.per_million_out):
            return ""
        return f"; about {self.money:.2f} at {price.per_million_in:g} in and {price.per_million_out:g} out a million"


@dataclass
class _Measured:
    """What the calls before were like."""

    server: Server
    latencies_s: array = field(default_factory=lambda: array("d"))
    n: int = 0
    prompts: Counted = field(default_factory=Counted)
    tokens_out: int = 0
    n_counted: int = 0

    def add(self, request: Request, record: dict) -> None:
        self.n += 1
        if record.get("latency_s") is not None:
            self.latencies_s.append(record["latency_s"])
        read, written = used_tokens(record.get("usage"))
        if read and written:
            self.n_counted += 1
            self.prompts.learn(prompt_tokens(request, self.server), read)
            self.tokens_out += written

    @property
    def reply_tokens(self) -> float:
        return self.tokens_out / self.n_counted if self.n_counted else ASSUMED_REPLY_TOKENS

    @property
    def latency_s(self) -> float:
        return statistics.median(self.latencies_s) if self.latencies_s else _ASSUMED_LATENCY_S


def estimate(wanted: Iterable[tuple[str, Request]], ledger: Path, server: Server) -> Cost:
    """The cost of what the ledger does not settle; `wanted` are the requests by their keys in it."""
    index, measured = Index(ledger), _Measured(server)
    n_calls = n_answered = words = n_pictures = 0
    guessed_in = of_pictures = 0.0
    for key, request in wanted:
        record = index.record(key)
        if record and (record["status"] == "ok" or used_tokens(record.get("usage"))[0]):  # whoever was paid tells
            measured.add(request, record)
        if index.is_settled(key, server):
            n_answered += 1
            continue
        n_calls, words, n_pictures = n_calls + 1, words + count_words(request), n_pictures + len(request.picture_sizes)
        guessed_in += prompt_tokens(request, server)
        of_pictures += picture_tokens(request, server)
    return Cost(
        n_calls=n_calls,
        n_answered=n_answered,
        n_measured=measured.n,
        prompt_words=words,
        n_pictures=n_pictures,
        picture_tokens=of_pictures,
        tokens_in=guessed_in * measured.prompts.times,
        tokens_out=n_calls * min(measured.reply_tokens, server.longest_reply),
        latency_s=measured.latency_s,
        server=server,
    )
