"""Searches and ids: pages, slices of time, types of ids, and what is added to a query."""

import asyncio
import datetime

import pytest

from dataset_builder.fetching.answers import TransferError
from dataset_builder.fetching.searching.esearch import Asker, search_esearch
from dataset_builder.fetching.searching.europepmc import search_europepmc
from dataset_builder.fetching.searching.ids import convert_ids, read_ids
from dataset_builder.fetching.searching.query import with_limits
from dataset_builder.fetching.transfer import Manners, open_client
from tests.dataset_builder.fetching.conftest import fetch, names, rows
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
