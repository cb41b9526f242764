"""Which pictures the sample articles show: attributes drawn evenly, and no two pictures alike."""

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import imagehash
import numpy as np
from PIL import Image

from dataset_builder.sample.figures import KINDS, Operation, draw, draw_panels, to_image

MIN_PHASH_DISTANCE = 12  # of 64 bits; near-duplicates are looked for below 10
FIGURE_KINDS = ("dose map",) * 3 + ("line plot", "bar chart", "micrograph") * 2 + ("compound",)
_ATTEMPTS = 100  # at a picture that is unlike all earlier ones

_Value = TypeVar("_Value")
Attributes = dict[str, str]  # name -> value, as in `figures.KINDS`


class Deck(Generic[_Value]):
    """Values in shuffled order, each equally often: balanced, and independent of everything else."""

    def __init__(self, values: Iterable[_Value], rng: random.Random):
        self.values = list(values)
        self.rng = rng
        self.left: list[_Value] = []

    def draw(self) -> _Value:
        if not self.left:
            self.left = self.rng.sample(self.values, len(self.values))
        return self.left.pop()


@dataclass
class Drawing:
    """A picture as its display list, the boxes of its panels, and the image itself."""

    operations: list[Operation]
    boxes: list[list[int]]  # pixels x0, y0, x1, y1; empty unless compound
    width: int  # pixels
    height: int
    image: Image.Image


class Artist:
    """Draws kinds and attributes from balanced decks, and pictures until one is unlike all earlier ones."""

    def __init__(self, seed: int):
        rng = random.Random(f"{seed}/attributes")
        self.seed, self.made = seed, 0
        self.hashes: list[np.ndarray] = []  # (64,) bool each
        self.kinds = Deck(FIGURE_KINDS, rng)
        self.attributes = {kind: Deck(_combinations(kind), rng) for kind in KINDS}
        # Panels have decks of their own, so that whole figures stay balanced.
        self.panel_attributes = {kind: Deck(_combinations(kind), rng) for kind in KINDS}
        self.orders = Deck(itertools.permutations(KINDS), rng)

    def choose(self, kind: str | None = None) -> tuple[str, list[tuple[str, Attributes]]]:
        """A kind and its pictures [(kind, attributes)]: one, or four for a compound figure."""
        kind = kind or self.kinds.draw()
        if kind == "compound":
            return kind, [(panel, self.panel_attributes[panel].draw()) for panel in self.orders.draw()]
        return kind, [(kind, self.attributes[kind].draw())]

    def draw(self, kind: str, pictures: list[tuple[str, Attributes]]) -> Drawing:
        """A new picture. Raises RuntimeError when every attempt is like an earlier one."""
        self.made += 1
        for attempt in range(_ATTEMPTS):
            drawing = _draw(kind, pictures, np.random.default_rng([self.seed, self.made, attempt]))
            bits = imagehash.phash(drawing.image).hash.ravel()
            if all(np.count_nonzero(bits != other) >= MIN_PHASH_DISTANCE for other in self.hashes):
                self.hashes.append(bits)
                return drawing
        raise RuntimeError(f"sample corpus: no new picture of a {kind} after {_ATTEMPTS} attempts; draw fewer articles")


def _draw(kind: str, pictures: list[tuple[str, Attributes]], rng: np.random.Generator) -> Drawing:
    """One attempt at a picture, of a size drawn with it."""
    # width / height; dose maps are rarely narrow, so that left and right stay apart when padded to a square
    ratio = 2 ** rng.uniform(-0.4 if kind == "dose map" else -0.8, 0.9)
    area = rng.integers(270, 350) ** 2
    width, height = int((area * ratio) ** 0.5), int((area / ratio) ** 0.5)
    boxes: list[list[int]] = []
    if kind == "compound":
        size = (int(rng.integers(210, 250)), int(rng.integers(180, 230)))
        operations, boxes, (width, height) = draw_panels(pictures, 2, size, rng)
    else:
        operations = draw(kind, pictures[0][1], width, height, rng)
    return Drawing(operations, boxes, width, height, to_image(operations, width, height))


def _combinations(kind: str) -> list[Attributes]:
    """All combinations of the values of a kind's attributes."""
    names, values = KINDS[kind].keys(), KINDS[kind].values()
    return [dict(zip(names, combination, strict=True)) for combination in itertools.product(*values)]
