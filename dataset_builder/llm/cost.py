"""What the requests that a ledger does not answer yet will cost: calls, words, time. Nothing is asked."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from dataset_builder.llm.ledger import answered, is_ok
from dataset_builder.llm.requests import Request

_TOKENS_PER_WORD = 1.5  # a rough guess: names, numbers and long medical words take several tokens
_ASSUMED_LATENCY_S = 5.0  # of a call, until the ledger has replies of the same LLM


@dataclass(frozen=True)
class Cost:
    """Of the calls still to make; `n_answered` requests have their answer and cost nothing."""

    n_calls: int
    n_answered: int
    prompt_words: int
    latency_s: float  # of one call: the median of those answered, or an assumption
    at_once: int  # calls under way at the same time

    def __str__(self) -> str:
        """One line for a `--dry_run`."""
        tokens = round(self.prompt_words * _TOKENS_PER_WORD)
        minutes = self.n_calls * self.latency_s / self.at_once / 60
        source = f"as {self.n_answered} calls before" if self.n_answered else "assumed"
        return (
            f"{self.n_calls} calls with {self.prompt_words} words of prompt (about {tokens} tokens), {self.n_answered} "
            f"already answered; about {minutes:.0f} min with {self.at_once} at once and {self.latency_s:.1f} s a call "
            f"({source})"
        )


def estimate(wanted: dict[str, Request], ledger: Path, at_once: int) -> Cost:
    """The cost of what the ledger has no `ok` record of; `wanted` are the requests by their keys in it."""
    records = answered(ledger, wanted)
    left = [request for key, request in wanted.items() if not is_ok(records, key)]
    latencies_s = [record["latency_s"] for key, record in records.items() if is_ok(records, key)]
    return Cost(
        n_calls=len(left),
        n_answered=len(latencies_s),
        prompt_words=sum(map(_count_words, left)),
        latency_s=statistics.median(latencies_s) if latencies_s else _ASSUMED_LATENCY_S,
        at_once=at_once,
    )


def _count_words(request: Request) -> int:
    return sum(len(message["content"].split()) for message in request.messages)
