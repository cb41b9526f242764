"""The characters of a page, asked of pdfium in bulk: codes, boxes, quarters, and what is true of a whole text object.

Called through pypdfium2 one by one they take half the time of reading a PDF; here C loops (`map`) call the same
functions, the codes come in one piece, and what a text object has in common is asked for once.
"""

import ctypes
import math
import re
from collections import deque
from collections.abc import Callable
from itertools import repeat

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c

MAX_CHARS_PER_PAGE = 100_000  # a dense printed page has 10,000
FONT_NAME_BYTES = 128  # longer names are cut
SUBSET_TAG = re.compile(r"^[A-Z]{6}\+")  # "ABCDEF+Arial" is a part of Arial
SOFT_HYPHEN = 0x02  # pdfium's mark for a hyphen at the end of a line, asked for one by one ...
SOFT_HYPHEN_IN_TEXT = 0xFFFE  # ... and in the text of a whole page
RECT_BYTES = ctypes.sizeof(pdfium_c.FS_RECTF)


def _plain(function, result, *arguments) -> Callable:
    """The same C function with pointers as integers, which `map` can hand over; it keeps Python's lock: it is short."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address, "pypdfium2 has loaded its library"
    return ctypes.PYFUNCTYPE(result, *arguments)(address)


_GET_UNICODE = _plain(pdfium_c.FPDFText_GetUnicode, ctypes.c_uint, ctypes.c_void_p, ctypes.c_int)
_GET_BOX = _plain(pdfium_c.FPDFText_GetLooseCharBox, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_GET_ANGLE = _plain(pdfium_c.FPDFText_GetCharAngle, ctypes.c_float, ctypes.c_void_p, ctypes.c_int)
_GET_OBJECT = _plain(pdfium_c.FPDFText_GetTextObject, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_HAS_MAP_ERROR = _plain(pdfium_c.FPDFText_HasUnicodeMapError, ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class Characters:
    """What pdfium says of the characters of an open text page, by their places in its order."""

    def __init__(self, text: pypdfium2.PdfTextPage):
        self.raw = text.raw
        self._address = ctypes.cast(text.raw, ctypes.c_void_p)
        self.count = min(text.count_chars(), MAX_CHARS_PER_PAGE)
        self._set_of: dict[int | None, tuple[float, str]] = {}  # text object -> size, font

    def codes(self) -> np.ndarray:
        """UTF-16 units or code points, int64 (characters,); 0 where the file names none."""
        buffer = (ctypes.c_ushort * (self.count + 1))()
        written = pdfium_c.FPDFText_GetText(self.raw, 0, self.count, buffer)
        if written != self.count + 1:  # with its end; it leaves out what has no code, and places no longer match
            one_by_one = map(_GET_UNICODE, repeat(self._address), range(self.count))
            return np.fromiter(one_by_one, np.int64, self.count)
        codes = np.frombuffer(buffer, np.uint16)[: self.count].astype(np.int64)
        codes[codes == SOFT_HYPHEN_IN_TEXT] = SOFT_HYPHEN
        return codes

    def boxes(self) -> np.ndarray:
        """Boxes (characters, 4) in user space, x0, y0, x1, y1, as high as their line."""
        rects = np.zeros((self.count, 4), np.float32)  # FS_RECTF is left, top, right, bottom
        start = rects.ctypes.data
        places = range(start, start + self.count * RECT_BYTES, RECT_BYTES)
        deque(map(_GET_BOX, repeat(self._address), range(self.count), places), maxlen=0)
        return rects.astype(float)[:, [0, 3, 2, 1]]

    def angles(self, places: np.ndarray) -> np.ndarray:
        """Angles in radians, clockwise in user space, of the characters at `places`."""
        return np.fromiter(map(_GET_ANGLE, repeat(self._address), places.tolist()), float, len(places))

    def objects(self, places: np.ndarray) -> np.ndarray:
        """The text objects, as numbers, of the characters at `places`; 0 for those that pdfium has made up."""
        found = map(_GET_OBJECT, repeat(self._address), places.tolist())
        return np.fromiter((number or 0 for number in found), np.uint64, len(places))

    def have_no_code(self, places: np.ndarray) -> np.ndarray:
        """Whether the file does not say what the characters at `places` stand for, bool."""
        return np.fromiter(map(_HAS_MAP_ERROR, repeat(self._address), places.tolist()), bool, len(places))

    def size_and_font(self, place: int) -> tuple[float, str]:
        """Printed size in points, and the font's name, of one character; asked for once a text object."""
        text_object = _GET_OBJECT(self._address, place)
        known = self._set_of.get(text_object)
        if known is None:
            known = self._set_of[text_object] = (self._size(place), self._font(place))
        return known

    def _size(self, place: int) -> float:
        """The size named in the file times the scale of its text matrix."""
        matrix = pdfium_c.FS_MATRIX()
        pdfium_c.FPDFText_GetMatrix(self.raw, place, matrix)
        return pdfium_c.FPDFText_GetFontSize(self.raw, place) * math.hypot(matrix.c, matrix.d)

    def _font(self, place: int) -> str:
        buffer = ctypes.create_string_buffer(FONT_NAME_BYTES)
        pdfium_c.FPDFText_GetFontInfo(self.raw, place, buffer, FONT_NAME_BYTES, ctypes.c_int())
        return SUBSET_TAG.sub("", buffer.value.decode("utf-8", "replace"))
