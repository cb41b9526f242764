"""Letters drawn into pictures, alone and in words."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from dataset_builder.readers.pictures.panel_letters import Letter, find_hidden_letters, find_letters


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


def hidden(grey: np.ndarray, wanted: str) -> set[str]:
    """The letters that are found at the further limits alone, lower case."""
    found = find_letters(grey, wanted)
    seen = {letter.char.lower() for letter in found if letter.score > 0.78}
    return {letter.char.lower() for letter in find_hidden_letters(grey, wanted, found) if letter.score > 0.78} - seen


def face(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")), size)


@pytest.mark.parametrize(
    ("text", "name", "size", "closer", "blur"),
    [
        ("(A)", "STIXGeneral", 17, 2, 0.8),
        ("(C)", "STIXGeneral", 24, 1, 0.8),
        ("(C)", "STIXGeneral", 28, 2, 0.8),
        ("(D)", "STIXGeneral", 20, 1, 0.8),
        ("(C)", "STIXGeneral", 20, 2, 1.1),
        ("(D)", "STIXGeneral", 24, 2, 1.1),
        ("(A)", "DejaVuSans", 17, 0, 1.1),
        ("(C)", "DejaVuSans", 17, 2, 1.1),
    ],
)
def test_a_letter_that_touches_its_brackets(text, name, size, closer, blur):
    """As JPEG and scaling join them: at every limit at least one of the brackets and the letter are one patch."""
    image = Image.new("L", (300, 200), 255)
    font, x = face(name, size), 60.0
    for char in text:
        ImageDraw.Draw(image).text((x, 60), char, fill=0, font=font)
        x += font.getlength(char) - closer
    grey = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))
    letters = find_hidden_letters(grey, "ABCD", find_letters(grey, "ABCD"))
    assert best(letters, text.strip("()")).score > 0.78


@pytest.mark.parametrize("word", ["dad", "cab", "bcd", "dB", "m", "W", "Cd"])
def test_a_word_whose_letters_touch_is_no_letter_in_brackets(word):
    image = Image.new("L", (300, 200), 255)
    font, x = ImageFont.load_default(30), 60.0
    for char in word:
        ImageDraw.Draw(image).text((x, 60), char, fill=0, font=font)
        x += font.getlength(char) - 3
    grey = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)))
    assert {letter.char for letter in find_hidden_letters(grey, "ABCD", []) if letter.score > 0.78} == set()


@pytest.mark.parametrize("name", ["DejaVuSans-BoldOblique", "STIXGeneralBolIta"])
@pytest.mark.parametrize("text", ["a", "b", "d", "B"])
def test_bold_italic_letters(name, text):
    image = Image.new("L", (300, 200), 10)
    ImageDraw.Draw(image).text((60, 60), text, fill=255, font=face(name, 26))
    assert best(find_letters(np.asarray(image), "ABCD"), text).score > 0.85


@pytest.mark.parametrize(("ink", "ground"), [(0, 160), (255, 150)], ids=["black on pale", "white on brown"])
def test_letters_on_photographs_of_middle_grey(ink, ground):
    """Its dark (or light) grain touches the letters at the usual limits."""
    grain = np.random.default_rng(1).normal(0, 22, (60, 100)).astype(np.float32)
    photograph = ground + np.asarray(Image.fromarray(grain).resize((500, 300), Image.Resampling.BICUBIC))
    image = Image.fromarray(photograph.clip(90, 225).astype(np.uint8))
    for letter, x in (("A", 40), ("B", 280)):
        ImageDraw.Draw(image).text((x, 30), letter, fill=ink, font=ImageFont.load_default(28))
    assert hidden(np.asarray(image), "AB") == {"a", "b"}
    assert hidden(photograph.clip(90, 225).astype(np.uint8), "AB") == set()
