"""The labels of figures, as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.text.clean import clean
from dataset_builder.text.labels import label_key, label_keys, split_label

KEYS = {
    "Figure 2": "2",
    "FIGURE 10": "10",
    "Fig.\u00a02": "2",
    "Fig 02": "2",
    "Figure 2A": "2",
    "Figure 2—figure supplement 1.": "2-S1",
    "Figure 2-1": "2-1",
    "Fig. S1": "S1",
    "S1 Fig": "S1",
    "Supplementary Fig. 3": "S3",
    "Suppl. Figure S3": "S3",
    "Additional file 2: Figure S1": "S1",
    "Extended Data Fig. 4": "ED4",
    "Appendix 1—figure 2": "A1-2",
    "Appendix Figure 3": "A3",
    "Figure A1": "A1",
    "eFigure 3": "E3",
    "Fig. II": "2",
    "Figure IX": "9",
    "Fig 3.1": "3.1",
    "3": "3",
    "Abb. 3": "3",
    "Abbildung 3": "3",
    "Figura nº 3": "3",
    "Figura suplementaria 2": "S2",
    "Figure supplémentaire 1": "S1",
    "Рис. 5": "5",
    "Рисунок 7": "7",
    "Мал. 2": "2",
    "图 1": "1",
    "图１": "1",
    "補足図2": "S2",
    "Gráfico 1": "CHART1",
    "Chart 2": "CHART2",
    "Scheme 2": "SCHEME2",
    "Author response image 1.": "IMAGE1",
    "Figure 2A,B": "2",
    "Figures 1–6": "1",
    "Figure EV1.": "EV1",
    "Expanded View Figure 2": "EV2",
    "Extended data figure 10": "ED10",
    "Supplementary Figure S2": "S2",
    "e-Figure 1": "E1",
    "Figure-1": "1",
    "Box 1—figure 2": "BX1-2",
    "Appendix 1—figure 2—figure supplement 1": "A1-2-S1",
    "Gráfica 2": "CHART2",
    "Fig. n° 3": "3",
    "РИСУНОК № 2": "2",
    "Рис. 2, а": "2",
    "图2-1": "2-1",
    "補図1": "S1",
    "补充材料图 3": "S3",
    "图A1": "A1",
    "Exhibit 1": "EXHIBIT1",
    "Figure (3)": "3",
    "Ilustración 2": "IMAGE2",
    "Imagem 2": "IMAGE2",
    "Фотография 2": "PHOTO2",
    "SI Fig. 1": "S1",
    "SI Figure S2": "S2",
    "ED Fig. 3": "ED3",
    "Ext. Data Fig. 2": "ED2",
    "Table 4": "TABLE4",
    "Quadro 1": "TABLE1",
    "Box 1": "BOX1",
    "Video 3.": "VIDEO3",
    "Figura. ": None,
    "Graphical abstract": None,
    "": None,
    None: None,
}


@pytest.mark.parametrize(("label", "key"), KEYS.items())
def test_label_key(label, key):
    assert label_key(label) == key


CAPTIONS = {
    "Figure 1. Dose response": ("Figure 1", "Dose response"),
    "Figure 1.Dose": ("Figure 1", "Dose"),
    "Fig 1 Dose response": ("Fig 1", "Dose response"),
    "FIGURE 1 | Dose response": ("FIGURE 1", "Dose response"),
    "Abb. 1: Dosis": ("Abb. 1", "Dosis"),
    "Figura 1 - Dosis": ("Figura 1", "Dosis"),
    "Fig. 1.— Dose": ("Fig. 1", "Dose"),
    "Figure 3—Dose": ("Figure 3", "Dose"),
    "Figure 1": ("Figure 1", ""),
    "Figure 1.": ("Figure 1", ""),
    "Figure 1) Dose": ("Figure 1", "Dose"),
    "Abb. 1): Dosis": ("Abb. 1", "Dosis"),
    "Рис. 1) Доза": ("Рис. 1", "Доза"),
    "Figure 1a) Dose": ("Figure 1a", "Dose"),
    "Figure 1 ∣ Dose": ("Figure 1", "Dose"),
    "Figure 1 │ a, Dose": ("Figure 1", "a, Dose"),
    "Figure 1 ¦ Dose": ("Figure 1", "Dose"),
    "Figure 1 • Dose": ("Figure 1", "Dose"),
    "Figure 1 ■ Dose": ("Figure 1", "Dose"),
    "Figure 1 -- Dose": ("Figure 1", "Dose"),
    "Exhibit 1 Dose": ("Exhibit 1", "Dose"),
    "Figure (1): Dose": ("Figure (1)", "Dose"),
    "Fig. (12). Dose": ("Fig. (12)", "Dose"),
    "Figure (1) Dose": ("Figure (1)", "Dose"),
    "Fig. 1 pH of": ("Fig. 1", "pH of"),
    "Fig. 1 mRNA levels": ("Fig. 1", "mRNA levels"),
    "Fig. 1 a Dose b Time": ("Fig. 1", "a Dose b Time"),
    "Fig. 1. pooled odds": ("Fig. 1", "pooled odds"),
    "Figure 1 (A) Dose": ("Figure 1", "(A) Dose"),
    "Figure 1 (continued)": ("Figure 1", "(continued)"),
    "Figure 1A. Dose": ("Figure 1A", "Dose"),
    "S1 Fig. Dose": ("S1 Fig", "Dose"),
    "Extended Data Fig. 1 | Dose": ("Extended Data Fig. 1", "Dose"),
    "Figure 2—figure supplement 1. Dose": ("Figure 2—figure supplement 1", "Dose"),
    "Рис. 1. Доза": ("Рис. 1", "Доза"),
    "图1 剂量": ("图1", "剂量"),
    "图1剂量反应": ("图1", "剂量反应"),
    "図1 線量": ("図1", "線量"),
    "eFigure 1. Dose": ("eFigure 1", "Dose"),
    "Scheme 1. Synthesis": ("Scheme 1", "Synthesis"),
    "Figures 1–6. Dose": ("Figures 1–6", "Dose"),
    "Figures 1 and 2 Dose": ("Figures 1 and 2", "Dose"),
    "Fig. 2 a–d Dose": ("Fig. 2", "a–d Dose"),
    "Fig. 2 (a) and (b) Dose": ("Fig. 2", "(a) and (b) Dose"),
    "Figure 3 (a–c). Dose": ("Figure 3", "(a–c). Dose"),
    "Fig. 3A,B. Dose": ("Fig. 3A,B", "Dose"),
    "Fig. 3a and b Dose": ("Fig. 3a and b", "Dose"),
    "Figure 1A-C: Dose": ("Figure 1A-C", "Dose"),
    "Figure 1-1. Dose": ("Figure 1-1", "Dose"),
    "Figure 1-Dose": ("Figure 1", "Dose"),
    "Figure-1: Dose": ("Figure-1", "Dose"),
    "Figure EV1.": ("Figure EV1", ""),
    "FIG. 1. (Color online) Dose": ("FIG. 1", "(Color online) Dose"),
    "Figure 1 (color online). Dose": ("Figure 1", "(color online). Dose"),
    "Figure 1 cont. Dose": ("Figure 1", "cont. Dose"),
    "Abb. 2 ◂ Dosis": ("Abb. 2", "Dosis"),
    "Figura 1. - Dosis": ("Figura 1", "Dosis"),
    "Рис. 2, а. Доза": ("Рис. 2, а", "Доза"),
    "图1A 剂量": ("图1A", "剂量"),
    "図1　がん患者": ("図1", "がん患者"),
    # behind a label that is closed a caption is the rule, whatever its first words
    "Figure 2: (a) and (b) Dose": ("Figure 2", "(a) and (b) Dose"),
    "Figure 2. (a) and (b) Dose": ("Figure 2", "(a) and (b) Dose"),
    "FIGURE 2 | (a) and (b) Dose": ("FIGURE 2", "(a) and (b) Dose"),
    "Figure 4: (a)–(c) Dose shows": ("Figure 4", "(a)–(c) Dose shows"),
    "Figure 4 (a)–(c): Dose": ("Figure 4", "(a)–(c): Dose"),
    "Figure 1: a and b, Dose": ("Figure 1", "a and b, Dose"),
    "Figure 1: A and B show the dose": ("Figure 1", "A and B show the dose"),
    "Fig. 1. A shows the dose": ("Fig. 1", "A shows the dose"),
    "Figure 10: A plot of dose": ("Figure 10", "A plot of dose"),
    "Figure 10. A list of doses": ("Figure 10", "A list of doses"),
    "Figure 10 – A plot of dose": ("Figure 10", "A plot of dose"),
    "Figure 10 A plot of dose": ("Figure 10", "A plot of dose"),
    "Fig. 10 A display of doses": ("Fig. 10", "A display of doses"),
    "Figure 2. In mice": ("Figure 2", "In mice"),
    "Figure 2. in vitro dose": ("Figure 2", "in vitro dose"),
    "Figure 2: in mice": ("Figure 2", "in mice"),
    "Figure 2: shows the dose": ("Figure 2", "shows the dose"),
    "Fig. 3 (a, b) Dose": ("Fig. 3", "(a, b) Dose"),
    "Figure 4 (a) Dose map": ("Figure 4", "(a) Dose map"),
    "Abb. 2: (a) und (b) Dosis": ("Abb. 2", "(a) und (b) Dosis"),
    "Figure 2 : (a) et (b) Dose": ("Figure 2", "(a) et (b) Dose"),
    "Figura 2. (a) y (b) Dosis": ("Figura 2", "(a) y (b) Dosis"),
    "Figura 2: (a) e (b) Dose": ("Figura 2", "(a) e (b) Dose"),
    "Figura 10 – A dose em": ("Figura 10", "A dose em"),
    "Рис. 2. (а) и (б) Доза": ("Рис. 2", "(а) и (б) Доза"),
    "Мал. 2: (а) та (б) Доза": ("Мал. 2", "(а) та (б) Доза"),
    "图2：(a) 和 (b) 剂量": ("图2", "(a) 和 (b) 剂量"),
    "図2. (a) と (b) 線量": ("図2", "(a) と (b) 線量"),
    # running text
    "Figure 10 A plots the dose": None,
    "Figure 10 A–C plot the dose": None,
    "Figure 10 (a) and (b) plot the dose": None,
    "Figure 2 in mice": None,
    "Figure 2. and in mice": None,
    "Figure 2 (a) and (b), the dose": None,
    "Figure 2 – and this": None,
    "Figure 2: ) and": None,
    "Abb. 2 (a) und (b) zeigen": None,
    "Figura 2. muestra la dosis": None,
    "Рис. 2 (а) и (б) показывают": None,
    "Figures 1–6 show the dose": None,
    "Fig. 2 a–d show": None,
    "Fig. 2 (a) and (b) show": None,
    "Figure 1A shows": None,
    "Figura 1 e Tabela 2": None,
    "Figure 1 contains": None,
    "图1为剂量反应": None,
    "Figure 1 shows that": None,
    "Figure 1. shows": None,
    "Figure 1 also shows": None,
    "Figure 1 (left) shows that": None,
    "Figure 1 A–C show": None,
    "Fig. 2A and B were": None,
    "Figure 1, the dose": None,
    "Figure 1) and": None,
    "Figure (1) shows": None,
    "figure (1) Dose": None,
    "Figure 1). The dose": None,
    "Рис. 1) и": None,
    "Figure 1a) and": None,
    "Exhibit 1 shows": None,
    "Figs 1 and 2 show": None,
    "Figura 1 muestra": None,
    "Рис. 1 показывает": None,
    "图1显示剂量": None,
    "図1に示す": None,
    # no figures, no labels
    "Table 1. Dose": None,
    "The dose (Figure 1. Dose)": None,
    "Dose": None,
    "": None,
}


@pytest.mark.parametrize(("text", "split"), CAPTIONS.items())
def test_split_label(text, split):
    assert split_label(text) == split


def test_label_of_several_figures():
    assert label_keys("Figures 1–3") == ("1", "2", "3")
    assert label_keys("Supplementary Figs 1 and 2") == ("S1", "S2")
    assert label_keys("Figure 1-3") == ("1-3",)
    assert label_keys("Abb. 2") == ("2",)
    assert label_keys("Logo") == ()


TEXT = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("Fig. 12A-–S()[],;andto图рис")), max_size=60)


@given(TEXT)
def test_any_text_is_survived(text):
    label_key(text)
    split = split_label(text)
    assert split is None or clean(text).startswith(split[0])


@pytest.mark.parametrize(
    ("caption", "key", "rest"),
    [
        ("第1图 剂量", "1", "剂量"),
        ("第2幅图。剂量", "2", "剂量"),
        ("第12図：線量", "12", "線量"),
        ("第3 圖 劑量", "3", "劑量"),
    ],
)
def test_the_number_before_the_word(caption, key, rest):
    label, text = split_label(caption)
    assert (label_key(label), text) == (key, rest)
