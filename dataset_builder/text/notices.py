"""Retractions, corrections and expressions of concern: what an article says of itself, and a notice of other articles.

    title_status("RETRACTED ARTICLE: A study") -> "retracted"
    notice_type("Correction to: A study") -> "correction"
    notice_type("Correction of scoliosis: a study") -> None

Only what is said counts: an article that cites a retraction, or is about retractions, has no status. Titles are known
in the languages of `languages/`.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from dataset_builder.text.vocabulary import any_of
from trust.ids import PRINTED_DOI

REMOVED, RETRACTED, CONCERN, CORRECTED = STATUSES = ("removed", "retracted", "concern", "corrected")  # gravest first
NOTICE_TYPES = {  # values of JATS's article-type that mark a notice about another article -> what it says of that
    "retraction": RETRACTED,
    "retraction-notice": RETRACTED,
    "withdrawal": RETRACTED,
    "removal": RETRACTED,
    "partial-retraction": CONCERN,  # which part, the markup does not say: the rest is not to be trusted unread
    "expression-of-concern": CONCERN,
    "correction": CORRECTED,
    "corrigendum": CORRECTED,
    "erratum": CORRECTED,
}
# Values of related-article-type. https://jats.nlm.nih.gov/archiving/tag-library/1.3/attribute/related-article-type.html,
# SciELO's and PLOS's words for the same things beside them.
OF_OTHERS = {
    "retracted-article": RETRACTED,
    "article-retracted": RETRACTED,
    "partially-retracted-article": CONCERN,
    "object-of-concern": CONCERN,
    "corrected-article": CORRECTED,
}
OF_ITSELF = {
    "retraction-forward": RETRACTED,
    "retraction": RETRACTED,
    "partial-retraction": CONCERN,
    "partial-retraction-forward": CONCERN,
    "expression-of-concern": CONCERN,
    "expressed-concern": CONCERN,
    "concern-forward": CONCERN,
    "correction-forward": CORRECTED,
}

_ARTICLE = rf"(?:{any_of(lambda it: it.notices.article)})"
_RETRACTED = rf"(?:{any_of(lambda it: it.notices.retracted)})"
_REMOVED = rf"(?:{any_of(lambda it: it.notices.removed)})"  # "REMOVED: ..."; "(removed)" behind a title is the title's
_MARK = rf"(?:{_ARTICLE}\s*)?{_RETRACTED}(?:\s*{_ARTICLE})?"
_STATUS_TITLE = re.compile(  # "RETRACTED: ...", "[Retracted] ...", "... (Retracted article)", "RETRACTED" alone
    rf"^\W*{_MARK}\s*(?::|：|$)|^\s*[\[(【〔]\s*{_MARK}\W*[\])】〕]|[\[(【〔]\s*{_MARK}\s*[\])】〕]\s*$"
    rf"|^\W*(?:{_ARTICLE}\s*)?{_REMOVED}(?:\s*{_ARTICLE})?\s*[\])】〕]?\s*[:：】]|^\s*\[\s*{_REMOVED}\s*\]",
    re.IGNORECASE,
)
_MARKS_KEPT = 256  # "received", "accepted" and their like come again and again
_HEADINGS_KEPT = 256  # "Original Article", "Research", and the subjects of a journal
_STATES = ("article", "item", "paper", "publication", "version", "status")  # words beside the next, in markup
_MARKED = re.compile(  # what markup says in a word: "retracted", "withdrawn-article", "Retracted version of record"
    rf"\W*(?:(?:{'|'.join(_STATES)})\W+)*(?:{_RETRACTED}|{_REMOVED}|retraction|withdrawal|removal)"
    rf"(?:\W+(?:of|record|{'|'.join(_STATES)}))*\W*",
    re.IGNORECASE,
)
_NOTICES = {
    "retraction": any_of(lambda it: it.notices.retraction),
    "expression-of-concern": any_of(lambda it: it.notices.concern),
    "correction": any_of(lambda it: it.notices.correction),
}
_OPENS = re.compile(r"[\[(【〔]")
_TO = rf"(?:\s+(?:{any_of(lambda it: it.notices.to_words)}))?"
_NOTICE_TITLES = [  # "Correction: ...", "Correction to: ...", "Corrigendum to “...”", "[Erratum] ...", "... [Erratum]"
    (
        kind,
        re.compile(
            rf"^\W*(?:{words}){_TO}(?:\s*[:：]|\s*$|\s+[\"“„«‘'])|^\s*[\[【]\s*(?:{words})\s*[\]】]"
            rf"|[\[(【]\s*(?:{words})\s*[\])】]\s*$",
            re.IGNORECASE,
        ),
    )
    for kind, words in _NOTICES.items()
]
_OWN_FATE = (  # how an article speaks of itself where it is printed or displayed, at the start of a paragraph
    (RETRACTED, any_of(lambda it: it.notices.own_retracted)),
    (CONCERN, any_of(lambda it: it.notices.own_concern)),
    (CORRECTED, any_of(lambda it: it.notices.own_corrected)),
)
_OWN_FATE_PATTERNS = [(status, re.compile(rf"\W*(?:{words})\b", re.IGNORECASE)) for status, words in _OWN_FATE]

_REACH_CHARS = 300  # from the words that announce another article to its DOI
_ORIGINAL = re.compile(  # "the original article can be found at", "[This corrects the article DOI:"
    rf"\b(?:{any_of(lambda it: it.notices.original)})\b", re.IGNORECASE
)
_NOTICE_TO = re.compile(rf"\b(?:{any_of(lambda it: it.notices.notice_to)})\b", re.IGNORECASE)


@lru_cache(_HEADINGS_KEPT)
def title_status(title: str | None) -> str | None:
    """`retracted` where the title of an article, or of its section, says so; else None."""
    return RETRACTED if title and _says(title, _STATUS_TITLE) else None


@lru_cache(_MARKS_KEPT)
def is_mark_of_retraction(value: str | None) -> bool:
    """Whether a value in an article's markup says that it was retracted, withdrawn or removed: "retracted-article"."""
    return bool(value and _MARKED.fullmatch(value))


def is_retraction_notice(article_type: str | None, title: str | None) -> bool:
    """Whether an article is the notice of another one's retraction, by its type or, without one, by its title."""
    kind = article_type if article_type in NOTICE_TYPES else notice_type(title)
    return kind is not None and NOTICE_TYPES[kind] == RETRACTED


@lru_cache(_HEADINGS_KEPT)
def notice_type(title: str | None) -> str | None:
    """The article type of a notice by its title: retraction, expression-of-concern or correction; else None."""
    return next((kind for kind, pattern in _NOTICE_TITLES if title and _says(title, pattern)), None)


def _says(title: str, pattern: re.Pattern) -> bool:
    """Whether a pattern of this file fits a title: at its start, or where a bracket opens."""
    return bool(pattern.search(title) if _OPENS.search(title) else pattern.match(title))


def own_status(paragraph: str) -> str | None:
    """What a paragraph says of the article in which it stands: "A Correction to this article was published on ..."."""
    return next((status for status, pattern in _OWN_FATE_PATTERNS if pattern.match(paragraph)), None)


def misused(relation: str, notice: str | None) -> str | None:
    """What a notice of this type says of the article it names with the word for the opposite direction; else None.

    Such words stand in real files ("expression-of-concern" for "object-of-concern"). "correction-forward" in a
    retraction is no misuse: that notice was corrected.
    """
    status = OF_ITSELF.get(relation)
    if notice is None or relation.endswith("-forward") and status != NOTICE_TYPES[notice]:
        return None
    return status


def gravest(statuses: Iterable[str | None]) -> str | None:
    """The gravest of several statuses; None when there is none."""
    found = set(statuses)
    return next((status for status in STATUSES if status in found), None)


def dois(text: str) -> list[str]:
    """The DOIs in a text, in reading order, lower case, without the sentence's punctuation."""
    return list(dict.fromkeys(match[0].rstrip(".,;:)]}").lower() for match in PRINTED_DOI.finditer(text)))


def split_dois(text: str) -> tuple[str | None, list[str]]:
    """The printed text of a notice -> the notice's own DOI, and the DOIs of the articles that it is about.

    A DOI stands for another article where the words before it announce one ("The original article can be found at");
    the first of the other DOIs is the notice's own. After "Correction to" comes the title, which is that of both, so a
    DOI there counts only where the notice's own was printed already.
    """
    announced = _after(_ORIGINAL, text)
    own = next((doi for doi in dois(text) if doi not in announced), None)
    return own, list(dict.fromkeys(doi for doi in announced + _after(_NOTICE_TO, text) if doi != own))


def _after(words: re.Pattern, text: str) -> list[str]:
    """The first DOI within reach behind each occurrence of the words; not one of "how to cite"."""
    found = []
    for match in words.finditer(text):
        reach = text[match.end() : match.end() + _REACH_CHARS]
        doi = PRINTED_DOI.search(reach)
        if doi and not re.search(r"\bcit(?:ation|e)\b", reach[: doi.start()], re.IGNORECASE):
            found += dois(doi[0])
    return found
