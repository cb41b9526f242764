"""Searches and ids: pages, slices of time, types of ids, and what is added to a query."""

import asyncio
import datetime
import json

import pytest

from dataset_builder.fetching.answers import TransferError
from dataset_builder.fetching.searching.esearch import Asker, search_esearch
from dataset_builder.fetching.searching.europepmc import search_europepmc
from dataset_builder.fetching.searching.ids import convert_ids, read_ids
from dataset_builder.fetching.searching.query import with_limits
from dataset_builder.fetching.transfer import Manners, open_client
from tests.dataset_builder.fetching.conftest import article, fetch, names, rows
from tests.pmc_server import Fault, PmcServer

MANNERS = Manners("test@example.org", rate=5_000, tries=2)
TODAY = datetime.date(2026, 11, 27)


@pytest.fixture
def many():
    """A server that knows of 2,500 articles, one a day."""
    with PmcServer() as server:
        for i in range(1, 2_501):
            day = (datetime.date(2015, 1, 1) + datetime.timedelta(days=i)).strftime("%Y/%m/%d")
            server.articles[f"PMC{i}"] = {
                "doi": f"10.1/{i}",
                "pmid": str(i),
                "title": "t",
                "language": "eng",
                "year": 2020,
            }
            server.articles[f"PMC{i}"]["day"] = day
        yield server


def found_by(search) -> tuple[list[str], int]:
    """PMCIDs and the service's count, of all pages of `search(client)`."""

    async def read() -> tuple[list[str], int]:
        ids: list[str] = []
        counted = 0
        async with open_client(MANNERS) as client:
            async for page, total in search(client):
                ids += [article["pmcid"] for article in page]
                counted = total
        return ids, counted

    return asyncio.run(read())


def test_europepmc_page_by_page(many):
    ids, counted = found_by(lambda client: search_europepmc(client, many.url("europepmc"), "x"))
    assert ids == [f"PMC{i}" for i in range(1, 2_501)]
    assert counted == 2_500


def test_a_long_query_goes_by_post(many):
    query = " OR ".join(f'"term {i}"' for i in range(2_000))
    found_by(lambda client: search_europepmc(client, many.url("europepmc"), query))
    assert {method for method, _, _ in many.seen} == {"POST"}
    assert many.forms[0]["query"] == query


@pytest.mark.parametrize("body", [b'{"resultList": {"result": null}}', b'{"resultList": null}', b"{}"])
def test_an_empty_page_ends_the_search(many, body):
    many.faults.append(Fault("europepmc/search", body=body))
    assert found_by(lambda client: search_europepmc(client, many.url("europepmc"), "x")) == ([], 0)


def test_esearch_halves_the_time_beyond_its_reach(many, monkeypatch):
    monkeypatch.setattr("dataset_builder.fetching.searching.esearch._REACH", 400)
    asker = Asker("me@example.org")
    ids, counted = found_by(lambda client: search_esearch(client, many.url("eutils"), "x", asker, TODAY))
    assert sorted(ids, key=lambda each: int(each[3:])) == [f"PMC{i}" for i in range(1, 2_501)]
    assert counted == 2_500


def test_esearch_pages_within_its_reach(many):
    asker = Asker("me@example.org")
    ids, _ = found_by(lambda client: search_esearch(client, many.url("eutils"), "x", asker, TODAY))
    assert len(set(ids)) == len(ids) == 2_500
    assert [form["retstart"] for form in many.forms] == ["0", "1000", "2000"]


def test_ncbi_is_told_who_asks_and_the_key_stays_out_of_addresses(many, monkeypatch):
    monkeypatch.setenv("NCBI_API_KEY", "secret-key")
    asker = Asker("me@example.org")
    found_by(lambda client: search_esearch(client, many.url("eutils"), "x", asker, TODAY))
    assert all((form["tool"], form["email"]) == ("ldrt-vlm", "me@example.org") for form in many.forms)
    assert all(form["api_key"] == "secret-key" for form in many.forms)
    assert not any("secret-key" in path for _, path, _ in many.seen)


def test_esearch_errors_come_as_answers(many):
    many.faults.append(Fault("esearch", 99, body=b'{"esearchresult": {"ERROR": "Search Backend failed"}}'))
    with pytest.raises(TransferError, match="Search Backend failed"):
        found_by(lambda client: search_esearch(client, many.url("eutils"), "x", Asker("a@b.c"), TODAY))


def test_ids_of_every_kind_and_shape():
    ids, unknown = read_ids(
        [
            "PMC12",
            "pmc7.2",
            "12345678",
            "pmid: 99",
            "10.1000/a(b)1",
            "https://doi.org/10.1000/X",
            "doi:10.1000/y",
            "",
            "# no",
        ]
        + ["PMC12", "pmcid", "banana"]
    )
    assert ids == {
        "pmcid": ["PMC12", "PMC7.2"],
        "doi": ["10.1000/a(b)1", "10.1000/X", "10.1000/y"],
        "pmid": ["12345678", "99"],
    }
    assert [each["id"] for each in unknown] == ["banana"]


def test_ids_are_converted_one_kind_a_request_and_200_at_most(many):
    ids = {"pmcid": ["PMC9"], "doi": [f"10.1/{i}" for i in range(1, 302)], "pmid": ["400", "99999"]}

    async def convert():
        async with open_client(MANNERS) as client:
            return await convert_ids(client, many.url("idconv/"), ids, Asker("a@b.c"))

    found, unknown = asyncio.run(convert())
    assert len(found) == 301 + 1  # PMC9 is also 10.1/9
    assert unknown == [{"id": "99999", "reason": "Identifier not found in PMC"}]
    assert len(many.seen) == 3


def test_fetch_by_ids(server, tmp_path):
    (tmp_path / "ids.txt").write_text("PMC1\n10.5555/pmc2\n10.5555/nowhere\nbanana\n")
    assert fetch(server, "--ids", tmp_path / "ids.txt", "--output", tmp_path / "articles") == 0
    assert names(tmp_path / "articles")[:2] == ["PMC1", "PMC2"]
    assert [row["id"] for row in rows(tmp_path / "articles" / "failed.jsonl")] == ["banana", "10.5555/nowhere"]


def test_fetch_by_esearch(server, domain, tmp_path):
    assert fetch(server, "--domain", domain, "--source", "esearch", "--output", tmp_path / "articles") == 0
    assert names(tmp_path / "articles")[:3] == ["PMC1", "PMC10", "PMC2"]


@pytest.mark.parametrize(
    ("source", "languages", "years", "query"),
    [
        ("europepmc", (), None, "(x)"),
        ("europepmc", ("en", "de"), (2000, 2026), '(x) AND (LANG:"eng" OR LANG:"ger") AND PUB_YEAR:[2000 TO 2026]'),
        ("esearch", ("fr",), (1999, 1999), "(x) AND (french[lang]) AND 1999:1999[pdat]"),
    ],
)
def test_limits_of_a_domain_go_into_the_query(source, languages, years, query):
    assert with_limits("x", source, languages, years) == query


def test_a_language_without_a_code_is_said():
    with pytest.raises(ValueError, match="'xx'"):
        with_limits("x", "europepmc", ("xx",), None)


# ---- searches that do not come to their end


def with_hits(n: int, *pages: int) -> list[Fault]:
    """Answers of Europe PMC that count `n` articles and give so many of them, page by page, each under a new cursor."""
    faults, start = [], 1
    for page in pages:
        results = [{"id": str(i), "source": "MED", "pmcid": f"PMC{i}"} for i in range(start, start + page)]
        start += page
        answer = {"hitCount": n, "nextCursorMark": f"{start - 1}.{len(faults)}", "resultList": {"result": results}}
        faults.append(Fault("europepmc/search", 1, body=json.dumps(answer).encode()))
    return faults


@pytest.mark.parametrize("pages", [(1_000, 0, 0, 0, 0), (0, 0, 0, 0), (1_000, 1_000, 0, 0, 0)], ids=str)
def test_a_search_that_breaks_off_is_not_taken_for_whole(many, pages):
    many.faults += with_hits(2_500, *pages)
    with pytest.raises(TransferError, match="it counts 2,500 articles and gave"):
        found_by(lambda client: search_europepmc(client, many.url("europepmc"), "x"))


def test_an_empty_page_is_asked_for_again(many):
    many.faults += with_hits(2_500, 1_000, 0)
    ids, _ = found_by(lambda client: search_europepmc(client, many.url("europepmc"), "x"))
    assert not any(fault.times for fault in many.faults)
    assert ids == [f"PMC{i}" for i in range(1, 2_501)]


@pytest.fixture
def endless(server):
    """Ever the same page under an ever new cursor."""
    answer = {"hitCount": 5_000, "resultList": {"result": [{"id": "1", "source": "MED", "pmcid": "PMC1"}]}}

    def fault(n: int) -> Fault:
        return Fault("europepmc/search", 1, body=json.dumps(answer | {"nextCursorMark": f"c{n}"}).encode())

    server.faults += [fault(n) for n in range(10_000)]
    return server


def test_a_search_without_an_end_ends(endless):
    with pytest.raises(TransferError, match="it counts 5,000 articles and gave 1"):
        found_by(lambda client: search_europepmc(client, endless.url("europepmc"), "x"))
    assert len(endless.seen) < 10


def test_articles_outside_of_pmc_count(many):
    many.faults.append(Fault("europepmc/search", body=OUTSIDE))
    assert found_by(lambda client: search_europepmc(client, many.url("europepmc"), "x")) == (["PMC2"], 3)


OUTSIDE = json.dumps(
    {
        "hitCount": 3,
        "nextCursorMark": "a",
        "resultList": {
            "result": [{"id": "1", "source": "MED"}, {"id": "2", "pmcid": "PMC2"}, {"id": "3", "source": "PPR"}]
        },
    }
).encode()


@pytest.mark.parametrize(
    "result",
    [{"count": "5000", "idlist": ["1"]}, {"count": "3", "idlist": []}, {}, {"idlist": ["1"]}, {"count": "9" * 5_000}],
    ids=str,
)
def test_esearch_gives_fewer_than_it_counts(many, result):
    many.faults.append(Fault("esearch", 99, body=json.dumps({"esearchresult": result}).encode()))
    with pytest.raises(TransferError, match="counts"):
        found_by(lambda client: search_esearch(client, many.url("eutils"), "x", Asker("a@b.c"), TODAY))


def test_esearch_cuts_a_single_day_by_the_date_of_publication(many, monkeypatch):
    monkeypatch.setattr("dataset_builder.fetching.searching.esearch._REACH", 400)
    for said in many.articles.values():
        said["printed"], said["day"] = said["day"], "2020/05/05"
    ids, counted = found_by(lambda client: search_esearch(client, many.url("eutils"), "x", Asker("a@b.c"), TODAY))
    assert (len(set(ids)), counted) == (2_500, 2_500)


def test_esearch_says_what_to_do_where_nothing_can_be_cut(many, monkeypatch):
    monkeypatch.setattr("dataset_builder.fetching.searching.esearch._REACH", 400)
    for said in many.articles.values():
        said["day"] = "2020/05/05"
    with pytest.raises(TransferError, match="narrow the query"):
        found_by(lambda client: search_esearch(client, many.url("eutils"), "x", Asker("a@b.c"), TODAY))


# ---- files of ids


WRITTEN = {
    "\ufeffPMC12": ("pmcid", "PMC12"),
    "PMCID: PMC12": ("pmcid", "PMC12"),
    "pmc012": ("pmcid", "PMC12"),
    "https://pmc.ncbi.nlm.nih.gov/articles/PMC12/": ("pmcid", "PMC12"),
    "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC12.3/pdf/a.pdf": ("pmcid", "PMC12.3"),
    "europepmc.org/article/PMC/PMC12": ("pmcid", "PMC12"),
    "https://europepmc.org/article/MED/345#free-full-text": ("pmid", "345"),
    "https://pubmed.ncbi.nlm.nih.gov/345/": ("pmid", "345"),
    "https://www.ncbi.nlm.nih.gov/pubmed/345?dopt=Abstract": ("pmid", "345"),
    "PMID:345": ("pmid", "345"),
    "10.1000/a.": ("doi", "10.1000/a"),
    "DOI: 10.1000/A": ("doi", "10.1000/A"),
    "https://doi.org/10.1000%2Fa": ("doi", "10.1000/a"),
    '"10.1000/a,b",': ("doi", "10.1000/a,b"),
    "10.1002/(SICI)1097(199806)49:8<693::AID-ASI4>3.0.CO;2-#": (
        "doi",
        "10.1002/(SICI)1097(199806)49:8<693::AID-ASI4>3.0.CO;2-#",
    ),
    "PMC12 # the first": ("pmcid", "PMC12"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_ids_as_people_write_them(written, tmp_path):
    from dataset_builder.fetching.task import _ids_in

    (tmp_path / "ids.txt").write_text(f"{written}\r\n", encoding="utf-8")
    ids, unknown = _ids_in(tmp_path / "ids.txt")
    kind, one = WRITTEN[written]
    assert ids == {"pmcid": [], "doi": [], "pmid": []} | {kind: [one]}
    assert not unknown


@pytest.mark.parametrize(
    "line",
    ["banana", "PMC", "PMC1234567890", "10.1000", "https://example.org/x/y", "123456789012", "0x12", "PMCPMC1"]
    + ["https://www.ncbi.nlm.nih.gov/books/NBK25497/", "Smith, 2020", "x" * 10**6, '"' * 200_000],
    ids=lambda line: line[:30],
)
def test_what_is_no_id(line):
    ids, unknown = read_ids([line])
    assert not any(ids.values())
    assert len(unknown) == 1


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('PMID,PMCID,DOI,Title\n1,PMC5,10.1/x,"A, b"\n2,,10.1/y,c\n3,,,d\n', {"pmcid": ["PMC5"], "pmid": ["2", "3"]}),
        ("title;year;doi\na;2020;10.1000/a;b\nx;2021;10.1000/b\n", {"doi": ["10.1000/a", "10.1000/b"]}),
        ("doi\ttitle\n10.1000/a\tb\n", {"doi": ["10.1000/a"]}),
        ("PMC1, PMC2 10.1000/a\n", {"pmcid": ["PMC1", "PMC2"], "doi": ["10.1000/a"]}),
        ("123, 456\n", {"pmid": ["123", "456"]}),
        ("Smith,2020,PMC7\n", {"pmcid": ["PMC7"]}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_ids(tmp_path, table, expected, encoding):
    from dataset_builder.fetching.task import _ids_in

    (tmp_path / "ids.csv").write_bytes(table.encode(encoding))
    ids, unknown = _ids_in(tmp_path / "ids.csv")
    assert {kind: found for kind, found in ids.items() if found} == expected
    assert not unknown


def test_a_doi_in_other_case_and_one_with_a_comma(server, tmp_path):
    server.answers_lower_case = True
    (tmp_path / "ids.txt").write_text("10.5555/PMC1\n10.5555/a,b\n10.5555/pmc2.\n")
    fetch(server, "--ids", tmp_path / "ids.txt", "--output", tmp_path / "articles")
    assert names(tmp_path / "articles")[:2] == ["PMC1", "PMC2"]
    (failed,) = rows(tmp_path / "articles" / "failed.jsonl")
    assert (failed["id"], "comma" in failed["reason"]) == ("10.5555/a,b", True)


def test_a_version_that_is_asked_for(server, tmp_path, capsys):
    for version in (2, 3):
        server.add("PMC1", version, article("PMC1", version))
    (tmp_path / "ids.txt").write_text("PMC1.2\nPMC2.7\nPMC10\n")
    output = tmp_path / "articles"
    assert fetch(server, "--ids", tmp_path / "ids.txt", "--output", output) == 0
    assert "PMC1.2.xml" in names(output / "PMC1")
    (failed,) = rows(output / "failed.jsonl")
    assert failed["id"] == "PMC2"
    assert "no version 7" in failed["reason"]
    assert "PMC10" in names(output)
    server.make_inventory()
    assert fetch(server, "--refresh", output) == 0
    assert "nothing has changed" in capsys.readouterr().out
    assert "PMC1.2.xml" in names(output / "PMC1")


def test_two_versions_of_an_article_are_said(server, tmp_path):
    server.add("PMC1", 2, article("PMC1", 2))
    (tmp_path / "ids.txt").write_text("PMC1.1\nPMC1.2\nPMC1\n")
    output = tmp_path / "articles"
    assert fetch(server, "--ids", tmp_path / "ids.txt", "--output", output) == 0
    assert "PMC1.2.xml" in names(output / "PMC1")
    assert [row["id"] for row in rows(output / "failed.jsonl")] == ["PMC1.1"]


def test_ids_that_were_changed_are_another_search(server, tmp_path, capsys):
    ids, output = tmp_path / "ids.txt", tmp_path / "articles"
    ids.write_text("PMC1\n")
    fetch(server, "--ids", ids, "--output", output)
    ids.write_text("# the same\nPMC1\n")
    assert fetch(server, "--ids", ids, "--output", output) == 0
    ids.write_text("PMC1\nPMC2\n")
    assert fetch(server, "--ids", ids, "--output", output) == 1
    assert "--search_again" in capsys.readouterr().err
    assert fetch(server, "--ids", ids, "--output", output, "--search_again", "true") == 0
    assert names(output)[:2] == ["PMC1", "PMC2"]


def test_the_year_comes_from_the_citation_where_a_search_has_none(server, tmp_path):
    server.add("PMC1", 1, article("PMC1"), citation="Radiat Oncol. 2021 Mar 3; 16:1999")
    server.add("PMC2", 1, article("PMC2"), citation="no year here 12:2020")
    (tmp_path / "ids.txt").write_text("PMC1\nPMC2\n")
    fetch(server, "--ids", tmp_path / "ids.txt", "--output", tmp_path / "articles")
    assert [row["year"] for row in rows(tmp_path / "articles" / "articles.jsonl")] == [2021, None]
