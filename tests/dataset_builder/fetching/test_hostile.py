"""What hostile or broken servers send: it costs one article at most, never the run, and nothing of it hangs."""

import json
import os
import time
from pathlib import Path

import pytest

from dataset_builder.fetching import transfer
from dataset_builder.fetching.answers import TransferError, json_object, number, quoted, shown, text
from dataset_builder.fetching.hrefs import check_article, graphic_hrefs
from tests.dataset_builder.fetching.conftest import XML, article, fetch, names, rows
from tests.pmc_server import Fault, PmcServer

PDF = r"PMC2\.1\.pdf"
LISTING = r"prefix=PMC2\."
DEEP = b"[" * 200_000
LONG = b"9" * 5_000
NAME = "図" * 195


def listing(key: bytes = b"PMC2.1/PMC2.1.xml", size: bytes = b"5") -> bytes:
    return b"<ListBucketResult><Contents><Key>%s</Key><Size>%s</Size></Contents></ListBucketResult>" % (key, size)


# ---- one bad answer costs one article


@pytest.mark.parametrize(
    "fault",
    [
        Fault(r"metadata/PMC2\.1", 99, body=DEEP),
        Fault(r"metadata/PMC2\.1", 99, body=b'{"a":' * 200_000),
        Fault(r"metadata/PMC2\.1", 99, body=b"\xff\xfe{"),
        Fault(LISTING, 99, status=302, headers={"Location": "http://[::1"}),
        Fault(PDF, 99, status=302, headers={"Location": "http://[bad/"}),
        Fault(PDF, 99, status=416, body=b""),
        Fault(PDF, 99, status=206),
        Fault(PDF, 99, status=206, headers={"Content-Range": "bytes 100-199/200"}),
        Fault(PDF, 99, status=206, headers={"Content-Range": "bytes " + "9" * 5000 + "-/200"}),
        Fault(LISTING, 99, body=listing(b"PMC2." + LONG + b"/PMC2.1.xml")),
    ],
    ids=lambda fault: f"{fault.path}-{fault.status}-{(fault.body or b'')[:9]!r}",
)
def test_one_article_fails_in_one_line(server, domain, tmp_path, fault):
    server.faults.append(fault)
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output, "--tries", "2") == 0
    (failed,) = rows(output / "failed.jsonl")
    assert failed["id"] == "PMC2"
    assert "\n" not in failed["reason"]
    assert {"PMC1", "PMC10"} <= set(names(output))
    server.faults.clear()
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert not rows(output / "failed.jsonl")
    assert (output / "PMC2" / "PMC2.1.pdf").is_file()


def test_a_name_that_no_disk_takes_fails_in_one_line(server, domain, tmp_path):
    xml = XML.replace(b'"fig1"', b'"%s"' % NAME.encode())
    server.add("PMC2", 1, {"PMC2.1.xml": xml, f"{NAME}.jpg": b"picture"})
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output) == 0
    (failed,) = rows(output / "failed.jsonl")
    assert failed["id"] == "PMC2"
    assert "name too long" in failed["reason"]
    assert "PMC10" in names(output)


@pytest.mark.parametrize(
    "said",
    [
        {"title": "x\ud83d y"},
        {"title": "x\u0000\x1b[31m"},
        {"doi": "\udfff"},
        {"license_code": "CC BY\ud800"},
        {"media_urls": ["s3://[bad/PMC2.1/fig1.jpg?md5=zz", "//", "?md5=", "s3://a/PMC2.1/fig1.jpg?md5=" + "0" * 33]},
        {"media_urls": ["s3://x/" + "?" * 100_000]},
        {"pmid": 10**4_000},
        {"is_retracted": [1], "is_manuscript": {"a": 1}, "citation": ["2020"]},
    ],
    ids=str,
)
def test_metadata_that_no_file_could_hold(server, domain, tmp_path, said):
    server.add("PMC2", 1, article("PMC2"), **said)
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert not rows(output / "failed.jsonl")
    assert "PMC2" in names(output)


@pytest.mark.parametrize(
    "said",
    [{"title": "x\ud83d"}, {"year": "9" * 5_000}, {"language": "\udc00", "doi": "a\nb"}, {"year": [2020]}],
    ids=["title", "year", "language", "list"],
)
def test_results_that_no_file_could_hold(server, domain, tmp_path, said):
    server.articles["PMC2"].update(said)
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert {"PMC1", "PMC2", "PMC10"} <= set(names(output))


@pytest.mark.parametrize("body", [DEEP, b'{"hitCount": ' + LONG + b"", b"\xff\xfe", b'{"errCode": "\\ud800"}'])
def test_a_search_that_is_no_answer_is_one_line(server, domain, tmp_path, capsys, body):
    server.faults.append(Fault("europepmc/search", 99, body=body))
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--tries", "2") == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "the search did not come to its end" in err


@pytest.mark.parametrize("what", ["a folder", "a link", "a file for the folder", "a folder for the file"])
def test_what_lies_in_the_way_of_the_parts_goes(server, domain, tmp_path, what):
    parts = tmp_path / "articles" / ".fetch" / "parts"
    parts.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    if what == "a folder":
        (parts / "PMC2.1" / "sub" / "deep").mkdir(parents=True)
    elif what == "a link":
        (parts / "PMC2.1").symlink_to(elsewhere)
    elif what == "a file for the folder":
        (parts / "PMC2.1").write_text("x")
    else:
        (parts / "PMC2.1").mkdir()
        (parts / "PMC2.1" / "PMC2.1.xml.part").mkdir()
        (parts / "PMC2.1" / "PMC2.1.pdf.part").symlink_to(elsewhere / "mine.txt")
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 0
    assert names(tmp_path / "articles" / "PMC2") == ["PMC2.1.pdf", "PMC2.1.xml", "article.json", "fig1.jpg"]
    assert names(elsewhere) == ["mine.txt"]
    assert (elsewhere / "mine.txt").read_text() == "mine"


def foreign_file(folder):
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")


def file_beside_ours(folder):
    foreign_file(folder)
    (folder / "article.json").write_text("{}")


def link(folder):
    elsewhere = folder.parent.parent / "elsewhere"
    foreign_file(elsewhere)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(elsewhere)


def dangling_link(folder):
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to("nowhere")


@pytest.mark.parametrize("put", [foreign_file, file_beside_ours, link, dangling_link])
def test_what_is_somebody_elses_stays(server, domain, tmp_path, put):
    output = tmp_path / "articles"
    put(output / "PMC2")
    assert fetch(server, "--domain", domain, "--output", output) == 0
    (failed,) = rows(output / "failed.jsonl")
    assert failed["id"] == "PMC2"
    assert "move it away" in failed["reason"]
    assert (output / "PMC2").is_symlink() or (output / "PMC2" / "mine.txt").read_text() == "mine"
    assert (output / "PMC10").is_dir()


@pytest.mark.parametrize("content", ['{"format": 2}', "[" * 100_000])
def test_an_article_json_that_cannot_be_read(server, domain, tmp_path, content):
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    (output / "PMC2" / "article.json").write_text(content)
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert [row["id"] for row in rows(output / "failed.jsonl")] == (["PMC2"] if "2" in content else [])


def test_an_article_json_without_files_is_fetched_anew(server, domain, tmp_path):
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    path = output / "PMC2" / "article.json"
    whole = path.read_bytes()
    for damage in ({"files": None}, {"files": [{}]}, {"version": "one"}, {"is_removed": "x"}):
        path.write_text(json.dumps(json.loads(whole) | damage))
        assert fetch(server, "--domain", domain, "--output", output) == 0
        assert path.read_bytes() == whole


@pytest.mark.parametrize("size", [b"-5", LONG, b"many", b""])
def test_a_size_that_is_none_is_not_known(server, domain, tmp_path, size):
    server.faults.append(Fault(LISTING, 99, body=listing(size=size)))
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 0
    assert names(tmp_path / "articles" / "PMC2") == ["PMC2.1.xml", "article.json"]


# ---- nothing hangs


def test_a_listing_that_does_not_end(server, domain, tmp_path):
    body = listing().replace(b"</List", b"<NextContinuationToken>x</NextContinuationToken></List")
    server.faults.append(Fault(LISTING, 10**9, body=body))
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 0
    (failed,) = rows(tmp_path / "articles" / "failed.jsonl")
    assert "does not end" in failed["reason"]


@pytest.mark.parametrize("drips", ["metadata/PMC2", PDF])
def test_a_server_that_drips_is_given_up(server, domain, tmp_path, monkeypatch, drips):
    monkeypatch.setattr(transfer, "_SILENCE_S", 0.3)
    server.faults.append(Fault(drips, 99, drips=True))
    started = time.monotonic()
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--tries", "2") == 0
    assert time.monotonic() - started < 10
    (failed,) = rows(tmp_path / "articles" / "failed.jsonl")
    assert failed["id"] == "PMC2"


@pytest.mark.parametrize(
    "xml",
    [
        b"<article><body>" + b"<graphic " * 400_000,
        b"<article><body>" + b"<supplementary-material " * 200_000,
        b"<article><body>" + b"<supplementary-material>" * 200_000,
        b"<article><body>" + b"<supplementary-material><graphic/></supplementary-material>" * 100_000,
        b"<article>" + b"&a;" * 400_000,
        b"",
    ],
    ids=range(6),
)
def test_no_xml_takes_long(xml):
    started = time.process_time()
    assert graphic_hrefs(xml) == []
    assert time.process_time() - started < 5


# ---- what an XML names


@pytest.mark.parametrize(
    ("named", "hrefs"),
    [
        (b'<graphic xlink:href="fig1"/>', ["fig1"]),
        (b"<graphic a='b' xlink:href = 'x&amp;y.png' />", ["x&y.png"]),
        (b'<graphic xlink:href="&eacute;.png"/>', ["é.png"]),
        (b'<inline-graphic xlink:href="&#x56f3;.png"></inline-graphic>', ["図.png"]),
        (b'<mml:graphic xmlns:mml="m" href="a"/>', ["a"]),
        (b'<supplementary-material><p><graphic xlink:href="s"/></p></supplementary-material>', []),
        (b'<supplementary-material/><graphic xlink:href="f"/>', ["f"]),
        (b'<!-- <graphic xlink:href="f"/> --><graphic/><graphic xlink:href=""/>', []),
        (b'<graphic xlink:href="a"/><graphic xlink:href="a"/><unclosed><graphic xlink:href="b"/>', ["a", "b"]),
    ],
)
def test_hrefs(named, hrefs):
    start = b'<!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd">]><article xmlns:xlink="l"><body>'
    assert graphic_hrefs(start + named + b"</body></article>") == hrefs


def test_pictures_with_odd_names_come(server, domain, tmp_path):
    odd = ["x&y.png", "c%20d.png", "a b.png", "A.png", "a.png", "é.png", "p#q.png", "a%2Fb.png"]
    written = [name.replace("&", "&amp;") for name in odd]
    figures = "".join(f'<fig><graphic xlink:href="{name}"/></fig>' for name in written)
    xml = f'<article xmlns:xlink="l"><body>{figures}</body></article>'.encode()
    server.add("PMC2", 1, {"PMC2.1.xml": xml, **{name: name.encode() for name in odd}})
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert not rows(output / "failed.jsonl")
    assert set(odd) <= set(names(output / "PMC2"))
    assert all((output / "PMC2" / name).read_text() == name for name in odd)


def test_a_space_in_metadata_may_be_written_in_two_ways(server, domain, tmp_path):
    """ "%20" in an address is a space, unless a file is called so."""
    files = {"PMC2.1.xml": XML, "a b.png": b"one", "a%20b.png": b"other", "c d.png": b"third"}
    server.add("PMC2", 1, files)
    quoted_urls = server.objects["metadata/PMC2.1.json"].replace(b"c d.png", b"c%20d.png")
    server.objects["metadata/PMC2.1.json"] = server.objects["PMC2.1/PMC2.1.json"] = quoted_urls
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output, "--supplements", "true") == 0
    assert not rows(output / "failed.jsonl")


# ---- sizes, halves, other bodies


def hide_md5(server, name: str) -> None:
    """Let a file of PMC2 be one that was uploaded in parts: no md5 in the metadata, "md5-2" in the listing."""
    server.multipart.add(f"PMC2.1/{name}")
    said = json.loads(server.objects["metadata/PMC2.1.json"])
    said["pdf_url"], said["media_urls"] = None, []
    server.objects["metadata/PMC2.1.json"] = server.objects["PMC2.1/PMC2.1.json"] = json.dumps(said).encode()


def test_a_body_of_another_size_is_not_the_file(server, domain, tmp_path):
    hide_md5(server, "PMC2.1.pdf")
    server.faults.append(Fault(PDF, 99, body=b"Sorry"))
    output = tmp_path / "articles"
    fetch(server, "--domain", domain, "--output", output)
    (failed,) = rows(output / "failed.jsonl")
    assert "it has 5 bytes, the list says" in failed["reason"]
    server.faults.clear()
    fetch(server, "--domain", domain, "--output", output)
    assert (output / "PMC2" / "PMC2.1.pdf").read_bytes() == server.objects["PMC2.1/PMC2.1.pdf"]


@pytest.mark.parametrize("minds_if_range", [True, False])
def test_two_halves_of_different_files_are_not_put_together(server, domain, tmp_path, minds_if_range):
    old, new = b"old " * 100_000, b"new " * 100_000
    server.add("PMC2", 1, {**article("PMC2"), "PMC2.1.pdf": old})
    hide_md5(server, "PMC2.1.pdf")
    server.minds_if_range = minds_if_range
    output = tmp_path / "articles"
    server.faults.append(Fault(PDF, 1, cut_after=300_000))
    assert fetch(server, "--domain", domain, "--output", output, "--tries", "1") == 0
    server.objects["PMC2.1/PMC2.1.pdf"] = new
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert (output / "PMC2" / "PMC2.1.pdf").read_bytes() == new


def test_halves_of_one_file_are(server, domain, tmp_path):
    content = b"old " * 100_000
    server.add("PMC2", 1, {**article("PMC2"), "PMC2.1.pdf": content})
    hide_md5(server, "PMC2.1.pdf")
    output = tmp_path / "articles"
    server.faults.append(Fault(PDF, 1, cut_after=300_000))
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert (output / "PMC2" / "PMC2.1.pdf").read_bytes() == content
    asked = [headers.get("Range") for _, path, headers in server.seen if path.endswith("PMC2.1.pdf")]
    assert [each is None for each in asked] == [True, False]
    assert not list(output.rglob("*.etag"))


def test_a_complete_part_is_not_asked_for_again(server, domain, tmp_path):
    parts = tmp_path / "articles" / ".fetch" / "parts" / "PMC2.1"
    parts.mkdir(parents=True)
    (parts / "PMC2.1.pdf.part").write_bytes(server.objects["PMC2.1/PMC2.1.pdf"])
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert not [path for _, path, _ in server.seen if path.endswith("PMC2.1.pdf")]
    assert (tmp_path / "articles" / "PMC2" / "PMC2.1.pdf").is_file()


@pytest.mark.parametrize(
    "body",
    [b"Service temporarily unavailable", b"<html><body/></html>", b"", b"<article>", b"<error>article</error>", b"{}"],
)
def test_europepmc_sends_something_else(server, domain, tmp_path, body):
    server.articles["PMC77"] = dict(server.articles["PMC1"])
    server.fulltexts["PMC77"] = XML
    server.faults.append(Fault("fullTextXML", 99, body=body))
    output = tmp_path / "articles"
    assert fetch(server, "--domain", domain, "--output", output) == 0
    (failed,) = rows(output / "failed.jsonl")
    assert failed["id"] == "PMC77"
    assert not (output / "PMC77").exists()
    server.faults.clear()
    assert fetch(server, "--domain", domain, "--output", output) == 0
    assert (output / "PMC77" / "PMC77.xml").read_bytes() == XML


def test_an_article_with_characters_of_html_is_one():
    check_article(b"<article><p>&eacute;&nbsp;&amp;</p></article>", "x")
    with pytest.raises(TransferError, match="no article"):
        check_article(b"<p>&eacute;</p>", "x")


# ---- what must not go astray


def test_passwords_of_netrc_stay_at_home(server, domain, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    fetch(server, "--domain", domain, "--output", tmp_path / "articles")
    assert server.seen
    assert not any("Authorization" in headers for _, _, headers in server.seen)


def test_the_environments_proxy_is_asked(domain, tmp_path, monkeypatch):
    with PmcServer() as server, PmcServer() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        fetch(server, "--domain", domain, "--output", tmp_path / "articles", "--tries", "1")
        assert proxy.seen
        assert not server.seen


@pytest.mark.parametrize("status", [400, 500])
def test_a_key_is_in_no_message(server, domain, tmp_path, capsys, monkeypatch, status):
    monkeypatch.setenv("NCBI_API_KEY", "s3cret-key")
    (tmp_path / "ids.txt").write_text("10.5555/pmc1\n")
    server.faults.append(Fault("idconv|esearch", 99, status=status, body=b'{"error":"invalid","api-key":"s3cret-key"}'))
    for what in (("--ids", tmp_path / "ids.txt"), ("--domain", domain, "--source", "esearch")):
        assert fetch(server, *what, "--output", tmp_path / "articles", "--tries", "1") == 1
        err = capsys.readouterr().err
        assert f"HTTP {status}" in err
        assert "s3cret-key" not in err
        assert "10.5555" not in err
    assert not any("s3cret-key" in path for _, path, _ in server.seen)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://a.org/x?key=1#b", "https://a.org/x"),
        ("https://me:pw@a.org/x", "https://a.org/x"),
        ("https://a.org/x@y", "https://a.org/x@y"),
    ],
)
def test_addresses_in_messages(url, said):
    assert shown(url) == said


# ---- the reader of answers


@pytest.mark.parametrize(
    ("value", "read"),
    [("a\ud800b\n\tc", "ab c"), (7, "7"), (True, None), (None, None), ("null", None), (["a"], None), ("\x00", None)],
)
def test_texts(value, read):
    assert text(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("12", 12),
        (12, 12),
        (" 7 ", 7),
        ("-1", None),
        (-1, None),
        ("9" * 5000, None),
        (True, None),
        ("²", None),
        (1.5, None),
    ],
)
def test_numbers(value, read):
    assert number(value) == read


def test_a_number_too_long_is_none_and_the_rest_is_read():
    assert json_object(b'{"a": ' + LONG + b', "b": 2}', "x") == {"a": None, "b": 2}
    assert len(quoted(b"x" * 10**6)) <= 200


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_ends_the_run_and_is_named(server, domain, tmp_path, capsys, monkeypatch):
    from dataset_builder.fetching.parts import PartFile

    monkeypatch.setattr(PartFile, "open", lambda self, etag, is_rest: Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115
    assert fetch(server, "--domain", domain, "--output", tmp_path / "articles") == 1
    err = capsys.readouterr().err
    assert f"no space left on the disk of {tmp_path / 'articles'} (" in err
    assert "nothing that was done is lost" in err
