"""Whose a picture is, as a text credits it: copyright marks, sources, credits, agencies; and what is the article's own.

    credits_other("Photo: Jane Miller.", Owner(names=frozenset({"jane", "smith"})))   -> True
    credits_other("Photo: J. Smith.", Owner(names=frozenset({"jane", "smith"})))      -> False
    credits_other("Source: own elaboration.", Owner())                               -> False

The words of each language are in `languages/`, names of holders in `holders.yaml`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from dataset_builder.text.vocabulary import WordsOf, any_of, any_spaced, any_unspaced

NEAR_CHARS = 60  # from what credits to whom it credits
MAX_HOLDER_CHARS = 200  # of a holder that is credited: bounded, so that no text makes the search slow
NEAR_WORDS = 4  # from a noun to what is said of it
NO_WORD = r"\W\u3040-\u9fff"  # characters after which a word may start: kana, Chinese need no space before it
WORD_STARTS = rf"(?<![^{NO_WORD}])"
MAX_SMALL_WORD = 3  # letters of "and", "of", and of initials

_HOLDERS: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("holders.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Owner:
    """What is the article's own, and so no statement about a single figure.

    `license` is its SPDX id; `statements` and `holders` are its copyright statements and holders as `plain` gives them;
    `names` are the words of its authors' names, in small letters; `terms` are the addresses and types of its licences.
    """

    license: str | None = None
    statements: frozenset[str] = frozenset()
    holders: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()


def pattern(words_of: WordsOf) -> re.Pattern:
    """The words of all languages, with their ends where a language has spaces."""
    return re.compile(rf"(?<!\w)(?:{any_spaced(words_of)})(?!\w)|(?:{any_unspaced(words_of)})", re.IGNORECASE)


def _names(*kinds: str) -> re.Pattern:
    """Names of the kinds, in any case but for those in capitals alone."""
    names = [name for kind in kinds for name in _HOLDERS[kind]]
    words = (f"(?-i:{re.escape(name)})" if name.isupper() else re.escape(name) for name in names)
    return re.compile(rf"{WORD_STARTS}(?:{'|'.join(words)})(?![^\W\u3040-\u9fff])", re.IGNORECASE)


_AGENCY = _names("agencies")
_PUBLISHER = _names("publishers")
_KNOWN = _names("agencies", "publishers", "credited")
_COLLECTOR = _names("collectors")
SIGNS = tuple(name.lower() for name in (*_HOLDERS["agencies"], *_HOLDERS["publishers"]))

PICTURE = pattern(lambda it: it.rights.pictures)
NO_PICTURE = pattern(lambda it: it.rights.not_pictures)
NOT_OWNERS = pattern(lambda it: it.rights.not_owners)
COURTESY = pattern(lambda it: it.rights.courtesy)
_GIVEN = pattern(lambda it: it.rights.given)
_TOOL = re.compile(
    rf"(?<!\w)(?:{any_spaced(lambda it: it.rights.tools)})(?!\w)|{any_unspaced(lambda it: it.rights.tools)}"
)
_OWN_WORK = pattern(lambda it: it.rights.own_work)
_OWN_HOLDER = pattern(lambda it: it.rights.own_holder)
_DATA_HOLDER = pattern(lambda it: it.rights.collectors)
_NOTE = pattern(lambda it: it.captions.notes)

_PHOTO = rf"(?<!\w)(?:{any_spaced(lambda it: it.rights.photos)})|{any_unspaced(lambda it: it.rights.photos)}"
_BY = any_of(lambda it: it.rights.by_words)
_FROM = any_of(lambda it: it.rights.from_words)
SOURCE = re.compile(
    rf"(?:(?<!\w)(?:{any_spaced(lambda it: it.captions.source)})|{any_unspaced(lambda it: it.captions.source)})"
    r"\s?[:：]\s?",
    re.IGNORECASE,
)
_CREDIT = re.compile(rf"(?:{_PHOTO})(?:\s?[:：/]\s?|\s(?:\w+\s)?(?:{_BY})\s)", re.IGNORECASE)
_FROM_HOLDER = re.compile(rf"(?<!\w)(?:{any_spaced(lambda it: it.rights.pictures)})\s(?:{_FROM})\s", re.IGNORECASE)
_STARTS = ".:;,()[–—-"  # what a statement may follow: a sentence's or a bracket's start
_COLLEAGUES = any_of(lambda it: it.teaching.colleagues)  # "et al"
_REFERENCES = any_of(lambda it: it.elsewhere.references)
PUBLICATION = re.compile(  # [12] · et al. · ref. 12 · an address · (2010)
    rf"\[\d|(?<!\w)(?:{_COLLEAGUES})(?!\w)|\b(?:{_REFERENCES})\b"
    r"|https?://|\bwww\.|\bdoi\b|\b(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_CAPITAL = r"[^\W\d_a-zà-þа-яіїєґ]"  # a capital, or a letter of a script without them
NAME = re.compile(  # "from Gray's Anatomy", "de l'Atlas"
    rf"\s(?:the |l['’]|el |la |il |i |o |a |den |dem )?(?:{_CAPITAL}\.?\s?){{0,3}}{_CAPITAL}[^\W\d_]{{2,}}\b"
    r"(?!\s\d{1,2}\b)"  # "Day 3"
)
_CITED = re.compile(  # a publication and nothing else: "[12]", "Smith et al.", "Smith (2003)", "ref. 12"
    rf"(?:\[\d|https?://|www\.|(?i:{_REFERENCES})\.?\s?\[?\d"
    rf"|(?:{_CAPITAL}[\w.'’-]*[\s,&]+(?:[^\W\d_]{{1,3}}\s)?){{1,4}}(?:{_COLLEAGUES}|[(\[]?(?:19|20)\d\d))"
)
_WORD = rf"{_CAPITAL}[\w.'’-]*"  # no "&": it stands between words, and a search must not try both
_NAMED = re.compile(  # a name alone: "Jane Miller/Reuters", "the National Museum of Health, 2003"
    rf"(?:[^\W\d_]{{1,3}}\s)?{_WORD}(?:(?:\s?[/,&|]\s?|\s)(?:[^\W\d_]{{1,3}}['’]?\s?){{0,2}}{_WORD}){{0,9}}"
    r"(?:,?\s\(?(?:19|20)\d\d\)?)?\s?[.。]?(?=$|[)\]）])"
)
_NUMBER = r"[\[(]?\d{1,4}[a-z]?[\])]?"
_AUTHORS = rf"{_WORD}(?:[\s,&]{{1,3}}(?:[^\W\d_]{{1,3}}\s)?{_WORD}){{0,4}}"
_WHOLE_CITATION = (  # "[3, 4]", "ref. 12", "Smith et al. [3]", "Smith and Jones (2003)"
    rf"(?:\[\d[^\]]{{0,30}}\]|(?i:{_REFERENCES})\.?\s?{_NUMBER}(?:(?:[,–-]|\s[^\W\d_]{{1,3}})\s?\d{{1,3}}){{0,4}}"
    rf"|{_AUTHORS},?\s?(?:(?:{_COLLEAGUES})[.,]*(?:\s?{_NUMBER})?|[\[(]\d{{1,4}}[a-z]?[\])]))"
)
_TAKEN_FROM = rf"(?i:{any_of(lambda it: it.rights.taken)}):?\s"
_CITATIONS = rf"{_WHOLE_CITATION}(?:[,;]?\s(?:[^\W\d_]{{1,3}}\s)?{_WHOLE_CITATION}){{0,3}}"
_TAKEN_AT = re.compile(rf"{_TAKEN_FROM}{_WHOLE_CITATION}")
_TAKEN_BEHIND = re.compile(rf"[.:;)\](\[]\s?{_TAKEN_FROM}{_WHOLE_CITATION}")
_TAKEN = re.compile(  # "From Smith et al. [3]." as a sentence or in its last bracket; "(A) From [3], (B) …"
    rf"(?:^|[:;)\](\[]\s?){_TAKEN_FROM}{_CITATIONS}(?:[\s.,;)\]]*$|[.,;]?\s\([A-Za-z]\))"
)
_CHANGED = re.compile(  # "after Smith (2003), modified": wherever it stands
    rf"(?<!\w){_TAKEN_FROM}(?:{_CITATIONS}|{_AUTHORS},\s(?:19|20)\d\d[a-z]?)"
    rf"[,;\s(\[]{{1,3}}(?i:{any_of(lambda it: it.rights.changed)})[\s.,;)\]]*$"
)
_TITLE = re.compile(rf"[\"'“”‘«„「『《]|{_CAPITAL}")
_HOLDER = re.compile(rf"[^;；)\]]{{0,{MAX_HOLDER_CHARS}}}")
_COPYRIGHT = re.compile(
    r"(?:(?:^|(?<=[\s(\[;,.]))©(?: ?copyright)?|(?i:\bcopyright)(?: ?(?:©|\([cC]\)))?(?: by| of| held by)?)[,:]?\s*"
    r"(?=(?:19|20)\d\d|[^\W\d_a-z])(?P<holder>[^.;]{1,120})"
)
_YEARS = re.compile(r"(?:19|20)\d\d(?:\s?[-–]\s?\d{2,4})?")
_HOLDERS_WORDS = re.compile(r"[^\W\d_]{2,}")
_LICENSEE = re.compile(r"\b(?:licen[cs]ee|exclusive|published by|under|some rights)\b.*", re.IGNORECASE | re.DOTALL)
CREDITS = (COURTESY, SOURCE, _COPYRIGHT)  # what a statement may start with


# ---- what is the article's own ----


def plain(statement: str) -> str:
    """A copyright statement or a holder, to be compared: "© 2020 The Author(s)." -> "the author s"."""
    return " ".join(re.findall(r"[^\W\d_]+", _YEARS.sub(" ", statement.casefold())))


def names_of(authors: Iterable[str]) -> frozenset[str]:
    """The words of the authors' names, for `Owner.names`."""
    return frozenset(plain(" ".join(authors)).split())


def is_own(statement: str, owner: Owner) -> bool:
    """Whether a copyright statement, or the name of a holder, is the article's own."""
    said = plain(statement)
    if not said or said in owner.statements | owner.holders:
        return True
    words = _HOLDERS_WORDS.findall(_LICENSEE.sub("", _OWN_HOLDER.sub("", said)))
    return all(word in owner.names or word in ("copyright", "the", "by", "and", "et", "al") for word in words)


def _is_others(holder: str, owner: Owner) -> bool:
    """Whether a credited holder is named, and is none of the authors: neither by name, nor by initials or as "own"."""
    if not holder or _OWN_WORK.search(holder[:NEAR_CHARS]):
        return False
    if _KNOWN.search(holder) or re.search(r"\[\d|https?:", holder):
        return True
    words = _HOLDERS_WORDS.findall(_YEARS.sub(" ", holder))
    return any(not _is_authors(word, owner) for word in words)


def _is_authors(word: str, owner: Owner) -> bool:
    """Whether a word of a holder is an author's name or initials ("JS"), or one between names ("and")."""
    if len(word) <= MAX_SMALL_WORD and (word.islower() or word.isupper()):
        return word.islower() or all(letter in {name[0] for name in owner.names} for letter in word.casefold())
    return word.casefold() in owner.names


def _holder(piece: str, match: re.Match) -> str:
    """Whom the words credit: what follows them, to the end of the piece or of its bracket."""
    found = _HOLDER.match(piece, match.end())
    return found.group().strip(" .,。") if found else ""


# ---- what a piece of a sentence credits ----


def credits_other(piece: str, owner: Owner) -> bool:
    """Whether a piece of a sentence names whose the picture is, and that is none of the authors."""
    return (
        any(is_of_picture(piece, match) and _is_by_other(piece, match, owner) for match in COURTESY.finditer(piece))
        or any(_is_given(piece, match, owner) for match in _GIVEN.finditer(piece))
        or any(_is_source(piece, match, owner) for match in SOURCE.finditer(piece))
        or any(_is_credit(piece, match, owner) for match in _CREDIT.finditer(piece))
        or any(_is_from(piece, match) for match in _FROM_HOLDER.finditer(piece))
        or bool(_AGENCY.search(piece))
        or any(plain(match.group()) not in " ".join(owner.holders) for match in _PUBLISHER.finditer(piece))
    )


def names_other_holder(piece: str, owner: Owner) -> bool:
    """Whether a copyright mark names another holder than the article's."""
    return any(not is_own(match["holder"], owner) for match in _COPYRIGHT.finditer(piece))


def is_holder(text: str, owner: Owner) -> bool:
    """Whether a text is nothing but the name of a holder that is none of the authors: "Wiley", "Reuters/J. Miller"."""
    named = _NAMED.match(text)
    alone = named is not None and named.end() == len(text) and not _NOTE.match(text)
    return alone and not _OWN_HOLDER.fullmatch(text) and _is_others(text, owner)


def is_of_picture(piece: str, match: re.Match) -> bool:
    """Whether it is a picture that is "adapted from" or "courtesy of": by its noun, or as the statement starts so."""
    words = _words_before(piece, match)
    picture = max((noun.end() for noun in PICTURE.finditer(words)), default=-1)
    other = max((noun.end() for noun in NO_PICTURE.finditer(words)), default=-1)
    return picture > other or other < 0 and starts_there(piece, match)


def _words_before(piece: str, match: re.Match) -> str:
    """The few words before a match, in which the noun stands that it speaks of."""
    return " ".join(piece[: match.start()].rsplit(maxsplit=NEAR_WORDS)[-NEAR_WORDS:])


def starts_there(piece: str, match: re.Match) -> bool:
    """Whether a statement may start with the words: at a sentence's or a bracket's start, or behind a comma."""
    before = piece[: match.start()].rstrip()
    return not before or before[-1] in _STARTS


def cites_at(piece: str, end: int) -> bool:
    """Whether a publication stands there, and nothing before it."""
    return bool(_CITED.match(piece, end))


def is_taken(piece: str) -> bool:
    """Whether a piece of a sentence says only that it is "from" a publication, or "after" it "with changes"."""
    return any(
        not NO_PICTURE.search(_words_before(piece, match))
        for search in (_TAKEN, _CHANGED)
        for match in search.finditer(piece)
    )


def may_be_taken(text: str) -> bool:
    """Whether a closer look is worth its time: "from" stands before a publication, as a statement may start."""
    return bool(_TAKEN_AT.match(text) or _TAKEN_BEHIND.search(text))


def _is_given(piece: str, match: re.Match, owner: Owner) -> bool:
    """Whether a picture is "provided by" somebody, who has a name where no picture is spoken of; never by a tool."""
    holder = _holder(piece, match)
    named = re.search(rf"{WORD_STARTS}{_CAPITAL}", holder) or PICTURE.search(_words_before(piece, match))
    return bool(
        named and is_of_picture(piece, match) and not _TOOL.search(holder) and _is_by_other(piece, match, owner)
    )


def _is_by_other(piece: str, match: re.Match, owner: Owner) -> bool:
    return not _TOOL.search(match.group()) and _is_others(_holder(piece, match) or match.group(), owner)


def _is_source(piece: str, match: re.Match, owner: Owner) -> bool:
    """Whether "source:" names whose picture it is: not the authors, nor who collected the data that they drew."""
    holder = _holder(piece, match)
    before = piece[max(0, match.start() - NEAR_CHARS // 3) : match.start()]
    if NO_PICTURE.search(before) or not _is_others(holder, owner):
        return False
    if PICTURE.search(before) or PICTURE.search(holder):
        return True
    is_data = " et al" not in holder and (_DATA_HOLDER.search(holder) or _COLLECTOR.search(holder))
    if is_data or not starts_there(piece, match):
        return False
    return bool(_TITLE.match(holder) or PUBLICATION.search(holder[:NEAR_CHARS]) or _KNOWN.search(holder))


def _is_credit(piece: str, match: re.Match, owner: Owner) -> bool:
    """Whether "photo:" or "image by" is followed by a name and nothing else."""
    holder = _holder(piece, match)
    if not starts_there(piece, match) or not _is_others(holder, owner):
        return False
    if known := _KNOWN.match(holder):
        return bool(known)
    of_other_things = any(of.search(holder) for of in (PICTURE, NO_PICTURE, NOT_OWNERS, _TOOL))
    return bool(_NAMED.match(piece, match.end())) and not of_other_things


def _is_from(piece: str, match: re.Match) -> bool:
    """Whether "picture from" is followed by a publication or by somebody known to have pictures."""
    behind = piece[match.end() :].removeprefix("the ")
    return starts_there(piece, match) and bool(cites_at(behind, 0) or _KNOWN.match(behind))
