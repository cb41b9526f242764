import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.scoring import statistics
from evaluation.scoring.statistics import UNBOUNDED, Estimate, cluster_sums, estimate, estimate_mean
from tests.benchmarks.bench_coverage import CASES, SIZES, coverage

SHARE, COUNT = (0.0, 1.0), (0.0, None)


def articles(n, per_article=1):
    return [f"A{i // per_article}" for i in range(n * per_article)]


def test_without_alike_items_it_is_students_interval_and_test():
    values = np.random.default_rng(1).exponential(size=12)
    found, theirs = estimate_mean(values, articles(12)), stats.ttest_1samp(values, 0)
    interval = theirs.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert found.degrees_of_freedom == pytest.approx(11)


def test_the_standard_error_is_cr2_as_by_its_definition():
    """Bell and McCaffrey 2002 with matrices: residuals of each cluster times (I − H)^(−1/2)."""
    rng = np.random.default_rng(3)
    sizes = [1, 2, 3, 4, 9, 6]
    clusters = np.repeat(np.arange(6), sizes)
    values = rng.normal(size=25) + rng.normal(size=6)[clusters]
    residuals, meat = values - values.mean(), 0.0
    for g, size in enumerate(sizes):
        own = np.eye(size) - np.ones((size, size)) / 25
        roots, vectors = np.linalg.eigh(own)
        adjusted = vectors @ np.diag(roots**-0.5) @ vectors.T @ residuals[clusters == g]
        meat += adjusted.sum() ** 2
    found = estimate_mean(values, [str(g) for g in clusters])
    assert found.standard_error == pytest.approx(np.sqrt(meat) / 25)
    shares = np.array(sizes) / 25
    assert found.degrees_of_freedom == pytest.approx(1 / (shares**2).sum() - 1)


def test_of_equal_articles_only_their_means_count():
    rng = np.random.default_rng(0)
    means, within = rng.normal(size=9), rng.normal(size=(9, 5))
    values = (means[:, None] + within - within.mean(1, keepdims=True)).ravel()
    ours, theirs = estimate_mean(values, articles(9, 5)), estimate_mean(means, articles(9))
    assert (ours.low, ours.high, ours.p_value) == pytest.approx((theirs.low, theirs.high, theirs.p_value))


NUMBERS = st.lists(st.tuples(st.integers(-10, 10), st.integers(0, 11)), min_size=1, max_size=40)


@given(NUMBERS, st.sampled_from([0.0, 0.001, 0.37]))
def test_p_is_below_five_per_cent_exactly_where_zero_is_outside_the_interval(items, shift):
    found = estimate_mean([value + shift for value, _ in items], [f"A{article}" for _, article in items])
    if found.no_interval:
        assert (found.low, found.high, found.p_value, found.standard_error) == (None,) * 4
    else:
        assert found.low < found.value < found.high
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


@given(NUMBERS, st.randoms())
def test_order_and_names_of_articles_do_not_matter_and_the_sign_turns(items, random):
    shuffled = random.sample(items, len(items))
    there = estimate_mean([value for value, _ in items], [f"A{article}" for _, article in items])
    back = estimate_mean([-value for value, _ in shuffled], [f"B{12 - article}" for _, article in shuffled])
    assert back.no_interval == there.no_interval
    assert back.value == pytest.approx(-there.value)
    if there.low is not None:
        assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
        assert back.p_value == pytest.approx(there.p_value)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=40))
def test_an_interval_of_a_share_or_a_count_never_leaves_what_there_can_be(items):
    clusters = [f"A{article}" for _, article in items]
    share = estimate_mean([value / 4 for value, _ in items], clusters, SHARE)
    points = estimate_mean([value * 2.5 for value, _ in items], clusters, (0.0, 10.0))
    count = estimate_mean([value for value, _ in items], clusters, COUNT)
    assert share.p_value is None
    if share.low is not None:
        assert 0 <= share.low < share.value < share.high <= 1
        assert 0 < count.low < count.value < count.high
        assert (points.low, points.high) == pytest.approx((10 * share.low, 10 * share.high))


@pytest.mark.parametrize("n_articles", [1, 2, 4])
def test_few_articles_have_no_interval_whatever_the_number_of_answers(n_articles):
    values = np.random.default_rng(0).normal(5, 1, size=50 * n_articles)
    found = estimate_mean(values, articles(n_articles, 50))
    plural = "s" if n_articles > 1 else ""
    reason = f"{n_articles} article{plural}, and an interval needs 5"
    assert found == Estimate(pytest.approx(values.mean()), no_interval=reason)
    assert estimate_mean(values, articles(50 * n_articles)).low is not None


def test_articles_without_a_score_are_none():
    sums = np.array([[3.0, 4.0], [1.0, 2.0], [2.0, 3.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    assert estimate(sums, statistics.ratio, sums[:, 1]).no_interval == "4 articles, and an interval needs 5"


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        ([0] * 24, SHARE),  # a rate that never varies
        ([1] * 24, SHARE),
        ([0.1] * 24, UNBOUNDED),  # equal differences, not the same in floats once summed
        ([1 / 3] * 24, UNBOUNDED),
        ([0, 0, 1, 1] * 6, SHARE),  # varies within, but not between articles
        ([300.1] * 24, COUNT),
    ],
)
def test_what_is_the_same_in_every_article_has_no_interval(values, bounds):
    found = estimate_mean(values, articles(6, 4), bounds)
    assert found.value == pytest.approx(np.mean(values))
    assert (found.low, found.high, found.p_value) == (None, None, None)
    assert found.no_interval.startswith("it is the same in every article")


@pytest.mark.parametrize("change", [1e-6, -1e-6])
def test_a_small_difference_between_articles_is_one(change):
    values = [0.1] * 24
    values[5] += change
    assert estimate_mean(values, articles(6, 4)).low is not None


def test_an_article_with_nearly_all_answers_is_no_sample():
    rng = np.random.default_rng(0)
    for n_of_large, reason in ((10, None), (90, "one of 10 articles holds 83% of what is measured")):
        clusters = ["large"] * n_of_large + [f"A{i // 2}" for i in range(18)]
        assert estimate_mean(rng.normal(size=len(clusters)), clusters).no_interval == reason


def test_a_ratio_that_one_article_alone_makes_has_no_interval():
    sums = np.array([[1.0, 3.0, 2.0, 4.0]] + [[1.0, 2.0, 0.0, 0.0]] * 8)
    found = estimate(sums, lambda s: statistics.ratio(s[..., 2:]) - statistics.ratio(s[..., :2]), np.ones(9))
    assert found.no_interval.startswith("it rests on one article")


def test_nothing_scored_is_no_number():
    found = estimate(np.zeros((7, 2)), statistics.ratio, np.zeros(7))
    assert (found.value, found.no_interval) == (None, "there is nothing to measure it on")


def test_sums_are_those_of_each_article():
    values, clusters = np.arange(12.0).reshape(6, 2), ["B", "A", "B", "C", "A", "B"]
    assert cluster_sums(values, clusters).tolist() == [[2 + 8, 3 + 9], [0 + 4 + 10, 1 + 5 + 11], [6, 7]]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("n_articles", [5, 10])
def test_the_intervals_hold_the_truth_as_often_as_they_say(case, sizes, n_articles):
    """400 draws: 0.93 to 0.98, and two and a half standard errors of such a share below and above."""
    found = coverage(case, sizes, n_articles, n_draws=400, seed=7)
    assert 0.93 - 0.032 <= found.covered <= 0.98 + 0.0175
