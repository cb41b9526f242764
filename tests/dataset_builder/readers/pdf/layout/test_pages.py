"""Pages turned and turned back, and how running text is set."""

import pytest

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from tests.dataset_builder.readers.pdf.layout.by_hand import column, line


@pytest.mark.parametrize("turn", range(4))
def test_display_and_upright_boxes_are_inverse(turn):
    page = PageContent(1, 600, 800, turn=turn)
    box = Box(10, 20, 110, 50)
    assert page.upright_box(page.display_box(box)) == box
    width, height = (800, 600) if turn % 2 else (600, 800)
    assert all(0 <= v <= limit for v, limit in zip(page.display_box(box), (width, height) * 2, strict=True))


def test_style_is_that_of_most_characters():
    pages = [PageContent(1, 595, 842, [*column(50, 100, 30), line("Table cells", 50, 700, size=7, font="Arial")])]
    style = Style.of(pages)
    assert (style.size, style.font, style.column_width, style.pitch_em) == (10.0, "Times", 240.0, 1.2)
    assert style.is_body(pages[0].lines[0])
    assert not style.is_body(pages[0].lines[-1])


def test_style_of_nothing():
    assert Style.of([]).size == 10.0
