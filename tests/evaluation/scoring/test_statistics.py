import numpy as np
import pytest
from scipy import stats

from evaluation.scoring import statistics


def test_the_interval_is_scipys_where_every_item_is_its_own_article():
    values = np.random.default_rng(1).exponential(size=80)
    sums = statistics.cluster_sums(np.column_stack([values, np.ones(80)]), [f"A{i}" for i in range(80)])
    totals = statistics.bootstrap(sums, 20_000)
    low, high = statistics.interval(totals[:, 0] / totals[:, 1])
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=2).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.012)


@pytest.mark.parametrize("n_articles", [9, 40])
def test_the_p_value_is_scipys_sign_flip_test(n_articles):
    rng = np.random.default_rng(n_articles)
    base, tuned = rng.normal(size=n_articles), rng.normal(0.35, size=n_articles)
    p_value = statistics.sign_flip_p_value(tuned - base, statistics.sign_flips(n_articles, 20_000))
    theirs = stats.permutation_test((tuned - base,), np.mean, permutation_type="samples", n_resamples=20_000, rng=0)
    assert p_value == pytest.approx(theirs.pvalue, abs=1e-9 if n_articles <= statistics.EXACT_CLUSTERS else 0.012)


def test_ninety_five_of_a_hundred_intervals_hold_the_truth_when_items_of_an_article_are_alike():
    rng, held, held_if_independent = np.random.default_rng(0), 0, 0
    articles = [f"A{i // 5}" for i in range(250)]
    for _ in range(200):
        values = np.repeat(rng.normal(size=50), 5) + 0.3 * rng.normal(size=250)
        columns = np.column_stack([values, np.ones(250)])
        for clusters in (articles, [str(i) for i in range(250)]):
            totals = statistics.bootstrap(statistics.cluster_sums(columns, clusters), 400)
            low, high = statistics.interval(totals[:, 0] / totals[:, 1])
            if clusters is articles:
                held += low <= 0 <= high
            else:
                held_if_independent += low <= 0 <= high
    assert 0.90 <= held / 200 <= 0.98
    assert held_if_independent / 200 < 0.75


def test_numbers_are_the_same_every_time_and_other_with_another_seed():
    sums = np.random.default_rng(0).normal(size=(20, 3))
    assert np.array_equal(statistics.bootstrap(sums, 1_500, 7), statistics.bootstrap(sums, 1_500, 7))
    assert not np.array_equal(statistics.bootstrap(sums, 100, 7), statistics.bootstrap(sums, 100, 8))


def test_order_of_items_does_not_matter():
    values, articles = np.random.default_rng(0).normal(size=(30, 2)), [f"A{i % 7}" for i in range(30)]
    order = np.random.default_rng(1).permutation(30)
    shuffled = statistics.cluster_sums(values[order], [articles[i] for i in order])
    assert shuffled == pytest.approx(statistics.cluster_sums(values, articles))


def test_the_bootstrap_p_value_agrees_with_the_interval():
    rng = np.random.default_rng(0)
    assert statistics.bootstrap_p_value(rng.normal(1.96, 1, 100_000)) == pytest.approx(0.05, abs=0.003)
    assert statistics.bootstrap_p_value(np.zeros(99)) == 1
    assert statistics.bootstrap_p_value(np.array([np.nan])) is None


def test_one_article_has_no_interval():
    assert statistics.interval(statistics.bootstrap(np.array([[3.0, 1.0]]))[:, 0]) == (None, None)
    assert statistics.sign_flip_p_value(np.array([float("nan")]), statistics.sign_flips(1)) is None


def test_five_of_a_hundred_p_values_are_below_five_per_cent_where_there_is_no_difference():
    rng, flips = np.random.default_rng(0), statistics.sign_flips(40, 1_000)
    p_values = []
    for _ in range(300):
        differences = np.repeat(rng.normal(size=40), 3) + rng.normal(size=120)  # three figures of one article are alike
        sums = statistics.cluster_sums(differences[:, None], [f"A{i // 3}" for i in range(120)])
        p_values.append(statistics.sign_flip_p_value(sums[:, 0], flips))
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(np.array(p_values) < 0.5) == pytest.approx(0.5, abs=0.09)
