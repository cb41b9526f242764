"""Which numbers, units, Greek names and abbreviations of an answer are in its evidence, in plain Python.

An offline look at hallucination: an answer that names a dose, a gene or a method that neither the question nor the
caption, the context or the reference names has made it up, or knows it from elsewhere. It says nothing about claims in
plain words.
"""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

_UNITS = {
    *("Gy", "mGy", "cGy", "μGy", "Sv", "mSv", "keV", "MeV", "MV", "kV", "kVp", "MBq", "kBq", "Bq", "mA", "mAs", "HU"),
    *("mm", "cm", "μm", "nm", "km", "m", "mL", "ml", "μL", "μl", "dL", "L", "mg", "μg", "ng", "kg", "g", "fold"),
    *("mmol", "μmol", "nmol", "mM", "μM", "nM", "h", "min", "ms", "s", "Hz", "kHz", "MHz", "T", "°C", "K", "%", "‰"),
    *("pg", "pM", "mV", "V", "W", "J", "Da", "kDa", "bp", "kb", "U", "IU", "ppm", "percent"),
    *("bpm", "mmHg", "kPa", "Pa", "day", "days", "week", "weeks", "month", "months", "year", "years"),
    *("hour", "hours", "minute", "minutes", "second", "seconds"),
}
_SAME_UNIT = {"ml": "mL", "μl": "μL", "hour": "h", "hours": "h", "minute": "min", "minutes": "min", "second": "s"}
_SAME_UNIT |= {"seconds": "s", "days": "day", "weeks": "week", "months": "month", "years": "year", "percent": "%"}
_WORD_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_WORD_NUMBERS |= {"eleven": 11, "twelve": 12}
_GREEK_NAMES = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "theta": "θ"}
_GREEK_NAMES |= {"kappa": "κ", "lambda": "λ", "sigma": "σ", "omega": "ω"}
_SUPERSCRIPTS = {ord(sign): f"^{digit}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}  # NFKC would make 10⁵ 105

_UNIT_PATTERN = "|".join(map(re.escape, sorted(_UNITS, key=lambda unit: (-len(unit), unit))))
_NUMBER = re.compile(rf"(?<![\w.,])(?<![^\W\d_]-)(\.?\d+(?:[.,]\d+)*)(?:[\s-]?({_UNIT_PATTERN})(?!\w))?")
_WORD_NUMBER = re.compile(rf"\b({'|'.join(_WORD_NUMBERS)})\b", re.IGNORECASE)
# "kappaB" begins with one, "alphabet" does not.
_GREEK_NAME = re.compile(rf"(?<![^\W\d_])((?i:{'|'.join(_GREEK_NAMES)}))(?![a-z]|[A-Z]{{2}})")
_TERM = re.compile(r"[^\W\d_][^\W_]*(?:-[^\W_]+)*")
_GREEK = re.compile("[α-ωΑ-Ω]")
_ABBREVIATION = re.compile(r"(?=(?:.*[A-Z]){2})[A-Za-z0-9-]+")
_APART = re.compile(r"\b([A-Z][A-Za-z]*[A-Z]\d*) ([α-ω])(?!\w)")  # TNF α
_PLAIN_PARTS = re.compile(r"^(?:[a-z]{3,}-)+|(?:-[a-z]{3,})+$")  # of anti-TNF-α-induced, MRI-guided
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


class Claim(NamedTuple):
    """A number with the unit that follows it (None: none does), or a term."""

    kind: str  # number | greek | abbreviation
    value: str
    unit: str | None = None


def find_claims(text: str) -> set[Claim]:
    """The checkable claims of a text, each once, in a form that spelling does not change.

    1,451 = 1451; 0,5 = 0.50 = .5 = 0.5; three = 3; μ = µ; 5 mL = 5 ml; TNF-alpha = TNF-α = TNFα; IL-6 = IL6; MRIs =
    MRI = MRI-guided.
    """
    text = unicodedata.normalize("NFKC", text.translate(_SUPERSCRIPTS))
    digits = _WORD_NUMBER.sub(lambda match: str(_WORD_NUMBERS[match.group().lower()]), text)
    numbers = {
        Claim("number", _canonical(number), _SAME_UNIT.get(unit, unit) or None)
        for number, unit in _NUMBER.findall(digits)
    }
    greek_text = _GREEK_NAME.sub(lambda match: _GREEK_NAMES[match.group().lower()], text)
    words = _TERM.findall(_APART.sub(r"\1-\2", greek_text))
    terms = {_PLAIN_PARTS.sub("", word) for word in words if word not in _UNITS}
    greek = {Claim("greek", _one_spelling(term)) for term in terms if _GREEK.search(term)}
    abbreviations = {
        Claim("abbreviation", _one_spelling(term.removesuffix("s"))) for term in terms if _ABBREVIATION.fullmatch(term)
    }
    return numbers | greek | abbreviations


def ground(answer: str, evidence: str) -> tuple[set[Claim], set[Claim]]:
    """(claims of the answer that the evidence has, those that it has not).

    A number without a unit is grounded by the same number with any unit; one with a unit needs both.
    """
    known, claims = find_claims(evidence), find_claims(answer)
    bare_numbers = {claim._replace(unit=None) for claim in known if claim.kind == "number"}
    grounded = claims & (known | bare_numbers)
    return grounded, claims - grounded


def _one_spelling(term: str) -> str:
    return term.replace("-", "").casefold()


def _canonical(number: str) -> str:
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    try:
        return format(Decimal(number.replace(",", ".")).normalize(), "f")
    except InvalidOperation:  # 1.2.3
        return number
