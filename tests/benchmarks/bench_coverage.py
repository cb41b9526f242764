"""How often the 95 % intervals hold the truth where articles are few and unequal.

    python -m tests.benchmarks.bench_coverage      # the table of evaluation/BENCHMARKS.md, a minute

Answers of one article are alike (a correlation of 0.3 on the normal scale that they are made from), and a tuned model's
answer is like the base model's to the same question (0.5). What is simulated are the sums that `ldrt score` and `ldrt
compare` make; interval and p are those of `evaluation.scoring.statistics`.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from evaluation.metrics.metric import COUNT, POINTS, SHARE
from evaluation.scoring import statistics
from evaluation.scoring.statistics import Estimate

N_DRAWS = 1_000
N_ARTICLES = (2, 3, 5, 10, 15, 30)
ALIKE, PAIRED = 0.3, 0.5  # correlations of answers of one article, of both models' answers to one question
SD_POINTS = 2.5  # of a judge's scores, before they are rounded to 0–10

Sums = np.ndarray  # (draws, articles, columns)


class Draws(NamedTuple):
    """Data of many simulated evaluations, what is estimated from each, and the truth."""

    sums: Sums
    estimate: Callable[[np.ndarray], Estimate]
    truth: float


class Covered(NamedTuple):
    covered: float  # share of the intervals that hold the truth; NaN where none is given
    given: float  # share of the draws that have an interval


class World:
    """Random numbers for `n_draws` evaluations of articles with `n` (draws, articles) answers each."""

    def __init__(self, rng: np.random.Generator, n: np.ndarray):
        self.rng = rng
        self.answered = np.arange(n.max()) < n[..., None]  # (draws, articles, answers)

    def normal(self) -> np.ndarray:
        """(draws, articles, answers): standard normal, answers of one article alike."""
        shape = self.answered.shape
        of_article = self.rng.normal(size=(*shape[:2], 1))
        return np.sqrt(ALIKE) * of_article + np.sqrt(1 - ALIKE) * self.rng.normal(size=shape)

    def pair(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the base and of the tuned model's answers."""
        base = self.normal()
        return base, PAIRED * base + np.sqrt(1 - PAIRED**2) * self.normal()

    def counts(self, mean: float) -> np.ndarray:
        """Words of an answer."""
        return self.rng.poisson(mean * np.exp(0.3 * self.rng.normal(size=self.answered.shape))) + 5

    def sums(self, *columns: np.ndarray | float) -> Sums:
        return np.stack([(column * self.answered).sum(2).astype(float) for column in columns], axis=-1)


# ---- how answers are shared out among articles: (draws, articles) -> answers

SIZES: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "equal": lambda rng, shape: np.full(shape, 5),
    "unequal": lambda rng, shape: rng.geometric(0.2, size=shape),
    "heavy tail": lambda rng, shape: np.maximum(1, np.rint(np.exp(rng.normal(1.2, 0.9, size=shape)))).astype(int),
    "one has half": lambda rng, shape: _one_has_half(rng.integers(2, 7, size=shape)),
}


def _one_has_half(n: np.ndarray) -> np.ndarray:
    n[:, 0] = n[:, 1:].sum(1)
    return n


# ---- what is measured


def _points(z: np.ndarray, mean: float) -> np.ndarray:
    return np.clip(np.rint(mean + SD_POINTS * z), 0, 10)


def _mean_points(mean: float) -> float:
    """Of `_points`: bounded and rounded."""
    return float(norm.sf((np.arange(10) + 0.5 - mean) / SD_POINTS).sum())


def _mean(world: World, mean: float) -> Draws:
    sums = world.sums(_points(world.normal(), mean), 1.0)
    return Draws(sums, partial(statistics.estimate_ratio, bounds=POINTS), _mean_points(mean))


def _rate(world: World, rate: float) -> Draws:
    sums = world.sums(world.normal() < norm.ppf(rate), 1.0)
    return Draws(sums, partial(statistics.estimate_ratio, bounds=SHARE), rate)


def _grounded(world: World, share: float) -> Draws:
    claims = world.rng.poisson(3, world.answered.shape)
    chance = norm.cdf(norm.ppf(share) * np.sqrt(1.5) + np.sqrt(0.5) * world.normal())
    sums = world.sums(world.rng.binomial(claims, chance), claims)
    return Draws(sums, partial(statistics.estimate_ratio, bounds=SHARE), share)


def _per_word(world: World, rate: float) -> Draws:
    words = world.counts(40)
    hedges = world.rng.poisson(words * rate * np.exp(0.5 * world.normal() - 0.125))
    return Draws(world.sums(hedges, words), partial(statistics.estimate_ratio, bounds=COUNT), rate)


def _wins(world: World) -> Draws:
    """Which of two answers a judge prefers: two in five wins, one in five ties."""
    z = world.normal()
    outcome = np.select([z < norm.ppf(0.4), z < norm.ppf(0.6)], [1.0, 0.5], 0.0)
    return Draws(world.sums(outcome, 1.0), partial(statistics.estimate_ratio, bounds=SHARE), 0.5)


def _zero_inflated(world: World, share: float) -> Draws:
    """None in most answers, else a skewed number around 1."""
    skewed = np.exp(world.rng.normal(0, 0.5, size=world.answered.shape))
    values = np.where(world.normal() < norm.ppf(share), skewed, 0)
    return Draws(world.sums(values, 1.0), partial(statistics.estimate_ratio, bounds=COUNT), share * np.exp(0.125))


def _delta(world: World, base: float, tuned: float) -> Draws:
    before, after = world.pair()
    sums = world.sums(_points(before, base), 1.0, _points(after, tuned), 1.0)
    return Draws(sums, statistics.estimate_difference, _mean_points(tuned) - _mean_points(base))


def _delta_uneven(world: World) -> Draws:
    """Articles whose answers differ by more, or by less, than those of others."""
    spread = np.exp(0.7 * world.rng.normal(size=(*world.answered.shape[:2], 1)))
    return Draws(world.sums(0.0, 1.0, world.normal() * spread, 1.0), statistics.estimate_difference, 0.0)


def _delta_skewed(world: World) -> Draws:
    before, after = world.pair()
    return Draws(world.sums(np.exp(before), 1.0, np.exp(after), 1.0), statistics.estimate_difference, 0.0)


def _delta_of_rates(world: World, base: float, tuned: float) -> Draws:
    before, after = world.pair()
    sums = world.sums(before < norm.ppf(base), 1.0, after < norm.ppf(tuned), 1.0)
    return Draws(sums, statistics.estimate_difference, tuned - base)


def _delta_per_word(world: World, base: float, tuned: float) -> Draws:
    columns: list[np.ndarray | float] = []
    for z, rate, mean in zip(world.pair(), (base, tuned), (40, 60), strict=True):
        words = world.counts(mean)
        columns += [world.rng.poisson(words * rate * np.exp(0.5 * z - 0.125)), words]
    return Draws(world.sums(*columns), statistics.estimate_difference, tuned - base)


def _at_equal_length(world: World) -> Draws:
    """Points that grow with the difference in length, and scatter more where it is large."""
    words = 10 + 15 * world.normal()
    points = 0.5 + 0.05 * words + (1 + 0.05 * np.abs(words)) * world.normal()
    sums = world.sums(1.0, words, points, words * words, words * points)
    return Draws(sums, statistics.estimate_line, 0.5)


CASES: dict[str, Callable[[World], Draws]] = {
    "mean of points around 5": partial(_mean, mean=5),
    "mean of points around 8": partial(_mean, mean=8),
    "rate 0.5": partial(_rate, rate=0.5),
    "rate 0.2": partial(_rate, rate=0.2),
    "rate 0.95": partial(_rate, rate=0.95),
    "ratio, 80 % of claims grounded": partial(_grounded, share=0.8),
    "ratio, 10 hedges in 1,000 words": partial(_per_word, rate=0.01),
    "win rate, a fifth ties": _wins,
    "zero in four of five answers": partial(_zero_inflated, share=0.2),
    "delta of points, 5 to 6": partial(_delta, base=5, tuned=6),
    "delta of points, 8 to 8": partial(_delta, base=8, tuned=8),
    "delta, uneven spread": _delta_uneven,
    "delta, skewed": _delta_skewed,
    "delta of rates, 0.5 to 0.6": partial(_delta_of_rates, base=0.5, tuned=0.6),
    "delta of rates, 0.1 to 0.3": partial(_delta_of_rates, base=0.1, tuned=0.3),
    "delta of hedges, 30 to 10 in 1,000": partial(_delta_per_word, base=0.03, tuned=0.01),
    "delta at equal length": _at_equal_length,
}


def coverage(case: str, sizes: str, n_articles: int, n_draws: int = N_DRAWS, seed: int = 0) -> Covered:
    """Of the intervals of `n_draws` simulated evaluations."""
    rng = np.random.default_rng(seed)
    drawn = CASES[case](World(rng, SIZES[sizes](rng, (n_draws, n_articles))))
    found = [drawn.estimate(sums) for sums in drawn.sums]
    held = [one.low <= drawn.truth <= one.high for one in found if one.low is not None and one.high is not None]
    return Covered(float(np.mean(held)) if held else float("nan"), len(held) / n_draws)


def table() -> Iterator[str]:
    """Markdown: coverage of each case by number of articles; in brackets the draws with an interval, where not all."""
    yield f"| measured | answers | {' | '.join(f'{n} articles' for n in N_ARTICLES)} |"
    yield f"| --- | --- | {' | '.join('---:' for _ in N_ARTICLES)} |"
    for case in CASES:
        for sizes in SIZES:
            cells = [_cell(coverage(case, sizes, n)) for n in N_ARTICLES]
            yield f"| {case} | {sizes} | {' | '.join(cells)} |"


def _cell(found: Covered) -> str:
    if not found.given:
        return "none"
    return f"{found.covered:.3f}" + (f" ({found.given:.0%})" if found.given < 0.995 else "")


def main() -> dict[str, float]:
    """Lowest and highest coverage from 5 articles on, over all cases and sizes."""
    found = [coverage(case, sizes, n).covered for case in CASES for sizes in SIZES for n in N_ARTICLES if n >= 5]
    return {"coverage of 95 % intervals, lowest": min(found), "coverage of 95 % intervals, highest": max(found)}


if __name__ == "__main__":
    for line in table():
        print(line, flush=True)
