"""Title, DOI, PMCID and licence as printed; nothing guessed."""

import pytest

from dataset_builder.front_matter import printed_doi, printed_license, printed_pmcid, printed_title
from dataset_builder.page_layout import Box, Line, PageContent, Style

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
    ],
)
def test_licence(lines, licence):
    statement = [text(line, 700 + 10 * k) for k, line in enumerate(lines)]
    assert printed_license(pages(*statement)) == licence
