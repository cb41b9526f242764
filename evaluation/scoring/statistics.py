"""Intervals and tests that respect that figures of one article are not independent. Plain numpy, seeded.

Everything works on sums within articles: a metric is `numerator / denominator` summed over items (a mean has 1 as the
denominator), so a resample of articles is one matrix product for all metrics at once. Resampling whole clusters:
Cameron, Gelbach & Miller 2008; flipping the sign of the clusters' differences: Noreen 1989.
"""

from collections.abc import Sequence

import numpy as np

LEVEL = 0.95  # of the intervals
N_RESAMPLES = 10_000
EXACT_CLUSTERS = 13  # up to here all 2**n flips are enumerated instead of drawn
_CHUNK = 1_000  # resamples at once: bounds the memory


def cluster_sums(values: np.ndarray, clusters: Sequence[str]) -> np.ndarray:
    """(items, columns) -> (clusters, columns), summed within each cluster, clusters in sorted order."""
    names, index = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, index, values)
    return sums


def bootstrap(sums: np.ndarray, n_resamples: int = N_RESAMPLES, seed: int = 0) -> np.ndarray:
    """(clusters, columns) -> (resamples, columns): totals of as many clusters drawn with replacement.

    All NaN for a single cluster: one article says nothing about the spread between articles.
    """
    rng = np.random.default_rng(seed)
    n_clusters = len(sums)
    totals = np.full((n_resamples, sums.shape[1]), np.nan)
    if n_clusters < 2:
        return totals
    for start in range(0, n_resamples, _CHUNK):
        size = min(_CHUNK, n_resamples - start)
        drawn = rng.integers(n_clusters, size=(size, n_clusters)) + n_clusters * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n_clusters).reshape(size, n_clusters)
        totals[start : start + size] = counts.astype(float) @ sums
    return totals


def interval(samples: np.ndarray, level: float = LEVEL) -> tuple[float, float] | tuple[None, None]:
    """Percentile interval of the finite samples; (None, None) where there is none."""
    finite = samples[np.isfinite(samples)]
    if finite.size == 0:
        return None, None
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def sign_flips(n_clusters: int, n_resamples: int = N_RESAMPLES, seed: int = 0) -> np.ndarray:
    """(resamples, clusters) of −1 and 1: all of them where there are at most `EXACT_CLUSTERS` clusters, else drawn."""
    if n_clusters <= EXACT_CLUSTERS:
        return 1.0 - 2.0 * (np.arange(2**n_clusters)[:, None] >> np.arange(n_clusters) & 1)
    return 1.0 - 2.0 * np.random.default_rng(seed).integers(2, size=(n_resamples, n_clusters))


def sign_flip_p_value(contributions: np.ndarray, flips: np.ndarray) -> float | None:
    """Two-sided p of a difference that is the sum of one contribution a cluster; None where one is not finite."""
    observed = abs(contributions.sum())
    if not np.isfinite(observed):
        return None
    n_extreme = int(np.sum(np.abs(flips @ contributions) >= observed - 1e-12 * max(1.0, observed)))
    if len(contributions) <= EXACT_CLUSTERS:
        return n_extreme / len(flips)
    return (n_extreme + 1) / (len(flips) + 1)


def bootstrap_p_value(samples: np.ndarray) -> float | None:
    """Two-sided p of a difference from its bootstrap samples: twice the share on the other side of zero, at most 1."""
    finite = samples[np.isfinite(samples)]
    if finite.size == 0:
        return None
    n_other_side = min(int(np.sum(finite <= 0)), int(np.sum(finite >= 0)))
    return min(1.0, 2 * (n_other_side + 1) / (finite.size + 1))
