"""Plots of an evaluation run, from its result files only: RUN/plots/*.png.

    write_plots(read_run(Path("runs/tuned")))
    python -m model_cards.cards.plots runs/sweeps/lora-rank       # of a folder with sweep.json: RUN/plots/sweep.png

Small, the same bytes for the same files, one message each. Blue is the base model, orange the tuned one.
"""

import sys
from collections import Counter
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from model_cards.cards.drawing import (
    COLOURS,
    GREY,
    QUALITY,
    TUNED,
    empty_figure,
    finish,
    main_rows,
    one_axes,
    plain,
    point,
    save,
)
from model_cards.cards.evaluated_run import EvaluatedRun
from model_cards.cards.quality_plots import SWEEP, length_quality_figure, sweep_figure
from model_cards.result_files import ITEMS, PAIRED

SHARES = ("rouge1", "rouge2", "rougeL")  # metrics between 0 and 1 that share one axis
NAMES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "judge_score": "judge"}
PICTURES = {  # by image condition
    "true": "true picture",
    "blank": "empty picture",
    "shuffled": "another article's",
    "none": "caption only",
}
MAX_POINTS = 2_000  # of a scatter plot
TOP_HEDGES = 8
HALF_APART = 0.13  # of a row: how far base and tuned stand above and below its middle


def write_plots(run: EvaluatedRun) -> list[Path]:
    """Write what the run's files allow and remove plots of an earlier state; returns the paths in reading order."""
    figures = _figures(run)
    folder = run.folder / "plots"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        if figures.get(old.stem) is None:
            old.unlink()
    written = []
    for name, figure in figures.items():
        if figure is not None:
            written.append(save(figure, folder / f"{name}.png"))
    return written


def _figures(run: EvaluatedRun) -> dict[str, Figure | None]:
    """Name -> plot in reading order; None where the run has no numbers for it."""
    comparison, rows = run.comparison, run.scores["scores"]
    items = _items(run)
    return {
        "metrics": metrics_figure(_compared(comparison) if comparison else _alone(rows)),
        "delta_by_task": delta_figure(comparison["rows"]) if comparison else None,
        "judge_scores": distribution_figure(items),
        "length": length_figure(items),
        "hedging": hedging_figure(_hedges_compared(comparison) if comparison else _hedges_alone(rows)),
        "image_conditions": conditions_figure(rows),
        "length_quality": length_quality_figure(comparison["overview"]) if comparison else None,
    }


def write_sweep_plot(folder: Path) -> Path | None:
    """Draw FOLDER/sweep.json (made by `ldrt sweep`); None where no run has a training time and a score."""
    sweep = SWEEP.read_if_there(folder / "sweep.json")
    figure = sweep_figure(sweep["runs"]) if sweep else None
    if figure is None:
        return None
    path = folder / "plots" / "sweep.png"
    path.parent.mkdir(exist_ok=True)
    return save(figure, path)


# ---- the figures


def metrics_figure(rows: list[dict]) -> Figure | None:
    """Value and interval of each metric between 0 and 1. `rows`: metric, and base and tuned as (value, low, high)."""
    rows = [row for row in rows if row["metric"] in SHARES and row["tuned"][0] is not None]
    if not rows:
        return None
    figure, axes = one_axes(0.8 + 0.55 * len(rows))
    for place, row in enumerate(rows):
        for name, offset in (("base", -HALF_APART), ("tuned", HALF_APART)):
            if row[name] is not None and row[name][0] is not None:
                label = name if place == 0 else None  # once in the legend
                point(axes, row[name], place + offset, COLOURS[name], label)
    axes.set(yticks=range(len(rows)), yticklabels=[NAMES[row["metric"]] for row in rows], xlabel="F, all tasks")
    axes.set_xlim(left=0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return finish(figure, axes)


def delta_figure(rows: list[dict]) -> Figure | None:
    """Tuned − base by task, with intervals, for ROUGE-L and each judge; one axis below the other, as units differ."""
    rows = [row for row in rows if row["image_condition"] == "true" and row["delta"] is not None]
    panels = [[row for row in rows if row["metric"] == name] for name in QUALITY]
    panels = [panel for panel in panels if panel]
    if not panels:
        return None
    heights_in = [0.7 + 0.3 * len(panel) for panel in panels]
    figure = empty_figure(sum(heights_in))
    column = figure.subplots(len(panels), height_ratios=heights_in, squeeze=False)[:, 0]
    for axes, panel in zip(column, panels, strict=True):
        _draw_deltas(axes, panel)
    return figure


def _draw_deltas(axes, rows: list[dict]) -> None:
    """The rows of one metric below one another, and a line at no difference."""
    axes.axvline(0, color=GREY, linewidth=1)
    for place, row in enumerate(rows):
        point(axes, (row["delta"], row["ci_low"], row["ci_high"]), place, TUNED)
    labels = [f"{row['task']} ({row['judge'].split('/')[-1]})" if row["judge"] else row["task"] for row in rows]
    axes.set(yticks=range(len(rows)), yticklabels=labels, xlabel=f"tuned − base, {QUALITY[rows[0]['metric']]}")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    plain(axes)


def distribution_figure(items: list[dict]) -> Figure | None:
    """How many answers got each mean judge score, base and tuned."""
    series = {name: _judge_scores(items, name) for name in ("base", "tuned")}
    if not series["tuned"]:
        return None
    figure, axes = one_axes(2.6)
    drawn = [name for name, values in series.items() if values]
    edges = [score - 0.5 for score in range(12)]  # a bar for each of 0 … 10
    axes.hist([series[name] for name in drawn], bins=edges, color=[COLOURS[name] for name in drawn], label=drawn)
    axes.set(xlabel="judge's score (mean over judges)", ylabel="answers", xticks=range(11))
    return finish(figure, axes)


def _judge_scores(items: list[dict], name: str) -> list[float]:
    scores = [_judge_score(item[name]) for item in items if item.get(name)]
    return [score for score in scores if score is not None]


def length_figure(items: list[dict]) -> Figure | None:
    """Words of each answer against words of its reference; on the line they are equal."""
    step = -(-len(items) // MAX_POINTS) or 1
    shown = [item for item in items[::step] if item["tuned"]["words"] is not None]
    if not shown:
        return None
    figure, axes = one_axes(3.4)
    for name in ("base", "tuned"):
        label = name if "base" in shown[0] else "answer"
        answers = [item[name] for item in shown if item.get(name) and item[name]["words"] is not None]
        if answers:
            across = [answer["reference_words"] for answer in answers]
            up = [answer["words"] for answer in answers]
            axes.scatter(across, up, s=14, color=COLOURS[name], alpha=0.6, linewidths=0, label=label)
    top = 1.05 * max(item["tuned"]["reference_words"] for item in shown)
    axes.plot([0, top], [0, top], color=GREY, linewidth=1, label="as long as the reference")
    axes.set(xlabel="words of the reference", ylabel="words of the answer")
    axes.set_xlim(0, top)
    axes.set_ylim(bottom=0)
    return finish(figure, axes)


def hedging_figure(counts: dict[str, dict[str, int]]) -> Figure | None:
    """How often each hedge is used; the words that are used most. `counts`: "base", "tuned" -> word -> times."""
    total: Counter[str] = Counter()
    for by_word in counts.values():
        total.update(by_word)
    words = sorted(total, key=lambda word: (-total[word], word))[:TOP_HEDGES]
    if not words:
        return None
    figure, axes = one_axes(0.9 + 0.32 * len(words))
    height = 0.8 / len(counts)  # of a bar, in rows
    for number, (name, by_word) in enumerate(counts.items()):
        offset = (number - (len(counts) - 1) / 2) * height
        places = [place + offset for place in range(len(words))]
        axes.barh(places, [by_word.get(word, 0) for word in words], height, color=COLOURS[name], label=name)
    axes.set(yticks=range(len(words)), yticklabels=words, xlabel="times in all answers")
    ticks = axes.xaxis.get_major_locator()
    assert isinstance(ticks, MaxNLocator), "matplotlib's default"
    ticks.set_params(integer=True)
    axes.invert_yaxis()
    return finish(figure, axes)


def conditions_figure(rows: list[dict]) -> Figure | None:
    """Quality of the run's answers to the true picture, an empty one, another article's, and the caption instead."""
    panels = [main_rows(rows, name) for name in QUALITY]
    panels = [panel for panel in panels if len(panel) > 1]
    if not panels:
        return None
    figure = empty_figure(0.9 + 0.35 * max(map(len, panels)))
    for number, panel in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), number)
        for place, row in enumerate(panel):
            point(axes, (row["value"], row["ci_low"], row["ci_high"]), place, TUNED)
        axes.set(yticks=range(len(panel)), yticklabels=[PICTURES[row["image_condition"]] for row in panel])
        axes.set(xlabel=QUALITY[panel[0]["metric"]], ylim=(len(panel) - 0.5, -0.5))
        plain(axes)
    return figure


# ---- the numbers they are drawn from


def _compared(comparison: dict) -> list[dict]:
    """One row a metric over all tasks, true pictures: base and tuned as (value, low, high)."""
    return [
        {
            "metric": row["metric"],
            "base": (row["base"], *row["base_ci"]),
            "tuned": (row["tuned"], *row["tuned_ci"]),
        }
        for row in comparison["rows"]
        if row["task"] == "all" and row["image_condition"] == "true"
    ]


def _alone(rows: list[dict]) -> list[dict]:
    """As `_compared`, of a run that was compared with none."""
    return [
        {"metric": row["metric"], "base": None, "tuned": (row["value"], row["ci_low"], row["ci_high"])}
        for row in rows
        if row["task"] == "all" and row["image_condition"] == "true"
    ]


def _hedges_compared(comparison: dict) -> dict[str, dict[str, int]]:
    return {name: comparison[name]["hedges"]["by_word"] for name in ("base", "tuned")}


def _hedges_alone(rows: list[dict]) -> dict[str, dict[str, int]]:
    overall = [row for row in rows if row["metric"] == "hedges_per_1k_words" and row["task"] == "all"]
    return {"tuned": overall[0]["settings"]["by_word"]} if overall else {}


def _items(run: EvaluatedRun) -> list[dict]:
    """Answers to the true pictures: `tuned` and, where two runs were compared, `base`, column -> number."""
    paired = run.folder / "paired_items.jsonl"
    if run.comparison is not None and paired.exists():
        items = [dict(item) for item in PAIRED.rows(paired)]
    else:
        items = [{**item, "tuned": item["scores"]} for item in ITEMS.rows(run.folder / "per_item_scores.jsonl")]
    return [item for item in items if item["image_condition"] == "true"]


def _judge_score(scores: dict) -> float | None:
    """An item's score, of several judges their mean; None where no judge gave one."""
    judges = [column for column in scores if column.startswith("judge:")]
    if not judges:
        return None
    return scores["judge:mean" if "judge:mean" in judges else judges[0]]


if __name__ == "__main__":
    write_sweep_plot(Path(sys.argv[1]))
