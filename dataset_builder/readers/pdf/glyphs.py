"""The characters of a page, as pdfium gives them -> lines of text with their boxes, sizes and fonts."""

import ctypes
import re
from collections.abc import Iterator
from statistics import median

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.matrices import transform

COLUMN_GAP_EM = 1.4  # a wider gap between two characters of one baseline separates two columns or cells
STEP_BACK_EM = 1.0  # a character that starts farther left of where the one before ends begins a new line
SPACE_GAP_EM = 0.22  # a wider gap is a space even where the file has none
MIN_LINE_OVERLAP = 0.35  # of the lower of two characters: below it they stand on different lines
MAX_CHARS_PER_PAGE = 100_000  # a dense printed page has 10,000
SIZE_SAMPLES = 4  # characters of a line, at least, whose sizes are looked at
FONT_NAME_BYTES = 128  # longer names are cut
BLANKS = (0xA0, 0x3000)  # beyond ASCII: the no-break space and the Chinese one
SOFT_HYPHENS = (0x02, 0xFFFE)  # pdfium's marks for a hyphen at the end of a line
SUBSET_TAG = re.compile(r"^[A-Z]{6}\+")  # "ABCDEF+Arial" is a part of Arial
LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
    | {"\u00a0": " ", "\u00ad": "-", "\u2010": "-", "\u2011": "-", "\u200b": "", "\ufeff": ""}
)


class Glyphs:
    """The characters of a page as arrays, in the order of the file; they need the open text page."""

    def __init__(self, text: pypdfium2.PdfTextPage, to_display: np.ndarray):
        self.raw = text.raw
        count = min(text.count_chars(), MAX_CHARS_PER_PAGE)
        self.codes = [pdfium_c.FPDFText_GetUnicode(self.raw, i) for i in range(count)]
        self.boxes = transform(self._user_boxes(count), to_display)  # (characters, 4), of the displayed page
        self.boxes[~np.isfinite(self.boxes).all(axis=1)] = 0
        self.quarters = self._quarters(count, to_display)  # (characters,) counter-clockwise, on the displayed page
        blank = np.array([code <= ord(" ") or code in BLANKS for code in self.codes], bool)
        area = (self.boxes[:, 2] > self.boxes[:, 0]) & (self.boxes[:, 3] > self.boxes[:, 1])
        self.solid = area & ~blank  # (characters,) what leaves a mark

    def _user_boxes(self, count: int) -> np.ndarray:
        """Boxes (characters, 4) in user space, x0, y0, x1, y1, as high as their line."""
        rects = (pdfium_c.FS_RECTF * count)()
        for i in range(count):
            pdfium_c.FPDFText_GetLooseCharBox(self.raw, i, rects[i])
        # FS_RECTF is left, top, right, bottom
        return np.frombuffer(rects, np.float32).reshape(count, 4).astype(float)[:, [0, 3, 2, 1]]

    def _quarters(self, count: int, to_display: np.ndarray) -> np.ndarray:
        angles = np.array([pdfium_c.FPDFText_GetCharAngle(self.raw, i) for i in range(count)])
        # pdfium's angles run clockwise in user space; the page may be displayed turned
        shown = np.arctan2(-to_display[0, 1], to_display[0, 0]) - angles
        return np.round(shown / (np.pi / 2)).astype(int) % 4

    def dominant_turn(self) -> int:
        """Quarters by which the page must be turned clockwise for most of its text to stand upright."""
        counts = np.bincount(self.quarters[self.solid], minlength=4)
        return int(counts.argmax()) if counts.any() else 0

    def lines(self, turn: int, upright: np.ndarray) -> Iterator[Line]:
        """Runs of characters on one baseline, on the page turned by `turn` quarters with the matrix `upright`."""
        for quarter in range(4):
            index = np.flatnonzero(self.solid & (self.quarters == quarter))
            if not len(index):
                continue
            boxes = transform(self.boxes[index], upright)
            own_turn = (quarter - turn) % 4  # how these characters still stand once the page is upright
            starts, spaced = _breaks(index, _lay_flat(boxes, own_turn))
            for start, stop in zip(starts, [*starts[1:], len(index)], strict=True):
                run = slice(start, stop)
                yield self._line(index[run], boxes[run], spaced[run], own_turn)

    def _line(self, index: np.ndarray, boxes: np.ndarray, spaced: np.ndarray, turn: int) -> Line:
        """The line of the characters at `index`; `spaced` are those that a space stands before."""
        sizes = sorted(self._size(int(i)) for i in index[:: max(1, len(index) // SIZE_SAMPLES)])
        middle = int(index[len(index) // 2])
        return Line(
            self._text(index, spaced),
            _line_box(boxes, turn),
            size=sizes[len(sizes) // 2],
            first_font=self._font(int(index[0])),
            font=self._font(middle),
            turn=turn,
        )

    def _text(self, index: np.ndarray, spaced: np.ndarray) -> str:
        pieces: list[str] = []
        for i, space in zip(index.tolist(), spaced.tolist(), strict=True):
            if space and pieces:
                pieces.append(" ")
            pieces.append(chr(self.codes[i]))
        following = int(index[-1]) + 1
        if following < len(self.codes) and self.codes[following] in SOFT_HYPHENS:
            pieces.append("-")
        return "".join(pieces).translate(LIGATURES)

    def _font(self, i: int) -> str:
        buffer = ctypes.create_string_buffer(FONT_NAME_BYTES)
        pdfium_c.FPDFText_GetFontInfo(self.raw, i, buffer, FONT_NAME_BYTES, ctypes.c_int())
        return SUBSET_TAG.sub("", buffer.value.decode("utf-8", "replace"))

    def _size(self, i: int) -> float:
        """Printed size in points: the size named in the file times the scale of its text matrix."""
        matrix = pdfium_c.FS_MATRIX()
        pdfium_c.FPDFText_GetMatrix(self.raw, i, matrix)
        return pdfium_c.FPDFText_GetFontSize(self.raw, i) * float(np.hypot(matrix.c, matrix.d))


def _lay_flat(boxes: np.ndarray, quarter: int) -> np.ndarray:
    """Boxes of text turned by `quarter` counter-clockwise, in coordinates in which it runs left to right."""
    x0, y0, x1, y1 = boxes.T
    turned = [(x0, y0, x1, y1), (-y1, x0, -y0, x1), (-x1, -y1, -x0, -y0), (y0, -x1, y1, -x0)]
    return np.stack(turned[quarter], axis=1)


def _breaks(index: np.ndarray, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a new line starts, and before which characters a space stands.

    `index` are the characters' places in the file, `flat` their boxes (characters, 4) as text that runs left to right.
    """
    x0, y0, x1, y1 = flat.T
    heights = y1 - y0
    size = np.maximum(heights[1:], heights[:-1])  # (characters - 1,), as all that follows: of each and the one before
    gap = x0[1:] - x1[:-1]
    overlap = np.minimum(y1[1:], y1[:-1]) - np.maximum(y0[1:], y0[:-1])
    on_one_line = overlap > MIN_LINE_OVERLAP * np.minimum(heights[1:], heights[:-1])
    together = on_one_line & (gap < COLUMN_GAP_EM * size) & (gap > -STEP_BACK_EM * size)
    blank_between = np.diff(index) > 1
    spaced = blank_between | (gap > SPACE_GAP_EM * size)
    return np.flatnonzero(np.concatenate([[True], ~together])), np.concatenate([[False], spaced])


def _line_box(boxes: np.ndarray, turn: int) -> Box:
    """The box of a line; across it by the medians of its characters, which sub- and superscripts do not move."""
    low, high = (0, 2) if turn % 2 else (1, 3)
    edges = [*boxes[:, :2].min(0), *boxes[:, 2:].max(0)]
    edges[low], edges[high] = median(boxes[:, low].tolist()), median(boxes[:, high].tolist())
    return Box(*(float(edge) for edge in edges))
