"""How a judge's number or choice is written: text without its dress -> value, or the reason why there is none."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from .words import (
    ANSWER,
    MODIFIERS,
    NUMBER_WORDS,
    OUT_OF,
    POINTS,
    REASONS,
    SCORE_LABELS,
    TEN,
    TIES,
    TO,
    VERDICT_LABELS,
    WINS,
)

LOWEST, HIGHEST = 0, 10  # points

# Why a reply has no verdict.
EMPTY = "the reply is empty"
THINKING = "its thinking never ends"
ABSENT = "no verdict in a form that is read"
NOT_ONE = "not one single value"
TWO = "two different verdicts"
SCALE = "on another scale"
OUT_OF_RANGE = "out of range"
DUPLICATES = "a key of the JSON object is there twice"
BROKEN = "JSON that is broken or cut off"
CONTRADICTED = "text after the verdict contradicts it"
QUOTED = "only quoted from what the judge was shown"
REASONS_FOR_NONE = (
    *(EMPTY, THINKING, ABSENT, NOT_ONE, TWO, SCALE, OUT_OF_RANGE, DUPLICATES, BROKEN, CONTRADICTED, QUOTED),
)

_MAX_SHOWN_CHARS = 60  # of a reply in a message

Value = float | str


class UnreadableError(ValueError):
    """A reply without a verdict; `reason` is one of REASONS_FOR_NONE."""

    def __init__(self, reason: str, where: str = ""):
        super().__init__(f"{reason}: {where[:_MAX_SHOWN_CHARS]!r}" if where else reason)
        self.reason = reason


@dataclass(frozen=True)
class Form:
    """One kind of verdict."""

    name: str  # its word in the rubric, lower case
    labels: str  # regular expression of the words that stand before it
    read: Callable[[str], tuple[Value, str] | None]  # text -> (value at its beginning, what follows), None without
    hints: Callable[[str], set[Value]]  # all that a text might mean

    @cached_property
    def bare(self) -> re.Pattern[str]:
        """Forms that need no word before them: `[[8]]`, `\\boxed{8}`."""
        return re.compile(r"\[\[([^\[\]\n]{1,40})\]\](?!\()|\\boxed\s*\{((?:[^{}\n]|\\text\{[^{}\n]*\}){1,40})\}")


# ---- without its dress

_THINK = r"think(?:ing)?|thoughts?|reasoning|reflection|rationale|analysis|scratchpad|seed:think"
_TAG = re.compile(
    rf"[<◁](?P<close>/)?(?:{_THINK})[>▷]|\[(?P<close2>/)?THINK\]|(?P<final><\|channel\|>\s*final\s*<\|message\|>)", re.I
)
_PLAINER = ("<wide>", "<narrow>", "<compat>", "<font>", "<noBreak>", "<small>", "<vertical>")  # not 8², ⑧, ½
_SPECIAL = re.compile(r"<\|[^|<>]{0,40}\|>|</?s>|\[/?INST\]|<(?:eos|bos|end_of_turn|start_of_turn)>")
_LINE_TAG = re.compile(r"</?(?:br|p|div|li|tr|h[1-6])\s*/?>", re.I)
_INLINE_TAG = re.compile(r"</?[a-z][a-z_-]{0,20}\s*/?>", re.I)
_LATEX = re.compile(r"\\(?:boxed|text(?:bf|it|rm)?|math(?:bf|rm|it)?|mathbf|bf|rm|left|right|quad)\b|\\[ ,;!()\[\]]")
_ANGLES = re.compile(r"<([^<>\n]*)>")
_SPACES = re.compile(r"\s+")
_DRESS = str.maketrans(dict.fromkeys("*`\"“”„«»'‘’$|_「」『』《》", " ") | dict(zip("[]{}【】", "()()()", strict=True)))


def without_thoughts(reply: str, shown: Sequence[str] = ()) -> str:
    """What a judge says outside of its thinking. Raises UnreadableError where that never ends.

    An end without a beginning ends the thinking, too (some chat templates write the beginning into the prompt), unless
    a text that the judge was `shown` has such an end, which it may only quote.
    """
    outside: list[str] = []
    thinks, position = False, 0
    for tag in _TAG.finditer(reply):
        if tag["close"] or tag["close2"] or tag["final"]:
            if not thinks:
                if any(tag[0] in text for text in shown):
                    raise UnreadableError(THINKING, tag[0])
                outside.clear()
            thinks, position = False, tag.end()
        elif not thinks:
            outside.append(reply[position : tag.start()])
            thinks = True
    if thinks:
        raise UnreadableError(THINKING)
    return "\n".join([*outside, reply[position:]])


def plain_characters(text: str) -> str:
    """Full-width and other digits as ASCII, ligatures and look-alikes as letters, without invisible characters."""
    strange = {ord(c): _plain(c) for c in set(text) if not c.isascii() or c == "\0"}
    return unicodedata.normalize("NFC", text.translate(strange))


def _plain(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    if character == "\0":
        return " "
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    if unicodedata.decomposition(character).startswith(_PLAINER):
        return unicodedata.normalize("NFKC", character)
    return character


def without_tags(text: str, form: Form) -> str:
    """Without special tokens and HTML; `<score>8</score>` and `[RESULT] 8` become `score: 8`."""
    text = _SPECIAL.sub(" ", text)
    label = rf"(?:(?:final|overall|total)[ _-])?({form.labels})"
    text = re.sub(rf"<\s*{label}\s*>([^<>\n]*)<\s*/\s*{label}\s*>", r"\n\1: \2\n", text, flags=re.I)
    text = re.sub(r"\[RESULT\]\s*:?", f"\n{form.name}: ", text)
    return _INLINE_TAG.sub("", _LINE_TAG.sub("\n", text))


def undressed(text: str) -> str:
    """Without Markdown, LaTeX, quotation marks and table rules, all brackets round; digits are never joined."""
    return _SPACES.sub(" ", _ANGLES.sub(r" \1 ", _LATEX.sub(" ", text).translate(_DRESS)))


# ---- a score

_NUMBER = re.compile(
    rf"[(\s]*(?P<number>\+?(?:\d+(?:\.\d+)?|\.\d+)|-0(?:\.0+)?(?![\d.]\d|\d))(?:\s*\))*(?:\s*(?:{POINTS})(?![^\W\d_]))?"
    rf"(?:\s*\(?\s*(?:/|(?:{OUT_OF})\s|(?:on\s+a\s+|scale:?\s*)*(?:scale\s+(?:of|from)\s+)?0\s*(?:{TO})\s)"
    rf"\s*(?P<top>\d+(?:\.\d+)?|{TEN})(?!\w)\s*\)?)?(?:\s*\))*(?:\s*(?:{POINTS})(?![^\W\d_]))?",
    re.I,
)
_SPACED_SCALE = re.compile(rf"(?<=\b0)\s*({TO})\s*(?=10\b)", re.I)
_ANY_NUMBER = re.compile(r"(?<![^\W_])[-−]?\d+(?:\.\d+)?")
_SPELT = re.compile(r"\s*\(\s*([^\W\d_]+)\s*\)")
_WORD = re.compile(r"[^\W\d_]+")


def read_score(text: str) -> tuple[float, str] | None:
    """(points, what follows) of text that begins with a number; None where it does not.

    Raises UnreadableError for another scale, and for a number that is not between 0 and 10.
    """
    found = _NUMBER.match(_SPACED_SCALE.sub(r" \1 ", text))
    if found is None:
        return None
    points, top = float(found["number"]), found["top"]
    if top is not None and top[0].isdigit() and float(top) != HIGHEST:
        raise UnreadableError(SCALE, found[0].strip())
    if not LOWEST <= points <= HIGHEST:
        raise UnreadableError(OUT_OF_RANGE, found[0].strip())
    return points, _without_spelt(points, _SPACED_SCALE.sub(r" \1 ", text)[found.end() :])


def _without_spelt(points: float, rest: str) -> str:
    """What follows a number, without the same in words: "8 (eight)"."""
    spelt = _SPELT.match(rest)
    return rest[spelt.end() :] if spelt and NUMBER_WORDS.get(spelt[1].casefold()) == points else rest


def numbers_in(text: str) -> set[Value]:
    """All numbers in a text, in digits and in words."""
    found: set[Value] = {float(number.replace("−", "-")) for number in _ANY_NUMBER.findall(text)}
    return found | {float(NUMBER_WORDS[word]) for word in _WORD.findall(text.casefold()) if word in NUMBER_WORDS}


# ---- a choice between two answers

_CHOICE = re.compile(
    rf"[(\s]*(?:{ANSWER}\s*[#№-]?\s*)?(?:(?P<tie>{TIES})|(?P<first>1|a)|(?P<second>2|b))(?!\w)(?:\s*\))*"
    rf"(?:\s*(?:{WINS})\b(?:\s+than\s+(?:{ANSWER}\s*)?(?:1|2|a|b)\b)?)?",
    re.I,
)
_ANY_CHOICE = re.compile(rf"\b(?:(1|A)|(2|B)|((?i:{TIES})))\b")  # "a" is a word of English


def read_choice(text: str) -> tuple[str, str] | None:
    """("1", "2" or "tie", what follows) of text that begins with a choice; None where it does not."""
    found = _CHOICE.match(text)
    return None if found is None else (_choice(found.group("first", "second", "tie")), text[found.end() :])


def _choices_in(text: str) -> set[Value]:
    return {_choice(found.groups()) for found in _ANY_CHOICE.finditer(text)}


def _choice(groups: Sequence[str | None]) -> str:
    first, second, _ = groups
    return "1" if first else "2" if second else "tie"


SCORE = Form("score", SCORE_LABELS, read_score, numbers_in)
VERDICT = Form("verdict", VERDICT_LABELS, read_choice, _choices_in)


# ---- what may follow a value

_HARMLESS = frozenset(" \t.!,;:)。！，；）\ufe0f")
_NUMERIC = re.compile(r"(?<![^\W_])[-−]?\d|%")


def ends(rest: str) -> bool:
    """Whether a value is over here: only marks follow."""
    return ".." not in rest and all(c in _HARMLESS or _is_symbol(c) for c in rest)


def is_explanation(rest: str, form: Form) -> bool:
    """Whether what follows a value is a remark that leaves it as it is: "8 (two doses are missing)", not "8 (or 9)"."""
    start = next((i for i, c in enumerate(rest) if c.isalnum()), 0)
    said = rest[start:]
    first = _WORD.match(said)
    if first is None or start == 0:  # "8e-1"
        return False
    if re.fullmatch(REASONS, first[0], re.I):
        return True
    if not _opens(rest[:start]) or re.fullmatch(MODIFIERS, first[0], re.I) or form.hints(first[0]):
        return False
    return not _NUMERIC.search(said) if form is SCORE else not form.hints(said)


def _opens(marks: str) -> bool:
    """Whether a remark may begin after these marks: ", ", " (", " - "; not "-", ",", " " alone."""
    others = marks.replace(" - ", "–").replace(" -- ", "–")
    if any(c not in " \t.,;:!()–—" for c in others):
        return False
    return any(c in "(–—" for c in others) or (others[-1:].isspace() and not others.isspace())


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) == "So" and character != "°"
