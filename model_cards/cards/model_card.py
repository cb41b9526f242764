"""The model card's text, from the result files of an evaluation run. Same files, same card."""

from dataclasses import asdict
from pathlib import Path

from model_cards.cards.commands import evaluation_commands, folders, training_commands
from model_cards.cards.evaluated_run import EvaluatedRun
from model_cards.cards.examples import Example
from model_cards.cards.front_matter import ALLOWED, Facts, Stated, front_matter
from model_cards.cards.reproduction import reproduction
from model_cards.cards.text import TEST_DOI, environment
from model_cards.preview.answers import PAGE
from model_cards.result_files import EVIDENCE
from trust.handovers import stamped

BY_TASK = ("judge_score", "rougeL", "length_ratio", "hedges_per_1k_words")
QUALITY = ("judge_score", "accuracy", "token_recall", "token_f1", "rougeL")
PARTS = {  # of comparison.json, made only when asked for
    "by_term_frequency": "scores by how often the terms were seen in training",
    "forgetting": "forgetting on a general-domain dataset",
    "transfer": "transfer to another domain",
}
CONDITIONS = {"blank": "an empty picture", "shuffled": "another article's picture", "none": "the caption, no picture"}


def render_card(run: EvaluatedRun, facts: Facts, plots: list[str], examples: list[Example]) -> str:
    """The card's text. `plots` are the names of the plots beside it, `examples` what it shows of the answers."""
    template = environment().get_template("model_card.md.jinja")
    return template.render(
        front=front_matter(run.manifest, run.scores, facts),
        facts=facts,
        paper=reproduction(run.comparison, facts["base_model"]),
        plots=plots,
        examples=examples,
        **_commands(run, facts),
        answers_page=PAGE,
        synthetic=synthetic_share(run.folder),
        **_result_files(run),
        **_result_tables(run),
        allowed=ALLOWED,
        main_rows=_main_rows,
        quality=QUALITY,
        conditions=CONDITIONS,
    )


def describe_card(stated: Stated, plots: list[str], examples: list[Example]) -> dict:
    """The content of card.json (`card_file.Card`): what `render_card` was given besides the run's files."""
    shown = [{"example_id": example["example_id"], "picture": example["picture"]} for example in examples]
    return stamped({**asdict(stated), "tags": list(stated.tags), "plots": plots, "examples": shown})


def _commands(run: EvaluatedRun, facts: Facts) -> dict:
    """What ran, to be typed again, as the template's variables."""
    evaluation = evaluation_commands(run.manifest, run.scores, run.comparison, facts)
    return {
        "training": training_commands(run.manifest, facts),
        "evaluation": evaluation,
        "folders": folders(run.manifest, run.comparison, facts),
        "served": any("--base_url" in words for words in evaluation),
    }


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
    """The result table, true pictures: of the comparison, else of the run alone; judges first, then the metrics in the
    order of the file."""
    rows = run.comparison["rows"] if run.comparison else run.scores["scores"]
    shown = [row for row in rows if row["image_condition"] == "true" and row["n"]]
    order = list(dict.fromkeys(row["metric"] for row in sorted(shown, key=lambda row: row["judge"] is None)))
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


def synthetic_share(folder: Path) -> float:
    """Share of the evaluated figures that come from made-up articles (test DOIs); 0 where no DOI is known."""
    dois = [row.get("doi") for row in EVIDENCE.rows(folder / "evidence.jsonl")]
    if not dois:
        return 0.0
    made_up = [doi for doi in dois if doi and doi.startswith(TEST_DOI)]
    return len(made_up) / len(dois)
