"""Running heads, feet and page numbers."""

import pytest

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from dataset_builder.readers.pdf.layout.running_heads import without_running_heads
from tests.dataset_builder.readers.pdf.layout.by_hand import LONG, column, line


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
    kept = [[entry.text for entry in lines] for lines in without_running_heads(pages, Style.of(pages))]
    assert kept[2] == [
        "Figure 3. Pain of the patients",
        "who took part until the end",
        *[f"{LONG} {k}" for k in range(3)],
    ]


def test_heads_turned_along_the_edge_are_running_heads_too():
    head = Line("downloaded on 3 May", Box(580, 300, 588, 500), 8.0, turn=1)
    pages = [PageContent(number, 595, 842, [head, *column(50, 300, 2)]) for number in (1, 2, 3)]
    assert all(len(lines) == 2 for lines in without_running_heads(pages, Style.of(pages)))


def own_text(number, y):
    """Five lines that no other page has."""
    return column(50, y, 5, width=450, text=LONG.replace(" ", f" {'abcd'[number - 1]}"))


@pytest.mark.parametrize(("text_y", "number_y"), [(60, 58), (730, 778)])
def test_the_line_of_text_beside_a_page_number_stays(text_y, number_y):
    pages = []
    for number in range(1, 5):
        lines = [*own_text(number, text_y), line(str(number), 540, number_y)]
        pages.append(PageContent(number, 595, 842, lines))
    kept = without_running_heads(pages, Style.of(pages))
    assert [len(lines) for lines in kept] == [5, 5, 5, 5]
    assert all(not entry.text.isdigit() for lines in kept for entry in lines)


def test_a_head_set_like_the_text_but_apart_from_it_goes_with_its_page_number():
    pages = []
    for number in range(1, 5):
        head = line(f"Authors of chapter {'abcd'[number - 1]}", 50, 30)
        pages.append(PageContent(number, 595, 842, [head, line(str(number), 540, 30), *own_text(number, 90)]))
    assert [len(lines) for lines in without_running_heads(pages, Style.of(pages))] == [5, 5, 5, 5]


@pytest.mark.parametrize(
    ("letter", "stays"), [("(a)", True), ("A", True), ("b)", True), ("(ab)", False), ("IV", False)]
)
@pytest.mark.parametrize("number_y", [30, 52])
def test_the_letters_of_panels_at_the_top_of_many_pages_are_no_running_heads(letter, stays, number_y):
    """Figures fill the tops of the pages: the same letter is at the same place, maybe level with the page number."""
    pages = []
    for number in range(1, 5):
        lines = [line(letter, 50, 50), line(str(number), 540, number_y), *own_text(number, 300)]
        pages.append(PageContent(number, 595, 842, lines))
    kept = without_running_heads(pages, Style.of(pages))
    assert [letter in [entry.text for entry in lines] for lines in kept] == [stays] * 4
    assert all(not entry.text.isdigit() for lines in kept for entry in lines)
