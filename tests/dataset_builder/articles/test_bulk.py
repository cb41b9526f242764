"""XML files with several articles: each is one of its own, with what it needs of the file around it."""

import pytest

from dataset_builder.articles import bulk
from dataset_builder.readers.jats.reader import read_jats
from tests.dataset_builder.articles.folders import find, write

ONE = (
    '<article article-type="research-article"><front><article-meta><title-group><article-title>T{0}</article-title>'
    "</title-group></article-meta></front><body><p>See Figure {0}.</p><fig><label>Figure {0}</label>"
    '<caption><p>Müller {0}.</p></caption><graphic xlink:href="f{0}"/></fig></body></article>'
)
PREFIXED = "<j:set xmlns:j='x'>{}</j:set>"
TWO = ONE.format(1) + "\n" + ONE.format(2)

ENVELOPES = {
    "pmc-articleset": f"<pmc-articleset>{TWO}</pmc-articleset>",
    "articles": f'<?xml version="1.0"?><!DOCTYPE articles><articles>{TWO}</articles>',
    "another root": f"<collection><date/>{TWO}</collection>",
    "OAI": f"<OAI-PMH><ListRecords><record>{TWO}</record></ListRecords></OAI-PMH>",
    "prefixed": PREFIXED.format(TWO.replace("<article ", "<j:article ").replace("</article>", "</j:article>")),
    "namespaces on the root": f'<articles xmlns="urn:jats" xmlns:xlink="http://www.w3.org/1999/xlink">{TWO}</articles>',
}


@pytest.mark.parametrize("xml", ENVELOPES.values(), ids=ENVELOPES)
def test_each_article_is_one_of_its_own(tmp_path, xml):
    write(tmp_path, {"all.xml": xml, "f1.png": "", "f2.png": "", "f3.png": ""})
    found = find(tmp_path, tmp_path / "cache")
    assert [p.source_file for p in found] == ["all.xml!000001.xml", "all.xml!000002.xml"]
    assert [list(p.files) for p in found] == [["f1.png"], ["f2.png"]]
    for number, package in enumerate(found, 1):
        article = read_jats(package.xml)
        assert article.title == f"T{number}"
        assert [(f.label, f.context) for f in article.figures] == [(f"Figure {number}", [f"See Figure {number}."])]
    assert len({p.digest() for p in found}) == 2


def test_one_article_in_an_envelope_keeps_its_file(tmp_path):
    write(tmp_path, {"one.xml": f"<pmc-articleset>{ONE.format(1)}</pmc-articleset>"})
    assert [p.source_file for p in find(tmp_path)] == ["one.xml"]


def test_the_declared_encoding_holds_for_each_article(tmp_path):
    xml = f'<?xml version="1.0" encoding="ISO-8859-1"?><articles>{TWO}</articles>'
    write(tmp_path, {"all.xml": xml.encode("latin-1")})
    assert [read_jats(p.xml).figures[0].caption for p in find(tmp_path)] == ["Müller 1.", "Müller 2."]


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="UTF-16"?>'])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(tmp_path, encoding, declared):
    write(tmp_path, {"all.xml": f"{declared}<articles>{TWO}</articles>".encode(encoding)})
    articles = [read_jats(package.xml) for package in find(tmp_path, tmp_path / "cache")]
    assert [article.figures[0].caption for article in articles] == ["Müller 1.", "Müller 2."]
    assert [article.notes for article in articles] == [[], []]
    assert len(list((tmp_path / "cache").glob("*/*"))) == 2


def test_one_article_in_utf_16_keeps_its_file(tmp_path):
    write(tmp_path, {"one.xml": ONE.format(1).encode("utf-16")})
    assert [p.source_file for p in find(tmp_path)] == ["one.xml"]


def test_a_broken_article_fails_alone(tmp_path):
    cut_off = ONE.format(1)[:-40]
    write(tmp_path, {"all.xml": f"<articles>{cut_off}{ONE.format(2)}</articles>"})
    broken, whole = find(tmp_path)
    with pytest.raises(ValueError, match="no well-formed XML"):
        read_jats(broken.xml)
    assert read_jats(whole.xml).title == "T2"


def test_in_an_archive_and_compressed(tmp_path):
    import gzip

    write(tmp_path, {"all.xml.gz": gzip.compress(f"<articles>{TWO}</articles>".encode()), "f2.png": ""})
    found = find(tmp_path, tmp_path / "cache")
    assert [p.source_file for p in found] == ["all.xml.gz!all.xml!000001.xml", "all.xml.gz!all.xml!000002.xml"]
    assert [list(p.files) for p in found] == [[], ["f2.png"]]


def test_bounds(tmp_path, monkeypatch):
    write(tmp_path, {"all.xml": f"<articles>{TWO}</articles>"})
    monkeypatch.setattr(bulk, "MAX_ARTICLES", 1)
    assert "2 articles, more than 1" in find(tmp_path)[0].error
    monkeypatch.setattr(bulk, "MAX_BYTES", 10)
    assert "more than 10 bytes" in find(tmp_path)[0].error
    assert not list((tmp_path / "unpacked").glob("*"))
