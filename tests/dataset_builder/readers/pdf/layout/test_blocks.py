"""Lines become paragraphs in reading order."""

import pytest

from dataset_builder.readers.pdf.layout.blocks import Block, make_blocks, reading_order
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from tests.dataset_builder.readers.pdf.layout.by_hand import column, line


def test_blocks_end_at_gaps_sizes_and_headings():
    lines = [
        line("Results", 50, 80, size=10, font="Times-Bold"),
        *column(50, 92, 3),
        *column(50, 150, 2),
        line("a footnote in small print", 50, 174, 240, size=7),
    ]
    assert [len(block.lines) for block in make_blocks(lines, 1)] == [1, 3, 2, 1]


def test_two_columns_are_read_one_after_the_other():
    blocks = make_blocks([*column(50, 100, 3), *column(50, 160, 3), *column(310, 100, 4), *column(310, 165, 2)], 1)
    assert [(b.box.x0, b.box.y0) for b in reading_order(blocks)] == [(50, 100), (50, 160), (310, 100), (310, 165)]


def test_what_spans_both_columns_divides_the_page():
    title = line("A title over both columns", 50, 60, 500, size=16)
    middle = line("A quotation in the middle of the page set over both of its columns", 50, 300, 500, size=16)
    upper = [*column(50, 100, 4), *column(310, 100, 4)]
    lower = [*column(50, 340, 4), *column(310, 340, 4)]
    ordered = reading_order(make_blocks([*lower, middle, *upper, title], 1))
    assert [(b.box.x0, b.box.y0) for b in ordered] == [
        (50, 60),
        (50, 100),
        (310, 100),
        (50, 300),
        (50, 340),
        (310, 340),
    ]


@pytest.mark.parametrize("pictured", [50, 310])
def test_a_picture_at_the_top_of_a_column_does_not_end_it(pictured):
    other = 360 - pictured
    lines = [*column(other, 100, 8), *column(other, 300, 8), *column(pictured, 306, 8)]
    picture = Box(pictured, 96, pictured + 240, 290)
    ordered = reading_order(make_blocks(lines, 1), [picture])
    places = [(b.box.x0, b.box.y0) for b in ordered]
    assert places == sorted(places)
    assert len(places) == 3


def test_a_picture_over_both_columns_divides_them():
    lines = [*column(50, 100, 4), *column(310, 100, 4), *column(50, 500, 4), *column(310, 500, 4)]
    ordered = reading_order(make_blocks(lines, 1), [Box(50, 200, 550, 480)])
    assert [(b.box.x0, b.box.y0) for b in ordered] == [(50, 100), (310, 100), (50, 500), (310, 500)]


def test_prose_and_headings():
    style = Style.of([PageContent(1, 595, 842, column(50, 100, 30))])
    assert Block(column(50, 100, 3), 1).is_prose
    assert not Block([line("0.5 Gy", 50, 100), line("1.0 Gy", 50, 112)], 1).is_prose
    assert Block([line("Patients and methods", 50, 100, size=13)], 1).is_heading(style)
    assert not Block([line("Patients and methods", 50, 100)], 1).is_heading(style)
