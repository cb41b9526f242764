"""A server with a few articles, and `ldrt fetch` against it."""

import json
from pathlib import Path

import pytest

import ldrt
from tests.pmc_server import PmcServer

XML = (
    b'<article xmlns:xlink="http://www.w3.org/1999/xlink"><front/><body><fig><label>Figure 1</label>'
    b'<graphic xlink:href="fig1"/></fig></body><back><supplementary-material><graphic xlink:href="extra.png"/>'
    b"</supplementary-material></back></article>"
)


def article(pmcid: str, version: int = 1, mark: bytes = b"") -> dict[str, bytes]:
    """The files of an article version: XML, PDF, a figure, a thumbnail, supplements."""
    folder = f"{pmcid}.{version}"
    return {
        f"{folder}.xml": XML + b"<!-- " + folder.encode() + mark + b" -->",
        f"{folder}.pdf": b"%PDF " + folder.encode() * 50,
        f"{folder}.txt": b"the text once more",
        "fig1.jpg": b"picture of " + folder.encode(),
        "fig1.gif": b"thumbnail",
        "extra.png": b"supplementary picture",
        "table.xlsx": b"supplement",
    }


@pytest.fixture
def server():
    with PmcServer() as running:
        for i in (1, 2, 10):
            running.add(f"PMC{i}", 1, article(f"PMC{i}"))
        yield running


@pytest.fixture
def domain(tmp_path) -> Path:
    path = tmp_path / "domain.yaml"
    path.write_text("name: test\ntitle: tests\neuropepmc: radiation\nesearch: radiation\n", encoding="utf-8")
    return path


def fetch(server: PmcServer, *words: object) -> int:
    """The exit status of `ldrt fetch`, with waits made for tests."""
    return ldrt.main(["fetch", *map(str, words), *server.options()])


def names(folder: Path) -> list[str]:
    """The names in a folder, without those that start with a dot."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the articles' folders, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("PMC*/*"))
        if path.name != "article.json"
    }


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
