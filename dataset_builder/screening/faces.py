"""Faces in a picture, by OpenCV's YuNet (cv2.FaceDetectorYN), whose model file the user supplies.

The model: https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet (MIT).
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dataset_builder.screening.rules import Found

_MIN_SCORE = 0.7  # of a face; YuNet's own default of 0.9 passes over turned ones
_MAX_OVERLAP = 0.3  # of two boxes of one face, intersection over union
_MAX_SIDE_PX = 1280  # pictures are looked at no larger: faces that are found begin at ten pixels
_SCORE_COLUMN = 14  # of the detector's rows: x, y, width, height, five landmarks, score


def model_version(path: Path | None) -> str | None:
    """A hash of the model file; None without one. Raises ValueError for a file that is none of YuNet's."""
    if path is None:
        return None
    if not path.is_file():
        raise ValueError(f"no file {path} (--face_model): give YuNet's .onnx")
    FaceFinder(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


class FaceFinder:
    """Finds faces; made once a process. Raises ValueError for a file that is no such model."""

    def __init__(self, model: Path):
        try:
            self._detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320), _MIN_SCORE, _MAX_OVERLAP)
            self._detector.detect(np.zeros((320, 320, 3), np.uint8))
        except cv2.error as error:
            raise ValueError(
                f"{model} is no model of OpenCV's FaceDetectorYN (--face_model): give YuNet's .onnx"
            ) from error

    def faces(self, image: Image.Image) -> list[Found]:
        """The faces of an RGB or grey picture, with boxes in its pixels."""
        scale = min(1.0, _MAX_SIDE_PX / max(image.size))
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        pixels = np.asarray(image.convert("RGB").resize(size))[:, :, ::-1]  # (height, width, 3), BGR
        self._detector.setInputSize(size)
        rows = self._detector.detect(np.ascontiguousarray(pixels))[1]  # (faces, 15)
        return [] if rows is None else [_face(row / scale, float(row[_SCORE_COLUMN]), image.size) for row in rows]


def _face(row: np.ndarray, score: float, size: tuple[int, int]) -> Found:
    x, y, width, height = (float(value) for value in row[:4])
    box = max(0.0, x), max(0.0, y), min(float(size[0]), x + width), min(float(size[1]), y + height)
    return Found("face", "", box, score)
