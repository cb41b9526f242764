import json
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics.closed_answers.closed_core import chosen, is_right
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
from evaluation.metrics.token_overlap.overlap_core import overlap

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


SENTENCES = st.sampled_from(
    [
        "Low-dose radiation therapy (LDRT; 0.5–1.0 Gy in ≤ 6 fractions) reduced pain by 37.5%, p < 0.001.",
        "Fig. 2B: TNF-α and IL-1β fell (n=12), whereas IL-10 rose; error bars are ±SD.",
        "The patient's 3'-phosphate signal in the T2-weighted MRI wasn't co-registered.",
        "ÉTUDE: la dose de 5\xa0Gy naïve; İstanbul, straße, ﬁbrosis, 10⁵ cells/mL.",
        "10.1016/j.ijrobp.2020.05.012 — see http://example.org/a_b?c=1&d=2",
        "低剂量照射 5 Gy 后，炎症减轻。",
    ]
)


@settings(max_examples=40)
@given(st.lists(SENTENCES, min_size=3, max_size=12), st.randoms())
def test_google_tokenizer_is_bit_exact_on_long_texts_as_articles_have_them(sentences, random):
    words = " ".join(sentences).split(" ")
    edited = [word if random.random() < 0.8 else random.choice(words) for word in words if random.random() < 0.9]
    prediction, reference = "\n".join(" ".join(edited).split(". ")), " ".join(words)
    expected = reference_scorer().score(reference, prediction)
    assert rouge(prediction, reference, "google") == {name: tuple(expected[name]) for name in METRICS}


@given(WORDS, WORDS, st.randoms())
def test_order_matters_to_pairs_and_sequences_but_not_to_words(prediction, reference, random):
    words = prediction.split()
    shuffled = " ".join(random.sample(words, len(words)))
    assert rouge(prediction, reference)["rouge1"] == rouge(shuffled, reference)["rouge1"]
    scores = rouge(prediction, reference)
    assert scores["rougeL"].fmeasure <= scores["rouge1"].fmeasure


def test_an_unknown_tokenizer_is_named():
    with pytest.raises(ValueError, match="'moses': choose one of unicode, google"):
        rouge("a", "b", "moses")


@pytest.mark.parametrize("case", cases("hedging"), ids=lambda case: case["text"][:30])
def test_hedges_are_the_listed_ones(case):
    assert [hedge.entry for hedge in find_hedges(case["text"])] == case["expected"]


def test_every_entry_of_the_lexicon_is_found_in_its_category():
    assert len(LANGUAGES) >= 5
    assert set(EXCLUSIONS) == set(LEXICON)
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
    assert both["words"] == count_words(first) + count_words(second)
    assert 0 <= both["hedged_share"] <= 1
    assert both == {**hedging([second, first]), "by_word": both["by_word"], "by_category": both["by_category"]}
    assert both["hedges"] <= both["words"]
    assert sum(both["by_category"].values()) == both["hedges"]


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match="no hedge lexicon for xx: it has en, de"):
        find_hedges("may", ("en", "xx"))


@pytest.mark.parametrize("case", cases("length_ratio"), ids=lambda case: case["prediction"])
def test_length_ratio_has_the_known_value(case):
    value = length_ratio(case["prediction"], case["reference"])
    assert value == (None if case["expected"] is None else pytest.approx(case["expected"], abs=case["tolerance"]))


@given(TEXTS, TEXTS)
def test_length_ratios_there_and_back_are_reciprocal(first, second):
    there, back = length_ratio(first, second), length_ratio(second, first)
    assert (there is None) == (length_ratio(second, second) is None)
    if there and back:
        assert there > 0
        assert there * back == pytest.approx(1)
    if there is not None:
        assert length_ratio(second, second) == 1
        assert length_ratio(f"{first} {second}", second) == pytest.approx(there + 1)


@pytest.mark.parametrize("case", cases("grounding"), ids=lambda case: case["name"])
def test_claims_are_grounded_as_expected(case):
    grounded, missing = ground(case["answer"], case["evidence"])
    assert (len(grounded), sorted(claim.value for claim in missing)) == (case["grounded"], case["missing"])


@given(TEXTS, TEXTS)
def test_an_answer_is_grounded_in_itself_and_more_evidence_never_hurts(answer, more):
    assert ground(answer, answer)[1] == set()
    assert ground(answer, more)[0] <= ground(answer, f"{more}\n{answer}")[0] == find_claims(answer)


@given(st.lists(SENTENCES, max_size=6), st.randoms())
def test_claims_do_not_depend_on_the_order_of_sentences(sentences, random):
    each = set().union(*map(find_claims, sentences))
    assert find_claims("\n; ".join(random.sample(sentences, len(sentences)))) == each


@pytest.mark.parametrize("case", cases("degeneration"), ids=lambda case: case["text"][:20])
def test_loops_and_empty_answers_are_found(case):
    assert (has_loop(case["text"]), is_empty(case["text"])) == (case["loop"], case["empty"])


@given(st.lists(st.sampled_from(TOKENS), min_size=3, max_size=12), st.integers(3, 6))
def test_what_is_said_three_times_in_a_row_is_a_loop(phrase, copies):
    looped = " ".join(phrase * copies)
    assert has_loop(f"well {looped} end") == (len(hedge_words(looped)) >= 8)


@given(TEXTS)
def test_words_that_all_differ_are_no_loop_and_a_loop_stays_one_in_a_longer_text(text):
    assert not has_loop(" ".join(dict.fromkeys(hedge_words(text))))
    assert has_loop(f"{text} left and right {'of the curve ' * 4} {text}")
    assert is_empty(text) == (count_words(text) == 0)


def hedge_words(text):
    return tokenize(text.replace("0.5", "0 5").replace("5μm", "μm"), "unicode")


@pytest.mark.parametrize("case", cases("closed_answers"), ids=lambda case: repr(case["reply"]))
def test_a_closed_answer_names_one_option_or_none(case):
    assert chosen(case["reply"], case["options"]) == case["index"]


@given(TEXTS, st.lists(st.text("ab ", min_size=1), min_size=2, max_size=5))
def test_any_reply_to_a_closed_question_is_an_option_or_none(reply, options):
    assert chosen(reply, options) in (None, *range(len(options)))


@pytest.mark.parametrize("letters", ["AB", "BC", "AD", "CA"])
@pytest.mark.parametrize("form", ["{} or {}", "{}, {}", "({}) and ({})", "{}. {}", "{} {}", "Answer: {}\n{}", "{}/{}"])
def test_two_letters_are_never_guessed(letters, form):
    assert chosen(form.format(*letters), ["liver", "heart", "lung", "spleen"]) is None


def test_without_options_the_reply_is_the_reference():
    assert is_right("The CT.", "CT", None)
    assert not is_right("CT or MRI", "CT", None)
    assert is_right("A or B", "x", ["x", "y"]) is None


@pytest.mark.parametrize("case", cases("token_overlap"), ids=lambda case: case["name"])
def test_token_overlap_has_the_known_value(case):
    found = overlap(case["prediction"], case["reference"])
    assert (found.recall, found.f1) == pytest.approx((case["recall"], case["f1"]))


@given(TEXTS, TEXTS)
def test_token_overlap_is_as_the_script_counts(prediction, reference):
    """By the definition in LLaVA-Med's script: words of both as often as the answer has them, then those of one."""
    from evaluation.metrics.token_overlap.overlap_core import tokens

    said, wanted = tokens(prediction), tokens(reference)
    shared = sum(word in wanted for word in said)
    missed = sum(word not in said for word in wanted)
    found = overlap(prediction, reference)
    assert found.precision == pytest.approx(shared / len(said) if shared else 0)
    assert found.recall == pytest.approx(shared / (shared + missed) if shared else 0)
