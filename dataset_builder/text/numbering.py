"""Figure words and the lists of numbers behind them: what labels and mentions have in common.

"see Figs 2A-C, 3 and S1-S3"   a head ("Figs "), then the numbers 2, 3, S1, S2, S3
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import AnyStr, NamedTuple

from dataset_builder.text.language_files import picture_words
from dataset_builder.text.vocabulary import any_of, any_spaced, any_unspaced, every, stems

MAX_RANGE = 60  # figures; the most that "Figs 1-60" may stand for, a longer "range" is a misreading
_PREFIX_CHARS = 40  # the longest prefix

DASH = r"[-\u2010-\u2015\u2212]"  # hyphens, en and em dash, minus
_FIGURE = rf"(?i:{any_spaced(lambda it: it.figure.words)})(?:(?!\w)\.?|(?=\d))"
_FIGURE_UNSPACED = (  # not the end of "map", "attempt", "intention"
    rf"(?<![{''.join(every(lambda it: it.figure.not_after))}])(?:{any_unspaced(lambda it: it.figure.words)})"
)
_PLURALS = every(lambda it: it.figure.plural_endings)
OTHER_KINDS = {  # key prefix: words; every series counts for itself
    "SCHEME": any_of(lambda it: it.kinds.scheme),
    "CHART": any_of(lambda it: it.kinds.chart),
    "EXHIBIT": any_of(lambda it: it.kinds.exhibit),
    "GRAPH": any_of(lambda it: it.kinds.graph),
    "PLATE": any_of(lambda it: it.kinds.plate),
    "MAP": any_of(lambda it: it.kinds.map),
    "PHOTO": any_of(lambda it: it.kinds.photo),
    "IMAGE": any_of(lambda it: it.kinds.image),
}


@dataclass(frozen=True)
class _Stems:
    """What figure words start with. Few texts have one of the `letters`, small or capital, of the `others`."""

    ascii: list[bytes]
    others: list[str]
    letters: list[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> "_Stems":
        found = stems(words)
        others = [stem for stem in found if not stem.isascii()]
        first = {next(letter for letter in stem if not letter.isascii()) for stem in others}
        return cls(
            [stem.encode() for stem in found if stem.isascii()], others, sorted(first | {one.upper() for one in first})
        )


_FIGURE_STEMS = _Stems.of(every(lambda it: it.figure.words))
_ALL_STEMS = _Stems.of(every(picture_words))

_SUPPLEMENT = any_spaced(lambda it: it.series.supplement)
_PREFIX = re.compile(  # what may stand before a figure word; "extended data" and "expanded view" are publishers' own
    rf"(?:(?P<supplement>(?<!\w)(?:{_SUPPLEMENT}|(?-i:S[IM]))|{any_unspaced(lambda it: it.series.supplement)})"
    rf"|(?P<extended>(?<!\w)(?:extended(?:[ -]data)?|ext\.?[ -]data|(?-i:ED)))"
    rf"|(?P<expanded>(?<!\w)(?:expanded[ -]view|(?-i:EV)))"
    rf"|(?<!\w)box\s(?P<box_no>\d)\s?{DASH}"
    rf"|(?<!\w)(?P<appendix>{any_of(lambda it: it.series.appendix)})"
    rf"(?:\s*(?P<appendix_no>\d{{1,2}}|[A-H](?!\w)))?\s*{DASH}?)\s*$",
    re.IGNORECASE,
)
_PREFIX_WORDS = (*every(lambda it: (*it.series.supplement, *it.series.appendix)), "ext", "expanded", "box")
_PREFIX_STEM = re.compile("|".join(stems(_PREFIX_WORDS)))  # few figure words have one before, and it is found fast
_SHORT_PREFIXES = ("SI ", "SM ", "ED ", "EV ")
TO = any_spaced(lambda it: it.lists.to_words)  # between the first and the last of a range
_HEAD = re.compile(
    rf"(?:(?:(?P<electronic>(?<=\be)|(?<=\be-))|(?<![^\W\d_]))(?P<word>{_FIGURE})|(?P<unspaced>{_FIGURE_UNSPACED})"
    + "".join(rf"|(?P<{kind}>(?<!\w)(?:{words})(?!\w)\.?)" for kind, words in OTHER_KINDS.items())
    + rf")\s*(?:(?P<supplement>{_SUPPLEMENT})\s+)?(?:(?:{any_of(lambda it: it.lists.number)}|#)\s*|-(?=\d)"
    + r"|(?P<round>\()(?=\d{1,3}\)))?"
    + rf"(?:(?:{any_of(lambda it: it.lists.from_words)})\s+(?=\d+\s(?:{TO})\s\d))?(?=[\dSEA-HIVX])",
    re.IGNORECASE,
)
NUMBER = re.compile(
    rf"(?:(?P<again>{_FIGURE}|{_FIGURE_UNSPACED})\s*)?"
    rf"(?:(?P<prefix>(?:(?:SI|SM|ED|EV)\s?|[Ss]|[A-He])[-.]?)?(?P<number>\d{{1,3}})(?![\d%])(?:\.(?P<sub>\d{{1,2}})(?![\d%]))?"
    rf"|(?P<roman>[IVX]{{1,5}})(?![\w]))"
)

AND = any_spaced(lambda it: it.lists.and_words)
JOIN = any_spaced(lambda it: (*it.lists.and_words, *it.lists.or_words))  # between a list's items
SHORT_JOINS = "|".join(  # "a", "y", "u.": panels look like them
    word
    for word in every(lambda it: (*it.lists.and_words, *it.lists.or_words, *it.lists.to_words) if it.spaces else ())
    if len(word.removesuffix(r"\.")) == 1
)
PANEL = rf"(?!S\d|E[DV]\d)[A-Za-zА-Еа-е](?:{DASH}?(?:iii|ii|i|iv|v|\d))?['′]*(?![^\W_\u3040-\u9fff])"
PANELS = re.compile(  # "A", " a-c", "(b)", "A,B", "B-E,J-M", "C and D", ", A to C"
    rf"(?:\s(?!(?:{SHORT_JOINS})\s+\S?\d)|,\s(?=[A-Z]))?\(?{PANEL}\)?"
    rf"(?:(?:\s*(?:[,、/&+]|{DASH})\s*|\s+(?:{JOIN}|{TO})\s+)(?:(?:{AND})\s+)?\(?{PANEL}\)?)*"
)
_ASIDE = re.compile(  # "(left)", ", upper panel"
    rf"(?:\s?\([^()]{{1,40}}\)"
    rf"|,?\s(?:{any_spaced(lambda it: it.lists.places)})(?:\s(?:{any_spaced(lambda it: it.lists.panels)}))?)"
    rf"(?=\s*(?:,|;|{AND})\s)"
)
_SEPARATOR = re.compile(
    rf"\s*(?:(?P<range>{DASH}|[~～〜]|{any_unspaced(lambda it: it.lists.to_words)})"
    rf"|[,;、，；・/&+]\s*(?:(?:{JOIN}|&)\s+)?|(?:{any_unspaced(lambda it: it.lists.and_words)}))\s*"
    rf"|\s+(?:(?P<range_word>{TO})|{JOIN})\s+"
)
VERBS = any_of(lambda it: it.running.verbs)
_UNITS = r"%|°|±|×|[munµμ]?[mglM]|k[gm]|[mc]?Gy|cm|m[lL]|µ[lLm]"
_QUANTITY = re.compile(  # behind a number that counts something else than figures
    rf"(?:[.,]\d|\s?(?:{_UNITS}|{any_spaced(lambda it: it.lists.counted)})(?!\w)"
    rf"|\s?(?:{any_unspaced(lambda it: it.lists.counted)}))"
)
_LIST_GOES_ON = re.compile(
    rf"\s*(?:$|[^\w\s]|(?:{VERBS}|{JOIN})\b|(?:{TO})\s\S?\d|[\u3040-\u9fff])|[A-Za-zА-Еа-е](?![^\W\u3040-\u9fff])", re.I
)

# publishers' notations, the same in whatever language
SUPPLEMENT_OF = re.compile(rf"\s*{DASH}+\s*(?:figure|fig\.?)\s*supplements?\s*", re.IGNORECASE)  # eLife
NUMBER_FIRST = re.compile(  # PLOS: "S1 Fig", "S1 and S2 Figs", "S1-S3 Figures"
    rf"(?<![\w-])(?P<items>S\d{{1,3}}(?:(?:\s*(?:,|{DASH}|&)\s*|\s+(?:and|to|or)\s+|,\s+and\s+)S?\d{{1,3}}){{0,30}})"
    r"[A-Z]?\s+(?P<word>Fig(?:ure)?s?\b|Abb\b)(?!\.?\s?\d)"
)
ORDINAL = re.compile(  # 第1图, 第1幅图, 第2、3図
    rf"(?:{any_of(lambda it: it.figure.ordinal)})\s?"
    rf"(?P<items>\d{{1,3}}(?:\s?(?:[、,，～]|{DASH})\s?\d{{1,3}}){{0,9}})\s?"
    rf"(?:{any_of(lambda it: it.figure.counters)})?\s?(?P<word>{any_unspaced(lambda it: it.figure.words)})"
)
_OTHER_FILE = re.compile(  # PLOS: "S3 Table"
    r"\s(?:Tables?|Text|Files?|Appendix|Videos?|Movies?|Audio|Data(?:set)?s?|Protocol|Checklist)\b"
)
_ROMAN = {"I": 1, "V": 5, "X": 10}


def number_key(number: re.Match) -> str:
    if number["roman"]:
        return str(_roman(number["roman"]))
    prefix = (number["prefix"] or "").rstrip("-. ").upper()
    prefix = {"SI": "S", "SM": "S"}.get(prefix, prefix)
    sub = f".{int(number['sub'])}" if number["sub"] else ""
    return f"{prefix}{int(number['number'])}{sub}"


def _roman(text: str) -> int:
    values = [_ROMAN[c] for c in text]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))


class Head(NamedTuple):
    """A figure word in front of a number."""

    start: int  # of the word, or of the "Supplementary" before it
    end: int  # where the number starts: behind the bracket of "Figure (1)"
    word: str  # as printed, without its full stop
    plural: bool
    series: str  # put before a key that starts with a digit: "", "S", "ED", "A", "A1-", "E", "SCHEME", ...


def heads(text: str, other_kinds: bool = True) -> Iterator[Head]:
    """The figure words in front of a number, from left to right."""
    return heads_at(text, anchors(text, other_kinds))


def heads_at(text: str, places: Iterable[int]) -> Iterator[Head]:
    """Those that start at one of the places, which are `anchors`."""
    for place in places:
        head = _HEAD.match(text, place)
        if head and not (head["round"] and text[place].islower()):  # "the figure (2)" may cite reference 2
            start = head.start()
            if head["electronic"] is not None:  # the "e" of "eFigure", "e-Figure"
                start -= 1 + (text[start - 1] == "-")
            before = text[max(0, start - _PREFIX_CHARS) : start]
            bracket = before.rstrip()[-1:] in "([,;/"  # before most figure words stands one of these, or nothing
            if prefix := None if bracket else _prefix(before):
                start -= len(before) - prefix.start()
            word = head["word"] or head["unspaced"]
            kind = "" if word else _other_kind(head)
            word = (word or head[kind]).rstrip(".")
            plural = head["word"] is not None and word.lower().endswith(_PLURALS)
            yield Head(start, head.end(), word, plural, _series(head, kind, prefix))


def _prefix(before: str) -> re.Match | None:
    worthwhile = before.endswith(_SHORT_PREFIXES) or _PREFIX_STEM.search(_small(before))
    return _PREFIX.search(before) if worthwhile else None


def _other_kind(head: re.Match) -> str:
    return next(kind for kind in OTHER_KINDS if head[kind])


def anchors(text: str, other_kinds: bool = True) -> list[int]:
    """Where a figure word may start; `find` is ten times faster than a pattern of all their stems."""
    stems = _ALL_STEMS if other_kinds else _FIGURE_STEMS
    found = _places(text.encode("ascii", "replace").lower(), stems.ascii)  # a third of the time of all letters
    if not text.isascii() and any(letter in text for letter in stems.letters):
        found += _places(_small(text), stems.others)
    return sorted(found)


def _places(folded: AnyStr, stems: Iterable[AnyStr]) -> list[int]:
    found = []
    for stem in stems:
        at = folded.find(stem)
        while at >= 0:
            found.append(at)
            at = folded.find(stem, at + 1)
    return found


def _small(text: str) -> str:
    """The text in small letters, as long as before: a few letters have a longer small form."""
    folded = text.lower()
    return folded if len(folded) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _series(head: re.Match, kind: str, prefix: re.Match | None) -> str:
    if head["supplement"] or (prefix and prefix["supplement"]):
        return f"{kind}S"
    if prefix and (prefix["extended"] or prefix["expanded"]):
        return kind + ("ED" if prefix["extended"] else "EV")
    if prefix and prefix["box_no"]:
        return f"BX{prefix['box_no']}-"
    if prefix and prefix["appendix"]:
        number = (prefix["appendix_no"] or "").upper()
        return f"{kind}A{number}-" if number.isdigit() else kind + (number or "A")
    return kind + ("E" if head["electronic"] is not None else "")


def in_series(series: str, key: str) -> str:
    """("S", "3") -> "S3"; a key that names its series already ("S3") stays."""
    return series + key if key[0].isdigit() else key


def number_list(text: str, position: int, plural: bool) -> tuple[list[str], int]:
    """The numbers of "2A-C, 3 and S1-S3" from `position` on, ranges filled in, and where they end."""
    keys: list[str] = []
    is_range = False
    while number := NUMBER.match(text, position):
        key = number_key(number)
        keys += _range(keys[-1], key) if is_range else [key]
        position = number.end()
        if panels := PANELS.match(text, position):
            position = panels.end()
        if SUPPLEMENT_OF.match(text, position):
            return keys[:-1], number.start()  # "Figure 2 and Figure 3-figure supplement 1": a figure of its own
        aside = _ASIDE.match(text, position)
        separator = _SEPARATOR.match(text, aside.end() if aside else position)
        if not separator:
            break
        is_range = bool(separator["range"] or separator["range_word"])
        following = NUMBER.match(text, separator.end())
        tight = separator.group() == ","
        if not following or not _is_list_item(text, following, plural or is_range, tight):
            break
        position = separator.end()
    return keys, position


def _is_list_item(text: str, number: re.Match, plural: bool, tight: bool) -> bool:
    """Whether a number after a comma or "and" continues the list of figures rather than counting something.

    `tight`: no space stands around the comma, so that further commas ("Figs 1,2,3") are none of decimals.
    """
    if number["again"] or number["prefix"]:
        return number["again"] is not None or not _OTHER_FILE.match(text, number.end())
    if _QUANTITY.match(text, number.end()) and not (tight and text[number.end()] == ","):
        return False
    return plural or bool(_LIST_GOES_ON.match(text, number.end()))


def several_numbers(text: str, head: Head) -> tuple[list[str], int] | None:
    """The keys in a label of several figures ("Figures 1–3"), and where the list ends; None where it is of one."""
    keys, end = number_list(text, head.end, head.plural) if head.plural else ([], 0)
    return (keys, end) if len(keys) > 1 else None


def _range(first: str, last: str) -> list[str]:
    """("S2", "4") -> ["S3", "S4"]; just the last one when the two are no ascending whole numbers of one series."""
    prefix = first.rstrip("0123456789.")
    last = last if not last[0].isdigit() else prefix + last
    low, high = first[len(prefix) :], last[len(prefix) :]
    if not last.startswith(prefix) or not low.isdigit() or not high.isdigit():
        return [last]
    span = int(high) - int(low)
    return [f"{prefix}{i}" for i in range(int(low) + 1, int(high) + 1)] if 0 < span <= MAX_RANGE else [last]
