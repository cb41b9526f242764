"""Citations go, isotopes and statistics stay."""

import pytest

from dataset_builder.teaching.citations import cites, may_cite, may_cite_in_running_text, without_citations

REMOVED = {
    "The dose rose [3].": "The dose rose.",
    "The dose rose[3,4].": "The dose rose.",
    "The dose rose [3, 5–7] in mice [12].": "The dose rose in mice.",
    "The dose rose by 10 [5].": "The dose rose by 10.",
    "The dose rose (Smith et al., 2010).": "The dose rose.",
    "The dose rose (see Smith and Lee 2010; van der Berg, 2011a, b, p. 12).": "The dose rose.",
    "The dose rose (p = 0.1; Smith 2010).": "The dose rose (p = 0.1).",
    "Die Dosis stieg (Müller u. a., 2010).": "Die Dosis stieg.",
    "La dose augmente (Dupont et coll., 2010).": "La dose augmente.",
    "La dosis sube (Pérez y cols., 2010).": "La dosis sube.",
    "A dose sobe (Souza e cols., 2010).": "A dose sobe.",
    "La dose sale (Rossi e coll., 2010).": "La dose sale.",
    "Доза растёт (Иванов и соавт., 2010).": "Доза растёт.",
    "Доза зростає (Шевченко та співавт., 2010).": "Доза зростає.",
    "剂量上升（王等，2010）。": "剂量上升。",
    "剂量上升[3]。": "剂量上升。",
    "線量は上昇した［3, 4］。": "線量は上昇した。",
}
KEPT = [
    "The uptake of [18]F-FDG rose.",
    "The uptake of [18F]FDG and [3H]thymidine rose.",
    "The uptake of [131] I rose.",
    "The scores t[1] and t[2] were plotted.",
    "It held 10[5] cells.",
    "The calix[4]arene and benzo[1,2-b]furan melt.",
    "The dose rose (n = 12) in 2010.",
    "The dose rose (March 2010).",
    "The interval [0.5, 1.2] holds 1.",
    "(A) The dose (B) fell.",
]


@pytest.mark.parametrize(("sentence", "left"), REMOVED.items())
def test_citations_in_brackets_go(sentence, left):
    assert cites(sentence)
    assert without_citations(sentence) == left


@pytest.mark.parametrize("sentence", KEPT)
def test_what_only_looks_like_a_citation_stays(sentence):
    assert not cites(sentence)
    assert without_citations(sentence) == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "Smith et al. reported the same.",
        "Smith (2010) reported the same.",
        "It agrees with Wells and Phipps (1989).",
        "Müller und Mitarbeiter fanden dasselbe.",
        "Dupont et coll. ont trouvé la même chose.",
        "Pérez y colaboradores encontraron lo mismo.",
        "Иванов и соавт. получили то же.",
        "Шевченко та співавт. отримали те саме.",
        "王等（2010）报道了相同的结果。",
        "The dose rose in other studies12,13 as well.",
        "Antibodies are tested in the clinic.2",
    ],
)
def test_citations_in_the_sentence_itself_are_found(sentence):
    assert cites(sentence)


def test_numbers_that_may_be_citations():
    assert may_cite("It was seen by other authors33.")
    assert may_cite("It stems from the portal (GTEx, n = 4 samples)29 and others.")
    assert may_cite("It was found in the genes of the serovar (53).")
    assert may_cite("It has an anti-tumor effect 2, 3.")
    assert may_cite("They were left out (3,10 [in part],13).")
    assert not may_cite("It was found in the arteries (2) and veins (3).")
    assert not may_cite("动物每天接受5 mg药物，五年生存率为68%。")
    assert not may_cite("It holds 25(OH)2 and Ca(OH)2 in water.")
    assert not may_cite("It was seen in CD8 and p53 mice at 12 h.")
    assert may_cite_in_running_text("The dose rose (12, 13).")
    assert not may_cite_in_running_text("The dose rose (12 Gy) in groups (1) fed and (2) not fed with it.")


def test_numbers_behind_years_and_capitals():
    assert cites("It has been planted since 1850.5 The export was banned.")
    assert cites("It rose by 12%.3 The rest fell.")
    assert not cites("It has been planted since 1850. The export was banned.")
    assert not cites("It rose to 1850.5 mg.")
    assert may_cite_in_running_text("It was high in the BLA1,2.")
    assert not may_cite_in_running_text("It was high in CD4 and CD8,2-fold in others.")
    assert not may_cite_in_running_text("It was high in the BLA1.")
