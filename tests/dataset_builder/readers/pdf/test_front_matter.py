"""What the first pages print about the article; nothing guessed."""

import csv
import os
import re
from pathlib import Path

import pypdfium2
import pytest

from dataset_builder.readers.article import Article
from dataset_builder.readers.jats.reader import read_jats
from dataset_builder.readers.pdf.front_matter import (
    front_matter,
    printed_doi,
    printed_license,
    printed_pmcid,
    printed_title,
)
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from dataset_builder.readers.pdf.page.content import read_page
from dataset_builder.readers.pdf.reader import read_pdf
from tests.dataset_builder.readers.paper import Paper, prose

BODY = [
    Line("The joints were treated with low doses on three days", Box(50, 400 + 12 * k, 290, 410 + 12 * k), 10.0)
    for k in range(20)
]


def text(words, y, size=8.0):
    return Line(words, Box(50, y, 50 + 0.5 * size * len(words), y + size), size)


def pages(*lines, more=()):
    return [PageContent(1, 595, 842, [*lines, *BODY]), PageContent(2, 595, 842, [*more, *BODY])]


def title(metadata, *lines):
    article = pages(*lines)
    return printed_title(article, Style.of(article), metadata)


def test_title_is_the_largest_heading():
    lines = [text("Synthetic Journal", 30, 24), text("Low doses in", 100, 18), text("painful joints", 122, 18)]
    assert title("", *lines) == "Low doses in painful joints"


def test_title_of_the_file_counts_only_where_it_is_printed():
    heading = text("Low doses in painful joints: a study", 100, 18)
    assert title("Low Doses in Painful Joints", heading) == "Low Doses in Painful Joints"
    assert title("Microsoft Word - final_v3.doc", heading) == "Low doses in painful joints: a study"


def test_title_of_the_file_counts_where_the_font_hides_letters():
    lines = [text("Eff of doses in painful joints", 100, 18), text("The efficacy was tested", 160, 8)]
    assert title("Efficacy of doses in painful joints", *lines) == "Efficacy of doses in painful joints"
    assert title("Toxicity of doses in painful joints", *lines) == "Eff of doses in painful joints"


def test_no_heading_no_title():
    assert title("", text("Received 3 May", 60)) is None
    assert printed_title([], Style.of([]), "Low doses in painful joints") is None


@pytest.mark.parametrize(
    ("line", "doi"),
    [
        ("https://doi.org/10.5555/ABC.12-3.", "10.5555/abc.12-3"),
        ("doi: 10.5555/abc(12)3; published online", "10.5555/abc(12)3"),
        ("Data: https://doi.org/10.5281/zenodo.12345", None),
        ("version 10.1 of the program", None),
    ],
)
def test_doi(line, doi):
    assert printed_doi(pages(text(line, 40))) == doi


def test_pmcid_is_taken_from_the_first_page_only():
    assert printed_pmcid(pages(text("PMCID: PMC1234567", 40))) == "PMC1234567"
    assert printed_pmcid(pages(more=[text("PMCID: PMC1234567", 40)])) is None


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["This is an open access article under the CC BY-NC 4.0 license"], "CC-BY-NC-4.0"),
        (["Open Access This article: http://creativecommons.org/", "licenses/by/4.0/"], "CC-BY-4.0"),
        (["This article is distributed under the Creative Commons Attribution License"], "CC-BY"),
        (["The map is reproduced under CC BY 4.0 from a report"], None),
        (["All rights reserved"], None),
        (["Dieser Artikel steht unter der Creative Commons Namensnennung 4.0 International Lizenz"], "CC-BY-4.0"),
        (["本文采用知识共享署名-非商业性使用 4.0国际许可协议"], "CC-BY-NC-4.0"),
    ],
)
def test_licence(lines, licence):
    statement = [text(line, 700 + 10 * k) for k, line in enumerate(lines)]
    assert printed_license(pages(*statement)) == licence


def fate(*lines):
    article = pages(*lines)
    found = front_matter(article, Style.of(article), {"Title": "", "Author": "", "Subject": ""})
    return found["article_type"], found["status"], found["notices"], found["doi"]


def test_a_retracted_article_says_so_in_its_title():
    lines = [text("RETRACTED ARTICLE: Low doses in painful joints", 100, 18), text("https://doi.org/10.5555/own", 40)]
    assert fate(*lines) == (None, "retracted", {}, "10.5555/own")


def test_an_article_names_its_correction():
    lines = [text("A Correction to this article was published on 3 May 2020", 700), text("doi 10.5555/own", 40)]
    assert fate(*lines) == (None, "corrected", {}, "10.5555/own")


def test_an_ordinary_article_is_neither():
    lines = [text("Retracted articles and their correction in journals", 100, 18), text("doi 10.5555/own", 40)]
    assert fate(*lines, text("Withdrawn: 12", 200), text("Correction", 230)) == (None, None, {}, "10.5555/own")


def test_a_notice_names_the_other_article():
    lines = [
        text("https://doi.org/10.5555/own", 30),
        text("Correction to: Low doses in painful joints", 100, 18),
        text("The original article can be found online at https://doi.org/10.5555/OTHER", 700),
    ]
    assert fate(*lines) == ("correction", None, {"10.5555/other": "corrected"}, "10.5555/own")


def test_a_notice_by_the_line_above_its_title():
    lines = [
        text("Expression of Concern", 60, 12),
        text("Low doses in painful joints", 100, 18),
        text("The original article: https://doi.org/10.5555/other", 700),
    ]
    assert fate(*lines) == ("expression-of-concern", None, {"10.5555/other": "concern"}, None)


def test_a_notice_without_a_title():
    assert fate(text("Erratum", 60, 12), text("doi 10.5555/own", 40)) == ("correction", None, {}, "10.5555/own")
    assert fate(text("Withdrawn", 60, 12)) == (None, None, {}, None)


def test_retracted_is_written_across_the_page(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.text(50, 60, 495, "Low doses in painful joints", size=18)
    paper.text(50, 120, 495, prose(1, 30))
    paper.canvas.saveState()
    paper.canvas.translate(120, 200)
    paper.canvas.rotate(50)
    paper.canvas.setFont("Helvetica-Bold", 90)
    paper.canvas.setFillColorRGB(1, 0.6, 0.6)
    paper.canvas.drawString(0, 0, "RETRACTED")
    paper.canvas.restoreState()
    paper.canvas.save()
    article = read_pdf(tmp_path / "a.pdf")
    assert (article.status, article.title) == ("retracted", "Low doses in painful joints")


def test_the_front_of_a_whole_file(tmp_path):
    paper = Paper(tmp_path / "a.pdf")
    paper.canvas.setAuthor("Bo Li")
    paper.text(50, 30, 495, "Smith et al. Journal of Dose (2019) 3:14", size=8)
    paper.text(50, 60, 495, "Low doses in painful joints", size=18)
    paper.text(50, 90, 495, "Jane Smith1, Bo Li1 and Eva Cruz2", size=11)
    paper.text(50, 120, 495, prose(1, 30))
    paper.text(50, 780, 495, "© The Author(s) 2019. This article is licensed under CC BY 4.0.", size=8)
    paper.canvas.save()
    article = read_pdf(tmp_path / "a.pdf")
    assert article.authors == ["Jane Smith", "Bo Li", "Eva Cruz"]
    assert (article.journal, article.year, article.license) == ("Journal of Dose", 2019, "CC-BY-4.0")


def squeezed(text):
    return re.sub(r"[\W_]+", "", text or "").casefold()


def is_short_for(name, full):
    """Whether the words of an abbreviated journal's name begin words of the full one, in order."""
    words = iter(re.findall(r"\w+", full.casefold()))
    return all(any(word.startswith(part[:1]) for word in words) for part in re.findall(r"\w+", name.casefold()))


def front_of(path):
    """The article without its figures, which take most of the time."""
    with pypdfium2.PdfDocument(path) as document:
        pages = [read_page(page, number) for number, page in enumerate(document, 1)]
        metadata = {key: document.get_metadata_value(key) for key in ("Title", "Author", "Subject")}
    return Article("pdf", **front_matter(pages, Style.of(pages), metadata))


@pytest.mark.corpus
@pytest.mark.skipif("LDRT_ARTICLES" not in os.environ, reason="LDRT_ARTICLES names no folder of real articles")
def test_real_articles_print_what_their_xml_says():
    """Nothing wrong, a few things missing: the XML of the same article is the truth."""
    folder = Path(os.environ["LDRT_ARTICLES"])
    rows = list(csv.DictReader((folder / "MANIFEST.csv").open()))
    pairs = [r for r in rows if r["kind"] == "pdf" and r["gt_pair"] == "yes" and not r["awkward"]]
    right = dict.fromkeys(("title", "authors", "journal", "year", "doi"), 0)
    for row in pairs:
        xml = next(r for r in rows if r["kind"] == "jats" and r["path"] in row["paired_with"])
        read, truth = front_of(folder / row["path"]), read_jats(folder / xml["path"])
        assert not read.status
        assert not read.notices
        assert not read.article_type
        if read.journal:
            assert is_short_for(read.journal, truth.journal), (row["path"], read.journal)
        if read.year:
            assert abs(read.year - truth.year) <= 1, (row["path"], read.year)  # of the issue, or of the first print
        assert squeezed(read.title) == squeezed(truth.title), row["path"]
        right["title"] += 1
        right["authors"] += [*map(squeezed, read.authors)] == [*map(squeezed, truth.authors)]
        right["journal"] += read.journal is not None
        right["year"] += read.year == truth.year
        right["doi"] += (read.doi or "") == (truth.doi or "").lower()
    shares = {key: count / len(pairs) for key, count in right.items()}
    assert len(pairs) >= 40
    assert shares["doi"] >= 0.9
    assert shares["journal"] >= 0.85
    assert shares["year"] >= 0.85
    assert shares["authors"] >= 0.65
