"""What can be looked up of a text, in any spelling."""

import pytest

from dataset_builder.teaching.facts import Known, facts, unified, words


def said(text: str, language: str = "en") -> set[str]:
    return {f"{fact.value} {fact.unit or ''}".strip() for fact in facts(text, language)}


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("0.5 Gy in 12 mice", "en", {"0.5 Gy", "12"}),
        ("1,451 cells at 10⁵ cells/mL", "en", {"1451", "10^5"}),
        ("0,50 Gy bei 12 Mäusen", "de", {"0.5 Gy", "12"}),  # no molar mice
        ("5mg/kg twice at p < .05, 10-20 days", "en", {"5 mg/kg", "0.05", "10", "20 days"}),
        ("IL-6, TNF-alpha, 18F-FDG, 5-HETE and H2O2", "en", {"il-6", "tnf-α", "18f-fdg", "5-hete", "h2o2"}),
        ("The rats were Wistar rats. The dose fell.", "en", {"wistar"}),
        ("Die Maus sitzt im Käfig der Klinik.", "de", set()),  # every noun has a capital
        ("1. The first. \n2. The second (3) of all", "en", set()),  # a list's own numbers
        ("左侧肺剂量增加至0.5 Gy（n=12），CT显示12天后降低", "zh", {"0.5 Gy", "12", "ct"}),
        ("so it is", "en", set()),
        ("the mean µ and the opioid receptor (μ) of 2 rats", "en", {"2"}),  # both signs of mu, alone: no name
    ],
)
def test_facts_are_numbers_with_units_and_names(text, language, expected):
    assert said(text, language) == expected


@pytest.mark.parametrize(
    ("claim", "evidence", "language", "known"),
    [
        ("3 groups", "three groups", "en", True),
        ("2 Gruppen", "in zwei Gruppen", "de", True),
        ("4 groups", "three groups", "en", False),
        ("1,234 patients", "1 234 Patienten", "de", True),  # 1 234, 1.234 and 1'234: as languages group digits
        ("1,234 patients", "1.234 Patienten", "de", True),
        ("1,234.5 pg/mL", "1.234,5 pg/ml", "de", True),
        ("1,234,567 cells", "1.234.567 Zellen", "de", True),
        ("12,345 cells", "12\u202f345 cellules", "fr", True),
        ("1.234 mm", "1,234 мм", "ru", True),  # or it is a decimal
        ("p = 0.455", "p = 0,455", "pt", True),
        ("1,235 patients", "1.234 Patienten", "de", False),
        ("12.34 mm", "1.234 Patienten", "de", False),
        ("1,234 patients", "1.234 mm", "en", False),  # an English point is no group's
        ("234 mice", "in group 1 234 mice", "en", True),
        ("0.5 Gy", "0.5 and 1 Gy", "en", True),  # the unit stands behind the last number
        ("0.5 mGy", "0.5 Gy", "en", False),
        ("TNF-α-induced", "TNF-alpha was induced", "en", True),
        ("MRIs", "one MRI", "en", True),
        ("the CT scan", "a fact of life", "en", False),  # no part of a word
    ],
)
def test_facts_are_looked_up_whatever_their_spelling(claim, evidence, language, known):
    (fact,) = facts(claim, language)
    assert Known([evidence], language).has(fact) is known


@pytest.mark.parametrize(
    ("text", "language", "side"),
    [
        ("increasing", "en", "more"),
        ("Left", "en", "left"),
        ("erniedrigte", "de", None),
        ("verringerte", "de", "less"),
        ("левой", "ru", "left"),
        ("левомицетин", "ru", None),
        ("降低", "zh", "less"),
        ("leftover", "en", None),
    ],
)
def test_directions_are_words_of_the_language(text, language, side):
    (word,) = words(unified(text), language)
    assert [direction.side for direction in word.directions] == ([side] if side else [])
