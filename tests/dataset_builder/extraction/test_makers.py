"""A record's key knows its makers: any changed byte of the code that reads, and any other library, changes it."""

import shutil

import pytest

from dataset_builder.extraction import makers


@pytest.fixture
def project(tmp_path):
    """A copy of the rooms that make records."""
    for room in makers.ROOMS:
        shutil.copytree(makers.PROJECT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_copy_has_the_same_digest(project):
    assert makers.makers_digest(project) == makers.makers_digest()


def test_a_changed_byte_in_any_file_changes_the_digest(project):
    files = [path for path in project.rglob("*") if path.is_file()]
    names = {path.relative_to(project).as_posix() for path in files}
    of_builder = ("readers/pdf/reader.py", "readers/article.py", "articles/packages.py", "extraction/records.py")
    assert {"trust/pictures/opener.py", *(f"dataset_builder/{path}" for path in of_builder)} <= names
    assert "trust/licenses.py" in names
    before = makers.makers_digest(project)
    digests = set()
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        digests.add(makers.makers_digest(project))
        path.write_bytes(content)
    assert len(digests) == len(files)
    assert before not in digests
    assert makers.makers_digest(project) == before


def test_a_renamed_file_changes_the_digest(project):
    before = makers.makers_digest(project)
    (project / "dataset_builder" / "text" / "notices.py").rename(project / "dataset_builder" / "text" / "other.py")
    assert makers.makers_digest(project) != before


@pytest.mark.parametrize("library", makers.LIBRARIES)
def test_another_version_of_a_library_changes_the_digest(monkeypatch, library):
    before, version = makers.makers_digest(), makers._version
    monkeypatch.setattr(makers, "_version", lambda name: "0.0.1" if name == library else version(name))
    assert makers.makers_digest() != before


def test_compiled_files_do_not_count(project):
    before = makers.makers_digest(project)
    (project / "dataset_builder" / "text" / "__pycache__").mkdir()
    (project / "dataset_builder" / "text" / "__pycache__" / "notices.pyc").write_bytes(b"\0")
    assert makers.makers_digest(project) == before
