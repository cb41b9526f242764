"""`ldrt judge RUN --against OTHER`: which of two runs' answers is better, asked in both orders."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypedDict

from dataset_builder.llm.requests import Request
from evaluation.judgements import Verdict, answer_sha256
from evaluation.judging import rubric
from evaluation.judging.asking import Judge, describe
from evaluation.metrics.judge.judge_core import parse_verdict
from evaluation.run_folder import Evidence, Place, Prediction, place

_RUBRIC = "pairwise"
_TIE = "tie"
WINS = {"run": 1.0, _TIE: 0.5, "other": 0.0}  # what an outcome adds to the win rate
VERDICT_SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": ["1", "2", _TIE]}},
    "required": ["reason", "verdict"],
    "additionalProperties": False,
}


class Tally(TypedDict):
    """Counts of answers that have a verdict in both orders, and what the order does to them."""

    n: int
    run: int  # wins in both orders
    other: int
    tie: int  # all else
    consistent: float | None  # share with the same verdict in both orders
    first: float | None  # share of the verdicts without a tie that go to the answer read first; 0.5 is fair
    unscored: int  # answers without both verdicts


def pair_answers(
    ours: list[Prediction], theirs: list[Prediction], run: str, other: str
) -> list[tuple[Prediction, Prediction]]:
    """The two runs' answers to the same questions, in the order of `ours`.

    Raises ValueError, naming the folders `run` and `other`, where there are none or the questions differ.
    """
    by_place = {place(record): record for record in theirs if record["prediction"] is not None}
    pairs = [(record, by_place[place(record)]) for record in ours if place(record) in by_place]
    if not pairs:
        raise ValueError(f"{run} and {other} have no answers to the same questions")
    for our, their in pairs:
        if our["question"] != their["question"] or our["reference"] != their["reference"]:
            raise ValueError(f"question or reference of {our['example_id']} differ between the two runs")
    return pairs


def verdict_requests(
    pairs: list[tuple[Prediction, Prediction]], evidence: dict[str, Evidence], judge: Judge, rubrics: Path
) -> list[Request]:
    """Two requests a pair: this run's answer first, then second. Raises FileNotFoundError without a pairwise.md."""
    used = rubric.load(_RUBRIC, rubrics)
    asked = []
    for ours, theirs in pairs:
        our_answer, their_answer = ours["prediction"] or "", theirs["prediction"] or ""
        about = describe(ours, judge, used.sha256) | {
            "answer_sha256": answer_sha256(our_answer),
            "other_answer_sha256": answer_sha256(their_answer),
            "other_model": theirs["model"],
            "other_revision": theirs["revision"],
        }
        orders = {"first": (our_answer, their_answer), "second": (their_answer, our_answer)}
        for order, (first, second) in orders.items():
            of_figure = evidence.get(ours["figure_id"])
            messages = used.messages(ours, of_figure, answer_1=first, answer_2=second)
            shown = rubric.shown_texts(ours, of_figure, answer_1=first, answer_2=second)
            parse = partial(read_verdict, order, shown=shown)
            asked.append(Request(messages, about | {"order": order}, parse, VERDICT_SCHEMA))
    return asked


def read_verdict(order: str, reply: str, shown: Sequence[str] = ()) -> str:
    """run, other or tie, by the reply's verdict; what it only quotes of the texts that it was `shown` is none.

    `order` says whether RUN's answer stood first or second. Raises ValueError, with the reason, where there is no
    verdict.
    """
    found = parse_verdict(reply, shown)
    if found == _TIE:
        return _TIE
    return "run" if (found == "1") == (order == "first") else "other"


def tally(records: Iterable[Verdict]) -> Tally:
    """What the verdicts come to; `records` are of one judge and one pair of runs."""
    verdicts = _by_answer(records)
    both = [(found["first"], found["second"]) for found in verdicts.values() if len(found) == 2]
    counts = Counter(_outcome(*pair) for pair in both)
    for_the_first = [first == "run" for first, _ in both if first != _TIE]
    for_the_first += [second == "other" for _, second in both if second != _TIE]
    return {
        "n": len(both),
        "run": counts["run"],
        "other": counts["other"],
        "tie": counts[_TIE],
        "consistent": _share([first == second for first, second in both]),
        "first": _share(for_the_first),
        "unscored": len(verdicts) - len(both),
    }


def outcomes(records: Iterable[Verdict]) -> dict[Place, str]:
    """run, other or tie, of the answers that have a verdict in both orders; `records` as for `tally`."""
    of_answers = _by_answer(records)
    return {place: _outcome(found["first"], found["second"]) for place, found in of_answers.items() if len(found) == 2}


def _by_answer(records: Iterable[Verdict]) -> dict[Place, dict[str, str]]:
    """Of each answer: order -> verdict."""
    verdicts: dict[Place, dict[str, str]] = {}
    for record in records:
        of_answer = verdicts.setdefault((record["image_condition"], record["example_id"]), {})
        if record["status"] == "ok" and record["verdict"] is not None:
            of_answer[record["order"]] = record["verdict"]
    return verdicts


def _outcome(first: str, second: str) -> str:
    """A win counts where both orders agree."""
    return first if first == second else _TIE


def _share(found: list[bool]) -> float | None:
    return sum(found) / len(found) if found else None


def tally_text(found: Tally, judge: str, run: str, other: str) -> str:
    """Two lines for the terminal; `run` and `other` are the folders as given."""
    return (
        f"{judge}: {run} better in {found['run']} of {found['n']} answers, {other} in {found['other']}, neither in "
        f"{found['tie']}; {found['unscored']} without both verdicts\n"
        f"the same verdict in both orders: {_percent(found['consistent'])}; for the answer read first: "
        f"{_percent(found['first'])} of the verdicts"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
