"""Identifiers as strangers' files state them: well-formed, or not there.

    doi("https://doi.org/10.1000/a<img src=x>") -> None
    language("pt-BR") -> "pt"; language("ger") -> None

What passes can still hold characters that mean something on a page: `markup` is what makes it text there.
"""

import re

# ISO 639-1, https://www.loc.gov/standards/iso639-2/php/code_list.php
_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv
    ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne
    ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st
    su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
LANGUAGES = frozenset(_CODES.split())
# ISO 639-2 for what articles are written in -> ISO 639-1: some metadata have the three letters
_THREE_LETTERS = {
    three: two
    for two, codes in {
        "en": "eng", "de": "deu ger", "es": "spa", "fr": "fra fre", "it": "ita", "ja": "jpn", "pt": "por", "ru": "rus",
        "uk": "ukr", "zh": "zho chi", "nl": "nld dut", "pl": "pol", "cs": "ces cze", "tr": "tur", "ko": "kor",
        "sv": "swe", "da": "dan", "fi": "fin", "hu": "hun", "ro": "ron rum", "el": "ell gre", "ar": "ara",
        "fa": "fas per", "hr": "hrv", "sr": "srp", "id": "ind", "ca": "cat", "lt": "lit", "no": "nor",
    }.items()
    for three in codes.split()
}  # fmt: skip
# What a DOI may hold behind its prefix: letters, digits and the signs that registered ones have; in addresses and
# metadata also "<" and ">" as in the SICIs of old ones: 10.1002/(SICI)1096-8652(199706)55:2<71::AID-AJH5>3.0.CO;2-0
_SIGNS = r"\w\-.;()/:+#&=,*~!$@%?'\[\]"
PRINTED_DOI = re.compile(rf"\b10\.[0-9]{{4,9}}/[{_SIGNS}]+", re.IGNORECASE)
_DOI = re.compile(rf"10\.[0-9]{{4,9}}/(?:[{_SIGNS}]|<[0-9A-Z]{{1,8}}::?[0-9A-Z-]{{1,16}}>)+", re.IGNORECASE)
_PMCID = re.compile(r"(?:PMC)?([0-9]{1,12})(?:\.[0-9]{1,3})?", re.IGNORECASE)
_MAX_DOI_CHARS = 300  # the longest registered ones have about 250
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,49}")
_TAGS_OF_THE_HUB = {"not-for-all-audiences"}  # what it says of a repository, not what a repository is about


def doi(stated: str | None) -> str | None:
    """The DOI in a statement (`10.1000/a`, or an address that ends in it); None where there is none that is whole."""
    found = re.search(r"10\.[0-9]{4,9}/\S+", stated or "")
    name = found.group().rstrip("\"'>”’") if found else ""
    return name if is_doi(name) else None


def is_doi(text: str) -> bool:
    """Whether a text is a DOI and nothing else."""
    return len(text) <= _MAX_DOI_CHARS and bool(_DOI.fullmatch(text))


def is_tag(text: str) -> bool:
    """Whether a text may be a tag of a card: words without the Hub's own prefixes (`license:`) and warnings."""
    return bool(_TAG.fullmatch(text)) and text.lower() not in _TAGS_OF_THE_HUB


def pmcid(stated: str | None) -> str | None:
    """`PMC` and digits, of a number with or without prefix and version; None for anything else."""
    match = _PMCID.fullmatch(stated or "")
    return f"PMC{match[1]}" if match else None


def language(tag: str | None) -> str | None:
    """The ISO 639-1 code of a language tag ("en-GB", "EN", "eng"); None where it has none."""
    primary = re.split(r"[-_]", (tag or "").strip().lower())[0]
    code = _THREE_LETTERS.get(primary, primary)
    return code if code in LANGUAGES else None
