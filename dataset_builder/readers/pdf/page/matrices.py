"""From PDF user space to the page as displayed, and on to the page turned upright; points, origin top left.

Matrices are (3, 3) and act on row vectors (x, y, 1) from the right.
"""

import numpy as np
import pypdfium2


def display_matrix(page: pypdfium2.PdfPage) -> np.ndarray:
    """From user space, origin bottom left, to the displayed page."""
    left, bottom, right, top = page.get_bbox()
    rotation = page.get_rotation()
    if rotation == 90:
        rows = [[0, 1, 0], [1, 0, 0], [-bottom, -left, 1]]
    elif rotation == 180:
        rows = [[-1, 0, 0], [0, 1, 0], [right, -bottom, 1]]
    elif rotation == 270:
        rows = [[0, -1, 0], [-1, 0, 0], [top, right, 1]]
    else:
        rows = [[1, 0, 0], [0, -1, 0], [-left, top, 1]]
    return np.array(rows, float)


def turn_matrix(turn: int, width: float, height: float) -> np.ndarray:
    """What turns a displayed page of this size (points) by `turn` quarters clockwise."""
    rows = {
        0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        1: [[0, 1, 0], [-1, 0, 0], [height, 0, 1]],
        2: [[-1, 0, 0], [0, -1, 0], [width, height, 1]],
        3: [[0, -1, 0], [1, 0, 0], [0, width, 1]],
    }
    return np.array(rows[turn], float)


def transform(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Boxes (n, 4) as x0, y0, x1, y1 through a matrix that keeps them axis-parallel, corners sorted again."""
    exchanged = boxes[:, [1, 0, 3, 2]] if matrix[0, 0] == 0 else boxes  # x and y, by a quarter turn
    signs = matrix[:2, :2].sum(axis=0)  # (2,), without `@`: that wakes a thread of BLAS a core, which wait for more
    moved = exchanged * np.tile(signs, 2) + np.tile(matrix[2, :2], 2)
    return np.hstack([np.minimum(moved[:, :2], moved[:, 2:]), np.maximum(moved[:, :2], moved[:, 2:])])
