"""Captions and sentences in ten languages, with all that answers may not hold, and what is left."""

import json
from pathlib import Path

import pytest

from dataset_builder.teaching.extractive import extractive
from dataset_builder.text.vocabulary import LANGUAGES

ROWS = [
    json.loads(line) for line in (Path(__file__).parent / "captions.jsonl").read_text(encoding="utf-8").splitlines()
]


def test_every_language_has_six_captions_or_more():
    assert all(sum(row["language"] == code for row in ROWS) >= 6 for code in LANGUAGES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["figure_id"])
def test_what_is_left_of_a_figure(row):
    for task in ("detail", "reasoning"):
        made = extractive(row, task)
        assert (made and made["answer"]) == row[task]
