"""A figure that is one embedded bitmap -> its own pixels, where rendering the page would only blow them up.

Rendered at more pixels than it has, a sharp bitmap is smooth: its `sharpness` falls below the limit of the filters.
"""

import cv2
import numpy as np
import pypdfium2
from PIL import Image

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.readers.pdf.layout.sheets import Region
from dataset_builder.readers.pdf.page.graphics import bitmap_box, drawn_objects
from dataset_builder.readers.pdf.page.matrices import display_matrix
from dataset_builder.readers.pictures.images import detail

EDGE_PT = 1.5  # by which a crop and the bitmap in it differ at each side
MAX_STRETCH = 0.03  # by which the pixels of a bitmap are wider or higher on the page
LIKE_SIDE_PX = 32  # at this size two pictures are compared
LIKE_LEVELS = 6  # of 255: mean difference at that size between a bitmap and its rendering; a flip or a mask makes more


def own_pixels(shown: pypdfium2.PdfPage, page: PageContent, part: Region, rendered: Image.Image) -> Image.Image | None:
    """The pixels of the bitmap that is all of a figure's part, RGB, upright as `rendered` shows it.

    None where the part holds anything else, and where the rendering has no more pixels than the bitmap, or shows it
    differently: masked, turned, stretched, or in other colours.
    """
    if part.blank or not _is_one_bitmap(page, part.box):
        return None
    item = _bitmap_at(shown, page.display_box(part.box))
    if item is None:
        return None
    width, height = item.get_px_size() if page.turn % 2 == 0 else item.get_px_size()[::-1]
    stretch = width / height / (rendered.width / rendered.height)
    if width >= rendered.width or abs(stretch - 1) > MAX_STRETCH:
        return None
    try:
        bitmap = item.get_bitmap().to_pil()
    except (pypdfium2.PdfiumError, ValueError):  # a format of pixels that pdfium cannot hand out
        return None
    bitmap = bitmap if bitmap.mode == "RGB" else bitmap.convert("RGB")  # which would copy
    upright = bitmap.rotate(-90 * page.turn, expand=True) if page.turn else bitmap
    own, other = np.asarray(upright), np.asarray(rendered)
    return upright if _alike(own, other) and _detail(own) >= _detail(other) else None


def _is_one_bitmap(page: PageContent, box: Box) -> bool:
    """Whether one bitmap fills the box and nothing else is drawn or written in it."""
    bitmaps = [other for other in page.images if _touches(other, box)]
    if len(bitmaps) != 1 or not _same(bitmaps[0], box):
        return False
    others = [*page.shapes, *(line.box for line in page.lines)]
    return not any(_touches(other, box) for other in others)


def _touches(one: Box, other: Box) -> bool:
    """Whether two boxes share more than their margins."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return width > EDGE_PT and height > EDGE_PT


def _same(one: Box, other: Box) -> bool:
    pairs = zip((one.x0, one.y0, one.x1, one.y1), (other.x0, other.y0, other.x1, other.y1), strict=True)
    return all(abs(a - b) <= EDGE_PT for a, b in pairs)


def _bitmap_at(shown: pypdfium2.PdfPage, box: Box) -> pypdfium2.PdfImage | None:
    """The page's bitmap whose visible part is the box (points, display space)."""
    to_display = display_matrix(shown)
    for item in drawn_objects(shown):
        visible = bitmap_box(item, to_display) if isinstance(item, pypdfium2.PdfImage) else None
        if visible is not None and _same(visible, box):
            return item
    return None


def _alike(bitmap: np.ndarray, rendered: np.ndarray) -> bool:
    """Whether two pictures (height, width, 3) of any size show the same."""
    return float(np.abs(_small(bitmap) - _small(rendered)).mean()) <= LIKE_LEVELS


def _detail(pixels: np.ndarray) -> float:
    """Blown up it is less; more means that a mask holds what the bitmap lacks."""
    return detail(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def _small(pixels: np.ndarray) -> np.ndarray:
    """(LIKE_SIDE_PX, LIKE_SIDE_PX, 3), float."""
    side = (LIKE_SIDE_PX, LIKE_SIDE_PX)
    return cv2.resize(pixels, side, interpolation=cv2.INTER_AREA).astype(np.float32)
