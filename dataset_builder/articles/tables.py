"""A table of figures (`figures.csv`), pictures with captions or questions of one's own -> a file an article.

    picture,caption,license,question,answer
    img/01.png,A knee from the front.,CC BY 4.0,Which joint is it?,A knee.

A file is such a table by its name (`figures.csv`, `NAME.figures.csv`, or `.tsv`) and its columns (`picture`, and
`caption` or `question` with `answer`) together: a supplement of an article has hardly both. Rows with the same
`article_id`, or the same `doi`, are one article; without either, those with the same picture are. docs/fetch.md
explains the columns.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypedDict, cast

from dataset_builder.articles.kinds import HEAD_BYTES, is_special
from dataset_builder.files.jsonfiles import read_jsonl, to_line
from dataset_builder.files.texts import read_head, read_text
from dataset_builder.text.clean import clean
from dataset_builder.text.notices import dois

MAX_TABLE_BYTES = 256 * 1024**2  # is read as a whole; a million rows of captions have about as much
TASKS = ("detail", "reasoning")  # configs that a question may belong to
NO_TABLE = "tables named figures.csv without the columns picture and caption (or question and answer)"  # are skipped

_NAME = re.compile(r"(?:.+\.)?figures\.(?:csv|tsv)", re.IGNORECASE)
_DELIMITERS = ",;\t"
_NEEDED = ({"picture", "caption"}, {"picture", "question", "answer"})  # one of these sets
_SPELLINGS = {"licence": "license"}
_SEVERAL_LINES = ("context", "question", "answer")  # cells whose line ends mean something
_YEAR = re.compile(r"(\d{4})(?:\.0)?")  # spreadsheets make numbers of years
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_]\w+)?", re.IGNORECASE)  # "en", "en-GB"
_INDEX = "index.json"  # of a folder that a table was split into
_KEY_CHARS = 32  # hex digits that name an article's file: 128 bits


class TableRow(TypedDict):
    """A row of a table, checked; None for an empty cell or a column that is not there."""

    line: int  # on which it starts, from 1
    picture: str  # path from the table's folder, with "/"
    caption: str | None
    context: str | None
    question: str | None
    answer: str | None
    task: str | None  # of `TASKS`
    label: str | None
    article_id: str | None
    doi: str | None
    title: str | None
    authors: str | None  # separated by ";"
    year: str | None  # four digits
    language: str | None  # ISO 639-1
    license: str | None  # as it stands there
    rights: str | None


class BadRow(NamedTuple):
    """A row that is left out, and why."""

    line: int
    reason: str


class Split(NamedTuple):
    """The articles of a table, by name, each a file of its rows; and the rows that are none."""

    articles: dict[str, Path]
    bad: list[BadRow]


def is_named_table(name: str) -> bool:
    """Whether a file has the name of a table of figures."""
    return _NAME.fullmatch(name) is not None


def is_table(path: Path) -> bool:
    """Whether a file with such a name is one by its columns; also True where it cannot be read, to be reported."""
    if is_special(path):
        return True
    try:
        columns = set(_sheet(read_head(path, HEAD_BYTES)).columns)
    except OSError:
        return True
    return any(needed <= columns for needed in _NEEDED)


def split(path: Path, target: Path) -> Split:
    """The articles of a table, their rows in files in the folder `target`, made once.

    Raises ValueError, naming the file, for one that cannot be read or has a column twice; OSError.
    """
    if not (target / _INDEX).is_file():
        partial = target.with_name(f"{target.name}.partial")
        for left in (partial, target):
            shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
        partial.mkdir(parents=True)
        try:
            _write_articles(path, partial)
            os.replace(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    index = json.loads((target / _INDEX).read_text(encoding="utf-8"))
    return Split(
        {name: target / file for name, file in index["articles"].items()}, [BadRow(*row) for row in index["bad"]]
    )


def _write_articles(path: Path, target: Path) -> None:
    rows: dict[str, list[TableRow]] = {}
    bad: list[BadRow] = []
    for row in table_rows(read_text(path, MAX_TABLE_BYTES), path.name):
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            rows.setdefault(row["article_id"] or row["doi"] or row["picture"], []).append(row)
    files = {name: f"{hashlib.sha256(name.encode()).hexdigest()[:_KEY_CHARS]}.jsonl" for name in rows}
    for name, file in files.items():
        (target / file).write_text("".join(map(to_line, rows[name])), encoding="utf-8")
    (target / _INDEX).write_text(json.dumps({"articles": files, "bad": bad}), encoding="utf-8")


def read_rows(path: Path) -> list[TableRow]:
    """The rows of one article, from a file that `split` wrote."""
    return [cast("TableRow", row) for row in read_jsonl(path)]


# ---- rows ----


class _Sheet(NamedTuple):
    """The lines of a table with their ends; the first `head` of them are the header and what is above it."""

    lines: list[str]
    head: int
    delimiter: str
    columns: list[str]


def table_rows(text: str, name: str) -> Iterator[TableRow | BadRow]:
    """The rows of a table's text, in order. Raises ValueError, naming the file, for a column that is there twice."""
    sheet = _sheet(text)
    known = [column for column in sheet.columns if column in TableRow.__annotations__]
    twice = next((column for column in known if known.count(column) > 1), None)
    if twice:
        raise ValueError(f"{name}: column {twice} is there twice; take one away")
    for line, cells in _cells(sheet):
        if isinstance(cells, str):
            yield BadRow(line, cells)
        elif any(cells):
            yield _checked(line, sheet.columns, cells)


def _sheet(text: str) -> _Sheet:
    """Of the delimiters that one is taken by which the header has most columns that are known."""
    lines = io.StringIO(text, newline="").readlines()
    head = next((number for number, line in enumerate(lines, 1) if line.strip(" \r\n")), len(lines))
    first = [line[:HEAD_BYTES] for line in lines[head - 1 : head]]
    headers = {each: _names(next(csv.reader(first, delimiter=each), [])) for each in _DELIMITERS}
    best = max(headers, key=lambda each: len(TableRow.__annotations__.keys() & set(headers[each])))
    return _Sheet(lines, head, best, headers[best])


def _names(cells: list[str]) -> list[str]:
    names = [clean(cell).lower() for cell in cells]
    return [_SPELLINGS.get(name, name) for name in names]


def _cells(sheet: _Sheet) -> Iterator[tuple[int, list[str] | str]]:
    """(line, cells) of the rows below the header; for a row that cannot be cut into cells (line, why).

    A quote that is never closed swallows the rows below it: they are read again from the next line on.
    """
    lines, start = sheet.lines, sheet.head
    while start < len(lines):
        rest = (lines[number] for number in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=sheet.delimiter, strict=True)
        read = 0  # lines of the rest
        try:
            for cells in reader:
                yield start + read + 1, [cell.strip() for cell in cells]
                read = reader.line_num
            return
        except csv.Error as error:
            yield start + read + 1, f"cannot be cut into cells ({error}: a quote too many or too few?)"
            start += read + 1


def _checked(line: int, columns: list[str], cells: list[str]) -> TableRow | BadRow:
    """The row, or what is wrong with it."""
    if any(cells[len(columns) :]):
        return BadRow(line, f"more cells than columns ({len(cells)}, not {len(columns)}: a delimiter too many?)")
    named = dict(zip(columns, cells, strict=False))
    values = {column: _text(column, named.get(column, "")) for column in TableRow.__annotations__}
    wrong = next(_faults(values), None)
    if wrong:
        return BadRow(line, wrong)
    year, language = _YEAR.fullmatch(values["year"] or ""), _LANGUAGE.fullmatch(values["language"] or "")
    row = {
        **values,
        "line": line,
        "picture": _path(values["picture"] or ""),
        "doi": whole_doi(values["doi"]),
        "year": year[1] if year else None,
        "language": language[1].lower() if language else None,
    }
    return cast("TableRow", row)


def _path(picture: str) -> str:
    """One spelling of each path: ".\\img\\a.png" -> "img/a.png"; addresses stay as they are."""
    return picture if "://" in picture else PurePosixPath(picture.replace("\\", "/")).as_posix()


def _text(column: str, cell: str) -> str | None:
    if column in _SEVERAL_LINES:
        return "\n".join(map(clean, cell.splitlines())).strip() or None
    return clean(cell) or None


def whole_doi(stated: str | None) -> str | None:
    """The DOI that a cell is or ends with, lower case; None where there is none, or more behind it: it is not cut."""
    text = (stated or "").strip().rstrip(".,;").lower()
    found = next(iter(dois(text)), None)
    return found if found and text.endswith(found) else None


def _faults(values: dict[str, str | None]) -> Iterator[str]:
    """What is wrong with the cells of a row."""
    if not values["picture"]:
        yield "no picture named"
    if bool(values["question"]) != bool(values["answer"]):
        yield "a question without an answer, or an answer without a question"
    if values["task"] and values["task"] not in TASKS:
        yield f"unknown task ({values['task']}; give {' or '.join(TASKS)})"
    if values["doi"] and not whole_doi(values["doi"]):
        yield f"no DOI ({values['doi']}; one starts with 10.)"
    if values["year"] and not _YEAR.fullmatch(values["year"]):
        yield f"no year ({values['year']}; give four digits)"
    if values["language"] and not _LANGUAGE.fullmatch(values["language"]):
        yield f"no language code ({values['language']}; give two letters, as en: ISO 639-1)"
