import json
import time

import pytest

from model_cards.preview.mentions import split_at_mentions


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
def test_mentions_are_marked(label, sentence, marked):
    pieces = split_at_mentions(sentence, label)
    assert pieces[1::2] == marked
    assert "".join(pieces) == sentence


@pytest.mark.parametrize("unit", [", 1", "S1,", "Fig 1 ", "Fig. 1a,a", " ", "1-"])
def test_a_sentence_made_to_stall_it(unit):
    start = time.process_time()
    sentence = f"Fig. 1{unit * 5000}"
    assert "".join(split_at_mentions(sentence, "Figure 1")) == sentence
    assert time.process_time() - start < 2


def test_the_sentences_that_the_build_found_mention_their_figure(sample_dataset):
    """The build's own rule is finer; nearly all it finds is to be marked."""
    rows = map(json.loads, (sample_dataset / ".work" / "verdicts.jsonl").read_text().splitlines())
    found = [len(split_at_mentions(sentence, row["label"])) > 1 for row in rows for sentence in row["context"]]
    assert len(found) > 50
    assert sum(found) >= 0.98 * len(found)
