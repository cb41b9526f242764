"""Which lines of a card are held against the results, and which a person may write."""

import pytest

from verification.card import check_card

CARD = """---
license: mit
model-index:
- name: m
  results:
  - task: {name: all}
    dataset: {name: d, type: d}
    metrics:
    - {type: rougeL, value: 0.25}
---

# m

Of 16 questions.

## Result

| a | 0.250 |
| b | −1.500 |

| metric | base | tuned |
| --- | --- | --- |
| Hedged, share | 0.5 | 0.1 |

```text
question:  On which side?
tuned:     On the left.
```

## Limits

- Not for clinical use.
"""


def outcome(card: str) -> dict[str, str]:
    return {check.what.split(":")[1].strip(): check.verdict for check in check_card(card, CARD)}


HOLDS = {"each number of `model-index`": "holds", "each number in tables and text": "holds"}


@pytest.mark.parametrize(
    "card",
    [
        CARD,
        CARD.replace("\n", "\r\n"),
        CARD.replace("Not for clinical use", "Never for patients"),
        CARD + "\nThanks to all.\n",
        CARD.replace("0.25}", "0.2500000001}"),  # rounding
        CARD.replace("- Not for clinical use.\n", ""),
    ],
)
def test_words_are_the_authors_own(card):
    assert outcome(card) == HOLDS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.250 |", "0.251 |"),
        ("−1.500", "1.500"),
        ("Of 16", "Of 61"),
        ("| b | −1.500 |", "| b | −1.500 | better by 3 |"),
    ],
)
def test_another_number_does_not_hold_wherever_it_stands(old, new):
    (check,) = [check for check in check_card(CARD.replace(old, new), CARD) if "tables" in check.what]
    assert check.verdict == "does not hold"
    assert new.strip("| ") in check.found[0]


def test_rows_that_changed_places_do_not_hold():
    swapped = CARD.replace("0.250", "?").replace("−1.500", "0.250").replace("?", "−1.500")
    assert outcome(swapped)["each number in tables and text"] == "does not hold"


@pytest.mark.parametrize("value", ["0.26", "'0.25'", "null"])
def test_the_index_is_held_number_by_number(value):
    (check, *_) = check_card(CARD.replace("value: 0.25", f"value: {value}"), CARD)
    assert check.verdict == "does not hold"
    assert "rougeL, all, d, d" in check.found[0]


@pytest.mark.parametrize("new", ["- {type: rougeL, value: 0.25}\n    - {type: f1, value: 1}", ""])
def test_the_index_has_no_more_and_no_less(new):
    card = CARD.replace("- {type: rougeL, value: 0.25}", new)
    assert check_card(card, CARD)[0].verdict == "does not hold"


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (CARD + "\nOthers report 99.9.\n", "99.9"),
        (CARD.replace("| a | 0.250 |\n", ""), "left out: '| a | 0.250 |'"),
        (CARD.replace("license: mit", "license: apache-2.0"), "license: 'apache-2.0'"),
    ],
)
def test_numbers_and_keys_that_the_results_do_not_give_are_listed_and_not_vouched_for(card, said):
    (check,) = [check for check in check_card(card, CARD) if check.verdict == "not checked"]
    assert said in check.found[0]
    assert not [check for check in check_card(card, CARD) if check.verdict == "does not hold"]


def test_broken_front_matter_is_one_line():
    with pytest.raises(ValueError, match="its front matter is no YAML"):
        check_card(CARD.replace("license: mit", "license: [mit"), CARD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| Hedged, share |", "| Right answers, share |"),
        ("| metric | base | tuned |", "| metric | tuned | base |"),
        ("On the left.", "On the right."),
    ],
)
def test_tables_and_examples_are_held_word_by_word(old, new):
    (check,) = [check for check in check_card(CARD.replace(old, new), CARD) if "tables" in check.what]
    assert check.verdict == "does not hold"
    assert new.strip("| ") in check.found[0]


def test_a_sentence_with_its_number_and_other_words_is_listed():
    (check,) = [one for one in check_card(CARD.replace("16 questions", "16 patients"), CARD) if "16" in str(one.found)]
    assert check.verdict == "not checked"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value: 0.25}", "value: 0.25, name: Accuracy}", "name"),
        ("value: 0.25}", "value: 0.25, verified: true}", "verified"),
        ("    - {type: rougeL", "    - {type: rougeL, value: 0.9}\n    - {type: rougeL", "once more"),
        (
            "- name: m",
            "- name: n\n  results: [{task: {}, dataset: {}, metrics: [{type: f1, value: 1}]}]\n- name: m",
            "f1",
        ),
    ],
)
def test_the_index_says_nothing_else(old, new, said):
    (check, *_) = check_card(CARD.replace(old, new), CARD)
    assert check.verdict == "does not hold"
    assert said in " ".join(check.found)
