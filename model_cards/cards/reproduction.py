"""The table that puts a run beside the numbers that the paper published."""

from pathlib import Path

import yaml

PAPER = Path(__file__).with_name("paper_results.yaml")
NOT_PUBLISHED, NOT_RUN = "not published", "not run"
NO_VERDICT = "–"
JUDGED = "judge_score"


Values = tuple[float | None, float | None]  # base, tuned


def reproduction(comparison: dict | None, base_model: str | None) -> dict:
    """{"paper", "url", "tolerance", "rows": [{"model", "quantity", "paper", "this_run", "verdict"}]}.

    Of the studies of this run's base model only, so none for another model; where the metric was not computed they say
    "not run". The verdict compares the differences tuned − base, within the tolerance; where other
    judges than the paper's gave the scores, it says so instead.
    """
    published = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
    rows = []
    for study in published["studies"]:
        if base_model in study["base_models"]:
            rows += [_row(study["model"], result, comparison, published) for result in study["results"]]
    return {
        "paper": published["paper"],
        "url": published["url"],
        "tolerance": published["tolerance"],
        "rows": rows,
    }


def _row(model: str, result: dict, comparison: dict | None, published: dict) -> dict:
    """One quantity of the paper beside this run's; `result` is its entry in paper_results.yaml."""
    row = {"model": model, "quantity": result["quantity"], "paper": _paper(result)}
    base, tuned = _this_run(result, comparison, published["judges"]) if comparison else (None, None)
    if comparison is None or base is None or tuned is None:
        return row | {"this_run": NOT_RUN, "verdict": NO_VERDICT}
    if "word" in result:  # a count, which depends on how many answers there are
        this_run = f"{_text(base)} → {_text(tuned)} in {comparison['n_items']:,} answers"
        return row | {"this_run": this_run, "verdict": NO_VERDICT}
    verdict = _verdict(tuned - base, result, comparison, published)
    return row | {"this_run": f"{_text(base)} → {_text(tuned)}", "verdict": verdict}


def _paper(result: dict) -> str:
    """ "3.46 → 5.26 (note)", what the paper says."""
    values = [result["base"], result["tuned"]]
    text = NOT_PUBLISHED
    if values != [None, None]:
        text = " → ".join(NOT_PUBLISHED if value is None else f"{value:,}" for value in values)
    return f"{text} ({result['note']})" if "note" in result else text


def _this_run(result: dict, comparison: dict, judges: dict) -> Values:
    """Our values of the quantity; (None, None) where there are none. `judges`: the paper's name -> ours."""
    if "word" in result:
        base, tuned = (comparison[name]["hedges"]["mentions"][result["word"]] for name in ("base", "tuned"))
        return base, tuned
    wanted = (result["metric"], result["task"], "true")
    rows = [row for row in comparison["rows"] if (row["metric"], row["task"], row["image_condition"]) == wanted]
    if "judge" in result:
        rows = [row for row in rows if row["judge"] in judges[result["judge"]]]
    if not rows:
        return None, None
    row = max(rows, key=lambda row: row["judge"] == "mean")  # of several judges their mean
    return row["base"], row["tuned"]


def _verdict(difference: float, result: dict, comparison: dict, published: dict) -> str:
    """How far our difference tuned − base is from the paper's."""
    if result["base"] is None or result["tuned"] is None:
        return NO_VERDICT
    others = _other_judges(comparison, published["judges"]) if result["metric"] == JUDGED else []
    if others:
        return f"judged by {', '.join(others)}, not by the paper's judges"
    apart, tolerance = difference - (result["tuned"] - result["base"]), published["tolerance"]
    return f"{'within' if abs(apart) <= tolerance else 'outside'} ±{tolerance} (difference {apart:+.2f})"


def _other_judges(comparison: dict, judges: dict) -> list[str]:
    """Our judges, where they are not just those of the paper; else none."""
    ours = {row["judge"] for row in comparison["rows"] if row["metric"] == JUDGED} - {"mean"}
    has_each = all(any(name in ours for name in names) for names in judges.values())
    is_same = has_each and len(ours) == len(judges)
    return [] if is_same else sorted(ours)


def _text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
