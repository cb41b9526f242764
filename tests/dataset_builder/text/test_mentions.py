"""The grammar of labels, mentions and sentences, as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.text import mentions
from dataset_builder.text.mentions import (
    clean,
    context_for,
    label_key,
    label_keys,
    mentioned_keys,
    sentence_spans,
    split_label,
    split_sentences,
)

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


MENTIONS = {
    "as Fig. 2 shows": "2",
    "Figs 2–4": "2 3 4",
    "Fig. 2A–C and 3": "2 3",
    "Figures 1, 2 and S3": "1 2 S3",
    "Figs. 2A–2C": "2",
    "Figs 1, 3–5, 7A": "1 3 4 5 7",
    "Figures 2B–E,J–M and 4": "2 4",
    "Figures 2(a) and 3(b,c)": "2 3",
    "Figs 2 (left) and 3": "2 3",
    "Fig. 3, A to C, and 4": "3 4",
    "Figures 1 to Figure 3": "1 2 3",
    "Fig. 1 & 2": "1 2",
    "(Fig. IV)": "4",
    "Fig.2": "2",
    "Figure2A": "2",
    "figure 1.2": "1.2",
    "Supplementary Figs S1–S3": "S1 S2 S3",
    "Supplementary Figures 1-3": "S1 S2 S3",
    "Supplementary Figure 1 and Figures 4B–E": "S1 4",
    "Figs. S1-4": "S1 S2 S3 S4",
    "S1 and S2 Figs": "S1 S2",
    "S1 Fig and S2A Fig": "S1 S2",
    "Extended Data Figs 2 and 3": "ED2 ED3",
    "Figure 2A and Figure 2—figure supplement 1A,B": "2 2-S1",
    "Figure 2—figure supplements 1–3": "2-S1 2-S2 2-S3",
    "Figure 5—figure supplement 1, Figure 6": "5-S1 6",
    "Fig. 2 and Fig. 3-figure supplement 1": "2 3-S1",
    "Figure 2—source data 1": "2",
    "Gráficos 1 e 2": "CHART1 CHART2",
    "Figs. 1,2,3": "1 2 3",
    "Figs 1, S1, and S2": "1 S1 S2",
    "Fig. S1A–C and S2": "S1 S2",
    "Fig. 1 a,b": "1",
    "Figures 1A, 1B, and 2": "1 2",
    "Figs. 1(a)–1(c) and 2(b)": "1 2",
    "Figure 1Ai, Aii and 2": "1 2",
    "Fig. 5a, left, and 6": "5 6",
    "Fig. 1, lanes 2 and 3": "1",
    "Figs EV1–EV3": "EV1 EV2 EV3",
    "Figures 1A and EV1B": "1 EV1",
    "(Fig. 1a; Extended Data Figs 2, 3)": "1 ED2 ED3",
    "SI Appendix, Figs. S1 and S2": "S1 S2",
    "Additional file 1: Figs. S1–S3": "S1 S2 S3",
    "e-Figure 1": "E1",
    "FIGS. 3 AND 4": "3 4",
    "Figure-1": "1",
    # other languages
    "Abb. 2a und 3": "2 3",
    "(siehe Abb. 1 u. 2)": "1 2",
    "Abb. 1, 2 und 5": "1 2 5",
    "in den Abbildungen 2a bis 2c": "2",
    "Abb. 2 und 12 Patienten, Abb. 3 und 4 Monate": "2 3",
    "fig. 1, 2 ou 3": "1 2 3",
    "Fig. 1 et 12 souris": "1",
    "figs. 2 a 4": "2 3 4",
    "figuras 2A y 3B": "2 3",
    "figuras 3 al 5": "3 4 5",
    "figura 2 y 15 pacientes": "2",
    "Figuras de 1 a 3": "1 2 3",
    "figura de 3 pacientes": "",
    "Figuras 1 até 3": "1 2 3",
    "na Figura 1A e 1B": "1",
    "figg. 1a e 1b": "1",
    "figure 1, 2 e 3": "1 2 3",
    "figure da 1 a 3": "1 2 3",
    "рис. 2, 3": "2 3",
    "рис. 2а и 3б": "2 3",
    "рис. 1, а, б": "1",
    "рис. 2 и 12 больных": "2",
    "рисунки с 1 по 3": "1 2 3",
    "мал. 1": "1",
    "мал. 2 та 3": "2 3",
    "рис. 1, 2 й 3": "1 2 3",
    "малюнках 1–3": "1 2 3",
    "мал. 2 і 12 хворих": "2",
    "图2A、B": "2",
    "图1、2和3": "1 2 3",
    "图1、图2": "1 2",
    "图1～3": "1 2 3",
    "图1至图3": "1 2 3",
    "图2和12例患者": "2",
    "图2，3例患者": "2",
    "図2–4": "2 3 4",
    "図1・2": "1 2",
    "図2Aおよび2B": "2",
    "図1から図3": "1 2 3",
    "(Abb. 2)": "2",
    "Die Ergebnisse in Abb. 1 und 2 hängen davon ab": "1 2",
    "Abbildungen 1 bis 3": "1 2 3",
    "figuras 1 y 2": "1 2",
    "Figuras 1 a 3": "1 2 3",
    "les figures 1 et 2": "1 2",
    "figures 1 à 3": "1 2 3",
    "на рисунках 1 и 2 видно": "1 2",
    "Figg. 1 e 2": "1 2",
    "рис. 1": "1",
    "рис. 1 и 2 показывают": "1 2",
    "Рисунки 1–3": "1 2 3",
    "на малюнку 4": "4",
    "如图1所示": "1",
    "图1和图2": "1 2",
    "图1-3": "1 2 3",
    "見補充圖2": "S2",
    "図1および2": "1 2",
    "図１": "1",
    # no mentions, or less than it seems
    "Table 2": "",
    "configuration 2": "",
    "地图1": "",
    "Figure 2 and 12 patients": "2",
    "Fig. 2, 95% CI 3": "2",
    "(Fig. 2, 24 h)": "2",
    "Fig. 2.5% of": "2",
    "(Fig 3 and S3 Table)": "3",
    "Figure 1 and 5 patients": "1",
    "Figures 1 and 2 mg": "1",
    "Figs 1–2000": "1",
    # figures of other papers
    "Fig. 2 in [12]": "",
    "Fig. 2 of ref. 12": "",
    "Figure 3 of Smith et al.": "",
    "Figure 3 from Smith and Jones": "",
    "their Fig. 2": "",
    "as shown in [12, Fig. 2]": "",
    "(Smith et al., 2010, Fig. 2)": "",
    "Figure 1 in S1 Text": "",
    "(Smith et al., 2010; Fig. 2)": "2",
    "Fig. 2 (see [12])": "2",
    "In 2010, Fig. 2 shows": "2",
}


@pytest.mark.parametrize(("sentence", "keys"), MENTIONS.items())
def test_mentioned_keys(sentence, keys):
    assert mentioned_keys(sentence) == set(keys.split())


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
    # running text
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


SENTENCES = [
    "As in Fig. 2A. | We used E. coli (Figs. 3 and 4). | Then",
    "See Smith et al. | The dose was 2.5 Gy vs. 3 Gy, i.e. more. | Next",
    "Seen by Smith et al. (2010) and by Wu et al. [12] in mice. | (A) Next",
    "Vitamin C. | The end. | J. A. Smith and Dr. B. Jones left.",
    "The pH was 3. | mRNA rose. | siRNA fell by approx. 5 %.",
    "No. 5 was (Fig. 2A). | No. | The answer was yes! | Was it? | It was.",
    "We saw this.12 | Then that.[3,4] | Then p53. [5] | Now",
    "It was “good.” | It was (bad.) | We left.",
    "Cells (e.g. Fusarium spp.) and P. falciparum grew. | In 2012. | S. Typhimurium did not.",
    "Am 3. Mai, z. B. 3 Gy, d. h. viel (vgl. Abb. 2). | Die Dosis stieg.",
    "Según la Fig. 2, p. ej. 3 Gy. | La dosis subió.",
    "На рис. 1 показано, см. табл. 2. | Мы измерили дозу.",
    "剂量为5.5 Gy。 | 图1显示。 | “好。” | 结束",
    "線量は5 Gyです。 | 図2に示す！ | 終",
    "A dose of 1.5 Gy... | The end",
    "It rose (Fig. 1A–C).3,4 | It fell (Fig. 2).5 | In Jan. 2019 p < .05 was seen. | End.",
    "Die Daten (vgl. Abb. 2a und 3) zeigen es. | Am 12. Mai sollte der 3. Patient o. g. Werte haben. | Nr. 5 fehlt.",
    "Siehe Abb. 1 u. 2. | Das ist i. d. R. so, u. a. bei Mäusen. | Prof. Dr. med. Müller sah es.",
    "Les souris (env. 20 g) ont reçu 2,5 Gy, p. ex. ici. | Cf. fig. 3. | M. Dupont et al. l'ont vu.",
    "Los datos (figs. 2 a 4) de EE. UU. son así. | La dosis fue aprox. 5 Gy. | ¿Es así? | ¡Sí! | El Dr. Pérez lo vio.",
    "Os dados (figs. 1 e 2) mostram isso. | O Dr. Silva e a Dra. Souza viram aprox. 5 Gy. | Veja a Fig. 3.",
    "I dati (figg. 1 e 2) lo mostrano. | Il dott. Rossi, ad es., vide 3 Gy. | È chiaro. | Cfr. fig. 2.",
    "На рис. 2, 3 показаны данные. | В 2019 г. было 5 тыс. больных, т. е. мало. | И. И. Иванов и соавт. [3] видели.",
    "На мал. 1 показано дані. | У 2019 р. було 5 тис. хворих. | І. І. Іваненко та співавт. [3] бачили. | Див. рис. 4.",
    "结果见Fig. 2。 | Smith等[3]报道了（P<0.05）。 | 是吗？ | 是。",
    "図2–4に示すように、2.5 Gyである。 | 「これは図1である。」 | 終",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_split_sentences(text):
    sentences = text.split(" | ")
    assert split_sentences(" ".join(sentences)) == sentences


def test_split_sentences_ends_at_a_blank_line():
    assert split_sentences("Results\n\nThe dose\nrose. It fell") == ["Results", "The dose rose.", "It fell"]


def test_label_of_several_figures():
    assert label_keys("Figures 1–3") == ("1", "2", "3")
    assert label_keys("Supplementary Figs 1 and 2") == ("S1", "S2")
    assert label_keys("Figure 1-3") == ("1-3",)
    assert label_keys("Abb. 2") == ("2",)
    assert label_keys("Logo") == ()


def test_context_for_keeps_order_and_no_duplicates():
    sentences = ["Fig. 2 is new.", "Figs 1 and 2 show it.", "Nothing.", "Fig. 2 is new."]
    assert context_for(sentences, [{"1"}, {"2", "3"}, {"4"}]) == [sentences[1:2], sentences[:2], []]


def test_every_figure_word_is_found_by_its_stem():
    """`_heads` looks only where a stem starts, so every word of the pattern must start with one."""
    stems = mentions._FIGURE_STEMS + mentions._OTHER_STEMS
    words = "Fig Figs Figg Figure figura Figuras Abb Abbildungen Bild рис Рисунок мал Малюнок Фигура 图 圖 図"
    words += " Scheme Schéma esquema схема Chart gráfico grafico graphique Diagramm діаграма диаграмма график графік"
    words += " Graph Plate Tafel planche lámina lamina prancha tavola Map Karte carte mapa mappa карта Photo foto фото"
    words += " Image imagen imágenes immagine"
    for word in words.split():
        assert word.lower().startswith(stems), word
        assert mentioned_keys(f"{word} 7"), word


def test_clean_removes_what_no_reader_sees():
    assert clean(" a\u00a0b\u00adc\n\td\u200b \x07e\u2009f ") == "a bc d e f"


TEXT = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("Fig. 12A-–S()[],;andto图рис")), max_size=60)


@given(TEXT)
def test_any_text_is_survived(text):
    mentioned_keys(text)
    label_key(text)
    split = split_label(text)
    assert split is None or clean(text).startswith(split[0])


@given(TEXT)
def test_sentences_lose_nothing(text):
    cleaned = clean(text)
    spans = sentence_spans(cleaned)
    assert "".join(cleaned[a:b] for a, b in spans).replace(" ", "") == cleaned.replace(" ", "")
    assert all(a < b for a, b in spans)


@given(st.integers(1, 40), st.integers(1, 19))
def test_ranges_are_filled(first, length):
    wanted = {str(i) for i in range(first, first + length + 1)}
    assert mentioned_keys(f"see Figs {first}–{first + length}.") == wanted
