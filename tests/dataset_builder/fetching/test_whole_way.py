"""Articles packed as the bucket holds them: fetch -> build -> instruct -> card; then a retraction and a removal."""

import json
import shutil
from pathlib import Path

import datasets
import pytest

import ldrt
from tests.dataset_builder.fetching.conftest import fetch, rows
from tests.pmc_server import PmcServer

N_ARTICLES = 20


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> list[dict[str, bytes]]:
    """The files of sample articles that have an XML, their figures beside it, under the bucket's names."""
    from dataset_builder.sample.corpus import write_corpus

    folder = tmp_path_factory.mktemp("packed") / "articles"
    write_corpus(folder, articles=2 * N_ARTICLES)
    packages = []
    for xml in sorted(folder.glob("jats-*/article.*xml"))[:N_ARTICLES]:
        pictures = {path.name: path.read_bytes() for path in xml.parent.iterdir() if path.name.startswith("fig")}
        packages.append({"article.xml": xml.read_bytes(), **pictures})
    assert len(packages) == N_ARTICLES
    return packages


def put(server: PmcServer, number: int, files: dict[str, bytes], **said: object) -> None:
    name = f"PMC{number}.1.xml"
    server.add(
        f"PMC{number}",
        1,
        {name: files["article.xml"], **{k: v for k, v in files.items() if k != "article.xml"}},
        **said,
    )


def run(*words: object) -> int:
    return ldrt.main([str(word) for word in words])


def test_from_the_bucket_to_the_card_and_back(packed, domain, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    domain.write_text("name: test\ntitle: dose maps\neuropepmc: x\ntags: [dose map]\n")
    articles, dataset = tmp_path / "articles", tmp_path / "dataset"
    build = ("build", articles, "--output", dataset, "--domain", domain, "--workers", 1)
    with PmcServer() as server:
        for i, files in enumerate(packed, 1):
            put(server, i, files)
        assert fetch(server, "--domain", domain, "--output", articles) == 0
        assert run(*build) == 0
        assert run("instruct", dataset, "--domain", domain) == 0
        before = figure_ids(dataset)
        assert len(before) >= N_ARTICLES
        card = (dataset / "README.md").read_text(encoding="utf-8")
        assert "- dose map" in card
        assert "National Library of Medicine" in card
        assert "not_found" not in card
        assert "Domain: dose maps." in card
        assert f"{N_ARTICLES} articles from PMC" in card
        skipped = dataset / "provenance" / "skipped.jsonl"
        assert not rows(skipped)

        articles_of = {row["article_id"]: row["source_file"] for row in read_pairs(dataset)}
        gone = {article for article, file in articles_of.items() if file.split("/")[0] in ("PMC1", "PMC2")}
        put(server, 1, packed[0], is_retracted=True)
        server.remove("PMC2")
        assert fetch(server, "--refresh", articles) == 0
        assert run(*build) == 0

    after = figure_ids(dataset)
    assert after == {figure for figure in before if figure.rpartition("/")[0] not in gone}
    changelog = rows(dataset / "provenance" / "changelog.jsonl")
    assert {row["figure_id"] for row in changelog} == before - after
    assert {row["reason"] for row in changelog} == {"retracted", "removed"}
    card = (dataset / "README.md").read_text(encoding="utf-8")
    assert f"{N_ARTICLES - 2} articles from PMC" in card
    assert all(row["figure_id"] in card for row in changelog)
    capsys.readouterr()
    assert run(*build) == 0
    assert "rows gone" not in capsys.readouterr().out
    assert rows(dataset / "provenance" / "changelog.jsonl") == changelog


def test_what_the_archive_says_where_the_article_is_silent(packed, domain, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    articles, dataset = tmp_path / "articles", tmp_path / "dataset"
    said = ("CC BY-NC", "TDM", "CC BY", None)
    with PmcServer() as server:
        for i, (files, code) in enumerate(zip(packed, said, strict=False), 1):
            put(server, i, without_license(files) if code != "CC BY" else files, license_code=code)
        fetch(server, "--domain", domain, "--output", articles)
    assert run("build", articles, "--output", dataset, "--workers", 1, "--test_size", 0, "--validation_size", 0) == 0
    licenses = {row["source_file"].split("/")[0]: (row["license"], row["rights"]) for row in read_pairs(dataset)}
    assert licenses["PMC1"] == ("CC-BY-NC", None)
    assert licenses["PMC2"] == (None, "author manuscript, for text and data mining only (PMC)")
    assert licenses["PMC3"][0].startswith("CC")
    assert licenses["PMC4"] == (None, None)


def without_license(files: dict[str, bytes]) -> dict[str, bytes]:
    head, start, rest = files["article.xml"].partition(b"<permissions>")
    _, _, tail = rest.partition(b"</permissions>")
    assert start
    return {**files, "article.xml": head + tail}


def read_pairs(dataset: Path) -> list[dict]:
    files = [str(path) for path in sorted((dataset / "pairs").glob("*.parquet"))]
    found = datasets.load_dataset("parquet", data_files=files, split="train").remove_columns("image")
    return [dict(row) for row in found]


def figure_ids(dataset: Path) -> set[str]:
    return {row["figure_id"] for row in read_pairs(dataset)}


def test_an_article_json_of_other_files_does_not_count(packed, domain, tmp_path):
    """A user's own article.json, or one beside another article, is neither an article nor a licence."""
    from dataset_builder.articles.packages import find_packages
    from dataset_builder.assembly.archive import archive_says

    articles = tmp_path / "articles"
    with PmcServer() as server:
        put(server, 1, packed[0])
        fetch(server, "--domain", domain, "--output", articles)
    package = next(iter(find_packages(articles, tmp_path / "unpacked")))
    assert archive_says(package) is not None
    assert package.xml is not None
    shutil.move(package.xml, package.xml.with_name("other.xml"))
    package = next(iter(find_packages(articles, tmp_path / "unpacked")))
    assert archive_says(package) is None
    (articles / "PMC1" / "article.json").write_text(json.dumps({"title": "mine"}))
    assert archive_says(package) is None


def test_licences_that_disagree_are_counted(packed, domain, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    articles, dataset = tmp_path / "articles", tmp_path / "dataset"
    with PmcServer() as server:
        for i, files in enumerate(packed[:4], 1):
            put(server, i, files, license_code="CC BY-NC-ND" if i == 1 else None)
        fetch(server, "--domain", domain, "--output", articles)
    assert run("build", articles, "--output", dataset, "--workers", 1, "--test_size", 0, "--validation_size", 0) == 0
    assert "licences             1  (articles whose archive says another" in capsys.readouterr().out
    assert "1 of the articles read state another licence" in (dataset / "README.md").read_text(encoding="utf-8")
