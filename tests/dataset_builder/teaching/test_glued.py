"""Full stops that captions lack."""

import pytest

from dataset_builder.teaching.glued import closed, lists_plates, pieces, runs_on, starts_again


@pytest.mark.parametrize(
    ("language", "sentence", "parts"),
    [
        ("en", "Dose map of the knee The map shows a spot.", ["Dose map of the knee", "The map shows a spot."]),
        ("en", "Dose in the knee (A) Levels of the signal.", ["Dose in the knee", "(A) Levels of the signal."]),
        ("en", "Mean of two trials. n = 6 mice.", ["Mean of two trials.", "n = 6 mice."]),
        ("en", "Graphs of both. is the initial graph.", ["Graphs of both.", "is the initial graph."]),
        ("en", "Stained by Thioflavin-S. Scale bar = 2 µm.", ["Stained by Thioflavin-S.", "Scale bar = 2 µm."]),
        ("de", "Dosis im Knie Die Karte zeigt einen Fleck.", ["Dosis im Knie", "Die Karte zeigt einen Fleck."]),
        ("de", "Kurven nach Kaplan-Meier Die Linie zeigt sie.", ["Kurven nach Kaplan-Meier", "Die Linie zeigt sie."]),
        ("en", "Mean potentials A: Maps of both sides.", ["Mean potentials", "A: Maps of both sides."]),
        ("en", "Leaves of one tree (OR1) B Analysis of roots.", ["Leaves of one tree (OR1)", "B Analysis of roots."]),
        ("en", "Dose of all cells. (b) Dose of the rest.", ["Dose of all cells.", "(b) Dose of the rest."]),
        ("en", "Area of acini (µm2) *** Represents p < 0.001.", ["Area of acini (µm2)", "*** Represents p < 0.001."]),
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


WORDS = frozenset({"arrows", "control", "conditional", "residues", "стрелки"})


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Map of the knee Arrows mark a spot."),
        ("en", "Binding of the compound to ACE Residues of the domain are shown."),
        ("ru", "Карта левого колена Стрелки указывают на очаг."),
    ],
)
def test_a_capital_starts_another_sentence(language, sentence):
    assert runs_on(sentence, WORDS, language)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Dose in the Control group of mice."),  # behind an article
        ("en", "Generation of the Conditional Apc Allele in Mice."),  # a title, every word
        ("en", "Dose in patients and Control animals."),
        ("en", "Dose of the Wistar rats."),  # a name: nowhere with a small letter
        ("de", "Dosis der Arrows im Knie."),  # every noun has a capital
        ("en", "Map of the knee. Arrows mark a spot."),
    ],
)
def test_other_capitals_start_none(language, sentence):
    assert not runs_on(sentence, WORDS, language)


def test_numbers_that_name_pictures_of_a_plate():
    assert lists_plates("Holotype in section: 11 pharynx in general view 12 detail of the muscles.")
    assert lists_plates("Holotype in section: 7–8 surfaces of the body, respectively 9–10 tips of the body.")
    assert not lists_plates("We saw 2 mice and 3 rats.")
    assert not lists_plates("Dose at week 3 before and week 4 after surgery.")
    assert not lists_plates("Dose of group 1 with 14 mice.")


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("a) Dose; p=0.38.b) Dose of the rest.", ["a) Dose;", "p=0.38.", "b) Dose of the rest."]),
        (
            "Parts of the ear. ac, anterior crista; lc, lateral crista.",
            ["Parts of the ear.", "ac, anterior crista; lc, lateral crista."],
        ),
        ("Curves of both. p value by log-rank test.", ["Curves of both.", "p value by log-rank test."]),
        ("It rose (t-test; p value 0.01).", ["It rose (t-test; p value 0.01)."]),
        ("It was kept at 2.5 (a) and 3 h.", ["It was kept at 2.5 (a) and 3 h."]),
    ],
)
def test_panels_and_notes_without_a_gap(sentence, parts):
    assert pieces(sentence, "en") == parts


def test_sentences_that_start_inside_running_text():
    assert starts_again("It branches within Metazoa Several branches emerge.", "en")
    assert starts_again("Rates in Mice In the controls they fell.", "en")
    assert not starts_again("It branches within Metazoa, and several emerge.", "en")
    assert not starts_again("Loss of The Gene In Mice.", "en")
    assert not starts_again("In der Gruppe Die Linie steigt.", "de")


def test_plurals_that_start_a_sentence():
    assert runs_on("Binding to N-domain ACE Residues of the domain.", frozenset(), "en")
    assert not runs_on("Treatments at Perkins and Perry.", frozenset(), "en")
    assert not runs_on("Binding to the Residues of the domain.", frozenset(), "en")


def test_a_clause_of_a_list_ends_with_a_stop():
    assert closed("(a) pristine ZnO;") == "(a) pristine ZnO."
