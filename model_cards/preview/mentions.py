"""Where a sentence mentions a figure: what the preview marks.

    split_at_mentions("As seen in Figs 2–4.", "Figure 3")  -> ["As seen in ", "Figs 2–4", "."]

A modest rule, for the eye only: a figure word of ten languages (English, German, French, Spanish, Portuguese, Italian,
Russian, Ukrainian, Chinese, Japanese) and the numbers behind it; ranges count.
"""

import re
import unicodedata

MAX_RANGE = 60  # figures; the most that "Figs 1-60" may stand for
MAX_ITEMS = 60  # of one list of figures
_WORD = (
    r"(?:(?<![^\W\d_])(?:fig(?:ure|ura|uras|ures|s|g)?|abb(?:ildung(?:en)?)?|bild(?:er)?|рис(?:ун\w{1,5})?"
    r"|мал(?:юн\w{1,5})?|фиг(?:ур\w{1,3})?|schem\w{1,3}|esquemas?|charts?|gr[áa]ficos?|graphs?|plates?|tafeln?|схем\w)"
    r"(?![^\W\d_])\.?|[图圖図])\s?"
)
_DASH = r"[-\u2010-\u2015\u2212~～〜至到]"
_NUMBER = r"(?:(?:S|ED|[A-H])[-.]?)?\d{1,3}(?:\.\d{1,2})?|[IVX]{1,5}(?!\w)"
_LETTERS = rf"[A-Za-zа-г](?!\w)(?:(?:{_DASH}|[,/&]\s?)[A-Za-zа-г](?!\w))*"
_PANELS = rf"(?:(?!\s[aeoyàийі](?!\w))\s?(?:\({_LETTERS}\)|{_LETTERS}))?"
_RANGE = rf"\s?(?:{_DASH}|to|through|bis|à|al?|до|по)\s?"
_AND = r"\s?(?:[,;、，/&]|[,;]?\s?(?:and|und|et|ou?|y|e|и|та|і|or|oder)\s|[和与與及とから])\s?"
_ITEM = rf"(?:{_NUMBER}){_PANELS}"
_MENTION = re.compile(rf"{_WORD}{_ITEM}(?:(?:{_RANGE}|{_AND}){_ITEM}){{0,{MAX_ITEMS}}}", re.IGNORECASE)
_BEHIND = re.compile(  # "S1 and S2 Figs"
    rf"(?<!\w)S\d{{1,3}}(?:(?:{_RANGE}|{_AND})S?\d{{1,3}}){{0,{MAX_ITEMS}}}[A-Z]?\s(?:Fig(?:ure)?s?|Abb)(?!\w)\.?"
)
_PART = re.compile(rf"(?P<number>{_NUMBER}){_PANELS}(?P<range>{_RANGE}(?=\S?\d))?", re.IGNORECASE)


def split_at_mentions(sentence: str, label: str | None) -> list[str]:
    """The sentence in pieces: every second one (index 1, 3, …) mentions the figure with this label."""
    key = _key(label or "")
    pieces, position = [], 0
    for start, end in _mentions(sentence) if key else ():
        if start >= position and key in _keys(sentence[start:end]):
            pieces += [sentence[position:start], sentence[start:end]]
            position = end
    return [*pieces, sentence[position:]]


def _mentions(sentence: str) -> list[tuple[int, int]]:
    found = [match.span() for pattern in (_BEHIND, _MENTION) for match in pattern.finditer(sentence)]
    return sorted((start, start + len(sentence[start:end].rstrip(" ,;"))) for start, end in found)


def _key(label: str) -> str | None:
    """ "Figure 2" -> "2", "S1 Fig" -> "S1"; None without a number."""
    found = re.search(r"(?<![^\W\d_])(?:(?:S|ED|[A-H])[-.]?)?\d{1,3}(?:\.\d{1,2})?|(?<!\w)[IVX]{1,5}(?!\w)", label) or (
        re.search(r"\d{1,3}", label)
    )
    return _plain(found.group()) if found else None


def _keys(mention: str) -> set[str]:
    """The numbers that a mention names, ranges filled in."""
    keys, first = set(), None
    for part in _PART.finditer(mention):
        key = _plain(part["number"])
        keys |= _between(first, key) if first else {key}
        first = key if part["range"] else None
    return keys


def _between(first: str, last: str) -> set[str]:
    """ "2", "4" -> {"2", "3", "4"}; "S1", "3" -> {"S1", "S2", "S3"}."""
    series, start = re.fullmatch(r"(\D*)(.*)", first).groups()
    end = re.sub(r"^\D+", "", last)
    if start.isdigit() and end.isdigit() and 0 < int(end) - int(start) < MAX_RANGE:
        return {f"{series}{number}" for number in range(int(start), int(end) + 1)}
    return {first, last}


def _plain(number: str) -> str:
    """Full-width digits, leading zeros and "S-1" as "S1"."""
    text = unicodedata.normalize("NFKC", number).upper()
    series, digits = re.fullmatch(r"([A-Z]*)[-.]?(.*)", text).groups()
    return series + (digits.lstrip("0") or digits)
