"""A JPEG or PNG file -> the same file with its pixels' data alone, nothing decoded or compressed again.

What cameras, editors and people put into a picture beside its pixels (EXIF with places and serial numbers, XMP,
IPTC, comments, thumbnails of what was cut off, colour profiles) and behind its end (the second picture of a stereo
camera, the rest of an uncropped screenshot, anything) is nobody's business. Lists say what stays, so what is unknown
goes. Colour profiles go, too: no reader of the dataset applies them, and they hold text.
"""

import re
import zlib
from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # what the pixels are made of

JPEG_START = b"\xff\xd8"
_END, _SCAN = 0xD9, 0xDA
_APP0, _APP14 = 0xE0, 0xEE
_FRAMES = {*range(0xC0, 0xD0)} - {0xC8}  # SOF0 to SOF15, and the tables DHT (C4) and DAC (CC) among them
_JPEG_KEPT = _FRAMES | {_SCAN, 0xDB, 0xDC, 0xDD}  # and DQT, DNL, DRI
_JFIF, _JFIF_BYTES = b"JFIF\0", 12  # identifier, version and density; behind them the size of a thumbnail
_ADOBE, _ADOBE_BYTES = b"Adobe", 12  # how the colours are transformed
_NO_THUMBNAIL = b"\0\0"
_MAX_SCANS = 500  # progressive JPEGs have about ten; thousands on one picture cost hours to decode
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # but for stuffed zeros, fill bytes and restart marks


class MalformedFile(ValueError):
    """The file is not built as JPEG or PNG files are, or ends too early."""


def without_metadata(data: bytes) -> bytes:
    """The file without metadata and without what lies behind the picture's end; the pixels are the same.

    An animated PNG becomes its default picture. Raises `MalformedFile` for another kind of file and for one whose parts
    do not follow each other up to the end mark.
    """
    return b"".join(_parts(data))


def is_bare(data: bytes) -> bool:
    """Whether `without_metadata` would leave the file as it is."""
    try:
        return sum(map(len, _parts(data))) == len(data)
    except MalformedFile:
        return False


def is_whole(data: bytes) -> bool:
    """Whether it is a JPEG or PNG whose parts follow each other up to the end mark."""
    try:
        for _ in _parts(data):
            pass
    except MalformedFile:
        return False
    return True


def _parts(data: bytes) -> Iterator[bytes]:
    """What is kept of the file, in its order."""
    if data.startswith(PNG_SIGNATURE):
        yield PNG_SIGNATURE
        yield from _png_parts(data)
    elif data.startswith(JPEG_START):
        yield JPEG_START
        yield from _jpeg_parts(data)
    else:
        raise MalformedFile("neither JPEG nor PNG")


def _png_parts(data: bytes) -> Iterator[bytes]:
    """The chunks that are kept: length, name, content, checksum."""
    at, name = len(PNG_SIGNATURE), b""
    while name != b"IEND":
        name = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if end > len(data) or len(name) < 4:
            raise MalformedFile("cut off before its end mark")
        if name in _PNG_KEPT:
            if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
                raise MalformedFile(f"wrong checksum of its part {name.decode()}")
            yield data[at:end]
        at = end


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    """The segments that are kept, each scan with its compressed data, and the end mark."""
    at, scans = len(JPEG_START), 0
    while True:
        marker, at = _next_marker(data, at)
        if marker == _END:
            yield bytes([0xFF, _END])
            return
        segment = _segment(data, at)
        at += len(segment)
        yield _kept_of_segment(marker, segment)
        if marker == _SCAN:
            scans += 1
            if scans > _MAX_SCANS:
                raise MalformedFile(f"more than {_MAX_SCANS} scans")
            end = _end_of_scan(data, at)
            yield data[at:end]
            at = end


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """(code of the marker that begins at `at`, where what follows it begins); any number of fill bytes may precede."""
    start = at
    while data[at : at + 1] == b"\xff":
        at += 1
    if at == len(data):
        raise MalformedFile("cut off before its end mark")
    if at == start:
        raise MalformedFile("bytes that belong to no part of it")
    return data[at], at + 1


def _segment(data: bytes, at: int) -> bytes:
    """Length (two bytes, which count) and content of a segment."""
    length = int.from_bytes(data[at : at + 2])
    if length < 2:
        raise MalformedFile("a part without content")
    if at + length > len(data):
        raise MalformedFile("cut off before its end mark")
    return data[at : at + length]


def _kept_of_segment(marker: int, segment: bytes) -> bytes:
    """The segment with its marker; of JFIF's and Adobe's what decoders need; nothing of others."""
    content = segment[2:]
    if marker in _JPEG_KEPT:
        return bytes([0xFF, marker]) + segment
    if marker == _APP0 and content.startswith(_JFIF) and len(content) >= _JFIF_BYTES + len(_NO_THUMBNAIL):
        return _written(marker, content[:_JFIF_BYTES] + _NO_THUMBNAIL)
    if marker == _APP14 and content.startswith(_ADOBE) and len(content) >= _ADOBE_BYTES:
        return _written(marker, content[:_ADOBE_BYTES])
    return b""


def _written(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the compressed data that begins at `at` ends: at the next marker that is not part of it."""
    found = _MARKER_IN_SCAN.search(data, at)
    if found is None:
        raise MalformedFile("cut off before its end mark")
    return found.start()
