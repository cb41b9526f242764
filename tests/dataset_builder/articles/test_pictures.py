"""Pictures of an article, by the names that its XML gives them."""

from pathlib import Path

import pytest

from dataset_builder.articles.pictures import bare_name, find_pictures

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
