"""Blocks become paragraphs and Markdown."""

import pytest

from dataset_builder.readers.pdf.layout.blocks import make_blocks
from dataset_builder.readers.pdf.layout.figures import lay_out
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.readers.pdf.text import join_paragraphs, to_markdown
from tests.dataset_builder.readers.pdf.layout.by_hand import LONG, column, line


def test_no_blocks_no_paragraphs():
    assert join_paragraphs([]) == []


def test_a_sentence_goes_on_in_the_next_column_past_a_footnote():
    first, second = column(50, 100, 3), column(310, 100, 3)
    first[-1].text, second[0].text = "which ended when the", "patients left. Then they"
    note = line("1 Clinic of Dose, Town", 50, 400, 200, size=7)
    blocks = [block for lines in (first, [note], second) for block in make_blocks(lines, 1)]
    texts = [text for _, text in join_paragraphs(blocks)]
    assert len(texts) == 2
    assert "ended when the patients left." in texts[0]
    assert texts[1] == note.text


def test_markdown_marks_title_headings_and_rows_of_cells():
    body = column(50, 112, 5)
    body[-1].text += "."  # else the first cell would be taken for the end of its sentence
    lines = [
        line("Low doses in painful joints of many", 50, 50, 400, size=18),
        line("Results", 50, 100, font="Times-Bold"),
        *body,
        *(line(cell, x, 400) for cell, x in (("Dose", 50), ("0.5", 120), ("1.0", 190))),
    ]
    found = lay_out([PageContent(1, 595, 842, lines)])
    parts = to_markdown(join_paragraphs(found.blocks), found, "Low doses in painful joints of many").split("\n\n")
    assert parts[:2] == ["# Low doses in painful joints of many", "## Results"]
    assert parts[2].startswith(LONG)
    assert parts[3:] == ["Dose | 0.5 | 1.0"]


def markdown(lines, title="Low doses in painful joints of many"):
    found = lay_out([PageContent(1, 595, 842, lines)])
    return to_markdown(join_paragraphs(found.blocks), found, title)


TITLE = line("Low doses in painful joints of many", 50, 90, 400, size=18)


def test_what_stands_above_the_title_is_furniture_and_running_text_there_is_not():
    furniture = [line("Synthetic Journal of Doses", 50, 30, 200, size=14), line("Original Article", 50, 60, size=12)]
    assert markdown([*furniture, TITLE, *column(50, 130, 5)]).startswith("# Low doses")
    assert LONG in markdown([*column(50, 30, 3), TITLE, *column(50, 130, 5)]).split("# Low doses")[0]
    assert "Original Article" in markdown([*furniture, TITLE, *column(50, 130, 5)], title=None)


def test_no_addresses_in_the_text():
    text = markdown([TITLE, *column(50, 130, 5), line("Write to: a.person@clinic.example.org", 50, 300)])
    assert "Write to:" in text
    assert "@" not in text


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("& 2013 The Authors", "\u00a9 2013 The Authors"),
        ("Copyright & 2013 Society", "Copyright \u00a9 2013 Society"),
        ("\u24d2 2013 Society", "\u00a9 2013 Society"),
        ("Smith & 2013 others", "Smith & 2013 others"),
        ("& 12 others", "& 12 others"),
    ],
)
def test_a_misread_copyright_sign_is_one(printed, read):
    body = column(50, 130, 5)
    body[-1].text += "."
    assert markdown([TITLE, *body, line(printed, 50, 300)]).endswith(read)
