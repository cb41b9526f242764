"""From a judge's reply to a score between 0 and 10, or to the better of two answers, in plain Python.

A reply without a clear verdict has none, and the reason is named. What is read is in `claims.py`.
"""

from collections import Counter
from collections.abc import Sequence

from .claims import verdict_of
from .grammar import SCORE, VERDICT, UnreadableError

UNSCORED = ("refused", "truncated", "unparsable")


def parse_score(reply: str, shown: Sequence[str] = ()) -> float:
    """The score of a reply, 0 to 10; `shown` are the texts (answer, reference, caption, …) that the judge had.

    Raises UnreadableError (a ValueError), with the reason, where there is not one clear score: nothing is clamped,
    nothing is read out of prose, and what is only quoted from `shown` does not count.
    """
    return float(verdict_of(reply, SCORE, shown))


def parse_verdict(reply: str, shown: Sequence[str] = ()) -> str:
    """ "1", "2" or "tie": the better of two answers, by the same rules. Raises UnreadableError."""
    return str(verdict_of(reply, VERDICT, shown))


def judge_scores(
    replies: list[str | None],
    finish_reasons: list[str] | None = None,
    shown: list[list[str]] | None = None,
) -> list[tuple[float | None, str, str | None]]:
    """(score or None, status, reason or None) of each reply (None: there is none).

    The status is ok, refused, truncated or unparsable; an unparsable reply has a reason. `finish_reasons` are the
    server's (`stop`, `length`, `content_filter`): a reply that was cut has no score, even if the part that came has
    one. `shown`: for each reply the texts that the judge was shown.
    """
    reasons = ["stop"] * len(replies) if finish_reasons is None else finish_reasons
    texts: list[list[str]] = [[] for _ in replies] if shown is None else shown
    return [_score(*one) for one in zip(replies, reasons, texts, strict=True)]


def mean_score(scored: list[tuple[float | None, str, str | None]]) -> dict:
    """What `judge_scores` gives, as `judge_score` (the mean over the scored, None without any), `n` (how many those
    are), `n_unscored` (status -> number), `unparsable` (reason -> number) and `scores` (one a reply, None where
    unscored)."""
    scores, statuses = [score for score, _, _ in scored], [status for _, status, _ in scored]
    known = [score for score in scores if score is not None]
    return {
        "judge_score": sum(known) / len(known) if known else None,
        "n": len(known),
        "n_unscored": {status: statuses.count(status) for status in UNSCORED},
        "unparsable": dict(Counter(reason for _, _, reason in scored if reason is not None)),
        "scores": scores,
    }


def _score(reply: str | None, finish_reason: str, shown: Sequence[str]) -> tuple[float | None, str, str | None]:
    if finish_reason in ("length", "content_filter"):
        return None, "truncated" if finish_reason == "length" else "refused", None
    try:
        return parse_score(reply or "", shown), "ok", None
    except UnreadableError as error:
        return None, "unparsable", error.reason
