"""The model card's text, from the result files of an evaluation run. Same files, same card."""

import hashlib
from pathlib import Path

from model_cards.cards.evaluated_run import EvaluatedRun
from model_cards.cards.front_matter import ALLOWED, Facts, front_matter
from model_cards.cards.reproduction import reproduction
from model_cards.cards.text import METRICS, TEST_DOI, environment, quote
from model_cards.result_files import EVIDENCE, PAIRED, PREDICTIONS, Prediction
from trust.licenses import of_row, permits

BY_TASK = ("judge_score", "rougeL", "length_ratio", "hedges_per_1k_words")
QUALITY = ("judge_score", "accuracy", "token_recall", "token_f1", "rougeL")
PARTS = {  # of comparison.json, made only when asked for
    "by_term_frequency": "scores by how often the terms were seen in training",
    "forgetting": "forgetting on a general-domain dataset",
    "transfer": "transfer to another domain",
}
CONDITIONS = {"blank": "an empty picture", "shuffled": "another article's picture", "none": "the caption, no picture"}
N_EXAMPLES = 3


def render_card(run: EvaluatedRun, facts: Facts, plots: list[str]) -> str:
    """The card's text. `plots` are the names of the plots beside it."""
    template = environment().get_template("model_card.md.jinja")
    return template.render(
        front=front_matter(run.manifest, run.scores, facts),
        facts=facts,
        paper=reproduction(run.comparison, facts["base_model"]),
        plots=plots,
        examples=examples(run.folder),
        synthetic=synthetic_share(run.folder),
        **_result_files(run),
        **_result_tables(run),
        allowed=ALLOWED,
        main_rows=_main_rows,
        quality=QUALITY,
        conditions=CONDITIONS,
    )


def _result_files(run: EvaluatedRun) -> dict:
    """The run's files as the template's variables."""
    return {
        "manifest": run.manifest,
        "lineage": run.manifest["lineage"] or {"phases": []},
        "scores": run.scores,
        "settings": run.scores["settings"],
        "comparison": run.comparison,
        "human": run.human,
    }


def _result_tables(run: EvaluatedRun) -> dict:
    """The rows of the card's tables, and what there are no rows of, as the template's variables."""
    result = _result_rows(run)
    by_task = [row for row in _main_rows(result, BY_TASK) if row["task"] != "all"]
    gaps = [row for row in _main_rows(run.scores["image_gaps"], QUALITY) if row["task"] == "all" and row["n"]]
    return {
        "result": result,
        "by_task": by_task,
        "unscored": _unscored(run.scores["scores"]),
        "gaps": gaps,
        "home": _home_rows(run),
        "not_run": not_run(run),
    }


def _result_rows(run: EvaluatedRun) -> list[dict]:
    """The result table, true pictures: of the comparison, else of the run alone; the card's metrics in its order."""
    rows = run.comparison["rows"] if run.comparison else run.scores["scores"]
    order = list(METRICS)
    shown = [row for row in rows if row["image_condition"] == "true" and row["metric"] in METRICS and row["n"]]
    return sorted(shown, key=lambda row: (order.index(row["metric"]), row["judge"] != "mean"))


def _main_rows(rows: list[dict], metrics: tuple[str, ...]) -> list[dict]:
    """Rows of some metrics; of several judges only their mean."""
    several = any(row["judge"] == "mean" for row in rows)
    return [row for row in rows if row["metric"] in metrics and (row["judge"] in (None, "mean") or not several)]


def _unscored(rows: list[dict]) -> list[dict]:
    """The rows of metrics that some answers to the true pictures do not have."""
    overall = [row for row in rows if _is_overall(row)]
    return [row for row in overall if row["n_unscored"] and row["n"] and row["judge"] != "mean"]


def _home_rows(run: EvaluatedRun) -> list[dict]:
    """The comparison over all tasks as rows of its transfer table."""
    if not run.comparison:
        return []
    where = {key: run.manifest[key] for key in ("dataset", "tasks")}
    return [where | row for row in run.comparison["rows"] if _is_overall(row)]


def _is_overall(row: dict) -> bool:
    """Whether a row is over all tasks, and of the true pictures."""
    return row["task"] == "all" and row["image_condition"] == "true"


def not_run(run: EvaluatedRun) -> list[str]:
    """What an evaluation can have and this one has not, in the words of the card."""
    absent = []
    if not run.scores["image_gaps"]:
        absent.append("reliance on the picture (answers to an empty or another article's picture)")
    if not run.scores["judges"]:
        absent.append("judges")
    if run.human is None:
        absent.append("human check")
    for part, words in PARTS.items():
        if run.comparison is None or run.comparison[part] is None:
            absent.append(words)
    return absent


def examples(folder: Path) -> list[dict]:
    """A few held-out items, drawn by the hash of their id (not by their score), of rows whose licence lets us quote.

    {"task", "figure_id", "rows": [(name, text)]}; the base model's answer is among the rows where it was compared.
    """
    base_answers = {item["example_id"]: item["base_answer"] for item in PAIRED.rows(folder / "paired_items.jsonl")}
    quotable = {row["example_id"]: row for row in PREDICTIONS.rows(folder / "predictions.jsonl") if _is_quotable(row)}
    drawn = sorted(quotable, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:N_EXAMPLES]
    return [_example(quotable[name], base_answers.get(name)) for name in drawn]


def _is_quotable(prediction: Prediction) -> bool:
    if prediction["image_condition"] != "true" or prediction["prediction"] is None:
        return False
    return permits("commercial", of_row(prediction))


def _example(prediction: Prediction, base_answer: str | None) -> dict:
    answers = [("answer", prediction["prediction"] or "")]
    if base_answer is not None:
        answers = [("base", base_answer), ("tuned", prediction["prediction"] or "")]
    asked = [("question", prediction["question"]), ("reference", prediction["reference"])]
    return {
        "task": prediction["task"],
        "figure_id": prediction["figure_id"],
        "rows": [(name, quote(text)) for name, text in asked + answers],
    }


def synthetic_share(folder: Path) -> float:
    """Share of the evaluated figures that come from made-up articles (test DOIs); 0 where no DOI is known."""
    dois = [row.get("doi") for row in EVIDENCE.rows(folder / "evidence.jsonl")]
    if not dois:
        return 0.0
    made_up = [doi for doi in dois if doi and doi.startswith(TEST_DOI)]
    return len(made_up) / len(dois)
