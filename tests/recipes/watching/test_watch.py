"""Answers while a run trains: which questions, what is written and logged, and that the training does not notice."""

import json
import random

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import AutoConfig

from evaluation.metrics.rouge.rouge_core import rouge
from recipes import sft
from recipes.families.family import Limits
from recipes.families.llava import LLAVA
from recipes.training.examples import ExampleCollator
from recipes.training.model import load_processor
from recipes.watching.answers import scores, undisturbed
from recipes.watching.questions import draw
from recipes.watching.trackers import table
from recipes.watching.watch import FILE, keep
from tests.recipes.conftest import example, options, tensors
from trust.checkpoints import open_checkpoint
from trust.pictures.stored import as_stored

EVAL = {"eval_strategy": "steps", "eval_steps": 2, "max_steps": 4, "lora_dropout": 0.1}
NAMES = {"eval_answer_rougeL", "eval_answer_length_ratio", "eval_answer_picture_gap"}


def samples_of(folder):
    return [json.loads(line) for line in (folder / FILE).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def watched_run(phase1, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched") / "run"
    changes = {"report_to": "tensorboard", "save_strategy": "steps", "save_steps": 4}
    sft.main(options(2, phase1, dataset, folder, **EVAL, **changes))
    return folder


def test_the_weights_are_those_of_a_run_without_it(watched_run, phase1, dataset, tmp_path):
    """With dropout, whose random numbers an answer must not use up."""
    sft.main(options(2, phase1, dataset, tmp_path / "run", **EVAL, eval_questions=0))
    with_it, without = tensors(watched_run), tensors(tmp_path / "run")
    assert set(with_it) == set(without)
    assert all(torch.equal(with_it[name], without[name]) for name in without)
    assert not (tmp_path / "run" / FILE).exists()
    sft.main(options(2, phase1, dataset, watched_run, **EVAL, eval_questions=2))  # it is the same run, and finished


def test_every_evaluation_answers_the_same_questions(watched_run):
    samples = samples_of(watched_run)
    asked = {step: [s["example_id"] for s in samples if s["step"] == step] for step in (2, 4)}
    assert len(samples) == 16
    assert asked[2] == asked[4]
    assert len(set(asked[2])) == 8  # all there are: config `instruct` has four details and four reasonings
    for sample in samples:
        assert sample["rougeL"] == rouge(sample["answer"], sample["reference"])["rougeL"].fmeasure
        assert sample["shuffled_from"].split("/")[0] != sample["example_id"].split("/")[0]  # another figure
        assert sample["answer_shuffled"] is not None


def test_the_scores_are_in_the_log_and_the_tracker(watched_run):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    samples = samples_of(watched_run)
    state = json.loads((watched_run / "checkpoint-4" / "trainer_state.json").read_text())
    logged = {log["step"]: log for log in state["log_history"] if log.keys() >= NAMES}
    assert sorted(logged) == [2, 4]
    for step, log in logged.items():
        assert {name: log[name] for name in NAMES} == scores([s for s in samples if s["step"] == step])
    (folder,) = (watched_run / "runs").iterdir()
    events = EventAccumulator(str(folder), size_guidance={"images": 0}).Reload()
    assert [event.step for event in events.Scalars("eval/answer_rougeL")] == [2, 4]
    assert len([tag for tag in events.Tags()["images"] if tag.startswith("eval/answers/")]) == 8
    assert any("eval/answers" in tag for tag in events.Tags()["tensors"])


# --- which questions


@pytest.fixture(scope="module")
def collator(base):
    config = AutoConfig.from_pretrained(base)
    return ExampleCollator(load_processor(open_checkpoint(str(base)), config, LLAVA.chat_template, Limits()), LLAVA)


def rows_of(numbers, **changes):
    return as_stored(Dataset.from_list([example(number, "detail") | changes for number in numbers]))


def test_the_order_of_the_rows_does_not_matter(collator):
    forth, back = (draw(rows_of(numbers), 3, collator) for numbers in (range(12), reversed(range(12))))
    assert [question.name for question in forth] == [question.name for question in back]
    assert [question.others_of for question in forth] == [question.others_of for question in back]
    more = draw(rows_of(range(12)), 5, collator)
    assert [question.name for question in more[:3]] == [question.name for question in forth]


@pytest.mark.parametrize(("number", "found"), [(0, 0), (1, 1), (4, 4), (9, 4)])
def test_no_more_questions_than_there_are(collator, number, found):
    watched = draw(rows_of(range(4)), number, collator)
    assert len(watched) == found
    assert all((question.others is None) == (found == 1) for question in watched)


def test_rows_without_a_picture_are_not_asked_and_one_picture_for_all_gives_no_gap(collator):
    assert draw(rows_of(range(4), images=[]), 8, collator) == []
    picture = example(0, "detail")["images"]
    watched = draw(rows_of(range(4), images=picture), 8, collator)
    assert [question.others for question in watched] == [None] * 4


def test_the_prompt_ends_where_the_answer_begins(collator):
    (question,) = draw(rows_of([0]), 1, collator)
    assert question.prompt.endswith("ASSISTANT:")
    assert question.reference not in question.prompt
    assert question.ending == "</s>"


# --- what becomes of the answers


def sample(step, rouge_l, shuffled=None, ratio=1.0):
    row = {"step": step, "example_id": "1/detail", "question": "Why?", "reference": "So.", "answer": "a|b\n<img>"}
    return row | {
        "rougeL": rouge_l,
        "length_ratio": ratio,
        "shuffled_from": None,
        "answer_shuffled": None,
        "rougeL_shuffled": shuffled,
    }


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        ([sample(1, 0.5, 0.25, 2.0), sample(1, 0.7, 0.25, None)], (0.6, 2.0, 0.35)),
        ([sample(1, 0.5), sample(1, 0.7, 0.9)], (0.6, 1.0, -0.2)),  # the gap over those that have both
        ([sample(1, 0.5)], (0.5, 1.0, None)),
        ([sample(1, 0.5, ratio=None)], (0.5, None, None)),
    ],
)
def test_scores_are_means_over_what_is_there(samples, found):
    names = ("eval_answer_rougeL", "eval_answer_length_ratio", "eval_answer_picture_gap")
    assert scores(samples) == {name: value for name, value in zip(names, found, strict=True) if value is not None}


def test_a_run_that_goes_on_writes_no_step_twice(tmp_path):
    path = tmp_path / FILE
    for step in (2, 4, 6):
        keep(path, [sample(step, 0.1)], step)
    keep(path, [sample(4, 0.2)], 4)  # killed after step 6, gone on from checkpoint 3
    assert [(row["step"], row["rougeL"]) for row in samples_of(tmp_path)] == [(2, 0.1), (4, 0.2)]


def test_no_text_breaks_out_of_the_table():
    lines = table([sample(1, 0.5)]).splitlines()
    assert len(lines) == 3
    assert "a\\|b &lt;img>" in lines[2]


def test_afterwards_modes_and_random_numbers_are_as_before():
    model = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(2, 2))
    model.train()
    model[0].eval()  # a part that is frozen stays so
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    expected = (torch.rand(1).item(), random.random(), np.random.rand())
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    with undisturbed(model):
        assert not model.training
        assert not torch.is_grad_enabled()
        torch.rand(5), random.random(), np.random.rand()
    assert (model.training, model[0].training, model[1].training) == (True, False, True)
    assert torch.is_grad_enabled()
    assert (torch.rand(1).item(), random.random(), np.random.rand()) == expected
