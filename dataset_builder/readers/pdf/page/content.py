"""One page of a PDF, by pdfium -> `PageContent`: text lines, bitmap boxes, vector boxes; and crops of it, rendered.

Boxes are in points, origin top left, of the page turned so that most of its text stands upright ("reading space").
`PageContent.display_box` leads back to the page as a viewer shows it.
"""

import io
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pypdfium2
from PIL import Image

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.readers.pdf.page.glyphs import Glyphs
from dataset_builder.readers.pdf.page.graphics import graphics
from dataset_builder.readers.pdf.page.matrices import display_matrix, turn_matrix

POINTS_PER_INCH = 72
OVER_TOP_PT = 1  # a line may start this far above the page
SCAN_SHARE = 0.85  # of the page: a bitmap that covers more, with text on it, is a scanned page
MAX_SCAN_SIDE_PT = 4000  # larger pages are posters and not rendered as a whole
INK_LEVEL = 200  # of 255: darker is ink
MIN_INK_SIDE_PT = 4  # smaller specks are dirt
INK_MARGIN_PT = 1  # around a recognised line, in which ink is its own
THUMBNAIL_SCALE = 0.5  # pixels a point
THUMBNAIL_QUALITY = 60  # of JPEG, 1-95


def read_page(page: pypdfium2.PdfPage, number: int) -> PageContent:
    """Lines, bitmaps and vector shapes of one page; `number` is its 1-based place in the file."""
    to_display = display_matrix(page)
    width, height = page.get_size()
    text = page.get_textpage()
    try:
        glyphs = Glyphs(text, to_display)
        turn = glyphs.dominant_turn()
        upright = turn_matrix(turn, width, height)
        lines, damage = list(glyphs.lines(turn, upright)), glyphs.damage()
    finally:
        text.close()
    images, shapes = graphics(page, to_display @ upright)
    if turn % 2:
        width, height = height, width
    lines = [line for line in lines if _is_on_page(line.box, width, height)]
    return PageContent(number, width, height, lines, images, shapes, turn, damage)


def _is_on_page(box: Box, width: float, height: float) -> bool:
    return box.x1 >= 0 and box.x0 <= width and -OVER_TOP_PT <= box.y0 <= height


# ---- rendered ----


def crop(page: pypdfium2.PdfPage, box: Box, turn: int, dpi: int, max_side_px: int) -> Image.Image:
    """The part `box` (points, display space) of the rendered page, RGB, turned upright, at `dpi` at most."""
    width, height = page.get_size()
    box = Box(max(0, box.x0), max(0, box.y0), min(width, box.x1), min(height, box.y1))
    scale = min(dpi / POINTS_PER_INCH, max_side_px / max(box.width, box.height))
    margins = (box.x0, height - box.y1, width - box.x1, box.y0)
    picture = _rendered(page, scale=scale, crop=margins)
    return picture.rotate(-90 * turn, expand=True) if turn else picture


class ShownPages:
    """The pages of a document while the figures on them are cut out: the last one stays open, thumbnails are kept.

    A page often has several figures, and pdfium keeps the bitmaps of an open page decoded.
    """

    def __init__(self, document: pypdfium2.PdfDocument):
        self._document = document
        self._page: tuple[int, pypdfium2.PdfPage] | None = None
        self._thumbnails: dict[int, bytes | None] = {}

    def page(self, number: int) -> pypdfium2.PdfPage:
        """The page of this number, 1-based. Raises PdfiumError where it cannot be loaded."""
        if self._page is None or self._page[0] != number:
            self._page = number, self._document[number - 1]
        return self._page[1]

    def thumbnail(self, number: int) -> bytes | None:
        """As `page_thumbnail`."""
        if number not in self._thumbnails:
            self._thumbnails[number] = page_thumbnail(self.page(number))
        return self._thumbnails[number]


def page_thumbnail(page: pypdfium2.PdfPage) -> bytes | None:
    """The page as displayed, as JPEG, half a pixel a point: the preview draws a figure's `bbox` on it. No posters."""
    if max(page.get_size()) > MAX_SCAN_SIDE_PT:
        return None
    picture = _rendered(page, scale=THUMBNAIL_SCALE)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()


def _rendered(page: pypdfium2.PdfPage, **how: Any) -> Image.Image:
    """The page as displayed, RGB: `rev_byteorder` gives that, so that no conversion copies it once more."""
    return page.render(rev_byteorder=True, limit_image_cache=True, **how).to_pil()


# ---- scans ----


def is_scan(content: PageContent) -> bool:
    """Whether a page is one picture, with its text recognised and laid over it."""
    if not content.lines or max(content.width, content.height) > MAX_SCAN_SIDE_PT:
        return False
    return any(box.area > SCAN_SHARE * content.width * content.height for box in content.images)


def with_ink(page: pypdfium2.PdfPage, content: PageContent) -> PageContent:
    """A scanned page with its ink, besides the lines of text, in place of its drawings."""
    grey = page.render(grayscale=True).to_pil().rotate(-90 * content.turn, expand=True)
    return replace(content, images=[], shapes=ink_boxes(np.asarray(grey), content.lines))


def ink_boxes(grey: np.ndarray, lines: list[Line]) -> list[Box]:
    """Boxes around what is drawn on a page, besides its recognised lines of text.

    `grey` is uint8 (height, width), one pixel a point.
    """
    ink = (grey < INK_LEVEL).astype(np.uint8)
    for line in lines:
        x0, y0, x1, y1 = (round(v) for v in line.box.grow(INK_MARGIN_PT))
        ink[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1] = 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    pieces = stats[1:]  # the first row is the ground
    boxes = [Box(float(x), float(y), float(x + width), float(y + height)) for x, y, width, height, _ in pieces]
    return [box for box in boxes if max(box.width, box.height) >= MIN_INK_SIDE_PT]
