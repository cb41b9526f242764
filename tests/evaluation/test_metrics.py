import json
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics.degeneration.degeneration_core import has_loop, is_empty
from evaluation.metrics.grounding.grounding_core import find_claims, ground
from evaluation.metrics.hedging.hedging_core import LANGUAGES, count_words, find_hedges, hedging
from evaluation.metrics.hedging.lexicon import CATEGORIES, EXCLUSIONS, LEXICON
from evaluation.metrics.length_ratio.length_ratio_core import length_ratio
from evaluation.metrics.rouge.rouge_core import (
    _ASCII_TOKEN,
    _UNICODE_TOKEN,
    METRICS,
    TOKENIZERS,
    lcs_length,
    rouge,
    tokenize,
)

CASES = Path(__file__).parent / "cases"
TOKENS = ["the", "dose", "of", "a", "tumour", "0.5", "Gy", "TNF-α", "剂", "5μm", "naïve", "_", "—", "A"]
WORDS = st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join)
TEXTS = st.one_of(WORDS, st.text(max_size=40))


def cases(name):
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", cases("rouge"), ids=lambda case: case["name"])
def test_rouge_has_the_known_value(case):
    scores = rouge(case["prediction"], case["reference"], case["tokenizer"])
    values = {name: score.fmeasure for name, score in scores.items()}
    assert values == pytest.approx(case["expected"], abs=case["tolerance"])


@lru_cache
def reference_scorer():
    from rouge_score import rouge_scorer

    return rouge_scorer.RougeScorer(list(METRICS))


@given(TEXTS, TEXTS)
def test_google_tokenizer_is_bit_exact_with_rouge_score(prediction, reference):
    expected = reference_scorer().score(reference, prediction)
    assert {name: tuple(score) for name, score in rouge(prediction, reference, "google").items()} == {
        name: tuple(score) for name, score in expected.items()
    }


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(prediction=TEXTS, reference=TEXTS)
def test_rouge_is_a_share_and_symmetric(tokenizer, prediction, reference):
    there, back = rouge(prediction, reference, tokenizer), rouge(reference, prediction, tokenizer)
    for name in METRICS:
        assert all(0 <= value <= 1 for value in there[name])
        assert there[name].precision == back[name].recall
        assert there[name].fmeasure == pytest.approx(back[name].fmeasure)
    if tokenize(reference, tokenizer):
        assert rouge(reference, reference, tokenizer)["rougeL"] == (1, 1, 1)


@given(st.lists(st.sampled_from("abcde"), max_size=8), st.lists(st.sampled_from("abcde"), max_size=8))
def test_the_longest_common_subsequence_is_the_longest(first, second):
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert lcs_length(first, second) == table[-1][-1]


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_has_the_same_words_by_the_fast_way(text):
    assert _ASCII_TOKEN.findall(text.lower()) == _UNICODE_TOKEN.findall(text.lower())


def test_an_unknown_tokenizer_is_named():
    with pytest.raises(ValueError, match="'moses': choose one of unicode, google"):
        rouge("a", "b", "moses")


@pytest.mark.parametrize("case", cases("hedging"), ids=lambda case: case["text"][:30])
def test_hedges_are_the_listed_ones(case):
    assert [hedge.entry for hedge in find_hedges(case["text"])] == case["expected"]


def test_every_entry_of_the_lexicon_is_found_in_its_category():
    assert len(LANGUAGES) >= 5 and set(EXCLUSIONS) == set(LEXICON)
    for language, categories in LEXICON.items():
        for category, entries in categories.items():
            assert category in CATEGORIES
            for entry in entries:
                sentence = f"5 Gy {entry} 5 Gy" if category == "approximator" or "左" in entry else f"x {entry} y"
                (found,) = find_hedges(sentence, (language,))
                assert (found.category, sentence[found.start : found.end]) == (category, entry)


@given(TEXTS, TEXTS)
def test_hedges_of_two_texts_add_up_and_do_not_overlap(first, second):
    ends = [0, *(hedge.end for hedge in find_hedges(first))]
    assert all(hedge.start >= end for hedge, end in zip(find_hedges(first), ends, strict=False))
    both = hedging([first, second])
    assert both["hedges"] == hedging([first])["hedges"] + hedging([second])["hedges"] == sum(both["by_word"].values())
    assert both["words"] == count_words(first) + count_words(second) and 0 <= both["hedged_share"] <= 1
    assert both == {**hedging([second, first]), "by_word": both["by_word"], "by_category": both["by_category"]}


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match="no hedge lexicon for xx: it has en, de"):
        find_hedges("may", ("en", "xx"))


@pytest.mark.parametrize("case", cases("length_ratio"), ids=lambda case: case["prediction"])
def test_length_ratio_has_the_known_value(case):
    value = length_ratio(case["prediction"], case["reference"])
    assert value == (None if case["expected"] is None else pytest.approx(case["expected"], abs=case["tolerance"]))


@pytest.mark.parametrize("case", cases("grounding"), ids=lambda case: case["name"])
def test_claims_are_grounded_as_expected(case):
    grounded, missing = ground(case["answer"], case["evidence"])
    assert (len(grounded), sorted(claim.value for claim in missing)) == (case["grounded"], case["missing"])


@given(TEXTS, TEXTS)
def test_an_answer_is_grounded_in_itself_and_more_evidence_never_hurts(answer, more):
    assert ground(answer, answer)[1] == set()
    assert ground(answer, more)[0] <= ground(answer, f"{more}\n{answer}")[0] == find_claims(answer)


@pytest.mark.parametrize("case", cases("degeneration"), ids=lambda case: case["text"][:20])
def test_loops_and_empty_answers_are_found(case):
    assert (has_loop(case["text"]), is_empty(case["text"])) == (case["loop"], case["empty"])


@given(st.lists(st.sampled_from(TOKENS), min_size=3, max_size=12), st.integers(3, 6))
def test_what_is_said_three_times_in_a_row_is_a_loop(phrase, copies):
    looped = " ".join(phrase * copies)
    assert has_loop(f"well {looped} end") == (len(hedge_words(looped)) >= 8)


def hedge_words(text):
    return tokenize(text.replace("0.5", "0 5").replace("5μm", "μm"), "unicode")
