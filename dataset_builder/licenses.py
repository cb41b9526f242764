"""The licence that an article states, as an SPDX id; never guessed.

    license_id(["https://creativecommons.org/licenses/by/4.0/"], "") -> "CC-BY-4.0"
    license_id([], "... the Creative Commons Attribution Non-Commercial License ...") -> "CC-BY-NC"

A Creative Commons licence stated without its version stays without one ("CC-BY", "CC-BY-NC"): that is no SPDX id, but
it is what the article says, and it is not CC-BY-4.0. A national port ("by-nc/2.0/uk") gives the id of the port where
SPDX has one, else the id without the port. "Public domain" without a named dedication, an own licence, or two different
licences side by side give None.
"""

import re
from collections.abc import Iterable

_PORTS = {  # https://spdx.org/licenses/ (3.27): the ported Creative Commons licences that have an id of their own
    "CC-BY-2.5-AU", "CC-BY-3.0-AT", "CC-BY-3.0-AU", "CC-BY-3.0-DE", "CC-BY-3.0-IGO", "CC-BY-3.0-NL", "CC-BY-3.0-US",
    "CC-BY-NC-3.0-DE", "CC-BY-NC-ND-3.0-DE", "CC-BY-NC-ND-3.0-IGO", "CC-BY-NC-SA-2.0-DE", "CC-BY-NC-SA-2.0-FR",
    "CC-BY-NC-SA-2.0-UK", "CC-BY-NC-SA-3.0-DE", "CC-BY-NC-SA-3.0-IGO", "CC-BY-ND-3.0-DE", "CC-BY-SA-2.0-UK",
    "CC-BY-SA-2.1-JP", "CC-BY-SA-3.0-AT", "CC-BY-SA-3.0-DE", "CC-BY-SA-3.0-IGO",
}  # fmt: skip
_URL = re.compile(
    r"creativecommons\.org/(?:licen[sc]es/(?P<terms>by(?:-(?:nc|nd|sa))*)(?:/(?P<version>\d\.\d)(?:/(?P<port>[a-z]{2,3})\b)?)?"
    r"|publicdomain/(?P<domain>zero|mark)/(?P<domain_version>\d\.\d))",
    re.IGNORECASE,
)
_TERMS = (
    r"(?P<terms>(?:[\s\-–/]*\(?(?:by|attribution|attribuição|atribución|atribuição|namensnennung"
    r"|non[\s-]?commerc\w+|n[ãa]o[\s-]?comercial|no[\s-]?comercial|nicht[\s-]?kommerziell|nc"
    r"|no[\s-]?deriv\w*|sem[\s-]?deriv\w+|sin[\s-]?deriv\w+|nd|share[\s-]?alike|compartil\w+|sa)\b\)?)+)"
)
_TEXT = re.compile(
    rf"(?:creative[\s-]?commons\s*(?:\(?cc\)?\b)?[\s,:-]*|\bcc(?=[\s-]?by))[\s-]*{_TERMS}"
    r"[\s,\-–]*(?:(?:unported|international|licen[cs]e|licença|licencia|version|v\.?|\()[\s,]*){0,3}(?P<version>\d\.\d)?",
    re.IGNORECASE,
)
_ZERO = re.compile(r"\bcc[\s-]?(?:0|zero)\b(?:[\s-]*(?:universal\s*)?(?P<version>1\.0))?", re.IGNORECASE)
_CODES = (
    ("NC", re.compile(r"\bnc\b|non[\s-]?commerc|n[ãa]o[\s-]?comerc|no[\s-]?comerc|nicht", re.IGNORECASE)),
    ("ND", re.compile(r"\bnd\b|no[\s-]?deriv|s[ei][mn][\s-]?deriv", re.IGNORECASE)),
    ("SA", re.compile(r"\bsa\b|share|compartil", re.IGNORECASE)),
)


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


def _in_urls(text: str) -> list[str]:
    return [_from_url(match) for match in _URL.finditer(text)]


def _from_url(match: re.Match) -> str:
    if match["domain"]:
        return "CC0-1.0" if match["domain"].lower() == "zero" else "CC-PDM-1.0"
    parts = set(match["terms"].upper().split("-"))
    plain = _id(parts, match["version"])
    ported = f"{plain}-{match['port'].upper()}" if match["port"] else plain
    return ported if ported in _PORTS else plain


def _in_text(text: str) -> list[str]:
    found = [
        _id({code for code, words in _CODES if words.search(match["terms"])}, match["version"])
        for match in _TEXT.finditer(text)
    ]
    if not found and _ZERO.search(text):
        found = ["CC0-1.0"]
    return found


def _id(parts: set[str], version: str | None) -> str:
    """({"NC", "SA"}, "3.0") -> "CC-BY-NC-SA-3.0"; the order is SPDX's."""
    terms = ["CC", "BY", *(code for code in ("NC", "ND", "SA") if code in parts)]
    return "-".join([*terms, version] if version else terms)
