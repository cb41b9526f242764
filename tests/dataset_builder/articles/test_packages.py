"""Folders of articles -> packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_builder.articles.skipped import Skipped
from tests.dataset_builder.articles.folders import ARTICLE, archive, find, write

GRAPHIC = '<fig><graphic xlink:href="{}"/></fig>'


def names(folder: Path) -> list[tuple]:
    return [(p.source_file, p.xml and p.xml.name, p.pdf and p.pdf.name) for p in find(folder)]


LAYOUTS = {
    "pmc folder": (
        {"a/x.nxml": ARTICLE, "a/x.pdf": "%PDF", "a/x-g1.jpg": "", "b/y.xml": ARTICLE, "c/z.pdf": "%PDF"},
        [("a/x.nxml", "x.nxml", "x.pdf"), ("b/y.xml", "y.xml", None), ("c/z.pdf", None, "z.pdf")],
    ),
    "flat folder, paired by stem": (
        {"x.xml": ARTICLE, "X.PDF": "%PDF", "y.xml": ARTICLE, "z.pdf": "%PDF"},
        [("x.xml", "x.xml", "X.PDF"), ("y.xml", "y.xml", None), ("z.pdf", None, "z.pdf")],
    ),
    "only XML and only PDF": ({"a/main.xml": ARTICLE, "a/paper.pdf": ""}, [("a/main.xml", "main.xml", "paper.pdf")]),
    "supplement": (
        {"x.xml": ARTICLE.format(GRAPHIC.format("s1.pdf")), "s1.pdf": "", "x.pdf": "", "more.pdf": ""},
        [("more.pdf", None, "more.pdf"), ("x.xml", "x.xml", "x.pdf")],
    ),
    "own PDF beside a supplement": (
        {"x.xml": ARTICLE.format(GRAPHIC.format("s1.pdf")), "s1.pdf": "", "y.pdf": ""},
        [("x.xml", "x.xml", "y.pdf")],
    ),
    "not articles": (
        {
            "page.xml": "<html><body/></html>",
            "book.xml": '<article xmlns="http://docbook.org/ns/docbook"/>',
            "old.xml": '<!DOCTYPE article PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "x.dtd"><article/>',
            "oai.xml": "<OAI-PMH><error/></OAI-PMH>",
            "notes.txt": "x",
            ".hidden/x.xml": ARTICLE,
        },
        [],
    ),
    "articles in other coats": (
        {
            "a.xml": '\ufeff<?xml version="1.0"?>\n<!-- > --><!DOCTYPE article [<!ENTITY a ">]">]>\n<article/>',
            "b.xml": '<j:article xmlns:j="http://jats.nlm.nih.gov"/>',
            "c.xml": '<OAI-PMH><x><article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.3/"/></x></OAI-PMH>',
            "d.xml": ARTICLE.encode("utf-16"),
        },
        [(name, name, None) for name in ("a.xml", "b.xml", "c.xml", "d.xml")],
    ),
    "broken files are kept, so that their failure is recorded": (
        {"empty.xml": "", "text.xml": "not found", "any.nxml": "<html/>", "none.pdf": ""},
        [
            ("any.nxml", "any.nxml", None),
            ("empty.xml", "empty.xml", None),
            ("none.pdf", None, "none.pdf"),
            ("text.xml", "text.xml", None),
        ],
    ),
}


@pytest.mark.parametrize(("files", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_find_packages(tmp_path, files, expected):
    assert names(write(tmp_path, files)) == expected


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find(tmp_path / "absent")


def test_pictures_of_a_folder_and_those_below_it(tmp_path):
    write(tmp_path, {"a/x.xml": ARTICLE, "a/F1.JPG": "", "a/images/f2.png": "", "a/b/y.xml": ARTICLE, "a/b/f3.png": ""})
    first, second = find(tmp_path)
    assert {n: p.relative_to(tmp_path).as_posix() for n, p in first.files.items()} == {
        "f1.jpg": "a/F1.JPG",
        "images/f2.png": "a/images/f2.png",
    }
    assert first.pictures.found["f2.png"] == first.pictures.found["images/f2.png"]
    assert list(second.files) == ["f3.png"]


def test_articles_that_share_a_folder_have_the_pictures_they_refer_to(tmp_path):
    write(tmp_path, {"x.xml": ARTICLE.format(GRAPHIC.format("f1")), "y.xml": ARTICLE, "f1.jpg": "", "f2.jpg": ""})
    x, y = find(tmp_path)
    assert list(x.files) == ["f1.jpg"]
    assert not y.files


def test_pictures_of_a_pdf_do_not_matter(tmp_path):
    write(tmp_path, {"x.pdf": "", "f1.jpg": ""})
    assert find(tmp_path)[0].files == {}


def test_links_that_leave_the_package_are_refused(tmp_path):
    write(tmp_path, {"secret.jpg": "", "a/x.xml": ARTICLE, "a/f1.jpg": ""})
    (tmp_path / "a/f2.jpg").symlink_to(tmp_path / "secret.jpg")
    (tmp_path / "a/f3.jpg").symlink_to("f1.jpg")
    assert sorted(find(tmp_path)[0].files) == ["f1.jpg", "f3.jpg"]


def test_digest_follows_every_file_that_matters(tmp_path):
    write(tmp_path, {"a/x.xml": ARTICLE, "a/x.pdf": "1", "a/f1.jpg": "1"})
    digests = {find(tmp_path)[0].digest()}
    for change in ({"a/x.pdf": "2"}, {"a/f1.jpg": "2"}, {"a/x.xml": ARTICLE + " "}, {"a/f2.jpg": "1"}):
        write(tmp_path, change)
        digests.add(find(tmp_path)[0].digest())
    assert len(digests) == 5
    write(tmp_path, {"a/notes.txt": "1"})
    assert find(tmp_path)[0].digest() in digests


def test_file_that_cannot_be_opened(tmp_path):
    (tmp_path / "x.pdf").symlink_to(tmp_path / "gone.pdf")
    package = find(tmp_path)[0]
    assert (package.source_file, package.pdf) == ("x.pdf", None)
    assert "cannot be opened" in package.error


def test_names_are_valid_unicode(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.pdf")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert find(tmp_path)[0].source_file == "caf\ufffd.pdf"


def test_pipes_and_devices_are_not_opened(tmp_path):
    write(tmp_path, {"a/x.xml": ARTICLE})
    os.mkfifo(tmp_path / "a/f1.png")  # whoever opens it waits for a writer
    os.mkfifo(tmp_path / "b.pdf")
    os.mkfifo(tmp_path / "c.xml")
    (tmp_path / "d.nxml").symlink_to("/dev/zero")
    article, *others = find(tmp_path)[::-1]
    assert article.source_file == "a/x.xml"
    assert not article.files
    assert [p.source_file for p in others] == ["d.nxml", "c.xml", "b.pdf"]
    assert all("no regular file" in p.error for p in others)


def test_what_is_passed_over_is_counted(tmp_path):
    files = {"x.xml": ARTICLE, "f1.png": "", "a/data.XLSX": "", "a/b/more.xlsx": "", "README": "", ".hidden": ""}
    skipped = Skipped()
    find(write(tmp_path, files), skipped=skipped)
    assert skipped.counts == {".xlsx": 2, "no suffix": 1}
    assert [row["file"] for row in skipped.rows()] == ["README", "a/data.XLSX", "a/b/more.xlsx"]


def test_what_is_hidden_and_may_be_an_article_is_named(tmp_path):
    files = {"x.xml": ARTICLE, ".DS_Store": "", "._x.xml": "", ".y.pdf": "%PDF", ".old/z.xml": ARTICLE, "a/.git/c": ""}
    skipped = Skipped()
    assert len(find(write(tmp_path, files), skipped=skipped)) == 1
    assert [(row["file"], row["reason"]) for row in skipped.rows()] == [
        (".old", "hidden folders"),
        ("a/.git", "hidden folders"),
        (".y.pdf", "hidden files"),
    ]


def test_names_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("dataset_builder.articles.skipped.MAX_NAMES", 3)
    skipped = Skipped()
    find(write(tmp_path, {f"{n}.csv": "" for n in range(9)}), skipped=skipped)
    assert (skipped.counts, len(list(skipped.rows()))) == ({".csv": 9}, 3)


def test_links_that_lead_out_of_the_articles_folder_are_refused(tmp_path):
    write(tmp_path, {"outside/x.xml": ARTICLE, "outside/x.pdf": "%PDF", "in/own.xml": ARTICLE})
    archive(tmp_path / "outside/x.tgz", {"x.nxml": ARTICLE.encode()})
    for name, target in (
        ("x.xml", "outside/x.xml"),
        ("y.pdf", "outside/x.pdf"),
        ("z.tgz", "outside/x.tgz"),
        ("folder", "outside"),
    ):
        (tmp_path / "in" / name).symlink_to(tmp_path / target)
    (tmp_path / "in/same.xml").symlink_to("own.xml")
    found = find(tmp_path / "in", tmp_path / "cache")
    refused = {p.source_file for p in found if p.error and "leads out of the articles folder" in p.error}
    assert refused == {"x.xml", "y.pdf", "z.tgz", "folder"}
    assert {p.source_file for p in found if not p.error} == {"own.xml", "same.xml"}


@pytest.mark.parametrize("name", ["a.zip", "a.meca", "a.tar.gz", "a.xml.gz", "a.xml", "a.nxml", "a.pdf"])
def test_pipes_and_circles_are_never_opened(tmp_path, name):
    os.mkfifo(tmp_path / name)
    (tmp_path / f"b{name}").symlink_to(tmp_path / f"b{name}")
    write(tmp_path, {"good/x.xml": ARTICLE, "s1.pdf": "%PDF", "s2.pdf": "%PDF"})
    errors = {package.source_file: package.error for package in find(tmp_path)}
    assert "no regular file" in errors[name]
    assert errors[f"b{name}"]
    assert str(tmp_path) not in "".join(filter(None, errors.values()))
    assert errors["good/x.xml"] is None


_LIST = """
import sys
from pathlib import Path
from dataset_builder.articles.packages import find_packages
folder = Path(sys.argv[1])
for package in find_packages(folder, folder / "unpacked"):
    print(package.source_file, package.error, package.pictures.refused.get("f1.png"))
"""


@pytest.mark.skipif(shutil.which("setpriv") is None or os.name != "posix", reason="no setpriv: root reads everything")
def test_what_may_not_be_read_fails_alone(tmp_path):
    write(tmp_path, {"a/x.xml": ARTICLE, "b/x.xml": ARTICLE, "c/x.xml": ARTICLE, "c/f1.png": "1", "d/x.xml": ARTICLE})
    for name in ("a/x.xml", "b", "c/f1.png"):
        (tmp_path / name).chmod(0)
    as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    command = [*as_others, sys.executable, "-c", _LIST, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (tmp_path / "b").chmod(0o700)
    said = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(said) == {"a/x.xml", "b", "c/x.xml", "d/x.xml"}
    assert "cannot be opened (Permission denied)" in said["a/x.xml"]
    assert "cannot be listed (Permission denied)" in said["b"]
    assert "image_unreadable" in said["c/x.xml"]
    assert said["d/x.xml"].endswith("None None")
