"""Plots of an evaluation run, from its result files only: RUN/plots/*.png.

    write_plots(Path("runs/tuned"))
    python -m model_cards.cards.plots runs/sweeps/lora-rank       # of a folder with sweep.json: RUN/plots/sweep.png

Small, the same bytes for the same files, one message each. Blue is the base model, orange the tuned one.
"""

import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from model_cards.cards.quality_plots import (
    BASE,
    GREY,
    QUALITY,
    TUNED,
    WIDTH_IN,
    length_quality_figure,
    main_rows,
    plain,
    sweep_figure,
)
from model_cards.files import read_json, read_jsonl

DPI = 110
SHARES = ("rouge1", "rouge2", "rougeL")  # metrics between 0 and 1 that share one axis
NAMES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "judge_score": "judge"}
MAX_POINTS = 2_000  # of a scatter plot
TOP_HEDGES = 8


def write_plots(run: Path) -> list[Path]:
    """Write what the run's files allow and remove plots of an earlier state; returns the paths in reading order."""
    comparison = read_json(run / "comparison.json")
    scores = read_json(run / "scores.json") or {"scores": [], "image_gaps": []}
    figures = {
        "metrics": metrics_figure(_overall(comparison, scores)),
        "delta_by_task": delta_figure(comparison["rows"]) if comparison else None,
        "judge_scores": distribution_figure(_items(run)),
        "length": length_figure(_items(run)),
        "hedging": hedging_figure(comparison, scores),
        "image_conditions": conditions_figure(scores["scores"]),
        "length_quality": length_quality_figure(comparison["overview"]) if comparison else None,
    }
    folder = run / "plots"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        if old.stem not in figures or figures[old.stem] is None:
            old.unlink()
    written = []
    for name, figure in figures.items():
        if figure is not None:
            path = folder / f"{name}.png"
            figure.savefig(path, dpi=DPI, metadata={"Software": None})
            written.append(path)
    return written


def write_sweep_plot(folder: Path) -> Path | None:
    """Draw FOLDER/sweep.json (made by `ldrt sweep`); None where no run has a training time and a score."""
    sweep = read_json(folder / "sweep.json")
    figure = sweep_figure(sweep["runs"]) if sweep else None
    if figure is None:
        return None
    path = folder / "plots" / "sweep.png"
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return path


def metrics_figure(rows: list[dict]) -> Figure | None:
    """Value and interval of each metric between 0 and 1. `rows`: label, and base and tuned as (value, low, high)."""
    rows = [row for row in rows if row["metric"] in SHARES and row["tuned"][0] is not None]
    if not rows:
        return None
    figure, axes = _figure(0.8 + 0.55 * len(rows))
    for place, row in enumerate(rows):
        for offset, colour, name in ((-0.13, BASE, "base"), (0.13, TUNED, "tuned")):
            if row[name] is not None and row[name][0] is not None:
                _point(axes, row[name], place + offset, colour, name if place == 0 else None)
    axes.set(yticks=range(len(rows)), yticklabels=[NAMES[row["metric"]] for row in rows], xlabel="F, all tasks")
    axes.set_xlim(left=0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return _finish(figure, axes)


def delta_figure(rows: list[dict]) -> Figure | None:
    """Tuned − base by task, with intervals, for ROUGE-L and each judge; one axis below the other, as units differ."""
    rows = [row for row in rows if row["image_condition"] == "true" and row["delta"] is not None]
    panels = [[row for row in rows if row["metric"] == name] for name in QUALITY]
    panels = [panel for panel in panels if panel]
    if not panels:
        return None
    heights = [0.7 + 0.3 * len(panel) for panel in panels]
    figure = Figure(figsize=(WIDTH_IN, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(
        figure.subplots(len(panels), height_ratios=heights, squeeze=False)[:, 0], panels, strict=True
    ):
        axes.axvline(0, color=GREY, linewidth=1)
        for place, row in enumerate(panel):
            _point(axes, (row["delta"], row["ci_low"], row["ci_high"]), place, TUNED, None)
        labels = [f"{row['task']} ({row['judge'].split('/')[-1]})" if row["judge"] else row["task"] for row in panel]
        axes.set(yticks=range(len(panel)), yticklabels=labels, xlabel=f"tuned − base, {QUALITY[panel[0]['metric']]}")
        axes.set_ylim(len(panel) - 0.5, -0.5)
        plain(axes)
    return figure


def distribution_figure(items: list[dict]) -> Figure | None:
    """How many answers got each mean judge score, base and tuned."""
    series = {name: [_judge_score(item[name]) for item in items if item.get(name)] for name in ("base", "tuned")}
    series = {name: [value for value in values if value is not None] for name, values in series.items()}
    if not series["tuned"]:
        return None
    figure, axes = _figure(2.6)
    edges = [i - 0.5 for i in range(12)]
    drawn = [name for name in series if series[name]]
    colours = [{"base": BASE, "tuned": TUNED}[name] for name in drawn]
    axes.hist([series[name] for name in drawn], bins=edges, color=colours, label=drawn)
    axes.set(xlabel="judge's score (mean over judges)", ylabel="answers", xticks=range(11))
    return _finish(figure, axes)


def length_figure(items: list[dict]) -> Figure | None:
    """Words of each answer against words of its reference; on the line they are equal."""
    step = -(-len(items) // MAX_POINTS) or 1
    shown = [item for item in items[::step] if item["tuned"]["words"] is not None]
    if not shown:
        return None
    figure, axes = _figure(3.4)
    top = 1.05 * max(item["tuned"]["reference_words"] for item in shown)
    for name, colour in (("base", BASE), ("tuned", TUNED)):
        points = [item[name] for item in shown if item.get(name) and item[name]["words"] is not None]
        if points:
            x, y = ([point[column] for point in points] for column in ("reference_words", "words"))
            label = name if "base" in shown[0] else "answer"
            axes.scatter(x, y, s=14, color=colour, alpha=0.6, linewidths=0, label=label)
    axes.plot([0, top], [0, top], color=GREY, linewidth=1, label="as long as the reference")
    axes.set(xlabel="words of the reference", ylabel="words of the answer")
    axes.set_xlim(0, top)
    axes.set_ylim(bottom=0)
    return _finish(figure, axes)


def hedging_figure(comparison: dict | None, scores: dict) -> Figure | None:
    """How often each hedge is used; the words that are used most."""
    if comparison:
        counts = {name: comparison[name]["hedges"]["by_word"] for name in ("base", "tuned")}
    else:
        rows = [row for row in scores["scores"] if row["metric"] == "hedges_per_1k_words" and row["task"] == "all"]
        counts = {"tuned": rows[0]["settings"]["by_word"]} if rows else {}
    total = {word: sum(of.get(word, 0) for of in counts.values()) for of in counts.values() for word in of}
    words = sorted(total, key=lambda word: (-total[word], word))[:TOP_HEDGES]
    if not words:
        return None
    figure, axes = _figure(0.9 + 0.32 * len(words))
    height = 0.8 / len(counts)
    for i, (name, of) in enumerate(counts.items()):
        places = [place + (i - (len(counts) - 1) / 2) * height for place in range(len(words))]
        colour = {"base": BASE, "tuned": TUNED}[name]
        axes.barh(places, [of.get(word, 0) for word in words], height, color=colour, label=name)
    axes.set(yticks=range(len(words)), yticklabels=words, xlabel="times in all answers")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.invert_yaxis()
    return _finish(figure, axes)


def conditions_figure(rows: list[dict]) -> Figure | None:
    """Quality of the run's answers to the true picture, an empty one, another article's, and the caption instead."""
    panels = [main_rows(rows, name) for name in QUALITY]
    panels = [panel for panel in panels if len(panel) > 1]
    if not panels:
        return None
    labels = {"true": "true picture", "blank": "empty picture", "shuffled": "another article's", "none": "caption only"}
    figure = Figure(figsize=(WIDTH_IN, 0.9 + 0.35 * max(map(len, panels))), layout="constrained")
    FigureCanvasAgg(figure)
    for number, panel in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), number)
        for place, row in enumerate(panel):
            _point(axes, (row["value"], row["ci_low"], row["ci_high"]), place, TUNED, None)
        axes.set(yticks=range(len(panel)), yticklabels=[labels[row["image_condition"]] for row in panel])
        axes.set(xlabel=QUALITY[panel[0]["metric"]], ylim=(len(panel) - 0.5, -0.5))
        plain(axes)
    return figure


def _overall(comparison: dict | None, scores: dict) -> list[dict]:
    """One row a metric over all tasks, true pictures: `base` is None where there is no comparison."""
    if comparison:
        rows = [row for row in comparison["rows"] if row["task"] == "all" and row["image_condition"] == "true"]
        return [
            {"metric": row["metric"], **{name: (row[name], *row[f"{name}_ci"]) for name in ("base", "tuned")}}
            for row in rows
        ]
    rows = [row for row in scores["scores"] if row["task"] == "all" and row["image_condition"] == "true"]
    return [
        {"metric": row["metric"], "base": None, "tuned": (row["value"], row["ci_low"], row["ci_high"])} for row in rows
    ]


def _items(run: Path) -> list[dict]:
    """Answers to the true pictures: `tuned` and, where two runs were compared, `base`, column -> number."""
    if (run / "comparison.json").exists() and (run / "paired_items.jsonl").exists():
        items = read_jsonl(run / "paired_items.jsonl")
    else:
        items = [{**item, "tuned": item["scores"]} for item in read_jsonl(run / "per_item_scores.jsonl")]
    return [item for item in items if item["image_condition"] == "true"]


def _judge_score(scores: dict) -> float | None:
    judges = [column for column in scores if column.startswith("judge:")]
    return scores["judge:mean"] if "judge:mean" in judges else scores[judges[0]] if judges else None


def _figure(height_in: float) -> tuple[Figure, object]:
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _point(axes, value: tuple, place: float, colour: str, label: str | None) -> None:
    middle, low, high = value
    if low is not None:
        axes.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([middle], [place], "o", color=colour, markersize=6, label=label)


def _finish(figure: Figure, axes) -> Figure:
    plain(axes)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


if __name__ == "__main__":
    write_sweep_plot(Path(sys.argv[1]))
