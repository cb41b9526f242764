"""Sentences of articles in ten languages as they read beside the figure alone."""

import pytest

from dataset_builder.teaching.the_figure import beside_the_figure
from dataset_builder.text.mentions import all_mentions

SENTENCES = {
    "en": {
        "Figure 2 shows a peak.": "The figure shows a peak.",
        "Fig. 2A shows a peak (Fig. 2B).": "The figure shows a peak.",
        "As Fig. 2A–C shows, it rose [3].": "As the figure shows, it rose.",
        "It rose (see Fig. 2, left panel).": "It rose.",
        "It rose (p < 0.01, see Fig. 2A–C).": "It rose (p < 0.01).",
        "It rose (both sexes; Fig. 2; n = 3).": "It rose (both sexes; n = 3).",
        "Figures 2A and 2B show a peak.": "The figures show a peak.",
        "Figs. 2A and 2B show a peak.": "The figures show a peak.",
        "In Figure 1, the dose is high.": "In the figure, the dose is high.",
        "The dose in this Figure 2 is high.": "The dose in this figure is high.",
        "The supplementary Fig. S1 and the text agree.": "The figure and the text agree.",
        "S1 Fig shows a peak.": "The figure shows a peak.",
        "Scheme 2 shows it.": "The figure shows it.",
        "It rose (the red line in Fig. 2).": "It rose (the red line in the figure).",
        "(Fig. 2).": "",
    },
    "de": {
        "Abb. 2 zeigt die Dosis.": "Die Abbildung zeigt die Dosis.",
        "Abbildung 2a zeigt die Dosis (Abb. 2b–d).": "Die Abbildung zeigt die Dosis.",
        "Sie steigt (siehe Abb. 2, links).": "Sie steigt.",
        "Sie steigt (vgl. Abb. 2A–C).": "Sie steigt.",
        "In Abb. 2 steigt die Dosis.": "In der Abbildung steigt die Dosis.",
        "In der Abb. 2 steigt sie.": "In der Abbildung steigt sie.",
        "Die Kurve der Abbildung 2 steigt.": "Die Kurve der Abbildung steigt.",
        "Wie Abb. 2 zeigt, steigt sie.": "Wie die Abbildung zeigt, steigt sie.",
        "Die Abbildungen 2a und 2b zeigen es.": "Die Abbildungen zeigen es.",
        "Das Ergebnis aus Abb. 2 ist klar.": "Das Ergebnis aus der Abbildung ist klar.",
        "Im Bild 2 steigt sie.": "Im Bild steigt sie.",
    },
    "fr": {
        "La figure 2 montre que la dose augmente.": "La figure montre que la dose augmente.",
        "La figure 2 bis montre la dose.": "La figure montre la dose.",
        "Elle augmente (voir figure 2 ter).": "Elle augmente.",
        "La Fig. 2A montre la dose (fig. 2B).": "La figure montre la dose.",
        "Figure 2 montre la dose.": "La figure montre la dose.",
        "Elle augmente (voir figure 2A–C).": "Elle augmente.",
        "Elle augmente (courbe rouge ; fig. 2).": "Elle augmente (courbe rouge).",
        "Les figures 2A et 2B montrent la dose.": "Les figures montrent la dose.",
        "La courbe de la fig. 2 monte.": "La courbe de la figure monte.",
        "Comme le montre la figure 2, elle augmente.": "Comme le montre la figure, elle augmente.",
        "Les données de figure 2 sont claires.": "Les données de la figure sont claires.",
    },
    "es": {
        "La Figura 2 muestra la dosis.": "La figura muestra la dosis.",
        "La figura n.º 2 muestra la dosis.": "La figura muestra la dosis.",
        "Figura 2 muestra la dosis.": "La figura muestra la dosis.",
        "La dosis sube (Fig. 2A–C).": "La dosis sube.",
        "La dosis sube (ver Figura 2).": "La dosis sube.",
        "La dosis sube (véase la Fig. 2).": "La dosis sube.",
        "La dosis sube (p < 0,01; Fig. 2).": "La dosis sube (p < 0,01).",
        "Como muestra la Fig. 2B, la dosis sube.": "Como muestra la figura, la dosis sube.",
        "En Fig. 2 la dosis sube.": "En la figura la dosis sube.",
        "Las figuras 2A y 2B muestran la dosis.": "Las figuras muestran la dosis.",
        "El gráfico 1 muestra la dosis.": "El gráfico muestra la dosis.",
    },
    "pt": {
        "A Figura 2 mostra a dose.": "A figura mostra a dose.",
        "Figura 2A mostra a dose.": "A figura mostra a dose.",
        "A dose sobe (Fig. 2A–C).": "A dose sobe.",
        "A dose sobe (ver Figura 2).": "A dose sobe.",
        "Na Fig. 2B a dose sobe.": "Na figura a dose sobe.",
        "Em Fig. 2 a dose sobe.": "Na figura a dose sobe.",
        "Os dados da Figura 2 são claros.": "Os dados da figura são claros.",
        "As figuras 2A e 2B mostram a dose.": "As figuras mostram a dose.",
        "A dose, como em Figura 2, sobe.": "A dose, como na figura, sobe.",
    },
    "it": {
        "La Figura 2 mostra la dose.": "La figura mostra la dose.",
        "Secondo la figura n. 1, cala la dose.": "Secondo la figura, cala la dose.",
        "Fig. 2A mostra la dose.": "La figura mostra la dose.",
        "La dose sale (Fig. 2A–C).": "La dose sale.",
        "La dose sale (vedi figura 2).": "La dose sale.",
        "Nella fig. 2B la dose sale.": "Nella figura la dose sale.",
        "In Figura 2 la dose sale.": "Nella figura la dose sale.",
        "Le figure 2A e 2B mostrano la dose.": "Le figure mostrano la dose.",
        "Le figg. 2A e 2B mostrano la dose.": "Le figure mostrano la dose.",
        "Si veda la fig. 2 e la tabella.": "Si veda la figura e la tabella.",
        "I dati di figura 2 sono chiari.": "I dati della figura sono chiari.",
    },
    "ru": {
        "Рис. 2 показывает дозу.": "Рисунок показывает дозу.",
        "Рисунок 2а показывает дозу.": "Рисунок показывает дозу.",
        "На рис. 2 показана доза.": "На рисунке показана доза.",
        "На рисунке 2, а, б показана доза.": "На рисунке показана доза.",
        "Доза растёт (рис. 2а–в).": "Доза растёт.",
        "Доза растёт (см. рис. 2).": "Доза растёт.",
        "Доза растёт (p < 0,01; рис. 2).": "Доза растёт (p < 0,01).",
        "Из рис. 2 видно, что доза растёт.": "Из рисунка видно, что доза растёт.",
        "Рисунки 2а и 2б показывают дозу.": "Рисунки показывают дозу.",
        "Как показывает рисунок 2, она растёт.": "Как показывает рисунок, она растёт.",
    },
    "uk": {
        "Рис. 2 показує дозу.": "Рисунок показує дозу.",
        "На рис. 2 показано дозу.": "На рисунку показано дозу.",
        "На рисунку 2а показано дозу.": "На рисунку показано дозу.",
        "Доза зростає (рис. 2а–в).": "Доза зростає.",
        "Доза зростає (див. мал. 2).": "Доза зростає.",
        "З рис. 2 видно, що доза зростає.": "З рисунка видно, що доза зростає.",
        "Мал. 2 показує дозу.": "Рисунок показує дозу.",
        "Рисунки 2а та 2б показують дозу.": "Рисунки показують дозу.",
    },
    "zh": {
        "图2显示剂量上升。": "该图显示剂量上升。",
        "根据第1图，剂量下降。": "根据该图，剂量下降。",
        "第 2 幅图显示剂量上升。": "该图显示剂量上升。",
        "图 2A 显示剂量上升。": "该图显示剂量上升。",
        "如图2所示，剂量上升。": "如图所示，剂量上升。",
        "剂量上升（图2A–C）。": "剂量上升。",
        "剂量上升（见图2）。": "剂量上升。",
        "剂量上升（P<0.05，图2）。": "剂量上升（P<0.05）。",
        "在图2中，剂量上升。": "在该图中，剂量上升。",
        "图2A、B显示剂量上升。": "该图显示剂量上升。",
        "圖2顯示劑量上升(見圖2B)。": "该图顯示劑量上升。",
    },
    "ja": {
        "図2に線量を示す。": "この図に線量を示す。",
        "第1図によれば、下がる。": "この図によれば、下がる。",
        "図 2A に線量を示す。": "この図に線量を示す。",
        "線量は上昇した（図2A–C）。": "線量は上昇した。",
        "線量は上昇した（図2参照）。": "線量は上昇した。",
        "結果を図２に示す。": "結果をこの図に示す。",
        "次の図2は線量を示す。": "次の図は線量を示す。",
        "図2Aおよび2Bは線量を示す。": "この図は線量を示す。",
    },
}


@pytest.mark.parametrize(
    ("language", "sentence", "said"),
    [(language, *pair) for language, pairs in SENTENCES.items() for pair in pairs.items()],
)
def test_no_number_of_a_figure_is_left_and_the_grammar_stays(language, sentence, said):
    assert beside_the_figure(sentence, language) == said
    assert all_mentions(said) == []


def test_the_word_decides_where_the_article_has_another_language():
    assert beside_the_figure("Figure 2 shows it.", "de") == "The figure shows it."
    assert beside_the_figure("Abb. 2 zeigt es.", "en") == "Die Abbildung zeigt es."
    assert beside_the_figure("Fig. 2 visar det.", "sv") == "The figure visar det."
    assert beside_the_figure("Fig. 2 shows it.", None) == "The figure shows it."


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("it", "Nelle figure 1 e 2 si osserva un calo."),
        ("ru", "Рис. 1 и 2 свидетельствуют о снижении боли."),
        ("uk", "Рис. 1 і 2 свідчать про зменшення болю."),
    ],
)
def test_a_sentence_that_would_keep_a_number_is_left_out(language, sentence):
    assert beside_the_figure(sentence, language) == ""


@pytest.mark.parametrize(
    ("language", "sentence", "said"),
    [
        ("en", "Figure 2 shows 3 peaks.", "The figure shows 3 peaks."),
        ("fr", "La figure 2 montre 3 pics.", "La figure montre 3 pics."),
        ("zh", "图2显示3个峰。", "该图显示3个峰。"),
    ],
)
def test_numbers_of_other_things_stay(language, sentence, said):
    assert beside_the_figure(sentence, language) == said
