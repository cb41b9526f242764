"""Blocks become paragraphs and Markdown."""

import pytest
from docling_core.types.doc import (
    BoundingBox,
    DocItemLabel,
    DoclingDocument,
    ProvenanceItem,
    TableCell,
    TableData,
)

from dataset_builder.readers.pdf.docling_pages import tables_of
from dataset_builder.readers.pdf.layout.blocks import make_blocks
from dataset_builder.readers.pdf.layout.boxes import Box
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
    parts = to_markdown(join_paragraphs(found.blocks), found, "Low doses in painful joints of many", {}).split("\n\n")
    assert parts[:2] == ["# Low doses in painful joints of many", "## Results"]
    assert parts[2].startswith(LONG)
    assert parts[3:] == ["Dose | 0.5 | 1.0"]


def markdown(lines, title="Low doses in painful joints of many", tables=()):
    found = lay_out([PageContent(1, 595, 842, lines)])
    return to_markdown(join_paragraphs(found.blocks), found, title, {1: tables})


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


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_table_that_docling_reads_stands_in_the_place_of_its_cells(turn):
    """docling-core's own document: its models, which fill the cells, need weights."""
    body = column(50, 130, 5)
    body[-1].text += "."
    rows = [["Dose", "Pain"], ["0.5 Gy", "3 of 4"]]
    cells = [
        line(text, 50 + 120 * k, 250 + 14 * row, 60) for row, texts in enumerate(rows) for k, text in enumerate(texts)
    ]
    below = [line(f"{LONG} {k}", 50, 400 + 12 * k) for k in range(3)]
    below[-1].text += "."
    lines = [TITLE, *body, *cells, *below]
    page = PageContent(1, 595, 842, lines, turn=turn)
    document = document_with_table(rows, page, Box(45, 240, 250, 280))
    [table] = tables_of(document, [page])[1]
    assert "| Dose" in table.markdown
    assert "Table 1" not in table.markdown  # its caption is printed where captions are
    parts = markdown(lines, tables=[table]).split("\n\n")
    assert [part.split()[0] for part in parts] == ["#", "The", "|", "The"]
    assert parts[2] == table.markdown
    assert parts[2].splitlines()[2].split() == ["|", "0.5", "Gy", "|", "3", "of", "4", "|"]


def document_with_table(rows, page, box):
    """A document of docling's with one table, which stands in a box of the upright page."""
    document = DoclingDocument(name="a")
    cells = [
        TableCell(
            text=text,
            start_row_offset_idx=row,
            end_row_offset_idx=row + 1,
            start_col_offset_idx=column,
            end_col_offset_idx=column + 1,
            column_header=row == 0,
        )
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
    ]
    shown = page.display_box(box)
    bbox = BoundingBox(l=shown.x0, t=shown.y0, r=shown.x1, b=shown.y1).to_bottom_left_origin(page.display_height)
    caption = document.add_text(label=DocItemLabel.CAPTION, text="Table 1. Doses")
    data = TableData(num_rows=len(rows), num_cols=len(rows[0]), table_cells=cells)
    document.add_table(data, caption=caption, prov=ProvenanceItem(page_no=1, bbox=bbox, charspan=(0, 0)))
    empty = TableData(num_rows=0, num_cols=0, table_cells=[])
    document.add_table(empty, prov=ProvenanceItem(page_no=1, bbox=bbox, charspan=(0, 0)))
    return document
