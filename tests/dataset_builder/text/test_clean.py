"""A stranger's text, made plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.text.clean import clean


def test_clean_removes_what_no_reader_sees():
    assert clean(" a\u00a0b\u00adc\n\td\u200b \x07e\u2009f ") == "a bc d e f"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\nb", "a b"),
        ("a\n  b\t", "a b"),
        ("\xa0a\u2009\nb", "a b"),
        ("a\u3000b\x85c", "a b c"),
        ("a\u200b b", "a b"),
        ("a \u200b b", "a b"),
        ("\u200b", ""),
        ("\n", ""),
        ("a b", "a b"),
    ],
)
def test_white_space_of_every_kind_is_one_space(text, cleaned):
    assert clean(text) == cleaned


@given(st.text(alphabet="ab \n\t\r\xa0\u2009\u3000\u200b\x00\x85\x1cé", max_size=9))
def test_clean_is_what_its_definition_says(text):
    shown = "".join(character for character in " ".join(text.split()) if character.isprintable())
    assert clean(text) == " ".join(shown.split())
