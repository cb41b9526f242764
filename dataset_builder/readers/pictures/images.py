"""What is measured of one opened picture: sharpness, contrast, the share of print, hashes."""

import hashlib

import cv2
import imagehash
import numpy as np
from PIL import Image

from dataset_builder.readers.article import Measures

_TEXT_SIDE_PX = 1000  # pictures are looked at no larger than this when print is told from drawing
_LIGHT = 200  # of 255
_INK_STEP = 16  # levels by which ink is darker than its ground: more than the noise of JPEG
_MAX_INK_SHARE = 0.3  # of a printed page a tenth is black
_LETTER_PX = 34  # tallest letter at that size
_WIDE_LETTER_PX = 3 * _LETTER_PX  # letters of one word may touch
_DOT_PX = 4  # lower ones are dots of dotted lines, too
_MIN_LETTERS = 60


def measure(image: Image.Image, encoded: bytes) -> Measures:
    """The columns `width`, `height` (pixels), `sharpness`, `image_sha256`, `phash`, `contrast` and `text_share`
    for the filters, and `pixels_sha256`, by which others know the picture when they make it again.

    `sharpness` is the variance of the Laplacian on 8-bit grey (kernel size 1); `contrast` is the standard deviation of
    grey, 0 to 127.5; `phash` is 64 bits as hex (imagehash's DCT hash).
    """
    grey = np.asarray(image.convert("L"))  # (height, width)
    return {
        "width": image.width,
        "height": image.height,
        "sharpness": detail(grey),
        "contrast": _deviation(grey),
        "text_share": text_share(grey),
        "image_sha256": hashlib.sha256(encoded).hexdigest(),
        "pixels_sha256": pixels_sha256(image),
        "phash": str(imagehash.phash(Image.fromarray(grey))),
    }


def detail(grey: np.ndarray) -> float:
    """How much changes from pixel to pixel: the variance of the Laplacian of `grey`, uint8 (height, width).

    It is within ±1020: CV_16S holds it as exactly as CV_64F, in a quarter of the memory; CV_8U would clip negatives.
    """
    return _deviation(cv2.Laplacian(grey, cv2.CV_16S, ksize=1)) ** 2


def pixels_sha256(image: Image.Image) -> str:
    """sha256, hex, of mode, width, height and pixels: the same whatever library has compressed them."""
    total = hashlib.sha256(f"{image.mode} {image.width} {image.height}\n".encode())
    total.update(image.tobytes())
    return total.hexdigest()


def _deviation(pixels: np.ndarray) -> float:
    return float(cv2.meanStdDev(pixels)[1][0, 0])


def text_share(grey: np.ndarray) -> float:
    """The share of a picture's ink that is print: 1.0 is a crop of nothing but text, 0.0 has none.

    `grey` is uint8 (height, width). Ink is what stands out from a light ground, pale areas and thin lines included;
    print are connected pieces of the size of letters. A picture without a light ground, or with few letters, gives 0.0.
    """
    shrink = _TEXT_SIDE_PX / max(grey.shape)
    if shrink < 1:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    ground = int(cv2.calcHist([grey], [0], None, [256], [0, 256]).argmax())  # four times as fast as NumPy's `bincount`
    if ground < _LIGHT:
        return 0.0
    ink = (grey < ground - _INK_STEP).astype(np.uint8)
    if not 0 < cv2.countNonZero(ink) / ink.size < _MAX_INK_SHARE:
        return 0.0
    _, _, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    widths, heights, areas = boxes[1:, 2], boxes[1:, 3], boxes[1:, 4]  # (pieces,), the first row is the ground
    letters = (heights >= _DOT_PX) & (heights <= _LETTER_PX) & (widths <= _WIDE_LETTER_PX)
    return float(areas[letters].sum() / areas.sum()) if letters.sum() >= _MIN_LETTERS else 0.0
