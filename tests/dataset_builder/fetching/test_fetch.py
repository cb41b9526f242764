"""`ldrt fetch` over real HTTP: what comes, where it lies, what a second run costs, what is refused."""

import json
import shutil

import filelock
import pytest

from tests.dataset_builder.fetching.conftest import article, contents, fetch, names, rows
from tests.pmc_server import Fault, PmcServer


def test_an_article_has_its_xml_pdf_and_figures(server, domain, tmp_path, capsys):
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert names(output) == ["PMC1", "PMC10", "PMC2", "articles.jsonl", "failed.jsonl"]
    assert names(output / "PMC1") == ["PMC1.1.pdf", "PMC1.1.xml", "article.json", "fig1.jpg"]
    assert [row["pmcid"] for row in rows(output / "articles.jsonl")] == ["PMC1", "PMC2", "PMC10"]
    sidecar = json.loads((output / "PMC1" / "article.json").read_text())
    assert (sidecar["license_code"], sidecar["license"], sidecar["version"]) == ("CC BY", "CC-BY", 1)
    assert not rows(output / "failed.jsonl")
    assert "3 articles fetched" in capsys.readouterr().out


def test_a_second_run_asks_nobody(server, domain, tmp_path):
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    asked = len(server.seen)
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert len(server.seen) == asked


def test_a_dry_run_lists_and_counts_and_fetches_nothing(server, domain, tmp_path, capsys):
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output, "--dry_run", "true") == 0
    said = capsys.readouterr().out
    for line in ("3 articles", "year: 2020 3", "language: eng 3", "licence: CC-BY 3"):
        assert line in said
    assert names(output) == ["articles.jsonl", "failed.jsonl"]


def test_a_pinned_list_gives_the_same_bytes(server, domain, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    fetch(server, "--domain", domain, "--output", first)
    server.add("PMC1", 2, article("PMC1", 2))
    assert fetch(server, "--list", first / "articles.jsonl", "--output", second) == 0
    assert contents(second) == contents(first)
    assert (second / "articles.jsonl").read_bytes() == (first / "articles.jsonl").read_bytes()


def test_a_list_whose_file_has_changed_fails_for_that_article(server, domain, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    fetch(server, "--domain", domain, "--output", first)
    server.objects["PMC2.1/fig1.jpg"] = b"another picture"
    assert fetch(server, "--list", first / "articles.jsonl", "--output", second) == 0
    (failed,) = rows(second / "failed.jsonl")
    assert failed["id"] == "PMC2"
    assert "md5" in failed["reason"]
    assert not (second / "PMC2").exists()


def test_the_newest_version_by_number_is_taken(server, domain, tmp_path):
    for version in (9, 10):
        server.add("PMC2", version, article("PMC2", version))
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert "PMC2.10.xml" in names(tmp_path / "articles" / "PMC2")
    row = rows(tmp_path / "articles" / "articles.jsonl")[1]
    assert (row["version"], row["older_versions"]) == (10, [1, 9])


def test_another_articles_prefix_is_not_taken(server, domain, tmp_path):
    fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--limit", "1")
    assert names(tmp_path / "articles" / "PMC1")[0] == "PMC1.1.pdf"  # not of PMC10


def test_supplements_come_on_request(server, domain, tmp_path):
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    fetch(server, "--domain", domain, "--output", output, "--supplements", "true")
    assert {"extra.png", "table.xlsx"} <= set(names(output / "PMC1"))
    assert "PMC1.1.txt" not in names(output / "PMC1")


def test_without_the_bucket_there_is_the_text_alone(server, domain, tmp_path, capsys):
    server.articles["PMC77"] = dict(server.articles["PMC1"])
    server.fulltexts["PMC77"] = article("PMC77")["PMC77.1.xml"]
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert names(tmp_path / "articles" / "PMC77") == ["PMC77.xml", "article.json"]
    assert "1 not in the bucket: Europe PMC's text without pictures" in capsys.readouterr().out


def test_licences_that_a_domain_wants(server, domain, tmp_path):
    server.add("PMC2", 1, article("PMC2"), license_code="CC BY-NC")
    server.add("PMC10", 1, article("PMC10"), license_code=None)
    domain.write_text(domain.read_text() + "licenses: [CC-BY]\n")
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert names(tmp_path / "articles")[0] == "PMC1"
    assert len(rows(tmp_path / "articles" / "articles.jsonl")) == 1


def test_manuscripts_for_text_mining_are_marked(server, domain, tmp_path):
    server.add("PMC2", 1, article("PMC2"), license_code="TDM", is_manuscript=True)
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    sidecar = json.loads((tmp_path / "articles" / "PMC2" / "article.json").read_text())
    assert (sidecar["license"], sidecar["may_redistribute"]) == (None, False)


@pytest.mark.parametrize(
    "said",
    [
        {"version": "1", "pmid": 123},
        {"version": 1, "pmid": None, "media_urls": None},
        {"media_urls": [], "pdf_url": None, "license_code": None},
        {"media_urls": "s3://pmc-oa-opendata/PMC2.1/fig1.jpg", "is_retracted": "true", "pmid": "null"},
        {"media_urls": ["https://elsewhere.example/PMC2.1/fig1.jpg?md5=zz", 7], "title": 5, "doi": ["x"]},
    ],
)
def test_metadata_whose_types_vary(server, domain, tmp_path, said):
    server.add("PMC2", 1, article("PMC2"), **said)
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 0
    assert names(tmp_path / "articles" / "PMC2") == ["PMC2.1.pdf", "PMC2.1.xml", "article.json", "fig1.jpg"]


def test_file_names_stay_in_the_folder(server, domain, tmp_path):
    files = article("PMC2")
    xml = files["PMC2.1.xml"].replace(b'href="fig1"', b'href="../../evil.jpg"')
    server.add("PMC2", 1, {**files, "PMC2.1.xml": xml})
    server.objects |= {"PMC2.1/../../evil.jpg": b"x", "PMC2.1/sub/evil.jpg": b"x", "PMC2.1/..": b"x"}
    fetch(server, "--domain", domain, "--output", tmp_path / "a" / "articles")
    assert not list(tmp_path.rglob("evil*"))
    hostile = rows(tmp_path / "a" / "articles" / "articles.jsonl")
    hostile[1]["files"][0]["name"] = "../../evil.xml"
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in hostile))
    assert fetch(server, "--list", tmp_path / "list.jsonl", "--output", tmp_path / "b") == 1
    assert not list(tmp_path.rglob("evil*"))


def test_more_than_a_page_of_keys(server, domain, tmp_path):
    files = article("PMC2") | {f"s{i:04}.csv": b"" for i in range(1_001)}
    server.add("PMC2", 1, files)
    server.objects["PMC2.1/zz.jpg"] = b"last"
    fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--dry_run", "true")
    row = rows(tmp_path / "articles" / "articles.jsonl")[1]
    assert len(row["files"]) == len(files) + 1


def test_another_search_in_the_same_folder_is_refused(server, domain, tmp_path, capsys):
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    domain.write_text(domain.read_text().replace("europepmc: radiation", "europepmc: retina"))
    assert fetch(server, "--domain", domain, "--output", output) == 1
    assert "--search_again" in capsys.readouterr().err
    assert fetch(server, "--domain", domain, "--output", output, "--search_again", "true") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give one of --domain, --ids, --list, --zotero and --refresh"),
        (["--ids", "a", "--list", "a"], "give one of"),
        (["--ids", "nowhere.txt", "--output", "x"], "nowhere.txt"),
        (["--domain", "nowhere.yaml", "--output", "x"], "no file 'nowhere.yaml'; --domain: YAML file"),
        (["--list", "nowhere.jsonl", "--output", "x"], "no file 'nowhere.jsonl'; --list: articles.jsonl"),
        (["--zotero", "nowhere.bib", "--output", "x"], "no file 'nowhere.bib'; --zotero: Zotero export"),
        (["--zotero", "a", "--output", "x"], "a: no entry of BibTeX or CSL JSON in it"),
        (["--refresh", "nowhere"], "no folder 'nowhere'; --refresh: folder of an earlier fetch"),
        (["--ids", "a", "--output", "x", "--rate", "0"], "--rate '0': give a number, above 0"),
        (["--ids", "a", "--output", "x", "--limit=-2"], "--limit '-2': give a whole number, at least 0"),
        (["--ids", "a", "--output", "x", "--contact", "nonsense"], "--contact 'nonsense'"),
        (["--ids", "a", "--output", "x", "--contact", "me@x.org\r\nX: y"], "--contact"),
    ],
)
def test_wrong_usage_is_one_line(server, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("PMC1\n")
    given = words if "--contact" in words else [*words, "--contact", "https://example.org/me"]
    assert fetch(PmcServerOptions(server), *given) != 0
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


class PmcServerOptions:
    """The options of a server, with those that the test gives itself left out."""

    def __init__(self, server: PmcServer):
        self._server = server

    def options(self) -> list[str]:
        return [word for word in self._server.options() if not word.startswith(("--rate", "--contact"))]


def test_nothing_found_is_said(server, domain, tmp_path, capsys):
    server.articles.clear()
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 1
    assert "nothing found by" in capsys.readouterr().err


def test_the_contact_is_asked_for_and_sent(server, domain, tmp_path):
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert all("test@example.org" in headers["User-Agent"] for _, _, headers in server.seen)


def test_a_damaged_folder_is_fetched_anew(server, domain, tmp_path):
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    whole = contents(output)
    (output / "PMC1" / "article.json").write_text("{")
    shutil.rmtree(output / "PMC2")
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert contents(output) == whole


def test_one_article_that_fails_is_tried_again_next_time(server, domain, tmp_path):
    output = tmp_path / "articles"
    server.faults.append(Fault(r"PMC2\.1\.pdf", status=403))
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert [row["id"] for row in rows(output / "failed.jsonl")] == ["PMC2"]
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert not rows(output / "failed.jsonl")
    assert (output / "PMC2").is_dir()


# ---- lists that somebody has


@pytest.fixture
def pinned(server, domain, tmp_path):
    """A list of PMC1, PMC2 and PMC10, as lines."""
    fetch(server, "--domain", domain, "--output", tmp_path / "first", "--dry_run", "true")
    return (tmp_path / "first" / "articles.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "written",
    ["\n".join, lambda lines: "\ufeff" + "\r\n".join(lines), lambda lines: "\n\n".join(lines) + "\n \n"],
    ids=["no final newline", "Windows", "blank lines"],
)
def test_a_list_as_editors_save_it(server, pinned, tmp_path, written):
    (tmp_path / "list.jsonl").write_text(written(pinned), encoding="utf-8")
    assert fetch(server, "--list", tmp_path / "list.jsonl", "--output", tmp_path / "articles") == 0
    assert names(tmp_path / "articles")[:3] == ["PMC1", "PMC10", "PMC2"]
    assert (tmp_path / "articles" / "articles.jsonl").read_text().splitlines() == pinned


@pytest.mark.parametrize(
    "change",
    [
        {"files": None},
        {"files": ["a"]},
        {"files": [{"name": "a.xml"}]},
        {"files": [{"name": "a.xml", "bytes": "5", "md5": None}]},
        {"files": [{"name": "article.json", "bytes": 5, "md5": None}]},
        {"files": [{"name": "a\\b.xml", "bytes": 5, "md5": None}]},
        {"files": [{"name": "a\x00.xml", "bytes": 5, "md5": None}]},
        {"pmcid": 2},
        {"pmcid": "PMC2/../../x"},
        {"version": "1"},
        {"version": None},
        {"version": 10**9},
        {"version": True},
        {"source": "elsewhere"},
        {"older_versions": "1"},
        {"title": ["x"]},
        {"query": None},
        {"pmcid": "PMC1"},
    ],
    ids=str,
)
def test_a_row_that_is_none_is_said_with_its_line(server, pinned, tmp_path, capsys, change):
    capsys.readouterr()
    pinned[1] = json.dumps(json.loads(pinned[1]) | change)
    (tmp_path / "list.jsonl").write_text("\n".join(pinned) + "\n")
    assert fetch(server, "--list", tmp_path / "list.jsonl", "--output", tmp_path / "articles") == 1
    err = capsys.readouterr().err
    assert "list.jsonl, line 2" in err
    assert err.count("\n") == 1
    assert not list((tmp_path / "articles").glob("PMC*"))


@pytest.mark.parametrize(
    "line", ["{", "[" * 100_000, "7", '{"pmcid": "PMC1"}', '{"a": ' + "9" * 5_000 + "}", '"\\ud800"']
)
def test_a_line_that_is_no_row_is_said(server, pinned, tmp_path, capsys, line):
    capsys.readouterr()
    (tmp_path / "list.jsonl").write_text(f"{pinned[0]}\n{line}\n")
    assert fetch(server, "--list", tmp_path / "list.jsonl", "--output", tmp_path / "articles") == 1
    err = capsys.readouterr().err
    assert "list.jsonl, line 2" in err
    assert err.count("\n") == 1


def test_an_empty_list_is_said(server, tmp_path, capsys):
    (tmp_path / "list.jsonl").write_text("\n")
    assert fetch(server, "--list", tmp_path / "list.jsonl", "--output", tmp_path / "articles") == 1
    assert "lists no article" in capsys.readouterr().err


# ---- two at once, what is said


def test_two_fetches_in_one_folder_do_not_meet(server, domain, tmp_path, capsys):
    output = tmp_path / "articles"
    (output / ".fetch").mkdir(parents=True)
    with filelock.FileLock(output / ".fetch" / "lock"):
        for what in (("--domain", domain, "--output", output), ("--refresh", output)):
            assert fetch(server, *what) != 0
            err = capsys.readouterr().err
            assert "another `ldrt fetch` works in" in err
            assert err.count("\n") == 1
    assert not server.seen
    assert fetch(server, "--domain", domain, "--output", output) == 0


def test_what_is_found_is_said_before_it_is_looked_up(server, domain, tmp_path, capsys):
    fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--dry_run", "true")
    assert "3 articles in PMC are looked up, which takes less than a minute" in capsys.readouterr().err


def test_versions_of_licences_do_not_count(server, domain, tmp_path):
    for pmcid, code in (("PMC1", "CC BY 4.0"), ("PMC2", "CC BY-NC 4.0"), ("PMC10", "CC0")):
        server.add(pmcid, 1, article(pmcid), license_code=code)
    domain.write_text(domain.read_text() + "licenses: [CC-BY, CC0-1.0]\n")
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert names(tmp_path / "articles")[:2] == ["PMC1", "PMC10"]


def test_a_file_that_is_too_large_and_an_answer_that_is(server, domain, tmp_path):
    server.faults.append(Fault(r"PMC2\.1\.pdf", 99, claimed_bytes=10**12))
    server.faults.append(Fault(r"prefix=PMC1\.", 99, claimed_bytes=10**12))
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    failed = {row["id"]: row["reason"] for row in rows(output / "failed.jsonl")}
    assert "--max_file_mb" in failed["PMC2"]
    assert "--max_file_mb" not in failed["PMC1"]
