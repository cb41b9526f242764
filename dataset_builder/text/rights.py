"""The rights of a single figure, where its own text states them: a caption, an attribution, a copyright statement.

    stated_rights("The knee. Reprinted from [12] with permission of Elsevier.", Owner("CC-BY-4.0"))
        -> Rights("Reprinted from [12] with permission of Elsevier.", None)
    stated_rights("The knee, adapted from [12] under CC BY-NC 4.0.", Owner("CC-BY-4.0"))
        -> Rights("The knee, adapted from [12] under CC BY-NC 4.0.", "CC-BY-NC-4.0")
    stated_rights("Mice reproduced; source: the authors.", Owner("CC-BY-4.0")) -> None

The words of each language are in `languages/`. A figure "with permission" has no licence that anybody else may use,
whatever the article's is, unless its text names one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dataset_builder.text.clean import clean
from dataset_builder.text.licenses import denied_names, license_id
from dataset_builder.text.sentences import sentence_spans
from dataset_builder.text.vocabulary import WordsOf, any_of, any_spaced, any_unspaced, every

MAX_WORDS_CHARS = 300  # of a statement: a caption's whole sentence may be longer, and its end tells whose the figure is
NEAR_CHARS = 60  # from a permission to whose it is
NEAR_WORDS = 4  # from a noun to what is said of it


@dataclass(frozen=True)
class Owner:
    """What is the article's own, and so no statement about a single figure.

    `license` is its SPDX id; `statements` and `holders` are its copyright statements and holders as `plain` gives them;
    `names` are the words of its authors' names, in small letters.
    """

    license: str | None = None
    statements: frozenset[str] = frozenset()
    holders: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rights:
    """Holder and words as the figure's text has them, and the licence that they name: an SPDX id, or None."""

    words: str
    license: str | None


def _pattern(words_of: WordsOf) -> re.Pattern:
    """The words of all languages, with their ends where a language has spaces."""
    return re.compile(rf"(?<!\w)(?:{any_spaced(words_of)})(?!\w)|(?:{any_unspaced(words_of)})", re.IGNORECASE)


def _trie(words: Iterable[str]) -> str:
    """A pattern of plain words, their common starts shared: it is searched four times as fast as its words in a row."""
    rests: dict[str, set[str]] = {}
    for word in words:
        if not word:
            return ""  # a word ends here, and its longer ones need no look
        rests.setdefault(word[0], set()).add(word[1:])
    return "(?:" + "|".join(re.escape(first) + _trie(sorted(behind)) for first, behind in sorted(rests.items())) + ")"


_BARE_SIGNS = ("©", "cc-by", "cc by", "cc0", "creative", "commons")  # in any language
_SIGN = re.compile(_trie(sorted((*every(lambda it: it.rights.signs), *_BARE_SIGNS))))
_REPRINTED = _pattern(lambda it: it.rights.reprinted)
_ADAPTED = _pattern(lambda it: it.rights.adapted)
_PERMISSION = _pattern(lambda it: it.rights.permission)
_RESERVED = _pattern(lambda it: it.rights.reserved)
_COURTESY = _pattern(lambda it: it.rights.courtesy)
_NOT_OWNERS = _pattern(lambda it: it.rights.not_owners)
_NOT_COVERED = _pattern(lambda it: it.rights.not_covered)
_OWN_WORK = _pattern(lambda it: it.rights.own_work)
_OWN_HOLDER = _pattern(lambda it: it.rights.own_holder)
_PICTURE = _pattern(lambda it: it.rights.pictures)
_NO_PICTURE = _pattern(lambda it: it.rights.not_pictures)
_SOURCE = re.compile(rf"(?<!\w)(?:{any_of(lambda it: it.captions.source)})\s?[:：]", re.IGNORECASE)
_STARTS = re.compile(r"(?:^|[.:;,()\[–—-])\s*$")  # what a statement may follow: a sentence's or a bracket's start
_PUBLICATION = re.compile(  # [12] · et al. · ref. 12 · an address · (2010)
    rf"\[\d|\bet al\b|\b(?:{any_of(lambda it: it.elsewhere.references)})\b|https?://|\bwww\.|\bdoi\b|\b(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\s(?:the |l['’]|el |la |il |i |o |a |den |dem )?[^\W\d_a-zà-þа-я][^\W\d_]{2,}"
)  # "from Gray's Anatomy"
_OWN_FIGURE = re.compile(
    rf"\s(?:the |a )?(?:{any_of(lambda it: it.figure.words)}|{any_of(lambda it: it.not_figures.table)})\b",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    r"(?:(?:^|(?<=[\s(\[;,.]))©(?: ?copyright)?|(?i:\bcopyright)(?: ?(?:©|\([cC]\)))?(?: by| of| held by)?),?\s*"
    r"(?=(?:19|20)\d\d|[^\W\d_a-z])(?P<holder>[^.;]{1,120})"
)
_YEARS = re.compile(r"(?:19|20)\d\d(?:\s?[-–]\s?\d{2,4})?")
_HOLDERS_WORDS = re.compile(r"[^\W\d_]{2,}")
_LICENSEE = re.compile(r"\b(?:licen[cs]ee|exclusive|published by|under|some rights)\b.*", re.IGNORECASE | re.DOTALL)


def stated_rights(text: str | None, owner: Owner) -> Rights | None:
    """What the text of a figure says of its rights; None where it says nothing, or that they are the article's."""
    if not text or not _has_sign(text):
        return None
    words: dict[str, None] = {}  # the sentences that say something, each once
    statements: list[str] = []  # the same, cut at semicolons and joined where one goes on with another
    goes_on = False
    for sentence, piece in _pieces(clean(text)):
        said = _has_sign(piece) and _says(piece, owner)
        if said:
            words[sentence] = None
        if said and goes_on and not _names_origin(piece):
            statements[-1] += f" {piece}"  # "Reprinted from [12]. All rights reserved."
        elif said:
            statements.append(piece)
        goes_on = said
    licenses = {_license_in(statement) for statement in statements}
    said_words = " ".join(map(_shortened, words))
    return Rights(said_words, licenses.pop() if len(licenses) == 1 else None) if words else None


def joined(rights: Iterable[Rights | None]) -> Rights | None:
    """Several statements about one figure as one: the licence is that of all of them, None where they differ."""
    stated = [one for one in rights if one]
    if not stated:
        return None
    licenses = {one.license for one in stated}
    words = dict.fromkeys(one.words for one in stated)
    return Rights(" · ".join(words), licenses.pop() if len(licenses) == 1 else None)


def is_own(statement: str, owner: Owner) -> bool:
    """Whether a copyright statement, or the name of a holder, is the article's own."""
    said = plain(statement)
    if not said or said in owner.statements | owner.holders:
        return True
    words = _HOLDERS_WORDS.findall(_LICENSEE.sub("", _OWN_HOLDER.sub("", said)))
    return all(word in owner.names or word in ("copyright", "the", "by", "and", "et", "al") for word in words)


def is_reserved(text: str) -> bool:
    """Whether a text reserves all rights, or asks for permission, whoever has them."""
    return bool(_RESERVED.search(text) or _with_permission(text) or _NOT_COVERED.search(text))


def plain(statement: str) -> str:
    """A copyright statement or a holder, to be compared: "© 2020 The Author(s)." -> "the author s"."""
    return " ".join(re.findall(r"[^\W\d_]+", _YEARS.sub(" ", statement.casefold())))


def names_of(authors: Iterable[str]) -> frozenset[str]:
    """The words of the authors' names, for `Owner.names`."""
    return frozenset(word for author in authors for word in plain(author).split())


def _has_sign(text: str) -> bool:
    """Whether a closer look is worth its time: few captions have one of these words."""
    return bool(_SIGN.search(text.lower()))


def _pieces(text: str) -> list[tuple[str, str]]:
    """The parts between semicolons, each behind its whole sentence."""
    sentences = (text[start:end] for start, end in sentence_spans(text))
    return [(sentence, piece) for sentence in sentences for piece in re.split(r"(?<=[;；])\s*", sentence) if piece]


# ---- what one sentence says ----


def _says(piece: str, owner: Owner) -> bool:
    """Whether a sentence says that the figure, or a part of it, has rights of its own."""
    return (
        _names_origin(piece)
        or is_reserved(piece)
        or _names_other_holder(piece, owner)
        or _names_other_license(piece, owner)
    )


def _names_origin(piece: str) -> bool:
    """Whether it says where the figure comes from, and that is no work of the authors' own."""
    return (
        bool(_REPRINTED.search(piece))
        or any(_is_of_picture(piece, match) and _has_publication(piece, match) for match in _ADAPTED.finditer(piece))
        or any(_is_of_picture(piece, match) and not _is_own_work(piece, match) for match in _COURTESY.finditer(piece))
        or any(_is_of_publication(piece, match) for match in _SOURCE.finditer(piece))
    )


def _is_of_picture(piece: str, match: re.Match) -> bool:
    """Whether it is a picture that is "adapted from" or "courtesy of": by its noun, or as the statement starts so."""
    before = piece[: match.start()]
    words = " ".join(before.split()[-NEAR_WORDS:])
    picture = max((noun.end() for noun in _PICTURE.finditer(words)), default=-1)
    other = max((noun.end() for noun in _NO_PICTURE.finditer(words)), default=-1)
    return picture > other or other < 0 and bool(_STARTS.search(before))


def _has_publication(piece: str, match: re.Match) -> bool:
    """Whether a publication follows the words, not a figure or table of the article itself."""
    behind = piece[match.end() :]
    if _OWN_FIGURE.match(behind) and not _PUBLICATION.search(behind):
        return False
    return bool(_NAME.match(behind) or _PUBLICATION.search(behind[: 2 * NEAR_CHARS]))


def _is_own_work(piece: str, match: re.Match) -> bool:
    return bool(_OWN_WORK.search(piece[match.end() : match.end() + NEAR_CHARS]))


def _is_of_publication(piece: str, match: re.Match) -> bool:
    """Whether "source:" names whose picture it is: a paper's, not the authors or those who collected the data."""
    before = piece[max(0, match.start() - NEAR_CHARS // 3) : match.start()]
    if _is_own_work(piece, match) or _NO_PICTURE.search(before):
        return False
    return bool(_PICTURE.search(before)) or " et al" in piece[match.end() :]


def _with_permission(piece: str) -> bool:
    """Whether somebody who has the rights permitted it: not a patient or an ethics committee."""
    for match in _PERMISSION.finditer(piece):
        if not _NOT_OWNERS.search(piece[match.start() : match.end() + NEAR_CHARS]):
            about_people = _NOT_OWNERS.search(piece[: match.start()]) and not _names_origin(piece)
            if not about_people or _NAME.match(re.sub(r"^\s(?:of|from|by)\b", "", piece[match.end() :])):
                return True
    return False


def _names_other_holder(piece: str, owner: Owner) -> bool:
    return any(not is_own(match["holder"], owner) for match in _COPYRIGHT.finditer(piece))


def _names_other_license(piece: str, owner: Owner) -> bool:
    """Whether it names a licence that is not the article's, or says that the article's is not the figure's."""
    if denied_names(piece):
        return True
    license = license_id([], piece)
    if license is None or _NO_PICTURE.search(piece) and not _PICTURE.search(piece):
        return False
    return not same_license(license, owner.license)


def same_license(one: str, other: str | None) -> bool:
    """Whether two ids are the same licence; one may lack its version."""
    return (
        other is not None
        and (one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-"))
        and (re.sub(r"-\d.*", "", one) == re.sub(r"-\d.*", "", other))
    )


def _license_in(words: str) -> str | None:
    """The licence that a statement names; none beside reserved rights."""
    return None if _RESERVED.search(words) or _NOT_COVERED.search(words) else license_id([], words)


def _shortened(words: str) -> str:
    """A long statement from the first thing that it says of the rights on."""
    if len(words) <= MAX_WORDS_CHARS:
        return words
    patterns = (_REPRINTED, _ADAPTED, _PERMISSION, _RESERVED, _COURTESY, _SOURCE, _COPYRIGHT, _NOT_COVERED)
    found = [match.start() for pattern in patterns for match in pattern.finditer(words)]
    start = max(0, min(found, default=0) - NEAR_CHARS)
    start = words.find(" ", start) + 1 if start else 0
    return words[start : start + MAX_WORDS_CHARS].strip()
