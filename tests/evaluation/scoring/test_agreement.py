import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluation.scoring import agreement

# Krippendorff 2011, section C: four observers, twelve units.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
SCORES = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=40)


def test_krippendorffs_own_example():
    assert agreement.krippendorff_alpha(OBSERVERS) == pytest.approx(0.815, abs=5e-4)


RATINGS = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=6, max_size=6), min_size=2, max_size=4)


@given(RATINGS, st.randoms())
def test_alpha_is_its_definition_for_any_ratings_raters_and_order(ratings, random):
    alpha = agreement.krippendorff_alpha(ratings)
    expected = alpha_by_definition(ratings)
    assert alpha == (None if expected is None else pytest.approx(expected))
    items = random.sample(range(6), 6)
    shuffled = [[rater[i] for i in items] for rater in random.sample(ratings, len(ratings))]
    assert agreement.krippendorff_alpha(shuffled) == (None if alpha is None else pytest.approx(alpha))


def alpha_by_definition(ratings):
    """1 − mean distance of two ratings of one item / mean distance of any two ratings, all pairs written out."""
    units = [[value for value in unit if value is not None] for unit in zip(*ratings, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]

    def distance(a, b):
        low, high = min(a, b), max(a, b)
        between = sum(low <= value <= high for value in values)
        return (between - (values.count(low) + values.count(high)) / 2) ** 2

    of_units = sum(
        distance(a, b) / (len(unit) - 1)
        for unit in units
        for i, a in enumerate(unit)
        for j, b in enumerate(unit)
        if i != j
    )
    of_all = sum(distance(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j)
    return 1 - of_units * (len(values) - 1) / of_all if of_all else None


def test_raters_who_always_agree_or_cannot_be_compared():
    assert agreement.krippendorff_alpha([[1, 2, 3], [1, 2, 3]]) == pytest.approx(1)
    assert agreement.krippendorff_alpha([[1, None], [None, 2]]) is None
    assert agreement.krippendorff_alpha([[4, 4], [4, 4]]) is None
    assert agreement.weighted_kappa([3, 3], [3, 3]) is None


def test_weighted_kappa_by_hand():
    # 2 × 2, observed agreement 0.7, by chance 0.5: with two values quadratic weights are plain kappa.
    first, second = [0] * 20 + [0] * 5 + [1] * 10 + [1] * 15, [0] * 20 + [1] * 5 + [0] * 10 + [1] * 15
    assert agreement.weighted_kappa(first, second, 0, 1) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="rated 0 to 10"):
        agreement.weighted_kappa([11], [1])


@given(SCORES)
def test_weighted_kappa_is_its_definition_and_symmetric(pairs):
    first, second = (list(scores) for scores in zip(*pairs, strict=True))
    observed = sum((a - b) ** 2 for a, b in pairs) / len(pairs)
    by_chance = sum((a - b) ** 2 for a in first for b in second) / len(pairs) ** 2
    expected = None if by_chance == 0 else pytest.approx(1 - observed / by_chance)
    assert agreement.weighted_kappa(first, second) == expected
    assert agreement.weighted_kappa(second, first) == expected


@given(SCORES)
def test_spearman_is_scipys(pairs):
    first, second = zip(*pairs, strict=True)
    ours = agreement.spearman(first, second)
    if ours is None:
        assert len(set(first)) == 1 or len(set(second)) == 1
    else:
        assert ours == pytest.approx(stats.spearmanr(first, second).statistic)


def test_a_judge_with_known_noise_is_recovered():
    rng = np.random.default_rng(0)
    truth = rng.normal(5, 2, 20_000)
    judges = [np.clip(np.rint(truth + rng.normal(0, 1, truth.size)), 0, 10).astype(int) for _ in range(2)]
    expected = 4 / (4 + 1)  # shared variance over all: what kappa is for equal marginals
    assert agreement.weighted_kappa(*(judge.tolist() for judge in judges)) == pytest.approx(expected, abs=0.02)
    assert agreement.krippendorff_alpha([judge.tolist() for judge in judges]) == pytest.approx(expected, abs=0.03)


def test_a_difference_made_by_length_alone_vanishes_at_equal_length():
    rng = np.random.default_rng(0)
    longer = rng.normal(20, 10, 500)
    by_length = 0.05 * longer + rng.normal(0, 0.2, 500)
    intercept, slope = agreement.length_adjusted_delta(by_length, longer)
    assert by_length.mean() > 0.9
    assert intercept == pytest.approx(0, abs=0.06)
    assert slope == pytest.approx(0.05, abs=0.003)
    theirs = stats.linregress(longer, by_length)
    assert (intercept, slope) == pytest.approx((theirs.intercept, theirs.slope))
    assert agreement.length_adjusted_delta([1.0, 2.0, 3.0], [5, 5, 5]) is None


@pytest.mark.parametrize(("n_items", "expected"), [(1574, 0.20), (100, 0.79)])
def test_what_independent_items_show(n_items, expected):
    assert agreement.detectable_difference(2.8 / n_items**0.5, n_items - 1) == pytest.approx(expected, abs=0.005)


def test_the_detectable_difference_is_found_four_times_in_five():
    shown = agreement.detectable_difference(1.0, 60)
    found = stats.nct.sf(stats.t.isf(0.025, 60), 60, shown)
    assert found == pytest.approx(0.8, abs=0.005)
    assert agreement.detectable_difference(1.0, 4) > 1.2 * shown


def test_effect_size():
    assert agreement.effect_size([1, 2, 3]) == pytest.approx(2.0)


@pytest.mark.parametrize("values", [[1, 1], [0.1] * 7, [1 / 3] * 5, [0.0] * 4, [5], []])
def test_constants_have_no_effect_size(values):
    assert agreement.effect_size(values) is None
