"""The licence that an article states, as an SPDX id; never guessed.

    license_id(["https://creativecommons.org/licenses/by/4.0/"], "") -> "CC-BY-4.0"
    license_id([], "... the Creative Commons Attribution Non-Commercial License ...") -> "CC-BY-NC"

A Creative Commons licence stated without its version stays without one ("CC-BY", "CC-BY-NC"): that is no SPDX id, but
it is what the article says, and it is not CC-BY-4.0. A national port ("by-nc/2.0/uk") gives the id of the port where
SPDX has one, else the id without the port. "Public domain" without a named dedication, an own licence, or two different
licences side by side give None; so does a licence that is named in a denial or a choice ("is not distributed under",
"for the CC BY option contact").
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from dataset_builder.text.clean import clean
from dataset_builder.text.vocabulary import any_of, any_spaced, any_unspaced
from trust.licenses import license_url, spdx_id

_URL = re.compile(
    r"creativecommons\.org/(?:licen[sc]es/(?P<terms>by(?:-(?:nc|nd|sa))*)(?:/(?P<version>\d\.\d)(?:/(?P<port>[a-z]{2,3})\b)?)?"
    r"|publicdomain/(?P<domain>zero|mark)/(?P<domain_version>\d\.\d))",
    re.IGNORECASE,
)
_WORDS = {  # the terms of a licence, in the languages in which Creative Commons names them
    "BY": rf"\bby\b|{any_of(lambda it: it.license.by)}",
    "NC": rf"\bnc\b|{any_of(lambda it: it.license.nc)}",
    "ND": rf"\bnd\b|{any_of(lambda it: it.license.nd)}",
    "SA": rf"\bsa\b|{any_of(lambda it: it.license.sa)}",
}
_GAP = r"[\s\-‐-―−/,«»“”\"()（）・·]{0,6}"  # bounded: no text makes the search slow
_LICENSE_WORD = any_of(lambda it: it.license.license)
_VERSION = (
    rf"(?:{_GAP}(?:{any_of(lambda it: it.license.version)}|v\.|v(?=\d)|{_LICENSE_WORD})){{0,3}}{_GAP}"
    r"(?P<version>\d\.\d)?"
)
_NAME = any_of(lambda it: it.license.commons)
_TEXT = re.compile(
    rf"(?:(?:{_NAME}){_GAP}(?:\bcc\b)?(?:{_GAP}(?:{_LICENSE_WORD}))?|\bcc(?=[\s‐-]?by\b))"
    rf"(?P<terms>(?:{_GAP}(?:{'|'.join(_WORDS.values())}))+){_VERSION}",
    re.IGNORECASE,
)
_ZERO = re.compile(r"\bcc[\s-]?(?:0|zero)\b(?:[\s-]*(?:universal\s*)?(?P<version>1\.0))?", re.IGNORECASE)
_DENIED_REACH_CHARS = 160  # from "not" to the licence that it denies, within a sentence and between its commas
_CLAUSE_END = re.compile(r"[;,!?。；，]|\.(?!\S)")
_DENIED = re.compile(rf"\W(?:{any_spaced(lambda it: it.license.denied)})(?!\w)", re.IGNORECASE)
_DENIED_UNSPACED = re.compile(any_unspaced(lambda it: it.license.denied), re.IGNORECASE)
_DENIED_BEHIND = re.compile(
    rf"[\s)\]\"”»）/-]{{0,4}}(?:{_LICENSE_WORD})?[\s)\]\"”»）-]{{0,3}}"
    rf"(?:(?:{any_spaced(lambda it: it.license.denied_behind)})(?!\w)"
    rf"|(?:{any_unspaced(lambda it: it.license.denied_behind)}))",
    re.IGNORECASE,
)
_CODES = {code: re.compile(words, re.IGNORECASE) for code, words in _WORDS.items()}
_SEPARATOR = " · "  # between source and terms in an attribution line
_STATEMENTS_KEPT = 256  # a journal states the licence of its articles in the same words
_MAX_AUTHORS = 3  # named in an attribution line; more are "et al."


def license_id(urls: Iterable[str], text: str) -> str | None:
    """The licence stated by the URLs of a licence statement, or else by its text; None when none or several are.

    A public-domain dedication beside a licence is the waiver for the article's data and does not count.
    """
    stated = {found for url in urls for found in _in_urls(url)} or set(_in_urls(text))
    articles = {found for found in stated if not found.startswith("CC0")} or stated
    if not articles:
        articles = set(_in_text(text))
    exact = {
        found
        for found in articles
        if not any(other.startswith(f"{found}-") and other[len(found) + 1].isdigit() for other in articles)
    }
    return exact.pop() if len(exact) == 1 else None


def denied_names(text: str) -> bool:
    """Whether a text names a licence and says that it is not this one."""
    return any(is_denied(text, match.start()) for name in (_TEXT, _URL) for match in name.finditer(text))


def is_denied(text: str, start: int) -> bool:
    """Whether the licence whose name or address starts there is denied, or but a choice: "not distributed under"."""
    name = _TEXT.match(text, start) or _URL.match(text, start)
    before = f" {_CLAUSE_END.split(text[max(0, start - _DENIED_REACH_CHARS) : start])[-1]}"
    return bool(
        _DENIED.search(before)
        or not before.isascii()
        and _DENIED_UNSPACED.search(before)
        or name
        and _DENIED_BEHIND.match(text, name.end())
    )


@lru_cache(_STATEMENTS_KEPT)
def _in_urls(text: str) -> tuple[str, ...]:
    return tuple(_from_url(match) for match in _URL.finditer(text) if not is_denied(text, match.start()))


def _from_url(match: re.Match) -> str:
    if match["domain"]:
        return "CC0-1.0" if match["domain"].lower() == "zero" else "CC-PDM-1.0"
    port = match["port"].upper() if match["port"] else None
    return _id(set(match["terms"].upper().split("-")), match["version"], port)


@lru_cache(_STATEMENTS_KEPT)
def _in_text(text: str) -> tuple[str, ...]:
    found = tuple(
        _id({code for code, words in _CODES.items() if words.search(match["terms"])}, match["version"])
        for match in _TEXT.finditer(text)
        if not is_denied(text, match.start())
    )
    zero = _ZERO.search(text)
    if not found and zero and not is_denied(text, zero.start()):
        return ("CC0-1.0",)
    return found


def _id(parts: set[str], version: str | None, port: str | None = None) -> str:
    """({"NC", "SA"}, "3.0") -> "CC-BY-NC-SA-3.0"; the order is SPDX's."""
    terms = ["CC", "BY", *(code for code in ("NC", "ND", "SA") if code in parts)]
    return spdx_id("-".join(terms), version, port)


def attribution(
    authors: list[str],
    title: str | None,
    journal: str | None,
    year: int | None,
    doi: str | None,
    pmcid: str | None,
    license: str | None,
) -> str:
    """Creator, title, source and licence in one line, as Creative Commons asks; only of what is known.

    "Jane Smith, Bo Li. A study. J. Dose (2020). https://doi.org/10.5555/a · CC-BY-4.0 https://creativecommons.org/..."
    Names stay as stated. https://wiki.creativecommons.org/wiki/Recommended_practices_for_attribution
    """
    named = [clean(author) for author in authors[:_MAX_AUTHORS]]
    creator = ", ".join([*named, "et al."] if len(authors) > _MAX_AUTHORS else named)
    source = " ".join(filter(None, (clean(journal or ""), f"({year})" if year else "")))
    sentences = [
        part if part.endswith((".", "?", "!")) else f"{part}." for part in (creator, clean(title or ""), source) if part
    ]
    if doi:
        sentences.append(f"https://doi.org/{quote(clean(doi), safe='/:;()')}")
    elif pmcid:
        sentences.append(f"https://pmc.ncbi.nlm.nih.gov/articles/{quote(pmcid)}/")
    return _SEPARATOR.join(filter(None, (" ".join(sentences), _terms(license))))


def figure_attribution(line: str, rights: str, license: str | None) -> str:
    """The line of an article for a figure of it that has `rights` of its own: these, and their licence, close it.

    "Jane Smith. A study. J. Dose (2020). · this figure: Reprinted with permission of Elsevier. · licence not stated"
    """
    source, _, _ = line.rpartition(_SEPARATOR)
    return _SEPARATOR.join(filter(None, (source, f"this figure: {clean(rights)}", _terms(license))))


def _terms(license: str | None) -> str:
    return " ".join(filter(None, (license or "licence not stated", license_url(license))))
