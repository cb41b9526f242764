"""What the judges' verdicts come to, pair by pair: a preferred answer, or why there is none."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from evaluation.judgements import Verdict, answer_sha256
from evaluation.run_folder import TRUE_PICTURE, Prediction

Judge = tuple[str, str, str]  # name, revision ("" where it is not known), prompt_sha256 of its rubric
Said = dict[Judge, dict[str, str]]  # judge -> order (first, second) -> verdict (run, other, tie)
About = tuple[str, str, str]  # example_id, answer_sha256 of either answer

CHOSEN, TIE, DISAGREEMENT, UNJUDGED = "chosen", "tie", "disagreement", "not_judged"
SAME, CUT, EMPTY = "same_answer", "cut_answer", "empty_answer"
_WORDS = {
    TIE: "a tie in both orders",
    DISAGREEMENT: "in which the orders or the judges disagree",
    UNJUDGED: "without both verdicts of every judge",
    SAME: "of one answer twice",
    CUT: "with an answer cut at the token limit",
    EMPTY: "with an empty answer",
}


class Preference(NamedTuple):
    """A pair of answers to one question, the better one first."""

    chosen: Prediction
    rejected: Prediction
    judges: list[Judge]  # who all say so, in both orders


class SortedOut(NamedTuple):
    preferences: list[Preference]
    counts: dict[str, int]  # CHOSEN and what else became of pairs -> pairs


def sort_out(pairs: Iterable[tuple[Prediction, Prediction]], verdicts: Iterable[Verdict]) -> SortedOut:
    """The pairs of which every judge prefers the same answer in both orders, and how many were anything else.

    A verdict counts where it is about the two answers as they stand; of several the newest.
    """
    said = _by_pair(verdicts)
    preferences, counts = [], Counter({CHOSEN: 0})
    for ours, theirs in pairs:
        of_pair = said.get(_about(ours, theirs), {})
        found = _fault_of(ours, theirs) or outcome(of_pair)
        if found in ("run", "other"):
            better, worse = (ours, theirs) if found == "run" else (theirs, ours)
            preferences.append(Preference(better, worse, sorted(of_pair)))
            found = CHOSEN
        counts[found] += 1
    return SortedOut(preferences, dict(counts))


def outcome(said: Said) -> str:
    """run or other, where all verdicts say so; TIE, DISAGREEMENT or UNJUDGED."""
    if not said or any(len(of_judge) < 2 for of_judge in said.values()):
        return UNJUDGED
    verdicts = {verdict for of_judge in said.values() for verdict in of_judge.values()}
    return verdicts.pop() if len(verdicts) == 1 else DISAGREEMENT


def describe(counts: dict[str, int]) -> str:
    """ "3 left out a tie in both orders, …", or that none was."""
    left_out = [f"{counts[kind]} {words}" for kind, words in _WORDS.items() if counts.get(kind)]
    return f"left out: {', '.join(left_out)}" if left_out else "none left out"


def _fault_of(ours: Prediction, theirs: Prediction) -> str | None:
    """Why nothing is learnt from two answers, whatever a judge says."""
    answers = [(answer["prediction"] or "").strip() for answer in (ours, theirs)]
    if not all(answers):
        return EMPTY
    if any(answer["finish_reason"] != "stop" for answer in (ours, theirs)):  # training would put an end behind it
        return CUT
    return SAME if answers[0] == answers[1] else None


def _by_pair(verdicts: Iterable[Verdict]) -> dict[About, Said]:
    """An order that got no verdict is left out of what its judge said."""
    said: dict[About, Said] = {}
    for record in verdicts:
        if record["image_condition"] != TRUE_PICTURE:
            continue
        about = record["example_id"], record["answer_sha256"], record["other_answer_sha256"]
        judge = record["judge"], record["judge_revision"] or "", record["prompt_sha256"]
        of_judge = said.setdefault(about, {}).setdefault(judge, {})
        if record["status"] == "ok" and record["verdict"] is not None:
            of_judge[record["order"]] = record["verdict"]
    return said


def _about(ours: Prediction, theirs: Prediction) -> About:
    answers = ours["prediction"] or "", theirs["prediction"] or ""
    return ours["example_id"], answer_sha256(answers[0]), answer_sha256(answers[1])
