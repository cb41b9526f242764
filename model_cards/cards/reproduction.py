"""The table that puts a run beside the numbers that the paper published."""

from pathlib import Path

import yaml

PAPER = Path(__file__).with_name("paper_results.yaml")
NOT_PUBLISHED, NOT_RUN = "not published", "not run"
JUDGED = "judge_score"


def reproduction(comparison: dict | None, base_model: str | None) -> dict:
    """{"paper", "url", "tolerance", "rows": [{"model", "quantity", "paper", "this_run", "verdict"}]}.

    A study's rows are filled where this run's base model is the study's; elsewhere, and where the metric was not
    computed, they say "not run". The verdict compares the differences tuned − base, within the tolerance; where other
    judges than the paper's gave the scores, it says so instead.
    """
    published = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    rows = []
    for study in published["studies"]:
        ours = comparison if base_model in study["base_models"] else None
        rows += [_row(study["model"], result, ours, published) for result in study["results"]]
    return {**{key: published[key] for key in ("paper", "url", "tolerance")}, "rows": rows}


def _row(model: str, result: dict, comparison: dict | None, published: dict) -> dict:
    base, tuned = _this_run(result, comparison, published["judges"])
    paper = NOT_PUBLISHED
    if result["base"] is not None or result["tuned"] is not None:
        paper = " → ".join(
            NOT_PUBLISHED if value is None else f"{value:,}" for value in (result["base"], result["tuned"])
        )
    if "note" in result:
        paper = f"{paper} ({result['note']})"
    this_run = NOT_RUN if tuned is None or base is None else f"{_text(base)} → {_text(tuned)}"
    if "word" in result and this_run != NOT_RUN:
        this_run += f" in {comparison['n_items']:,} answers"
    verdict = "–"
    if this_run != NOT_RUN and None not in (result["base"], result["tuned"]) and "word" not in result:
        verdict = _verdict((tuned - base) - (result["tuned"] - result["base"]), published["tolerance"])
        others = _other_judges(comparison, published["judges"]) if result["metric"] == JUDGED else []
        if others:
            verdict = f"judged by {', '.join(others)}, not by the paper's judges"
    return {"model": model, "quantity": result["quantity"], "paper": paper, "this_run": this_run, "verdict": verdict}


def _this_run(result: dict, comparison: dict | None, judges: dict) -> tuple[float | None, float | None]:
    """Our values (base, tuned) of the quantity; (None, None) where there are none."""
    if comparison is None:
        return None, None
    if "word" in result:
        return tuple(comparison[name]["hedges"]["mentions"][result["word"]] for name in ("base", "tuned"))
    rows = [
        row
        for row in comparison["rows"]
        if (row["metric"], row["task"], row["image_condition"]) == (result["metric"], result["task"], "true")
    ]
    if "judge" in result:
        rows = [row for row in rows if row["judge"] in judges[result["judge"]]]
    if not rows:
        return None, None
    row = max(rows, key=lambda row: row["judge"] == "mean")  # of several judges their mean
    return row["base"], row["tuned"]


def _other_judges(comparison: dict, judges: dict) -> list[str]:
    """Our judges, where they are not just those of the paper; else none."""
    ours = {row["judge"] for row in comparison["rows"] if row["metric"] == JUDGED} - {"mean"}
    same = all(any(name in ours for name in names) for names in judges.values()) and len(ours) == len(judges)
    return [] if same else sorted(ours)


def _verdict(apart: float, tolerance: float) -> str:
    return f"{'within' if abs(apart) <= tolerance else 'outside'} ±{tolerance} (difference {apart:+.2f})"


def _text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
