"""What the plots share: colours, sizes, points with intervals, and the rows that a plot of quality shows."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BASE, TUNED, GREY = "#4477aa", "#ee7733", "#888888"  # told apart by colour-blind readers too (Paul Tol's palette)
COLOURS = {"base": BASE, "tuned": TUNED}
WIDTH_IN = 7.0  # inches
DPI = 110  # pixels an inch
QUALITY = {"rougeL": "ROUGE-L F", "judge_score": "judge's score"}  # of several judges their mean


def empty_figure(height_in: float) -> Figure:
    """A figure as wide as a card's text, drawn without a display."""
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def one_axes(height_in: float) -> tuple[Figure, Axes]:
    figure = empty_figure(height_in)
    return figure, figure.add_subplot()


def point(
    axes: Axes, value: tuple[float, float | None, float | None], place: float, colour: str, label: str | None = None
) -> None:
    """A dot at the value and a line from low to high, in row `place`; `value` is (middle, low, high)."""
    middle, low, high = value
    if low is not None and high is not None:
        axes.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([middle], [place], "o", color=colour, markersize=6, label=label)


def plain(axes: Axes) -> None:
    """No frame, and grey lines to read values by."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)


def finish(figure: Figure, axes: Axes) -> Figure:
    """Plain axes, and a legend where there is more than one thing to tell apart."""
    plain(axes)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


def save(figure: Figure, path: Path) -> Path:
    """Write the PNG and return its path; the same figure gives the same bytes."""
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return path


def main_rows(rows: list[dict], metric: str) -> list[dict]:
    """The rows of a metric over all tasks that have a value; of several judges their mean."""
    found = [row for row in rows if row["metric"] == metric and row["task"] == "all"]
    several = any(row["judge"] == "mean" for row in found)
    return [row for row in found if row["value"] is not None and (row["judge"] in (None, "mean") or not several)]
