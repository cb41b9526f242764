"""Full stops that captions lack."""

import pytest

from dataset_builder.teaching.glued import closed, pieces


@pytest.mark.parametrize(
    ("language", "sentence", "parts"),
    [
        ("en", "Dose map of the knee The map shows a spot.", ["Dose map of the knee", "The map shows a spot."]),
        ("en", "Dose in the knee (A) Levels of the signal.", ["Dose in the knee", "(A) Levels of the signal."]),
        ("en", "Mean of two trials. n = 6 mice.", ["Mean of two trials.", "n = 6 mice."]),
        ("en", "Graphs of both. is the initial graph.", ["Graphs of both.", "is the initial graph."]),
        ("en", "Stained by Thioflavin-S. Scale bar = 2 µm.", ["Stained by Thioflavin-S.", "Scale bar = 2 µm."]),
        ("de", "Dosis im Knie Die Karte zeigt einen Fleck.", ["Dosis im Knie", "Die Karte zeigt einen Fleck."]),
        ("fr", "Dose dans le genou Les cartes montrent un pic.", None),
        ("en", "Activities of (A) Peroxidase, (B) catalase.", ["Activities of (A) Peroxidase, (B) catalase."]),
        ("en", "A Study in The Lancet and the Netherlands.", ["A Study in The Lancet and the Netherlands."]),
        ("en", "Defects and Lethality Consistent with Loss.", ["Defects and Lethality Consistent with Loss."]),
        ("en", "Growth of E. coli at 2 h.", ["Growth of E. coli at 2 h."]),
    ],
)
def test_sentences_without_a_stop_between_them(language, sentence, parts):
    assert pieces(sentence, language) == (parts or sentence.replace(" Les", "|Les").split("|"))


@pytest.mark.parametrize(
    ("sentence", "whole"),
    [
        ("Dose of the knee", "Dose of the knee."),
        ("Dose (B)", "Dose (B)."),
        ("剂量", "剂量。"),
        ("Dose?", "Dose?"),
        ("", ""),
    ],
)
def test_the_last_stop(sentence, whole):
    assert closed(sentence) == whole
