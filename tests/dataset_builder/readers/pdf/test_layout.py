"""Lines → paragraphs in reading order, on lines written down by hand."""

import pytest

from dataset_builder.readers.pdf.layout import (
    Block,
    Box,
    Line,
    PageContent,
    Style,
    join_fragments,
    join_lines,
    make_blocks,
    reading_order,
    without_doubles,
    without_running_heads,
)

LONG = "The joints were treated with low doses on three days of every week"


def line(text, x, y, width=None, size=10.0, font="Times", turn=0):
    return Line(text, Box(x, y, x + (width or 5.0 * len(text)), y + size), size, font, font, turn)


def column(x, y, count, width=240, text=LONG):
    return [line(f"{text} {k}", x, y + 12 * k, width) for k in range(count)]


def test_boxes_measure_gaps_and_shares():
    a, b = Box(0, 0, 10, 10), Box(13, 14, 20, 20)
    assert a.gap(b) == 5
    assert a.overlap(b) == 0
    assert a.hull(b) == Box(0, 0, 20, 20)
    assert Box(5, 5, 15, 15).share_in(a) == 0.25
    assert Box(3, 3, 3, 9).share_in(a) == 0


@pytest.mark.parametrize("turn", range(4))
def test_display_and_upright_boxes_are_inverse(turn):
    page = PageContent(1, 600, 800, turn=turn)
    box = Box(10, 20, 110, 50)
    assert page.upright_box(page.display_box(box)) == box
    width, height = (800, 600) if turn % 2 else (600, 800)
    assert all(0 <= v <= limit for v, limit in zip(page.display_box(box), (width, height) * 2, strict=True))


def test_pieces_of_a_baseline_are_one_line_but_columns_are_not():
    pieces = [line("dose of", 50, 100, 40), line("0.5 Gy", 93, 100, 30), line("right column", 300, 101, 60)]
    assert [entry.text for entry in join_fragments(pieces[::-1])] == ["dose of 0.5 Gy", "right column"]
    assert [entry.text for entry in join_fragments([line("radia", 50, 100, 25), line("tion", 75, 100, 20)])] == [
        "radiation"
    ]


def test_superscript_joins_its_word():
    raised = Line("2", Box(70, 96, 73, 102), 6.0, "Times", "Times")
    assert [entry.text for entry in join_fragments([line("10 cm", 50, 98, 20), raised])] == ["10 cm2"]


def test_text_printed_twice_counts_once():
    lines = [line("Figure 1. Dose", 50, 100), line("Figure 1. Dose", 50.4, 103), line("Figure 1. Dose", 50, 300)]
    assert [entry.box.y0 for entry in without_doubles(lines)] == [100, 300]


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


def test_running_heads_are_peeled_from_the_edge_and_end_at_captions():
    pages = []
    for number in range(1, 5):
        lines = [
            line("Synthetic Journal 12 (2020)", 50, 20, size=8),
            line(f"Figure {number}. Pain of the patients", 50, 36),
            line("who took part until the end", 50, 48),
            *column(50, 200, 3),
            line(str(number), 290, 810, size=8),
        ]
        pages.append(PageContent(number, 595, 842, lines))
    kept = [[entry.text for entry in lines] for lines in without_running_heads(pages)]
    assert kept[2] == [
        "Figure 3. Pain of the patients",
        "who took part until the end",
        *[f"{LONG} {k}" for k in range(3)],
    ]


def test_heads_turned_along_the_edge_are_running_heads_too():
    head = Line("downloaded on 3 May", Box(580, 300, 588, 500), 8.0, turn=1)
    pages = [PageContent(number, 595, 842, [head, *column(50, 300, 2)]) for number in (1, 2, 3)]
    assert all(len(lines) == 2 for lines in without_running_heads(pages))


@pytest.mark.parametrize(
    ("lines", "words", "joined"),
    [
        (["The inflam-", "mation fell"], [], "The inflammation fell"),
        (["a low-", "dose group"], ["low-dose"], "a low-dose group"),
        (["a low-", "dose group"], ["low-dose", "lowdose"], "a lowdose group"),
        (["IL-", "3 and", "IFN-", "Gamma"], [], "IL-3 and IFN-Gamma"),
        (["doses of 0.5–", "1 Gy and/", "or more"], [], "doses of 0.5–1 Gy and/or more"),
        ([], [], ""),
    ],
)
def test_lines_are_joined_and_hyphens_mended(lines, words, joined):
    assert join_lines(lines, frozenset(words)) == joined


def test_style_is_that_of_most_characters():
    pages = [PageContent(1, 595, 842, [*column(50, 100, 30), line("Table cells", 50, 700, size=7, font="Arial")])]
    style = Style.of(pages)
    assert (style.size, style.font, style.column_width, style.pitch_em) == (10.0, "Times", 240.0, 1.2)
    assert style.is_body(pages[0].lines[0])
    assert not style.is_body(pages[0].lines[-1])


def test_style_of_nothing():
    assert Style.of([]).size == 10.0


def test_prose_and_headings():
    style = Style.of([PageContent(1, 595, 842, column(50, 100, 30))])
    assert Block(column(50, 100, 3), 1).is_prose
    assert not Block([line("0.5 Gy", 50, 100), line("1.0 Gy", 50, 112)], 1).is_prose
    assert Block([line("Patients and methods", 50, 100, size=13)], 1).is_heading(style)
    assert not Block([line("Patients and methods", 50, 100)], 1).is_heading(style)
