"""Folders of drawn pictures with a table of figures, for the tests."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def draw(path: Path, seed: int) -> None:
    """A picture of noise, so that none is like another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (80, 100), dtype=np.uint8)
    Image.fromarray(noise).resize((200, 160)).save(path)


def write_table(folder: Path, rows: Sequence[dict[str, object]], name: str = "figures.csv") -> Path:
    """Write the rows as a table, with all of their columns."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return folder / name
