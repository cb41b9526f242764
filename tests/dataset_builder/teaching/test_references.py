"""What sends a reader elsewhere in the article."""

import pytest

from dataset_builder.teaching.references import refers, without_references

LEFT = {
    "The dose rose (p = 0.455, Fig. 2A, left).": "The dose rose (p = 0.455).",
    "The dose rose (p = 0.455; see Figs. 2 and 3).": "The dose rose (p = 0.455).",
    "The dose rose (p = 0.455, Table 2).": "The dose rose (p = 0.455).",
    "The dose rose (Table 1 and Fig. 2).": "The dose rose.",
    "The dose rose (Figure).": "The dose rose.",
    "The dose rose (see Section 3.1).": "The dose rose.",
    "The dose rose (the red line in Fig. 2).": "The dose rose (the red line in Fig. 2).",
    "The dose (left, 2 Gy) rose.": "The dose (left, 2 Gy) rose.",
    "Die Dosis stieg (p = 0,4; siehe Abb. 2 und Tab. 1).": "Die Dosis stieg (p = 0,4).",
    "La dose augmente (p = 0,4 ; voir figure 2).": "La dose augmente (p = 0,4).",
    "La dosis sube (p = 0,4; véase la Tabla 2).": "La dosis sube (p = 0,4).",
    "A dose sobe (p = 0,4; Tabela 2).": "A dose sobe (p = 0,4).",
    "La dose sale (p = 0,4; Tabella 2).": "La dose sale (p = 0,4).",
    "Доза растёт (p = 0,4; табл. 2).": "Доза растёт (p = 0,4).",
    "Доза зростає (p = 0,4; табл. 2).": "Доза зростає (p = 0,4).",
    "剂量上升（P=0.4，表2）。": "剂量上升（P=0.4）。",
    "線量は上昇した（P=0.4、表2）。": "線量は上昇した（P=0.4）。",
}


@pytest.mark.parametrize(("sentence", "left"), LEFT.items())
def test_clauses_that_only_refer_go_with_their_punctuation(sentence, left):
    assert without_references(sentence) == left


@pytest.mark.parametrize(
    "sentence",
    [
        "For the values see Table S2.",
        "As Section 3.1 explains, the dose rose.",
        "The dose rose (data not shown).",
        "The methods are given in the Supplementary Material.",
        "Eq. 3 gives the dose.",
        "Wie Abschnitt 3 zeigt, stieg die Dosis.",
        "Die Dosis steht in Tabelle 2.",
        "La dose figure au tableau 2.",
        "La dosis está en la tabla 2.",
        "A dose está na Tabela 2.",
        "La dose è nella tabella 2.",
        "Доза дана в табл. 2.",
        "Дозу наведено в табл. 2.",
        "剂量见表2。",
        "線量を表2に示す。",
    ],
)
def test_other_parts_of_the_article_are_found(sentence):
    assert refers(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The water table fell by 2 m.",
        "Tissue sections of 5 µm were stained.",
        "A section of the knee was cut.",
        "The text size was equal.",
        "Die Schnitte wurden gefärbt.",
        "Les coupes ont été colorées.",
        "Las secciones histológicas se tiñeron.",
        "На срезах видна опухоль.",
        "На зрізах видно пухлину.",
        "剂量表明细胞死亡。",
        "細胞表面の発現が上昇した。",
    ],
)
def test_words_that_are_no_references_are_left_alone(sentence):
    assert not refers(sentence)


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("It rose (S/W, X1, X2, and Y-boxes; Fig. 1).", "It rose (S/W, X1, X2, and Y-boxes)."),
        ("It rose (F1,22 = 14.3, P = 0.001; Figure 3).", "It rose (F1,22 = 14.3, P = 0.001)."),
        ("It rose (p = 0.1; Fig. 2A, B1).", "It rose (p = 0.1)."),
        ("It rose (Color online).", "It rose."),
    ],
)
def test_symbols_beside_a_reference_stay(sentence, left):
    assert without_references(sentence) == left


def test_sections_and_hypotheses():
    assert refers("The tree has four clades as discussed in subsequent sections.")
    assert refers("Hypothesis 3 was supported.")
    assert refers("They were stained (see methods).")
    assert not refers("The dose was the same with the two methods.")
    assert not refers("The dose was seen in sections of the knee.")
    assert not refers("The hypothesis was supported.")
