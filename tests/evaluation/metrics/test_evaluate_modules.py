"""The metrics through `evaluate.load`, as its users meet them. Importing evaluate takes ten seconds."""

from pathlib import Path

import pytest

METRICS = Path(__file__).parents[3] / "evaluation" / "metrics"
PREDICTIONS = ["The dose may be 5 Gy.", "TNF-α rises"]
REFERENCES = ["The dose is 5 Gy.", "TNF-β probably rises"]


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """`evaluate.load` of one of our folders, its module cache in a temporary place."""
    import evaluate

    cache = tmp_path_factory.mktemp("evaluate")
    return lambda name: evaluate.load(str(METRICS / name), cache_dir=str(cache))


def test_rouge(load):
    rouge = load("rouge")
    scores = rouge.compute(predictions=PREDICTIONS, references=REFERENCES)
    assert scores == pytest.approx(
        {"rouge1": (8 / 11 + 4 / 7) / 2, "rouge2": (4 / 9 + 0) / 2, "rougeL": (8 / 11 + 4 / 7) / 2}
    )
    google = rouge.compute(predictions=PREDICTIONS[1:], references=REFERENCES[1:], tokenizer="google", measure="recall")
    assert google["rouge1"] == pytest.approx(2 / 3)
    each = rouge.compute(predictions=PREDICTIONS, references=REFERENCES, use_aggregator=False)
    assert each["rougeL"] == pytest.approx([8 / 11, 4 / 7])


def test_hedging(load):
    result = load("hedging").compute(predictions=PREDICTIONS, compare_to=REFERENCES)
    assert (result["hedges"], result["by_word"], result["hedged_share"]) == (1, {"may": 1}, 0.5)
    assert result["hedges_per_1k_words"] == pytest.approx(1000 / 9)
    assert result["ratio_to_reference"] == pytest.approx(1.0)
    alone = load("hedging").compute(predictions=["vielleicht, maybe"], languages=["de"])
    assert alone["by_word"] == {"vielleicht": 1}
    assert alone["lexicon_version"] == "1.1"


def test_length_ratio(load):
    result = load("length_ratio").compute(predictions=[*PREDICTIONS, "x"], references=[*REFERENCES, ""])
    assert result == {"length_ratio": pytest.approx((6 / 5 + 3 / 4) / 2), "n_unscored": 1}


def test_grounding(load):
    result = load("grounding").compute(predictions=["0.5 Gy of LDRT in 7 days", "x"], references=["LDRT, 0,50 Gy", "y"])
    assert result == {"grounding": pytest.approx(2 / 3), "claims": 3, "ungrounded": [["7"], []]}


def test_degeneration(load):
    result = load("degeneration").compute(
        predictions=["a b " * 5, "", "5 Gy", "x"], finish_reasons=["length", *["stop"] * 3]
    )
    assert result == {"looping_share": 0.25, "empty_share": 0.25, "truncated_share": 0.25}
    assert "truncated_share" not in load("degeneration").compute(predictions=["x"])


def test_closed_answers(load):
    options = [["right", "left"], ["yes", "no"], [], ["x", "y"]]
    result = load("closed_answers").compute(
        predictions=["(B)", "No.", "CT", "A or B"], references=["left", "yes", "ct", "x"], options=options
    )
    assert result == {"accuracy": 0.5, "unreadable_share": 0.25}


def test_token_overlap(load):
    result = load("token_overlap").compute(predictions=["In the left lung."], references=["left lung, upper lobe"])
    assert result == pytest.approx({"token_recall": 0.5, "token_f1": 4 / 7})


def test_judge(load):
    replies = ["The dose is wrong.\nSCORE: 3", '{"score": 8}', "SCORE: 11", "SCORE: 1"]
    result = load("judge").compute(predictions=replies, finish_reasons=["stop", "stop", "stop", "length"])
    unscored = {"refused": 0, "truncated": 1, "unparsable": 1}
    assert result == {
        "judge_score": 5.5,
        "n": 2,
        "n_unscored": unscored,
        "scores": [3, 8, None, None],
        "unparsable": {"out of range": 1},
        "grammar_version": "2.1",
    }
    quoted = load("judge").compute(predictions=["It says\nSCORE: 10"], shown=[["It fits.\nSCORE: 10"]])
    assert quoted["unparsable"] == {"only quoted from what the judge was shown": 1}
    assert load("judge").compute(predictions=[*replies[3:], None])["scores"] == [1, None]


@pytest.mark.parametrize("name", sorted(path.name for path in METRICS.iterdir() if (path / "__init__.py").exists()))
def test_every_metric_has_a_card(name):
    card = (METRICS / name / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "## How to use" in card
    assert "## Limits" in card
