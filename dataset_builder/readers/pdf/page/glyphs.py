"""The characters of a page, as pdfium gives them -> glyphs -> lines of text with their boxes, sizes and fonts.

A glyph is what is printed in one place: "Th", "ffi" or the two halves of a UTF-16 pair are several codes of one.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pypdfium2

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.page.characters import SOFT_HYPHEN, Characters
from dataset_builder.readers.pdf.page.damage import REPLACEMENT, damaged_share
from dataset_builder.readers.pdf.page.letter_spacing import is_letter_spaced, without_letter_spacing
from dataset_builder.readers.pdf.page.matrices import transform

COLUMN_GAP_EM = 1.4  # a wider gap between two glyphs of one baseline separates two columns or cells
STEP_BACK_EM = 1.0  # a glyph that starts farther left of where the one before ends begins a new line
SPACE_GAP_EM = 0.22  # a wider gap is a space even where the file has none
MIN_LINE_OVERLAP = 0.35  # of the lower of two glyphs: below it they stand on different lines
MAP_STEP = 16  # every so many glyphs pdfium is asked whether the font says what they stand for
SIZE_SAMPLES = 4  # glyphs of a line, at least, whose sizes are looked at
BLANKS = (0xA0, 0x3000)  # beyond ASCII: the no-break space and the Chinese one
HIGH_HALVES, LOW_HALVES, AFTER_HALVES = 0xD800, 0xDC00, 0xE000  # of UTF-16 pairs
BEYOND_HALVES = 0x10000  # the first code point that needs a pair
MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff]+")  # italic, bold, script ... letters and digits of formulas
LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
    | {"\u00a0": " ", "\u00ad": "-", "\u2010": "-", "\u2011": "-", "\u200b": "", "\ufeff": ""}
)


class Glyphs:
    """The glyphs of a page as arrays, in the order of the file; they need the open text page."""

    def __init__(self, text: pypdfium2.PdfTextPage, to_display: np.ndarray):
        self.characters = Characters(text)
        codes, boxes = self.characters.codes(), self.characters.boxes()
        self.first, stop = _group(self.characters, codes, boxes)  # (glyphs,) places of their characters
        self.codes, places = _join_halves(codes)  # code points; (characters + 1,) where each character's stands
        self.start, self.stop = places[self.first], places[stop]  # (glyphs,) their codes
        user_boxes = boxes[self.first]
        self.boxes = transform(user_boxes, to_display)  # (glyphs, 4), of the displayed page
        self.boxes[~np.isfinite(self.boxes).all(axis=1)] = 0
        self.area = (self.boxes[:, 2] > self.boxes[:, 0]) & (self.boxes[:, 3] > self.boxes[:, 1])
        self.first_codes = codes[self.first]
        blank = (self.first_codes <= ord(" ")) | np.isin(self.first_codes, BLANKS)
        self.solid = self.area & ~blank  # (glyphs,) what leaves a mark
        self._hyphens = set(np.flatnonzero(self.first_codes == SOFT_HYPHEN).tolist())
        self._places = self.first.tolist()  # for what is asked of single glyphs
        self.quarters = self._quarters(user_boxes, to_display)  # (glyphs,) counter-clockwise, on the displayed page

    def _quarters(self, user_boxes: np.ndarray, to_display: np.ndarray) -> np.ndarray:
        """Asked for where a glyph does not stand level with, and to the right of, the solid one before."""
        solid = np.flatnonzero(self.solid)
        x0, y0, _, y1 = user_boxes[solid].T
        level = (y0[1:] == y0[:-1]) & (y1[1:] == y1[:-1]) & (x0[1:] > x0[:-1])
        asked = np.concatenate([[True], ~level])[: len(solid)]
        angles = self.characters.angles(self.first[solid[asked]])
        # pdfium's angles run clockwise in user space; the page may be displayed turned
        shown = np.arctan2(-to_display[0, 1], to_display[0, 0]) - angles
        quarters = np.zeros(len(self.solid), int)
        quarters[solid] = (np.round(shown / (np.pi / 2)).astype(int) % 4)[np.cumsum(asked) - 1]
        return quarters

    def damage(self) -> float:
        """The share of the page's glyphs that mean nothing or are printed twice, 0-1."""
        printed = np.flatnonzero(self.solid | (self.area & (self.first_codes == 0)))
        codes = self.codes[np.minimum(self.start[printed], len(self.codes) - 1)] if len(printed) else printed
        asked = self.first[printed[::MAP_STEP]]
        known = 1 - float(self.characters.have_no_code(asked).mean()) if len(asked) else 1.0
        return damaged_share(codes, self.boxes[printed], known)

    def dominant_turn(self) -> int:
        """Quarters by which the page must be turned clockwise for most of its text to stand upright."""
        counts = np.bincount(self.quarters[self.solid], minlength=4)
        return int(counts.argmax()) if counts.any() else 0

    def lines(self, turn: int, upright: np.ndarray) -> Iterator[Line]:
        """Runs of glyphs on one baseline, on the page turned by `turn` quarters with the matrix `upright`."""
        for quarter in range(4):
            index = np.flatnonzero(self.solid & (self.quarters == quarter))
            if not len(index):
                continue
            boxes = transform(self.boxes[index], upright)
            own_turn = (quarter - turn) % 4  # how these glyphs still stand once the page is upright
            flat = _lay_flat(boxes, own_turn)
            starts, spaced = _breaks(index, flat)
            spaced[starts] = False
            text, places = self._text(index, spaced)
            bounds = [*starts.tolist(), len(index)]
            glyphs = index.tolist()
            for (start, stop), box in zip(pairwise(bounds), _line_boxes(boxes, bounds, own_turn), strict=True):
                own_text = text[places[start] : places[stop]]
                if is_letter_spaced(own_text):
                    own_text = without_letter_spacing(own_text, flat[start:stop])
                yield self._line(glyphs[start:stop], own_text, box, own_turn)

    def _text(self, index: np.ndarray, spaced: np.ndarray) -> tuple[str, list[int]]:
        """The text of the glyphs at `index`, a space before those `spaced`; and where in it each one's part begins."""
        lengths = self.stop[index] - self.start[index]
        places = np.concatenate([[0], np.cumsum(lengths + spaced)])
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        codes = np.full(places[-1], ord(" "), "<u4")
        codes[np.repeat(places[:-1] + spaced, lengths) + within] = self.codes[
            np.repeat(self.start[index], lengths) + within
        ]
        return codes.tobytes().decode("utf-32-le"), places.tolist()

    def _line(self, index: list[int], text: str, box: Box, turn: int) -> Line:
        """The line of the glyphs at `index`."""
        asked = (index[len(index) // 2], *index[:: max(1, len(index) // SIZE_SAMPLES)])
        middle, *samples = (self.characters.size_and_font(self._places[glyph]) for glyph in asked)
        sizes = sorted(size for size, _ in samples)
        following = index[-1] + 1
        if following in self._hyphens:
            text += "-"
        return Line(plain(text), box, sizes[len(sizes) // 2], first_font=samples[0][1], font=middle[1], turn=turn)


def plain(text: str) -> str:
    """Ligatures and mathematical letters as the letters that they stand for; one kind of space and of hyphen."""
    if text.isascii():
        return text
    return MATHEMATICAL.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text.translate(LIGATURES))


# ---- codes to glyphs ----


def _group(characters: Characters, codes: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each glyph's first character and the one after its last, without glyphs printed again where they stand.

    Characters in a row with one box are one glyph where one text object prints them; where two do, and the codes are
    the same, the letter was printed twice, as imitated bold.
    """
    in_place = np.concatenate([[False], (boxes[1:] == boxes[:-1]).all(axis=1)])[: len(codes)]
    in_place &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    same = np.flatnonzero(in_place)
    goes_on = in_place.copy()
    goes_on[same] = characters.objects(same) == characters.objects(same - 1)
    first = np.flatnonzero(~goes_on)
    stop = np.append(first[1:], len(codes))
    doubled = [k for k in np.flatnonzero(in_place[first]).tolist() if _is_repeated(codes, first, stop, k)]
    return np.delete(first, doubled), np.delete(stop, doubled)


def _is_repeated(codes: np.ndarray, first: np.ndarray, stop: np.ndarray, k: int) -> bool:
    return codes[first[k - 1] : stop[k - 1]].tolist() == codes[first[k] : stop[k]].tolist()


def _join_halves(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """UTF-16 pairs as one code point, in the place of the first half; and where each code's begins, and ends the last.

    A half without the other is a replacement character.
    """
    high = (codes >= HIGH_HALVES) & (codes < LOW_HALVES)
    low = (codes >= LOW_HALVES) & (codes < AFTER_HALVES)
    if not (high.any() or low.any()):
        return codes, np.arange(len(codes) + 1)
    pair = np.flatnonzero(high[:-1] & low[1:])
    points = np.where(high | low, REPLACEMENT, codes)
    points[pair] = BEYOND_HALVES + ((codes[pair] - HIGH_HALVES) << 10) + (codes[pair + 1] - LOW_HALVES)
    kept = np.ones(len(codes), bool)
    kept[pair + 1] = False
    return points[kept], np.concatenate([[0], np.cumsum(kept)])


# ---- glyphs to lines ----


def _lay_flat(boxes: np.ndarray, quarter: int) -> np.ndarray:
    """Boxes of text turned by `quarter` counter-clockwise, in coordinates in which it runs left to right."""
    x0, y0, x1, y1 = boxes.T
    turned = [(x0, y0, x1, y1), (-y1, x0, -y0, x1), (-x1, -y1, -x0, -y0), (y0, -x1, y1, -x0)]
    return np.stack(turned[quarter], axis=1)


def _breaks(index: np.ndarray, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a new line starts, and before which glyphs a space stands.

    `index` are the glyphs' places in the file, `flat` their boxes (glyphs, 4) as text that runs left to right.
    """
    x0, y0, x1, y1 = flat.T
    heights = y1 - y0
    size = np.maximum(heights[1:], heights[:-1])  # (glyphs - 1,), as all that follows: of each and the one before
    gap = x0[1:] - x1[:-1]
    overlap = np.minimum(y1[1:], y1[:-1]) - np.maximum(y0[1:], y0[:-1])
    on_one_line = overlap > MIN_LINE_OVERLAP * np.minimum(heights[1:], heights[:-1])
    together = on_one_line & (gap < COLUMN_GAP_EM * size) & (gap > -STEP_BACK_EM * size)
    blank_between = np.diff(index) > 1
    spaced = blank_between | (gap > SPACE_GAP_EM * size)
    return np.flatnonzero(np.concatenate([[True], ~together])), np.concatenate([[False], spaced])


def _line_boxes(boxes: np.ndarray, bounds: list[int], turn: int) -> Iterator[Box]:
    """The boxes of lines; across each by the medians of its glyphs, which sub- and superscripts do not move."""
    lowest = np.minimum.reduceat(boxes[:, :2], bounds[:-1]).tolist()
    highest = np.maximum.reduceat(boxes[:, 2:], bounds[:-1]).tolist()
    low, high = (0, 2) if turn % 2 else (1, 3)
    lows, highs = boxes[:, low].tolist(), boxes[:, high].tolist()
    for (start, stop), smallest, largest in zip(pairwise(bounds), lowest, highest, strict=True):
        edges = [*smallest, *largest]
        edges[low], edges[high] = _median(lows[start:stop]), _median(highs[start:stop])
        yield Box(*edges)


def _median(values: list[float]) -> float:
    values.sort()  # a list of its own
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
