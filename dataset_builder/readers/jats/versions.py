"""Which version of an article an XML is: manuscripts and preprints come before the published one, 2 behind 1."""

import re
from functools import lru_cache

from lxml import etree

from dataset_builder.readers.article import Version
from dataset_builder.readers.jats.xml import child_of, text_of

_MANUSCRIPT_TERMS = ("ao", "smur", "am", "p")  # NISO RP-8 (JAV): author's original, submitted, accepted, proof
_MANUSCRIPT = re.compile(r"manuscript|preprint|author.?s original|\bproof\b|^nihms|^emss|^ukmss", re.IGNORECASE)
_NUMBER = re.compile(r"\s*v?(?:ersion)?\s*(\d{1,4}(?:\.\d{1,4}){0,3})\s*", re.IGNORECASE)
_PMCID_VERSION = re.compile(r"(?:PMC)?\d+\.(\d+)", re.IGNORECASE)
_WORDS_KEPT = 256  # "epub", "research-article", "version of record" and their like come again and again
_NOT_PUBLICATION = re.compile("pmc|collection|nihms|submitted|preprint", re.IGNORECASE)  # kinds of date


def version_of(root: etree._Element, meta: etree._Element, versions: list[etree._Element]) -> Version:
    """By the article's versions, its identifiers, its type and its dates of publication."""
    words = [text_of(one) or "" for one in versions]
    terms = [value for one in versions for name, value in one.attrib.items() if str(name).startswith("vocab-term")]
    kinds = [date.get("pub-type") or "" for date in meta.iterchildren("pub-date")]
    journals = [one.get("journal-id-type") or "" for one in root.iterfind("front/journal-meta/journal-id")]
    said = [*words, *terms, *kinds, *journals, root.get("article-type") or ""]
    return {
        "manuscript": any(map(_is_manuscript, said)),
        "number": max(map(_number, [*words, *_of_identifiers(meta)]), default=[]),
        "date": max((_iso(date) for date in meta.iterchildren("pub-date") if _is_publication(date)), default=None),
    }


@lru_cache(_WORDS_KEPT)
def _is_manuscript(word: str) -> bool:
    return word.lower() in _MANUSCRIPT_TERMS or _MANUSCRIPT.search(word) is not None


def _number(text: str) -> list[int]:
    """ "v2", "1.3" -> [2], [1, 3]; [] where the text is no number."""
    found = _NUMBER.fullmatch(text)
    return [int(part) for part in found[1].split(".")] if found else []


def _of_identifiers(meta: etree._Element) -> list[str]:
    """The "2" of "PMC1234567.2"."""
    found = [_PMCID_VERSION.fullmatch((text_of(one) or "").strip()) for one in meta.iterchildren("article-id")]
    return [match[1] for match in found if match]


def _is_publication(date: etree._Element) -> bool:
    return _is_publication_type(date.get("pub-type") or date.get("date-type") or "")


@lru_cache(_WORDS_KEPT)
def _is_publication_type(kind: str) -> bool:
    return not _NOT_PUBLICATION.search(kind)


def _iso(date: etree._Element) -> str:
    """ISO 8601, "00" for what is not said."""
    year, month, day = ((text_of(child_of(date, part)) or "") for part in ("year", "month", "day"))
    return f"{year:0>4}-{month:0>2}-{day:0>2}" if year.isdigit() else ""
