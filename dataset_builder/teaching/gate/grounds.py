"""Rules on what an answer rests on: each is a pure function that objects or returns None."""

from collections.abc import Sequence
from typing import NamedTuple

from dataset_builder.teaching.facts import Known, Word, facts, unified, words
from dataset_builder.teaching.gate.exam import Exam, Limits, Objection
from dataset_builder.text.sentences import split_sentences

_MAX_RUN = 6  # words on each side that are compared: more say nothing new


def evidence_out_of_range(exam: Exam, limits: Limits) -> Objection | None:
    """An answer that names no evidence, or a sentence that is not there: it was not written from the sentences."""
    if not exam.evidence:
        return Objection("no_evidence", None, None)
    for e in exam.evidence:
        if (e["source"], e["sentence"]) not in exam.sentences:
            return Objection("evidence_out_of_range", f"{e['source']} {e['sentence']}", None)
    return None


def not_visual(exam: Exam, limits: Limits) -> Objection | None:
    """A question that the teacher itself says cannot be answered by looking at the figure."""
    return Objection("not_visual", None, None) if exam.visually_answerable is False else None


def new_numbers(exam: Exam, limits: Limits) -> Objection | None:
    """Numbers, with their units, that the named evidence has not."""
    numbers = [fact for fact in facts(exam.answer, exam.language) if fact.is_number]
    new = sorted(f"{fact.value} {fact.unit or ''}".strip() for fact in numbers if not exam.known.has(fact))
    most = limits.max_new_numbers
    return Objection("new_numbers", ", ".join(new), most) if len(new) > most else None


def contradicts(exam: Exam, limits: Limits) -> Objection | None:
    """A number or a direction in place of another that the evidence has among the same words; or a direction of which
    the evidence has the opposite alone ("increased" where it says "decreased")."""
    for sentence in split_sentences(exam.answer):
        said = words(unified(sentence), exam.language)
        for place, word in enumerate(said):
            if word.directions and _is_only_opposite(word, exam.known):
                return Objection("contradicts", word.said, None)
            if (word.number or word.directions) and (other := _in_its_place(said, place, exam.known, limits)):
                return Objection("contradicts", f"{word.said} for {other}", None)
    return None


def low_support(exam: Exam, limits: Limits) -> Objection | None:
    """Too few of the answer's facts stand in the evidence that it names; an answer without facts is not judged."""
    share, least = exam.support, limits.min_support
    return Objection("min_support", round(share, 3), least) if share is not None and share < least else None


def _is_only_opposite(word: Word, known: Known) -> bool:
    sides = {direction.side for direction in known.directions}
    opposites = {direction.opposite() for direction in word.directions}
    own = {direction.side for direction in word.directions}
    return not own & sides and not opposites.isdisjoint(known.directions)


class _Match(NamedTuple):
    """How well a word of the evidence stands in for one of the answer."""

    repeated: int  # words around it that are the answer's
    said: str


def _in_its_place(said: Sequence[Word], place: int, known: Known, limits: Limits) -> str | None:
    """What the evidence has in place of a word, among more of the words around it than that word itself."""
    own, others = 0, [_Match(0, "")]
    for sentence in known.sentences:
        for i, candidate in enumerate(sentence):
            kind = _rival_or_same(said[place], candidate)
            if kind is None:
                continue
            repeated = _repeated(said, place, sentence, i)
            if kind:
                others.append(_Match(repeated, candidate.said))
            else:
                own = max(own, repeated)
    best = max(others)
    return best.said if best.repeated >= limits.min_repeated_words and best.repeated > own else None


def _rival_or_same(word: Word, candidate: Word) -> bool | None:
    """True for another number, or the opposite direction; False for the same word; None for any other."""
    if word.number:
        return None if candidate.number is None else (candidate.number, candidate.unit) != (word.number, word.unit)
    if word.said == candidate.said:
        return False
    opposites = {direction.opposite() for direction in word.directions}
    return True if not opposites.isdisjoint(candidate.directions) else None


def _repeated(said: Sequence[Word], place: int, sentence: Sequence[Word], i: int) -> int:
    """How many words before and behind are the same in both texts without a break."""
    before = _run(said[:place][::-1], sentence[:i][::-1])
    behind = _run(said[place + 1 :], sentence[i + 1 :])
    return before + behind


def _run(some: Sequence[Word], others: Sequence[Word]) -> int:
    n = 0
    for one, other in zip(some[:_MAX_RUN], others[:_MAX_RUN], strict=False):
        if one.said != other.said:
            break
        n += 1
    return n
