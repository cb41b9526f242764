"""The gate as a whole: reasons, what is kept of rejected examples, and answers that repeat others."""

from dataset_builder.teaching.examples import instruction_examples
from dataset_builder.teaching.gate.exam import Limits, Objection
from dataset_builder.teaching.gate.gate import Gate
from dataset_builder.teaching.gate.tokens import counter
from dataset_builder.teaching.wording import GENERAL
from tests.dataset_builder.teaching.gate.exams import ANSWER, Says, example, row

STANDING = "The picture shows representative results of the experiment, as described for the animals of this study."


def gate_of(rejected: list | None = None) -> Gate:
    keep = [] if rejected is None else rejected
    return Gate(Limits(), counter(None), {"detail": '{"answer": "…"}'}, keep.append)


def figures(n: int, **columns) -> list[dict]:
    return [row(figure_id=f"a/fig{i}", **columns) for i in range(n)]


def test_the_first_objection_is_the_reason_and_the_example_is_kept():
    rejected: list = []
    gate = gate_of(rejected)
    assert list(gate.passed([example("null"), example(), example("Fig. 2 has 99 mm.")], [row()])) == [example()]
    assert gate.counts() == {"blank": 1, "figure_number": 1}
    last = rejected[-1]
    assert last["answer"] == "Fig. 2 has 99 mm."
    assert (last["reason"], last["value"], last["threshold"]) == ("figure_number", "Fig. 2", None)
    assert (last["license"], last["licenses"], last["rights"]) == ("CC-BY-4.0", ["CC-BY-4.0"], None)


def passed(gate: Gate, examples: list[dict], rows: list[dict]) -> list[str]:
    return [one["figure_id"] for one in gate.passed(examples, rows)]


def test_a_standing_phrase_is_said_once_in_a_split():
    rows = [*figures(3), row(figure_id="t/fig1", split="test")]
    rejected: list = []
    gate = gate_of(rejected)
    said = [STANDING, f"  {STANDING[:-1]}", STANDING.replace("shows", "displays"), STANDING]
    examples = [example(answer, given=given) for answer, given in zip(said, rows, strict=True)]
    assert passed(gate, examples, rows) == ["a/fig0", "t/fig1"]
    assert {row["reason"] for row in rejected} == {"near_duplicate"}
    assert rejected[0]["value"] == "a/fig0/detail"


def test_answers_alike_that_say_something_else_both_pass():
    rows = figures(2) + [
        row(caption="Edema of the hind paw.", figure_id="b/fig1"),
        row(caption="Edema of the fore paw."),
    ]
    said = [
        ANSWER,
        ANSWER.replace("1.9", "3.1"),
        "The edema of the hind paw is seen.",
        "The edema of the fore paw is seen.",
    ]
    rows[3]["figure_id"] = "b/fig2"
    examples = [example(answer, given=given) for answer, given in zip(said, rows, strict=True)]
    gate = Gate(Limits(min_repeated_words=99), counter(None))
    assert len(passed(gate, examples, rows)) == 4


def test_articles_may_repeat_themselves_a_few_times():
    rows = figures(7)
    quotations = [example("Swelling decreased in all mice.", given=one) | {"teacher": "extractive"} for one in rows]
    assert len(passed(gate_of(), quotations, rows)) == Limits().max_figures_a_quotation


def test_captions_are_only_judged_by_what_training_cannot_use():
    gate = gate_of()
    caption = example("Fig. 2. See the text.", question="") | {"task": "align"}
    assert list(gate.passed([caption, caption], [row()])) == [caption, caption]
    assert list(gate.passed([example("–", question="") | {"task": "align"}], [row()])) == []


def test_questions_that_came_with_a_picture_are_taken_as_they_are():
    given = row(questions=[{"task": "detail", "question": "Is Fig. 2 of 5 mm?", "answer": "None"}] * 2)
    examples = list(instruction_examples([given], "detail", Says(None), GENERAL))
    assert list(gate_of().passed(examples, [given])) == examples


def test_what_another_judge_rejects_is_kept_too():
    gate = gate_of()
    gate.reject(example(), Objection("verifier", "contradicted", None))
    assert gate.counts() == {"verifier": 1}
