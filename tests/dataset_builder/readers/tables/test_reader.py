"""The rows of a table of figures -> an article: text, questions, licences, and pictures that may be opened."""

import os
from pathlib import Path

import pytest

from dataset_builder.articles.packages import find_packages
from dataset_builder.readers.article import Article
from dataset_builder.readers.tables.reader import read_table
from tests.dataset_builder.readers.tables.folders import draw, write_table


def read(folder: Path, *rows: dict[str, object]) -> Article:
    """The one article of a table with these rows, which name a.png where they name none."""
    if not (folder / "a.png").exists():
        draw(folder / "a.png", 0)
    write_table(folder, [{"article_id": "1", "picture": "a.png", "caption": "A knee."} | row for row in rows])
    (package,) = (package for package in find_packages(folder, folder.parent / "unpacked") if package.table)
    return read_table(package.table, package.pictures)


def test_what_a_row_says_reaches_the_article_and_its_figure(tmp_path):
    article = read(
        tmp_path / "own",
        {"article_id": "10.5555/A", "caption": "Fig. 2. A knee.", "context": "It hurts. It is old.\n\nTreated"},
        {
            "picture": "b.png",
            "article_id": "10.5555/A",
            "authors": "Ada B.; Li, C. ;",
            "title": "Knees",
            "year": "1999",
        },
        {"article_id": "10.5555/A", "context": "It is old. New.", "language": "de", "label": "Fig. 2"},
    )
    figure, other, third = article.figures
    assert (article.source, article.doi, article.pmcid) == ("csv", "10.5555/a", None)
    assert (article.title, article.authors, article.year) == ("Knees", ["Ada B.", "Li, C."], 1999)
    assert article.language == "de"
    assert (figure.label, figure.caption) == ("Fig. 2", "A knee.")
    assert figure.context == ["It hurts.", "It is old.", "Treated"]
    assert (other.label, other.image_fault) == (None, "image_missing")
    assert (third.label, third.context) == ("Fig. 2", ["It is old.", "New."])
    assert figure.picture.measures["width"] == 200
    assert article.markdown.startswith("# Knees\n\n**Fig. 2** A knee.\n\nIt hurts. It is old. Treated\n\n")


@pytest.mark.parametrize(
    ("article_id", "pmcid", "doi"),
    [
        ("PMC12", "PMC12", None),
        ("pmc12", "PMC12", None),
        ("12", None, None),
        ("10.5555/x", None, "10.5555/x"),
        ("PMC", None, None),
    ],
)
def test_an_id_that_the_world_knows_is_one(tmp_path, article_id, pmcid, doi):
    article = read(tmp_path / "own", {"article_id": article_id})
    assert (article.pmcid, article.doi) == (pmcid, doi)


def test_rows_of_one_picture_are_one_figure_unless_their_captions_differ(tmp_path):
    article = read(
        tmp_path / "own",
        {"caption": "", "question": "Which joint?", "answer": "A knee."},
        {"question": "Why?", "answer": "It is old.", "task": "reasoning"},
        {"caption": "An old knee.", "question": "How old?", "answer": "Ninety."},
        {"caption": "", "question": "Left?", "answer": "Yes."},
    )
    asked = [(figure.caption, [each["question"] for each in figure.questions]) for figure in article.figures]
    assert asked == [("A knee.", ["Which joint?", "Why?", "Left?"]), ("An old knee.", ["How old?"])]
    assert [each["task"] for each in article.figures[0].questions] == ["detail", "reasoning", "detail"]


# ---- licences ----

LICENSES = {
    "": None,
    "CC-BY-4.0": "CC-BY-4.0",
    "cc by-nc 4.0": "CC-BY-NC-4.0",
    "https://creativecommons.org/licenses/by-sa/4.0/": "CC-BY-SA-4.0",
    "http://creativecommons.org/publicdomain/zero/1.0/legalcode": "CC0-1.0",
    "Creative Commons Attribution 4.0 International": "CC-BY-4.0",
    "CC0": "CC0-1.0",
    "CC-PDM-1.0": "CC-PDM-1.0",
    "CC-BY-3.0-IGO": "CC-BY-3.0-IGO",
    "pddl-1.0": "PDDL-1.0",
    "CC BY": "CC-BY",
}


@pytest.mark.parametrize(("words", "license"), LICENSES.items())
def test_the_licence_is_the_articles(tmp_path, words, license):
    article = read(tmp_path / "own", {"license": words}, {"picture": "b.png", "license": words})
    assert article.license == license
    assert [figure.rights for figure in article.figures] == [None, None]


@pytest.mark.parametrize(
    "words", ["MIT", "of our hospital", "free", "public domain", "CC BY 4.0 or CC BY-NC 4.0", "not CC BY 4.0"]
)
def test_words_that_are_no_licence_are_kept_and_give_none(tmp_path, words):
    article = read(tmp_path / "own", {"licence": words})
    (figure,) = article.figures
    assert (article.license, figure.license, figure.rights) == (None, None, words)


RIGHTS = {
    "of its own": ({"license": "CC BY 4.0", "rights": "© A. Müller"}, "© A. Müller", "CC-BY-4.0"),
    "reserved": (
        {"license": "CC BY 4.0", "rights": "With permission of Elsevier"},
        "With permission of Elsevier",
        None,
    ),
    "in the caption": (
        {"license": "CC BY 4.0", "caption": "The knee. Reprinted with permission of Elsevier."},
        *("Reprinted with permission of Elsevier.", None),
    ),
    "the same licence in the caption": ({"license": "CC BY 4.0", "caption": "The knee, CC BY 4.0."}, None, None),
}


@pytest.mark.parametrize(("row", "rights", "license"), RIGHTS.values(), ids=RIGHTS)
def test_rights_of_a_figure(tmp_path, row, rights, license):
    (figure,) = read(tmp_path / "own", row).figures
    assert (figure.rights, figure.license) == (rights, license)


SEVERAL = {
    "one of them is not stated": (
        ["CC BY 4.0", "CC0", ""],
        None,
        [("CC BY 4.0", "CC-BY-4.0"), ("CC0", "CC0-1.0"), None],
    ),
    "one covers all": (
        ["CC BY 4.0", "CC BY-NC 4.0", "CC0"],
        "CC-BY-NC-4.0",
        [("CC BY 4.0", "CC-BY-4.0"), None, ("CC0", "CC0-1.0")],
    ),
    "none covers all": (
        ["CC BY-SA 4.0", "CC BY-NC 4.0"],
        None,
        [("CC BY-SA 4.0", "CC-BY-SA-4.0"), ("CC BY-NC 4.0", "CC-BY-NC-4.0")],
    ),
}


@pytest.mark.parametrize(("words", "license", "own"), SEVERAL.values(), ids=SEVERAL)
def test_licences_that_differ_are_the_figures_and_the_article_has_one_that_covers_all(tmp_path, words, license, own):
    rows = [{"picture": f"{number}.png", "license": license} for number, license in enumerate(words)]
    article = read(tmp_path / "own", *rows)
    assert article.license == license
    said = [(figure.rights, figure.license) if figure.rights else None for figure in article.figures]
    assert said == own


# ---- pictures ----

PICTURES = {
    "there": ("a.png", None),
    "below": ("sub/b.png", None),
    "beside a PDF": ("with pdf/c.png", None),
    "in Windows' spelling": (".\\sub\\b.png", None),
    "a link inside": ("inside.png", None),
    "none": ("z.png", "image_missing"),
    "in another folder of that name": ("other/b.png", "image_missing"),
    "a folder": ("sub", "image_unreadable"),
    "no picture": ("sub/text.png", "image_unreadable"),
    "a name that is too long": ("x" * 300 + ".png", "image_missing"),
    "above": ("../outside.png", "image_outside"),
    "above, on a way down": ("sub/../../outside.png", "image_outside"),
    "above, in Windows' spelling": ("..\\outside.png", "image_outside"),
    "absolute": ("/etc/passwd", "image_outside"),
    "a drive": ("C:\\a.png", "image_outside"),
    "an address": ("https://example.org/a.png", "image_outside"),
    "a file's address": ("file:///etc/passwd", "image_outside"),
    "a link": ("link.png", "image_outside"),
    "below a link": ("linked/outside.png", "image_outside"),
    "a circle": ("circle.png", "image_unreadable"),
    "a pipe": ("pipe.png", "image_unreadable"),
}


@pytest.mark.parametrize(("name", "fault"), PICTURES.values(), ids=PICTURES)
def test_which_pictures_are_opened(tmp_path, name, fault):
    folder = tmp_path / "own"
    for path in (tmp_path / "outside.png", folder / "a.png", folder / "sub" / "b.png", folder / "with pdf" / "c.png"):
        draw(path, 1)
    (folder / "with pdf" / "x.pdf").write_bytes(b"%PDF")
    (folder / "sub" / "text.png").write_text("no picture")
    (folder / "inside.png").symlink_to(folder / "sub" / "b.png")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "circle.png").symlink_to("circle.png")
    os.mkfifo(folder / "pipe.png")
    (figure,) = read(folder, {"picture": name}).figures
    assert figure.image_fault == fault
    assert (figure.picture is None) == (fault is not None)
    if fault:
        assert figure.image_error.startswith("line 2: ")
