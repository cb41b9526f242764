"""How fast and for how much money a server may be asked: requests and tokens a minute, the most a run may cost."""

import asyncio
import re
import time
from collections.abc import Iterable
from typing import Any

from dataset_builder.llm.requests import Request, Server

_TOKENS_PER_WORD = 1.5  # a rough guess: names, numbers and long medical words take several tokens
_DENSE = re.compile(r"[\u2e80-\U0003ffff]")  # scripts without spaces between words: about a token a character
_MINUTE_S = 60.0


class BudgetReached(RuntimeError):
    """The next request could cost more than is left of the run's `max_cost`."""


def count_words(request: Request) -> int:
    """Words of the prompt, between white space."""
    return sum(len(text.split()) for text in _texts(request))


def prompt_tokens(request: Request) -> float:
    """A guess at the tokens of the prompt's text; pictures count nothing."""
    n_dense = sum(len(_DENSE.findall(text)) for text in _texts(request))
    return count_words(request) * _TOKENS_PER_WORD + n_dense


def used_tokens(usage: dict[str, Any] | None) -> tuple[int, int]:
    """(tokens in, tokens out) as a server reports them; zeros where it does not."""
    counts = [usage.get(name) if isinstance(usage, dict) else 0 for name in ("prompt_tokens", "completion_tokens")]
    read, written = (count if isinstance(count, int) else 0 for count in counts)
    return read, written


class Pace:
    """Spaces requests evenly, so that in no minute there are more of them, or of their tokens, than is allowed."""

    def __init__(self, server: Server):
        self._s_a_request = _MINUTE_S / server.requests_per_minute if server.requests_per_minute else 0.0
        self._s_a_token = _MINUTE_S / server.tokens_per_minute if server.tokens_per_minute else 0.0
        self._next_request_at = self._next_tokens_at = 0.0  # of the monotonic clock

    async def turn(self, n_tokens: float) -> None:
        """Wait until a request with so many tokens (prompt and longest reply) may be sent."""
        now = time.monotonic()
        start = max(now, self._next_request_at, self._next_tokens_at)
        self._next_request_at = start + self._s_a_request
        self._next_tokens_at = start + n_tokens * self._s_a_token
        if start > now:
            await asyncio.sleep(start - now)

    def give_back(self, n_tokens: float) -> None:
        """Of the tokens that a turn was taken for, so many were not used."""
        self._next_tokens_at -= n_tokens * self._s_a_token


class Budget:
    """Keeps what a run spends below `server.max_cost`: a request is sent only when its dearest outcome is covered."""

    def __init__(self, server: Server):
        self._price, self._max_cost = server.price, server.max_cost
        self._max_tokens_out = server.longest_reply
        self._reserved, self._n_reserved = 0.0, 0  # money, and of how many requests
        self._changed = asyncio.Event()
        self.spent = 0.0
        self.n_paid = 0
        self.is_reached = False

    def dearest(self, request: Request) -> float:
        """The most that a request may cost, as far as its prompt's tokens can be guessed."""
        return self._price.of(prompt_tokens(request), self._max_tokens_out)

    def reserve(self, cost: float) -> bool:
        """Whether `cost` is still covered; if so it is put aside until `pay`."""
        if self._max_cost is not None and self.spent + self._reserved + cost > self._max_cost:
            return False
        self._reserved += cost
        self._n_reserved += 1
        return True

    async def take(self, cost: float) -> bool:
        """As `reserve`; waits for requests under way, which may cost less than is put aside for them."""
        while not self.reserve(cost):
            if not self._n_reserved or self.is_reached:
                self.is_reached = True
                self._changed.set()  # whoever else waits need not
                return False
            self._changed.clear()
            await self._changed.wait()
        return True

    def pay(self, reserved: float, usage: dict[str, Any] | None) -> None:
        """A request has ended: what was put aside for it is free, what it used is spent."""
        self._n_reserved = max(0, self._n_reserved - 1)
        self._reserved = max(0.0, self._reserved - reserved) if self._n_reserved else 0.0
        self.spent += self._price.of(*used_tokens(usage))
        self.n_paid += usage is not None
        self._changed.set()

    def check(self) -> None:
        """Raises BudgetReached, saying how to go on, where a request was not sent for its price."""
        if self.is_reached:
            raise BudgetReached(
                f"--max_cost {self._max_cost:g} does not cover the next call: {self.spent:.4g} spent on {self.n_paid} "
                "replies, all kept; nothing else was changed. Run again with a --max_cost for the rest "
                "(--dry_run true says what is left)"
            )


def _texts(request: Request) -> Iterable[str]:
    for message in request.messages:
        content = message["content"]
        parts = [{"text": content}] if isinstance(content, str) else content
        yield from (part["text"] for part in parts if "text" in part)
