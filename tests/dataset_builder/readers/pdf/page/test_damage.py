"""Text that no code stands for, or that is printed twice, is measured."""

import numpy as np
import pytest

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.readers.pdf.page.damage import DAMAGED_SHARE, damaged_share, text_damage, with_words
from dataset_builder.readers.pdf.reader import read_pdf
from tests.dataset_builder.readers.pdf.layout.by_hand import LONG, column
from tests.dataset_builder.readers.pdf.press import Font, content_of, write_pdf

TEXT = (LONG + " and all of them were well again by the end of it").encode()


def page_of(tmp_path, font: Font, lines: int = 4, times: int = 1):
    content = b"".join(
        b"BT /F%d 10 Tf 60 %d Td (%s) Tj ET\n" % (layer, 700 - 12 * k, TEXT)
        for layer in range(times)
        for k in range(lines)
    )
    return write_pdf(tmp_path / "a.pdf", content, [font, Font("Helvetica-Oblique")])


@pytest.mark.parametrize("stands_for", ["\ue041", "\uf8ff", "\ufffd"])
def test_glyphs_without_meaning_are_damage(tmp_path, stands_for):
    path = page_of(tmp_path, Font(to_unicode={ord("e"): stands_for, ord("t"): stands_for}))
    share = (TEXT.count(b"e") + TEXT.count(b"t")) / len(TEXT.replace(b" ", b""))
    assert content_of(path).damage == pytest.approx(share, abs=0.01)
    damage = read_pdf(path).text_damage
    assert damage == {"pages": [1], "share": pytest.approx(share, abs=0.01)}


def test_text_in_two_layers_is_damage_and_read_once(tmp_path):
    path = page_of(tmp_path, Font(), lines=12, times=2)  # of the last few objects pdfium leaves the twins out itself
    assert 0.3 < content_of(path).damage < 0.55
    assert read_pdf(path).markdown.count("The joints were") == 12


@pytest.mark.parametrize("to_unicode", [{}, {ord("j"): "\ue001"}, {ord("T"): "Th", ord("w"): "\u03b1"}])
def test_sound_text_has_none(tmp_path, to_unicode):
    path = page_of(tmp_path, Font(to_unicode={b: chr(b) for b in range(33, 127)} | to_unicode))
    assert content_of(path).damage < DAMAGED_SHARE
    assert read_pdf(path).text_damage is None


def test_few_glyphs_tell_nothing():
    assert damaged_share(np.zeros(10, int), np.zeros((10, 4))) == 0


def test_the_better_of_two_readings_is_kept():
    lines = column(50, 100, 3)
    page = PageContent(1, 595, 842, lines, damage=0.4)
    words = [
        (f"better{k}", Box(60 + 40 * k, 101 + 12 * row, 90 + 40 * k, 109 + 12 * row))
        for row in (0, 1, 2)
        for k in (1, 0, 2)
    ]
    read = with_words(page, words)
    assert [line.text for line in read.lines] == ["better0 better1 better2"] * 3
    assert text_damage([read]) is None
    worse = [("\ufffd" * 7, box) for _, box in words]
    assert with_words(page, worse) is page
    assert with_words(page, []) is page


def test_words_in_two_layers_are_no_better_and_never_doubled_in_a_line():
    page = PageContent(1, 595, 842, column(50, 100, 3), damage=0.4)
    places = [(row, k) for row in range(3) for k in range(3)]
    words = [(f"better{k}", Box(60 + 40 * k, 101 + 12 * row, 90 + 40 * k, 109 + 12 * row)) for row, k in places]
    assert with_words(page, words + words) is page
    shifted = [(text, Box(box.x0 + 0.6, box.y0, box.x1 + 0.6, box.y1)) for text, box in words]
    assert all("better0 better0" not in line.text for line in with_words(page, words + shifted).lines)
