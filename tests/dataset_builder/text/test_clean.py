"""A stranger's text, made plain."""

from dataset_builder.text.clean import clean


def test_clean_removes_what_no_reader_sees():
    assert clean(" a\u00a0b\u00adc\n\td\u200b \x07e\u2009f ") == "a bc d e f"
