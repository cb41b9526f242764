"""What no answer about a figure may hold, whoever wrote it: the reader of an answer has the picture, not the article.

fault("The dose rose (see Table 2).", "en")              -> "reference"
fault("Reprinted with permission from Elsevier.", "en")  -> "credit"
fault("The dose rose after 2 h.", "en")                  -> None
"""

import re
from functools import cache

from dataset_builder.teaching.citations import cites
from dataset_builder.teaching.references import refers
from dataset_builder.teaching.the_figure import DEFAULT_LANGUAGE
from dataset_builder.text.language_files import Language, Words
from dataset_builder.text.mentions import all_mentions
from dataset_builder.text.vocabulary import LANGUAGES, any_of, any_spaced, any_unspaced, every

FIGURE_NUMBER = "figure_number"  # "Figure 2", or what is left of it
REFERENCE = "reference"  # another part of the article: a table, a section, a file
CITATION = "citation"  # another work
CREDIT = "credit"  # who made the picture, and who allows its use
ADDRESS = "address"  # of a web page
BRACKETS = "brackets"  # empty, or without their other half
PUNCTUATION = "punctuation"  # doubled, or behind a space
GLUED = "glued"  # a sentence that goes on with a small letter behind a full stop
SYMBOL = "symbol"  # a character that a file lost or spells in its own way
INCOMPLETE = "incomplete"  # a word is missing that another asks for


def _words_of_rights(language: Language) -> Words:
    of = language.rights
    return (*of.reprinted, *of.adapted, *of.permission, *of.reserved, *of.courtesy, *of.public_domain)


_RIGHT = re.compile(
    rf"(?<!\w)(?=[^\W\d_])(?:{any_spaced(_words_of_rights)})|{any_unspaced(_words_of_rights)}", re.IGNORECASE
)
_MAKER = re.compile(
    rf"(?<!\w)(?:{any_of(lambda it: it.captions.source)})\s?[:：]"
    rf"|(?<!\w)(?:{any_of(lambda it: it.rights.photos)})\s?(?:[:：]|(?:{any_of(lambda it: it.rights.by_words)}))"
    r"\s?(?-i:[A-ZА-ЯЁ])|©|\(c\)\s(?:19|20)\d\d|creative commons|(?<!\w)CC[ -]BY",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?:|www\.|\bdoi\b|\b10\.\d{4,}/|\w@\w", re.IGNORECASE)
_OPENING, _CLOSING = "([{（【［", ")]}）】］"
_EMPTY = re.compile(r"[(\[（【［]\s*(?:[)\]）】］]|[,;:，；]|\.(?!\d))|[,;:，；、]\s*[)\]）】］]")
_LIST_MARK = re.compile(  # "a) before, b) after, and c) later": a bracket of its own
    rf"(?:^|[(（,;:.]\s?|(?<!\w)(?:{any_spaced(lambda it: (*it.lists.and_words, *it.lists.or_words))})\s)"
    r"(?:[^\W_]|[ivx]{1,3}|\d{1,2})$"
)
_PUNCTUATION = re.compile(
    r"\s,|[,;]\s?[,;.](?!\d)|:\s?[,;](?!\d)|:\.(?!\d)|(?<!\.)\.\.(?!\.)|\s\.(?!\d)|\.\s\.|[，；、]\s?[，；、。]|。。|\s{2}"
)
_SYMBOL = re.compile(  # "20uC", "Dl = 6", "c2 = 4.1", "exp(2t", "cm21", "(cid:3)", "(= 0.05)", "?-proteins", "a.01"
    r"\d\s?u[CFMm]2?(?!\w)|\(um2?\)|\(cid:|[(,;]\s?=\s?\d|[\ufffd\ue000-\uf8ff\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[^\W_]\s\?\s[^\W_]|(?<!\w)\?-\w|\(\?\)|(?<!\w)D[a-z]\s?=|(?<!\w)c2\w*\s?=\s?\d|(?<!\w)exp\(\d[a-z]|(?<![\w.])[a-z]\.\d"
    r"|(?:M|cm|s|min|mL|kg|h)21(?!\w)|\d\s102\d(?!\w)|\s[˚°]\s?[^\sCFEWNS\d]"
)
_SMALL_START = re.compile(
    r"(?P<word>[^\W\d_]{3,})[)\]”\"]?\.\s(?=[a-zа-яёіїєґ]{3,}[\s,])|[)\]]\.\s(?=[a-z]{3,}\s)|[^\W\d_]{4,}\.(?=\d)"
)
_NEVER_LAST = frozenset(every(lambda it: it.sentences.never_last))
_ABBREVIATED = frozenset(
    every(lambda it: (*it.sentences.never_last, *it.sentences.before_number, *it.sentences.sometimes_last))
)
_SIGN_LAST = re.compile(r"(?<=[\w\])])\s?[=<>≤≥×±≈]\s?(?:[),;]|\.?$)")
_FIRST = re.compile(r"(?<![\w(])\(?(?:1|i)\)|①")
_SECOND = re.compile(r"(?:^|[;.:,]\s)(?:\w+\s)?\((?:[2-9]|ii|iii|iv|v)\)\s|②")
_NOUNS = "|".join(every(lambda it: it.teaching.the_figure.noun))
_FORMS = any_of(lambda it: [form for forms in it.teaching.the_figure.forms.values() for form in forms])
_BARE = re.compile(  # "(p = 0.1, the figure)", "(Figure)", "their the figure"
    rf"[(（,;:，；/–—-]\s*(?:{_FORMS}|{_NOUNS})\s*[,;:，；)）\]–—/]{{1,2}}(?<=[)）])"
    rf"|[(（]\s*(?:{_FORMS}|{_NOUNS})\s*[,;:，；)）]"  # "leads to the acid, the figure."
    rf"|[,，;；]\s?(?:{_FORMS})\s?(?:[.。;；]|$)|\([^()]*(?<!\w)(?:{_FORMS})(?!\w)[^()]*\)|（[^（）]*(?:{_FORMS})[^（）]*）",
    re.IGNORECASE,
)
_TWICE = re.compile(rf"(?<!\w)(?:{_FORMS})(?!\w).*(?<!\w)(?:{_FORMS})(?!\w)", re.IGNORECASE)
_PANELS_LEFT = re.compile(  # "the figure and (B)", "the figure, B", "the figureshows"
    rf"(?<!\w)(?:{_FORMS})(?:\s?(?:[,/–-]|{any_spaced(lambda it: (*it.lists.and_words, *it.lists.to_words))})\s?"
    r"(?:\([A-Za-z]\)|(?-i:[B-Z])(?!\w))|(?-i:[A-Z])(?!\w)|\s?\d)",
    re.IGNORECASE,
)
_MERGED = re.compile(  # "figureshows"
    rf"(?<!\w)(?:{any_spaced(lambda it: it.figure.words)})(?:{any_spaced(lambda it: it.running.verbs)})(?!\w)",
    re.IGNORECASE,
)


def fault(text: str, language: str | None) -> str | None:
    """The first thing that an answer in `language` may not hold, by the name it has above; None for a clean answer."""
    checks = (
        (FIGURE_NUMBER, _names_a_figure(text)),
        (REFERENCE, refers(text)),
        (CITATION, cites(text)),
        (CREDIT, _credits(text)),
        (ADDRESS, _ADDRESS.search(text)),
        (BRACKETS, _EMPTY.search(text) or not _balanced(text)),
        (PUNCTUATION, _PUNCTUATION.search(text)),
        (GLUED, _goes_on(text)),
        (SYMBOL, _SYMBOL.search(text)),
        (INCOMPLETE, _lacks_a_part(text) or _incomplete(_known(language)).search(text)),
    )
    return next((name for name, found in checks if found), None)


def says_it_twice(sentence: str) -> bool:
    """Whether a sentence says "the figure" twice: of two places in the article it named, one at most is this figure."""
    return bool(_TWICE.search(sentence))


def _credits(text: str) -> bool:
    return bool(_MAKER.search(text) or _RIGHT.search(text))


def _goes_on(text: str) -> bool:
    """Whether a small letter follows a full stop that ends no abbreviation: a number or a line was lost between."""
    return any((found["word"] or "").lower() not in _ABBREVIATED for found in _SMALL_START.finditer(text))


def _names_a_figure(text: str) -> bool:
    return bool(all_mentions(text) or any(left.search(text) for left in (_BARE, _PANELS_LEFT, _MERGED)))


def _balanced(text: str) -> bool:
    """Whether every bracket has its other half; "a)" in front of an item of a list needs none."""
    opened: list[str] = []
    for position, character in enumerate(text):
        if character in _OPENING:
            opened.append(character)
        elif character in _CLOSING and opened and _OPENING.index(opened[-1]) == _CLOSING.index(character):
            opened.pop()
        elif character in _CLOSING and not _LIST_MARK.search(text[max(0, position - 12) : position]):
            return False
    return not opened


def _lacks_a_part(text: str) -> bool:
    """Whether a formula ends with its sign, "(D = )", or a list of numbered items starts with the second."""
    last = re.search(r"(?<!\w)(?<!\d\s)([^\W\d_]+(?:\.[^\W\d_]+)*)\.$", text)
    is_cut = last and last[1].lower() in _NEVER_LAST
    return bool(is_cut or _SIGN_LAST.search(text) or (_SECOND.search(text) and not _FIRST.search(text)))


def _known(language: str | None) -> str:
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


@cache
def _incomplete(code: str) -> re.Pattern:
    """Words that something must follow, at the end of a clause or before "and" and verbs: "the value of and"."""
    own = LANGUAGES[code]
    words = "|".join(own.teaching.incomplete)
    if not words:
        return re.compile(r"(?!)")
    joining = (*own.lists.and_words, *own.lists.or_words)
    may_be_subjects = re.compile(
        "|".join((*joining, *own.teaching.relatives))
    )  # "cells that are marked", "and is dead"
    no_subjects = "|".join(word for word in own.teaching.incomplete if not may_be_subjects.fullmatch(word))
    being = "|".join(own.teaching.verbs_of_being)
    without_its_noun = rf"(?<![\w-])(?:{no_subjects})\s(?:{being})(?![\w.])" if being else "(?!)"
    return re.compile(
        rf"(?<![\w(-])(?:{words})(?:\s?[,;.](?!\w)|\s?$|\s(?:{'|'.join(joining)})(?![\w.]))|{without_its_noun}"
    )
