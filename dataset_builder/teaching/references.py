"""Where a sentence sends its reader elsewhere in the article, and brackets that hold nothing else.

without_references("It rose (p = 0.4, Fig. 2A, left).")   -> "It rose (p = 0.4)."
without_references("It rose (Table 1 and Fig. 2).")       -> "It rose."
refers("It rose, see Section 3.1.")                       -> True
"""

import re
from collections.abc import Iterator

from dataset_builder.text.mentions import all_mentions
from dataset_builder.text.vocabulary import any_of, any_spaced, any_unspaced

_NUMBER = r"(?:[(（]?(?:S\s?|A)?\d[\d.]*[A-Za-z]?[)）]?|(?<=[\s.])[IVX]+(?!\w)|(?<=[\s.])(?-i:[A-Z])\d*(?!\w))"
_TABLES = any_spaced(lambda it: (*it.not_figures.table, *it.not_figures.box, *it.not_figures.video))
_PARTS_UNSPACED = any_unspaced(
    lambda it: (*it.not_figures.table, *it.not_figures.box, *it.not_figures.video, *it.teaching.parts)
)
_DETERMINERS = any_spaced(lambda it: it.teaching.the_figure.determiners)
_REFERENCE = re.compile(  # "Table 2", "Section 3.1", "the table", "Materials and Methods"
    r"(?<!\w)(?=[^\W\d_])(?:"
    rf"(?:{_TABLES}|{any_spaced(lambda it: it.teaching.parts)})\.?\s?(?:no\.|n\.?[º°]|№)?\s?{_NUMBER}"
    rf"|(?:{_DETERMINERS})\s(?:{any_spaced(lambda it: it.not_figures.table)})(?:\s?{_NUMBER})?(?!\w)"
    rf"|(?:{any_spaced(lambda it: it.teaching.other_parts)})(?!\w))",
    re.IGNORECASE,
)
_REFERENCE_UNSPACED = re.compile(  # "表2", "见下文"
    rf"(?:{_PARTS_UNSPACED})\s?{_NUMBER}|{any_unspaced(lambda it: it.teaching.other_parts)}", re.IGNORECASE
)
_BRACKETS = re.compile(  # with what stands between them, brackets within brackets once
    r"\s*(?P<open>[(\[（【])(?P<inside>(?:[^()\[\]（）【】]|\([^()]*\)|（[^（）]*）)*)[)\]）】]"
)
_SEPARATOR = re.compile(r"(\s*(?:[;，；、:]|(?<!\d),|,(?!\d))\s*)")  # "F1,22 = 14.3" is one clause
_SEE = any_of(lambda it: it.teaching.see)
_SEE_FIRST = re.compile(rf"\s*(?:(?:{_SEE})[\s,:]*)*(?:(?:{_DETERMINERS})\s+)?", re.IGNORECASE)
_AROUND = re.compile(  # what may stand around a reference without saying anything of its own
    rf"(?<!\w)(?:{_SEE})(?!\w)|{any_unspaced(lambda it: it.teaching.see)}"
    rf"|(?<!\w)(?:{any_spaced(lambda it: it.lists.places)}|{any_spaced(lambda it: it.lists.panels)}"
    rf"|{any_spaced(lambda it: (*it.lists.and_words, *it.lists.or_words, *it.lists.to_words, *it.lists.from_words))}"
    rf"|{_DETERMINERS}|{any_spaced(lambda it: it.series.supplement)}|[^\W\d_]\d?)(?!\w)"
    rf"|{any_unspaced(lambda it: it.lists.and_words)}|[\s.()&/–—-]",
    re.IGNORECASE,
)
_SYMBOL = re.compile(
    r"\s*[^\W\d_](?:/[^\W\d_]|\d)\s*"
)  # "X1", "S/W": behind a reference another panel, ahead of it what is spoken of
_WORD_ALONE = re.compile(rf"\s*(?:(?:{_DETERMINERS})\s)?(?:{any_of(lambda it: it.figure.words)})\.?\s*", re.IGNORECASE)
_FIRST_MARK = 0xE000  # private characters stand for references while the clauses are looked at


def refers(text: str) -> bool:
    """Whether the text names another part of the article: a table, a section, a file, a text above or below."""
    return next(_references(text), None) is not None


def _references(text: str) -> Iterator[re.Match]:
    yield from _REFERENCE.finditer(text)
    if not text.isascii():
        yield from _REFERENCE_UNSPACED.finditer(text)


def without_references(text: str) -> str:
    """The text without brackets, or their clauses, that only refer to figures and other parts of the article."""
    return _BRACKETS.sub(_without, text)


def _without(brackets: re.Match) -> str:
    """What is left of text between brackets: nothing where it starts with a reference ("(see Fig. 2A, left)")."""
    inside = brackets["inside"]
    if _WORD_ALONE.fullmatch(inside):
        return ""
    masked, references = _masked(inside)
    if not references:
        return brackets.group()
    first = _SEE_FIRST.match(masked)
    starts = first.end() if first else 0
    if _is_mark(masked[starts : starts + 1]) and not refers(references[0]):
        return ""
    left = _unmasked(_saying_something(masked), references)
    return brackets.group().replace(inside, left) if left else ""


def _masked(text: str) -> tuple[str, list[str]]:
    """The text with a private character for every reference, and the references."""
    spans = [(mention.start, mention.end) for mention in all_mentions(text)]
    spans += [found.span() for found in _references(text)]
    references: list[str] = []
    done, position = "", 0
    for start, end in sorted(spans):
        if start >= position:
            done += text[position:start] + chr(_FIRST_MARK + len(references))
            references.append(text[start:end])
            position = end
    return done + text[position:], references


def _unmasked(text: str, references: list[str]) -> str:
    for number, reference in enumerate(references):
        text = text.replace(chr(_FIRST_MARK + number), reference)
    return text


def _saying_something(masked: str) -> str:
    """The clauses in which more than a reference stands, with the separators between them."""
    clauses = _SEPARATOR.split(masked)
    left, is_referred = "", False
    for separator, clause in zip(["", *clauses[1::2]], clauses[::2], strict=True):
        is_referred = is_referred or any(map(_is_mark, clause))
        said = "".join(character for character in _AROUND.sub("", clause) if not _is_mark(character))
        if said or (_SYMBOL.fullmatch(clause) and not is_referred):
            left += (separator if left else "") + clause
    return left.strip()


def _is_mark(character: str) -> bool:
    return bool(character) and ord(character) >= _FIRST_MARK and ord(character) < _FIRST_MARK + 0x1000
