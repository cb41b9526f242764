"""Pictures of an article, by the names that its XML gives them."""

import os
from pathlib import Path

import pytest

from dataset_builder.articles import pictures
from dataset_builder.articles.pictures import bare_name, by_ending, find_pictures, names_outside, pictures_in

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
    there = {name: Path(name) for name in ("f1.gif", "f1.jpg", "f1.png", "f2.png", "pone.1.g001.tif", "a b.png")}
    assert [path.name for path in find_pictures(there, href)] == expected


def test_bare_name_of_a_windows_path():
    assert bare_name(r"images\f1.png") == "f1.png"


SAME_NAME = {
    "a/f1": ["a/f1.png"],
    "b/f1.jpg": ["b/f1.png"],
    "../B/F1.png": ["b/f1.png"],
    "https://host/x/b/f1.tif?size=1": ["b/f1.png"],
    "f1": [],  # of two folders: nobody knows which
    "c/f1": [],
    "f2": ["f2.png"],  # beside the article, whatever else has the name
    "deep/f2": ["f2.png"],
    "b/f2": ["b/f2.png"],
    "f3": ["x/y/f3.tif"],
    "y/f3": ["x/y/f3.tif"],
    "elsewhere/f3.jpg": ["x/y/f3.tif"],
}


@pytest.mark.parametrize(("href", "expected"), SAME_NAME.items())
def test_pictures_of_one_name_in_several_folders(href, expected):
    names = ("a/f1.png", "b/f1.png", "f2.png", "b/f2.png", "x/y/f3.tif")
    there = by_ending({name: Path(name) for name in names})
    assert [path.as_posix() for path in find_pictures(there, href)] == expected


def test_what_is_not_opened_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 1000)
    folder = tmp_path / "a"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"1")
    (folder / "good.png").write_bytes(b"1")
    (folder / "inside.png").symlink_to(folder / "good.png")
    (folder / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "dead.png").symlink_to(folder / "nothing.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "sparse.TIF").touch()
    os.truncate(folder / "sparse.TIF", 1001)
    found = pictures_in(folder)
    assert set(found.found) == {"good.png", "inside.png"}
    assert {name: refusal.fault for name, refusal in found.refused.items()} == {
        "circle.png": "image_unreadable",
        "dead.png": "image_unreadable",
        "out.png": "image_outside",
        "pipe.png": "image_unreadable",
        "sparse.tif": "image_too_large",
    }
    assert "leads out" in found.refused["out.png"].reason
    assert "1001 bytes, more than 1000" in found.refused["sparse.tif"].reason
    assert "pipe" in found.refused["pipe.png"].reason


OUTSIDE = {
    "../f.png": True,
    "a/../f.png": True,
    "..%2Ff.png": True,
    "/etc/f.png": True,
    "file:///etc/f.png": True,
    r"..\f.png": True,
    r"C:\f.png": True,
    "f.png": False,
    "a/f..png": False,
    "https://host/f.png": False,
    "info:doi/10.1371/pone.1.g001": False,
    "": False,
}


@pytest.mark.parametrize(("href", "outside"), OUTSIDE.items())
def test_names_outside(href, outside):
    assert names_outside(href) == outside
