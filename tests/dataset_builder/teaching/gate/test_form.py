"""Rules on how a question and its answer are written: what they object to, and what they must let pass."""

import pytest

from dataset_builder.teaching.gate import form
from dataset_builder.teaching.gate.exam import Limits
from dataset_builder.teaching.gate.gate import FORM_RULES, first_objection
from tests.dataset_builder.teaching.gate.exams import ANSWER, exam, row

GERMAN = (
    "Die Schwellung der linken Pfote nahm nach der Bestrahlung deutlich ab, während sie in der Kontrollgruppe "
    "unverändert blieb; die Messung erfolgte an zwölf Tieren über mehrere Wochen hinweg."
)


def test_a_good_answer_passes_every_rule():
    assert first_objection(exam(), Limits()) is None


@pytest.mark.parametrize("said", ["…", "the answer goes here.", "<answer>", "{answer}", "[your answer here]"])
def test_placeholders(said):
    assert form.placeholder(exam(answer=said), Limits())
    assert form.placeholder(exam(question=said), Limits())


@pytest.mark.parametrize("said", ["The mice <answer> well.", "[18F]FDG uptake is high.", "Here the answer goes up."])
def test_no_placeholders(said):
    assert form.placeholder(exam(answer=said), Limits()) is None


@pytest.mark.parametrize(
    "said", ["null", "None.", " ", "-", "N/A", "…", "**", "unbekannt", "not stated", "未知", "не указано"]
)
def test_blanks(said):
    assert form.blank(exam(answer=said), Limits())


@pytest.mark.parametrize(
    "said", ["A null mutant is shown.", "None of the mice died.", "12", "The origin is unknown to us."]
)
def test_no_blanks(said):
    assert form.blank(exam(answer=said), Limits()) is None


@pytest.mark.parametrize(
    "said",
    [
        "The answer is the figure.",
        "See the caption.",
        "The image shows the results.",
        "The graph shows the data of the study.",
        "As shown in the figure.",
        "It can be seen in the picture.",
        "Please refer to the caption for details.",
        "Image.",
        "The correct answer can be found in the image above.",
        "Die Abbildung zeigt die Ergebnisse.",
        "Siehe Bildunterschrift.",
        "Das Diagramm zeigt die Daten der Studie.",
        "La figura muestra los resultados.",
        "La respuesta es la figura.",
        "La figure montre les résultats.",
        "L'image présente les données de l'étude.",
        "La figura mostra i risultati.",
        "Vedi la didascalia.",
        "A figura mostra os resultados.",
        "Veja a legenda.",
        "На рисунке показаны результаты.",
        "См. подпись.",
        "На рисунку показано результати.",
        "Див. підпис.",
        "图像显示了结果。",
        "答案是该图。",
        "如图所示。",
        "この図は結果を示しています。",
        "キャプションを参照してください。",
    ],
)
def test_answers_that_only_point(said):
    assert form.says_nothing(exam(answer=said), Limits())
    assert first_objection(exam(answer=said), Limits(), FORM_RULES) is not None


@pytest.mark.parametrize(
    "said",
    [
        "Yes.",
        "No.",
        "It is.",
        "The left one.",
        "All of them.",
        "Both groups.",
        "A graph.",
        "The son.",
        "The image shows a fracture.",
        "The results differ.",
        "The figure does not show the results.",
        "The image shows 3 results.",
        "Yes, the figure shows it.",
        "The image shows the results. The paw is swollen.",
        "Ja.",
        "Links.",
        "Im Bild oben.",
        "Nein, die Abbildung zeigt das nicht.",
        "Die Abbildung zeigt eine Fraktur.",
        "Sí.",
        "La figura muestra un tumor.",
        "Oui.",
        "L'image montre une fracture.",
        "Sì.",
        "Il grafico mostra un aumento.",
        "Esquerda.",
        "Нет.",
        "Данные выше.",
        "На рисунке показан перелом.",
        "Самка.",
        "На рисунку показано пухлину.",
        "是的。",
        "上。",
        "图像显示骨折。",
        "はい。",
        "左。",
        "図は骨折を示す。",
    ],
)
def test_answers_that_say_something_however_little(said):
    assert form.says_nothing(exam(answer=said), Limits()) is None


def test_an_answer_that_is_the_question():
    asked = "What does this figure show?"
    assert form.answer_is_question(exam(answer="what does this figure show", question=asked), Limits())
    assert form.answer_is_question(exam(answer="This figure shows a paw.", question=asked), Limits()) is None


@pytest.mark.parametrize(
    "said",
    [
        "I cannot see the image.",
        "I'm sorry, but that is not shown.",
        "As an AI language model, I have no eyes.",
        "Als KI habe ich keine Augen.",
        "Je ne peux pas répondre.",
        "Lo siento, no puedo.",
        "Извините, я не могу ответить.",
        "作为一个人工智能，我无法看到图片。",
        "申し訳ありませんが、お答えできません。",
    ],
)
def test_refusals(said):
    assert form.refusal(exam(answer=said), Limits())


@pytest.mark.parametrize("said", ["Type I cannulas are shown.", "Mice cannot see red light.", "AI marks the lesion."])
def test_no_refusals(said):
    assert form.refusal(exam(answer=said), Limits()) is None


def test_a_refusal_that_the_article_prints_is_data():
    given = row(caption="The chatbot said: I cannot help you.", context=[])
    assert form.refusal(exam("The screen reads: I cannot help you.", given=given), Limits()) is None


@pytest.mark.parametrize(
    "said",
    [
        "The caption says that edema fell.",
        "According to the context, edema fell.",
        "As mentioned in the text, edema fell.",
        "Based on the provided information, edema fell.",
        "Die Bildunterschrift nennt zwei Gruppen.",
        "Selon la légende, deux groupes.",
        "Según el texto, dos grupos.",
        "Secondo la didascalia due gruppi.",
        "Segundo a legenda, dois grupos.",
        "Согласно подписи к рисунку, две группы.",
        "Згідно з текстом, дві групи.",
        "根据图注，有两组。",
        "本文によれば二群である。",
    ],
)
def test_answers_that_name_their_source(said):
    assert form.names_source(exam(answer=said), Limits())


@pytest.mark.parametrize(
    "said",
    [
        "The legend at the top names two groups.",
        "In this context, edema is swelling.",
        "Text labels mark the lobes.",
        "Die Patientin liegt im Kontext der Studie rechts.",
        "Le texte en rouge marque le lobe.",
    ],
)
def test_answers_that_speak_of_the_picture(said):
    assert form.names_source(exam(answer=said), Limits()) is None


@pytest.mark.parametrize(
    "said",
    ["Fig. 2 shows it.", "As in Figure 3B, it falls.", "See Table 1.", "Wie Abb. 4 zeigt.", "如图2所示。", "表1"],
)
def test_figure_numbers(said):
    assert form.figure_number(exam(answer=said), Limits())


@pytest.mark.parametrize(
    "said", ["The figure shows 2 mice.", "Panel B falls.", "Tablets of 5 mg are shown.", "该图显示2组。"]
)
def test_no_figure_numbers(said):
    assert form.figure_number(exam(answer=said), Limits()) is None


def test_special_tokens_of_the_teacher_and_of_the_article():
    assert form.special_tokens(exam(answer="It shows <image> a paw.</s>"), Limits())
    assert form.special_tokens(exam(answer="It shows p < 0.05 in <i>vivo</i>."), Limits()) is None
    given = row(caption="The prompt was <image> and then text.", context=[])
    assert form.special_tokens(exam("The prompt was <image>.", given=given), Limits()) is None


@pytest.mark.parametrize(
    ("question", "is_given_away"),
    [
        ("Why is the edema 1.9 mm thick?", True),
        ("Why do 1,90 mm follow?", True),
        ("Why is the edema 5 mm thick?", False),
        ("What does IL-1.9 do here?", False),  # a name
        ("Why did it fall?", False),
    ],
)
def test_questions_that_give_the_answer_away(question, is_given_away):
    assert bool(form.gives_away(exam(question=question), Limits())) is is_given_away


def test_too_long():
    assert form.too_many_chars(exam(answer="a" * 3001), Limits()).value == 3001
    assert form.too_many_chars(exam(answer="a" * 3000), Limits()) is None
    assert form.too_many_tokens(exam(answer="量" * 1300), Limits())  # a token and more each
    assert form.too_many_tokens(exam(answer="word " * 500), Limits()) is None


def test_wrong_languages():
    assert form.wrong_language(exam(answer=GERMAN), Limits())
    assert form.wrong_language(exam(answer="Отёк левой лапы после облучения."), Limits())  # the script tells
    assert form.wrong_language(exam(answer="左侧足部的水肿在照射之后减轻了许多。"), Limits())
    assert form.wrong_language(exam(answer=ANSWER), Limits()) is None
    assert form.wrong_language(exam(answer="Ödem links."), Limits()) is None  # too short to judge
    bilingual = row(caption=GERMAN, context=[GERMAN], language="en")
    assert form.wrong_language(exam(answer=GERMAN, given=bilingual), Limits()) is None
