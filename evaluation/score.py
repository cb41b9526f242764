"""RUN/predictions.jsonl (+ evidence.jsonl, judgements.jsonl) -> RUN/scores.json and RUN/per_item_scores.jsonl.

    ldrt score runs/tuned

`ldrt card runs/tuned` then shows the answers themselves, one by one, on a page (answers.html).

Every answer is measured first and saved; means, intervals and the gaps between image conditions come from those rows.
"""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dataset_builder.files.jsonfiles import write_json, write_jsonl, write_lines
from evaluation import run_folder
from evaluation.scoring.tables import interval_notes, interval_text, metric_text, number_text, text_table
from trust.handovers import stamped


@dataclass
class Options:
    run: str = field(metadata={"help": "run folder made by `ldrt generate`", "positional": True, "path": "run folder"})
    rouge_tokenizer: Literal["unicode", "google"] = field(
        default="unicode", metadata={"help": "google: the values of rouge_score, for comparison with papers"}
    )


def run(options: Options) -> str:
    """Score a run folder; returns the table. Raises FileNotFoundError without a run, ValueError without answers."""
    from evaluation.judgements import counted, outdated_judges, read_judgements
    from evaluation.judging.panel import describe_judges, judge_agreement
    from evaluation.scoring.items import measure_all, row_of_item
    from evaluation.scoring.rows import gap_rows, score_rows, settings_of

    folder = Path(options.run)
    manifest = run_folder.read_manifest(folder)
    predictions = run_folder.read_predictions(folder)
    if all(record["prediction"] is None for record in predictions):
        raise ValueError(
            f"{folder}/{run_folder.PREDICTIONS} has no answers: run `ldrt generate --output {folder}` first"
        )
    given = read_judgements(folder)
    judgements = counted(given, predictions)
    items = measure_all(predictions, run_folder.read_evidence(folder), judgements, options.rouge_tokenizer)
    write_jsonl(folder / run_folder.ITEMS, map(stamped, map(row_of_item, items)))
    settings = settings_of(options.rouge_tokenizer)
    answers = run_folder.count_answers(predictions)
    words = {item.place: item.scores.metrics["words"] for item in items}
    scores = {
        "settings": settings,
        "inputs": run_folder.input_hashes(folder),
        "answers": answers,
        "scores": score_rows(items, predictions, settings),
        "image_gaps": gap_rows(items),
        "judges": describe_judges(judgements, words, manifest.get("teachers", {})),
        "judge_agreement": judge_agreement(items),
    }
    write_json(folder / run_folder.SCORES, stamped(scores))
    warnings = [
        f"Warning: {judge} judged other answers than those here: run `ldrt judge` again"
        for judge in outdated_judges(given, judgements)
    ]
    warnings += _failed_warnings(answers)
    conditions = (record["image_condition"] for record in predictions)
    return _summary(scores, folder, [*warnings, run_folder.unfinished(folder, manifest, conditions)])


def _failed_warnings(answers: dict[str, run_folder.Answers]) -> list[str]:
    """A line for each image condition with questions that have no answer."""
    return [
        f"Warning: {counts['failed']} of {counts['asked']} answers failed (image condition {condition}): "
        "the scores are of the others; `ldrt generate` asks them again"
        for condition, counts in answers.items()
        if counts["failed"]
    ]


def _summary(scores: dict, folder: Path, warnings: list[str]) -> str:
    """The table of all tasks together, the headline's gaps between image conditions, the judges, and what to know."""
    from evaluation.judging.panel import panel_text
    from evaluation.scoring.measures import ALL_TASKS, JUDGE
    from evaluation.scoring.rows import first_condition

    shown = first_condition(scores["scores"])
    full = folder / run_folder.SCORES_TEXT
    write_lines(full, [_table(shown), *interval_notes(shown)])
    in_short = [row for row in shown if row["task"] == ALL_TASKS] or shown
    gaps = []
    for row in scores["image_gaps"]:
        if row["task"] == ALL_TASKS and row["metric"] in ("rougeL", JUDGE):
            interval = row["no_interval"] or interval_text(row["ci_low"], row["ci_high"], True)
            gap = f"{number_text(row['delta'], True)} ({interval}; n {row['n']})"
            gaps.append(f"true picture against {row['versus']}, {metric_text(row)}: {gap}")
    judges = panel_text(scores["judges"], scores["judge_agreement"])
    typed = shlex.quote(str(folder))
    return "\n".join(
        filter(
            None,
            [
                *(_table(in_short), *interval_notes(in_short), *gaps, *judges, *warnings),
                f"open: {full} (each task and metric); {folder / run_folder.SCORES} for programs",
                f"next: ldrt compare BASE_RUN {typed}, or ldrt card {typed}",
            ],
        )
    )


def _table(rows: list[dict]) -> str:
    return text_table(["metric", "task", "value", "95 % interval", "n", "unit"], map(_cells, rows))


def _cells(row: dict) -> list[str]:
    interval = interval_text(row["ci_low"], row["ci_high"])
    return [metric_text(row), row["task"], number_text(row["value"]), interval, str(row["n"]), row["unit"]]
