"""What the requests that a ledger does not answer yet will cost: calls, tokens, time, money. Nothing is asked."""

import statistics
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.llm.index import Index
from dataset_builder.llm.limits import count_words, prompt_tokens, used_tokens
from dataset_builder.llm.requests import Request, Server

_ASSUMED_LATENCY_S = 5.0  # of a call, until the ledger has replies of the same LLM
_ASSUMED_REPLY_TOKENS = 250.0  # likewise: a question, an answer of about 150 words, evidence
_LONG_MIN = 120.0  # from here on a time is given in hours


@dataclass(frozen=True)
class Cost:
    """Of the calls still to make; `n_answered` requests have their answer and cost nothing."""

    n_calls: int
    n_answered: int
    prompt_words: int
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
        source = f"as {self.n_answered} calls before" if self.n_answered else "assumed"
        minutes = self.minutes
        time = f"{minutes:.0f} min" if minutes < _LONG_MIN else f"{minutes / 60:.1f} h"
        return (
            f"{self.n_calls} calls with {self.prompt_words} words of prompt (about {self.tokens_in:.0f} tokens), "
            f"{self.n_answered} already answered; about {time} with {self.server.concurrency} at once and "
            f"{self.latency_s:.1f} s a call ({source}); about {self.tokens_out:.0f} tokens of reply ({source})"
            f"{self._money_text()}"
        )

    def _money_text(self) -> str:
        price = self.server.price
        if not (price.per_million_in or price.per_million_out):
            return ""
        return f"; about {self.money:.2f} at {price.per_million_in:g} in and {price.per_million_out:g} out a million"


@dataclass
class _Measured:
    """What the calls before were like."""

    latencies_s: array = field(default_factory=lambda: array("d"))
    n: int = 0
    guessed_in: float = 0.0  # of the prompts that the server counted the tokens of
    tokens_in: int = 0
    tokens_out: int = 0
    n_counted: int = 0

    def add(self, request: Request, record: dict) -> None:
        self.n += 1
        if record.get("latency_s") is not None:
            self.latencies_s.append(record["latency_s"])
        read, written = used_tokens(record.get("usage"))
        if read and written:
            self.n_counted += 1
            self.guessed_in += prompt_tokens(request)
            self.tokens_in += read
            self.tokens_out += written


def estimate(wanted: Iterable[tuple[str, Request]], ledger: Path, server: Server) -> Cost:
    """The cost of what the ledger has no `ok` record of; `wanted` are the requests by their keys in it."""
    index, measured = Index(ledger), _Measured()
    n_calls, words, guessed_in = 0, 0, 0.0
    for key, request in wanted:
        record = index.record(key) if index.is_ok(key) else None
        if record:
            measured.add(request, record)
        else:
            n_calls, words, guessed_in = n_calls + 1, words + count_words(request), guessed_in + prompt_tokens(request)
    has_counts = bool(measured.n_counted and measured.guessed_in)
    longer = measured.tokens_in / measured.guessed_in if has_counts else 1.0
    reply_tokens = measured.tokens_out / measured.n_counted if has_counts else _ASSUMED_REPLY_TOKENS
    return Cost(
        n_calls=n_calls,
        n_answered=measured.n,
        prompt_words=words,
        tokens_in=guessed_in * longer,
        tokens_out=n_calls * min(reply_tokens, server.longest_reply),
        latency_s=statistics.median(measured.latencies_s) if measured.latencies_s else _ASSUMED_LATENCY_S,
        server=server,
    )
