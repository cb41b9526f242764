"""Which lines of text in a picture look like somebody's: names, birth dates, record numbers, days, hospitals.

Scanners burn them into pictures in a few forms (SMITH^JOHN, DOB: 12.03.1961, MRN 00483); figures hold much that is
like them and means nobody (Smith et al. 2012, Week 12, GSE12345). The words are those of all languages, in
`text/languages/`, key `personal`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dataset_builder.screening.dates import MONTH, Day, first_day, on_axes
from dataset_builder.screening.lines import Box, Line, around, neighbours, torn
from dataset_builder.text.language_files import PersonalWords, Words
from dataset_builder.text.vocabulary import LANGUAGES, any_of, any_spaced, any_unspaced

VERSION = 1  # raised when the rules change: pictures are then screened again
Kind = Literal["name", "birth_date", "date", "number", "institution", "face"]


@dataclass(frozen=True)
class Found:
    """One thing in a picture that looks like a person's."""

    kind: Kind
    text: str  # personal data itself: never published, never logged
    box: Box
    score: float  # of OCR or of the detector, 0 to 1


def personal(lines: Sequence[Line]) -> list[Found]:
    """What of a picture's lines looks like a person's; the same line may be so in two ways."""
    lines = [_normalised(line) for line in lines]
    found = [*_alone(lines), *_torn_apart(lines), *_with_neighbour(lines), *_days(lines)]
    return _each_once([*found, *_beside(lines, found)])


def _normalised(line: Line) -> Line:
    return Line(" ".join(unicodedata.normalize("NFKC", line.text).split()), line.box, line.score, line.is_on_picture)


def _each_once(found: list[Found]) -> list[Found]:
    """Of one kind at one place the longest text."""
    kept: dict[tuple[Kind, Box], Found] = {}
    for one in sorted(found, key=lambda one: len(one.text)):
        kept[one.kind, one.box] = one
    inner = [one for one in kept.values() if any(_is_within(one, other) for other in kept.values())]
    return [one for one in kept.values() if one not in inner]


def _is_within(one: Found, other: Found) -> bool:
    """Whether a birth date, found with its label, is found a second time as a day, or anything without its label."""
    is_same = one.kind == other.kind or (one.kind, other.kind) == ("date", "birth_date")
    (x0, y0, x1, y1), (left, top, right, bottom) = one.box, other.box
    is_inside = left <= x0 and top <= y0 and x1 <= right and y1 <= bottom
    return one is not other and is_same and is_inside and (one.box != other.box or one.kind != other.kind)


# ---- words ----


def _every(words: str) -> Words:
    return tuple(word for language in LANGUAGES.values() for word in getattr(language.personal, words))


def _label(words: str) -> str:
    """A pattern of a kind's labels: in languages with spaces whole words."""

    def of(personal_words: PersonalWords) -> Words:
        return getattr(personal_words, words)

    spaced = any_spaced(lambda language: of(language.personal))
    unspaced = any_unspaced(lambda language: of(language.personal))
    return rf"(?:(?<![^\W_])(?i:{spaced})(?:(?<![^\W\d_])|(?![^\W\d_]))|(?:{unspaced}))"


_SEPARATOR = r"\s?[:=#;]\s?"
_NAME_LABEL, _BIRTH_LABEL, _NUMBER_LABEL = _label("names"), _label("births"), _label("numbers")
_LABELLED_NAME = re.compile(rf"(?:^|[|;,/(\[]\s?){_NAME_LABEL}{_SEPARATOR}(?P<value>.+)")
_LABELLED_BIRTH = re.compile(rf"{_BIRTH_LABEL}\W{{0,4}}(?P<value>(?:\d|(?i:{MONTH})).+)")
_STARRED_BIRTH = re.compile(r"^\*\s?(?P<value>\d.+)")  # * 12.03.1961, as German and Nordic lists have it
_VALUE = r"(?P<value>[A-Z]{0,4}[\-/ ]?\d[\dA-Z./\-]{2,})"
_LABELLED_NUMBER = re.compile(rf"{_NUMBER_LABEL}\W{{0,4}}{_VALUE}")
_LONE_NUMBER = re.compile(rf"(?:^|[|;,/(\[]\s?){_label('lone_numbers')}\s?[:#]\s?(?P<value>\d{{5,}})(?![\d.])")
_BARE = {  # a label that fills its line: the value stands beside it
    "names": re.compile(rf"^{_NAME_LABEL}\s?[:=#.]?$"),
    "births": re.compile(rf"^{_BIRTH_LABEL}\s?[:=#.]?$"),
    "numbers": re.compile(rf"^{_NUMBER_LABEL}\s?[:=#.]?$"),
}
_CARET = re.compile(r"(?<![^\W_])(?:[^\W\d_]|['\-]){2,}\^+[^\W\d_]")
_SOCIAL_SECURITY = re.compile(r"(?<![\d.\-])\d{3}-\d{2}-\d{4}(?![\d.\-])")
_TITLE = re.compile(
    rf"(?<![^\W_])(?:{any_of(lambda language: language.personal.titles)})(?![^\W\d_])\s?(?P<value>[^\W\d_].+)"
)
_PUBLIC = re.compile(  # numbers of data bases and of trials: nobody's
    r"(?:GSE|GSM|GDS|GPL|SR[APRX]|ERR|ERP|DRR|PRJ|SAM|NCT|ISRCTN|TCGA|PMC|PMID|GO|NM|NR|NC|NP|XM|XP|ENS|PDB)[A-Z_:\-]*\d"
)
_SEQUENCE = re.compile(r"[A-Z]{1,2}_?\d{5,8}(?:\.\d)?$")  # of GenBank, and of some hospitals
_MISREAD = re.compile(r"(?<![\w.])(?=[01]?[A-Z]{2}|[A-Z][01][A-Z])[A-Z01]{3,4}(?![\w.])")
_MISREAD_START = re.compile(r"(?<!\w)0(?=[a-z]{2})")
_LETTERS = str.maketrans("01", "OI")
_MIN_NUMBER_DIGITS = 4  # of a labelled number: fewer count patients
_LONG_NUMBER = re.compile(r"^\d[\d\-/ ]{4,}\d$")  # alone in its line, in a picture that holds more of the kind
_COMMA_NAME = re.compile(r"^[A-Z][A-Z'\-]+,\s?[A-Z][A-Z'\-]+(?:\s[A-Z]\.?)?$")  # the same
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’\-](?=[^\W\d_]))*")
_HAN_NAME = re.compile(r"^[\u3040-\u30ff\u4e00-\u9fff・\s]{2,10}$")
_COLLEAGUES = any_of(lambda language: language.teaching.colleagues)
_CITED = re.compile(rf"^\W{{0,3}}(?:(?:{_COLLEAGUES})|&|(?:19|20)\d\d)", re.IGNORECASE)
_MAX_NAME_WORDS = 5
_MAX_PARTICLE = 3  # letters of "van", "de": what may stand in small letters within a name
_NOT_NAMES = re.compile(rf"(?i:{any_of(lambda language: language.personal.not_names)})")
_GENERIC = {word.casefold() for word in _every("generic")}
_GIVEN = {word.casefold() for word in _every("given_names")}
_INSTITUTION = re.compile(rf"(?i:{any_spaced(lambda language: language.personal.institutions)})")
_HAN_INSTITUTION = re.compile(
    rf"[\u4e00-\u9fff\u3040-\u30ff]{{2,}}(?:{any_unspaced(lambda language: language.personal.institutions)})"
)
_HAN_GENERIC = re.compile(rf"^(?:{any_unspaced(lambda language: language.personal.generic)})")
_PLACES = {word.casefold() for word in _every("places")}
_MAX_INSTITUTION_WORDS = 8
_MAX_NAME_BEHIND = 2  # words of its name behind "hospital"
_MAX_BETWEEN = 2  # characters between given name and surname
_MIN_WORD = 3  # letters: shorter ones are letters of panels, units, initials


# ---- one line ----


def _alone(lines: Sequence[Line]) -> Iterator[Found]:
    for line in lines:
        for kind in _kinds(line):
            yield Found(kind, line.text, line.box, line.score)


def _kinds(line: Line) -> Iterator[Kind]:
    """What a line holds by itself, but for days without a label."""
    text = _with_letters(line.text)
    if _CARET.search(text) or _holds_labelled_name(text) or _holds_titled(text) or _holds_known_name(text):
        yield "name"
    if _holds_birth(text):
        yield "birth_date"
    if _holds_number(text, line.is_on_picture):
        yield "number"
    if line.is_on_picture and _names_institution(text):
        yield "institution"


def _with_letters(text: str) -> str:
    """The text with letters in its short words where OCR read digits: 1PP is IPP, D0B is DOB, 0ct is Oct."""
    return _MISREAD_START.sub("O", _MISREAD.sub(lambda word: word[0].translate(_LETTERS), text))


def _holds_labelled_name(text: str) -> bool:
    match = _LABELLED_NAME.search(text)
    return match is not None and _is_name(match["value"])


def _is_name(value: str) -> bool:
    """Whether what follows a label is a name: words with capitals, none of which says who else is meant."""
    if _HAN_NAME.match(value):
        return not _NOT_NAMES.match(value)
    words = _WORD.findall(value)[:_MAX_NAME_WORDS]
    while words and words[0].islower() and len(words[0]) <= _MAX_PARTICLE:
        words = words[1:]
    if not words or not words[0][0].isupper() or _NOT_NAMES.fullmatch(words[0]):
        return False
    if len(words) > 1 and words[1].islower() and len(words[1]) > _MAX_PARTICLE:
        return False
    return len(words[0]) >= _MIN_WORD or (len(words) > 1 and words[1][0].isupper() and len(words[1]) >= _MIN_WORD)


def _holds_titled(text: str) -> bool:
    match = _TITLE.search(text)
    return match is not None and _is_name(match["value"])


def _holds_known_name(text: str) -> bool:
    """A common given name beside another name; no citation, no place that is called after a saint."""
    for given, other in _name_pairs(text):
        is_either = given.casefold() in _GIVEN or (given.isupper() and other.casefold() in _GIVEN)
        if is_either and _is_written_alike(given, other) and not _NOT_NAMES.fullmatch(other):
            return True
    return False


def _name_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Words that stand as given name and surname do: John Smith; Smith, John."""
    words = list(_WORD.finditer(text))
    for first, second in zip(words, words[1:], strict=False):
        between = text[first.end() : second.start()]
        before = text[: first.start()].split()
        is_place = bool(before) and before[-1].casefold().rstrip(".") in _PLACES
        if is_place or len(between) > _MAX_BETWEEN or _CITED.match(text[second.end() :]):
            continue
        comma = between.strip()
        is_stop_misread = comma == "." and first[0].isupper() and second[0].isupper()  # else it ends a sentence
        if comma == "," or is_stop_misread:
            yield second[0], first[0]
        elif not comma:
            yield first[0], second[0]


def _is_written_alike(one: str, other: str) -> bool:
    """Both in capitals, or both with one."""
    if min(len(one), len(other)) < _MIN_WORD:
        return False
    return (one.isupper() and other.isupper()) or (one.istitle() and other[0].isupper() and not other.isupper())


def _holds_birth(text: str) -> bool:
    match = _LABELLED_BIRTH.search(text) or _STARRED_BIRTH.search(text)
    day = first_day(match["value"], is_labelled=True) if match else None
    return day is not None and day.start == 0


def _holds_number(text: str, is_on_picture: bool = True) -> bool:
    """A labelled number; on paper one that is built like those of sequences in GenBank is taken for such."""
    if _SOCIAL_SECURITY.search(text):
        return True
    if _LONE_NUMBER.search(text):
        return True
    match = _LABELLED_NUMBER.search(text)
    if match is None or _PUBLIC.match(match["value"]):
        return False
    if _SEQUENCE.match(match["value"]) and not is_on_picture:
        return False
    return sum(letter.isdigit() for letter in match["value"]) >= _MIN_NUMBER_DIGITS


def _names_institution(text: str) -> bool:
    """A hospital by its name: not "the hospital", "Hospital A", "Hospital Mortality"."""
    han = _HAN_INSTITUTION.search(text)
    if han:
        return not _HAN_GENERIC.match(han[0])
    words = _WORD.findall(text)
    places = [place for place, word in enumerate(words) if _INSTITUTION.fullmatch(word) and word[0].isupper()]
    if not places or len(words) > _MAX_INSTITUTION_WORDS:
        return False
    place = places[0]
    return any(map(_is_own_name, words[:place][-1:])) or _is_called(words[place + 1 :]) or _ends_in_own(words, place)


def _is_own_name(word: str) -> bool:
    return word[0].isupper() and len(word) >= _MIN_WORD and word.casefold() not in _GENERIC


def _ends_in_own(words: list[str], place: int) -> bool:
    """Peking University Hospital: a general word between the name and the hospital."""
    before = words[:place]
    return (
        len(before) > 1 and before[-1].casefold() in _GENERIC and before[-1][0].isupper() and _is_own_name(before[-2])
    )


def _is_called(words: list[str]) -> bool:
    """Hospital Universitario La Paz, Klinikum Stuttgart: general words may stand between hospital and name."""
    names = [word for word in words if word.casefold() not in _GENERIC | _PLACES and not word.islower()]
    return 0 < len(names) <= _MAX_NAME_BEHIND and all(map(_is_own_name, names))


# ---- several lines ----


def _torn_apart(lines: Sequence[Line]) -> Iterator[Found]:
    """What two lines hold together that neither holds alone."""
    for first, second in torn(lines):
        alone = {*_kinds(first), *_kinds(second)}
        box, score = around([first.box, second.box]), min(first.score, second.score)
        joined = Line(f"{first.text} {second.text}", box, score)
        for kind in _kinds(joined):
            if kind not in alone:
                yield Found(kind, joined.text, box, score)


def _with_neighbour(lines: Sequence[Line]) -> Iterator[Found]:
    """Labels whose value is a line of its own."""
    checks = {"names": ("name", _is_name), "births": ("birth_date", _holds_birth), "numbers": ("number", _holds_number)}
    for line in lines:
        for words, bare in _BARE.items():
            if not bare.match(line.text):
                continue
            kind, holds = checks[words]
            for other in neighbours(line, lines):
                value = other.text if words == "names" else f"{line.text}: {other.text}"
                if holds(value) and not any(pattern.match(other.text) for pattern in _BARE.values()):
                    text = f"{line.text} {other.text}"
                    yield Found(kind, text, around([line.box, other.box]), min(line.score, other.score))  # type: ignore[arg-type]
                    break


def _days(lines: Sequence[Line]) -> Iterator[Found]:
    """Days, but for those of a time axis."""
    dated: list[tuple[Line, Day]] = [(line, day) for line in lines if (day := first_day(line.text))]
    axes = on_axes(dated)
    for line, _ in dated:
        if line not in axes:
            yield Found("date", line.text, line.box, line.score)


def _beside(lines: Sequence[Line], found: list[Found]) -> Iterator[Found]:
    """What is a person's in a picture that holds a person's name, birth date or number: a long number, SMITH, JOHN."""
    if not any(one.kind in ("name", "birth_date", "number") for one in found):
        return
    for line in lines:
        if _LONG_NUMBER.match(line.text) and not first_day(line.text):
            yield Found("number", line.text, line.box, line.score)
        if _COMMA_NAME.match(line.text):
            yield Found("name", line.text, line.box, line.score)
