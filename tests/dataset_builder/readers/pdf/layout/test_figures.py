"""Captions and drawings brought together, on pages written down by hand; whole PDFs are in test_reader.py."""

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.figures import lay_out
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent

PROSE = "The joints were treated with low doses on three days of every week"


def line(text, x, y, width=None, size=8.0, font="Arial"):
    return Line(text, Box(x, y, x + (width or 4.0 * len(text)), y + size), size, font, font)


def prose(x, y, count, width=240):
    return [line(PROSE, x, y + 12 * k, width, 10.0, "Times") for k in range(count)]


def page(lines=(), images=(), shapes=(), number=1):
    return PageContent(number, 595, 842, list(lines), list(images), list(shapes))


def regions(layout):
    return {figure.key: [tuple(round(v) for v in part.box) for part in figure.parts] for figure in layout.figures}


def test_running_text_between_them_parts_caption_and_picture():
    picture = Box(50, 100, 290, 250)
    lines = [*prose(50, 300, 5), line("Figure 1. Dose in the joint.", 50, 380), *prose(310, 100, 30)]
    assert regions(lay_out([page(lines, [picture])])) == {"1": []}


def test_pictures_of_one_column_do_not_join_those_of_the_other():
    lines = [
        line("Figure 1. Dose.", 50, 260),
        *prose(50, 290, 20),
        *prose(310, 60, 12),
        line("Figure 2. Pain.", 310, 420),
        *prose(310, 450, 8),
    ]
    layout = lay_out([page(lines, [Box(50, 100, 290, 250), Box(310, 260, 550, 410)])])
    assert regions(layout) == {"1": [(50, 100, 290, 250)], "2": [(310, 260, 550, 410)]}


def test_chart_of_set_text_is_no_figure_but_a_drawn_one_is():
    words = [*prose(50, 60, 10), line("Chart 1. Terms used here.", 50, 190), *prose(50, 220, 5)]
    assert lay_out([page(words)]).figures == []
    drawn = lay_out(
        [page(words[:10] + [line("Chart 1. Terms.", 50, 400), *prose(50, 440, 5)], [Box(50, 200, 290, 390)])]
    )
    assert [figure.label for figure in drawn.figures] == ["Chart 1"]


def test_unset_caption_without_picture_is_running_text_where_others_are_set():
    lines = [
        line("Figure 1. Dose in the joint.", 50, 260),
        *prose(50, 290, 8),
        line("Figure 2. Dose", 50, 420, 60, 10.0, "Times"),
        *prose(50, 460, 8),
    ]
    assert regions(lay_out([page(lines, [Box(50, 100, 290, 250)])])) == {"1": [(50, 100, 290, 250)]}


def test_blocks_leave_out_captions_pictures_and_heads():
    lines = [*prose(50, 60, 3), line("dose", 100, 150), line("Figure 1. Dose.", 50, 260), *prose(50, 290, 20)]
    layout = lay_out([page(lines, [Box(50, 110, 290, 250)])])
    assert {entry.text for block in layout.blocks for entry in block.lines} == {PROSE}


def test_nothing_gives_nothing():
    assert lay_out([]).figures == []
    assert lay_out([page()]).blocks == []
