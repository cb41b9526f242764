"""Captions of many styles, and what they say about each panel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.readers.pictures.panel_captions import ALPHABETS, caption_parts

CASES = {
    "Dose. (A) Plan of the knee. (B) Plan of the heel.": {"A": "Plan of the knee.", "B": "Plan of the heel."},
    "Dose (a) in the knee and (b) in the heel.": {"a": "in the knee", "b": "in the heel."},
    "(A and B) Knees. (C–E) Heels.": {"A": "Knees.", "B": "Knees.", "C": "Heels.", "D": "Heels.", "E": "Heels."},
    "Pain by sex (A), age (B) and dose (C). Bars are errors.": {"A": "Pain by sex", "B": "age", "C": "dose"},
    "Cells. Healthy cells (A). Irradiated cells (B).": {"A": "Healthy cells", "B": "Irradiated cells"},
    "Scans before (A,C) and after it (B,D).": {
        "A": "Scans before",
        "C": "Scans before",
        "B": "after it",
        "D": "after it",
    },
    "Gels of day 1 (a, green) and day 9 (b, red).": {"a": "Gels of day 1", "b": "day 9"},
    "Title. a, Knee. b, Heel of 3 patients.": {"a": "Knee.", "b": "Heel of 3 patients."},
    "Views; A. side; B. front; C. top.": {"A": "side", "B": "front", "C": "top."},
    "A) Left knee. B) Right knee.": {"A": "Left knee.", "B": "Right knee."},
    "Weeks of treatment A: 12 weeks; B: 8 weeks.": {"A": "12 weeks", "B": "8 weeks."},
    "A–C Knees of mice. D Heels of mice.": {
        "A": "Knees of mice.",
        "B": "Knees of mice.",
        "C": "Knees of mice.",
        "D": "Heels of mice.",
    },
    "Stains. a left knee, b right knee, and c heel": {"a": "left knee", "b": "right knee", "c": "heel"},
    "Panel A shows knees. Panel B shows heels.": {"A": "shows knees.", "B": "shows heels."},
    "(A) Knee. (B) As in (A), the heel. (C) Ratio of (B) to (A).": {
        "A": "Knee.",
        "B": "As in (A), the heel.",
        "C": "Ratio of (B) to (A).",
    },
    "(A) Skin (S) and thymus (T). (B) Heel.": {"A": "Skin (S) and thymus (T).", "B": "Heel."},
    "Dosis. (A und B) Knie; (C) Ferse.": {"A": "Knie", "B": "Knie", "C": "Ferse."},
    "Doses. (A et B) Genou. (C) Talon.": {"A": "Genou.", "B": "Genou.", "C": "Talon."},
    "Dosis. (a y b) Rodilla. (c) Talón.": {"a": "Rodilla.", "b": "Rodilla.", "c": "Talón."},
    "Дози. (А) Коліно. (Б і В) П'ята.": {"А": "Коліно.", "Б": "П'ята.", "В": "П'ята."},
    "剂量。（A）膝。（B）足跟。": {"A": "膝。", "B": "足跟。"},
}
NO_PANELS = [
    None,
    "",
    "The dose in the knee.",
    "A dose of 0.5 Gy (A) was given.",
    "Groups: A, acute irradiation; C, chronic irradiation.",
    "(A) Knee. (C) Heel.",
    "(B) Knee. (C) Heel.",
    "A nice figure. B cells are red.",
    "Chlorophyll a, chlorophyll b, and their sum.",
    "a   y b) Knee.",  # after three spaces the "y" is read as a letter
    "Grown on (i) agar and (ii) broth (n = 3) by A. Smith and B. Jones.",
]


@pytest.mark.parametrize("caption", CASES)
def test_each_panel_gets_its_part(caption):
    assert caption_parts(caption) == CASES[caption]


@pytest.mark.parametrize("caption", NO_PANELS)
def test_letters_that_name_no_panels(caption):
    assert caption_parts(caption) == {}


@given(st.text(alphabet="ABCDabcd ().,;:–-and\n1（）。", max_size=60))
def test_any_text_gives_an_unbroken_run_with_parts_of_the_text(caption):
    parts = caption_parts(caption)
    letters = "".join(parts)
    assert len(parts) != 1
    assert any(alphabet.startswith(letters) for alphabet in ALPHABETS)
    assert parts == caption_parts(caption)
    assert all(len(text) <= len(caption) for text in parts.values())
