"""`ldrt fetch --refresh`: what has changed since, by the inventory or article by article."""

import contextlib
import gzip
import importlib
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


# ---- nothing of a refresh is lost


def test_a_fetch_after_a_refresh_keeps_it(server, articles, domain):
    change_things(server)
    server.make_inventory("2026-11-26T01-00Z")
    fetch(server, "--refresh", articles)
    before = {path: path.read_bytes() for path in articles.rglob("*") if path.is_file() and ".fetch" not in path.parts}
    assert fetch(server, "--domain", domain, "--output", articles) == 0
    assert {path: path.read_bytes() for path in before} == before
    assert fetch(server, "--refresh", articles) == 0
    assert changes(articles) == EXPECTED
    listed = rows(articles / ".fetch" / "listed.jsonl")
    assert len(listed) == len({row["pmcid"] for row in listed}) == 3


def test_a_refresh_keeps_what_has_not_come_yet(server, domain, tmp_path):
    output = tmp_path / "articles"
    server.faults.append(Fault(r"PMC2\.1\.pdf", 99, status=403))
    fetch(server, "--domain", domain, "--output", output)
    (failed,) = rows(output / "failed.jsonl")
    server.make_inventory()
    assert fetch(server, "--refresh", output) == 0
    assert rows(output / "failed.jsonl") == [failed]
    assert [row["pmcid"] for row in rows(output / "articles.jsonl")] == ["PMC1", "PMC2", "PMC10"]
    server.faults.clear()
    fetch(server, "--domain", domain, "--output", output)
    assert (output / "PMC2").is_dir()


def test_an_article_whose_files_have_changed_since_it_failed_comes(server, domain, tmp_path):
    output = tmp_path / "articles"
    server.faults.append(Fault(r"PMC2\.1\.pdf", 99, status=403))
    fetch(server, "--domain", domain, "--output", output)
    server.faults.clear()
    server.remove("PMC2")
    server.add("PMC2", 3, article("PMC2", 3))
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert not rows(output / "failed.jsonl")
    assert "PMC2.3.xml" in names(output / "PMC2")


POINTS = (
    "refresh.append_jsonl",
    "refresh.write_json",
    "download.write_json",
    "download.put_folder",
    "refresh.take_over_news",
    "refresh.write_jsonl",
)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("point", POINTS)
def test_a_refresh_that_is_killed_loses_nothing_and_notes_nothing_twice(
    server, articles, monkeypatch, point, nth, before
):
    """Killed around its nth write of each kind; run again, it is as if it had not been."""
    change_things(server)
    server.make_inventory("2026-11-26T01-00Z")
    room, name = point.split(".")
    module = importlib.import_module(f"dataset_builder.fetching.{room}")
    right, calls = getattr(module, name), []

    def killed(*args):
        calls.append(args)
        if len(calls) == nth and before:
            raise KeyboardInterrupt
        right(*args)
        if len(calls) == nth:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            fetch(server, "--refresh", articles, "--concurrency", "1")
    assert fetch(server, "--refresh", articles) == 0
    assert sorted(changes(articles)) == sorted(EXPECTED)
    assert (sidecar(articles, "PMC1")["is_retracted"], sidecar(articles, "PMC1")["license"]) == (True, "CC-BY-NC")
    assert "PMC2.2.xml" in names(articles / "PMC2")
    assert sidecar(articles, "PMC10")["is_removed"]
    assert [row["version"] for row in rows(articles / "articles.jsonl")] == [1, 2, 1]
    n_asked = len(server.seen)
    assert fetch(server, "--refresh", articles) == 0
    assert len([path for _, path, _ in server.seen[n_asked:] if "inventory" not in path and "PMC10" not in path]) <= 1


def test_a_retraction_counts_though_the_new_files_do_not_come(server, articles):
    server.add("PMC1", 2, article("PMC1", 2), is_retracted=True)
    server.make_inventory("2026-11-26T01-00Z")
    server.faults.append(Fault(r"PMC1\.2\.pdf", 99, status=403))
    assert fetch(server, "--refresh", articles) == 0
    assert sidecar(articles, "PMC1")["is_retracted"]
    assert [row["id"] for row in rows(articles / "failed.jsonl")] == ["PMC1"]
    server.faults.clear()
    fetch(server, "--refresh", articles)
    assert "PMC1.2.xml" in names(articles / "PMC1")
    assert changes(articles) == [("PMC1", "new_version"), ("PMC1", "retracted")]


def test_a_retraction_that_is_taken_back(server, articles):
    for day, said in (("26", True), ("27", None), ("28", False), ("29", "Retracted")):
        server.add("PMC1", 1, article("PMC1"), is_retracted=said)
        server.make_inventory(f"2026-11-{day}T01-00Z")
        fetch(server, "--refresh", articles)
        assert sidecar(articles, "PMC1")["is_retracted"] == (said is not False)
    assert [name for _, name in changes(articles)] == ["retracted", "retraction_withdrawn", "retracted"]


@pytest.mark.parametrize(
    ("said", "is_retracted"),
    [("Retracted", True), ("partially retracted", True), ("TRUE", True), (1, True)]
    + [("not retracted", False), ("false", False), (0, False), ("", False), (None, False), ("unretracted", False)],
)
def test_words_for_a_retraction(server, articles, said, is_retracted):
    server.add("PMC1", 1, article("PMC1"), is_retracted=said)
    server.make_inventory("2026-11-26T01-00Z")
    fetch(server, "--refresh", articles)
    assert bool(sidecar(articles, "PMC1")["is_retracted"]) == is_retracted


def test_a_collection_that_was_fetched_by_a_list(server, articles, tmp_path):
    copy = tmp_path / "copy"
    fetch(server, "--list", articles / "articles.jsonl", "--output", copy)
    change_things(server)
    server.make_inventory("2026-11-26T01-00Z")
    fetch(server, "--refresh", copy)
    fetch(server, "--refresh", copy)
    assert changes(copy) == EXPECTED
    assert [row["version"] for row in rows(copy / "articles.jsonl")] == [1, 2, 1]


# ---- what is gone, and what only seems so

EMPTY = b"<ListBucketResult/>"


@pytest.mark.parametrize("inventory", [True, False])
def test_a_bucket_that_lists_nothing_removes_nothing(server, articles, inventory, capsys):
    if inventory:
        server.make_inventory("2026-11-26T01-00Z")
        for pmcid in ("PMC1", "PMC2"):
            server.add(pmcid, 1, article(pmcid), license_code="CC0")
        server.make_inventory("2026-11-27T01-00Z")
    server.faults.append(Fault(r"list-type=2&prefix=PMC", 99, body=EMPTY))
    if not inventory:
        server.faults.append(Fault("inventory", 99, status=404))
    server.faults.append(Fault(r"PMC\d+\.1\.json", 99, status=404))
    assert fetch(server, "--refresh", articles) == 1
    err = capsys.readouterr().err
    assert "none was marked as removed" in err
    assert not any(sidecar(articles, pmcid)["is_removed"] for pmcid in ("PMC1", "PMC2", "PMC10"))
    assert len(rows(articles / "articles.jsonl")) == 3


def test_an_empty_listing_of_an_article_with_metadata_is_no_removal(server, articles):
    server.faults += [Fault("inventory", 99, status=404), Fault(r"prefix=PMC2\.", 99, body=EMPTY)]
    assert fetch(server, "--refresh", articles) == 0
    assert not sidecar(articles, "PMC2")["is_removed"]
    (failed,) = rows(articles / "failed.jsonl")
    assert "yet has its metadata" in failed["reason"]


@pytest.mark.parametrize("status", [403, 500])
def test_metadata_that_nobody_may_see_are_no_removal(server, articles, status):
    server.faults += [Fault("inventory", 99, status=404), Fault(r"prefix=PMC2\.", 99, body=EMPTY)]
    server.faults.append(Fault(r"PMC2\.1\.json", 99, status=status))
    assert fetch(server, "--refresh", articles, "--tries", "1") == 0
    assert not sidecar(articles, "PMC2")["is_removed"]


def test_most_of_a_collection_does_not_go_at_once(server, articles, capsys):
    for pmcid in ("PMC1", "PMC2"):
        server.remove(pmcid)
    server.make_inventory("2026-11-26T01-00Z")
    assert fetch(server, "--refresh", articles) == 1
    assert "2 of 3 articles seem to be removed" in capsys.readouterr().err
    assert not any(sidecar(articles, pmcid)["is_removed"] for pmcid in ("PMC1", "PMC2"))


# ---- inventories

LONG = "9" * 5_000


def zipped(*lines: str) -> bytes:
    return gzip.compress("".join(lines).encode())


@pytest.mark.parametrize(
    "body",
    [
        zipped("b,metadata/PMC1.1.json,d,e\n")[:-20],
        zipped("b,metadata/PMC1.1.json,d,e\n")[:12] + b"\xff" * 40,
        zipped("x" * 200_000),
        zipped('b,"' + "x" * 200_000 + '",d,e\n'),
        zipped("b,\ud7ff\n").replace(b"x", b"y")[:-8] + b"\x00" * 8,
    ],
    ids=range(5),
)
def test_a_table_that_cannot_be_read_means_asking_for_each(server, articles, body, capsys):
    change_things(server)
    server.faults.append(Fault("csv.gz", 99, body=body))
    assert fetch(server, "--refresh", articles) == 0
    assert changes(articles) == EXPECTED
    assert "there is no inventory" in capsys.readouterr().out


def test_rows_of_a_table_that_name_no_version_are_passed_over(server, articles, capsys):
    line = f"pmc-oa-opendata,metadata/PMC1.{LONG}.json,d,e\n"
    key = next(key for key in server.objects if key.endswith("25T01-00Z.csv.gz"))
    server.objects[key] = zipped(line, gzip.decompress(server.objects[key]).decode())
    assert fetch(server, "--refresh", articles) == 0
    assert "nothing has changed" in capsys.readouterr().out


def test_an_inventory_that_is_not_finished_gives_way_to_the_day_before(server, articles, capsys):
    server.objects["inventory-reports/pmc-oa-opendata/metadata/2026-11-26T01-00Z/manifest.checksum"] = b"x"
    assert fetch(server, "--refresh", articles) == 0
    assert "inventory of 2026-11-25" in capsys.readouterr().out


def test_an_article_of_a_later_ldrt_stands_for_itself_alone(server, articles):
    path = articles / "PMC2" / "article.json"
    path.write_text(json.dumps(sidecar(articles, "PMC2") | {"format": 2}))
    change_things(server)
    server.make_inventory("2026-11-26T01-00Z")
    assert fetch(server, "--refresh", articles) == 0
    assert changes(articles) == [each for each in EXPECTED if each[0] != "PMC2"]
    assert [row["id"] for row in rows(articles / "failed.jsonl")] == ["PMC2"]
