"""A Zotero export -> references: BibTeX (Zotero's own, Better BibTeX, BibLaTeX) with attached files, or CSL JSON.

references, unreadable = read_references(Path("My library.bib"))
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dataset_builder.fetching.library.bibtex import BadEntry, Entry, parse_bibtex
from dataset_builder.fetching.side_by_side import Failure
from dataset_builder.files.texts import read_text
from dataset_builder.text.clean import clean

MAX_EXPORT_BYTES = 512 * 1024**2  # is read as a whole; 100,000 entries with abstracts have about 300 MB

_ESCAPED = re.compile(r"\\([^A-Za-z0-9.])")  # as Zotero writes file names: "C\:\\papers\\a.pdf"; "\p" stays
_SIGNS = re.compile(r"\\?.", re.DOTALL)  # with the backslash in front of one
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"{}]+")
_PMCID = re.compile(r"(?:PMC)?(\d{1,9})(?:\.\d+)?", re.IGNORECASE)
_PMID = re.compile(r"\d{1,8}")
_PMCID_IN_NOTE = re.compile(r"\bPMCID:\s*(PMC\d{1,9})\b", re.IGNORECASE)
_PMID_IN_NOTE = re.compile(r"\bPMID:\s*(\d{1,8})\b", re.IGNORECASE)
_MARKUP = re.compile(r"</?[a-z][^<>]{0,80}>", re.IGNORECASE)  # CSL's titles have <i> and <sup>


class Reference(NamedTuple):
    """One entry of an export; None for what it does not say."""

    key: str
    title: str | None
    doi: str | None
    pmcid: str | None
    pmid: str | None
    files: tuple[str, ...] = ()  # paths as the export has them

    @property
    def id(self) -> str | None:
        """By which it may be fetched, as `search.read_ids` reads it."""
        return self.pmcid or self.doi or (f"pmid:{self.pmid}" if self.pmid else None)


def read_references(path: Path) -> tuple[list[Reference], list[Failure]]:
    """The references of an export, and what of it is none.

    Raises FileNotFoundError; ValueError, naming the file, for one that is neither BibTeX nor CSL JSON.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; --zotero wants an export as BibTeX, Better BibTeX or CSL JSON")
    text = read_text(path, MAX_EXPORT_BYTES).strip()
    references, bad = _of_json(text, path.name) if text[:1] in ("[", "{") else _of_bibtex(text, path.name)
    if not references and not bad:
        raise ValueError(f"{path.name}: no entry of BibTeX or CSL JSON in it")
    return references, bad


# ---- BibTeX ----


def _of_bibtex(text: str, name: str) -> tuple[list[Reference], list[Failure]]:
    references: list[Reference] = []
    bad: list[Failure] = []
    for entry in parse_bibtex(text):
        if isinstance(entry, BadEntry):
            bad.append({"id": f"{name}, line {entry.line}", "reason": entry.reason})
        else:
            references.append(_of_entry(entry))
    return references, bad


def _of_entry(entry: Entry) -> Reference:
    said = entry.fields
    eprints = {said.get("eprinttype", said.get("archiveprefix", "")).lower(): said.get("eprint")}
    notes = [said.get(name) for name in ("note", "annote", "annotation")]
    return Reference(
        key=entry.key,
        title=_plain_title(said.get("title")),
        doi=_doi([said.get("doi"), said.get("url")]),
        pmcid=_pmcid([said.get("pmcid"), eprints.get("pmcid"), eprints.get("pmc")], notes),
        pmid=_pmid([said.get("pmid"), eprints.get("pubmed"), eprints.get("pmid")], notes),
        files=attached(said.get("file", "")),
    )


def attached(value: str) -> tuple[str, ...]:
    """The paths in a field `file`: "Title:path:type" or "path", several separated by ";".

    Zotero and Better BibTeX write a backslash before `:`, `;` and a backslash; a drive's bare colon ("C:") is borne.
    """
    return tuple(path for record in _split(value, ";") if (path := _path_of(record)))


def _path_of(record: str) -> str:
    parts = [_ESCAPED.sub(r"\1", part).strip() for part in _split(record, ":")]
    return ":".join(parts[1:-1] if len(parts) > 2 else parts).strip(":")


def _split(text: str, separator: str) -> list[str]:
    """The parts of a text between separators without a backslash."""
    parts = [""]
    for sign in _SIGNS.findall(text):
        if sign == separator:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _plain_title(title: str | None) -> str | None:
    """A title without LaTeX: "{Dose} in \\emph{vivo}" -> "Dose in vivo"."""
    if not title:
        return None
    if not re.search(r"[\\{}$~]", title):
        return clean(title) or None
    from pylatexenc.latex2text import LatexNodes2Text

    to_text = LatexNodes2Text(math_mode="text", strict_latex_spaces=True)
    try:
        return clean(to_text.latex_to_text(clean(title))) or None
    except RecursionError:  # a thousand braces in one another
        return clean(re.sub(r"[{}]", "", title)) or None


# ---- CSL JSON: https://docs.citationstyles.org/en/stable/specification.html ----


def _of_json(text: str, name: str) -> tuple[list[Reference], list[Failure]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: neither BibTeX nor JSON ({error})") from error
    items = value.get("items") if isinstance(value, dict) else value  # Zotero's web service puts them into "items"
    if not isinstance(items, list):
        raise ValueError(f"{name}: JSON, but no list of CSL items")
    references = [_of_item(item) for item in items if _is_item(item)]
    bad: list[Failure] = [
        {"id": f"{name}, item {number}", "reason": "no CSL item: an object with an id"}
        for number, item in enumerate(items, 1)
        if not _is_item(item)
    ]
    return references, bad


def _is_item(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id"), str | int)


def _of_item(item: dict) -> Reference:
    said = {key: str(value) for key, value in item.items() if isinstance(value, str | int)}
    title = clean(_MARKUP.sub("", said.get("title", "")))
    return Reference(
        key=said["id"],
        title=title or None,
        doi=_doi([said.get("DOI"), said.get("URL")]),
        pmcid=_pmcid([said.get("PMCID")], [said.get("note")]),
        pmid=_pmid([said.get("PMID")], [said.get("note")]),
    )


# ---- ids ----


def _doi(values: Iterable[str | None]) -> str | None:
    for value in values:
        if match := _DOI.search(_ESCAPED.sub(r"\1", value or "")):
            return match[0].rstrip(".,;")
    return None


def _pmcid(values: Iterable[str | None], notes: Iterable[str | None]) -> str | None:
    found = (match for value in values if (match := _PMCID.fullmatch((value or "").strip())))
    if match := next(found, None):
        return f"PMC{match[1]}"
    in_notes = (match for note in notes if (match := _PMCID_IN_NOTE.search(note or "")))
    noted = next(in_notes, None)
    return noted[1].upper() if noted else None


def _pmid(values: Iterable[str | None], notes: Iterable[str | None]) -> str | None:
    found = next((value.strip() for value in values if value and _PMID.fullmatch(value.strip())), None)
    noted = next((match for note in notes if (match := _PMID_IN_NOTE.search(note or ""))), None)
    return found or (noted[1] if noted else None)
