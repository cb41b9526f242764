"""Pictures as strangers make them: what must not be opened, and what must come out right.

`REFUSED`: name -> (what a row stores, what the one line of reason says). `SEEN`: name -> (file, pixels as grey levels
that whoever looks at it sees, one for each quarter: top left, top right, bottom left, bottom right).
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

SECRET = "Patient-0815"  # what metadata of these pictures say, and nothing that is published may
GREYS = (0, 85, 170, 255)  # of the quarters


@dataclass(frozen=True)
class Refused:
    """What a row of a dataset stores for its picture, and words of the reason why it is not opened."""

    bytes: bytes | None
    reason: str
    path: str | None = None

    @property
    def stored(self) -> dict:
        return {"bytes": self.bytes, "path": self.path}


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def quarters(greys=GREYS, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Four even quarters of these levels, 8 bit grey."""
    width, height = size
    levels = np.array(greys, np.uint8).reshape(2, 2)
    return Image.fromarray(levels.repeat(height // 2, axis=0).repeat(width // 2, axis=1))


def noise(size: tuple[int, int] = (64, 48)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header tells of this size and that has no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b""))
        + png_chunk(b"IEND", b"")
    )


def refused(folder_path: str, url: str, fifo: str) -> dict[str, Refused]:
    """The pictures that no door may open; paths and address are such that opening them would be noticed."""
    not_held = "does not hold the picture itself"
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n(" + folder_path.encode() + b") (w) file closefile\n"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    none = "not a readable picture (none of BMP, GIF, JPEG, PNG, TIFF, WEBP)"
    bomb_tiff = encoded(Image.new("1", (20_000, 10_000)), "TIFF", compression="group4")
    return {
        "eps": Refused(eps, none),
        "eps with a preview": Refused(
            b"\xc5\xd0\xd3\xc6" + struct.pack("<7I", 32, len(eps), 0, 0, 0, 0, 0) + eps, none
        ),
        "svg": Refused(svg, none),
        "pdf": Refused(b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n", none),
        "html": Refused(b"<html>404</html>", none),
        "a path": Refused(None, not_held, folder_path),
        "a path and no bytes": Refused(b"", "0 bytes", folder_path),
        "a pipe": Refused(None, not_held, fifo),
        "an address": Refused(None, not_held, url),
        "an address in an archive": Refused(None, not_held, f"zip://a.png::{url}"),
        "nothing": Refused(None, "the row has no picture"),
        "zero bytes": Refused(b"", "0 bytes"),
        "png bomb": Refused(png_of(60_000, 60_000), "more than 120000000 pixels"),
        "png bomb, smaller": Refused(png_of(12_000, 11_000), "12000x11000 pixels, more than"),
        "tiff bomb": Refused(bomb_tiff, "pixels"),
        "truncated png": Refused(encoded(noise(), "PNG")[:4000], "not a readable picture"),
        "truncated jpeg": Refused(encoded(noise(), "JPEG")[:1500], "not a readable picture"),
        "truncated tiff": Refused(encoded(noise(), "TIFF")[:4000], "not a readable picture"),
        "broken png": Refused(b"\x89PNG\r\n\x1a\nnot a picture", "not a readable picture"),
    }


def _with_exif(orientation: int | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET  # ImageDescription
    if orientation:
        exif[0x0112] = orientation
    return exif


def _xmp() -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><who>{SECRET}</who></x:xmpmeta>'.encode()


def _icc() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile + SECRET.encode()


def talkative_jpeg(image: Image.Image, **options) -> bytes:
    """With EXIF and its thumbnail, XMP, ICC, IPTC, a comment, a JFIF thumbnail, and more behind its end."""
    data = encoded(image, "JPEG", exif=_with_exif(), xmp=_xmp(), icc_profile=_icc(), comment=SECRET, **options)
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + SECRET.encode()
    extra = b"".join(
        b"\xff" + bytes([m]) + (len(c) + 2).to_bytes(2) + c for m, c in [(0xED, iptc), (0xEF, SECRET.encode())]
    )
    return data[:2] + extra + data[2:] + SECRET.encode() + encoded(noise((16, 16)), "JPEG")


def talkative_png(image: Image.Image) -> bytes:
    """With text of all kinds, EXIF, a time, ICC, an unknown chunk, and more behind its end."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET)
    info.add_text("Comment", SECRET, zip=True)
    info.add_itxt("XML:com.adobe.xmp", _xmp().decode())
    data = encoded(image, "PNG", pnginfo=info, exif=_with_exif(), icc_profile=_icc(), dpi=(300, 300))
    mine = png_chunk(b"tIME", b"\x07\xe9\1\1\1\1\1") + png_chunk(b"prVt", SECRET.encode())
    return data[:33] + mine + data[33:] + SECRET.encode() + encoded(noise((16, 16)), "PNG")


def seen() -> dict[str, bytes]:
    """name -> a file that shows the quarters GREYS."""
    grey = quarters()
    rgb = grey.convert("RGB")
    deep = np.asarray(grey).astype(np.uint16) * 16  # a 12 bit camera: Pillow's own conversion makes it white
    rotated = grey.transpose(Image.Transpose.ROTATE_90)  # turned by 90 degrees against the clock: orientation 6
    alpha = Image.new("LA", grey.size, (0, 0))
    alpha.putalpha(Image.eval(grey, lambda level: 255 - level))  # black, more or less of it
    frames = [quarters(GREYS[::-1]), Image.new("L", grey.size, 7)]
    black_ink = Image.merge("CMYK", [Image.new("L", grey.size, 0)] * 3 + [Image.eval(grey, lambda level: 255 - level)])
    return {
        "png": encoded(rgb, "PNG"),
        "grey png": encoded(grey, "PNG"),
        "jpeg": encoded(rgb, "JPEG", quality=95),
        "progressive jpeg": encoded(rgb, "JPEG", quality=95, progressive=True),
        "webp": encoded(rgb, "WEBP", lossless=True),
        "tiff": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "bmp": encoded(rgb, "BMP"),
        "gif": encoded(grey, "GIF"),
        "16 bit png": encoded(Image.fromarray(deep), "PNG"),
        "16 bit tiff": encoded(Image.fromarray(deep), "TIFF"),
        "32 bit tiff": encoded(Image.fromarray(deep.astype(np.int32) * 100), "TIFF"),
        "float tiff": encoded(Image.fromarray(deep.astype(np.float32) / 9000), "TIFF"),
        "16 bit tiff, white is zero": encoded(Image.fromarray(4080 - deep), "TIFF", tiffinfo={262: 0}),
        "palette png": encoded(grey.convert("P"), "PNG"),
        "palette png with a transparent colour": encoded(grey.convert("P"), "PNG", transparency=255),
        "grey png with a transparent level": encoded(grey, "PNG", transparency=255),
        "transparent png": encoded(alpha, "PNG"),
        "transparent webp": encoded(alpha.convert("RGBA"), "WEBP", lossless=True),
        "turned jpeg": encoded(rotated.convert("RGB"), "JPEG", quality=95, exif=_with_exif(6)),
        "turned png": encoded(rotated, "PNG", exif=_with_exif(6)),
        "turned webp": encoded(rotated.convert("RGB"), "WEBP", lossless=True, exif=_with_exif(6)),
        "turned tiff": encoded(rotated, "TIFF", tiffinfo={274: 6}),
        "cmyk jpeg": encoded(black_ink, "JPEG", quality=95),
        "cmyk tiff": encoded(black_ink, "TIFF"),
        "animated gif": encoded(grey, "GIF", save_all=True, append_images=frames),
        "animated webp": encoded(rgb, "WEBP", lossless=True, save_all=True, append_images=frames),
        "animated png": encoded(grey, "PNG", save_all=True, append_images=frames),
        "tiff of several pages": encoded(grey, "TIFF", save_all=True, append_images=frames),
        "mpo": encoded(rgb, "MPO", quality=95, save_all=True, append_images=[frame.convert("RGB") for frame in frames]),
        "talkative jpeg": talkative_jpeg(rgb, quality=95),
        "talkative progressive jpeg": talkative_jpeg(rgb, quality=95, progressive=True),
        "talkative png": talkative_png(rgb),
    }


def levels(image: Image.Image) -> tuple[int, ...]:
    """The grey levels in the middle of the quarters."""
    width, height = image.size
    grey = image.convert("L")
    points = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    return tuple(int(grey.getpixel(point)) for point in points)
