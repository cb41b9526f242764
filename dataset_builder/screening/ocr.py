"""Text in a picture: RapidOCR, whose wheel carries its models (PP-OCRv6, Apache-2.0); no network, no GPU.

Its models read Latin, Greek, Chinese and Japanese letters and all digits; Cyrillic words come out as nonsense.
"""

from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from PIL import Image

from dataset_builder.files.errors import UsageError
from dataset_builder.screening.lines import Box, Line

_PARAMETERS = {
    "Global.log_level": "critical",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # every process has a core of its own
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}
_PAPER = 170  # of 255: a ground that is lighter is paper, or a light box of a chart


def engine_version() -> str:
    """What reads the text, as the ledger names it. Raises UsageError where the extra is not installed."""
    if not (find_spec("rapidocr") and find_spec("onnxruntime")):
        raise UsageError('no OCR here: install the extra with `pip install "ldrt-vlm[ocr]"`')
    return f"rapidocr {version('rapidocr')}"


class TextReader:
    """Reads the lines of text of pictures; made once a process, which takes a second."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        self._engine: Any = RapidOCR(params=_PARAMETERS)

    def lines(self, image: Image.Image) -> list[Line]:
        """The lines of an RGB or grey picture, in no particular order."""
        pixels = np.asarray(image.convert("RGB"))  # (height, width, 3)
        read = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))  # wants BGR
        if read.txts is None:
            return []
        grey = np.asarray(image.convert("L"))  # (height, width)
        found = []
        for text, corners, score in zip(read.txts, read.boxes, read.scores, strict=True):
            box = _upright(corners)
            found.append(Line(text, box, float(score), _is_on_picture(grey, box)))
        return found


def _upright(corners: np.ndarray) -> Box:
    """The upright box around the four corners of a line that may be turned."""
    (x0, y0), (x1, y1) = np.asarray(corners).min(axis=0), np.asarray(corners).max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _is_on_picture(grey: np.ndarray, box: Box) -> bool:
    """Whether a line stands on a picture, not on paper: by what most of its box is."""
    x0, y0, x1, y1 = (max(0, round(side)) for side in box)
    part = grey[y0 : y1 + 1, x0 : x1 + 1]
    return bool(part.size) and float(np.median(part)) < _PAPER
