"""Headings whose letters are set apart, with spaces in the file or by the distance of the letters alone."""

import pytest

from dataset_builder.readers.pdf.reader import read_pdf
from tests.dataset_builder.readers.paper import Paper, prose


def printed(tmp_path, text, spacing=0.0, font="Times-Bold"):
    """The Markdown of a page whose one heading is this text."""
    paper = Paper(tmp_path / "a.pdf")
    paper.text(60, 40, 475, "Doses in joints of many", font="Times-Bold", size=16)
    heading = paper.canvas.beginText(60, paper.height - 110)
    heading.setFont(font, 10)
    heading.setCharSpace(spacing)
    heading.textOut(text)
    heading.setCharSpace(0)
    paper.canvas.drawText(heading)
    paper.text(60, 130, 475, prose(1, 12))
    return read_pdf(paper.save()).markdown.split("\n\n")[1]


@pytest.mark.parametrize(
    ("text", "spacing", "heading"),
    [
        ("a r t i c l e   i n f o", 0, "article info"),
        ("A B S T R A C T", 0, "ABSTRACT"),
        ("R E S U L T S  A N D  D I S C U S S I O N", 0, "RESULTS AND DISCUSSION"),
        ("É T U D E", 0, "ÉTUDE"),
        ("RESULTS AND DISCUSSION", 3, "RESULTS AND DISCUSSION"),
        ("Introduction", 2.5, "Introduction"),
        ("Results of 2 0 1 4", 0, "Results of 2 0 1 4"),
    ],
)
def test_letter_spaced_headings_are_words(tmp_path, text, spacing, heading):
    assert printed(tmp_path, text, spacing) == f"## {heading}"


@pytest.mark.parametrize("text", ["A B C D E F", "n n n n n n", "T = a + b", "A D G", "x y z 1", "Group A and B"])
def test_other_single_letters_stay_apart(tmp_path, text):
    assert text in printed(tmp_path, text)


@pytest.mark.parametrize("label", ["F I G U R E  1", "F I G . 1", "F I G U R E 1 ."])
def test_letter_spaced_labels_start_captions(tmp_path, label):
    paper = Paper(tmp_path / "a.pdf")
    end = paper.text(60, 40, 475, prose(1, 12) + " The dose is low (Figure 1). " + prose(2, 4))
    paper.photo(60, end + 20, 200, 150)
    paper.canvas.setFont("Helvetica", 8)
    paper.canvas.drawString(60, paper.height - end - 190, f"{label}  Dose in the joint")
    paper.text(60, end + 220, 475, prose(3, 8))
    [figure] = read_pdf(paper.save()).figures
    assert figure.caption == "Dose in the joint"
    assert len(figure.context) == 1
