"""`ldrt fetch --refresh`: what has changed since, by the inventory or article by article."""

import json

import pytest

from tests.dataset_builder.fetching.conftest import article, fetch, names, rows
from tests.pmc_server import Fault


@pytest.fixture
def articles(server, domain, tmp_path):
    """A fetched folder, and an inventory of the same day."""
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    server.make_inventory("2026-11-25T01-00Z")
    return tmp_path / "articles"


def sidecar(articles, pmcid: str) -> dict:
    return json.loads((articles / pmcid / "article.json").read_text())


def changes(articles) -> list[tuple[str, str]]:
    return [(row["pmcid"], row["change"]) for row in rows(articles / "changes.jsonl")]


def change_things(server) -> None:
    server.add("PMC1", 1, article("PMC1"), is_retracted=True, license_code="CC BY-NC")
    server.add("PMC2", 2, article("PMC2", 2))
    server.remove("PMC10")


EXPECTED = [("PMC1", "license"), ("PMC1", "retracted"), ("PMC2", "new_version"), ("PMC10", "removed")]


def test_nothing_has_changed_costs_three_requests(server, articles, capsys):
    server.seen.clear()
    assert fetch(server, "--refresh", articles) == 0
    assert "nothing has changed" in capsys.readouterr().out
    assert len(server.seen) == 3  # the inventory's folder, manifest and file


@pytest.mark.parametrize("inventory", [True, False])
def test_changes_are_noted_and_taken_over(server, articles, inventory):
    change_things(server)
    if inventory:
        server.make_inventory("2026-11-26T01-00Z")
    else:
        server.faults.append(Fault("inventory-reports", 99, status=404))
    assert fetch(server, "--refresh", articles) == 0
    assert changes(articles) == EXPECTED
    retracted = sidecar(articles, "PMC1")
    assert (retracted["is_retracted"], retracted["license"]) == (True, "CC-BY-NC")
    assert "PMC2.2.xml" in names(articles / "PMC2")
    assert sidecar(articles, "PMC10")["is_removed"]
    assert [row["pmcid"] for row in rows(articles / "articles.jsonl")] == ["PMC1", "PMC2", "PMC10"]


def test_a_second_refresh_finds_nothing_new(server, articles):
    change_things(server)
    server.make_inventory("2026-11-26T01-00Z")
    fetch(server, "--refresh", articles)
    fetch(server, "--refresh", articles)
    assert changes(articles) == EXPECTED


def test_a_removed_article_may_come_back(server, articles):
    server.remove("PMC10")
    server.make_inventory("2026-11-26T01-00Z")
    fetch(server, "--refresh", articles)
    server.add("PMC10", 1, article("PMC10"))
    server.make_inventory("2026-11-27T01-00Z")
    fetch(server, "--refresh", articles)
    assert changes(articles) == [("PMC10", "removed"), ("PMC10", "restored")]
    assert not sidecar(articles, "PMC10")["is_removed"]


def test_a_dry_refresh_changes_nothing(server, articles, capsys):
    change_things(server)
    server.make_inventory("2026-11-26T01-00Z")
    before = {path: path.read_bytes() for path in articles.rglob("*") if path.is_file()}
    assert fetch(server, "--refresh", articles, "--dry_run", "true") == 0
    assert "PMC10: removed" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in articles.rglob("*") if path.is_file()} == before


def test_other_bytes_under_the_same_version(server, articles):
    server.add("PMC1", 1, article("PMC1", mark=b" corrected"))
    server.make_inventory("2026-11-26T01-00Z")
    fetch(server, "--refresh", articles)
    assert changes(articles) == [("PMC1", "new_files")]
    assert b"corrected" in (articles / "PMC1" / "PMC1.1.xml").read_bytes()


@pytest.mark.parametrize("body", [b"no gzip", b"{}", b'{"files": 3}', b'{"files": [], "fileSchema": "Bucket"}'])
def test_a_broken_inventory_means_asking_for_each(server, articles, body, capsys):
    change_things(server)
    server.faults.append(Fault("manifest.json|csv.gz", 99, body=body))
    assert fetch(server, "--refresh", articles) == 0
    assert changes(articles) == EXPECTED
    assert "there is no inventory" in capsys.readouterr().out


def test_an_article_that_cannot_be_asked_for_is_said_and_stays(server, articles, capsys):
    change_things(server)
    server.make_inventory("2026-11-26T01-00Z")
    server.faults.append(Fault(r"prefix=PMC1\.", 99, status=500))
    fetch(server, "--refresh", articles, "--tries", "2")
    assert "1 could not be asked for" in capsys.readouterr().out
    assert changes(articles) == EXPECTED[2:]
    assert (articles / "PMC1" / "PMC1.1.xml").exists()
