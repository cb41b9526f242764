"""Pieces of a baseline become lines, and lines become one text."""

import pytest

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line, join_fragments, join_lines, printed_words, without_doubles
from tests.dataset_builder.readers.pdf.layout.by_hand import line


def test_pieces_of_a_baseline_are_one_line_but_columns_are_not():
    pieces = [line("dose of", 50, 100, 40), line("0.5 Gy", 93, 100, 30), line("right column", 300, 101, 60)]
    assert [entry.text for entry in join_fragments(pieces[::-1])] == ["dose of 0.5 Gy", "right column"]
    assert [entry.text for entry in join_fragments([line("radia", 50, 100, 25), line("tion", 75, 100, 20)])] == [
        "radiation"
    ]


def test_superscript_joins_its_word():
    raised = Line("2", Box(70, 96, 73, 102), 6.0, "Times", "Times")
    assert [entry.text for entry in join_fragments([line("10 cm", 50, 98, 20), raised])] == ["10 cm2"]


def test_text_printed_twice_counts_once():
    lines = [line("Figure 1. Dose", 50, 100), line("Figure 1. Dose", 50.4, 103), line("Figure 1. Dose", 50, 300)]
    assert [entry.box.y0 for entry in without_doubles(lines)] == [100, 300]


@pytest.mark.parametrize(
    ("lines", "words", "joined"),
    [
        (["The inflam-", "mation fell"], [], "The inflammation fell"),
        (["a low-", "dose group"], ["low-dose"], "a low-dose group"),
        (["a low-", "dose group"], ["low-dose", "lowdose"], "a lowdose group"),
        (["IL-", "3 and", "IFN-", "Gamma"], [], "IL-3 and IFN-Gamma"),
        (["doses of 0.5–", "1 Gy and/", "or more"], [], "doses of 0.5–1 Gy and/or more"),
        ([], [], ""),
    ],
)
def test_lines_are_joined_and_hyphens_mended(lines, words, joined):
    assert join_lines(lines, frozenset(words)) == joined


@pytest.mark.parametrize(
    ("upper", "lower", "joined"),
    [
        ("factor-", "alpha", "factor-alpha"),
        ("alpha-", "synuclein", "alpha-synuclein"),
        ("anti-factor-", "beta", "anti-factor-beta"),
        ("TNF-α-", "induced", "TNF-α-induced"),
        ("β-", "carotene", "β-carotene"),
        ("DNA-", "binding", "DNA-binding"),
        ("mTOR-", "dependent", "mTOR-dependent"),
        ("NaCl-", "treated", "NaCl-treated"),
        ("T-", "cell", "T-cell"),
        ("CD4c-", "positive", "CD4c-positive"),
        ("diet-", "induced", "diet-induced"),
        ("high-", "fat", "highfat"),  # "fat" is too short to tell
        ("dose-", "response", "dose-response"),
        ("non-", "linear", "non-linear"),
        # none of these is a compound
        ("inflam-", "mation", "inflammation"),
        ("in-", "formation", "information"),
        ("over-", "expression", "overexpression"),
        ("alpha-", "viruses", "alphaviruses"),
        ("contin-", "ue", "continue"),
        ("mi-", "nus", "minus"),
        ("Vi-", "rus", "Virus"),
        ("Pro-", "teins", "Proteins"),
        ("state-of-the-art sec-", "tion", "state-of-the-art section"),
        ("treat-", "ment", "treatment"),
    ],
)
def test_a_hyphen_at_the_end_of_a_line_stays_in_compounds_alone(upper, lower, joined):
    article = (
        "The diet was free of salt, the heat-induced response to a dose of this formation in state and time is linear.",
        "It is known as overexpression of alphaviruses, non-coding, a treat of the art, over a section; no inflam-",
        "mation, and the treat-",
        "ment of each expression by Pro-",
        "teins was high.",
    )
    assert join_lines([upper, lower], printed_words(article)) == joined


def test_halves_of_broken_words_are_no_words():
    words = printed_words(["low-dose of inflam-", "mation and well-", "being, twenty-one-year"])
    assert {"low-dose", "low-", "-dose", "-one", "one-"} <= words
    assert words.isdisjoint({"inflam", "mation", "being", "well-"})
