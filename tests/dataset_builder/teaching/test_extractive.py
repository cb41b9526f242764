"""The extractive teacher: questions and answers from the article's own sentences."""

import hashlib
import itertools
import re

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
        "In Figure 1, the inner part lies below the skin.",
        "Fig. 1A suggests that the inner part took up most of the dose, because the signal is highest there (Fig. 1B).",
        "Figures 1 and 2 agree because the dose is the same.",
    ],
}
QUESTIONS = [
    "What does this figure show?",
    "What does this figure suggest?",
    "Explain what can be seen in this figure.",
    "What does this figure suggest?",
    "Explain what can be seen in this figure.",
    "What can be concluded from this figure?",
]


def test_the_extractive_teacher_describes_from_the_caption():
    made = extractive(ROW, "detail")
    assert made["answer"] == (
        "Dose map of the knee after 0.5 Gy. The map shows a red hot spot on the left side. "
        "In the figure, the inner part lies below the skin."
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


LANGUAGE_ROWS = {  # caption, sentence of the context, what the answer makes of it
    "de": ("Dosis im Knie.", "Abb. 2 zeigt, dass die Dosis steigt.", "Die Abbildung zeigt, dass die Dosis steigt."),
    "fr": ("Dose dans le genou.", "La figure 2 montre que la dose augmente.", "La figure montre que la dose augmente."),
    "es": (
        "Dosis en la rodilla.",
        "La Figura 2 muestra que la dosis sube (Fig. 2A).",
        "La figura muestra que la dosis sube.",
    ),
    "pt": ("Dose no joelho.", "A Figura 2 mostra que a dose sobe.", "A figura mostra que a dose sobe."),
    "it": ("Dose nel ginocchio.", "La Figura 2 mostra che la dose sale.", "La figura mostra che la dose sale."),
    "ru": ("Доза в колене.", "На рис. 2 показано, что доза растёт.", "На рисунке показано, что доза растёт."),
    "uk": ("Доза в коліні.", "На рис. 2 показано, що доза зростає.", "На рисунку показано, що доза зростає."),
    "zh": ("膝关节剂量。", "图2显示剂量上升。", "该图显示剂量上升。"),
    "ja": ("膝の線量。", "図2は線量の上昇を示す。", "この図は線量の上昇を示す。"),
}


@pytest.mark.parametrize("language", LANGUAGE_ROWS)
def test_question_and_answer_are_in_the_language_of_the_article(language):
    caption, sentence, said = LANGUAGE_ROWS[language]
    made = extractive(
        {"figure_id": "x/fig2", "language": language, "caption": caption, "context": [sentence]}, "detail"
    )
    assert made["answer"] == caption + ("" if language in ("zh", "ja") else " ") + said
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


DETAIL = "The dose at the inner side rose from 1 to 2 Gy within an hour"
UNFIT = {  # sentences of a context, with figure 1, that need the article around them
    "a citation": f"{DETAIL} [3] (Fig. 1).",
    "authors": f"{DETAIL} (Smith et al., 2010; Fig. 1).",
    "another work's figure": f"{DETAIL} (Fig. 1), as in Fig. 2 of Smith et al. (2010).",
    "a table": f"{DETAIL} (Fig. 1, Table 2).",
    "a section": f"{DETAIL} (Fig. 1), see Section 3.1.",
    "two figures": f"{DETAIL} (Figs. 1 and 3).",
    "data not shown": f"{DETAIL} (Fig. 1; data not shown).",
    "a connective": f"However, {DETAIL.lower()} (Fig. 1).",
    "a pronoun": "It rose from 1 to 2 Gy within an hour (Fig. 1).",
    "a demonstrative": f"{DETAIL} in these mice (Fig. 1).",
    "a purpose": "To confirm it, we measured the dose again (Fig. 1).",
    "pointing": "Because the rates differ, all doses are shown in Fig. 1.",
    "an end that is missing": f"{DETAIL} (Fig. 1) and",
    "a question": "Did the dose at the inner side rise (Fig. 1)?",
}


KINDS_OF_END = {"pointing", "an end that is missing", "a question"}  # which a reason behind them would mend


@pytest.mark.parametrize("sentence", UNFIT.values(), ids=UNFIT)
def test_a_sentence_that_needs_the_article_is_left_out(sentence):
    assert extractive(ROW | {"context": [sentence]}, "detail")["answer"] == ROW["caption"]
    assert extractive(ROW | {"context": [sentence]}, "reasoning") is None


def test_a_sentence_with_a_reason_that_needs_the_article_is_no_answer_either():
    unfit = [
        sentence[:-1] + ", because the rate was high." for name, sentence in UNFIT.items() if name not in KINDS_OF_END
    ]
    assert [extractive(ROW | {"context": [sentence]}, "reasoning") for sentence in unfit] == [None] * len(unfit)


@pytest.mark.parametrize(
    ("caption", "answer"),
    [
        ("Dose of the knee. However, it fell. *p < 0.05.", "Dose of the knee. However, it fell."),
        ("Dose of the knee. Scale bar: 2 µm. It fell. Blue: low dose.", "Dose of the knee. Blue: low dose."),
        (
            "Dose of the knee. (A) As in Fig. 3. The dose rose. (B) The dose fell.",
            "Dose of the knee. (B) The dose fell.",
        ),
        ("Dose of the knee. Results are shown. It rose. Blue: low.", "Dose of the knee. Blue: low."),
        ("Dose of the knee. (A). The dose rose.", "Dose of the knee. (A) The dose rose."),
        ("Dose of the knee The map shows a spot", "Dose of the knee. The map shows a spot."),
        ("doses of the knee (Smith 2010). The dose rose [3].", "Doses of the knee. The dose rose."),
    ],
)
def test_what_is_left_of_a_caption(caption, answer):
    assert extractive(ROW | {"caption": caption, "context": []}, "detail")["answer"] == answer


@pytest.mark.parametrize(
    "caption",
    [
        "Reprinted from Smith with permission. The dose rose.",
        "See Table 2 for the doses. The dose rose.",
        "Dose of the knee.",
        "and the dose of the knee rose. The dose fell.",
    ],
)
def test_a_caption_without_its_first_sentence_or_with_no_other_describes_nothing(caption):
    assert extractive(ROW | {"caption": caption, "context": []}, "detail") is None


def test_what_the_context_says_again_is_left_out():
    again = "The map in Fig. 1 shows a red hot spot on the left side."
    assert extractive(ROW | {"context": [again]}, "detail")["answer"] == ROW["caption"]


MARKS = (
    "",
    " [3]",
    " (Fig. 1)",
    " (p = 0.4, Fig. 1A, left)",
    " (Smith 2010)",
    " [18]F",
    " (see Table 2)",
    " ( A )",
    ".",
    " ,",
)
NEVER = re.compile(r"\d\]\.|\(\s*\)|Fig|Table|\s\s|\s,|\.\.|[(,;]\s*\)")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_answer_holds_what_is_left_of_a_reference(language):
    for first, second in itertools.product(MARKS, repeat=2):
        sentence = f"{ROW['caption']} Fig. 1 shows that t[1] rose{first} to 2 Gy{second}."
        for task in TASKS:
            made = extractive(ROW | {"language": language, "caption": sentence, "context": [sentence]}, task)
            assert made is None or not NEVER.search(made["answer"])


@pytest.mark.parametrize(
    ("caption", "answer"),
    [
        ("Dose maps. (Top; A-D) Maps of the knee. (Bottom; A-D) Maps of the hip.", None),
        ("Left: maps of the knee. Right: maps of the hip.", None),
        ("Dose maps. a–d Maps of the knee. e–h Maps of the hip.", None),
        ("a, Time line. b, Maps of the knee; scale bars, 5 mm.", "a, Time line. b, Maps of the knee."),
        (
            "Dose maps. (A) Left. Maps of the knee. Right. Maps of it.",
            "Dose maps. (A) Left: Maps of the knee. Right: Maps of it.",
        ),
        (
            "Maps of (a) the knee at 2 h; (b) Hip at 2 h; (c) Hand at 9 h;",
            "Maps of (a) the knee at 2 h. (b) Hip at 2 h. (c) Hand at 9 h.",
        ),
        ("Dose maps. Map of the knee (A). Map of the hip (B).", None),
        (
            "Dose maps. Map of the knee (A). For the leg (B). Joints of the hand (C).",
            "Dose maps. Map of the knee (A). Joints of the hand (C).",
        ),
        (
            "Doses of the knee. (a) As Smith et al. report. (b) Path length. (c) The dose of the hip rose. (d) Noise.",
            "Doses of the knee. (c) The dose of the hip rose.",
        ),
        (
            "Doses of the knee. (a) Path length. (b) Noise of it. (c) As Smith et al. report.",
            "Doses of the knee. (a) Path length. (b) Noise of it.",
        ),
        (
            "Doses of the knee. (a) As Smith et al. report. "
            "(b) Map of the dose in the left hip. (c) Map of it in the right hip.",
            "Doses of the knee. (b) Map of the dose in the left hip. (c) Map of it in the right hip.",
        ),
        ("左：膝盖剂量图。右：髋部剂量图。", None),
        ("Dose maps. The dose rose, as Smith et al. report. For example, the knee is red. It is hot.", ""),
        (
            "Dose maps. The knee is red. Figure 1—source data 1. Table of the doses. Bars are red.",
            "Dose maps. The knee is red.",
        ),
    ],
)
def test_panels_named_by_place_and_what_follows_them(caption, answer):
    language = "zh" if "左" in caption else "en"
    made = extractive(ROW | {"caption": caption, "context": [], "language": language}, "detail")
    assert (made["answer"] if made else "") == (caption if answer is None else answer)
