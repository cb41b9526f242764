"""Scored run folders -> comparison.json: base against tuned, paired by example, clustered by article.

    ldrt compare runs/base runs/tuned
    ldrt compare runs/base runs/r32 runs/r64                 # each against the base, and all side by side
    ldrt compare runs/base runs/tuned --general "[runs/base-general, runs/tuned-general]"     # what tuning cost
    ldrt compare runs/base runs/tuned --train_dataset dataset                # by how often terms were seen in training

All must hold the same examples, references and dataset revision. `paired_items.jsonl` keeps both measurements of every
example, which the plots and any later question need.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.scored_runs import Run

COMPARISON, PAIRED = "comparison.json", "paired_items.jsonl"
# Settings that may differ (a comparison of two token limits is one, too) but must then be seen.
NOTED = ("generation", "chat_template_sha256", "processor")
HEADLINE = {
    "judge_score": "judge's score (0 to 10)",
    "rougeL": "ROUGE-L F",
}  # what the last line is about: the first of these that is scored


@dataclass
class Options:
    runs: list[str] = field(
        metadata={"help": "scored run folders: the base model's, then those of tuned models", "positional": True}
    )
    output: str | None = field(
        default=None, metadata={"help": "folder for comparison.json, of two runs only (default: each tuned run)"}
    )
    general: list[str] = field(
        default_factory=list,
        metadata={"help": "scored runs of the same models on a general-domain dataset: what tuning made them forget"},
    )
    transfer: list[str] = field(
        default_factory=list, metadata={"help": "scored runs of the same models on other domains: what carries over"}
    )
    train_dataset: str | None = field(
        default=None,
        metadata={"help": "Hub id or folder: scores by how often its training split has the terms asked about"},
    )


def run(options: Options) -> str:
    """Compare; returns the tables and one sentence for each tuned run.

    Raises FileNotFoundError for a run that is not scored, ValueError for runs that cannot be compared.
    """
    from dataset_builder.jsonfiles import write_json, write_jsonl
    from evaluation.other_domains import check_domains
    from evaluation.scored_runs import check_comparable, pair, read_run

    if len(options.runs) < 2 or (options.output and len(options.runs) > 2):
        raise ValueError("compare needs two run folders or more, the base model's first; --output is for two")
    base, *tuned_runs = (read_run(Path(folder)) for folder in options.runs)
    for tuned in tuned_runs:
        check_comparable(base, tuned)
    general, transfer = ([read_run(Path(folder)) for folder in given] for given in (options.general, options.transfer))
    check_domains(general + transfer, base, tuned_runs)
    answers = _training_answers(options.train_dataset, base)
    overview, texts = overview_rows([base, *tuned_runs]), []
    for tuned in tuned_runs:
        paired = pair(base, tuned)
        comparison = compare_two(base, tuned, paired) | {"overview": overview}
        comparison |= breakdowns(base, tuned, paired, general, transfer, answers)
        output = Path(options.output) if options.output else tuned.folder
        output.mkdir(parents=True, exist_ok=True)
        write_jsonl(output / PAIRED, paired)
        write_json(output / COMPARISON, comparison)
        texts.append(_summary(comparison, output))
    return "\n\n".join([*texts, _overview_text(overview)] if len(tuned_runs) > 1 else texts)


def compare_two(base: "Run", tuned: "Run", paired: list[dict]) -> dict:
    """Every metric of the two runs' paired items, and what the two runs are: the part that is always there."""
    rows = compare_rows(paired, tuned.scores["settings"])
    return {
        "headline": headline(rows),
        "n_items": sum(item["image_condition"] == "true" for item in paired),
        "base": _who(base),
        "tuned": _who(tuned),
        "settings": tuned.scores["settings"],
        "differences": {
            key: [base.manifest[key], tuned.manifest[key]] for key in NOTED if base.manifest[key] != tuned.manifest[key]
        },
        "rows": rows,
    }


def breakdowns(
    base: "Run",
    tuned: "Run",
    paired: list[dict],
    general: list["Run"],
    transfer: list["Run"],
    answers: list[str] | None,
) -> dict:
    """The further keys of comparison.json, of the true pictures; null where not asked for or without data."""
    from evaluation.judged_pairs import hedge_by_correctness, judges_on_delta
    from evaluation.other_domains import domain_rows
    from evaluation.scored_runs import true_pictures
    from evaluation.term_frequency import by_term_frequency

    interval, items = tuned.scores["settings"]["interval"], true_pictures(paired)
    references = {item["example_id"]: tuned.predictions["true", item["example_id"]]["reference"] for item in items}
    return {
        "judges_on_delta": judges_on_delta(items, interval) if items else None,
        "hedge_by_correctness": hedge_by_correctness(items),
        "by_term_frequency": by_term_frequency(items, references, answers, interval) if items and answers else None,
        "forgetting": domain_rows(general, base, tuned) or None,
        "transfer": domain_rows(transfer, base, tuned) or None,
    }


def compare_rows(paired: list[dict], settings: dict) -> list[dict]:
    """Rows of comparison.json: every metric of every image condition, task and judge that both runs have."""
    from evaluation.score import by_group
    from evaluation.scored_runs import contrast_paired

    return [
        {"task": task, "image_condition": condition, **row}
        for (condition, task), group in by_group(paired).items()
        for row in contrast_paired(group, settings["interval"])
    ]


def overview_rows(runs: list["Run"]) -> list[dict]:
    """Each run's own scores with the true pictures: run, model, metric, task, judge, value, interval, n."""
    columns = ("metric", "task", "judge", "value", "ci_low", "ci_high", "n")
    return [
        {"run": name, "model": run.manifest["model"], **{column: row[column] for column in columns}}
        for name, run in zip(_names(runs), runs, strict=True)
        for row in run.scores["scores"]
        if row["image_condition"] == "true"
    ]


def _names(runs: list["Run"]) -> list[str]:
    """The folders' names, with their parents' where two are called alike."""
    names = [run.folder.resolve().name for run in runs]
    return [
        f"{run.folder.resolve().parent.name}/{name}" if names.count(name) > 1 else name
        for name, run in zip(names, runs, strict=True)
    ]


def _training_answers(dataset: str | None, base: "Run") -> list[str] | None:
    """The training split's answers of the run's tasks; None where not asked for."""
    if dataset is None:
        return None
    from evaluation.questions import load_answers

    return load_answers(dataset, "train", base.manifest["tasks"])


def headline(rows: list[dict]) -> str:
    """One sentence about the first metric of `HEADLINE` that is there, over all tasks, with the true pictures."""
    from evaluation.tables import interval_text, number_text

    row = _headline_row(rows)
    if row is None:
        return ""
    verdict = "a difference that the interval does not tell from zero"
    if row["ci_low"] > 0 or row["ci_high"] < 0:
        verdict = "better than the base model" if row["delta"] > 0 else "worse than the base model"
    values = f"{number_text(row['tuned'])}, that of the base model {number_text(row['base'])}"
    change = f"{number_text(row['delta'], True)} (95 % interval {interval_text(row['ci_low'], row['ci_high'], True)})"
    name = HEADLINE[row["metric"]]
    return f"On {row['n']} held-out questions the {name} of the tuned model is {values}: {change}, {verdict}."


def _headline_row(rows: list[dict]) -> dict | None:
    """Of several judges their mean."""
    for name in HEADLINE:
        found = [row for row in rows if row["metric"] == name and row["task"] == "all" and row["ci_low"] is not None]
        found = [row for row in found if row["image_condition"] == "true"]
        if found:
            return max(found, key=lambda row: row["judge"] == "mean")
    return None


def _who(run: "Run") -> dict:
    """What the card says of a run: which model on which data, and its hedges (first image condition, all tasks)."""
    keys = ("model", "revision", "adapter_of", "dataset", "dataset_revision", "split", "generation", "image_conditions")
    hedges = [row["settings"] for row in run.scores["scores"] if row["metric"] == "hedges_per_1k_words"]
    counts = {key: hedges[0][key] for key in ("by_word", "mentions", "reference_value")}
    return {**{key: run.manifest[key] for key in keys}, "hedges": counts}


def _summary(comparison: dict, output: Path) -> str:
    from evaluation.score import first_condition
    from evaluation.tables import interval_text, metric_text, number_text, p_text, text_table

    lines = [
        [
            *(metric_text(row), row["task"], number_text(row["base"])),
            *(number_text(row["tuned"]), number_text(row["delta"], True)),
            *(interval_text(row["ci_low"], row["ci_high"], True), p_text(row["p_value"]), str(row["n"])),
        ]
        for row in first_condition(comparison["rows"])
    ]
    header = ["metric", "task", "base", "tuned", "delta", "95 % interval", "p", "n"]
    differences = [
        f"Note: {key} differs between the runs: {a} / {b}" for key, (a, b) in comparison["differences"].items()
    ]
    return "\n".join(
        filter(None, [text_table(header, lines), *differences, comparison["headline"], str(output / COMPARISON)])
    )


def _overview_text(overview: list[dict]) -> str:
    """The headline metrics of all runs, all tasks, side by side."""
    from evaluation.tables import interval_text, metric_text, number_text, text_table

    lines = [
        [
            *(row["run"], metric_text(row), number_text(row["value"])),
            *(interval_text(row["ci_low"], row["ci_high"]), str(row["n"])),
        ]
        for row in sorted(overview, key=lambda row: row["metric"])
        if row["task"] == "all" and row["metric"] in (*HEADLINE, "answer_words")
    ]
    return text_table(["run", "metric", "value", "95 % interval", "n"], lines)
