"""How much of a page's text cannot be trusted: what no code stands for, and what is printed twice in one place.

    share = damaged_share(codes, boxes)              # of the glyphs of one page
    page = reread(path, page, password)              # by docling-parse, where that reads it better

One font without a map from glyphs to characters spoils all figures of a publisher; the share says so.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from dataset_builder.readers.article import TextDamage
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent

DAMAGED_SHARE = 0.05  # of a page's glyphs; symbol fonts of formulas and bullets stay below 0.02 on 150 articles
MIN_GLYPHS = 50  # fewer tell nothing
PRIVATE_USE = (0xE000, 0xF8FF)  # codes that each font gives a meaning of its own
REPLACEMENT = 0xFFFD
PLACE_PT = 1.0  # two glyphs of one code nearer than this are one, printed twice
TWIN_SHARE = 0.5  # of a word's area on which the same word stands: it is printed twice
LINE_BAND_PT = 20  # words are looked for in the bands that a line touches
Word = tuple[str, Box]
_GLYPH_NAME = re.compile(r"GLYPH<[^>]*>|glyph<[^>]*>|/[a-z]\d{1,4}(?=/|$)")  # docling-parse's word for an unknown one


def damaged_share(codes: np.ndarray, boxes: np.ndarray, known: float = 1.0) -> float:
    """The share, 0-1, of the glyphs that mean nothing or are printed twice; 0 on a page with few.

    `codes` (glyphs,) are code points, `boxes` (glyphs, 4) in points; `known` is the share whose font has a map.
    """
    if len(codes) < MIN_GLYPHS:
        return 0.0
    meaningless = (codes == 0) | (codes == REPLACEMENT) | ((codes >= PRIVATE_USE[0]) & (codes <= PRIVATE_USE[1]))
    unmapped = max(float(meaningless.mean()), 1 - known)
    middles = np.round((boxes[:, :2] + boxes[:, 2:]) / (2 * PLACE_PT)).astype(np.int64)
    places = (codes.astype(np.int64) << 32) | ((middles[:, 0] & 0xFFFF) << 16) | (middles[:, 1] & 0xFFFF)
    places.sort()
    return max(unmapped, float((places[1:] == places[:-1]).mean()))


def text_damage(pages: list[PageContent]) -> TextDamage | None:
    """`pages` (1-based) whose text is damaged, and the largest `share` of their glyphs; None where all are sound."""
    damaged = [page for page in pages if page.damage > DAMAGED_SHARE]
    if not damaged:
        return None
    return TextDamage(pages=[page.number for page in damaged], share=round(max(page.damage for page in damaged), 3))


# ---- a second reading ----


def reread(path: Path, pages: list[PageContent], password: str | None) -> list[PageContent]:
    """The pages, the damaged ones with docling-parse's words in their lines where fewer of these mean nothing."""
    if not any(page.damage > DAMAGED_SHARE for page in pages):
        return pages
    from docling_parse.pdf_parser import DoclingPdfParser  # takes a second to import

    try:
        document = DoclingPdfParser(loglevel="fatal").load(str(path), password=password)
    except (RuntimeError, ValueError):
        return pages
    try:
        return [_better(document, page) if page.damage > DAMAGED_SHARE else page for page in pages]
    finally:
        document.unload()


def _better(document, page: PageContent) -> PageContent:
    try:
        cells = document.get_page(page.number).word_cells
    except (RuntimeError, ValueError, IndexError):
        return page
    words = []
    for cell in cells:
        box = cell.rect.to_bounding_box().to_top_left_origin(page.height)
        words.append((_GLYPH_NAME.sub(chr(REPLACEMENT), cell.text), Box(box.l, box.t, box.r, box.b)))
    return with_words(page, words)


def with_words(page: PageContent, words: list[Word]) -> PageContent:
    """The upright page with these words in its lines, if fewer of their characters are damaged than it has."""
    if page.turn or sum(len(text) for text, _ in words) < MIN_GLYPHS:
        return page
    share = _words_damage(words)
    return replace(page, lines=_relined(page.lines, words), damage=share) if share < page.damage else page


def _words_damage(words: list[Word]) -> float:
    """`damaged_share` of the letters of words; each stands, as if set very tight, behind its word's left edge."""
    codes = np.array([ord(letter) for text, _ in words for letter in text])
    places = [(box.x0 + 2 * PLACE_PT * k, box.y0) * 2 for text, box in words for k in range(len(text))]
    return damaged_share(codes, np.array(places))


def _relined(lines: list[Line], words: list[Word]) -> list[Line]:
    """The lines with the words whose middles lie in them; a line without any stays as it is."""
    bands: dict[int, list[Word]] = defaultdict(list)
    for text, box in words:
        bands[int((box.y0 + box.y1) / 2 // LINE_BAND_PT)].append((text, box))
    read = []
    for line in lines:
        near = range(int(line.box.y0 // LINE_BAND_PT), int(line.box.y1 // LINE_BAND_PT) + 1)
        inside = [word for band in near for word in bands.get(band, ()) if _is_inside(word[1], line.box)]
        text = " ".join(_without_twins(sorted(inside, key=lambda word: word[1].x0)))
        read.append(replace(line, text=text) if text and line.turn == 0 else line)
    return read


def _without_twins(words: list[Word]) -> Iterator[str]:
    """The words from left to right, those of a second layer left out."""
    before: Word | None = None
    for text, box in words:
        if before is None or text != before[0] or box.overlap(before[1]) <= TWIN_SHARE * box.area:
            yield text
            before = (text, box)


def _is_inside(word: Box, line: Box) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return line.x0 <= x <= line.x1 and line.y0 <= y <= line.y1
