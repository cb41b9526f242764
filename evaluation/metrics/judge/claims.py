"""Which verdict a judge's reply gives: the one value that it claims, or the reason why there is none.

A claim is a JSON object with the word (`{"score": 8}`), a line or a reply's last sentence that is the word and a value
(`SCORE: 8`), or a form of its own (`[[8]]`, `\\boxed{8}`). Nothing is read out of other prose, where articles speak of
scores of their own ("the Gleason score: 7"); all that is claimed must agree.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from .grammar import (
    ABSENT,
    CONTRADICTED,
    EMPTY,
    NOT_ONE,
    QUOTED,
    SCALE,
    TWO,
    Form,
    UnreadableError,
    Value,
    ends,
    is_explanation,
    plain_characters,
    undressed,
    without_tags,
    without_thoughts,
)
from .objects import PLACE, Pairs, claimed_value, take_objects
from .words import AFTER, CORRECTS, JOINED, OF_WHAT, OUT_OF, QUALIFIERS, REMARK_LABELS, RESTATES, TAKES_BACK, TEN, TO

_SENTENCE_END = re.compile(r"(?<=\]\])\s+|(?<=[.!?}])(?<!\be\.g\.)(?<!\bi\.e\.)[)\"'”’*_]*\s+|(?<=[。！？])[”』」*_]*")
_LIST_NUMBER = re.compile(r"\(?\d{1,2}[.)]\s+(?=\D)")
_LOOSE = r"(?:(?:of|is|was|at)\s+)?"  # how articles join a score and its number
_FIRST_ITEM = re.compile(r"\s*1[.)]\s")
_QUOTE_MARKS = '"“”„«»`'
_FENCE = "```"
_FENCE_MARK = re.compile(r"^\s*`{3,}(?:\w+\s*$)?")  # with the language, or before other text
_STATED_SCALE = re.compile(rf"\bscale\s+(?:of|from)\s+\d+\s*(?:{TO})\s*(\d+)|^\W*\(?out\s+of\s+(\d+)\W*$", re.I)
_TEN_POINTS = re.compile(
    rf"\W*(?:(?:on\s+a|scale|from|range|max\w*|{OUT_OF}|of|/)\W*){{0,4}}(?:0\W*(?:{TO})\s*)?(?:10|{TEN})\W*", re.I
)


@dataclass(frozen=True)
class _Unit:
    """A sentence of a reply."""

    text: str  # as written
    starts_line: bool
    ends_reply: bool
    is_quoted: bool  # in quotation marks, in a quoted line, in a code block, or announced by a colon


@dataclass(frozen=True)
class _Claim:
    place: int  # number of its unit
    kind: str  # object | bare | label
    value: Value | None  # None: it cannot be read
    text: str
    error: UnreadableError | None = None
    decides: bool = True  # whether it stands where verdicts stand
    is_quoted: bool = False


def verdict_of(reply: str, form: Form, shown: Sequence[str] = ()) -> Value:
    """The one value that the reply claims.

    `shown` are the texts that the judge had before it: what it quotes of them is no claim of its own. Raises
    UnreadableError, with the reason, where there is no value or not one.
    """
    said = plain_characters(without_thoughts(reply, shown))
    if not said.strip():
        raise UnreadableError(EMPTY)
    units, claims = _read(said, form)
    of_others = _Shown.of(shown, form)
    claims = _own(claims, of_others)
    value = _agreed(claims, form)
    last = max(claim.place for claim in claims if claim.value == value)
    _check_quoted(value, units, claims, of_others, form)
    _check_scale(units, form)
    _check_after(value, [unit.text for unit in units[last:]], form, of_others)
    return value


def _read(text: str, form: Form) -> tuple[list[_Unit], list[_Claim]]:
    """All units of a reply and all claims in them, in their order."""
    outside, found = take_objects(text, form)
    objects = iter(found)
    units = list(_units(without_tags(outside, form)))
    claims: list[_Claim] = []
    for place, (unit, following) in enumerate(zip(units, _following(units), strict=True)):
        claims += _claims_of(place, unit, following, objects, form)
    return units, claims


def _following(units: list[_Unit]) -> list[str]:
    """For each unit the next text with a word or a number."""
    found, after = [], ""
    for unit in reversed(units):
        found.append(after)
        after = unit.text if _says(unit.text) else after
    return found[::-1]


# ---- sentences


def _units(text: str) -> Iterator[_Unit]:
    """The sentences, line by line; a line is quoted where it looks like a quotation."""
    lines = text.splitlines()
    last = max((i for i, line in enumerate(lines) if _says(line)), default=-1)
    is_code, before = False, ""
    for i, line in enumerate(lines):
        if line.lstrip().startswith(_FENCE):
            is_code = not is_code
            line = _FENCE_MARK.sub("", line)
        is_announced = before.rstrip().endswith(":") and _says(before)
        is_quotation = is_code or is_announced or line.lstrip().startswith((">", "“", '"'))
        in_marks = False
        for sentence, starts, stops in _sentences(line):
            yield _Unit(sentence, starts, i == last and stops, is_quotation or in_marks)
            in_marks ^= sum(map(sentence.count, _QUOTE_MARKS)) % 2 == 1
        before = line if line.strip() else before


def _sentences(line: str) -> Iterator[tuple[str, bool, bool]]:
    """(sentence, whether it begins the line, whether it ends it); an item's number belongs to the item."""
    numbered = _LIST_NUMBER.match(line.lstrip(" \t#>*-+•"))
    parts = [line] if numbered else [part for part in _SENTENCE_END.split(line) if part]
    last = max((i for i, part in enumerate(parts) if _says(part)), default=0)
    for i, part in enumerate(parts):
        yield part, i == 0, i >= last


def _says(text: str) -> bool:
    return any(c.isalnum() for c in text)


# ---- claims


def _claims_of(place: int, unit: _Unit, following: str, objects: Iterator[Pairs], form: Form) -> Iterator[_Claim]:
    for _ in range(unit.text.count(PLACE)):
        yield _of_object(place, next(objects), form)
    for found in form.bare.finditer(unit.text):
        marked = undressed(found[1] or found[2])
        yield from _of_value(place, marked, form, unit)
    head = _labelled(unit.text, form)
    if head is not None:
        yield from _of_label(place, unit, head, following, form)


def _of_object(place: int, pairs: Pairs, form: Form) -> _Claim:
    try:
        return _Claim(place, "object", claimed_value(pairs, form), "")
    except UnreadableError as error:
        return _Claim(place, "object", None, "", error)


def _of_value(place: int, text: str, form: Form, unit: _Unit) -> Iterator[_Claim]:
    """The claim of a form without a word, if it is of this kind of verdict."""
    claim = _Claim(place, "bare", None, text, UnreadableError(NOT_ONE, text), is_quoted=unit.is_quoted)
    try:
        found = form.read(text)
    except UnreadableError as error:
        yield replace(claim, error=error)
        return
    if found is not None and ends(found[1]):
        yield replace(claim, value=found[0], error=None)
    elif form.name == "verdict" and text.strip().casefold() in ("c", "(c)"):  # MT-Bench's tie
        yield replace(claim, value="tie", error=None)
    elif form.hints(text):
        yield claim


@cache
def _head(labels: str) -> re.Pattern[str]:
    """The word of a verdict at a sentence's beginning, and what separates it from the value."""
    return re.compile(
        rf"(?:(?:{QUALIFIERS})\b\W{{0,3}}|(?:{JOINED})\s*){{0,4}}(?P<label>{labels})(?![^\W\d])"
        rf"(?:\s+(?:{AFTER})\b)?(?:\s+{OF_WHAT})?\s*(?P<aside>\([^()]*\)|(?:{OUT_OF})\s+(?:10|{TEN})\b)?"
        rf"(?P<sep>\s*(?:[:=]+>?|→|⇒|-+>|—)\s*|\s+[-–]\s+|\s+|$|(?=[(]))",
        re.I,
    )


@cache
def _mention(labels: str, joined: str) -> re.Pattern[str]:
    """The word of a verdict anywhere, with a mark (or one of the words `joined`) that makes what follows its value."""
    word = rf"(?<![^\W\d_])(?P<label>{labels})(?![^\W\d])\s*(?:\([^()]*\)\s*)?"
    return re.compile(rf"{word}(?:[:=]\s*|\s[-–]\s|{joined})", re.I)


def _labelled(text: str, form: Form) -> re.Match[str] | None:
    """The word at the beginning of a sentence, with what stands in brackets after it (`aside`) and what separates."""
    plain = undressed(text)
    start = next((i for i, c in enumerate(plain) if c.isalnum()), len(plain))
    numbered = _LIST_NUMBER.match(plain, start)
    start = numbered.end() if numbered else start
    return _head(form.labels).match(plain, start)


def _of_label(place: int, unit: _Unit, head: re.Match[str], following: str, form: Form) -> Iterator[_Claim]:
    """The claim of a sentence that begins with the word, or none where it is prose."""
    aside, separator, rest = head["aside"] or "", head["sep"].strip(), head.string[head.end() :]
    is_alone = not _says(rest)
    if is_alone and form.hints(aside) and not separator:  # "Score (8)"
        aside, rest = "", aside
    elif is_alone:
        rest = undressed(following)
    decides = unit.starts_line or (unit.ends_reply and not unit.is_quoted)
    claim = _Claim(place, "label", None, rest, UnreadableError(NOT_ONE, unit.text), decides, unit.is_quoted)
    try:
        found = form.read(rest)
        if found is not None and form.hints(aside) and not _TEN_POINTS.fullmatch(aside):
            raise UnreadableError(SCALE, unit.text)
    except UnreadableError as error:
        yield replace(claim, error=error)
        return
    may_explain = bool(separator) and not is_alone
    if found is not None and (ends(found[1]) or (may_explain and is_explanation(found[1], form))):
        yield replace(claim, value=found[0], error=None)
    elif _is_remark(head["label"]):  # "Note: 3 of the claims lack units"
        return
    elif separator or (found is not None and head["label"].casefold() == form.name):  # not "Grade 3 toxicity"
        begins_list = is_alone and _FIRST_ITEM.match(rest)
        yield replace(claim, text="" if begins_list or (is_alone and found is None) else rest)


# ---- one of them


@dataclass(frozen=True)
class _Shown:
    """What the texts before the judge say of verdicts."""

    claimed: frozenset[tuple[str, Value]]  # as a verdict would be given: kind of claim, value
    mentioned: frozenset[Value]  # with the word before it, in any way
    text: str  # all, undressed, in lower case

    @classmethod
    def of(cls, shown: Sequence[str], form: Form) -> "_Shown":
        claimed: set[tuple[str, Value]] = set()
        mentioned: set[Value] = set()
        plain = [plain_characters(text) for text in shown]
        for text in plain:
            try:
                units, claims = _read(text, form)
            except UnreadableError:
                continue
            claimed |= {(claim.kind, claim.value) for claim in claims if claim.value is not None}
            mentioned |= {value for unit in units for value in _mentions(unit.text, form, _LOOSE) if value is not None}
        mentioned |= {value for kind, value in claimed if kind == "label"}
        return cls(frozenset(claimed), frozenset(mentioned), _folded("\n".join(plain)))

    def has(self, claim: _Claim) -> bool:
        if claim.value is not None:
            is_mentioned = claim.kind == "label" and claim.value in self.mentioned
            return is_mentioned or (claim.kind, claim.value) in self.claimed
        return bool(claim.text) and _folded(claim.text) in self.text


def _own(claims: list[_Claim], of_others: _Shown) -> list[_Claim]:
    """The claims without those that only repeat what the judge was shown, where any other is there.

    Such a repetition stands before the verdict, or is quoted.
    """
    last = len(claims) - 1
    own = [claim for i, claim in enumerate(claims) if not (of_others.has(claim) and (claim.is_quoted or i < last))]
    return own if any(claim.value is not None and claim.decides for claim in own) else claims


def _agreed(claims: list[_Claim], form: Form) -> Value:
    """The value of all claims. Raises UnreadableError where they differ, or none is a verdict."""
    values = {claim.value for claim in claims if claim.value is not None}
    unreadable = [claim for claim in claims if claim.error is not None]
    if len(values) > 1:
        raise UnreadableError(TWO, ", ".join(sorted(map(_written, values))))
    if not any(claim.decides and claim.value is not None for claim in claims):
        raise unreadable[-1].error if unreadable and unreadable[-1].error else UnreadableError(ABSENT)
    (value,) = values
    last = max(claim.place for claim in claims if claim.value is not None)
    for claim in unreadable:  # "SCORE: low" before "SCORE: 2" takes nothing away
        is_other = claim.error is not None and (claim.error.reason != NOT_ONE or form.hints(claim.text) - {value})
        if claim.error is not None and (is_other or claim.place > last):
            raise claim.error
    return value


def _check_quoted(value: Value, units: list[_Unit], claims: list[_Claim], of_others: _Shown, form: Form) -> None:
    """Raises UnreadableError where the only claim may be the quotation of one that the judge was shown."""
    claims = [claim for claim in claims if claim.value == value]
    verdicts = [claim for claim in claims if claim.decides]
    says_more = any(_says(text) for text in _outside(units, claims, form))
    is_shown = all((claim.kind, value) in of_others.claimed for claim in verdicts)
    is_quoted = all(claim.is_quoted and of_others.has(claim) for claim in verdicts)
    if (is_shown and says_more) or is_quoted:
        raise UnreadableError(QUOTED, str(value))


def _outside(units: list[_Unit], claims: list[_Claim], form: Form) -> Iterator[str]:
    """What a reply says beside its claims."""
    labelled = {claim.place for claim in claims if claim.kind == "label"}
    for place, unit in enumerate(units):
        if place not in labelled:
            yield form.bare.sub("", unit.text)


def _check_scale(units: Iterable[_Unit], form: Form) -> None:
    """Raises UnreadableError where the reply says that its scale is another: "on a scale of 1 to 5"."""
    for unit in units if form.name == "score" else ():
        for found in _STATED_SCALE.finditer(undressed(unit.text)):
            if int(found[1] or found[2]) != 10:
                raise UnreadableError(SCALE, unit.text)


def _check_after(value: Value, sentences: list[str], form: Form, of_others: _Shown) -> None:
    """Raises UnreadableError where the text from the last claim on speaks of another value, or takes this one back."""
    whole = " ".join(sentences)
    if set(_mentions(whole, form, rf"(?<={form.name} )(?![-–])")) - {value} - of_others.mentioned:
        raise UnreadableError(CONTRADICTED, whole)
    for sentence in sentences[1:]:
        if _restated(sentence, form) not in (None, value):
            raise UnreadableError(CONTRADICTED, sentence)
        corrects = re.search(CORRECTS, sentence, re.I) and form.hints(sentence) - {value}
        if corrects or re.search(TAKES_BACK, sentence, re.I):
            raise UnreadableError(CONTRADICTED, sentence)


def _restated(sentence: str, form: Form) -> Value | None:
    """The value that is all a sentence says, without the word: "5/10", "Final: 5"."""
    plain = undressed(sentence).strip()
    restates = re.match(rf"\W*(?:(?:{RESTATES})\b\W{{1,3}}){{0,3}}", plain, re.I)
    try:
        found = form.read(plain[restates.end() :] if restates else plain)
    except UnreadableError:
        return None
    return found[0] if found is not None and ends(found[1]) else None


def _mentions(text: str, form: Form, joined: str) -> list[Value | None]:
    """The values that a text names with the word: "it would have been Score: 9"; None where one cannot be read."""
    plain = undressed(text)
    found: list[Value | None] = []
    for mention in _mention(form.labels, joined).finditer(plain):
        try:
            value = form.read(plain[mention.end() :])
        except UnreadableError:
            found.append(None)
            continue
        if value is not None and not (_is_remark(mention["label"]) and value[1].lstrip()[:1].isalpha()):
            found.append(value[0])
    return found


def _is_remark(label: str) -> bool:
    return re.fullmatch(REMARK_LABELS, label, re.I) is not None


def _folded(text: str) -> str:
    return " ".join(undressed(text).casefold().split())


def _written(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else value
