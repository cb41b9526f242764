"""Folders and archives of articles -> packages."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from dataset_builder.articles import packages
from dataset_builder.articles.packages import bare_name, find_packages, find_pictures, unpack

ARTICLE = '<article xmlns:xlink="http://www.w3.org/1999/xlink"><front/><body>{}</body></article>'
GRAPHIC = '<fig><graphic xlink:href="{}"/></fig>'


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def find(folder: Path, unpacked: Path | None = None):
    return list(find_packages(folder, unpacked or folder / "unpacked"))


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
        "f2.png": "a/images/f2.png",
    }
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


HREFS = {
    "f1": ["f1.png", "f1.jpg", "f1.gif"],
    "f1.jpg": ["f1.jpg", "f1.png", "f1.gif"],
    "F1.JPG": ["f1.jpg", "f1.png", "f1.gif"],
    "f1.tif": ["f1.png", "f1.jpg", "f1.gif"],
    "images/f1.png": ["f1.png", "f1.jpg", "f1.gif"],
    "../../etc/f1.png": ["f1.png", "f1.jpg", "f1.gif"],
    "/img/f1.png": ["f1.png", "f1.jpg", "f1.gif"],
    "https://host/a/f1.png?x=/f2.png": ["f1.png", "f1.jpg", "f1.gif"],
    "info:doi/10.1371/pone.1.g001": ["pone.1.g001.tif"],
    "a%20b.png": ["a b.png"],
    "../../../etc/passwd": [],
    "..": [],
    "": [],
}


@pytest.mark.parametrize(("href", "expected"), HREFS.items())
def test_find_pictures(href, expected):
    pictures = {name: Path(name) for name in ("f1.gif", "f1.jpg", "f1.png", "f2.png", "pone.1.g001.tif", "a b.png")}
    assert [path.name for path in find_pictures(pictures, href)] == expected


def test_bare_name_of_a_windows_path():
    assert bare_name(r"images\f1.png") == "f1.png"


# ---- archives ----


def archive(path: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return path


MEMBERS = {"PMC1/x.nxml": ARTICLE.encode(), "PMC1/x.pdf": b"%PDF", "PMC1/f1.jpg": b"1", "PMC1/video.mp4": b"1"}


def test_archive(tmp_path):
    archive(tmp_path / "PMC1.tar.gz", MEMBERS)
    package = find(tmp_path, tmp_path / "cache")[0]
    assert package.source_file == "PMC1.tar.gz!PMC1/x.nxml"
    assert package.pdf.name == "x.pdf"
    assert list(package.files) == ["f1.jpg"]
    assert not list((tmp_path / "cache").rglob("*.mp4"))
    assert [p.source_file for p in find(tmp_path, tmp_path / "cache")] == [package.source_file]  # and no copy of it


def test_archive_beside_its_unpacked_folder_counts_once(tmp_path):
    archive(tmp_path / "PMC1.tar.gz", MEMBERS)
    write(tmp_path, MEMBERS)
    assert [p.source_file for p in find(tmp_path)] == ["PMC1/x.nxml"]


def test_killed_while_unpacking(tmp_path):
    path = archive(tmp_path / "x.tgz", MEMBERS)
    write(tmp_path, {"out.partial/half.nxml": "<"})
    unpack(path, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").rglob("*.*")) == ["f1.jpg", "x.nxml", "x.pdf"]
    assert not (tmp_path / "out.partial").exists()


@pytest.mark.parametrize("name", ["../x.nxml", "/x.nxml", "a/../../x.nxml", "a\\..\\..\\x.nxml"])
def test_member_that_leaves_the_archive(tmp_path, name):
    (tmp_path / "in").mkdir()
    archive(tmp_path / "in/x.tgz", {name: b"<article/>"})
    package = find(tmp_path / "in", tmp_path / "cache")[0]
    assert package.xml is None
    assert "leads out of the archive" in package.error
    assert not list(tmp_path.rglob("x.nxml"))


def test_links_in_an_archive_are_left_out(tmp_path):
    archive(tmp_path / "x.tgz", MEMBERS, {"PMC1/f2.jpg": "/etc/passwd"})
    assert list(find(tmp_path)[0].files) == ["f1.jpg"]


SPECIAL = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)


@pytest.mark.parametrize("kind", SPECIAL)
def test_only_files_come_out_of_an_archive(tmp_path, kind):
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as tar:
        special = tarfile.TarInfo("PMC1/f2.jpg")
        special.type, special.linkname, special.devmajor, special.devminor = kind, "PMC1/x.nxml", 1, 5  # /dev/zero
        for name, content in MEMBERS.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        tar.addfile(special)
    assert list(find(tmp_path)[0].files) == ["f1.jpg"]
    out = [p for p in (tmp_path / "unpacked").rglob("*") if not p.is_dir()]
    assert sorted(p.name for p in out) == ["f1.jpg", "x.nxml", "x.pdf"]
    assert all(p.is_file() for p in out)


def test_archives_in_an_archive_stay_closed(tmp_path):
    inner = archive(tmp_path / "inner.tgz", MEMBERS).read_bytes()
    (tmp_path / "in").mkdir()
    archive(tmp_path / "in/x.tgz", {"a/inner.tgz": inner, "a/inner.tar.gz": inner, "a/x.nxml": b"<article/>"})
    assert [p.source_file for p in find(tmp_path / "in", tmp_path / "cache")] == ["x.tgz!a/x.nxml"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_names_in_an_archive_are_bounded(tmp_path, kind):
    """tarfile reads them into memory as a whole: 2 gigabytes of spaces are 2 megabytes of archive."""
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as tar:
        header = tarfile.TarInfo("x")
        header.type, header.size = kind, 1_000_000
        tar.addfile(header, io.BytesIO(bytes(1_000_000)))
    error = find(tmp_path)[0].error
    assert error == "x.tgz: not a readable archive (a header of 1000000 bytes, more than 65536)"


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


def test_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "MAX_UNPACKED_BYTES", 100_000)
    monkeypatch.setattr(packages, "MAX_MEMBERS", 3)
    archive(tmp_path / "big.tgz", {"x.pdf": bytes(200_000)})
    archive(tmp_path / "many.tgz", {f"{i}.txt": b"" for i in range(5)})
    big, many = find(tmp_path)
    assert "more than 100000 bytes" in big.error
    assert "more than 3 files" in many.error
    assert not list((tmp_path / "unpacked").iterdir())


BROKEN = {"empty": b"", "text": b"not found", "truncated": None, "no tar": gzip.compress(b"x" * 2000)}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_archive(tmp_path, content):
    path = archive(tmp_path / "x.tgz", {"x.pdf": os.urandom(100_000)})
    path.write_bytes(path.read_bytes()[:50_000] if content is None else content)
    packages_found = find(tmp_path)
    assert [p.source_file for p in packages_found] == ["x.tgz"]
    assert "x.tgz" in packages_found[0].error
    assert "\n" not in packages_found[0].error
