"""Where a sentence ends.

split_sentences("As in Fig. 2A. We then ...")    -> ["As in Fig. 2A.", "We then ..."]
"""

import re

from dataset_builder.text.clean import clean

MIXED_CASE = re.compile(
    r"(?:[a-z]{1,3}[A-Z\d]|[a-z]-[A-Za-z]|[a-h](?:[,)]|\s+(?=[A-Z(]))|[α-ωµμ])"
)  # "pH", "mRNA", "p53", "a Dose"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER_LAST = _words(  # abbreviations that something always follows
    """fig figs figg abb рис мал фиг tab tabl табл eq eqs eqn ref refs sec sect chap suppl supp dr prof mr mrs ms
    mme st vs e.g i.e eg ie cf approx ca resp viz incl var subsp ssp cv bzw z.b d.h u.a vgl sog evtl ggf inkl ej
    ex p.ex p.ej núm sra sr dra dott aprox env ee cfr figg abbn ad.es т.е т.к т.н см напр им ср див прибл gen comb"""
)
_NUMBERED = _words(  # abbreviations in front of a number
    """no nos nr es pp vol vols art ch pt par bd ст стр гл ed num pág jan feb apr
    jun jul aug sep sept oct nov dec okt dez
    janv févr juil déc ene abr dic fev out"""
)
_AMBIGUOUS = _words(  # last word of a sentence or not: the next word decides
    "al inc ltd co corp jr sp spp med i.v i.p s.c i.m p.o a.m p.m u.s u.k e.u usw др гг ін dept univ"
)
_STARTERS = _words(  # words that start a sentence and are no name
    """the this these that those we our it its in on at to for from as by with when while where after before during
    because since if although though however moreover furthermore therefore thus hence then here there they
    their he she his her both each all some many most no not only an a one two three such another other
    additionally also finally first second third next data results patients subjects cells samples mice figure
    figures table tables fig consistent similarly interestingly importantly notably indeed instead overall using
    based given compared following briefly die der das wir ein eine diese dieser dieses im bei nach für und es
    sie mit von zur zum le la les nous un une ces cette dans pour il elle en el los las se este esta estos para
    por o os as um uma foi foram na nas nos ao lo gli nel nella nei per del i si в на мы это эти для при по с у
    из как так а но и он она они ми це ці та й"""
)
_STOP = re.compile(r"[.!?…。！？｡]+")
_AFTER_LATIN = re.compile(  # closing quotes and brackets, a citation ("mice.12", "mice. [3,4]"), then white space
    r"[\"'”’»)\]]*(?:\d{1,3}(?:[,–-]\d{1,3})*|\s?\[\d+(?:[,–-]\s?\d+)*\])?(?=\s|$)"
)
_AFTER_CJK = re.compile(r"[」』”’）)\]】]*")
_FIRST_WORD = re.compile(r"[^\s,.;:]*")
_WORD_BEFORE = re.compile(r"(?:[^\W_\u3040-\u9fff]+\.)*[^\W_\u3040-\u9fff]+$")
_GERMAN_ORDINAL = re.compile(
    r"Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert|Woche|Tag|Monat"
)
_GERMAN_ARTICLE = re.compile(r"(?<!\w)(?:der|dem|den|des|am|vom|zum|im|beim)\s$", re.IGNORECASE)  # "der 3. Patient"


def split_sentences(text: str) -> list[str]:
    """The sentences of a paragraph, white space normalised; a blank line ends a sentence too."""
    paragraphs = (clean(part) for part in re.split(r"\n\s*\n", text))
    return [part[start:end] for part in paragraphs for start, end in sentence_spans(part)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence of `text`, whose white space is normalised already (`clean`)."""
    spans, start = [], 0
    for stop in _STOP.finditer(text):
        end = _sentence_end(text, stop)
        if end is not None:
            spans.append((start, end))
            start = end + (text[end : end + 1] == " ")
    if start < len(text):
        spans.append((start, len(text)))
    return spans


def _sentence_end(text: str, stop: re.Match) -> int | None:
    """Where the sentence ends that the punctuation `stop` may close; None when it closes none."""
    if stop.group()[-1] in "。！？｡":
        return _AFTER_CJK.match(text, stop.end()).end()
    after = _AFTER_LATIN.match(text, stop.end())
    if not after or (after.group()[:1].isdigit() and not _may_be_cited(text[stop.start() - 1])):
        return None
    following = text[after.end() + 1 : after.end() + 40]
    if following and not _may_start(following):
        return None
    if following and stop.group() == "." and _is_abbreviation(text, stop, following):
        return None
    return after.end()


def _may_be_cited(last: str) -> bool:
    """Whether digits after the full stop behind this character may be a citation rather than decimals."""
    return last.isalpha() or last in ')]"”’'


def _may_start(following: str) -> bool:
    """Whether a sentence may start with this text: not with a small letter ("pH", "mRNA" excepted) or punctuation."""
    first = following.lstrip("\"“‘'«([¿¡—–- ")[:1]
    if not first:
        return False
    return first.isupper() or first.isdigit() or is_caseless(first) or bool(MIXED_CASE.match(following))


def _is_abbreviation(text: str, match: re.Match, following: str) -> bool:
    """Whether the full stop belongs to an abbreviation, an initial or an ordinal rather than to the sentence."""
    found = _WORD_BEFORE.search(text, max(0, match.start() - 20), match.start())
    if not found:
        return False
    word = found.group()
    folded = word.lower()
    starts = _FIRST_WORD.match(following)[0].lower() in _STARTERS
    if len(word) == 1 and word.isalpha():
        return _is_initial(text, found.start(), word, starts, following)
    if folded in _NEVER_LAST:
        return True
    if folded in _NUMBERED:
        return following[0].isdigit()
    if folded in _AMBIGUOUS or (folded.count(".") and folded.replace(".", "").isalpha() and len(folded) <= 6):
        return not starts
    if not (word.isdigit() and len(word) <= 2):
        return False
    before = text[max(0, found.start() - 6) : found.start()]
    return bool(_GERMAN_ORDINAL.match(following) or _GERMAN_ARTICLE.search(before))


def _is_initial(text: str, start: int, word: str, starts: bool, following: str) -> bool:
    """ "J. Smith", "E. Coli", "z. B. 3", "p. 3" are no ends; "vitamin C. The", "panel b. We" are."""
    if re.match(r"[^\W\d_]\.", following) or re.search(r"(?<!\w)[^\W\d_]\.\s$", text[max(0, start - 4) : start]):
        return not starts or following[1:2] == "."
    if following[0].isdigit():
        return word.islower() or word in "SCT"
    return not starts and (word.isupper() or word in "pscv")


def is_caseless(character: str) -> bool:
    return character.isalpha() and character.lower() == character.upper()
