"""Quality against what it costs: one point a run with its interval, for ROUGE-L and, where there is one, the judges."""

from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from typing_extensions import TypedDict

from model_cards.cards.drawing import BASE, QUALITY, TUNED, empty_figure, main_rows, plain
from trust.handovers import Kind

MIN_RUNS = 3  # of two runs the length plot of every answer says more
HEIGHT_IN = 3.2


class Run(NamedTuple):
    """A point of a plot."""

    name: str
    cost: float  # the x axis, in the unit that its label names
    score: dict  # a row of scores.json: value, ci_low, ci_high


class Sweep(TypedDict):
    """sweep.json"""

    runs: list[dict[str, Any]]


SWEEP = Kind(Sweep, "ldrt sweep")


def sweep_figure(runs: list[dict]) -> Figure | None:
    """Quality against training time of the runs of sweep.json."""
    panels: dict[str, list[Run]] = {metric: [] for metric in QUALITY}
    for run in runs:
        if run["error"] or run["train_seconds"] is None:
            continue
        for metric, points in panels.items():
            points += [Run(run["name"], run["train_seconds"] / 60, row) for row in main_rows(run["scores"], metric)]
    return _figure(panels, "training, minutes")


def length_quality_figure(overview: list[dict]) -> Figure | None:
    """Quality against the answers' length of the compared runs, the base model's first: are longer answers better?"""
    names = list(dict.fromkeys(row["run"] for row in overview))
    if len(names) < MIN_RUNS:
        return None
    panels: dict[str, list[Run]] = {metric: [] for metric in QUALITY}
    for name in names:
        of_run = [row for row in overview if row["run"] == name]
        (words,) = main_rows(of_run, "answer_words")
        for metric, points in panels.items():
            points += [Run(name, words["value"], row) for row in main_rows(of_run, metric)]
    return _figure(panels, "words an answer", base=names[0])


def _figure(panels: dict[str, list[Run]], xlabel: str, base: str | None = None) -> Figure | None:
    """One panel a metric; None where there is no point. `base` names the run in the base model's colour."""
    panels = {metric: points for metric, points in panels.items() if points}
    if not panels:
        return None
    figure = empty_figure(HEIGHT_IN)
    for number, (metric, points) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number)
        for point in points:
            _draw(axes, point, BASE if point.name == base else TUNED)
        axes.set(xlabel=xlabel, ylabel=QUALITY[metric])
        axes.set_xlim(0, 1.25 * max(point.cost for point in points))  # room for the rightmost name
        plain(axes)
    return figure


def _draw(axes: Axes, run: Run, colour: str) -> None:
    value, low, high = run.score["value"], run.score["ci_low"], run.score["ci_high"]
    if low is not None:
        axes.plot([run.cost, run.cost], [low, high], color=colour, linewidth=2)
    axes.plot([run.cost], [value], "o", color=colour, markersize=6)
    axes.annotate(run.name, (run.cost, value), xytext=(5, 4), textcoords="offset points", fontsize=8)
