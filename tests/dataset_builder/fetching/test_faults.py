"""What servers and networks do to a fetch: it comes all the same, or its article fails and says why."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dataset_builder.fetching.transfer import asked_wait_s
from tests.dataset_builder.fetching.conftest import article, contents, fetch, names, rows
from tests.pmc_server import Fault, PmcServer

PDF = r"PMC2\.1\.pdf"


@pytest.fixture
def whole(server, domain, tmp_path):
    """What an undisturbed fetch brings."""
    fetch(server, "--domain", domain, "--output", tmp_path / "whole")
    return contents(tmp_path / "whole")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(PDF, status=429, headers={"Retry-After": "1"}),
        Fault(PDF, status=500),
        Fault(PDF, times=2, status=503, body=b"<Error><Code>SlowDown</Code></Error>"),
        Fault(PDF, is_dropped=True),
        Fault(PDF, cut_after=20),
        Fault(PDF, times=3, cut_after=20),
        Fault(PDF, body=b"%PDF of something else"),
        Fault(PDF, status=301, headers={"Location": "/bucket/PMC2.1/PMC2.1.pdf"}),
        Fault(r"prefix=PMC2\.", status=503),
        Fault(r"prefix=PMC2\.", is_dropped=True),
        Fault(r"metadata/PMC2\.1\.json", status=500),
        Fault(r"europepmc/search", status=502),
        Fault(r"europepmc/search", status=504),
        Fault(r"europepmc/search", is_dropped=True),
        Fault(r"europepmc/search", body=b'{"errCode": 500, "errMsg": "Internal"}'),
    ],
    ids=lambda fault: f"{fault.path}-{fault.status or fault.cut_after or fault.is_dropped or fault.body}",
)
def test_it_comes_all_the_same(server, domain, tmp_path, whole, fault):
    server.faults.append(fault)
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 0
    assert fault.times == 0
    assert contents(tmp_path / "articles") == whole
    assert not rows(tmp_path / "articles" / "failed.jsonl")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(PDF, 99, status=404), "HTTP 404"),
        (Fault(PDF, 99, status=403), "HTTP 403"),
        (Fault(PDF, 99, status=400), "HTTP 400"),
        (Fault(PDF, 99, status=500), "2 tries"),
        (Fault(PDF, 99, body=b"other"), "md5"),
        (Fault(PDF, 99, claimed_bytes=10**12), "more than"),
        (Fault(PDF, 99, status=302, headers={"Location": "http://elsewhere.example/x"}), "http://elsewhere.example"),
        (Fault(PDF, 99, status=302, headers={"Location": "/bucket/PMC2.1/PMC2.1.pdf"}), "redirected more than"),
        (Fault(r"prefix=PMC2\.", 99, body=b"<html>"), "no XML"),
        (
            Fault(r"prefix=PMC2\.", 99, body=b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
            "no listing",
        ),
        (Fault(r"PMC2\.1\.json", 99, body=b"{"), "no JSON"),
        (Fault(r"PMC2\.1\.json", 99, body=b"[]"), "no JSON object"),
        (Fault(r"PMC2\.1\.json", 99, status=404), "HTTP 404"),
    ],
)
def test_one_article_fails_and_says_why(server, domain, tmp_path, whole, fault, said):
    server.faults.append(fault)
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output, "--tries", "2") == 0
    (failed,) = rows(output / "failed.jsonl")
    assert failed["id"] == "PMC2"
    assert said in failed["reason"]
    assert "\n" not in failed["reason"]
    others = {path: content for path, content in whole.items() if not path.startswith("PMC2/")}
    assert contents(output) == others
    server.faults.clear()
    fetch(server, "--domain", domain, "--output", output)
    assert contents(output) == whole


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"errCode": 404, "errMsg": "Bad query"}', None),
        (b"Service temporarily unavailable", None),
        (b"Service temporarily unavailable", 503),
        (b"[1]", None),
        (b'{"resultList": ', None),
    ],
)
def test_a_search_that_fails_is_one_line_and_leaves_nothing(server, domain, tmp_path, capsys, body, status):
    server.faults.append(Fault("europepmc/search", 99, body=body, status=status))
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--tries", "2") == 1
    err = capsys.readouterr().err
    assert "the search did not come to its end" in err
    assert err.count("\n") == 1
    server.faults.clear()
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 0


def test_a_server_that_asks_to_wait_is_not_asked_meanwhile(server, domain, tmp_path):
    server.faults.append(Fault(r"PMC1\.1\.xml", status=503, headers={"Retry-After": "1"}))
    started = time.monotonic()
    fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--concurrency", "1")
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        (None, None),
        ("", None),
        ("0", None),
        ("7", 7),
        ("86400", 600),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after(said, wait_s):
    assert asked_wait_s(said) == wait_s


def test_the_rest_of_a_file_is_asked_for_not_all_of_it(server, domain, tmp_path):
    content = b"%PDF" + bytes(range(256)) * 2_000
    server.add("PMC2", 1, {**article("PMC2"), "PMC2.1.pdf": content})
    server.faults.append(Fault(PDF, cut_after=300_000))
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    ranges = [headers.get("Range") for _, path, headers in server.seen if path.endswith("PMC2.1.pdf")]
    assert ranges[0] is None
    assert 0 < int(ranges[1].removeprefix("bytes=").removesuffix("-")) <= 300_000
    assert (tmp_path / "articles" / "PMC2" / "PMC2.1.pdf").read_bytes() == content


def test_a_partial_file_that_the_server_has_no_rest_of(server, domain, tmp_path, whole):
    parts = tmp_path / "articles" / ".fetch" / "parts" / "PMC2.1"
    parts.mkdir(parents=True)
    (parts / "PMC2.1.pdf.part").write_bytes(b"x" * 100_000)
    (parts / "PMC2.1.xml").write_bytes(b"of an older list")
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert contents(tmp_path / "articles") == whole


def test_redirects_to_another_host_do_not_reach_it(server, domain, tmp_path):
    with PmcServer() as other:
        server.faults.append(Fault(PDF, 99, status=307, headers={"Location": other.url("bucket/x")}))
        fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--tries", "1")
        assert not other.seen


def test_a_kill_in_the_midst_costs_nothing(tmp_path, domain):
    """kill -9 several times; the same bytes come, and what was there whole is not asked for again."""
    with PmcServer(latency_s=0.03) as server:
        for i in range(1, 31):
            server.add(f"PMC{i}", 1, article(f"PMC{i}"))
        fetch(server, "--domain", domain, "--output", tmp_path / "whole")
        output = tmp_path / "killed"
        command = [sys.executable, "-m", "ldrt", "fetch", "--domain", domain, "--output", output, *server.options()]
        for n_there in (1, 10, 20):
            server.seen.clear()
            process = subprocess.Popen([*map(str, command), "--concurrency=2"], stderr=subprocess.DEVNULL)
            while len(list(output.glob("PMC*/article.json"))) < n_there:
                assert process.poll() is None
                time.sleep(0.005)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        there = {path.parent.name for path in output.glob("PMC*/article.json")}
        server.seen.clear()
        assert fetch(server, "--domain", domain, "--output", output) == 0
        assert contents(output) == contents(tmp_path / "whole")
        assert (output / "articles.jsonl").read_bytes() == (tmp_path / "whole" / "articles.jsonl").read_bytes()
        again = {path.split("/")[2].partition(".")[0] for _, path, _ in server.seen}
        assert not again & there
        assert names(output / ".fetch" / "parts") == []
