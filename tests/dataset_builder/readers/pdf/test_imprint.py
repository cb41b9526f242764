"""Authors, journal and year as printed; a wrong one is worse than none."""

import pytest

from dataset_builder.readers.pdf.imprint import printed_authors, printed_journal, printed_year
from dataset_builder.readers.pdf.layout.blocks import make_blocks
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent


def text(words, y, size=10.0, x=50):
    return Line(words, Box(x, y, x + 0.5 * size * len(words), y + size), size)


def authors(*lines, declared=""):
    """The authors read below a title, each of `lines` in a paragraph of its own."""
    shown = [text("Low doses in painful joints: a randomised study of many", 100, 18)]
    shown += [text(line, 140 + 30 * k, 10.0 if k == 0 else 8.0) for k, line in enumerate(lines)]
    blocks = make_blocks(shown, 1)
    return printed_authors(blocks, blocks[0], 9.0, declared)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Jane Smith1, Bo Li2* and Eva de la Cruz1,2", ["Jane Smith", "Bo Li", "Eva de la Cruz"]),
        ("Jane Smith 1 , Bo Li 2,†", ["Jane Smith", "Bo Li"]),
        ("Jane Smith1 · Bo Li2", ["Jane Smith", "Bo Li"]),
        ("Jane Smith1 | J. M. van Eijck2", ["Jane Smith", "J. M. van Eijck"]),
        ("Jane Smith1 Bo Li2", ["Jane Smith", "Bo Li"]),
        ("Jane Smith, MD, PhD, Bo Li, MSc, Eva Cruz, MD", ["Jane Smith", "Bo Li", "Eva Cruz"]),
        ("Jean-Noël O’Brien1, Олена Іваненко2", ["Jean-Noël O’Brien", "Олена Іваненко"]),
        ("Jane Smith, Bo Li & Eva Cruz", ["Jane Smith", "Bo Li", "Eva Cruz"]),
    ],
)
def test_authors(line, names):
    assert authors(line, "1 Clinic of Dose, Town") == names


@pytest.mark.parametrize(
    "lines",
    [
        ["Mauricio Lima BarretoI,II, Jane SmithI"],  # Roman numerals run into the names
        ["Jane Smitha, Bo Lib, Eva Cruza", "a Department of Dose"],  # so do letters
        ["Jane Smith1, and the Dose Group"],
        ["Jane Smith1, Plato2"],
        ["Painful Joints and Warm Hands"],  # a subtitle
        ["Painful Joints"],
        ["Original Article", "We treated joints."],
        ["Jane Smith1", "0000-0001", "Bo Li2"],  # each with a place of its own: the others may be missed
        [],
    ],
)
def test_no_authors_rather_than_wrong_ones(lines):
    assert authors(*lines) == []


def test_a_lone_author_is_marked_or_declared_by_the_file():
    assert authors("Jane Smith", declared="Jane Smith") == ["Jane Smith"]
    assert authors("Jane Smith1*") == ["Jane Smith"]


def test_names_go_on_in_the_next_block_and_below_a_subtitle():
    assert authors("A study of dose", "Jane Smith1, Bo Li2,", "Eva Cruz1") == ["Jane Smith", "Bo Li", "Eva Cruz"]


def pages(*heads):
    """Pages with these texts in their first row."""
    return [PageContent(k, 595, 842, [text(head, 30)] if head else []) for k, head in enumerate(heads, 1)]


@pytest.mark.parametrize(
    ("head", "journal", "year"),
    [
        ("J. Dose Res. 2019;12(3):34-56", "J. Dose Res.", 2019),
        ("Journal of Dose (2019) 12:34", "Journal of Dose", 2019),
        ("Smith et al. Journal of Dose (2019) 12:34", "Journal of Dose", 2019),
        ("12 Smith et al. eDose 2019;8:e123", "eDose", 2019),
        ("Dose 2019, 12, 34; doi:10.5555/a", "Dose", 2019),
        ("Journal of Dose. 2019 Mar 1;12 (2):e34", "Journal of Dose", 2019),
        ("Dose and Therapy 12 (2019) 34–56", "Dose and Therapy", 2019),
        ("Journal of Dose Vol. 12, No. 3: 34-56, March 2019", "Journal of Dose", 2019),
        ("J. Dose, 12, 34–56, January 2019", "J. Dose", 2019),
        ("Dose, 2019, Vol. 12, No. 3", "Dose", 2019),
        ("Journal of Dose | www.dose.example", "Journal of Dose", None),
        ("Revista de Dose, Campinas, 12:e34, 2019", "Revista de Dose", 2019),
        ("Received 3 May 2019, 12 patients", None, None),
        ("we treated 12 (2019) 34 patients", None, None),
        ("painful joints. J. Dose 2019;12:34", None, None),  # the end of a citation
        ("Low doses. Journal of Dose 2019;12:34", None, None),
        ("www.dose.example/journal 2019;12:34", None, None),
        ("Low doses in painful joints", None, None),
        ("", None, None),
    ],
)
def test_journal_and_year(head, journal, year):
    assert printed_journal(pages(head), "", []) == (journal, year)


def test_the_authors_before_a_journals_name():
    assert printed_journal(pages("Smith Dose (2019) 3:1"), "", ["Jane Smith"]) == ("Dose", 2019)
    assert printed_journal(pages("Smith and Li Dose (2019) 3:1"), "", ["Jane Smith", "Bo Li"]) == ("Dose", 2019)
    assert printed_journal(pages("Smith BMC Dose (2019) 3:1"), "BMC Dose, 2018, doi:10.5555/a", []) == (
        "BMC Dose",
        2019,
    )


def test_a_name_on_one_later_page_is_no_journal():
    reference = "Annals of Dose 2019;12:34"
    assert printed_journal(pages("", reference), "", []) == (None, None)
    assert printed_journal(pages("", reference, reference), "", []) == ("Annals of Dose", 2019)
    assert printed_journal(pages("Dose 2020;1:2", reference, reference), "", []) == ("Dose", 2020)


def test_text_inside_the_page_is_no_imprint():
    page = PageContent(1, 595, 842, [text("Journal of Dose 2019;12:34", 400)])
    assert printed_journal([page], "", []) == (None, None)


@pytest.mark.parametrize(
    ("lines", "year"),
    [
        (["Received: 3 May 2018; Accepted: 1 June 2018; Published: 2 July 2019"], 2019),
        (["Advance Access Publication Date: 3 December 2020"], 2020),
        (["© The Author(s). 2021 Open Access"], 2021),
        (["Copyright © 2020 the Author(s)"], 2020),
        (["© Author(s) (or their employer(s)) 2020. Re-use permitted"], 2020),
        (["© 2021 The Authors", "Published online: 5 May 2020"], 2020),
        (["Received 3 May 2018"], None),
        (["Articles published before March 2018 were searched in 2019"], None),
        ([], None),
    ],
)
def test_year(lines, year):
    assert printed_year(make_blocks([text(line, 100 + 40 * k) for k, line in enumerate(lines)], 1)) == year
