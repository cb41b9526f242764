"""Mentions of figures, as data."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.text import numbering
from dataset_builder.text.mentions import context_for, mentioned_keys, mentions, mentions_in, mentions_of_each

MENTIONS = {
    "as Fig. 2 shows": "2",
    "la figura n.º 1": "1",
    "la figura n. º 12 muestra": "12",
    "la Fig. núm. 1 muestra": "1",
    "la figura número 3": "3",
    "la figura n. 1 mostra": "1",
    "figg. n. 1 e 2": "1 2",
    "figura num. 4": "4",
    "如第1图所示": "1",
    "见第 2 幅图": "2",
    "第3張圖顯示": "3",
    "第1図に示す": "1",
    "第1、2図に示す": "1 2",
    "第2–4図": "2 3 4",
    "第1図2群の線量": "1",
    "第1章 地图 3": "",
    "第2地图": "",
    "la figure 1 bis montre": "1",
    "Abb. 1 bis 3": "1 2 3",
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
    "see Exhibits 1 and 2": "EXHIBIT1 EXHIBIT2",
    "was exhibited in 2": "",
    "Ext. Data Fig. 2": "ED2",
    "SI Fig. 1 and Fig. 2": "S1 2",
    "observed Fig. 2": "2",
    "Full-size DOI: 10.1234/abc.56/fig-1": "",
    "https://example.org/abc.fig2": "",
    "in Table 1/Fig. 2": "2",
    "doses (10.5 Gy)/Fig. 2": "2",
    "as Figure (2) shows": "2",
    "the figure (2)": "",
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


def test_context_for_keeps_order_and_no_duplicates():
    sentences = ["Fig. 2 is new.", "Figs 1 and 2 show it.", "Nothing.", "Fig. 2 is new."]
    assert context_for(sentences, [{"1"}, {"2", "3"}, {"4"}]) == [sentences[1:2], sentences[:2], []]


def test_every_figure_word_is_found_by_its_stem():
    """`_heads` looks only where a stem starts, so every word of the pattern must start with one."""
    stems = (*(stem.decode() for stem in numbering._ALL_STEMS.ascii), *numbering._ALL_STEMS.others)
    words = "Fig Figs Figg Figure figura Figuras Abb Abbildungen Bild рис Рисунок мал Малюнок Фигура 图 圖 図"
    words += " Scheme Schéma esquema схема Chart gráfico grafico graphique Diagramm діаграма диаграмма график графік"
    words += " Graph Plate Tafel planche lámina lamina prancha tavola Map Karte carte mapa mappa карта Photo foto фото"
    words += " Image imagen imágenes immagine"
    for word in words.split():
        assert word.lower().startswith(stems), word
        assert mentioned_keys(f"{word} 7"), word


TEXT = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("Fig. 12A-–S()[],;andto图рис")), max_size=60)


@given(TEXT)
def test_any_text_is_survived(text):
    mentioned_keys(text)


@given(st.integers(1, 40), st.integers(1, 19))
def test_ranges_are_filled(first, length):
    wanted = {str(i) for i in range(first, first + length + 1)}
    assert mentioned_keys(f"see Figs {first}–{first + length}.") == wanted


@pytest.mark.parametrize(
    ("label", "sentence", "marked"),
    [
        ("Figure 3", "As seen in Figs 2–4.", ["Figs 2–4"]),
        ("Fig. 3", "We saw this (Fig. 2A–C and 3).", ["Fig. 2A–C and 3"]),
        ("FIGURE 2", "Figure 2 and Fig. 12, then fig. 2b.", ["Figure 2", "fig. 2b"]),
        ("Figure 6", "Given for Figures 2 through 7.", ["Figures 2 through 7"]),
        ("Figure 3.2", "Figures 3.1 and 3.2 show it.", ["Figures 3.1 and 3.2"]),
        ("S2 Fig", "In S1 and S2 Figs we show it.", ["S1 and S2 Figs"]),
        ("Figure S2", "Figure 2 and Figure S2.", ["Figure S2"]),
        ("Abb. 2", "Die Abbildungen 1 bis 3 zeigen es.", ["Abbildungen 1 bis 3"]),
        ("Figure 1", "La figure 1 montre et les fig. 2 et 3.", ["figure 1"]),
        ("Figura 2", "Véanse las figuras 1 a 3 y el texto.", ["figuras 1 a 3"]),
        ("Figura 3", "Nas figuras 2 e 3, a dose.", ["figuras 2 e 3"]),
        ("Fig. 2", "Si veda la fig. 2 e la fig. 3.", ["fig. 2"]),
        ("Рис. 4", "Показано на рисунке 4, рис. 5.", ["рисунке 4"]),
        ("Мал. 2", "Наведено на малюнку 2.", ["малюнку 2"]),
        ("图 2", "如图2所示。", ["图2"]),
        ("図3", "線量は図３に示す。", ["図３"]),
        ("Figure 2", "The configuration 2 and 2 mice, Fig. 1.", []),
        ("Figure 1", "See Fig. 11 and Figs 2–9.", []),
        (None, "See Fig. 1.", []),
        ("Graphical abstract", "See Fig. 1.", []),
    ],
)
def test_where_a_sentence_mentions_a_figure(label, sentence, marked):
    ((*spans,),) = mentions_in([sentence], label)
    assert [sentence[start:end] for start, end in spans] == marked


@pytest.mark.parametrize("unit", [", 1", "S1,", "Fig 1 ", "Fig. 1a,a", " ", "1-"])
def test_a_sentence_made_to_stall_it(unit):
    start = time.process_time()
    assert mentions_in([f"Fig. 1{unit * 5000}"], "Figure 1") != [[]]
    assert time.process_time() - start < 2


PARAGRAPHS = [  # with and without a figure word, in and beyond ASCII, the number first, of another paper
    "We saw it in Fig. 2A–C – and in Figs 3, 4.",
    "Nothing here.",
    "“Text” of the contexts – no figure.",
    "На рис. 1 и РИС. 2 показано",
    "如图3所示，第4图",
    "S1 and S2 Figs; S3 Table; S4 Fig, S5 Fig.",
    "Ver el Gráfico 2, la LÁMINA 3; İFig. 4",
    "As in Fig. 2 of Smith et al.",
]


@pytest.mark.parametrize("turn", range(len(PARAGRAPHS)))
def test_looked_up_together_mentions_are_those_of_each_paragraph(turn):
    texts = PARAGRAPHS[turn:] + PARAGRAPHS[:turn]
    alone = [mentions(text) for text in texts]
    assert mentions_of_each(texts) == alone
    assert [bool(found) for found in alone].count(True) == 5


@given(st.lists(TEXT, max_size=5))
def test_looked_up_together_mentions_are_those_of_each_text(texts):
    assert mentions_of_each(texts) == [mentions(text) for text in texts]
