"""Drawings of a page are found as pypdfium2 finds them, also in forms; and boxes are turned as by their matrix."""

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c
import pytest
from reportlab.pdfgen.canvas import Canvas

from dataset_builder.readers.pdf.page.graphics import MAX_FORM_DEPTH, drawn_objects, graphics
from dataset_builder.readers.pdf.page.matrices import display_matrix, transform, turn_matrix

KINDS = [pdfium_c.FPDF_PAGEOBJ_PATH, pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_SHADING]


def page_of_forms(path, depth: int) -> pypdfium2.PdfPage:
    """A page with text and a rectangle, and forms in forms, each with text and a rectangle of its own."""
    canvas = Canvas(str(path))
    for level in reversed(range(depth)):
        canvas.beginForm(f"form{level}")
        canvas.drawString(40, 40, "text in a form")
        canvas.rect(50, 60 + 20 * level, 100, 10, fill=1)
        if level + 1 < depth:
            canvas.doForm(f"form{level + 1}")
        canvas.endForm()
    canvas.drawString(40, 700, "text")
    canvas.rect(300, 600, 50, 50, fill=1)
    if depth:
        canvas.translate(10, 20)
        canvas.doForm("form0")
    canvas.save()
    return pypdfium2.PdfDocument(path)[0]


@pytest.mark.parametrize("depth", [0, 1, 3, MAX_FORM_DEPTH, MAX_FORM_DEPTH + 3])
def test_the_same_objects_as_pypdfium2s_in_the_same_order(tmp_path, depth):
    page = page_of_forms(tmp_path / "forms.pdf", depth)
    expected = [
        (item.type, item.level, item.get_bounds()) for item in page.get_objects(KINDS, max_depth=MAX_FORM_DEPTH)
    ]
    assert [(item.type, item.level, item.get_bounds()) for item in drawn_objects(page)] == expected
    assert len(expected) == 1 + min(depth, MAX_FORM_DEPTH - 1)


def test_a_shape_in_a_form_stands_where_the_form_puts_it(tmp_path):
    page = page_of_forms(tmp_path / "forms.pdf", 1)
    _, shapes = graphics(page, display_matrix(page))
    height = page.get_height()
    assert (shapes[1].x0, height - shapes[1].y1) == pytest.approx((60, 80), abs=1)  # 50, 60 moved by 10, 20; its line


@pytest.mark.parametrize("turn", range(4))
def test_boxes_are_turned_as_their_corners_are(turn):
    boxes = np.random.default_rng(turn).uniform(0, 400, (50, 4))
    matrix = turn_matrix(turn, 500, 700)
    one, other = (np.column_stack([boxes[:, k : k + 2], np.ones(50)]) @ matrix for k in (0, 2))
    expected = np.hstack([np.minimum(one, other)[:, :2], np.maximum(one, other)[:, :2]])
    assert transform(boxes, matrix) == pytest.approx(expected)
