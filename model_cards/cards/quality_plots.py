"""Quality against what it costs: one point a run with its interval, for ROUGE-L and, where there is one, the judges."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BASE, TUNED, GREY = "#4477aa", "#ee7733", "#888888"  # told apart by colour-blind readers too (Paul Tol's palette)
WIDTH_IN = 7.0
QUALITY = {"rougeL": "ROUGE-L F", "judge_score": "judge's score"}  # of several judges their mean
MIN_RUNS = 3  # of two runs the length plot of every answer says more


def sweep_figure(runs: list[dict]) -> Figure | None:
    """Quality against training time of the runs of sweep.json."""
    done = [run for run in runs if not run["error"] and run["train_seconds"] is not None]
    panels = {
        name: [(run["name"], run["train_seconds"] / 60, row) for run in done for row in main_rows(run["scores"], name)]
        for name in QUALITY
    }
    return _figure(panels, "training, minutes")


def length_quality_figure(overview: list[dict]) -> Figure | None:
    """Quality against the answers' length of the compared runs, the base model's first: are longer answers better?"""
    runs = list(dict.fromkeys(row["run"] for row in overview))
    if len(runs) < MIN_RUNS:
        return None
    panels: dict[str, list] = {name: [] for name in QUALITY}
    for run in runs:
        of_run = [row for row in overview if row["run"] == run]
        (words,) = main_rows(of_run, "answer_words")
        for name, points in panels.items():
            points += [(run, words["value"], row) for row in main_rows(of_run, name)]
    return _figure(panels, "words an answer", base=runs[0])


def main_rows(rows: list[dict], metric: str) -> list[dict]:
    """The rows of a metric over all tasks that have a value; of several judges their mean."""
    found = [row for row in rows if row["metric"] == metric and row["task"] == "all"]
    several = any(row["judge"] == "mean" for row in found)
    return [row for row in found if row["value"] is not None and (row["judge"] in (None, "mean") or not several)]


def _figure(panels: dict[str, list[tuple[str, float, dict]]], xlabel: str, base: str | None = None) -> Figure | None:
    """One panel a metric of points (label, x, row); None where there is no point."""
    panels = {name: points for name, points in panels.items() if points}
    if not panels:
        return None
    figure = Figure(figsize=(WIDTH_IN, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (name, points) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), number)
        for label, x, row in points:
            colour = BASE if label == base else TUNED
            if row["ci_low"] is not None:
                axes.plot([x, x], [row["ci_low"], row["ci_high"]], color=colour, linewidth=2)
            axes.plot([x], [row["value"]], "o", color=colour, markersize=6)
            axes.annotate(label, (x, row["value"]), xytext=(5, 4), textcoords="offset points", fontsize=8)
        axes.set(xlabel=xlabel, ylabel=QUALITY[name])
        axes.set_xlim(0, 1.25 * max(x for _, x, _ in points))
        plain(axes)
    return figure


def plain(axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
