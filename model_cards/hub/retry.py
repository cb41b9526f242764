"""Asking the Hub again after what passes: a 503, a 429, a connection that broke."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx
from huggingface_hub.errors import HfHubHTTPError

from model_cards.hub.repo import HubError
from model_cards.hub.session import is_transient

ATTEMPTS = 5  # with 1, 2, 4, 8 s between them
RETRIED = (HfHubHTTPError, httpx.HTTPError, RuntimeError, ConnectionError)  # LFS raises RuntimeError, Xet both others
T = TypeVar("T")


def retried(call: Callable[[], T]) -> T:
    """What `call` returns, which may be made twice without harm; raises what its last attempt raises."""
    attempt = 1
    while True:
        try:
            return call()
        except HubError:  # our own verdict
            raise
        except RETRIED as error:
            if attempt == ATTEMPTS or not is_transient(error):
                raise
        wait(attempt)
        attempt += 1


def wait(attempt: int) -> None:
    """The pause after the attempt of this number, counted from 1."""
    time.sleep(2 ** (attempt - 1))
