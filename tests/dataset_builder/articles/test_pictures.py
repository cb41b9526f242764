"""Pictures of an article, by the names that its XML gives them."""

from pathlib import Path

import pytest

from dataset_builder.articles.pictures import bare_name, by_ending, find_pictures

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
    pictures = by_ending({name: Path(name) for name in names})
    assert [path.as_posix() for path in find_pictures(pictures, href)] == expected
