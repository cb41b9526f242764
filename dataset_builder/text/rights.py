"""The rights of a single figure, where its own text states them: a caption, an attribution, a copyright statement.

    stated_rights("The knee. Reprinted from [12] with permission of Elsevier.", Owner("CC-BY-4.0"))
        -> Rights("Reprinted from [12] with permission of Elsevier.", None)
    stated_rights("The knee, adapted from [12] under CC BY-NC 4.0.", Owner("CC-BY-4.0"))
        -> Rights("The knee, adapted from [12] under CC BY-NC 4.0.", "CC-BY-NC-4.0")
    stated_rights("The knee. Photo: Tom Jones.", Owner("CC-BY-4.0")) -> Rights("Photo: Tom Jones.", None)
    stated_rights("Mice reproduced; source: the authors.", Owner("CC-BY-4.0")) -> None

The words of each language are in `languages/`, whom a text credits in `holders`. A figure whose rights are not plainly
the article's has no licence that anybody else may use, whatever the article's is, unless its text names one:

- "adapted from [12]", "from [12]." and nothing else, "based on a figure in [12]", "after NAME (2003), modified",
  "photo: NAME", "source: TITLE": rights of its own, no licence;
- "provided by NAME": likewise; "provided by the model", "by two raters": nobody's;
- "source: own elaboration", a credit of an author, by name or initials: the article's;
- "source: WHO", "data source: ...", a survey, a registry, a ministry: the article's, since the authors drew the data;
  but "map source: WHO" and "courtesy of WHO" speak of the picture;
- "public domain" is rights of its own, and a licence only where a dedication is named (CC0, the Public Domain Mark).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dataset_builder.text import holders
from dataset_builder.text.clean import clean
from dataset_builder.text.holders import NAME, NEAR_CHARS, NO_PICTURE, NOT_OWNERS, PICTURE, PUBLICATION, Owner, pattern
from dataset_builder.text.licenses import denied_names, license_id
from dataset_builder.text.sentences import sentence_spans
from dataset_builder.text.vocabulary import any_of, every

MAX_WORDS_CHARS = 300  # of a statement: a caption's whole sentence may be longer, and its end tells whose the figure is


@dataclass(frozen=True)
class Rights:
    """Holder and words as the figure's text has them, and the licence that they name: an SPDX id, or None."""

    words: str
    license: str | None


def _trie(words: Iterable[str]) -> str:
    """A pattern of plain words, their common starts shared: it is searched four times as fast as its words in a row."""
    rests: dict[str, set[str]] = {}
    for word in words:
        if not word:
            return ""  # a word ends here, and its longer ones need no look
        rests.setdefault(word[0], set()).add(word[1:])
    return "(?:" + "|".join(re.escape(first) + _trie(sorted(behind)) for first, behind in sorted(rests.items())) + ")"


FIRST_UNSPACED = "\u3040"  # from here on: kana, Chinese characters
_BARE_SIGNS = ("©", "cc-by", "cc by", "cc0", "creative", "commons")  # in any language
_SIGNS = sorted((*every(lambda it: it.rights.signs), *_BARE_SIGNS, *holders.SIGNS))
_SIGN = re.compile(  # also behind an accented letter: a set of ASCII is searched fastest, a closer look follows
    rf"[^a-z0-9_]{_trie(sign for sign in _SIGNS if sign < FIRST_UNSPACED)}"
)
_UNSPACED_SIGN = re.compile(_trie(sign for sign in _SIGNS if sign >= FIRST_UNSPACED))  # nothing tells a word's start
_REPRINTED = pattern(lambda it: it.rights.reprinted)
_ADAPTED = pattern(lambda it: it.rights.adapted)
_BASED = pattern(lambda it: it.rights.based)
_PERMISSION = pattern(lambda it: it.rights.permission)
_RESERVED = pattern(lambda it: it.rights.reserved)
_NOT_COVERED = pattern(lambda it: it.rights.not_covered)
_PUBLIC_DOMAIN = pattern(lambda it: it.rights.public_domain)
_OWN_FIGURE = re.compile(
    rf"\s(?:the |a )?(?:{any_of(lambda it: it.figure.words)}|{any_of(lambda it: it.not_figures.table)})\b",
    re.IGNORECASE,
)
_OTHERS_PICTURE = re.compile(  # " a figure in ", " Figure 2 of ": between "based on" and a publication
    rf"\s(?:[^\W\d_]+\s){{0,2}}(?i:{any_of(lambda it: it.rights.pictures)})\.?"
    r"\s(?:\d+\w?\s)?(?:[a-zà-я]{1,10}\s){1,2}"
)
_IN_BRACKETS = re.compile(r"\([cC]\)(?=\s?(?:(?:19|20)\d\d|(?:[A-Z][\w.&-]*,?\s){1,6}(?:19|20)\d\d\b))")


def stated_rights(text: str | None, owner: Owner) -> Rights | None:
    """What the text of a figure says of its rights; None where it says nothing, or that they are the article's."""
    text = _with_signs(text or "")
    if not has_sign(text):
        return None
    words: dict[str, None] = {}  # the sentences that say something, each once
    statements: list[str] = []  # the same, cut at semicolons and joined where one goes on with another
    goes_on = False
    for sentence, piece in _pieces(clean(text)):
        said = has_sign(piece) and _says(piece, owner)
        if said:
            words[sentence] = None
        if said and goes_on and not _names_origin(piece, owner):
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


def is_reserved(text: str) -> bool:
    """Whether a text reserves all rights, or asks for permission, whoever has them."""
    return bool(_RESERVED.search(text) or _with_permission(text) or _NOT_COVERED.search(text))


def has_sign(text: str) -> bool:
    """Whether a closer look is worth its time: few captions have one of these words."""
    small = f" {text.lower().replace(' :', ':')}"
    return bool(
        _SIGN.search(small) or not small.isascii() and _UNSPACED_SIGN.search(small) or holders.may_be_taken(text)
    )


def _with_signs(text: str) -> str:
    """With one sign of copyright: "(c) RSNA 2003" is "© RSNA 2003" where it is no panel's letter."""
    text = text.replace("ⓒ", "©").replace("Ⓒ", "©")
    small = text.lower()
    return _IN_BRACKETS.sub("©", text) if "(c)" in small and "(b)" not in small else text


def _pieces(text: str) -> list[tuple[str, str]]:
    """The parts between semicolons, each behind its whole sentence."""
    sentences = (text[start:end] for start, end in sentence_spans(text))
    return [(sentence, piece) for sentence in sentences for piece in re.split(r"(?<=[;；])\s*", sentence) if piece]


# ---- what one sentence says ----


def _says(piece: str, owner: Owner) -> bool:
    """Whether a sentence says that the figure, or a part of it, has rights of its own."""
    return (
        _names_origin(piece, owner)
        or is_reserved(piece)
        or holders.names_other_holder(piece, owner)
        or _names_other_license(piece, owner)
    )


def _names_origin(piece: str, owner: Owner) -> bool:
    """Whether it says where the figure comes from, and that is no work of the authors' own."""
    return (
        bool(_REPRINTED.search(piece))
        or any(_is_adapted(piece, match) for match in _ADAPTED.finditer(piece))
        or any(_is_based(piece, match) for match in _BASED.finditer(piece))
        or any(_is_free_picture(piece, match) for match in _PUBLIC_DOMAIN.finditer(piece))
        or holders.is_taken(piece)
        or holders.credits_other(piece, owner)
    )


def _is_adapted(piece: str, match: re.Match) -> bool:
    """Whether it is a picture that is "adapted from" a publication, not from one of the article's own figures."""
    if not holders.is_of_picture(piece, match):
        return False
    behind = piece[match.end() :]
    if _OWN_FIGURE.match(behind) and not PUBLICATION.search(behind):
        return False
    others = _OTHERS_PICTURE.match(behind)  # "an image by "
    of_somebody = others and NAME.match(behind, others.end() - 1)
    return bool(of_somebody or NAME.match(behind) or PUBLICATION.search(behind[: 2 * NEAR_CHARS]))


def _is_based(piece: str, match: re.Match) -> bool:
    """Whether "based on" is followed by a picture of a publication; or by a publication, where a picture is before."""
    if others := _OTHERS_PICTURE.match(piece, match.end()):
        return holders.cites_at(piece, others.end())
    words = piece[: match.start()].split()
    return bool(words and PICTURE.fullmatch(words[-1]) and holders.cites_at(piece, match.end() + 1))


def _is_free_picture(piece: str, match: re.Match) -> bool:
    """Whether it is a picture, not data or a program, that is in the public domain."""
    around = piece[max(0, match.start() - NEAR_CHARS) : match.end() + NEAR_CHARS // 2]
    return not NO_PICTURE.search(around) and (bool(PICTURE.search(around)) or holders.starts_there(piece, match))


def _with_permission(piece: str) -> bool:
    """Whether somebody who has the rights permitted it: not a patient or an ethics committee."""
    for match in _PERMISSION.finditer(piece):
        if not NOT_OWNERS.search(piece[match.start() : match.end() + NEAR_CHARS]):
            about_people = NOT_OWNERS.search(piece[: match.start()]) and not _names_origin(piece, Owner())
            if not about_people or NAME.match(re.sub(r"^\s(?:of|from|by)\b", "", piece[match.end() :])):
                return True
    return False


def _names_other_license(piece: str, owner: Owner) -> bool:
    """Whether it names a licence that is not the article's, or says that the article's is not the figure's."""
    if denied_names(piece):
        return True
    license = license_id([], piece)
    if license is None or NO_PICTURE.search(piece) and not PICTURE.search(piece):
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
    patterns = (_REPRINTED, _ADAPTED, _PERMISSION, _RESERVED, _NOT_COVERED, *holders.CREDITS)
    found = [match.start() for pattern in patterns for match in pattern.finditer(words)]
    start = max(0, min(found, default=0) - NEAR_CHARS)
    start = words.find(" ", start) + 1 if start else 0
    return words[start : start + MAX_WORDS_CHARS].strip()
