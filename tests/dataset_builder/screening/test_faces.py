"""Without a model; `tests/benchmarks/bench_faces.py` measures with one."""

import numpy as np
import pytest

from dataset_builder.screening.faces import turned_back

BOX = (3, 5, 10, 7)


@pytest.mark.parametrize("turns", range(4))
def test_a_box_in_a_turned_picture_is_where_it_was(turns):
    picture = np.zeros((20, 30), bool)
    x0, y0, x1, y1 = BOX
    picture[y0:y1, x0:x1] = True
    turned = np.rot90(picture, turns)
    rows, columns = np.nonzero(turned)
    box = float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
    height, width = turned.shape
    assert turned_back(box, turns, width, height) == BOX
