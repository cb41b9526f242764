"""Letters drawn into pictures, alone and in words."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from dataset_builder.readers.pictures.panel_letters import Letter, find_letters


def picture(texts: list[tuple[str, int, int]], size: int = 24, ink: int = 0, ground: int = 255) -> np.ndarray:
    image = Image.new("L", (500, 300), ground)
    for text, x, y in texts:
        ImageDraw.Draw(image).text((x, y), text, fill=ink, font=ImageFont.load_default(size))
    return np.asarray(image)


def best(found: list[Letter], char: str) -> Letter:
    return max((letter for letter in found if letter.char == char), key=lambda letter: letter.score)


@pytest.mark.parametrize("size", [20, 24, 36])
@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (255, 20)])
def test_letters_alone_in_brackets_and_with_a_dot(size, ink, ground):
    found = find_letters(
        picture([("A", 10, 10), ("(b)", 250, 10), ("c)", 10, 150), ("D.", 250, 150)], size, ink, ground), "ABCD"
    )
    for char, (x, y) in {"A": (10, 10), "b": (250, 10), "c": (10, 150), "D": (250, 150)}.items():
        letter = best(found, char)
        assert letter.score > 0.78
        assert x <= letter.x0 < x + size
        assert y <= letter.y0 < y + size


def test_letters_of_words_and_numbers_are_none():
    assert find_letters(picture([("ABCD abcd", 10, 10), ("8888", 10, 100), ("dab 0.5 cab", 10, 200)]), "ABCD") == []


def test_only_wanted_letters_of_a_size():
    found = find_letters(picture([("E", 10, 10), ("B", 200, 10)]), "AB")
    assert [letter.char for letter in found] == ["B"]
    assert 0.6 * 24 < found[0].capital_px < 0.9 * 24


def test_empty_picture():
    assert find_letters(np.full((50, 50), 255, np.uint8), "AB") == []
