"""What no answer about a figure may hold."""

import pytest

from dataset_builder.teaching import faults
from dataset_builder.teaching.faults import fault

FAULTY = {
    faults.FIGURE_NUMBER: [
        ("en", "Figure 2 shows the dose."),
        ("en", "The dose rose (p = 0.455, the figure)."),
        ("en", "The figure and (B) show the dose."),
        ("en", "The figure, B shows the dose."),
        ("en", "The figureshows the dose."),
        ("fr", "La dose augmente (p = 0,4, la figure)."),
        ("ru", "На рис. 2 показана доза."),
        ("zh", "图2显示剂量。"),
    ],
    faults.REFERENCE: [("en", "The dose is given in Table 2."), ("de", "Die Dosis steht in Tabelle 2.")],
    faults.GLUED: [
        ("en", "The models of epithelial cells. arachidonic acid is released."),
        ("en", "Spread of the species.1st: Chad in 2000."),
        ("en", "The boundary (arrowheads). expression is strong there."),
    ],
    faults.SYMBOL: [
        ("en", "It was kept at 20uC."),
        ("en", "It was measured at 474 nm (Dl = 6 nm)."),
        ("en", "It absorbs 34000 M21 cm21 at most."),
        ("en", "The dose (= 0.05) rose."),
        ("en", "The tree has ?-proteobacteria."),
        ("en", "The dose rose by (cid:3)."),
        ("en", "The dose rose by \ufffd."),
        ("en", "Mean area (um2) of the cells."),
    ],
    faults.CITATION: [
        ("en", "The complex is old, as shown by Smith and Lee (12)."),
        ("en", "It is cut (Smith T, Lee KM, Cohen S: A secreted protein)."),
        ("en", "Four ways are known in cancer:20 Depletion of cells."),
        ("en", "The dose rose [3]."),
        ("en", "Smith et al. saw the dose rise."),
    ],
    faults.CREDIT: [
        ("en", "Reprinted with permission from Elsevier."),
        ("en", "Workflow (adapted from the WHO)."),
        ("en", "Photo credit: J. Doe."),
        ("en", "Age of the patients. Source: authors."),
        ("de", "Mit freundlicher Genehmigung des Verlags."),
        ("fr", "Avec l'autorisation de l'éditeur."),
        ("es", "Casos por edad. Fuente: los autores."),
        ("pt", "Casos por idade. Fonte: os autores."),
        ("it", "Per gentile concessione dell'editore."),
        ("ru", "С разрешения издателя."),
        ("uk", "З дозволу видавця."),
        ("zh", "经出版社许可转载。"),
        ("ja", "出版社の許可を得て転載。"),
    ],
    faults.ADDRESS: [("en", "Data are at https://example.org/x."), ("en", "DOI: 10.1000/182.")],
    faults.BRACKETS: [
        ("en", "The dose () rose."),
        ("en", "The dose (.) rose."),
        ("en", "The dose (, 2 Gy) rose."),
        ("en", "The dose (2 Gy rose."),
        ("en", "The dose 2 Gy) rose."),
        ("en", "The dose rose since it was set to 1)."),
        ("zh", "剂量（2 Gy上升。"),
    ],
    faults.PUNCTUATION: [
        ("en", "The dose , which rose, fell."),
        ("en", "The dose rose.."),
        ("en", "The dose rose,, and fell."),
        ("en", "The  dose rose."),
        ("zh", "剂量上升，。"),
    ],
    faults.INCOMPLETE: [
        ("en", "The values of and the dose rose."),
        ("en", "The graph shows the."),
        ("en", "The domain (D = 2, x =) grew."),
        ("en", "There were three kinds; (2) sugar and (3) fat."),
        ("de", "Die Werte von und die Dosis stiegen."),
        ("fr", "Les valeurs de et la dose augmentent."),
        ("es", "Los valores de y la dosis suben."),
        ("pt", "Os valores de e a dose sobem."),
        ("it", "I valori di e la dose salgono."),
        ("ru", "Значения для и доза растут."),
        ("uk", "Значення для і доза зростають."),
    ],
}
CLEAN = [
    ("en", "The dose rose to 2.5 Gy (p = 0.455; n = 3)."),
    ("en", "The figure shows the uptake of [18]F-FDG and t[1]."),
    ("en", "a) before, b) after 2 h, and c) at 10[5] cells."),
    ("en", "Signal was high (+), low (–) or absent (*)."),
    ("en", "There were three kinds: (1) starch, (2) sugar and (3) fat; x > 2, y (+/+), z (<)."),
    ("en", "UAS::GFP was seen... and E. coli, too."),
    ("en", "The figure, a map of the knee, shows a hot spot."),
    ("en", "Vitamin A, panel a, and the curve that it is part of rose."),
    ("de", "Die Dosis nimmt ab, die Fläche steigt an."),
    ("fr", "La dose augmente : elle double ; puis elle baisse."),
    ("es", "La figura muestra la dosis (A) y el área (B)."),
    ("pt", "A figura mostra a dose."),
    ("it", "La figura mostra la dose."),
    ("ru", "Рисунок показывает дозу в XX в."),
    ("uk", "Рисунок показує дозу."),
    ("zh", "该图显示剂量上升（P<0.05）。"),
    ("ja", "この図は線量の上昇を示す（P<0.05）。"),
    (None, "The dose rose."),
    ("sv", "Dosen steg till 2 Gy."),
]


@pytest.mark.parametrize(
    ("name", "language", "text"), [(name, *case) for name, cases in FAULTY.items() for case in cases]
)
def test_faults_are_named(name, language, text):
    assert fault(text, language) == name


@pytest.mark.parametrize(("language", "text"), CLEAN)
def test_clean_answers_have_none(language, text):
    assert fault(text, language) is None


def test_relative_clauses_are_complete():
    assert faults.fault("Cells that are marked are sensitive.", "en") is None
    assert faults.fault("The mice, two of which were treated, and are dead.", "en") is None
    assert faults.fault("They are more sensitive than are the others.", "en") is None
    assert faults.fault("Las células que son grandes.", "es") is None
    assert faults.fault("Values (the represents the mean).", "en") == "incomplete"
    assert faults.fault("The mean of is shown.", "en") == "incomplete"
    assert faults.fault("It rose (c2 = 24.8).", "en") == "symbol"
