"""One picture: file or bytes -> image, safely; image -> bytes for the dataset, thumbnail, sharpness and hashes."""

import hashlib
import io
import warnings
from pathlib import Path

import cv2
import imagehash
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from dataset_builder.readers.article import Measures

MAX_PIXELS = 120_000_000  # a 600 dpi A4 page has 35 million
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # not PostScript, which Pillow would let Ghostscript run
PNG_LEVEL = 3  # of figures as small as Pillow's 6, in 60 % of the time
THUMBNAIL_PX = 320  # longest side, for the preview
THUMBNAIL_QUALITY = 70  # of JPEG, 1-95
_THUMBNAIL_GAP = 2.0  # Pillow's `reducing_gap`: shrink coarsely to twice the size first, which no eye can tell
_UPRIGHT = 1  # the EXIF orientation of a photograph that is not turned
_TEXT_SIDE_PX = 1000  # pictures are looked at no larger than this when print is told from drawing
_LIGHT = 200  # of 255
_INK_STEP = 16  # levels by which ink is darker than its ground: more than the noise of JPEG
_MAX_INK_SHARE = 0.3  # of a printed page a tenth is black
_LETTER_PX = 34  # tallest letter at that size
_WIDE_LETTER_PX = 3 * _LETTER_PX  # letters of one word may touch
_DOT_PX = 4  # lower ones are dots of dotted lines, too
_MIN_LETTERS = 60


# ---- decoding ----


class PictureTooLarge(ValueError):
    """A picture with more pixels than are decoded."""


def open_image(source: Path | bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a picture file (or its bytes) to an RGB or L image, transparent parts on white.

    The size is read from the header and bounded before any pixel is decoded. Of a file with several frames the first
    is taken. An RGB or L file that is a JPEG or PNG keeps its own bytes in `image.info["encoded"]` (see `encode`).
    Raises ValueError, naming the file, when it is no picture or broken, and `PictureTooLarge` when it has more than
    `max_pixels`.
    """
    name = source.name if isinstance(source, Path) else "picture"
    data = source.read_bytes() if isinstance(source, Path) else source
    try:
        image = _read_header(data)
        if image.width * image.height > max_pixels:
            raise PictureTooLarge(f"{name}: {image.width}x{image.height} pixels, more than {max_pixels}")
        keeps_bytes = _is_stored_as_is(image)
        image.load()
        decoded = _to_rgb_or_grey(ImageOps.exif_transpose(image))
    except ValueError:
        raise
    except Image.DecompressionBombError as error:  # Pillow's own limit, beyond ours
        raise PictureTooLarge(f"{name}: more than {max_pixels} pixels") from error
    except UnidentifiedImageError as error:  # its text holds an address in memory
        raise ValueError(f"{name}: not a readable picture (none of {', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's decoders raise anything from OSError to struct.error on broken files
        raise ValueError(f"{name}: not a readable picture ({type(error).__name__}: {error})") from error
    decoded.info = {"encoded": data} if keeps_bytes else {}
    return decoded


def _read_header(data: bytes) -> Image.Image:
    """The picture, not decoded yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `open_image` has a limit of its own
        return Image.open(io.BytesIO(data), formats=FORMATS)


def _is_stored_as_is(image: Image.Image) -> bool:
    """Whether the dataset may keep the file's own bytes: every viewer shows them as the decoded image is."""
    known = image.format in ("JPEG", "PNG") and image.mode in ("RGB", "L")
    return known and image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT) == _UPRIGHT


def _to_rgb_or_grey(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L"):
        return image
    if image.mode.startswith("I") or image.mode == "F":  # 16 and 32 bit grey: stretch to 8 bit
        grey = np.asarray(image, dtype=np.float64)  # (height, width)
        span = grey.max() - grey.min() or 1.0
        return Image.fromarray(((grey - grey.min()) / span * 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("L" if image.mode in ("1", "LA") else "RGB")


# ---- encoding ----


def encode(image: Image.Image) -> bytes:
    """The bytes stored in the dataset: the publisher's own JPEG or PNG where there is one, else PNG."""
    if "encoded" in image.info:
        return image.info["encoded"]
    buffer = io.BytesIO()
    Image.Image.save(image, buffer, format="PNG", compress_level=PNG_LEVEL)
    return buffer.getvalue()


def thumbnail(image: Image.Image) -> bytes:
    """The picture as a small JPEG, longest side `THUMBNAIL_PX`."""
    longest = max(image.size)
    if longest <= THUMBNAIL_PX:
        small = image.copy()
    else:
        width = max(1, round(image.width * THUMBNAIL_PX / longest))
        height = max(1, round(image.height * THUMBNAIL_PX / longest))
        small = image.resize((width, height), reducing_gap=_THUMBNAIL_GAP)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()


# ---- measures ----


def measure(image: Image.Image, encoded: bytes) -> Measures:
    """The columns `width`, `height` (pixels), `sharpness`, `image_sha256`, `phash`, and `contrast` and `text_share`
    for the filters.

    `sharpness` is the variance of the Laplacian on 8-bit grey (CV_64F, kernel size 1: CV_8U would clip negatives);
    `contrast` is the standard deviation of grey, 0 to 127.5; `phash` is 64 bits as hex (imagehash's DCT hash).
    """
    grey = np.asarray(image.convert("L"))  # (height, width)
    return {
        "width": image.width,
        "height": image.height,
        "sharpness": _deviation(cv2.Laplacian(grey, cv2.CV_64F, ksize=1)) ** 2,
        "contrast": _deviation(grey),
        "text_share": text_share(grey),
        "image_sha256": hashlib.sha256(encoded).hexdigest(),
        "phash": str(imagehash.phash(Image.fromarray(grey))),
    }


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
    ground = int(np.bincount(grey.ravel(), minlength=256).argmax())
    if ground < _LIGHT:
        return 0.0
    ink = (grey < ground - _INK_STEP).astype(np.uint8)
    if not 0 < ink.mean() < _MAX_INK_SHARE:
        return 0.0
    _, _, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    widths, heights, areas = boxes[1:, 2], boxes[1:, 3], boxes[1:, 4]  # (pieces,), the first row is the ground
    letters = (heights >= _DOT_PX) & (heights <= _LETTER_PX) & (widths <= _WIDE_LETTER_PX)
    return float(areas[letters].sum() / areas.sum()) if letters.sum() >= _MIN_LETTERS else 0.0
