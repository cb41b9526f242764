"""Sentences that say nothing beside the figure alone."""

import pytest

from dataset_builder.teaching.alone import (
    has_main_verb,
    has_verb,
    is_key,
    is_note,
    is_whole,
    leans_on_another,
    may_be_whole,
    only_points,
    points_back,
    repeats,
    speaks_of_several,
    states_a_purpose,
    without_addition,
    without_scale_bars,
)

LEANING = {
    "en": [
        "However, the dose rose.",
        "In contrast, it fell.",
        "It shows a peak.",
        "These results agree.",
        "In this case, it rose.",
    ],
    "de": [
        "Jedoch stieg die Dosis.",
        "Im Gegensatz dazu sank sie.",
        "Sie stieg.",
        "Diese Werte stiegen.",
        "Dabei sank sie.",
    ],
    "fr": ["Cependant, la dose augmente.", "En revanche, elle baisse.", "Elle augmente.", "Ces valeurs augmentent."],
    "es": ["Sin embargo, la dosis sube.", "En cambio, baja.", "Estos valores suben.", "Por lo tanto, sube."],
    "pt": ["No entanto, a dose sobe.", "Em contrapartida, cai.", "Esses valores sobem.", "Ela sobe."],
    "it": ["Tuttavia, la dose sale.", "Al contrario, scende.", "Questi valori salgono.", "Essa sale."],
    "ru": ["Однако доза растёт.", "Напротив, она падает.", "Эти значения растут.", "Он растёт."],
    "uk": ["Однак доза зростає.", "Навпаки, вона падає.", "Ці значення зростають.", "Він зростає."],
    "zh": ["然而，剂量上升。", "相反，剂量下降。", "其剂量上升。", "这些结果一致。"],
    "ja": ["しかし、線量は上昇した。", "一方、線量は低下した。", "これは線量を示す。", "その線量は高い。"],
}
STANDING = {
    "en": ["The dose, in contrast to the area, rose.", "This figure shows a peak.", "Items rose.", "Thusly rose it."],
    "de": ["Die Dosis stieg jedoch nicht.", "Diese Abbildung zeigt die Dosis.", "Es zeigte sich ein Anstieg."],
    "fr": ["La dose augmente cependant.", "Cette figure montre la dose.", "Il existe un pic."],
    "es": ["La dosis sube.", "Esta figura muestra la dosis.", "Asintomáticos sin dosis."],
    "pt": ["A dose sobe.", "Esta figura mostra a dose."],
    "it": ["La dose sale.", "Questa figura mostra la dose."],
    "ru": ["Доза растёт, однако медленно.", "Этот рисунок показывает дозу.", "Аналоги растут."],
    "uk": ["Доза зростає, проте повільно.", "Цей рисунок показує дозу.", "Томограма показує дозу."],
    "zh": ["剂量上升，但面积下降。", "该图显示剂量上升。", "此图显示剂量。"],
    "ja": ["線量は上昇したが、面積は低下した。", "この図は線量を示す。"],
}
POINTING = {
    "en": [
        "The results are shown in the figure.",
        "Representative images are shown.",
        "See the figure for details.",
        "The protocol is defined in the figure.",
        "The figure shows the results.",
    ],
    "de": ["Die Ergebnisse sind in der Abbildung dargestellt.", "Die Abbildung zeigt die Ergebnisse."],
    "fr": ["Les résultats sont présentés dans la figure.", "La figure montre les résultats."],
    "es": ["Los resultados se muestran en la figura.", "En la figura se muestran los resultados."],
    "pt": ["Os resultados são apresentados na figura.", "A figura mostra os resultados."],
    "it": ["I risultati sono mostrati nella figura.", "La figura mostra i risultati."],
    "ru": ["Результаты представлены на рисунке.", "На рисунке представлены результаты."],
    "uk": ["Результати представлено на рисунку.", "На рисунку наведено результати."],
    "zh": ["结果见图。", "结果如图所示。"],
    "ja": ["結果をこの図に示す。", "結果はこの図のとおりである。"],
}
TELLING = {
    "en": [
        "As shown in the figure, the dose rose to 2 Gy.",
        "The figure shows that the dose rose.",
        "The dose was shown to rise.",
    ],
    "de": ["Die Abbildung zeigt, dass die Dosis steigt.", "Wie in der Abbildung gezeigt, steigt die Dosis auf 2 Gy."],
    "fr": ["La figure montre que la dose augmente."],
    "es": ["En la figura se observa que la dosis sube.", "La figura muestra que la dosis sube."],
    "pt": ["A figura mostra que a dose sobe."],
    "it": ["La figura mostra che la dose sale."],
    "ru": ["Рисунок показывает, что доза растёт.", "На рисунке видно, что доза растёт."],
    "uk": ["Рисунок показує, що доза зростає."],
    "zh": ["该图显示剂量上升。", "如图所示，剂量上升。"],
    "ja": ["この図は線量が上昇したことを示す。", "この図に示すように、線量は上昇した。"],
}
NOTES = [
    "Scale bar: 20 µm.",
    "Scale bars, 20 µm.",
    "Data are mean ± SEM.",
    "Values are means ± SD of three mice.",
    "*p < 0.05.",
    "∗∗P < 0.01 versus control.",
    "n = 6.",
    "rs = 0.72, P < 0.05.",
    "Abbreviations: CT, computed tomography.",
    "CTX, cortex; HPC, hippocampus.",
    "MB moderator band (arrow).",
    "Error bars indicate SD.",
    "a,b Different letters indicate significant differences.",
    "Within each site, bars followed by the same letter are alike.",
    "For each condition, n > 15.",
    "Time-lapse movie showing the cells.",
    "R, row of earth; not to scale.",
    "R, root; S, stem.",
    "ac, anterior crista; lc, lateral crista.",
    "C-crop, FG-foregut, MG-midgut.",
    "The letters (a and b) represent differences.",
    "The number of mice is shown in parentheses.",
    "Significant values are given in bold.",
    "Die Fehlerbalken zeigen den Standardfehler.",
    "Alle Daten sind Mittelwerte ± SD.",
    "Unpaired t-test.",
    "Bar indicates 200 µm.",
    "Maßstabsbalken: 20 µm.",
    "Fehlerbalken zeigen die Standardabweichung.",
    "Abkürzungen: CT.",
    "Barre d'échelle : 20 µm.",
    "Barra de escala: 20 µm.",
    "Os dados são médias ± DP.",
    "Abbreviazioni: TC.",
    "Сокращения: КТ.",
    "Масштаб 20 мкм.",
    "Скорочення: КТ.",
    "Масштабна лінійка 20 мкм.",
    "比例尺：20 µm。",
    "注：与对照组比较。",
    "スケールバー：20 µm。",
]
DESCRIPTIONS = [
    "Arrows point to the lesion.",
    "Black = forest species; white = open habitat.",
    "MRI of the knee.",
    "The scale of the graph is logarithmic.",
    "CT shows a mass, MRI an edema.",
    "The data rose steeply.",
    "A, before; B, after surgery.",
    "The letter was sent to both groups.",
    "Die Pfeile zeigen auf die Läsion.",
    "Les flèches indiquent la lésion.",
    "Las flechas indican la lesión.",
    "As setas indicam a lesão.",
    "Le frecce indicano la lesione.",
    "Стрелками указан очаг.",
    "Стрілками вказано вогнище.",
    "箭头示病灶。",
    "矢印は病変を示す。",
]


def _each(of: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, sentence) for language, sentences in of.items() for sentence in sentences]


@pytest.mark.parametrize(("language", "sentence"), _each(LEANING))
def test_connectives_and_pronouns_at_the_start_lean_on_another_sentence(language, sentence):
    assert leans_on_another(sentence, language)


@pytest.mark.parametrize(("language", "sentence"), _each(STANDING))
def test_others_stand(language, sentence):
    assert not leans_on_another(sentence, language)


@pytest.mark.parametrize(("language", "sentence"), _each(POINTING))
def test_sentences_that_only_point(language, sentence):
    assert only_points(sentence, language)


@pytest.mark.parametrize(("language", "sentence"), _each(TELLING))
def test_sentences_that_tell_what_is_seen(language, sentence):
    assert not only_points(sentence, language)


@pytest.mark.parametrize("sentence", NOTES)
def test_notes(sentence):
    assert is_note(sentence)


@pytest.mark.parametrize("sentence", DESCRIPTIONS)
def test_descriptions_are_no_notes(sentence):
    assert not is_note(sentence)


@pytest.mark.parametrize(
    ("language", "sentence", "left"),
    [
        ("en", "Moreover, the dose rose.", "The dose rose."),
        ("en", "In addition, mRNA rose.", "mRNA rose."),
        ("en", "Finally the dose rose.", "Finally the dose rose."),
        ("de", "Darüber hinaus, so der Befund, stieg sie.", "So der Befund, stieg sie."),
        ("fr", "De plus, la dose augmente.", "La dose augmente."),
        ("es", "Además, la dosis sube.", "La dosis sube."),
        ("pt", "Além disso, a dose sobe.", "A dose sobe."),
        ("it", "Inoltre, la dose sale.", "La dose sale."),
        ("ru", "Кроме того, доза растёт.", "Доза растёт."),
        ("uk", "Крім того, доза зростає.", "Доза зростає."),
        ("zh", "此外，剂量上升。", "剂量上升。"),
        ("ja", "さらに、線量は上昇した。", "線量は上昇した。"),
    ],
)
def test_an_addition_is_dropped(language, sentence, left):
    assert without_addition(sentence, language) == left


def test_purposes_and_what_points_back():
    assert states_a_purpose("To confirm it, we measured the dose.", "en")
    assert states_a_purpose("Um es zu prüfen, wurde gemessen.", "de")
    assert not states_a_purpose("Tomography shows the knee.", "en")
    assert points_back("The dose rose in these mice.", "en")
    assert points_back("Foram observados nesse ciclo.", "pt")
    assert not points_back("The dose rose in this study, and that of CD8 fell.", "en")


@pytest.mark.parametrize(
    ("language", "sentence", "whole"),
    [
        ("en", "The dose rose to 2 Gy.", True),
        ("en", "mRNA levels rose by half.", True),
        ("en", "and the dose rose to 2 Gy.", False),
        ("en", "The dose rose to 2", False),
        ("en", "Did the dose rise then?", False),
        ("en", "Ontario.", False),
        ("zh", "剂量上升至2 Gy。", True),
        ("zh", "剂量。", False),
    ],
)
def test_whole_sentences(language, sentence, whole):
    assert is_whole(sentence, language) is whole


def test_a_sentence_that_says_another_again():
    said = "X-ray films showed that the L4/5 height was obviously collapsed."
    assert repeats("X-ray showed that the L4/5 height was obviously collapsed.", said)
    assert not repeats("CT showed a mass in the lung.", said)


SENTENCES = {
    "en": ["Arrows mark the lesion.", "The dose rose.", "Cells were stained.", "We placed the knee on ice."],
    "de": ["Der Pfeil zeigt auf den Riss."],
    "fr": ["La flèche indique la lésion."],
    "es": ["La flecha señala el nódulo."],
    "it": ["La freccia indica la lesione."],
    "pt": ["A seta indica o nódulo.", "Arrows of the map are the same."],  # in English, as many captions are
    "ru": ["Стрелка указывает на очаг."],
    "uk": ["Стрілка вказує на вогнище."],
    "zh": ["箭头所示为结节。", "Arrows mark the lesion."],
    "ja": ["矢印は結節を示す。"],
}
FRAGMENTS = {
    "en": ["Best-fit curve and its interval.", "Staining with H&E.", "Decreases in the dose.", "Map (dose is red)."],
    "de": ["Verlauf über 7 Tage."],
    "fr": ["Souris diabétiques."],
    "es": ["Comparación con el grupo control."],
    "it": ["Schema del protocollo."],
    "pt": ["Mapa do município."],
    "ru": ["Схема эксперимента."],
    "uk": ["Схема експерименту."],
    "zh": ["实验流程图。"],
    "ja": ["実験の流れ。"],
}


@pytest.mark.parametrize(("language", "sentence"), _each(SENTENCES))
def test_sentences_have_verbs(language, sentence):
    assert has_verb(sentence, language)


@pytest.mark.parametrize(("language", "sentence"), _each(FRAGMENTS))
def test_fragments_have_none(language, sentence):
    assert not has_verb(sentence, language)


def test_a_title_with_a_clause_has_no_main_verb():
    assert has_main_verb("The farms are those where samples were taken.", "en")
    assert not has_main_verb("Location of the farms where samples were taken.", "en")
    assert not has_main_verb("Tomografía que muestra un nódulo.", "es")
    assert not has_main_verb("Препараты мышей, которые получали тамоксифен.", "ru")


def test_running_text_has_a_verb_of_its_own():
    assert may_be_whole("Cells that have the marker restored the dose.", "en")
    assert may_be_whole("We found that the dose had an effect.", "en")
    assert may_be_whole("Ein Satz ohne bekanntes Wort.", "de")  # past tenses are listed for English alone
    assert not may_be_whole("Ovaries ovoid, located between the branches.", "en")
    assert not may_be_whole("Western valleys where the species are sympatric.", "en")


def test_what_signs_stand_for():
    assert is_key("Black = males; white = females.")
    assert is_key("Lane 1: DNA, lane 2: RNA.")
    assert is_key("Сплошная линия — основная группа.")
    assert not is_key("Dose map (red = high).")
    assert not is_key("Ratio of 2:1 in mice.")


def test_several_figures():
    assert speaks_of_several("The figures show the dose.", "en")
    assert speaks_of_several("In den Abbildungen steigt die Dosis.", "de")
    assert not speaks_of_several("The figure shows the dose.", "en")
    assert not speaks_of_several("该图显示剂量。", "zh")


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("b, Cells of the knee (green); scale bars, 100 μm.", "b, Cells of the knee (green)."),
        ("Skin of a mouse; bars: 2 mm; right, 5 mm.", "Skin of a mouse."),
        ("Cells of the knee (scale bar: 20 µm) at 2 h.", "Cells of the knee at 2 h."),
        ("Skin of a mouse, C: index bar = 200 μm.", "Skin of a mouse."),
        ("a: Overview of the duct; bar = 100 μm.", "a: Overview of the duct."),
        ("Haut der Maus; Maßstabsbalken: 50 µm.", "Haut der Maus."),
        ("Peau de la souris (barre d’échelle, 50 µm).", "Peau de la souris."),
        ("Piel del ratón; barra de escala: 50 µm.", "Piel del ratón."),
        ("Pelle del topo; barra di scala, 50 µm.", "Pelle del topo."),
        ("Pele do rato (escala: 50 µm).", "Pele do rato."),
        ("Кожа мыши; масштабный отрезок 50 мкм, 50 μm.", "Кожа мыши."),
        ("Шкіра миші (масштаб: 50 μm).", "Шкіра миші."),
        ("小鼠皮肤（标尺：50 μm）。", "小鼠皮肤。"),
        ("マウスの皮膚（スケールバー：50 μm）。", "マウスの皮膚。"),
        ("Controls (black bars) and mice (bars).", None),
        ("Truncated mutants (BAR) of the domain.", None),
        ("Bars, mean of six mice; error bars, SEM.", None),
        ("The bar is 3 m long.", None),
    ],
)
def test_lengths_of_bars_go(sentence, left):
    assert without_scale_bars(sentence) == (sentence if left is None else left)


def test_keys_in_brackets_say_what_is_seen():
    assert is_key("Mean difference (solid line) and limits of agreement (dotted lines).")
    assert is_key("Spectra of patients (red) and controls (blue).")
    assert is_key("Кривые больных (красная) и здоровых (синяя).")
    assert not is_key("Spectra of patients (red).")
    assert not is_key("Recovery (SD 2) of patients (n = 3).")


@pytest.mark.parametrize(
    "sentence",
    [
        "Solid lines are guides to the eye.",
        "Solid lines are for eye guidance only.",
        "Footnotes: CT: computed tomography.",
        "Averages of three independent experiments are presented with bars.",
        "A: acute irradiation; C: chronic irradiation.",
        "Con: control mice; A: acute irradiation; C: chronic irradiation.",
        "ac: anterior crista; lc: lateral crista; ut: utricle.",
    ],
)
def test_more_notes(sentence):
    assert is_note(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "A: acute irradiation; B: chronic irradiation.",
        "Top: maps of the knee; Low: maps of the hip.",
        "Histology.",
        "Eyes of the mice.",
        "Footnoted maps of it.",
    ],
)
def test_a_word_and_panels_in_order_are_no_notes(sentence):
    assert not is_note(sentence)


def test_plans_and_interests_are_purposes():
    assert states_a_purpose("All steps will be documented if possible.", "en")
    assert states_a_purpose("Because we were interested in the dose, mice were bred.", "en")
    assert not states_a_purpose("Because mice were bred, the dose rose.", "en")
    assert not states_a_purpose("The dose will rise.", "en")


def test_those_with_something_are_in_the_sentence():
    assert not points_back("It took 21 days in treated mice and 12 in those without.", "en")
    assert points_back("It rose in those mice.", "en")
    assert only_points("See the figure for the path of the cell.", "en")
    assert only_points("A CT scan of the abdomen was performed.", "en")
    assert not only_points("A CT scan was performed after two days.", "en")
    assert leans_on_another("Consistent with the dose, it rose.", "en")
    assert leans_on_another("In a fourth experiment we tested the dose.", "en")
    assert not leans_on_another("Consistent increases were seen.", "en")


def test_past_tenses_with_a_measure():
    assert may_be_whole("The size decreased from 32 to 21 nm.", "en")
    assert may_be_whole("Treated mice reach the platform.", "en")
    assert not may_be_whole("Cells obtained from 32 mice.", "en")
