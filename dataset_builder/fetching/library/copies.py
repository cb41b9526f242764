"""The files that references have attached -> a folder each in OUTPUT/zotero, as `ldrt build` reads it.

A file is copied, not linked: Zotero writes notes into the PDFs of a library. A second run copies what has changed.
"""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.articles.kinds import PDF_SUFFIX, XML_SUFFIXES
from dataset_builder.articles.sidecar import FORMAT, NOTHING_SAID, SIDECAR, ZOTERO, FetchedFile, Sidecar, read_sidecar
from dataset_builder.fetching.library.references import Reference
from dataset_builder.fetching.parts import md5_of, put_folder
from dataset_builder.fetching.side_by_side import Failure
from dataset_builder.files.full import is_full
from dataset_builder.files.jsonfiles import write_json
from dataset_builder.files.progress import progress

FOLDER = "zotero"  # in the output, beside the articles that were fetched
_ATTACHED = (PDF_SUFFIX, *XML_SUFFIXES)  # snapshots of web pages and the like are passed over
_MAX_NAME_CHARS = 100  # of a folder


@dataclass
class Plan:
    """Which files are copied, for which references; `without` are those that have none to copy."""

    copied: dict[str, tuple[Reference, list[Path]]] = field(default_factory=dict)  # by the folder's name
    without: list[Reference] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


def plan_copies(references: Iterable[Reference], beside: Path) -> Plan:
    """Look for the attached files; relative paths start in the folder `beside`, where the export is."""
    plan = Plan()
    for reference in references:
        found: list[Path] = []
        for name in reference.files:
            if name.lower().endswith(_ATTACHED):
                path = _attached_file(name, beside)
                if path:
                    found.append(path)
                else:
                    plan.failed.append({"id": reference.key, "reason": f"the attached file is not there: {name}"})
        if found:
            plan.copied[_folder_name(reference.key, plan.copied)] = reference, list(dict.fromkeys(found))
        elif reference.id:
            plan.without.append(reference)
        else:
            reason = "no PDF or XML attached, and no DOI, PMCID or PMID to fetch it by"
            plan.failed.append({"id": reference.key, "reason": reason})
    return plan


def _attached_file(name: str, beside: Path) -> Path | None:
    """The regular file of that name; Windows' separators are understood everywhere."""
    for spelling in dict.fromkeys((name, name.replace("\\", "/"))):
        path = beside / spelling  # an absolute path stays what it is
        try:
            if path.is_file() and os.access(path, os.R_OK):
                return path
        except (OSError, ValueError):  # a name that no file can have
            continue
    return None


def _folder_name(key: str, taken: Mapping[str, object]) -> str:
    """The key as a folder may be called, numbered where another one is called so already."""
    stem = re.sub(r"[^\w.-]+", "_", key).strip("._")[:_MAX_NAME_CHARS] or "entry"
    name, number = stem, 1
    lower = {each.lower() for each in taken}
    while name.lower() in lower:
        number += 1
        name = f"{stem}-{number}"
    return name


def copy_attached(plan: Plan, output: Path, day: str) -> tuple[int, int]:
    """Copy the files of a plan to OUTPUT/zotero; returns how many references were copied, and how many were there.

    A file that cannot be copied is added to the plan's `failed`.
    """
    copied = there = 0
    with progress(len(plan.copied), "references", "copying") as bar:
        for name, (reference, files) in plan.copied.items():
            named = _names(files)
            if _is_there(output / FOLDER / name, reference, named):
                there += 1
            else:
                try:
                    _copy(name, reference, named, output, day)
                    copied += 1
                except OSError as error:
                    if is_full(error):
                        raise
                    plan.failed.append({"id": reference.key, "reason": f"cannot be copied ({error})"})
            bar.update()
    return copied, there


def _names(files: list[Path]) -> dict[str, Path]:
    """The name of each copy -> the file: its own name, numbered where two files have the same."""
    named: dict[str, Path] = {}
    for path in files:
        name = path.name.lstrip(".")
        named[name if name not in named else f"{len(named) + 1}-{name}"] = path
    return named


def _is_there(folder: Path, reference: Reference, named: Mapping[str, Path]) -> bool:
    """Whether the copies are those of these files, by size and time, and what is said of the article is the same."""
    sidecar = read_sidecar(folder)
    if sidecar is None or [file["name"] for file in sidecar["files"]] != list(named):
        return False
    said = (sidecar["title"], sidecar["doi"], sidecar["pmcid"], sidecar["pmid"])
    same = said == (reference.title, reference.doi, reference.pmcid, reference.pmid)
    return same and all(_are_alike(folder / name, path) for name, path in named.items())


def _are_alike(copy: Path, path: Path) -> bool:
    if not copy.is_file():
        return False
    one, other = copy.stat(), path.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _copy(name: str, reference: Reference, named: Mapping[str, Path], output: Path, day: str) -> None:
    parts = output / ".fetch" / "parts" / f"{FOLDER}-{name}"
    shutil.rmtree(parts, ignore_errors=True)  # of a run that was killed
    parts.mkdir(parents=True)
    (output / FOLDER).mkdir(exist_ok=True)
    for copy, path in named.items():
        shutil.copy2(path, parts / copy)
    write_json(parts / SIDECAR, _sidecar(reference, [parts / copy for copy in named], day))
    put_folder(parts, output / FOLDER / name, output / ".fetch" / "old")


def _sidecar(reference: Reference, copies: list[Path], day: str) -> Sidecar:
    return {
        "format": FORMAT,
        "pmcid": reference.pmcid,
        "version": None,
        "source": ZOTERO,
        "doi": reference.doi,
        "pmid": reference.pmid,
        "title": reference.title,
        **NOTHING_SAID,
        "listed": day,
        "supplements": False,
        "files": [_file(path) for path in copies],
    }


def _file(path: Path) -> FetchedFile:
    return {"name": path.name, "bytes": path.stat().st_size, "md5": md5_of(path), "url": None}
