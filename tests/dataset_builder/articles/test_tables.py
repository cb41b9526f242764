"""Tables of figures: what is one, what a row is, what becomes of the others."""

import os
import zipfile

import pytest

from dataset_builder.articles.skipped import Skipped
from dataset_builder.articles.tables import NO_TABLE, BadRow, read_rows, split, table_rows, whole_doi
from tests.dataset_builder.articles.folders import find, write

HEADER = "picture,caption,question,answer"


def rows_of(text: str) -> list:
    return list(table_rows(text, "figures.csv"))


def captions(text: str) -> list:
    return [(row["line"], row["caption"]) for row in rows_of(text)]


# ---- what is a table of figures ----

TABLES = {
    "captions": ("figures.csv", "picture,caption\na.png,A knee."),
    "questions": ("figures.csv", "picture,question,answer\na.png,Which?,A knee."),
    "named before": ("knees.figures.csv", "picture,caption\na.png,A knee."),
    "in capitals, more columns": ("Figures.CSV", "id,Picture, CAPTION ,score\n1,a.png,A knee.,3"),
    "tabs": ("figures.tsv", "picture\tcaption\na.png\tA knee."),
    "an index column of pandas": ("figures.tsv", "\tpicture\tcaption\n0\ta.png\tA knee."),
    "empty lines first": ("figures.csv", "\r\n\r\npicture;caption\r\na.png;A knee."),
}


@pytest.mark.parametrize(("name", "text"), TABLES.values(), ids=TABLES)
def test_a_table_is_found(tmp_path, name, text):
    (package,) = find(write(tmp_path, {name: text, "a.png": "1"}))
    assert package.source_file == f"{name}!a.png"
    assert package.files == {"a.png": tmp_path / "a.png"}


NO_TABLES = {
    "a supplement with such columns": ("supplement.csv", "picture,caption\na.png,A knee."),
    "a supplement of the same name": ("figures.csv", "year,value\n2020,1"),
    "no caption, half a question": ("figures.csv", "picture,question\na.png,Which?"),
    "the data of a figure": ("figure_1.csv", "picture,caption\na.png,A knee."),
    "another word": ("configures.csv", "picture,caption\na.png,A knee."),
    "empty": ("figures.csv", ""),
    "a picture": ("figures.csv", b"\x89PNG\r\n\x1a\n\0\0picture"),
}


@pytest.mark.parametrize(("name", "text"), NO_TABLES.values(), ids=NO_TABLES)
def test_other_tables_are_passed_over_and_counted(tmp_path, name, text):
    skipped = Skipped()
    assert not find(write(tmp_path, {name: text}), skipped=skipped)
    assert skipped.counts == {NO_TABLE if name == "figures.csv" else ".csv": 1}


def test_a_table_in_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as file:
        for name, content in {
            "a/figures.csv": "picture,caption\nf.png,A knee.",
            "a/f.png": "1",
            "figures.csv": "x",
        }.items():
            file.writestr(name, content)
    skipped = Skipped()
    (package,) = find(tmp_path, skipped=skipped)
    assert package.source_file == "mine.zip!a/figures.csv!f.png"
    assert list(package.files) == ["f.png"]
    assert [row["file"] for row in skipped.rows()] == ["mine.zip!figures.csv"]


def test_a_table_that_cannot_be_read_is_reported(tmp_path):
    outside = tmp_path / "outside.csv"
    outside.write_text(HEADER)
    folder = write(
        tmp_path / "articles", {"a/figures.csv": b"picture,caption\na.png,\x81", "b/figures.csv": HEADER + ",Caption"}
    )
    (folder / "link").mkdir()
    (folder / "link" / "figures.csv").symlink_to(outside)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "figures.csv")
    errors = {package.source_file: package.error for package in find(folder)}
    assert errors["a/figures.csv"] == "figures.csv: neither UTF-8 nor Windows-1252; save it as UTF-8"
    assert errors["b/figures.csv"] == "figures.csv: column caption is there twice; take one away"
    assert "leads out" in errors["link/figures.csv"]
    assert "pipe" in errors["pipe/figures.csv"]


# ---- rows ----

WORDS = 'picture{0}caption\r\na.png{0}"Größe{0} and ""size"":\nα"\r\nb.png{0}Küche\r\n'
ENCODED = {
    "UTF-8": (WORDS.format(","), "utf-8"),
    "with a mark": (WORDS.format(";"), "utf-8-sig"),
    "Excel's Unicode text": (WORDS.format("\t"), "utf-16"),
    "old Mac": (WORDS.format(",").replace("\r\n", "\r"), "utf-8"),
    "Windows-1252": (WORDS.format(";").replace("α", "a"), "cp1252"),
}


@pytest.mark.parametrize(("text", "encoding"), ENCODED.values(), ids=ENCODED)
def test_encodings_delimiters_and_quoted_line_ends(tmp_path, text, encoding):
    folder = write(tmp_path, {"figures.csv": text.encode(encoding)})
    found = split(folder / "figures.csv", tmp_path / "unpacked")
    captions = [read_rows(path)[0]["caption"] for path in found.articles.values()]
    delimiter = text[len("picture")]
    sign = "a" if encoding == "cp1252" else "α"
    assert captions == [f'Größe{delimiter} and "size": {sign}'.replace("\t", " ").replace("  ", " "), "Küche"]
    assert not found.bad


BAD = {
    "no picture": (",A knee.,,", "no picture named"),
    "question alone": ("a.png,,Which?,", "a question without an answer, or an answer without a question"),
    "answer alone": ("a.png,,,A knee.", "a question without an answer, or an answer without a question"),
    "too many cells": (
        "a.png,A knee, seen from the front,,,more",
        "more cells than columns (6, not 4: a delimiter too many?)",
    ),
}


@pytest.mark.parametrize(("row", "reason"), BAD.values(), ids=BAD)
def test_a_bad_row_is_named_by_its_line_and_the_others_go_on(row, reason):
    first, bad, last = rows_of(f'{HEADER}\na.png,"One,\ntwo."\n{row}\n\nb.png,Three.,,,,\n')
    assert (first["line"], first["caption"]) == (2, "One, two.")
    assert bad == BadRow(4, reason)
    assert (last["line"], last["caption"]) == (6, "Three.")


CELLS = {
    "task": (["", "detail", "reasoning"], ["vqa", "Detail."]),
    "year": (["", "1999", "2020.0"], ["99", "May 2020", "2020.5"]),
    "language": (["", "en", "en-GB", "DE", "pt_BR"], ["English", "eng", "e"]),
    "doi": (["", "10.5555/a.b", "https://doi.org/10.5555/A.B", "doi:10.5555/a"], ["x", "11.5555/a", "10.5/"]),
}


@pytest.mark.parametrize("column", CELLS)
def test_cells_that_mean_nothing_are_told(column):
    good, bad = CELLS[column]
    text = "\n".join([f"picture,caption,{column}", *(f"a.png,A knee.,{cell}" for cell in (*good, *bad))])
    rows = rows_of(text)
    assert [isinstance(row, BadRow) for row in rows] == [False] * len(good) + [True] * len(bad)
    assert all(cell in row.reason for cell, row in zip(bad, rows[len(good) :], strict=True))


def test_cells_are_made_plain():
    (row,) = rows_of("picture,caption,year,language,doi\n.\\img\\a.png, A\xa0knee\x07.,2020.0,EN-us,DOI 10.5555/A.\n")
    assert [row[name] for name in ("picture", "caption", "year", "language", "doi")] == [
        *("img/a.png", "A knee.", "2020", "en", "10.5555/a")
    ]
    assert row["context"] is None


QUOTES = {
    "never closed": ('b.png,"never closed\nc.png,Three.\n', [(2, "One."), BadRow, (4, "Three.")]),
    "closed in another row": (
        'b.png,"open\nc.png,"Three."\nd.png,Four.\n',
        [(2, "One."), BadRow, (4, "Three."), (5, "Four.")],
    ),
    "in the middle of a quoted cell": ('b.png,"a "b" c"\nc.png,Three.\n', [(2, "One."), BadRow, (4, "Three.")]),
    "an inch": ('b.png,A 5" disc\nc.png,Three.\n', [(2, "One."), (3, 'A 5" disc'), (4, "Three.")]),
}


@pytest.mark.parametrize(("text", "expected"), QUOTES.values(), ids=QUOTES)
def test_a_wrong_quote_costs_its_own_row(text, expected):
    found = [
        type(row) if isinstance(row, BadRow) else (row["line"], row["caption"])
        for row in rows_of("picture,caption\na.png,One.\n" + text)
    ]
    assert found == expected


def test_many_wrong_quotes_are_read_quickly():
    text = "picture,caption\n" + 'a.png,"open\n' * 20_001
    assert sum(isinstance(row, BadRow) for row in rows_of(text)) > 10_000


def test_rows_are_one_article_by_id_doi_or_picture(tmp_path):
    text = "\n".join(
        [
            "picture,caption,article_id,doi",
            "a.png,1,patient 7,10.5555/x",
            "b.png,2,patient 7,",
            "c.png,3,,10.5555/y",
            "d.png,4,,https://doi.org/10.5555/Y",
            "e.png,5,,",
            "./e.png,6,,",
            "f.png,7,,",
        ]
    )
    found = split(write(tmp_path, {"figures.csv": text}) / "figures.csv", tmp_path / "unpacked")
    captions = {name: [row["caption"] for row in read_rows(path)] for name, path in found.articles.items()}
    assert captions == {"patient 7": ["1", "2"], "10.5555/y": ["3", "4"], "e.png": ["5", "6"], "f.png": ["7"]}


@pytest.mark.parametrize(
    ("stated", "doi"),
    [
        ("10.1000/A.", "10.1000/a"),
        ("https://doi.org/10.1000/a", "10.1000/a"),
        ("10.1000/a<img src=x>0", None),
        ("10.1000/a b", None),
        ("10.1000/", None),
        (None, None),
    ],
)
def test_a_doi_is_whole_or_none(stated, doi):
    assert whole_doi(stated) == doi
