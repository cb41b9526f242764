"""Faces in a picture, by OpenCV's YuNet (cv2.FaceDetectorYN), whose model file the user supplies.

The model: https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet (MIT).
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from dataset_builder.screening.lines import Box
from dataset_builder.screening.rules import Found

_MIN_SCORE = 0.75  # of a face; YuNet's own default of 0.9 passes over faces with a bar over the eyes
_MAX_OVERLAP = 0.3  # of two boxes of one face, intersection over union
_LONGEST_SIDES_PX = (320, 1280)  # that pictures are looked at with: faces that fill them, and small ones
_WAY = "turned and in two sizes"  # part of `face_version`: pictures are looked at anew where it changes
_SCORE_COLUMN = 14  # of the detector's rows: x, y, width, height, five landmarks, score


def model_version(path: Path | None) -> str | None:
    """How faces are looked for and a hash of the model; None without one. Raises ValueError for a file that is none."""
    if path is None:
        return None
    if not path.is_file():
        raise ValueError(f"no file {path} (--face_model): give YuNet's .onnx")
    FaceFinder(path)
    return f"{_WAY} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


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
        """The faces of an RGB or grey picture, upright, lying or upside down, with boxes in its pixels."""
        pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]  # (height, width, 3), BGR
        sides = sorted({min(side, max(image.size)) for side in _LONGEST_SIDES_PX})
        found = [face for turns in range(4) for side in sides for face in self._upright(pixels, turns, side)]
        apart = cv2.dnn.NMSBoxes(
            [_corner_and_size(face.box) for face in found], [face.score for face in found], _MIN_SCORE, _MAX_OVERLAP
        )
        return [found[index] for index in apart]

    def _upright(self, pixels: np.ndarray, turns: int, longest: int) -> list[Found]:
        """The faces that are upright after so many quarter turns to the left, seen at that longest side."""
        scale = longest / max(pixels.shape)
        turned = np.rot90(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), turns)
        height, width = turned.shape[:2]
        self._detector.setInputSize((width, height))
        rows = self._detector.detect(np.ascontiguousarray(turned))[1]  # (faces, 15)
        boxes = [] if rows is None else [turned_back(_box(row, width, height), turns, width, height) for row in rows]
        scores = [] if rows is None else rows[:, _SCORE_COLUMN]
        return [
            Found("face", "", tuple(value / scale for value in box), float(score))
            for box, score in zip(boxes, scores, strict=True)
        ]


def _box(row: np.ndarray, width: int, height: int) -> Box:
    """Within the picture: the detector's boxes may go beyond its edges."""
    x, y, across, down = (float(value) for value in row[:4])
    return max(0.0, x), max(0.0, y), min(float(width), x + across), min(float(height), y + down)


def turned_back(box: Box, turns: int, width: int, height: int) -> Box:
    """The box of a picture of that size before its quarter turns to the left."""
    for _ in range(turns):
        x0, y0, x1, y1 = box
        box = height - y1, x0, height - y0, x1
        width, height = height, width
    return box


def _corner_and_size(box: Box) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return x0, y0, x1 - x0, y1 - y0
