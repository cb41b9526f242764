"""How far raters (judges, humans) agree, and what a difference means. Plain numpy."""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from evaluation.scoring.statistics import LEVEL

POWER = 0.8  # of `detectable_difference`
_NOISE = 1e-10  # relative; the spread that summing floats leaves of equal numbers


def weighted_kappa(first: Sequence[int], second: Sequence[int], lowest: int = 0, highest: int = 10) -> float | None:
    """Cohen's kappa with quadratic weights of two raters of the same items on an integer scale.

    1: the same; 0: as by chance. None where both gave one and the same score throughout. Raises ValueError for scores
    off the scale. Source: Cohen 1968, "Weighted kappa".
    """
    size = highest - lowest + 1
    a, b = np.asarray(first) - lowest, np.asarray(second) - lowest
    if a.shape != b.shape or a.size == 0 or min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= size:
        raise ValueError(f"weighted kappa needs the same items rated {lowest} to {highest} by both raters")
    together = np.bincount(a * size + b, minlength=size * size).reshape(size, size) / a.size
    by_chance = np.outer(together.sum(1), together.sum(0))
    distance = np.subtract.outer(np.arange(size), np.arange(size)) ** 2
    expected = (distance * by_chance).sum()
    return None if expected == 0 else float(1 - (distance * together).sum() / expected)


def krippendorff_alpha(ratings: Sequence[Sequence[float | None]]) -> float | None:
    """Krippendorff's ordinal alpha; `ratings` has one list of items a rater, None where not rated.

    1: the same; 0: as by chance. None where fewer than two ratings can be paired or all are equal. Source: Krippendorff
    2011, "Computing Krippendorff's Alpha-Reliability", https://repository.upenn.edu/asc_papers/43.
    """
    table = np.array([[np.nan if value is None else value for value in rater] for rater in ratings], dtype=float)
    paired = table[:, (~np.isnan(table)).sum(0) >= 2]  # (raters, items with two ratings or more)
    values, places = np.unique(paired[~np.isnan(paired)], return_inverse=True)
    if len(values) < 2:
        return None
    items = np.nonzero(~np.isnan(paired))[1]
    counts = np.zeros((paired.shape[1], len(values)))  # (items, values)
    np.add.at(counts, (items, places), 1)
    n_of_item = counts.sum(1, keepdims=True)
    coincidences = (counts / (n_of_item - 1)).T @ counts - np.diag((counts / (n_of_item - 1)).sum(0))
    marginals = coincidences.sum(1)
    distance = _ordinal_distance(marginals)
    expected = (np.outer(marginals, marginals) * distance).sum() / (marginals.sum() - 1)
    return float(1 - (coincidences * distance).sum() / expected)


def count_rated_twice(ratings: Sequence[Sequence[float | None]]) -> int:
    """How many items two or more raters rated; `ratings` as for Krippendorff's alpha."""
    n = 0
    for of_item in zip(*ratings, strict=True):
        n_raters = sum(rating is not None for rating in of_item)
        n += n_raters > 1
    return n


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None where a list is constant or has fewer than two."""
    a, b = _ranks(np.asarray(first, dtype=float)), _ranks(np.asarray(second, dtype=float))
    if a.size < 2 or a.std() == 0 or b.std() == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def effect_size(differences: Sequence[float]) -> float | None:
    """Cohen's d of paired differences: mean / standard deviation (n − 1); None where they do not vary."""
    values = np.asarray(differences, dtype=float)
    if values.size < 2:
        return None
    mean, spread = values.mean(), values.std(ddof=1)
    return float(mean / spread) if spread > _NOISE * max(1.0, abs(mean)) else None


def length_adjusted_delta(
    differences: Sequence[float], length_differences: Sequence[float]
) -> tuple[float, float] | None:
    """(difference at equal length, slope per word) from a least-squares line through the paired differences.

    Raters like long answers: the intercept is what is left where tuned and base answers are equally long (the idea of
    AlpacaEval's length control, Dubois et al. 2024, https://arxiv.org/abs/2404.04475). None where lengths do not vary.
    """
    x, y = np.asarray(length_differences, dtype=float), np.asarray(differences, dtype=float)
    if x.size < 3 or x.std() == 0:
        return None
    slope, intercept = np.polyfit(x, y, 1)
    return float(intercept), float(slope)


def detectable_difference(standard_error: float, degrees_of_freedom: float) -> float:
    """Smallest true difference that a test with this standard error finds with a chance of 80 % at 5 % (two-sided)."""
    quantiles = stdtrit(degrees_of_freedom, (1 + LEVEL) / 2) + stdtrit(degrees_of_freedom, POWER)
    return float(quantiles * standard_error)


def _ordinal_distance(marginals: np.ndarray) -> np.ndarray:
    """(values, values): squared number of ratings between two values, half of the two values' own."""
    up_to = np.cumsum(marginals)
    middle = up_to - marginals / 2
    return np.subtract.outer(middle, middle) ** 2


def _ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
