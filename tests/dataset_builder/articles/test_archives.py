"""Archives: what comes out of them, and what hostile ones do not get."""

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from dataset_builder.articles import archives
from dataset_builder.articles.archives import unpack
from dataset_builder.articles.skipped import Skipped
from tests.dataset_builder.articles.folders import ARTICLE, MEMBERS, archive, find, write


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
    assert sorted(p.name for p in (tmp_path / "out/PMC1").iterdir()) == ["f1.jpg", "x.nxml", "x.pdf"]
    assert not (tmp_path / "out.partial").exists()


def zipped(path: Path, members: dict[str, bytes], mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["PMC1.zip", "PMC1.meca", "PMC1.ZIP"])
def test_zip(tmp_path, name):
    zipped(tmp_path / name, {**MEMBERS, "PMC1/more.zip": b"PK", "__MACOSX/PMC1/._x.nxml": b"x"})
    skipped = Skipped()
    package = find(tmp_path, tmp_path / "cache", skipped)[0]
    assert package.source_file == f"{name}!PMC1/x.nxml"
    assert (package.pdf.name, list(package.files)) == ("x.pdf", ["f1.jpg"])
    assert skipped.counts == {".mp4": 1, ".zip (in an archive)": 1, "hidden files": 1}
    again = Skipped()
    assert len(find(tmp_path, tmp_path / "cache", again)) == 1
    assert (again.counts, list(again.rows())) == (skipped.counts, list(skipped.rows()))
    assert f"{name}!PMC1/more.zip" in {row["file"] for row in again.rows()}


@pytest.mark.parametrize("inner", ["more.zip", "data.tar.gz", "DATA.7Z", "x.nxml.gz", "b.rar", "c.tar"])
def test_archives_in_archives_are_named(tmp_path, inner):
    zipped(tmp_path / "a.zip", {**MEMBERS, f"PMC1/{inner}": b"1"})
    archive(tmp_path / "b.tar.gz", {**MEMBERS, f"PMC1/{inner}": b"1"})
    skipped = Skipped()
    assert len(find(tmp_path, tmp_path / "cache", skipped)) == 2
    named = [row["file"] for row in skipped.rows() if row["reason"].endswith("(in an archive)")]
    assert named == [f"a.zip!PMC1/{inner}", f"b.tar.gz!PMC1/{inner}"]


def test_supplements_of_a_meca_are_no_articles(tmp_path):
    manifest = (
        '<manifest xmlns="urn:manifest"><item type="article"><instance href="content/x.nxml"/>'
        '<instance href="content/x.pdf"/></item><item type="supplementary-material">'
        '<instance href="content/supp/s1.pdf"/></item></manifest>'
    )
    members = {name.replace("PMC1", "content"): content for name, content in MEMBERS.items()}
    more = {"manifest.xml": manifest.encode(), "content/supp/s1.pdf": b"%PDF", "transfer.xml": b"<transfer/>"}
    zipped(tmp_path / "x.meca", members | more)
    assert [(p.source_file, p.pdf.name) for p in find(tmp_path)] == [("x.meca!content/x.nxml", "x.pdf")]


@pytest.mark.parametrize("name", ["../x.nxml", "/x.nxml", "a/../../x.nxml", "a\\..\\..\\x.nxml"])
def test_member_that_leaves_a_zip(tmp_path, name):
    (tmp_path / "in").mkdir()
    zipped(tmp_path / "in/x.zip", {name: b"<article/>"})
    (package,) = find(tmp_path / "in", tmp_path / "cache")
    assert "leads out of the archive" in package.error
    assert not list(tmp_path.rglob("x.nxml"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFBLK, stat.S_IFCHR, stat.S_IFSOCK])
def test_only_files_come_out_of_a_zip(tmp_path, kind):
    zipped(tmp_path / "x.zip", {"a/x.nxml": b"/etc/passwd"}, kind | 0o644)
    assert find(tmp_path) == []
    assert not list((tmp_path / "unpacked").rglob("*.nxml"))


def test_zip_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 3_000_000)
    monkeypatch.setattr(archives, "_RATIO_FROM_BYTES", 100_000)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    zipped(tmp_path / "big.zip", {"x.pdf": bytes(4_000_000)})
    zipped(tmp_path / "dense.zip", {"x.pdf": bytes(2_000_000)})
    zipped(tmp_path / "many.zip", {f"{i}.txt": b"" for i in range(5)})
    lies = zipped(tmp_path / "says-less.zip", {"x.pdf": bytes(4_000_000)})
    lies.write_bytes(lies.read_bytes().replace(struct.pack("<I", 4_000_000), struct.pack("<I", 40)))
    big, dense, many, less = find(tmp_path)
    assert "more than 3000000 bytes" in big.error
    assert "more than 200 times" in dense.error
    assert "more than 3 files" in many.error
    assert less.error
    assert not list((tmp_path / "unpacked").iterdir())


def test_encrypted_zip(tmp_path):
    path = zipped(tmp_path / "x.zip", {"x.pdf": b"%PDF"})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    assert find(tmp_path)[0].error == "x.zip: the archive is encrypted; unpack it with its password"


@pytest.mark.parametrize("content", [b"", b"not found", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_broken_zip(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    found = find(tmp_path)
    assert all(p.source_file == "x.zip" and "\n" not in p.error for p in found)
    assert len(found) == (content[2:3] != b"\x05")  # an empty zip holds nothing, the others are broken


@pytest.mark.parametrize("suffix", [".xml.gz", ".nxml.gz"])
def test_compressed_xml(tmp_path, suffix):
    graphic = '<fig><graphic xlink:href="f1"/></fig>'
    write(tmp_path, {f"PMC1{suffix}": gzip.compress(ARTICLE.format(graphic).encode()), "f1.jpg": "", "f2.jpg": ""})
    (package,) = find(tmp_path)
    assert package.source_file == f"PMC1{suffix}!PMC1{suffix.removesuffix('.gz')}"
    assert list(package.files) == ["f1.jpg"]
    write(tmp_path, {f"PMC1{suffix.removesuffix('.gz')}": ARTICLE})
    assert [p.source_file for p in find(tmp_path)] == [f"PMC1{suffix.removesuffix('.gz')}"]  # it lies there unpacked


def test_compressed_xml_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1000)
    write(tmp_path, {"x.xml.gz": gzip.compress(bytes(2000))})
    assert "more than 1000 bytes" in find(tmp_path)[0].error


def test_archives_that_the_article_calls_its_supplements(tmp_path):
    inside = '<supplementary-material xlink:href="s1.zip"/>'
    write(tmp_path, {"x.xml": ARTICLE.format(inside)})
    zipped(tmp_path / "s1.zip", {"paper.pdf": b"%PDF"})
    skipped = Skipped()
    assert [p.source_file for p in find(tmp_path, skipped=skipped)] == ["x.xml"]
    assert skipped.counts == {".zip (supplements)": 1}


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
    out = [p for p in (tmp_path / "unpacked").rglob("PMC1/*") if not p.is_dir()]
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


def test_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 100_000)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
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
    found = find(tmp_path)
    assert [p.source_file for p in found] == ["x.tgz"]
    assert "x.tgz" in found[0].error
    assert "\n" not in found[0].error
