"""Single letters that stand alone in a picture, read by comparing them with rendered glyphs.

A letter is a connected patch of ink (or of light on dark ground) with nothing beside it but brackets or a dot. It is
compared with the glyphs of sans serif and serif typefaces, regular, bold and italic. The reader knows no words and
takes some blots for letters: callers must ask for letters that agree in size and place.
"""

import functools
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

DARK, LIGHT = 140, 185  # grey levels: ink is darker than the one; letters on dark ground are lighter than the other
# Further limits, looked at where the usual ones leave panels without a letter:
FAINT = 195  # of ink where letters are thin or pale
DARKEST, LIGHTEST = 70, 235  # of letters on photographs nearly as dark or as light as they are
SAME_PLACE_PX = 4  # by which the edges of a letter move from one limit to another, at most
DARK_GROUND, DARK_GROUND_SHARE = 100, 0.1  # grey level; where more of the picture is darker, light letters may stand
MID_GROUND = 200  # the same for white letters, which also stand on brown or violet photographs
GROUND_STEP_PX = 4  # of that share every fourth row and column is enough

# Patches that may be letters. All but the first are in heights of the patch.
MIN_HEIGHT_PX, MAX_HEIGHT_SHARE = 7, 0.09  # the share is of the picture's longest side
MIN_WIDTH, MAX_WIDTH = 0.15, 1.4  # an "l", and a bold "W"
MIN_FILLED_SHARE = 0.15  # of a patch's box: thinner ones are frames and curves
MAX_PRINT_WIDTH = 3  # of the tallest letter's height: wider patches are lines, not letters that touch
MIN_HOLLOW_PX = 9  # sides of the smallest circle or frame around a letter
MAX_CANDIDATES = 400  # patches compared in one picture
CLEAR = 0.33  # free space left and right of a letter; a word's letters are closer
INSET = 0.15  # of its width at either side, above and below which a bracket's tip may come
BRACKET_REACH = 1.0  # from a letter to the far side of a bracket or dot; behind that nothing stands
MIN_BRACKET_REACH_PX = 4
BESIDE_REACH, MIN_BESIDE_REACH_PX = 0.6, 3  # where pieces of a bracket or a dot are looked for
MAX_BRACKET_WIDTH, MIN_BRACKET_HEIGHT, MAX_BRACKET_HEIGHT = 0.6, 0.85, 2.4
MAX_DOT_SIDE = 0.45
# Brackets that touch their letter, as in pictures blurred by JPEG: one patch, in heights of it.
MIN_JOINED_WIDTH, MAX_JOINED_WIDTH = 1.05, 2.4
JOINED_BRACKET = (0.08, 0.42)  # from either end of the patch, as a share of its width: there the bracket ends
MAX_JOINT = 0.45  # of ink where bracket and letter touch
MIN_INNER_HEIGHT, MAX_INNER_HEIGHT = 0.45, 0.92  # of the letter between the brackets

# Comparing.
SIDE = 16  # px: letters are compared as SIDE x SIDE grey pictures
MIN_SCORE = 0.66  # correlation of a letter with its glyph
MARGIN = 0.06  # another letter or digit may fit better by this: a small B is much like an 8
STRETCH_COST = 0.35  # of correlation, for a patch e times as wide or as narrow as the glyph

# Glyphs.
TYPEFACES = (  # matplotlib's
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-BoldOblique",
)
STROKES_PX = (0, 2, 4)  # by which Pillow's own face is drawn bolder
GLYPHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%&?*+"
GLYPH_PX = 64  # size of the type
CANVAS_PX, GLYPH_PLACE = 160, (40, 30)  # of a glyph drawn: the largest fits with its stroke
INK_OF_GLYPH = 127  # of 255: more is ink, where the edge is soft


@dataclass(frozen=True)
class Letter:
    """A letter with its box in pixels of the picture, the height of a capital in its size, and how sure it is (0-1)."""

    char: str
    x0: float
    y0: float
    x1: float
    y1: float
    capital_px: float
    score: float


@dataclass(frozen=True)
class _Glyphs:
    """The characters of all typefaces."""

    vectors: np.ndarray  # (glyphs, SIDE * SIDE) of mean 0 and length 1
    chars: list[str]
    aspects: np.ndarray  # (glyphs,) widths over heights
    heights: np.ndarray  # (glyphs,) over the height of a capital in the same typeface


def find_letters(grey: np.ndarray, wanted: str) -> list[Letter]:
    """The `wanted` letters that stand alone in `grey` (height, width) uint8, in either case.

    Dark letters on light ground are looked for and, where much of the picture is dark, light ones on dark ground. A
    letter whose two cases look alike ("C") is returned as both, which differ in the height of a capital.
    """
    found = _letters_of(grey, (grey < DARK).astype(np.uint8), wanted, dark=True)
    if _has_ground_below(DARK_GROUND, grey):
        found += _letters_of(grey, (grey > LIGHT).astype(np.uint8), wanted, dark=False)
    return found


def find_hidden_letters(grey: np.ndarray, wanted: str, found: list[Letter]) -> list[Letter]:
    """`found`, and the letters that the usual limits break, or join with the photograph behind them."""
    letters = found + _letters_of(grey, (grey < FAINT).astype(np.uint8), wanted, dark=True, widest=MAX_JOINED_WIDTH)
    if _has_ground_below(MID_GROUND, grey):
        letters += _letters_of(grey, (grey < DARKEST).astype(np.uint8), wanted, dark=True)
        letters += _letters_of(grey, (grey > LIGHTEST).astype(np.uint8), wanted, dark=False)
    return _without_doubles(letters)


def _has_ground_below(level: int, grey: np.ndarray) -> bool:
    """Whether much of the picture is darker than the grey level."""
    sample = grey[::GROUND_STEP_PX, ::GROUND_STEP_PX]
    return int(np.count_nonzero(sample < level)) > DARK_GROUND_SHARE * sample.size


def _without_doubles(letters: list[Letter]) -> list[Letter]:
    """Of the readings of one place as one letter the surest."""
    kept: list[Letter] = []
    for letter in sorted(letters, key=lambda letter: -letter.score):
        if not any(_same_place(letter, other) for other in kept):
            kept.append(letter)
    return kept


def _same_place(letter: Letter, other: Letter) -> bool:
    near = abs(letter.x0 - other.x0) <= SAME_PLACE_PX and abs(letter.y0 - other.y0) <= SAME_PLACE_PX
    return letter.char == other.char and near


def _letters_of(grey: np.ndarray, mask: np.ndarray, wanted: str, dark: bool, widest: float = MAX_WIDTH) -> list[Letter]:
    """The letters among the patches of the mask (height, width), 0 or 1; `dark`: it shows dark letters.

    Patches up to `widest` heights wide are looked at: above `MAX_WIDTH` for letters that touch their brackets.
    """
    boxes = _lone_patches(mask, int(MAX_HEIGHT_SHARE * max(grey.shape)), widest)[:MAX_CANDIDATES]
    if not len(boxes):
        return []
    scores = _scores(grey, boxes, dark)
    letters = []
    for alphabet in (wanted.lower(), wanted.upper()):
        letters += _readable(boxes, scores, alphabet)
    return letters


def _scores(grey: np.ndarray, boxes: np.ndarray, dark: bool) -> np.ndarray:
    """How well each patch fits each glyph, (patches, glyphs): their correlation, less what their proportions differ."""
    patches = _vectors([_small(grey[y0:y1, x0:x1], cv2.INTER_LINEAR) for x0, y0, x1, y1 in boxes])
    patches = patches if dark else -patches
    glyphs = _glyphs()
    scores = patches @ glyphs.vectors.T  # (patches, glyphs)
    aspects = (boxes[:, 2] - boxes[:, 0]) / (boxes[:, 3] - boxes[:, 1])
    scores -= STRETCH_COST * np.abs(np.log(aspects[:, None] / glyphs.aspects[None, :]))
    return scores


def _readable(boxes: np.ndarray, scores: np.ndarray, alphabet: str) -> list[Letter]:
    """The patches that are surely letters of the alphabet, each as the one that fits best."""
    glyphs = _glyphs()
    wanted = np.isin(glyphs.chars, list(alphabet))  # (glyphs,)
    best = np.where(wanted, scores, -1).argmax(axis=1)  # (patches,)
    letters = []
    for box, row, k in zip(boxes, scores, best, strict=True):
        if wanted[k] and row[k] >= max(MIN_SCORE, row.max() - MARGIN):
            x0, y0, x1, y1 = (float(value) for value in box)
            capital_px = (y1 - y0) / glyphs.heights[k]
            letters.append(Letter(glyphs.chars[k], x0, y0, x1, y1, capital_px, float(row[k])))
    return letters


# ---- patches that stand alone ----


def _lone_patches(mask: np.ndarray, max_height: int, widest: float) -> np.ndarray:
    """Boxes (n, 4) x0, y0, x1, y1 of the connected patches of letter size with nothing near them."""
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    stats = stats.astype(np.int32)  # (patches, 5), the first row is the ground
    boxes = _boxes_of_letter_size(stats, max_height, widest)
    printed = _is_print(stats, max_height)  # (patches,)
    print_only = np.take(printed, labels, mode="clip")  # (height, width) uint8, 0 or 1
    total = cv2.integral(print_only)
    x0, y0, x1, y1 = boxes.T
    near = (CLEAR * (y1 - y0)).astype(int) + 1
    inset = (INSET * (x1 - x0)).astype(int)
    over = _ink(total, x0 + inset, y0 - near // 2 - 1, x1 - inset, y0)
    under = _ink(total, x0 + inset, y1, x1 - inset, y1 + near // 2 + 1)
    left, right = _ink(total, x0 - near, y0, x0, y1), _ink(total, x1, y0, x1 + near, y1)
    free = over + under == 0
    lone = free & (left == 0) & (right == 0)
    # "(a)", "a)" and "a.": brackets and dots are narrow, and nothing is behind them
    marked = free & ~lone & _clear_behind(total, boxes, near)
    marked[marked] = [_has_bracket_or_dot(labels, stats, printed, box) for box in boxes[marked]]
    own = boxes[lone | marked]
    return _without_brackets(mask, own) if widest > MAX_WIDTH else own


def _without_brackets(mask: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The boxes (n, 4), those of letters that touch their brackets cut back to the letter, other wide ones left out."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    kept = list(boxes[width <= MIN_JOINED_WIDTH * height])
    for box in boxes[width > MIN_JOINED_WIDTH * height]:
        inner = _between_brackets(mask, box)
        if inner is not None:
            kept.append(inner)
        elif box[2] - box[0] <= MAX_WIDTH * (box[3] - box[1]):
            kept.append(box)
    return np.array(kept, dtype=boxes.dtype).reshape(-1, 4)


def _between_brackets(mask: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """The box of the letter in a patch such as "(C)", "C)" or "(C", or None.

    A bracket is as high as the patch, and thin where it touches the lower letter.
    """
    x0, y0, x1, y1 = (int(value) for value in box)
    patch = mask[y0:y1, x0:x1]
    width = x1 - x0
    before, behind = _bracket_width(patch), _bracket_width(patch[:, ::-1])
    for left, right in ((before, behind), (0, behind), (before, 0)):
        if left is None or right is None:
            continue
        rows = np.flatnonzero(patch[:, left : width - right].any(axis=1))
        if len(rows) and MIN_INNER_HEIGHT <= (rows[-1] + 1 - rows[0]) / (y1 - y0) <= MAX_INNER_HEIGHT:
            return np.array([x0 + left, y0 + int(rows[0]), x1 - right, y0 + int(rows[-1]) + 1])
    return None


def _bracket_width(patch: np.ndarray) -> int | None:
    """How many columns of a patch (height, width), 0 or 1, a bracket at its left and the joint take; None for none."""
    height, width = patch.shape
    nearest, farthest = (max(1, round(share * width)) for share in JOINED_BRACKET)
    ink = patch[:, nearest:farthest].sum(axis=0)  # (columns,)
    joint = nearest + int(ink.argmin())
    rows = np.flatnonzero(patch[:, :joint].any(axis=1))
    as_high = len(rows) > 0 and rows[-1] + 1 - rows[0] >= MAX_INNER_HEIGHT * height
    return joint + 1 if as_high and ink.min() <= MAX_JOINT * height else None


def _boxes_of_letter_size(stats: np.ndarray, max_height: int, widest: float) -> np.ndarray:
    """Boxes (n, 4) of the patches that have the height and proportions of a letter; `stats` as OpenCV gives them."""
    x, y, width, height, area = stats.T
    high = (height >= MIN_HEIGHT_PX) & (height <= max_height)
    wide = (width <= widest * height) & (width >= MIN_WIDTH * height)
    fits = high & wide & (area >= MIN_FILLED_SHARE * width * height)
    fits[0] = False  # the ground
    return np.stack([x, y, x + width, y + height], axis=1)[fits]


def _is_print(stats: np.ndarray, max_height: int) -> np.ndarray:
    """For each patch 1 where it may be a letter or a sign of print, and 0 for photographs, frames, axes and curves.

    Only print beside a letter makes it one of a word.
    """
    _, _, width, height, area = stats.T
    large = (height > max_height) | (width > MAX_PRINT_WIDTH * max_height)
    hollow = (np.minimum(width, height) >= MIN_HOLLOW_PX) & (area < MIN_FILLED_SHARE * width * height)
    printed = ~(large | hollow)
    printed[0] = False  # the ground
    return printed.astype(np.uint8)


def _ink(total: np.ndarray, x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray) -> np.ndarray:
    """Sum of the mask in each box, from its integral picture."""
    height, width = total.shape[0] - 1, total.shape[1] - 1
    x0, x1 = np.clip(x0, 0, width), np.clip(x1, 0, width)
    y0, y1 = np.clip(y0, 0, height), np.clip(y1, 0, height)
    return total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]


def _clear_behind(total: np.ndarray, boxes: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Whether the space behind a bracket on either side of a letter is free."""
    x0, y0, x1, y1 = boxes.T
    far = np.maximum(MIN_BRACKET_REACH_PX, (BRACKET_REACH * (y1 - y0)).astype(int))
    left = _ink(total, x0 - far, y0, x0 - far + near // 2 + 1, y1)
    right = _ink(total, x1 + far - near // 2 - 1, y0, x1 + far, y1)
    return (left == 0) & (right == 0)


def _has_bracket_or_dot(labels: np.ndarray, stats: np.ndarray, printed: np.ndarray, box: np.ndarray) -> bool:
    """Whether the print beside the letter is narrow, on either side: a bracket (maybe in pieces) or a dot."""
    x0, y0, x1, y1 = (int(value) for value in box)
    height = y1 - y0
    reach = max(MIN_BESIDE_REACH_PX, int(BESIDE_REACH * height))
    left = labels[y0:y1, max(0, x0 - reach) : x0]
    right = labels[y0:y1, x1 : x1 + reach]
    for side in (left, right):
        pieces = stats[[i for i in np.unique(side) if printed[i]]]
        if len(pieces) and not _is_bracket_or_dot(pieces, height):
            return False
    return True


def _is_bracket_or_dot(pieces: np.ndarray, letter_height: int) -> bool:
    """Whether patches (n, 5), as OpenCV's statistics, are together as large as a bracket or a dot beside a letter."""
    width = (pieces[:, 0] + pieces[:, 2]).max() - pieces[:, 0].min()
    height = (pieces[:, 1] + pieces[:, 3]).max() - pieces[:, 1].min()
    as_high = MIN_BRACKET_HEIGHT * letter_height <= height <= MAX_BRACKET_HEIGHT * letter_height
    if as_high and width <= MAX_BRACKET_WIDTH * letter_height:
        return True
    return max(width, height) <= MAX_DOT_SIDE * letter_height


# ---- comparing with glyphs ----


def _small(patch: np.ndarray, interpolation: int) -> np.ndarray:
    return cv2.resize(patch, (SIDE, SIDE), interpolation=interpolation)


def _vectors(patches: list[np.ndarray]) -> np.ndarray:
    """Patches (SIDE, SIDE), ink dark, as vectors (patches, SIDE * SIDE) of mean 0 and length 1, ink high.

    They are softened, so that small blurred letters and sharp glyphs meet.
    """
    ink = 255 - np.stack(patches).astype(np.float32)
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    vectors = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]).reshape(len(patches), -1)
    vectors -= vectors.mean(axis=1, keepdims=True)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)  # a patch of one grey stays 0


@functools.cache
def _glyphs() -> _Glyphs:
    """The glyphs that letters are compared with."""
    patches, chars, aspects, heights = [], [], [], []
    for font, stroke in _faces():
        capital = _render("H", font, stroke).shape[0]
        for char in GLYPHS:
            glyph = _render(char, font, stroke)
            patches.append(_small(255 - glyph, cv2.INTER_AREA))
            chars.append(char)
            aspects.append(glyph.shape[1] / glyph.shape[0])
            heights.append(glyph.shape[0] / capital)
    return _Glyphs(_vectors(patches), chars, np.array(aspects), np.array(heights))


def _faces() -> list[tuple[ImageFont.FreeTypeFont, int]]:
    """The typefaces, each with the strokes (pixels) by which it is drawn bolder."""
    matplotlib = find_spec("matplotlib")  # finding it is enough: importing it takes longer than all the rest here
    own = ImageFont.load_default(GLYPH_PX)  # Aileron, much like Helvetica
    assert matplotlib is not None, "a requirement of this package"
    assert matplotlib.origin is not None, "it is a package with an __init__.py"
    assert isinstance(own, ImageFont.FreeTypeFont), "with a size, Pillow's default font is TrueType"
    folder = Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf"
    others = [ImageFont.truetype(str(folder / f"{name}.ttf"), GLYPH_PX) for name in TYPEFACES]
    return [(own, stroke) for stroke in STROKES_PX] + [(font, 0) for font in others]


def _render(char: str, font: ImageFont.FreeTypeFont, stroke: int) -> np.ndarray:
    """The glyph, white on black, cut to its ink; of several patches ("i", "%") the largest, as in a picture."""
    canvas = Image.new("L", (CANVAS_PX, CANVAS_PX))
    ImageDraw.Draw(canvas).text(GLYPH_PLACE, char, fill=255, font=font, stroke_width=stroke)
    pixels = np.asarray(canvas)
    ink = (pixels > INK_OF_GLYPH).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    x, y, width, height, _ = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    return pixels[y : y + height, x : x + width]
