"""What of a text can be looked up in another: numbers with units, Greek terms, abbreviations, names; and directions.

    facts("IL-6 rose to 0.5 mg/kg (TNF-alpha)", "en")   -> IL6 | 0.5 mg/kg | TNFα
    words("Edema fell to 3 mm.", …)                     -> "edema", "fell" (less), "to", "3 mm"

Spelling does not count: 0,50 = 0.5, 1,451 = 1 451 = 1451, µ = μ, TNF-alpha = TNF-α, MRIs = MRI.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import NamedTuple

from dataset_builder.text.language_files import OPPOSITE_SIDES
from dataset_builder.text.vocabulary import LANGUAGES, NO_MATCH, any_spaced, every

_SUPERSCRIPTS = {ord(sign): f"^{digit}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}  # NFKC would make 10⁵ 105
_SUBSCRIPTS = {ord(sign): str(digit) for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_GREEK_NAMES = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "theta": "θ"}
_GREEK_NAMES |= {"kappa": "κ", "lambda": "λ", "sigma": "σ", "omega": "ω"}
_GREEK_NAME = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(_GREEK_NAMES)})(?![a-z]|[A-Z]{{2}})", re.IGNORECASE)

_CJK = r"\u3040-\u30ff\u3400-\u9fff"
_SYMBOL = (
    r"(?:[μmkcdnpMG]?(?:Gy|Sv|Bq|Ci|eV|Vp?|A|mol|m|g|L|l|M|Hz|W|J|Pa|Da|s|T)"
    r"|min|h|HU|IU|U|ppm|bp|kb|mmHg|kVp|mAs|rpm|°\s?C|K|fold)"
)
_UNIT = (
    rf"(?:%|‰|(?:{_SYMBOL}(?:\^?-?[23])?(?:\s?/\s?(?:{_SYMBOL}|(?:{any_spaced(lambda it: it.teaching.units)}))"
    rf"(?:\^?[23])?)*|(?:{any_spaced(lambda it: it.teaching.units)}))(?![^\W{_CJK}]))"
)
_GROUPED = r"[1-9]\d{0,2}(?:[ '’]\d{3})+(?!\d)(?:[.,]\d+)?"  # 12 345, 12'345.6
_NUMBER = rf"(?:{_GROUPED}|\d+(?:[.,·]\d+)*(?:\^\d+)?|\.\d+)"
_UNSPACED = sorted(every(lambda it: () if it.spaces else it.answers.opposites.all_words()), key=len, reverse=True)
_APART = r"(?<![A-Za-zΑ-ω\d_.,])(?<![A-Za-zΑ-ω]-)"  # before a number: no part of a name, nor of another number
_WORD = re.compile(
    rf"{_APART}(?P<number>{_NUMBER})(?:[\s-]?(?P<unit>{_UNIT})|(?![\dA-Za-zΑ-ω])(?!-[^\W\d_]))"  # not 18F, 5-HETE
    rf"|(?:{'|'.join(_UNSPACED) or NO_MATCH})"
    rf"|[{_CJK}]"
    rf"|(?P<word>[^\W_{_CJK}]+(?:[-‐‑/][^\W_{_CJK}]+)*)"
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_THOUSANDS_BY_POINTS = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})")  # 1.234,5 and 1.234.567
_THOUSANDS_OR_DECIMALS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")  # 1.234 and 1,234: the language decides
_FIRST_NUMBER = re.compile(_NUMBER)
_SPECIAL = re.compile(r"[Α-ω]|\d|[A-ZА-ЯЁ].*[A-ZА-ЯЁ]")  # of a name: Greek, a digit, two capitals
_LISTED = re.compile(r"^\s*\(?\d{1,2}[.)]\s+|(?<=\s)\(\d{1,2}\)(?=\s)", re.MULTILINE)  # "1. …", "(2) …"
_NO_NAMES = frozenset(every(lambda it: it.sentences.starters))  # "this Figure", "The": printed with a capital at times
_AHEAD_OF_NAME = re.compile(r"[a-zа-яё,;]\s+$")  # a capital behind it is no start of a sentence


class Direction(NamedTuple):
    """A word of the languages' lists of opposites: its side (more, less, left …) and its place in that list."""

    side: str
    place: int

    def opposite(self) -> "Direction":
        """The word of the other side that has the same form: increased -> decreased."""
        return Direction(OPPOSITE_SIDES[self.side], self.place)


class Word(NamedTuple):
    """A word of a text as it is compared: `said`, its spelling made one; the others where it is such."""

    said: str
    number: str | None  # its value, in one spelling
    unit: str | None  # of that number
    directions: tuple["Direction", ...]  # that it says: "lower" is less, and not upper
    start: int
    end: int
    is_name: bool = False  # a Greek term, an abbreviation, a named entity


class Fact(NamedTuple):
    """A number with its unit (None: it has none), or a name."""

    value: str
    unit: str | None
    is_number: bool


def unified(text: str) -> str:
    """One spelling of characters: compatibility forms, Greek letters by their signs, no invisible ones."""
    text = unicodedata.normalize("NFKC", text.translate(_SUPERSCRIPTS).translate(_SUBSCRIPTS))
    text = text.replace("\u00b5", "μ").replace("\u2212", "-")
    return _GREEK_NAME.sub(lambda match: _GREEK_NAMES[match.group().lower()], text)


@lru_cache(maxsize=1024)  # the rules look at the same few texts in turn
def words(text: str, language: str | None) -> tuple[Word, ...]:
    """The words of a `unified` text in their order; a Chinese or Japanese character is one where no direction is."""
    return tuple(_word(match, text, language) for match in _WORD.finditer(text))


def facts(answer: str, language: str | None) -> set[Fact]:
    """What the answer says that can be looked up, each once. The numbers of a list ("1. …") are none."""
    text = unified(_LISTED.sub(" ", answer))
    return {_fact(word) for word in words(text, language) if word.number or word.is_name}


class Known:
    """What evidence says, to look up the facts of an answer."""

    def __init__(self, evidence: Iterable[str], language: str | None):
        """`evidence` are the sentences that the answer names."""
        texts = [unified(text) for text in evidence]
        self.sentences = [words(text, language) for text in texts]
        said = [word for sentence in self.sentences for word in sentence]
        self._units: dict[str, set[str | None]] = {}
        for text, sentence in zip(texts, self.sentences, strict=True):
            for word in sentence:
                for value in _values(word, text, language):
                    self._units.setdefault(value, set()).add(word.unit)
        self._names = {part for word in said for part in (word.said, *_parts(word.said))}
        self.directions = {direction for word in said for direction in word.directions}

    def has(self, fact: Fact) -> bool:
        """Whether the evidence says it; a number that it gives without a unit ("0.5 and 1 Gy") may have any."""
        if fact.is_number:
            units = self._units.get(fact.value, set())
            return bool(units) if fact.unit is None else fact.unit in units or None in units
        known = self._names | self._units.keys()
        return fact.value in known or all(part in known for part in _telling_parts(fact.value))

    def says(self, word: str) -> bool:
        """Whether it has this word, as `Word.said` spells it."""
        return word in self._names

    def share(self, facts: set[Fact]) -> float | None:
        """How many of the facts the evidence has, 0 to 1; None where there are none."""
        return sum(map(self.has, facts)) / len(facts) if facts else None


def _fact(word: Word) -> Fact:
    return Fact(word.number, word.unit, True) if word.number else Fact(word.said, None, False)


def _word(match: re.Match, text: str, language: str | None) -> Word:
    start, end = match.span()
    if match["number"]:
        value, unit = _canonical(match["number"]), _one_unit(match["unit"])
        return Word(f"{value} {unit or ''}".strip(), value, unit, (), start, end)
    said = match.group()
    directions = _directions(said.lower(), language)
    is_name = bool(match["word"]) and not directions and _is_name(said, text[max(0, start - 10) : start], language)
    return Word(_one_spelling(said), None, None, directions, start, end, is_name)


def _is_name(word: str, before: str, language: str | None) -> bool:
    """Greek, with a digit, with two capitals; or with one that no start of a sentence asks for."""
    if len(word) > 1 and _SPECIAL.search(word):
        return not word.isdigit()
    starts_with_capital = word[0].isupper() and word[1:2].islower() and word.lower() not in _NO_NAMES
    return starts_with_capital and not _capital_nouns(language) and bool(_AHEAD_OF_NAME.search(before))


def _capital_nouns(language: str | None) -> bool:
    """Whether the language, as German, writes every noun with a capital."""
    return language in LANGUAGES and LANGUAGES[language].teaching.the_figure.noun[0][0].isupper()


def _one_spelling(word: str) -> str:
    """IL-6 = IL6, MRIs = MRI; hyphens of other words stay for their parts."""
    if word[-1:] == "s" and word[-2:-1].isupper():
        word = word[:-1]
    return re.sub(r"[-‐‑]", "-", word).casefold()


def _parts(said: str) -> Iterator[str]:
    """TNF-α-induced: its parts, and all of them without hyphens."""
    yield said.replace("-", "")
    yield from re.split(r"[-/]", said)


def _telling_parts(said: str) -> list[str]:
    """What of a name must be known for the name to be: the whole, without hyphens, or every part of it."""
    parts = [part for part in re.split(r"[-/]", said) if part]
    return parts if len(parts) > 1 else [said.replace("-", "")]


def _values(word: Word, text: str, language: str | None) -> list[str]:
    """What a word of the evidence `text` may say as a number; none for other words."""
    if not word.number:
        numeral = _numeral(word.said, language)
        return [numeral] if numeral else []
    printed = _FIRST_NUMBER.match(text, word.start)
    return [word.number, *(_other_readings(printed.group(), language) if printed else ())]


def _other_readings(number: str, language: str | None) -> list[str]:
    """1234 of the German "1.234", 1.234 of "1,234"; and 1 and 234 of "1 234", which may be two numbers."""
    if apart := re.split("[ '’]", number)[1:]:
        return [_canonical(part) for part in (number[: number.index(apart[0]) - 1], *apart)]
    decimal = LANGUAGES[language].answers.decimal if language in LANGUAGES else "."
    if decimal == "," and _THOUSANDS_OR_DECIMALS.fullmatch(number):
        return [_canonical(number.replace(".", "")) if "." in number else _canonical(number.replace(",", "."))]
    return []


def _canonical(number: str) -> str:
    number = re.sub("[ '’]", "", number)
    if _THOUSANDS_BY_POINTS.fullmatch(number):
        number = number.replace(".", "")
    elif _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    try:
        return format(Decimal(number.replace(",", ".").replace("·", ".")).normalize(), "f")
    except InvalidOperation:  # 1.2.3, 10^5
        return number


def _one_unit(unit: str | None) -> str | None:
    """ "ml" = "mL", "mg / kg" = "mg/kg"; a missing unit stays None."""
    return re.sub(r"l(?![a-z])", "L", re.sub(r"[\s^]", "", unit)) if unit else None


def _directions(word: str, language: str | None) -> tuple[Direction, ...]:
    whole, starts = _opposites(language if language in LANGUAGES else "en")
    if word in whole:
        return tuple(whole[word])
    start = starts.match(word)
    return tuple(whole[start.group() + "-"]) if start else ()


@cache
def _opposites(language: str) -> tuple[dict[str, list[Direction]], re.Pattern]:
    """word -> what it says, with a hyphen where words only start so; and the pattern of those starts."""
    directions: dict[str, list[Direction]] = {}
    for side, of_it in LANGUAGES[language].answers.opposites.by_side():
        for place, word in enumerate(of_it):
            directions.setdefault(word, []).append(Direction(side, place))
    starts = sorted((word[:-1] for word in directions if word.endswith("-")), key=len, reverse=True)
    return directions, re.compile("|".join(map(re.escape, starts)) or NO_MATCH)


def _numeral(word: str, language: str | None) -> str | None:
    """three -> 3, as the language's file lists them from zero on."""
    return _numerals(language if language in LANGUAGES else "en").get(word)


@cache
def _numerals(language: str) -> dict[str, str]:
    listed = LANGUAGES[language].answers.numerals
    return {word: str(value) for value, at_it in enumerate(listed) for word in at_it.split("/")}
