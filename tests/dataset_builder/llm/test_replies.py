"""Reading a model's reply: what is forgiven, and what is never guessed."""

import json

import pytest

from dataset_builder.llm.replies import answer_of, error_reason, only_object

KEYS = ("question", "answer")
VALUE = {"question": "Why?", "answer": 'Because {x}, ] of "y", then 5,}'}
TEXT = json.dumps(VALUE)


@pytest.mark.parametrize(
    "reply",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}\n```\nI hope that helps.",
        f'Here {{it}} is, 5" tall: {TEXT} Anything else?',
        f"<think>First {{}} I try {json.dumps(VALUE | {'answer': 'a draft'})}.</think>\n{TEXT}",
        f"a template began the thought, so it only ends</think>{TEXT}",
        f"{TEXT}\n\nAgain:\n{TEXT}",
        json.dumps(VALUE, indent=1).replace('5,}"', '5,}",').replace("\n}", "\n}"),
        "[" + TEXT[:-1] + ", \n},]",
        '{"note": 1} ' + TEXT,
    ],
)
def test_one_object_is_found_as_it_is(reply):
    assert only_object(reply, KEYS) == VALUE


def test_line_ends_within_a_string_are_kept():
    assert only_object('{"question": "a", "answer": "b\nc"}', KEYS) == {"question": "a", "answer": "b\nc"}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("I would rather not.", "no JSON object"),
        ("", "no JSON object"),
        (TEXT[:-1], "no JSON object"),
        ('{"question": "Why?"}', "no JSON object"),
        ("{'question': 'a', 'answer': 'b'}", "no JSON object"),
        ('{"question": "a", "answer": "says "b" to c"}', "no JSON object"),
        (f"<think>{TEXT}", "no JSON object"),
        (f"{TEXT} or rather {json.dumps(VALUE | {'answer': 'no'})}", "several JSON objects"),
        ('{"question": "a", "answer": "b", "answer": "c"}', "twice"),
    ],
)
def test_what_is_in_doubt_is_no_answer(reply, reason):
    with pytest.raises(ValueError, match=reason):
        only_object(reply, KEYS)


def test_a_hostile_reply_costs_no_more_than_its_length():
    with pytest.raises((ValueError, RecursionError)):
        only_object('{"a":' * 2000 + ",}", KEYS)


def test_thoughts_are_no_answer():
    assert answer_of("<think>a</think>b") == "b"
    assert answer_of("<think>a") == ""
    assert answer_of("I think </i> b") == "I think </i> b"


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"message": "no such\\n model", "code": 3}}',
        '{"object": "error", "message": "no such model"}',
        '{"detail": "no such model"}',
        '{"error": "no such model"}',
        "no such model",
    ],
)
def test_the_reason_of_a_refusal_is_one_line(text):
    assert error_reason(text) == "no such model"
