"""A domain is a file: what to search for, and what its dataset, questions and cards say of it. Code knows none.

domain = read_domain(Path("recipes/domains/ldrt.yaml"))
"""

import dataclasses
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import yaml

from dataset_builder.files.errors import UsageError
from dataset_builder.files.nearest import nearest
from trust.ids import LANGUAGES, is_tag
from trust.licenses import PUBLIC_DOMAIN

_LICENSES = ("CC-BY", "CC-BY-SA", "CC-BY-NC", "CC-BY-ND", "CC-BY-NC-SA", "CC-BY-NC-ND", *PUBLIC_DOMAIN)
_VERSION = re.compile(r"-[0-9]\.[0-9].*")
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789-"


@dataclass(frozen=True)
class Domain:
    """The content of a domain file; `README.md` in `recipes/domains` explains the keys."""

    name: str  # lower case, for tags and folders
    title: str  # as a card calls it
    europepmc: str | None = None  # query for Europe PMC
    esearch: str | None = None  # query for NCBI's ESearch, db=pmc
    languages: tuple[str, ...] = ()  # ISO 639-1; () for all
    years: tuple[int, int] | None = None  # first and last year of publication
    licenses: tuple[str, ...] = ()  # wanted ones, without versions ("CC-BY"); () for all
    tags: tuple[str, ...] = ()  # of cards
    prompts: Path | None = None  # folder with the teacher's prompts
    questions: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # language -> task -> questions
    benchmarks: tuple[str, ...] = ()  # whose pictures are kept out of the dataset


class Told(TypedDict):
    """What a dataset's manifest and its card say of a domain."""

    name: str
    title: str
    tags: list[str]


def told(domain: Domain | None) -> Told | None:
    """What is published of a domain."""
    return {"name": domain.name, "title": domain.title, "tags": list(domain.tags)} if domain else None


def read_domain(path: Path) -> Domain:
    """The domain of a YAML file. Raises UsageError for a file that is none, naming the key and the nearest known one.

    A relative `prompts` is seen from the file's folder.
    """
    values = _read(path)
    known = [each.name for each in dataclasses.fields(Domain)]
    for key in values:
        if key not in known:
            raise UsageError(f"{path}: no key {key!r}{nearest(str(key), known)}")
    for key in ("name", "title"):
        if not isinstance(values.get(key), str) or not values[key].strip():
            raise UsageError(f"{path}: the key {key!r} is missing or no text")
    if not set(values["name"]) <= set(_NAME_CHARS):
        raise UsageError(f"{path}: name {values['name']!r} must be of lower-case letters, digits and hyphens")
    return Domain(
        name=values["name"],
        title=_text(path, values, "title") or "",
        europepmc=_query(path, values, "europepmc"),
        esearch=_query(path, values, "esearch"),
        languages=_known(path, values, "languages", LANGUAGES),
        years=_years(path, values.get("years")),
        licenses=_known(path, values, "licenses", _LICENSES),
        tags=_tags(path, values),
        prompts=_folder(path, _text(path, values, "prompts")),
        questions=_questions(path, values.get("questions") or {}),
        benchmarks=_texts(path, values, "benchmarks"),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"no domain file {path}; recipes/domains has some to start from") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(values, dict):
        raise UsageError(f"{path}: expected `key: value` lines")
    return values


def _text(path: Path, values: dict[str, Any], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{path}: {key} must be a text")
    return " ".join(value.split()) if value and value.strip() else None


def _texts(path: Path, values: dict[str, Any], key: str) -> tuple[str, ...]:
    value = values.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{path}: {key} must be a list of texts (`no` needs quotes in YAML)")
    return tuple(value)


def _known(path: Path, values: dict[str, Any], key: str, known: Collection[str]) -> tuple[str, ...]:
    """Texts that are all known ones. Raises UsageError, saying the nearest: "cc by 4.0" is meant as "CC-BY"."""
    texts = _texts(path, values, key)
    for word in texts:
        if word not in known:
            bare = _VERSION.sub("", re.sub(r"[\s_]+", "-", word.strip()))
            meant = next((each for each in known if bare.lower() == each.lower()), None)
            hint = f", did you mean {meant}?" if meant else nearest(word, known)
            hint = hint or f"; known: {', '.join(sorted(known))}"
            raise UsageError(f"{path}: {key}: {word!r} is not known{hint}")
    return texts


def without_version(license: str | None) -> str | None:
    """A Creative Commons licence as `licenses` of a domain name it: "CC-BY-4.0" -> "CC-BY"; others as they are."""
    return license if license is None or license in PUBLIC_DOMAIN else _VERSION.sub("", license)


def _query(path: Path, values: dict[str, Any], key: str) -> str | None:
    """A query whose quotes and brackets are closed: limits are joined to it."""
    query = _text(path, values, key)
    parts = (query or "").split('"')
    open_brackets = 0
    for sign in "".join(parts[::2]):  # what stands outside of quotes
        open_brackets += (sign == "(") - (sign == ")")
        if open_brackets < 0:
            break
    if open_brackets or len(parts) % 2 == 0 and query:
        raise UsageError(f"{path}: {key}: a bracket or quote is not closed, or closed too often")
    return query


def _tags(path: Path, values: dict[str, Any]) -> tuple[str, ...]:
    tags = _texts(path, values, "tags")
    for tag in tags:
        if not is_tag(tag):
            raise UsageError(f"{path}: tags: {tag!r} is no tag; give words of letters, digits and hyphens")
    return tags


def _years(path: Path, value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    if isinstance(value, list) and [type(year) for year in value] == [int, int] and value[0] <= value[1]:
        return value[0], value[1]
    raise UsageError(f"{path}: years must be [FIRST, LAST], as [2000, 2026]")


def _folder(path: Path, name: str | None) -> Path | None:
    if name is None:
        return None
    folder = path.parent / name
    if not folder.is_dir():
        raise UsageError(f"{path}: prompts: no folder {folder}")
    return folder


def _questions(path: Path, value: object) -> dict[str, dict[str, list[str]]]:
    """Language -> task -> questions. Raises UsageError for any other shape."""
    if isinstance(value, dict) and all(isinstance(tasks, dict) for tasks in value.values()):
        lists = [questions for tasks in value.values() for questions in tasks.values()]
        tasks = {task for named in value.values() for task in named}
        are_texts = all(
            isinstance(each, list) and each and all(isinstance(text, str) for text in each) for each in lists
        )
        if are_texts and tasks <= {"detail", "reasoning"}:
            return value
    raise UsageError(f"{path}: questions must be language -> task -> list of questions, as `en: {{detail: [...]}}`")
