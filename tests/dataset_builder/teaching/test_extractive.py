"""The extractive teacher: questions and answers from the article's own sentences."""

import hashlib

import pytest

from dataset_builder.teaching.evidence import TASKS
from dataset_builder.teaching.extractive import extractive
from dataset_builder.teaching.wording import GENERAL
from dataset_builder.text.language_files import FOLDER
from dataset_builder.text.vocabulary import LANGUAGES

ROW = {
    "figure_id": "PMC1/fig1",
    "language": "en",
    "caption": "Dose map of the knee after 0.5 Gy. The map shows a red hot spot on the left side.",
    "context": [
        "In Figure 1, the hot spot lies on the left side [3].",
        "Fig. 1A suggests that the inner part took up most of the dose, because the signal is highest there (Fig. 1B).",
        "Figures 1 and 2 agree because the dose is the same.",
    ],
}
QUESTIONS = [
    "What does this figure show?",
    "What does this figure suggest, and what supports it?",
    "Explain what can be seen in this figure.",
    "What does this figure suggest, and what supports it?",
    "Explain what can be seen in this figure.",
    "What can be concluded from this figure, and why?",
]


def test_the_extractive_teacher_describes_from_the_caption():
    made = extractive(ROW, "detail")
    assert made["answer"] == (
        "Dose map of the knee after 0.5 Gy. The map shows a red hot spot on the left side. "
        "In the figure, the hot spot lies on the left side."
    )
    assert [(e["source"], e["sentence"]) for e in made["evidence"]] == [("caption", 0), ("caption", 1), ("context", 0)]


def test_the_extractive_teacher_reasons_from_the_context():
    made = extractive(ROW, "reasoning")
    assert made["answer"] == (
        "The figure suggests that the inner part took up most of the dose, because the signal is highest there."
    )
    assert made["evidence"] == [{"source": "context", "sentence": 1}]


def test_no_answer_is_made_up():
    assert extractive(ROW | {"caption": None}, "detail") is None
    assert extractive(ROW | {"context": []}, "reasoning") is None


LANGUAGE_ROWS = {
    "de": ("Abb. 2 zeigt die Dosis.", "Die Abbildung zeigt die Dosis."),
    "fr": ("La figure 2 montre que la dose augmente.", "La figure montre que la dose augmente."),
    "es": ("La Figura 2 muestra la dosis (Fig. 2A).", "La figura muestra la dosis."),
    "pt": ("A Figura 2 mostra a dose.", "A figura mostra a dose."),
    "it": ("La Figura 2 mostra la dose.", "La figura mostra la dose."),
    "ru": ("На рис. 2 показана доза.", "На рисунке показана доза."),
    "uk": ("На рис. 2 показано дозу.", "На рисунку показано дозу."),
    "zh": ("图2显示剂量。", "该图显示剂量。"),
    "ja": ("図2に線量を示す。", "この図に線量を示す。"),
}


@pytest.mark.parametrize("language", LANGUAGE_ROWS)
def test_question_and_answer_are_in_the_language_of_the_article(language):
    sentence, said = LANGUAGE_ROWS[language]
    made = extractive(
        {"figure_id": "x/fig2", "language": language, "caption": "0.5 Gy.", "context": [sentence]}, "detail"
    )
    assert made["answer"] == f"0.5 Gy. {said}"
    assert made["question"] in LANGUAGES[language].teaching.questions.detail
    assert (
        GENERAL.questions_sha256(language, "detail")
        == hashlib.sha256((FOLDER / f"{language}.yaml").read_bytes()).hexdigest()
    )


@pytest.mark.parametrize("language", [None, "pl"])
def test_questions_are_english_where_the_language_has_no_file(language):
    made = extractive(ROW | {"language": language}, "detail")
    assert made["question"] in LANGUAGES["en"].teaching.questions.detail
    assert GENERAL.questions_sha256(language, "detail") == GENERAL.questions_sha256("en", "detail")


def test_a_sentence_that_only_points_to_the_figure_is_left_out():
    assert extractive(ROW | {"context": ["(Fig. 1)."]}, "detail")["answer"] == ROW["caption"]


def test_the_questions_of_a_figure_stay():
    """They are drawn by the figure's id, so that a dataset made anew asks the same."""
    drawn = [extractive(ROW | {"figure_id": f"PMC{i}/fig1"}, task)["question"] for i in range(3) for task in TASKS]
    assert drawn == QUESTIONS


TWO = {  # caption -> what the answer joins it to
    "en": ("It rose. It fell.", "It rose. It fell."),
    "zh": ("剂量上升。随后下降。", "剂量上升。随后下降。"),
    "ja": ("線量は上昇した。その後下がった。", "線量は上昇した。その後下がった。"),
    "zh, in English": ("The dose rose. It fell later.", "The dose rose. It fell later."),
}


@pytest.mark.parametrize(("caption", "answer"), TWO.values(), ids=TWO)
@pytest.mark.parametrize("language", ["zh", "ja"])
def test_no_space_stands_between_sentences_of_a_language_without(caption, answer, language):
    assert extractive(ROW | {"language": language, "caption": caption, "context": []}, "detail")["answer"] == answer
