"""Which panels a caption names, and what it says about each of them.

A caption names its panels in one of the styles of `_STYLES`; their letters make an unbroken run that begins with A (or
a, or the Cyrillic А, а). The style that names the most panels is the caption's; of equals the first in the list.
"""

import re
from typing import NamedTuple

from dataset_builder.text.vocabulary import any_of, any_spaced, every

ALPHABETS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "abcdefghijklmnopqrstuvwxyz",
    "АБВГДЕЖЗИКЛМНОПРСТУФ",
    "абвгдежзиклмнопрстуф",
)
_PLACE = rf"(?:{any_spaced(lambda it: it.lists.places)})"
_AND = rf"(?:{any_of(lambda it: it.lists.and_words)}|i|&)"  # i: Polish, Catalan
_SHORT_ANDS = {word for word in every(lambda it: it.lists.and_words) if len(word) == 1}
_TO = rf"(?:[-‐‑‒–—−~～]|{any_of(lambda it: it.lists.to_words)}|až)"  # až: Czech
_JOIN = rf"(?:\s*[,，、/+;]\s*(?:{_AND}\s+)?|\s*{_TO}\s*|\s+{_AND}\s+|\s*&\s*)"
_BEGIN = r"(?:^|(?<=[.;:。；：!?)\]]\s)|(?<=[.;。；：]))"  # of a caption, a sentence or a clause
_WITH_COMMA = rf"(?:{_BEGIN}|(?<=,\s)|(?<=\sand\s))"
# What stands around the letters {L}; the first group of each is the letters.
_STYLES = (
    r"[(（\[]\s*(?:panels?\s+)?({L})(?:,\s*" + _PLACE + r")?\s*[)）\]]",  # "(A)", "(A, B)", "[a–c]"
    r"(?<![\w(（\[/–-])({L})\s?[)）](?=[\s.:,]|[^\W\d_])",  # "A) "
    _BEGIN + r"({L})(?:[.．:：=]|\s?[:：=]|\s[–—-](?=\s))(?=\s|[^\W\d_])",  # "A. ", "A: "
    _WITH_COMMA + r"({L})[.．:：](?=\s)",
    r"(?<=\s)({L})[:：]\s",  # "... in three periods A: 12 weeks; B: 8 weeks"
    _WITH_COMMA + r"({L}),\s",  # "a, "
    r"(?i:\bpanels?)\s({L})\b[,:.]?",  # "Panel A"
    _WITH_COMMA + r"({L})[、\s](?=\S)",  # "a left eye, b right eye"
    r"[(（\[]\s*({L})(?:[,;:]\s?[^()（）]{1,60})?\s*[)）\]]",  # "(a, green)"
)
MAX_HOLE = 3  # letters: a named one so shortly beyond the run tells that the run has a hole
_PARENTHESES = (0, len(_STYLES) - 1)  # styles that may also stand after what they name: "a cell (A) and a nerve (B)"
_BRACKETS = 0
_BARE = len(_STYLES) - 2
_FULL_WIDTH = re.compile(r"(?<![Ａ-Ｚａ-ｚ])[Ａ-Ｚａ-ｚ](?![Ａ-Ｚａ-ｚ])")  # a lone letter as wide as Chinese
_FULL_WIDTH_OFFSET = ord("Ａ") - ord("A")
_SENTENCE_END = re.compile(r"[.!?。！？]\s+(?=[^\W\d_a-zа-я])|[。！？]")
_TRIM_LEFT = re.compile(rf"^(?:[\s.,;:，。；：、|)]|[–—-]\s|(?:{_AND})\s)+")
_TRIM_RIGHT = re.compile(rf"(?:[\s,;，；、|(]|\s{_AND})+$")


class _Marker(NamedTuple):
    """A place in a caption that names panels: "(A–C)" at characters `start` to `end` names A, B and C."""

    start: int
    end: int
    letters: list[str]


def caption_parts(caption: str | None) -> dict[str, str]:
    """What `caption` says about each panel, by the panel's letter as printed, in the order of the alphabet.

    Text ahead of the first letter belongs to no panel; text that names several panels ("(A–C) …") to each of them.
    Empty when the caption names fewer than two panels, or its letters are no unbroken run.
    """
    readings = caption_readings(caption)
    return readings[0] if readings else {}


def caption_readings(caption: str | None) -> list[dict[str, str]]:
    """The parts of the caption as `caption_parts` gives them, and behind them other readings that only the picture can
    prove: letters in brackets of another alphabet ("(a) Retina. A: disc. B: nerve. (b) Choroid. C: sclera.").
    """
    caption = _FULL_WIDTH.sub(lambda match: chr(ord(match[0]) - _FULL_WIDTH_OFFSET), caption or "")
    best: dict[str, str] = {}
    bracketed: list[dict[str, str]] = []
    alphabets = [alphabet for alphabet in ALPHABETS if alphabet[0] in caption]
    for number, style in enumerate(_STYLES):
        for alphabet in alphabets:
            parts = _reading(caption, number, style, alphabet)
            if len(parts) > len(best):
                best = parts
            if number == _BRACKETS and parts:
                bracketed.append(parts)
    return [best, *(parts for parts in bracketed if list(parts) != list(best))] if best else []


def _reading(caption: str, number: int, style: str, alphabet: str) -> dict[str, str]:
    """The parts of a caption that names two panels or more in this style, else none."""
    markers = _markers(caption, style, alphabet)
    named = _run(markers, alphabet)
    if len(named) < 2 or (number == _BARE and not _plausible(markers, named)):
        return {}
    heads = _heads(caption, markers, named)
    return _parts(caption, heads, named, may_follow=number in _PARENTHESES) if heads else {}


def _markers(caption: str, style: str, alphabet: str) -> list[_Marker]:
    """Every place where the style names panels with letters of the alphabet."""
    letter = rf"[{alphabet}](?![^\W_])['′]?"
    pattern = re.compile(style.replace("{L}", rf"{letter}(?:{_JOIN}{letter})*"))
    markers = (_Marker(*match.span(), _expand(match[1], alphabet)) for match in pattern.finditer(caption))
    return [marker for marker in markers if marker.letters]


def _expand(group: str, alphabet: str) -> list[str]:
    """The letters of "A", "A, C", "A–C and E"; none when a range runs backwards."""
    letters: list[str] = []
    end = 0  # of the letter before
    for match in re.finditer(rf"(?<![^\W_])[{alphabet}](?![^\W_])", group):
        is_range = letters and re.fullmatch(rf"['′]?\s*{_TO}\s*", group[end : match.start()])
        if is_range:
            first, last = alphabet.index(letters[-1]), alphabet.index(match[0])
            if last <= first:
                return []
            letters += alphabet[first + 1 : last + 1]
        elif match[0] not in letters and not (match[0] in _SHORT_ANDS and _is_and(group, match)):
            letters.append(match[0])
        end = match.end()
    return letters


def _is_and(group: str, match: re.Match) -> bool:
    """Whether the letter is a word for "and" between two letters: "a y b"."""
    return bool(re.search(r"\w\s$", group[: match.start()]) and re.match(r"\s\w", group[match.end() :]))


def _run(markers: list[_Marker], alphabet: str) -> list[str]:
    """The letters that the markers name, if they are an unbroken run from the alphabet's start, else nothing.

    Letters far beyond the run are something else ("skin (S) and thymus (T)"); a letter shortly beyond it tells that the
    run has a hole.
    """
    named = {letter for marker in markers for letter in marker.letters}
    length = next((i for i, letter in enumerate(alphabet) if letter not in named), len(alphabet))
    run, shortly_beyond = alphabet[:length], alphabet[length : length + MAX_HOLE + 1]
    if named.intersection(shortly_beyond):
        return []
    return list(run) if _in_order(markers, run) else []


def _in_order(markers: list[_Marker], run: str) -> bool:
    """Whether the letters of the run come up in its order, by the first new one of each marker."""
    firsts = []
    seen: set[str] = set()
    for marker in markers:
        new = [letter for letter in marker.letters if letter not in seen and letter in run]
        if new:
            firsts.append(new[0])
            seen.update(marker.letters)
    return firsts == sorted(firsts, key=run.index)


def _plausible(markers: list[_Marker], named: list[str]) -> bool:
    """Bare letters are words too ("A patient … B cells"): three are asked for, or a group ("A–D Mutants …")."""
    return len(named) > 2 or any(len(marker.letters) > 1 for marker in markers)


def _parts(caption: str, heads: list[_Marker], named: list[str], may_follow: bool) -> dict[str, str]:
    """The text of each letter; `may_follow`: the markers may also stand after what they name."""
    first = heads[0]
    if may_follow and not _at_boundary(caption, first.start) and _ends_clause(caption, first.end):
        texts = _texts_before(caption, heads)
    else:
        texts = _texts_behind(caption, heads)
    found: dict[str, list[str]] = {letter: [] for letter in named}
    for head, text in zip(heads, texts, strict=True):
        for letter in head.letters:
            if text:
                found[letter].append(text)
    return {letter: " ".join(pieces) for letter, pieces in found.items()}


def _heads(caption: str, markers: list[_Marker], named: list[str]) -> list[_Marker]:
    """The markers that head a text; those that repeat letters inside a sentence are mere references to a panel.

    None are left where each also names a letter beyond the run ("a y b)": a and y and b).
    """
    seen: set[str] = set()
    heads = []
    for marker in markers:
        if not set(named).issuperset(marker.letters):
            continue
        is_new = not seen.issuperset(marker.letters)
        starts_clause = _at_boundary(caption, marker.start) and not _ends_clause(caption, marker.end)
        if is_new or starts_clause:
            heads.append(marker)
            seen.update(marker.letters)
    return heads


def _texts_before(caption: str, heads: list[_Marker]) -> list[str]:
    """For each marker the text since the one before it; for the first one, since its sentence began."""
    ends = [match.end() for match in _SENTENCE_END.finditer(caption, 0, heads[0].start)]
    begins = [ends[-1] if ends else 0] + [head.end for head in heads[:-1]]
    return [_trimmed(caption[begin : head.start]) for begin, head in zip(begins, heads, strict=True)]


def _texts_behind(caption: str, heads: list[_Marker]) -> list[str]:
    """For each marker the text up to the next one."""
    stops = [head.start for head in heads[1:]] + [len(caption)]
    return [_trimmed(caption[head.end : stop]) for head, stop in zip(heads, stops, strict=True)]


def _trimmed(text: str) -> str:
    """The text without the punctuation and the "and" at its ends that parted it from its neighbours."""
    return _TRIM_RIGHT.sub("", _TRIM_LEFT.sub("", text))


def _at_boundary(caption: str, position: int) -> bool:
    before = caption[:position].rstrip()
    return not before or before[-1] in ".;:。；：!?|"


def _ends_clause(caption: str, position: int) -> bool:
    after = caption[position:].lstrip()
    return not after or after[0] in ".,;:，。；：)" or bool(re.match(rf"{_AND}\s", after))
