"""Text comes from glyphs: several codes in one place are one, and what is printed twice is read once."""

import pytest

from tests.dataset_builder.readers.pdf.press import Font, content_of, write_pdf


def texts(path) -> list[str]:
    return [line.text for line in content_of(path).lines]


@pytest.mark.parametrize(
    ("stands_for", "printed", "read"),
    [
        ("Th", b"\x80e cells grew", "The cells grew"),
        ("fi", b"the \x80rst ones", "the first ones"),
        ("ffi", b"the e\x80cacy", "the efficacy"),
        ("ff", b"the e\x80ect", "the effect"),
        ("fj", b"a \x80ord", "a fjord"),
        ("\U0001d45b", b"(\x80 = 65)", "(n = 65)"),
        ("\U0001d6fc", b"TNF-\x80 rose", "TNF-\u03b1 rose"),
        ("\U0001d443", b"\x80 < 0.01", "P < 0.01"),
        ("\U00020000", b"\x80 stays", "\U00020000 stays"),
        ("\ufb03", b"the e\x80cacy", "the efficacy"),
    ],
)
def test_one_glyph_of_several_codes_stays_in_its_line(tmp_path, stands_for, printed, read):
    content = b"BT /F0 10 Tf 60 700 Td (" + printed.replace(b"(", b"\\(").replace(b")", b"\\)") + b") Tj ET"
    assert texts(write_pdf(tmp_path / "a.pdf", content, [Font(to_unicode={0x80: stands_for})])) == [read]


def test_half_a_pair_is_a_replacement_character(tmp_path):
    font = Font()
    font.cmap = lambda: Font(to_unicode={0x80: "x"}).cmap().replace(b"<0078>", b"<D835>")
    content = b"BT /F0 10 Tf 60 700 Td (a \x80 b) Tj ET"
    assert texts(write_pdf(tmp_path / "a.pdf", content, [font])) == ["a \ufffd b"]


@pytest.mark.parametrize(
    "other", ["Helvetica", "Helvetica-Oblique"]
)  # of one font, pdfium leaves the second out itself
@pytest.mark.parametrize(("printed", "stands_for", "read"), [(b"I", "I", "I"), (b"\x80", "Th", "Th")])
def test_a_letter_printed_twice_in_its_place_is_read_once(tmp_path, other, printed, stands_for, read):
    fonts = [Font(to_unicode={0x80: stands_for}), Font(other, to_unicode={0x80: stands_for})]
    twice = b"BT /F%d 10 Tf 60 700 Td (" + printed + b") Tj ET\n"
    content = twice % 0 + twice % 1 + b"BT /F0 10 Tf 90 600 Td (end) Tj ET"
    assert texts(write_pdf(tmp_path / "a.pdf", content, fonts)) == [read, "end"]


def test_letters_of_words_imitated_in_bold_are_not_doubled(tmp_path):
    content = b""
    for k, letter in enumerate(b"HUNNED"):
        for font in (0, 1):
            content += b"BT /F%d 10 Tf %d 700 Td (%c) Tj ET\n" % (font, 60 + 7 * k, letter)
    assert texts(write_pdf(tmp_path / "a.pdf", content, [Font(), Font("Helvetica-Oblique")])) == ["HUNNED"]


def test_double_letters_and_double_ligatures_stay(tmp_path):
    content = b"BT /F0 10 Tf 60 700 Td (all \x80\x80 books off) Tj ET"
    assert texts(write_pdf(tmp_path / "a.pdf", content, [Font(to_unicode={0x80: "tt"})])) == ["all tttt books off"]
