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

SIDE = 16  # px: letters are compared as SIDE x SIDE grey pictures
MIN_HEIGHT_PX, MAX_HEIGHT_SHARE = 7, 0.09  # of a letter; the share is of the picture's longest side
MIN_SCORE = 0.66  # correlation of a letter with its glyph
MARGIN = 0.06  # another letter or digit may fit better by this: a small B is much like an 8
DARK, LIGHT = 140, 185  # grey levels: ink is darker than the one; letters on dark ground are lighter than the other
MAX_CANDIDATES = 400  # patches compared in one picture
CLEAR = 0.33  # free space left and right of a letter, in letter heights; a word's letters are closer
TYPEFACES = ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "DejaVuSans", "DejaVuSans-Bold")  # matplotlib's
GLYPHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%&?*+"


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


def find_letters(grey: np.ndarray, wanted: str) -> list[Letter]:
    """The `wanted` letters that stand alone in `grey` (height, width) uint8, in either case.

    Dark letters on light ground are looked for and, where much of the picture is dark, light ones on dark ground. A
    letter whose two cases look alike ("C") is returned as both, which differ in the height of a capital.
    """
    found = _letters_of(grey, (grey < DARK).astype(np.uint8), wanted, dark=True)
    if np.count_nonzero(grey[::4, ::4] < 100) > 0.1 * grey[::4, ::4].size:
        found += _letters_of(grey, (grey > LIGHT).astype(np.uint8), wanted, dark=False)
    return found


def _letters_of(grey: np.ndarray, mask: np.ndarray, wanted: str, dark: bool) -> list[Letter]:
    boxes = _lone_patches(mask, int(MAX_HEIGHT_SHARE * max(grey.shape)))[:MAX_CANDIDATES]
    if not len(boxes):
        return []
    patches = _vectors([_small(grey[y0:y1, x0:x1]) for x0, y0, x1, y1 in boxes])
    patches = patches if dark else -patches
    glyphs, chars, aspects, heights = _glyphs()
    scores = patches @ glyphs.T  # (letters, glyphs)
    sizes = (boxes[:, 2] - boxes[:, 0]) / (boxes[:, 3] - boxes[:, 1])
    scores -= 0.35 * np.abs(np.log(sizes[:, None] / aspects[None, :]))
    letters = []
    for alphabet in (wanted.lower(), wanted.upper()):
        possible = np.isin(chars, list(alphabet))
        best = np.where(possible, scores, -1).argmax(axis=1)
        for box, row, k in zip(boxes, scores, best, strict=True):
            if possible[k] and row[k] >= max(MIN_SCORE, row.max() - MARGIN):
                x0, y0, x1, y1 = (float(value) for value in box)
                letters.append(Letter(chars[k], x0, y0, x1, y1, (y1 - y0) / heights[k], float(row[k])))
    return letters


def _lone_patches(mask: np.ndarray, max_height: int) -> np.ndarray:
    """Boxes (n, 4) x0, y0, x1, y1 of the connected patches of letter size with nothing near them."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    stats = stats.astype(np.int32)
    x, y, w, h, area = stats.T
    fits = (h >= MIN_HEIGHT_PX) & (h <= max_height) & (w <= 1.4 * h) & (w >= 0.15 * h) & (area >= 0.15 * w * h)
    fits[0] = False
    boxes = np.stack([x, y, x + w, y + h], axis=1)[fits]
    total = cv2.integral(mask)
    x0, y0, x1, y1 = boxes.T
    height = y1 - y0
    near = (CLEAR * height).astype(int) + 1
    far = np.maximum(4, (1.0 * height).astype(int))
    above = _ink(total, x0, y0 - near // 2 - 1, x1, y0) + _ink(total, x0, y1, x1, y1 + near // 2 + 1)
    left, right = _ink(total, x0 - near, y0, x0, y1), _ink(total, x1, y0, x1 + near, y1)
    lone = (above == 0) & (left == 0) & (right == 0)
    # "(a)", "a)" and "a.": brackets and dots are narrow, and nothing is behind them
    narrow = (above == 0) & ~lone & (_behind(total, boxes, far, near))
    narrow[narrow] = [_bracketed(labels, stats, box) for box in boxes[narrow]]
    return boxes[lone | narrow]


def _ink(total: np.ndarray, x0, y0, x1, y1) -> np.ndarray:
    """Sum of the mask in each box, from its integral picture."""
    height, width = total.shape[0] - 1, total.shape[1] - 1
    x0, x1 = np.clip(x0, 0, width), np.clip(x1, 0, width)
    y0, y1 = np.clip(y0, 0, height), np.clip(y1, 0, height)
    return total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]


def _behind(total: np.ndarray, boxes: np.ndarray, far: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Whether the space behind a bracket on either side of a letter is free."""
    x0, y0, x1, y1 = boxes.T
    left = _ink(total, x0 - far, y0, x0 - far + near // 2 + 1, y1)
    right = _ink(total, x1 + far - near // 2 - 1, y0, x1 + far, y1)
    return (left == 0) & (right == 0)


def _bracketed(labels: np.ndarray, stats: np.ndarray, box: np.ndarray) -> bool:
    """Whether what stands beside the letter is narrow, on either side: a bracket (maybe in pieces) or a dot."""
    x0, y0, x1, y1 = (int(value) for value in box)
    height = y1 - y0
    reach = max(3, int(0.6 * height))
    for side in (labels[y0:y1, max(0, x0 - reach) : x0], labels[y0:y1, x1 : x1 + reach]):
        pieces = stats[[i for i in np.unique(side) if i]]
        if not len(pieces):
            continue
        left, top = pieces[:, 0].min(), pieces[:, 1].min()
        right, bottom = (pieces[:, 0] + pieces[:, 2]).max(), (pieces[:, 1] + pieces[:, 3]).max()
        bracket = right - left <= 0.55 * height and 0.85 * height <= bottom - top <= 2.2 * height
        dot = right - left <= 0.35 * height and bottom - top <= 0.35 * height
        if not (bracket or dot):
            return False
    return True


def _small(patch: np.ndarray) -> np.ndarray:
    return cv2.resize(patch, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def _vectors(patches: list[np.ndarray]) -> np.ndarray:
    """Patches (SIDE, SIDE), ink dark, as vectors (patches, SIDE * SIDE) of mean 0 and length 1, ink high.

    They are softened, so that small blurred letters and sharp glyphs meet.
    """
    ink = 255 - np.stack(patches).astype(np.float32)
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    vectors = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]).reshape(len(patches), -1)
    vectors -= vectors.mean(axis=1, keepdims=True)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


@functools.cache
def _glyphs() -> tuple[np.ndarray, list[str], np.ndarray, np.ndarray]:
    """Glyphs as vectors (glyphs, SIDE * SIDE), their characters, widths over heights, and heights over a capital's."""
    # Finding matplotlib is enough: importing it takes longer than all the rest here.
    folder = Path(find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
    faces = [(ImageFont.load_default(64), stroke) for stroke in (0, 2, 4)]  # Aileron, much like Helvetica
    faces += [(ImageFont.truetype(str(folder / f"{name}.ttf"), 64), 0) for name in TYPEFACES]
    patches, chars, aspects, heights = [], [], [], []
    for font, stroke in faces:
        capital = _render("H", font, stroke).shape[0]
        for char in GLYPHS:
            glyph = _render(char, font, stroke)
            patches.append(cv2.resize(255 - glyph, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
            chars.append(char)
            aspects.append(glyph.shape[1] / glyph.shape[0])
            heights.append(glyph.shape[0] / capital)
    return _vectors(patches), chars, np.array(aspects), np.array(heights)


def _render(char: str, font: ImageFont.FreeTypeFont, stroke: int) -> np.ndarray:
    """The glyph, white on black, cut to its ink; of several patches ("i", "%") the largest, as in a picture."""
    canvas = Image.new("L", (160, 160))
    ImageDraw.Draw(canvas).text((40, 30), char, fill=255, font=font, stroke_width=stroke)
    pixels = np.asarray(canvas)
    _, _, stats, _ = cv2.connectedComponentsWithStats((pixels > 127).astype(np.uint8), connectivity=8)
    x, y, w, h, _ = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())]
    return pixels[y : y + h, x : x + w]
