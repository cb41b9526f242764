"""The one opener of pictures: bytes of a stranger -> an RGB or L image as anybody would look at it, or one clear line.

Everything that looks at a picture comes through here: `ldrt build`, training, generation, what is sent to a server,
the page for raters and the preview. No other file of the project calls Pillow's or OpenCV's readers
(tests/test_architecture.py), so what a stranger's picture may do is decided here:

- it has one of `FORMATS`: Pillow would hand PostScript to Ghostscript;
- its bytes are given; no path or address that a dataset names is followed (`stored.py`);
- its size, in bytes and by its header in pixels, is bounded before any pixel is decoded;
- a failure is an `UnreadablePicture` that says why in one line; the caller adds whose picture it is.

And it is prepared in one way: first frame, upright (EXIF orientation), 16 and 32 bit grey stretched to 8 bit,
transparent parts on white, palettes and CMYK as RGB, nothing but pixels (`info` is empty but for `AS_STORED`).
"""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from trust.pictures.metadata import PNG_SIGNATURE

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # not PostScript, which Pillow would let Ghostscript run
MAX_PIXELS = 120_000_000  # a 600 dpi A4 page has 35 million
MAX_BYTES = 1024**3  # of a file: MAX_PIXELS uncompressed in 16-bit RGB are 720 million
AS_STORED = "as_stored"  # key of `info`: the bytes that were opened, where every viewer shows them as the image is
_JPEGS = ("JPEG", "MPO")  # MPO: a JPEG with more pictures behind its end
_MAX_REASON = 200  # characters of what a decoder says
_DRAFT_SCALE = 2  # a JPEG that is shrunk anyway is decoded at no less than this many times the size asked for
_UPRIGHT = 1  # the EXIF orientation of a picture that is not turned
_TURNS = {  # the other EXIF orientations -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = (5, 6, 7, 8)  # orientations in which width and height change places
_TIFF_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
_TURNING_PARTS = (
    b"eXIf",
    b"Raw profile type exif",
    b"XML:com.adobe.xmp",
)  # of a PNG, which may stand behind the pixels


class UnreadablePicture(ValueError):
    """A picture that is not opened, and why, in one line."""


class PictureTooLarge(UnreadablePicture):
    """One with more bytes or pixels than are decoded."""


# ---- opening ----


def open_picture(data: bytes, near_px: int | None = None) -> Image.Image:
    """Decode a picture to an RGB or L image, prepared as the module says.

    With `near_px` a JPEG may come smaller, with its longest side at least twice that: for small copies. Raises
    `UnreadablePicture` for what is no picture of `FORMATS`, is broken, or has more than `MAX_PIXELS` or `MAX_BYTES`.
    """
    with _failures_in_one_line():
        image = _read_header(data)
        if near_px is not None:
            image.draft(image.mode, (_DRAFT_SCALE * near_px, _DRAFT_SCALE * near_px))
        image.load()
        orientation = _orientation(image)
        as_stored = near_px is None and _is_shown_as_stored(image, orientation)
        prepared = _upright(_to_rgb_or_grey(image), orientation)
    prepared.info = {AS_STORED: data} if as_stored else {}
    return prepared


def open_picture_file(path: Path) -> Image.Image:
    """As `open_picture`, of a file; the error begins with the file's name. Pipes and devices are not opened."""
    with _named(path):
        return open_picture(_read_file(path))


def picture_size(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels of the upright picture, from its header: no pixel is decoded. Raises as `open_picture`
    does, but for what only decoding finds."""
    with _failures_in_one_line():
        image = _read_header(data)
        width, height = image.size
        is_turned = image.format != "TIFF" and _orientation(image) in _LYING  # Pillow has turned a TIFF's size
    return (height, width) if is_turned else (width, height)


def shown_as_stored(data: bytes) -> bool:
    """Whether every viewer shows the file's own bytes as `open_picture` does: a JPEG or PNG in RGB or grey, upright,
    without transparency. By its header, no pixel is decoded; False where only decoding could tell. Raises as
    `picture_size` does."""
    if data.startswith(PNG_SIGNATURE) and any(name in data for name in _TURNING_PARTS):
        return False
    with _failures_in_one_line():
        image = _read_header(data)
        return _is_shown_as_stored(image, _orientation(image))


def picture_file_size(path: Path) -> tuple[int, int]:
    """As `picture_size`, of a file."""
    with _named(path):
        return picture_size(_read_file(path))


# ---- reading ----


def _read_file(path: Path) -> bytes:
    """The bytes of a regular file; one that is none (a pipe would be waited for) or too large raises."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadablePicture("not a file")
        _check_bytes(status.st_size)
        return file.read()


def _check_bytes(count: int) -> None:
    if count > MAX_BYTES:
        raise PictureTooLarge(f"{count} bytes, more than {MAX_BYTES}")
    if count == 0:
        raise UnreadablePicture("not a readable picture (0 bytes)")


def _read_header(data: bytes) -> Image.Image:
    """The picture, not decoded yet, and not too large."""
    _check_bytes(len(data))
    image = Image.open(BytesIO(data), formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise PictureTooLarge(f"{image.width}x{image.height} pixels, more than {MAX_PIXELS}")
    return image


@contextmanager
def _failures_in_one_line() -> Iterator[None]:
    """Whatever Pillow raises as an `UnreadablePicture`; what it warns of strangers' files interests nobody."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnreadablePicture:
        raise
    except UnidentifiedImageError as error:  # its text holds an address in memory
        raise UnreadablePicture(f"not a readable picture (none of {', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:  # twice Pillow's own limit, found while the header is read
        raise PictureTooLarge(f"more than {MAX_PIXELS} pixels") from error
    except Exception as error:  # Pillow's decoders raise anything from OSError to struct.error on broken files
        reason = f"{type(error).__name__}: {in_one_line(error)}"
        raise UnreadablePicture(f"not a readable picture ({reason})") from error


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Failures begin with the file's name."""
    try:
        yield
    except PictureTooLarge as error:
        raise PictureTooLarge(f"{in_one_line(path.name)}: {error}") from error
    except (UnreadablePicture, OSError) as error:
        raise UnreadablePicture(f"{in_one_line(path.name)}: {in_one_line(error)}") from error


def in_one_line(said: object) -> str:
    """What strangers or decoders say, printable, on one line and short."""
    text = said.strerror if isinstance(said, OSError) and said.strerror else str(said)
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _MAX_REASON else line[: _MAX_REASON - 1] + "…"


# ---- preparing ----


def _orientation(image: Image.Image) -> int:
    """1 to 8, of EXIF; 1 where there is none or it cannot be read. A PNG's is known for sure once it is loaded."""
    try:  # the class's own method: that of PNG would decode the picture
        orientation = Image.Image.getexif(image).get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception:  # broken EXIF; the pixels are not to be lost for it
        return _UPRIGHT
    return orientation if orientation in _TURNS else _UPRIGHT


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image if orientation == _UPRIGHT else image.transpose(_TURNS[orientation])


def _is_shown_as_stored(image: Image.Image, orientation: int) -> bool:
    """Whether the dataset may keep the file's own bytes: every viewer shows them as the decoded image is."""
    is_kept = image.format in (*_JPEGS, "PNG") and image.mode in ("RGB", "L")
    return is_kept and orientation == _UPRIGHT and not image.has_transparency_data


def _to_rgb_or_grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _stretched(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    if image.mode in ("RGB", "L"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """16 and 32 bit grey as 8 bit: the darkest pixel black, the brightest white.

    Scanners and microscopes use a small part of the range, so that a plain division shows nothing, and Pillow's own
    conversion cuts everything above 255 to white.
    """
    grey = np.asarray(image)  # (height, width)
    if image.mode.startswith("I;16"):
        eight_bit = _stretch(np.arange(2**16), int(grey.min()), int(grey.max()))[grey]
    else:
        known = grey[np.isfinite(grey)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        eight_bit = _stretch(np.where(np.isfinite(grey), grey, low).astype(np.float64), low, high)
    if image.format == "TIFF" and image.tag_v2.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:  # type: ignore[attr-defined]
        eight_bit = 255 - eight_bit  # Pillow inverts 8 bit ones only
    return Image.fromarray(eight_bit)


def _stretch(levels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Levels -> 0 to 255, `low` and `high` the ends; uint8 of the same shape."""
    span = high - low or 1.0
    return np.clip((levels - low) / span * 255, 0, 255).astype(np.uint8)
