"""How fast and for how much money a server may be asked: requests and tokens a minute, the most a run may cost."""

import asyncio
import time
from typing import Any

from dataset_builder.llm.requests import Request, Server
from dataset_builder.llm.tokens import Counted, prompt_tokens, used_tokens

_MINUTE_S = 60.0


class BudgetReached(RuntimeError):
    """The next request could cost more than is left of the run's `max_cost`."""


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
        """Of the tokens that a turn was taken for, so many were not used; less than none: more were."""
        self._next_tokens_at -= n_tokens * self._s_a_token


class Budget:
    """Keeps what a run spends below `server.max_cost`: a request is sent only when its dearest outcome is covered.

    `spent` begins with what another model of the same run was paid.
    """

    def __init__(self, server: Server):
        self._server, self._price, self._max_cost = server, server.price, server.max_cost
        self._max_tokens_out = server.longest_reply
        self._reserved, self._n_reserved = 0.0, 0  # money, and of how many requests
        self._changed = asyncio.Event()
        self._counted = Counted()
        self.spent = server.spent_before
        self.n_paid = 0
        self.is_reached = False

    def tokens_in(self, request: Request) -> float:
        """Tokens of a prompt: as guessed, or more where the server has counted more in those before."""
        return prompt_tokens(request, self._server) * max(1.0, self._counted.times)

    def dearest(self, request: Request) -> float:
        """The most that a request may cost, as far as its prompt's tokens are known."""
        return self._price.of(self.tokens_in(request), self._max_tokens_out)

    def reserve(self, cost: float) -> bool:
        """Whether `cost` is still covered; if so it is put aside until `pay`."""
        if self._max_cost is not None and self.spent + self._reserved + cost > self._max_cost:
            return False
        self._reserved += cost
        self._n_reserved += 1
        return True

    async def take(self, request: Request) -> float | None:
        """What is put aside for the request; None: it is not covered.

        Waits for requests under way, which may cost less than is put aside for them.
        """
        while not self.reserve(cost := self.dearest(request)):
            if not self._n_reserved or self.is_reached:
                self.is_reached = True
                self._changed.set()  # whoever else waits need not
                return None
            self._changed.clear()
            await self._changed.wait()
        return cost

    def pay(self, request: Request, reserved: float, usage: dict[str, Any] | None) -> None:
        """A request has ended: what was put aside for it is free, what it used is spent."""
        self._counted.learn(prompt_tokens(request, self._server), used_tokens(usage)[0])
        self._n_reserved = max(0, self._n_reserved - 1)
        self._reserved = max(0.0, self._reserved - reserved) if self._n_reserved else 0.0
        self.spent += self._price.of(*used_tokens(usage))
        self.n_paid += usage is not None
        self._changed.set()

    def check(self) -> None:
        """Raises BudgetReached, saying how to go on, where a request was not sent for its price."""
        before = self._server.spent_before
        others = f" and {before:.4g} on another model" if before else ""
        if self.is_reached:
            raise BudgetReached(
                f"--max_cost {self._max_cost:g} does not cover the next call: {self.spent - before:.4g} spent on "
                f"{self.n_paid} replies{others}, all kept; nothing else was changed. Run again with a --max_cost for "
                "the rest (--dry_run says what is left)"
            )
