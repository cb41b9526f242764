"""From a judge's reply to a score between 0 and 10, in plain Python: a reply without a clear score has none."""

import json
import re

LOWEST, HIGHEST = 0, 10
UNSCORED = ("refused", "truncated", "unparsable")

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n\s*```\s*\Z", re.DOTALL)
_QUOTES = "[ \t\"'*_`]*"  # Markdown or JSON around the word and the number
_MENTION = re.compile(rf"\bscore{_QUOTES}[:：=]{_QUOTES}", re.IGNORECASE)
# One number, of ten if anything, and no part of a longer one, of a range ("7-8", "7 or 8") or of a percentage.
_NUMBER = re.compile(
    r"([-−+]?[0-9]+(?:\.[0-9]+)?)(?:\s*(?:/|out\s+of)\s*10)?"
    r"(?![\w%]|[.,][0-9]|\s*(?:/|out\s+of\b|[-–—~]\s*[0-9]|(?:to|or)\s+[0-9]))"
)


def parse_score(reply: str) -> float:
    """The score of a reply: its `score` where it is a JSON object, else the number of the last `SCORE: n`.

    Raises ValueError where there is none, it is not one number ("7-8"), or it is not between 0 and 10: nothing is
    clamped, and nothing earlier in the reply is taken instead.
    """
    score = _of_json(reply)
    if score is None:
        mentions = list(_MENTION.finditer(reply))
        if not mentions:
            raise ValueError("the reply has no `SCORE: n`")
        number = _NUMBER.match(reply, mentions[-1].end())
        if number is None:
            raise ValueError(f"no single number in {reply[mentions[-1].start() :][:60]!r}")
        score = float(number.group(1).replace("−", "-"))
    if not LOWEST <= score <= HIGHEST:
        raise ValueError(f"score {str(score)[:20]} is not between {LOWEST} and {HIGHEST}")
    return float(score)


def judge_scores(replies: list[str | None], finish_reasons: list[str] | None = None) -> list[tuple[float | None, str]]:
    """(score or None, status) of each reply (None: there is none); status is ok, refused, truncated or unparsable.

    `finish_reasons` are the server's (`stop`, `length`, `content_filter`): a reply that was cut has no score, even if
    the part that came has one.
    """
    reasons = ["stop"] * len(replies) if finish_reasons is None else finish_reasons
    return [_score(reply, reason) for reply, reason in zip(replies, reasons, strict=True)]


def mean_score(scored: list[tuple[float | None, str]]) -> dict:
    """What `judge_scores` gives, as `judge_score` (the mean over the scored, None without any), `n` (how many those
    are), `n_unscored` (status -> number) and `scores` (one a reply, None where unscored)."""
    scores, statuses = [score for score, _ in scored], [status for _, status in scored]
    known = [score for score in scores if score is not None]
    return {
        "judge_score": sum(known) / len(known) if known else None,
        "n": len(known),
        "n_unscored": {status: statuses.count(status) for status in UNSCORED},
        "scores": scores,
    }


def _score(reply: str | None, finish_reason: str) -> tuple[float | None, str]:
    if finish_reason in ("length", "content_filter"):
        return None, "truncated" if finish_reason == "length" else "refused"
    try:
        return parse_score(reply or ""), "ok"
    except ValueError:
        return None, "unparsable"


def _of_json(reply: str) -> float | None:
    """The number `score` of a reply that is a JSON object, in a code fence or not; None for any other reply."""
    fenced = _FENCE.match(reply)
    try:
        value = json.loads(fenced.group(1) if fenced else reply)
    except (ValueError, RecursionError):
        return None
    score = value.get("score") if isinstance(value, dict) else None
    return score if isinstance(score, int | float) and not isinstance(score, bool) else None
