"""What stands on a PDF page, read with pdfium: text lines, bitmap boxes, vector boxes; and crops of the rendered page.

Boxes are in points, origin top left, of the page turned so that most of its text stands upright ("reading space").
`PageContent.display_box` leads back to the page as a viewer shows it.
"""

import ctypes
import io
import re
from dataclasses import replace
from statistics import median

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c
from PIL import Image

from dataset_builder.readers.pdf.layout import Box, Line, PageContent

COLUMN_GAP_EM = 1.4  # a wider gap between two characters of one baseline separates two columns or cells
SPACE_GAP_EM = 0.22  # a wider gap is a space even where the file has none
MIN_LINE_OVERLAP = 0.35  # of the lower of two characters: below it they stand on different lines
MAX_CHARS_PER_PAGE = 100_000  # a dense printed page has 10,000
MAX_GRAPHICS_PER_PAGE = 60_000  # further drawings add time, not information
SCAN_SHARE = 0.85  # of the page: a bitmap that covers more, with text on it, is a scanned page
MAX_SCAN_SIDE_PT = 4000  # larger pages are posters and not rendered as a whole
INK_LEVEL = 200  # of 255: darker is ink
MIN_INK_SIDE_PT = 4  # smaller specks are dirt
MAX_FORM_DEPTH = 6  # nesting of form XObjects; cyclic ones end here
SOFT_HYPHENS = (0x02, 0xFFFE)  # pdfium's marks for a hyphen at the end of a line
SUBSET_TAG = re.compile(r"^[A-Z]{6}\+")  # "ABCDEF+Arial" is a part of Arial
LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
    | {"\u00a0": " ", "\u00ad": "-", "\u2010": "-", "\u2011": "-", "\u200b": "", "\ufeff": ""}
)


def read_page(page: pypdfium2.PdfPage, number: int) -> PageContent:
    """Lines, bitmaps and vector shapes of one page; `number` is its 1-based place in the file."""
    to_display = _display_matrix(page)
    text = page.get_textpage()
    try:
        chars = _Chars(text, to_display)
        turn = chars.dominant_turn()
        width, height = page.get_size()
        upright = _turn_matrix(turn, width, height)
        lines = [line for quarter in range(4) for line in chars.lines(quarter, upright, turn)]
    finally:
        text.close()
    images, shapes = _graphics(page, to_display @ upright)
    if turn % 2:
        width, height = height, width
    lines = [line for line in lines if line.box.x1 >= 0 and line.box.x0 <= width and -1 <= line.box.y0 <= height]
    return PageContent(number, width, height, lines, images, shapes, turn)


def crop(page: pypdfium2.PdfPage, box: Box, turn: int, dpi: int, max_side_px: int) -> Image.Image:
    """The part `box` (points, display space) of the rendered page, RGB, turned upright, at `dpi` at most."""
    width, height = page.get_size()
    box = Box(max(0, box.x0), max(0, box.y0), min(width, box.x1), min(height, box.y1))
    scale = min(dpi / 72, max_side_px / max(box.width, box.height))
    margins = (box.x0, height - box.y1, width - box.x1, box.y0)
    picture = page.render(scale=scale, crop=margins, rev_byteorder=True, limit_image_cache=True).to_pil().convert("RGB")
    return picture.rotate(-90 * turn, expand=True) if turn else picture


def page_thumbnail(page: pypdfium2.PdfPage) -> bytes | None:
    """The page as displayed, as JPEG, half a pixel a point: the preview draws a figure's `bbox` on it. No posters."""
    if max(page.get_size()) > MAX_SCAN_SIDE_PT:
        return None
    buffer = io.BytesIO()
    picture = page.render(scale=0.5, rev_byteorder=True, limit_image_cache=True).to_pil().convert("RGB")
    picture.save(buffer, format="JPEG", quality=60)
    return buffer.getvalue()


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
    """Boxes around what is drawn on a page of one pixel a point, besides its recognised lines of text."""
    ink = (grey < INK_LEVEL).astype(np.uint8)
    for line in lines:
        x0, y0, x1, y1 = (round(v) for v in line.box.grow(1))
        ink[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1] = 0
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    boxes = [Box(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h, _ in stats[1:]]
    return [box for box in boxes if max(box.width, box.height) >= MIN_INK_SIDE_PT]


def _display_matrix(page: pypdfium2.PdfPage) -> np.ndarray:
    """3x3 matrix (row vectors) from PDF user space to the displayed page, origin top left."""
    left, bottom, right, top = page.get_bbox()
    rotation = page.get_rotation()
    if rotation == 90:
        rows = [[0, 1, 0], [1, 0, 0], [-bottom, -left, 1]]
    elif rotation == 180:
        rows = [[-1, 0, 0], [0, 1, 0], [right, -bottom, 1]]
    elif rotation == 270:
        rows = [[0, -1, 0], [-1, 0, 0], [top, right, 1]]
    else:
        rows = [[1, 0, 0], [0, -1, 0], [-left, top, 1]]
    return np.array(rows, float)


def _turn_matrix(turn: int, width: float, height: float) -> np.ndarray:
    """3x3 matrix that turns a displayed page of this size by `turn` quarters clockwise."""
    rows = {
        0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        1: [[0, 1, 0], [-1, 0, 0], [height, 0, 1]],
        2: [[-1, 0, 0], [0, -1, 0], [width, height, 1]],
        3: [[0, -1, 0], [1, 0, 0], [0, width, 1]],
    }
    return np.array(rows[turn], float)


def _apply(matrix: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Boxes (n, 4) as x0, y0, x1, y1 through a matrix that keeps them axis-parallel, corners sorted again."""
    a = boxes[:, :2] @ matrix[:2, :2] + matrix[2, :2]
    b = boxes[:, 2:] @ matrix[:2, :2] + matrix[2, :2]
    return np.hstack([np.minimum(a, b), np.maximum(a, b)])


class _Chars:
    """The characters of a page as arrays, in the order of the file."""

    def __init__(self, text: pypdfium2.PdfTextPage, to_display: np.ndarray):
        self.raw = text.raw
        count = min(text.count_chars(), MAX_CHARS_PER_PAGE)
        self.codes = [pdfium_c.FPDFText_GetUnicode(self.raw, i) for i in range(count)]
        rects = (pdfium_c.FS_RECTF * count)()
        for i in range(count):
            pdfium_c.FPDFText_GetLooseCharBox(self.raw, i, rects[i])
        # FS_RECTF is left, top, right, bottom
        self.boxes = np.frombuffer(rects, np.float32).reshape(count, 4).astype(float)[:, [0, 3, 2, 1]]
        self.boxes = _apply(to_display, self.boxes)
        angles = np.array([pdfium_c.FPDFText_GetCharAngle(self.raw, i) for i in range(count)])
        # pdfium's angles run clockwise in user space; the page may be displayed turned
        shown = np.arctan2(-to_display[0, 1], to_display[0, 0]) - angles
        self.quarters = np.round(shown / (np.pi / 2)).astype(int) % 4
        blank = np.array([code <= 32 or code in (0xA0, 0x3000) for code in self.codes], bool)
        self.boxes[~np.isfinite(self.boxes).all(axis=1)] = 0
        area = (self.boxes[:, 2] > self.boxes[:, 0]) & (self.boxes[:, 3] > self.boxes[:, 1])
        self.solid = area & ~blank

    def dominant_turn(self) -> int:
        """Quarters by which the page must be turned clockwise for most of its text to stand upright."""
        counts = np.bincount(self.quarters[self.solid], minlength=4)
        return int(counts.argmax()) if counts.any() else 0

    def lines(self, quarter: int, upright: np.ndarray, turn: int) -> list[Line]:
        """Runs of characters on one baseline among those that are turned by `quarter` on the displayed page."""
        index = np.flatnonzero(self.solid & (self.quarters == quarter))
        if not len(index):
            return []
        boxes = _apply(upright, self.boxes[index])
        own = (quarter - turn) % 4  # how these characters still stand once the page is upright
        flat = _lay_flat(boxes, own)
        starts, spaced = self._breaks(index, flat)
        bounds = [*starts, len(index)]
        return [
            self._line(index[a:b], boxes[a:b], spaced[a:b], own) for a, b in zip(bounds[:-1], bounds[1:], strict=True)
        ]

    def _breaks(self, index: np.ndarray, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where a new line starts, and before which characters a space stands."""
        x0, y0, x1, y1 = flat.T
        heights = y1 - y0
        size = np.maximum(heights[1:], heights[:-1])
        gap = x0[1:] - x1[:-1]
        overlap = np.minimum(y1[1:], y1[:-1]) - np.maximum(y0[1:], y0[:-1])
        together = (overlap > MIN_LINE_OVERLAP * np.minimum(heights[1:], heights[:-1])) & (gap < COLUMN_GAP_EM * size)
        together &= gap > -1.0 * size
        starts = np.flatnonzero(np.concatenate([[True], ~together]))
        space = (np.diff(index) > 1) | (gap > SPACE_GAP_EM * size)
        return starts, np.concatenate([[False], space])

    def _line(self, index: np.ndarray, boxes: np.ndarray, spaced: np.ndarray, turn: int) -> Line:
        codes = [self.codes[i] for i in index]
        text = "".join(
            (" " if space and k else "") + chr(code)
            for k, (code, space) in enumerate(zip(codes, spaced.tolist(), strict=True))
        )
        last = int(index[-1])
        if last + 1 < len(self.codes) and self.codes[last + 1] in SOFT_HYPHENS:
            text += "-"
        first_font = self._font(int(index[0]))
        middle = int(index[len(index) // 2])
        sizes = sorted(self._size(int(i)) for i in index[:: max(1, len(index) // 4)])
        # medians across the line: sub- and superscripts do not move it
        low, high = (0, 2) if turn % 2 else (1, 3)
        edges = [*boxes[:, :2].min(0), *boxes[:, 2:].max(0)]
        edges[low], edges[high] = median(boxes[:, low].tolist()), median(boxes[:, high].tolist())
        box = Box(*(float(edge) for edge in edges))
        return Line(text.translate(LIGATURES), box, sizes[len(sizes) // 2], first_font, self._font(middle), turn)

    def _font(self, i: int) -> str:
        buffer = ctypes.create_string_buffer(128)
        pdfium_c.FPDFText_GetFontInfo(self.raw, i, buffer, 128, ctypes.c_int())
        return SUBSET_TAG.sub("", buffer.value.decode("utf-8", "replace"))

    def _size(self, i: int) -> float:
        """Printed size in points: the size named in the file times the scale of its text matrix."""
        matrix = pdfium_c.FS_MATRIX()
        pdfium_c.FPDFText_GetMatrix(self.raw, i, matrix)
        return pdfium_c.FPDFText_GetFontSize(self.raw, i) * float(np.hypot(matrix.c, matrix.d))


def _lay_flat(boxes: np.ndarray, quarter: int) -> np.ndarray:
    """Boxes of text turned by `quarter` counter-clockwise, in coordinates in which it runs left to right."""
    x0, y0, x1, y1 = boxes.T
    return np.stack([(x0, y0, x1, y1), (-y1, x0, -y0, x1), (-x1, -y1, -x0, -y0), (y0, -x1, y1, -x0)][quarter], axis=1)


def _graphics(page: pypdfium2.PdfPage, matrix: np.ndarray) -> tuple[list[Box], list[Box]]:
    """Boxes of visible bitmaps and of visible vector shapes, cut to the page and to their clip paths."""
    kinds = [pdfium_c.FPDF_PAGEOBJ_PATH, pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_SHADING]
    images, shapes = [], []
    for count, item in enumerate(page.get_objects(kinds, max_depth=MAX_FORM_DEPTH)):
        if count >= MAX_GRAPHICS_PER_PAGE:
            break
        if item.type == pdfium_c.FPDF_PAGEOBJ_PATH and not _is_painted(item.raw):
            continue
        bounds = _page_bounds(item)
        if bounds is not None:
            (images if item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE else shapes).append(bounds)
    return _boxes(images, matrix), _boxes(shapes, matrix)


def _boxes(bounds: list[tuple[float, float, float, float]], matrix: np.ndarray) -> list[Box]:
    if not bounds:
        return []
    boxes = _apply(matrix, np.array(bounds, float))
    return [Box(*row) for row in boxes[np.isfinite(boxes).all(axis=1)].tolist()]


def _is_painted(path: ctypes.c_void_p) -> bool:
    """Whether a path leaves a mark: stroked, or filled with something else than white."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDFPath_GetDrawMode(path, fill, stroke)
    if stroke.value:
        return True
    red, green, blue, alpha = (ctypes.c_uint(255) for _ in range(4))
    known = pdfium_c.FPDFPageObj_GetFillColor(path, red, green, blue, alpha)
    white = known and (alpha.value == 0 or min(red.value, green.value, blue.value) >= 250)
    return fill.value != pdfium_c.FPDF_FILLMODE_NONE and not white


def _page_bounds(item: pypdfium2.PdfObject) -> tuple[float, float, float, float] | None:
    """Visible bounds of an object in the page's user space; None when its clip path hides it."""
    x0, y0, x1, y1 = item.get_bounds()
    clip = _clip_bounds(item.raw)
    if clip is not None:
        x0, y0, x1, y1 = max(x0, clip[0]), max(y0, clip[1]), min(x1, clip[2]), min(y1, clip[3])
    if x0 > x1 or y0 > y1:
        return None
    container = item.container
    while container is not None:
        matrix = container.get_matrix()
        corners = [matrix.on_point(x, y) for x in (x0, x1) for y in (y0, y1)]
        x0, x1 = min(c[0] for c in corners), max(c[0] for c in corners)
        y0, y1 = min(c[1] for c in corners), max(c[1] for c in corners)
        container = container.container
    return x0, y0, x1, y1


MAX_CLIP_SEGMENTS = 16  # a clip of more segments follows an outline inside the object's own bounds


def _clip_bounds(item: ctypes.c_void_p) -> tuple[float, float, float, float] | None:
    """Intersection of the boxes of an object's clip paths, or None where it has no simple ones."""
    clip = pdfium_c.FPDFPageObj_GetClipPath(item)
    paths = pdfium_c.FPDFClipPath_CountPaths(clip) if clip else -1
    result = None
    for k in range(max(0, paths)):
        segments = pdfium_c.FPDFClipPath_CountPathSegments(clip, k)
        if not 0 < segments <= MAX_CLIP_SEGMENTS:
            continue
        points = []
        for s in range(segments):
            x, y = ctypes.c_float(), ctypes.c_float()
            if pdfium_c.FPDFPathSegment_GetPoint(pdfium_c.FPDFClipPath_GetPathSegment(clip, k, s), x, y):
                points.append((x.value, y.value))
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        box = (min(xs), min(ys), max(xs), max(ys))
        if result:
            box = (max(result[0], box[0]), max(result[1], box[1]), min(result[2], box[2]), min(result[3], box[3]))
        result = box
    return result
