"""The metadata of JATS articles: as stated, never guessed."""

import csv
import os
from pathlib import Path

import pytest

from dataset_builder.readers.jats.metadata import read_metadata
from dataset_builder.readers.jats.reader import read_jats
from dataset_builder.readers.jats.xml import parse_article


def metadata(xml):
    return read_metadata(parse_article(xml.encode(), "x.xml")[0])[0]


def article(body="", meta="", rest="", journal=""):
    front = f"<front><journal-meta>{journal}</journal-meta><article-meta>{meta}</article-meta></front>"
    return f"""<article xmlns:xlink="http://www.w3.org/1999/xlink" xml:lang="EN">{front}<body>{body}</body>{rest}
    </article>"""


def test_metadata():
    meta = """<article-id pub-id-type="pmc">123</article-id>
    <article-id pub-id-type="doi">https://doi.org/10.1234/a.b</article-id>
    <title-group><article-title>Low <italic>dose</italic><xref rid="x">*</xref></article-title></title-group>
    <pub-date pub-type="collection"><year>2019</year></pub-date><pub-date pub-type="epub"><year>2020</year></pub-date>
    <permissions><license xlink:href="http://creativecommons.org/licenses/by/4.0/"><p>Open.</p></license></permissions>"""
    found = metadata(article(meta=meta, journal="<journal-title>J. Dose</journal-title>"))
    assert (found.source, found.pmcid, found.doi, found.title) == ("jats", "PMC123", "10.1234/a.b", "Low dose")
    assert (found.journal, found.year, found.language, found.license) == ("J. Dose", 2020, "en", "CC-BY-4.0")


def test_metadata_that_is_not_stated_is_none():
    found = metadata("<article><front><article-meta/></front></article>")
    assert not any((found.pmcid, found.doi, found.title, found.journal, found.year, found.language, found.license))


LICENSES = {
    '<license><ext-link xlink:href="https://creativecommons.org/licenses/by-nc/4.0/">x</ext-link></license>': (
        "CC-BY-NC-4.0"
    ),
    '<license><ali:license_ref xmlns:ali="x">http://creativecommons.org/licenses/by/3.0/</ali:license_ref></license>': (
        "CC-BY-3.0"
    ),
    "<copyright-statement>Creative Commons Attribution License</copyright-statement>": "CC-BY",
    '<license license-type="open-access"><p>Open access.</p></license>': None,
    "<license><p>This article is not distributed under a Creative Commons Attribution licence.</p></license>": None,
    "<license><p>This article is not distributed under a <ext-link "
    'xlink:href="https://creativecommons.org/licenses/by/4.0/">Commons licence</ext-link>.</p></license>': None,
    "<license><p>All rights reserved. For the CC BY option contact the publisher.</p></license>": None,
    "<license><p>Except where otherwise noted, this work is under a <ext-link "
    'xlink:href="https://creativecommons.org/licenses/by/4.0/">licence</ext-link>.</p></license>': "CC-BY-4.0",
}


@pytest.mark.parametrize(("statement", "spdx"), LICENSES.items())
def test_license(statement, spdx):
    assert metadata(article(meta=f"<permissions>{statement}</permissions>")).license == spdx


def name(family, given="", style="western"):
    given = given and f"<given-names>{given}</given-names>"
    return f'<name name-style="{style}"><surname>{family}</surname>{given}</name>'


AUTHORS = {
    f'<contrib contrib-type="author">{name("Smith", "Jane")}</contrib>': ["Jane Smith"],
    f"<contrib>{name('Smith', 'Jane')}</contrib>": ["Jane Smith"],
    f"""<contrib contrib-type="author">{name("Smith", "Jane")}</contrib>
    <contrib contrib-type="editor">{name("Ed")}</contrib>""": ["Jane Smith"],
    f'<contrib contrib-type="author">{name("山田", "太郎", "eastern")}</contrib>': ["山田太郎"],
    f'<contrib contrib-type="author">{name("Nguyễn", "Văn An", "eastern")}</contrib>': ["Nguyễn Văn An"],
    f'<contrib contrib-type="author">{name("Іваненко", "Олена")}</contrib>': ["Олена Іваненко"],
    f"""<contrib contrib-type="author"><name-alternatives>{name("Yamada", "Taro")}{name("山田", "太郎", "eastern")}
    </name-alternatives></contrib>""": ["Taro Yamada"],
    """<contrib contrib-type="author"><name><surname>King</surname><given-names>M. L.</given-names><suffix>Jr</suffix>
    <prefix>Dr</prefix></name><xref ref-type="aff">1</xref></contrib>""": ["M. L. King Jr"],
    '<contrib contrib-type="author"><string-name>Plato</string-name></contrib>': ["Plato"],
    f"""<contrib contrib-type="author"><collab>The Dose Group<xref>*</xref><contrib-group>
    <contrib contrib-type="author">{name("Member")}</contrib></contrib-group></collab></contrib>""": ["The Dose Group"],
    '<contrib contrib-type="author"><anonymous/></contrib>': [],
    "": [],
}


@pytest.mark.parametrize(("contributors", "authors"), AUTHORS.items())
def test_authors(contributors, authors):
    meta = f"<contrib-group>{contributors}</contrib-group>"
    inside_a_reply = (
        f"<sub-article><front-stub><contrib-group><contrib>{name('R')}</contrib></contrib-group></front-stub>"
    )
    assert metadata(article(meta=meta, rest=f"{inside_a_reply}</sub-article>")).authors == authors


# ---- retractions and corrections ----


def related(relation, href="10.5555/OTHER", link="doi", inside=""):
    return f"""<related-article related-article-type="{relation}" ext-link-type="{link}" xlink:href="{href}">{inside}
    </related-article>"""


def of_type(kind, meta="", title="Low doses", body=""):
    meta = f"<title-group><article-title>{title}</article-title></title-group>{meta}"
    meta += '<article-id pub-id-type="doi">10.5555/own</article-id><article-id pub-id-type="pmc">7</article-id>'
    return article(body, meta).replace("<article ", f'<article article-type="{kind}" ', 1)


def version(value, attributes):
    element = f"<article-version {attributes}>{value}</article-version>"
    return f"<article-version-alternatives>{element}</article-version-alternatives>"


def custom(name, value):
    pair = f"<meta-name>{name}</meta-name><meta-value>{value}</meta-value>"
    return f"<custom-meta-group><custom-meta>{pair}</custom-meta></custom-meta-group>"


STATUS = {
    of_type("research-article"): None,
    of_type("research-article", related("retraction-forward")): "retracted",
    of_type("research-article", related("correction-forward")): "corrected",
    of_type("research-article", related("concern-forward") + related("correction-forward")): "concern",
    of_type("research-article", related("companion")): None,
    of_type("research-article", title="RETRACTED: Low doses"): "retracted",
    of_type("research-article", title="[ARTIGO RETRATADO]: Doses baixas"): "retracted",
    of_type("review-article", title="Retracted articles: a review"): None,
    of_type("retracted-article"): "retracted",
    of_type(
        "other",
        "<article-categories><subj-group><subject>Retracted Article</subject></subj-group></article-categories>",
    ): ("retracted"),
    of_type("research-article", '<history><date date-type="retracted"><year>2020</year></date></history>'): "retracted",
    of_type(
        "research-article",
        """<custom-meta-group><custom-meta><meta-name>is-retracted</meta-name><meta-value>yes</meta-value></custom-meta>
        </custom-meta-group>""",
    ): "retracted",
    of_type(
        "research-article",
        """<custom-meta-group><custom-meta><meta-name>is-retracted</meta-name><meta-value>no</meta-value></custom-meta>
        </custom-meta-group>""",
    ): None,
    of_type("research-article", "<abstract><p>This article has been retracted.</p></abstract>"): "retracted",
    of_type("research-article", body=f"<p>Cites {related('retracted-article')} in passing.</p>"): None,
    of_type("research-article", related("retracted-article", "10.5555/own")): "retracted",
    of_type("retraction", related("retracted-article"), "Retracted: Low doses"): None,
    of_type("correction", related("corrected-article") + related("retraction-forward")): "retracted",
    of_type("withdrawn-article"): "retracted",
    of_type("removed-article"): "retracted",
    of_type("research-article", title="REMOVED: Low doses"): "retracted",
    of_type("research-article", title="TEMPORARY REMOVAL: Low doses"): "retracted",
    of_type("research-article", version("retracted", 'article-version-type="status"')): "retracted",
    of_type("research-article", version("3", 'article-version-type="Retracted Version of Record"')): "retracted",
    of_type("research-article", version("VoR", 'vocab="JAV" vocab-term="Version of Record"')): None,
    of_type("research-article", version("2", 'specific-use="withdrawn"')): "retracted",
    of_type("research-article", custom("publication-status", "Withdrawn")): "retracted",
    of_type("research-article", custom("article-status", "published")): None,
    of_type("research-article", custom("retracted", "true")): "retracted",
    of_type("research-article", custom("retracted", "false")): None,
    of_type("research-article", custom("withdrawn patients", "yes")): None,
    of_type("research-article").replace("<article ", '<article specific-use="retracted" ', 1): "retracted",
    of_type("research-article", '<history><date date-type="withdrawn"><year>2020</year></date></history>'): "retracted",
    of_type("research-article", '<history><date date-type="received"><year>2020</year></date></history>'): None,
}
NOTICES = {
    of_type("research-article", related("retraction-forward")): {},
    of_type("retraction", related("retracted-article")): {"10.5555/other": "retracted"},
    of_type("correction", related("corrected-article", "https://doi.org/10.5555/OTHER", "uri")): {
        "10.5555/other": "corrected"
    },
    of_type("correction", related("corrected-article", "info:doi/10.5555/other", "uri")): {
        "10.5555/other": "corrected"
    },
    of_type("expression-of-concern", related("object-of-concern", "PMC12", "pmc")): {"PMC12": "concern"},
    of_type("expression-of-concern", related("expression-of-concern")): {"10.5555/other": "concern"},
    of_type("correction", related("corrected-article", "12", "pmc")): {"PMC12": "corrected"},
    of_type("correction", related("corrected-article", "12345", "pmid")): {},
    of_type("correction", related("corrected-article", "12", "pmid", '<pub-id pub-id-type="doi">10.5555/O</pub-id>')): {
        "10.5555/o": "corrected"
    },
    of_type("correction", related("companion")): {},
    of_type("correction", body=f"<p>This corrects {related('corrected-article', 'PMC12', 'pmc')}</p>"): {
        "PMC12": "corrected"
    },
    of_type("other", title="Erratum: Low doses", body=related("corrected-article")): {"10.5555/other": "corrected"},
    of_type("retraction", related("retracted-article") + related("retracted-article", "10.5555/b")): {
        "10.5555/other": "retracted",
        "10.5555/b": "retracted",
    },
}


@pytest.mark.parametrize(("xml", "status"), STATUS.items())
def test_what_an_article_says_of_itself(xml, status):
    assert metadata(xml).status == status


@pytest.mark.parametrize(("xml", "notices"), NOTICES.items())
def test_what_a_notice_says_of_others(xml, notices):
    assert metadata(xml).notices == notices


def test_article_type():
    assert metadata(of_type("Research-Article")).article_type == "research-article"
    assert metadata(article()).article_type is None


@pytest.mark.corpus
@pytest.mark.skipif("LDRT_ARTICLES" not in os.environ, reason="LDRT_ARTICLES names no folder of real articles")
def test_real_articles():
    """The licence is the manifest's, authors are named, and no ordinary article passes for a notice."""
    folder = Path(os.environ["LDRT_ARTICLES"])
    rows = [r for r in csv.DictReader((folder / "MANIFEST.csv").open()) if r["kind"] == "jats" and not r["awkward"]]
    read = [(row, read_jats(folder / row["path"])) for row in rows]
    # "PublicDomain" in the manifest is no licence with an id
    others = [(r["path"], a.license) for r, a in read if a.license != r["licence"] and r["licence"] != "PublicDomain"]
    assert len(read) > 100
    assert not others
    assert sum(not article.authors for _, article in read) <= 1
    assert all(name == " ".join(name.split()) and name.isprintable() for _, article in read for name in article.authors)
    assert not any(article.status or article.notices for _, article in read)
