"""Archives: what comes out of them, and what hostile ones do not get."""

import gzip
import io
import os
import tarfile

import pytest

from dataset_builder.articles import archives
from dataset_builder.articles.archives import unpack
from tests.dataset_builder.articles.folders import MEMBERS, archive, find, write


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
