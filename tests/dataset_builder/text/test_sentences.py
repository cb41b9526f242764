"""Where a sentence ends, as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_builder.text.clean import clean
from dataset_builder.text.sentences import sentence_spans, split_sentences

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


TEXT = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("Fig. 12A-–S()[],;andto图рис")), max_size=60)


@given(TEXT)
def test_sentences_lose_nothing(text):
    cleaned = clean(text)
    spans = [*sentence_spans(cleaned)]
    assert "".join(cleaned[a:b] for a, b in spans).replace(" ", "") == cleaned.replace(" ", "")
    assert all(a < b for a, b in spans)
