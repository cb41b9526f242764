"""An opened picture -> the bytes that are published of it, and a small JPEG to look at."""

import io

import cv2
import numpy as np
from PIL import Image

from trust.pictures.metadata import MalformedFile, without_metadata
from trust.pictures.opener import AS_STORED

PNG = (  # rows as differences to the row above; Pillow tries five ways for each row: twice the time for 3 % fewer bytes
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
    *(cv2.IMWRITE_PNG_COMPRESSION, 2),  # 3 takes a quarter more time for 3 % fewer bytes of figures cut from PDFs
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT),
)
QUICK_PNG = (  # for what is sent once and not kept: 30 ms for 1200 x 900 pixels where PNG takes 88, and no larger there
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
)
THUMBNAIL_PX = 320  # longest side, for the preview
THUMBNAIL_QUALITY = 70  # of JPEG, 1-95
_THUMBNAIL_GAP = 1.0  # Pillow's `reducing_gap`: whole numbers of pixels are averaged first, a third of the time


def encode(image: Image.Image, png: tuple[int, ...] = PNG) -> bytes:
    """The bytes stored in the dataset: the pixels, RGB or grey, and nothing else.

    The publisher's own JPEG or PNG stays as it is compressed, without its metadata and what lies behind its end;
    everything else, and a file that is built so oddly that these cannot be told from its pixels, becomes a PNG with
    the settings `png`.
    """
    stored = image.info.get(AS_STORED)
    if stored is not None:
        try:
            return without_metadata(stored)
        except MalformedFile:
            pass
    pixels = np.asarray(image)  # (height, width) or (height, width, 3)
    if image.mode == "RGB":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels, png)[1].tobytes()


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
