"""Which of the letters seen in a picture are taken for the panels'."""

import pytest

from dataset_builder.readers.pictures.panel_choices import choices
from dataset_builder.readers.pictures.panel_letters import Letter


def letter(char: str, x: float, y: float, height: float = 20, score: float = 0.95) -> Letter:
    return Letter(char, x, y, x + height, y + height, height, score)


A, B = letter("A", 0, 0), letter("B", 200, 0)


def test_letters_of_one_size_in_one_line_come_first():
    astray = letter("B", 300, 170)
    assert choices([A, astray, B], ["A", "B"]) == [(A, B), (A, astray)]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (letter("B", 200, 0, height=30), "another size"),
        (letter("B", -100, 0), "left of A: not in order"),
        (letter("B", 200, 40, score=0.7), "unsure, and in line with no sure letter"),
        (letter("b", 200, 0), "the other case"),
    ],
)
def test_letters_that_do_not_belong_together(second, why):
    assert choices([A, second], ["A", "B"]) == [], why


def test_an_unsure_letter_counts_in_line_with_a_sure_one():
    unsure = letter("B", 200, 0, score=0.7)
    assert choices([A, unsure], ["A", "B"]) == [(A, unsure)]


def test_more_letters_in_line_than_the_caption_names_mean_that_none_is_taken():
    assert choices([A, B, letter("C", 400, 0)], ["A", "B"]) == []


def test_letters_alike_are_taken_in_the_order_in_which_they_were_found():
    """Two places as tidy as each other: which comes first does not hang on a hash."""
    right, left = letter("B", 200, 0), letter("B", 100, 0)
    assert choices([A, right, left], ["A", "B"]) == [(A, right), (A, left)]
    assert choices([A, left, right], ["A", "B"]) == [(A, left), (A, right)]


def test_a_page_of_text_is_not_searched():
    assert choices([A, *(letter("B", 30 * k, 40) for k in range(100))], ["A", "B"]) == []
