"""Languages and years of a domain in the words of a search service."""

from collections.abc import Sequence
from typing import Literal

Source = Literal["europepmc", "esearch"]
_CODES = {  # ISO 639-1 -> MEDLINE's code (Europe PMC's LANG), English name (ESearch)
    "de": ("ger", "german"),
    "en": ("eng", "english"),
    "es": ("spa", "spanish"),
    "fr": ("fre", "french"),
    "it": ("ita", "italian"),
    "ja": ("jpn", "japanese"),
    "ko": ("kor", "korean"),
    "nl": ("dut", "dutch"),
    "pl": ("pol", "polish"),
    "pt": ("por", "portuguese"),
    "ru": ("rus", "russian"),
    "tr": ("tur", "turkish"),
    "uk": ("ukr", "ukrainian"),
    "zh": ("chi", "chinese"),
}  # https://www.nlm.nih.gov/bsd/language_table.html


def with_limits(query: str, source: Source, languages: Sequence[str], years: tuple[int, int] | None) -> str:
    """The query, limited to languages (ISO 639-1) and years. Raises ValueError for a language without a code here."""
    limits = [f"({query})"]
    for language in languages:
        if language not in _CODES:
            raise ValueError(f"language {language!r}: the search knows {', '.join(_CODES)}")
    if languages and source == "europepmc":
        limits.append("(" + " OR ".join(f'LANG:"{_CODES[language][0]}"' for language in languages) + ")")
    elif languages:
        limits.append("(" + " OR ".join(f"{_CODES[language][1]}[lang]" for language in languages) + ")")
    if years:
        first, last = years
        limits.append(f"PUB_YEAR:[{first} TO {last}]" if source == "europepmc" else f"{first}:{last}[pdat]")
    return " AND ".join(limits)
