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
    from evaluation.comparing.scored_runs import Run

COMPARISON, PAIRED = "comparison.json", "paired_items.jsonl"
# Settings that may differ (a comparison of two token limits is one, too) but must then be seen.
NOTED = ("backend", "generation", "chat_template_sha256", "processor")


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
    from dataset_builder.files.jsonfiles import write_json, write_jsonl
    from evaluation.comparing.comparison_text import overview_text, sentences, table_text
    from evaluation.comparing.other_domains import check_domains
    from evaluation.comparing.scored_runs import check_comparable, pair, read_run

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
        tables = [table_text(comparison)] if len(tuned_runs) == 1 else []
        texts.append("\n".join([*tables, *sentences(comparison), str(output / COMPARISON)]))
    return "\n\n".join([overview_text(overview), *texts] if len(tuned_runs) > 1 else texts)


def compare_two(base: "Run", tuned: "Run", paired: list[dict]) -> dict:
    """Every metric of the two runs' paired items, and what the two runs are: the part that is always there."""
    from evaluation.comparing.comparison_text import headline

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
    from dataset_builder.files.jsonfiles import read_jsonl
    from evaluation.comparing.judged_pairs import hedge_by_correctness, judges_on_delta, pairwise_verdicts
    from evaluation.comparing.other_domains import domain_rows
    from evaluation.comparing.scored_runs import true_pictures
    from evaluation.comparing.term_frequency import by_term_frequency
    from evaluation.judging.pairwise import LEDGER

    interval, items = tuned.scores["settings"]["interval"], true_pictures(paired)
    references = {item["example_id"]: tuned.predictions["true", item["example_id"]]["reference"] for item in items}
    return {
        "judges_on_delta": judges_on_delta(items, interval),
        "pairwise": pairwise_verdicts(list(read_jsonl(tuned.folder / LEDGER)), items),
        "hedge_by_correctness": hedge_by_correctness(items),
        "by_term_frequency": None if answers is None else by_term_frequency(items, references, answers, interval),
        "forgetting": domain_rows(general, base, tuned) or None,
        "transfer": domain_rows(transfer, base, tuned) or None,
    }


def compare_rows(paired: list[dict], settings: dict) -> list[dict]:
    """Rows of comparison.json: every metric of every image condition, task and judge that both runs have."""
    from evaluation.comparing.scored_runs import contrast_paired
    from evaluation.score import by_group

    return [
        {"task": task, "image_condition": condition, **row}
        for (condition, task), group in by_group(paired).items()
        for row in contrast_paired(group, settings["interval"])
    ]


def overview_rows(runs: list["Run"]) -> list[dict]:
    """Each run's own scores with the true pictures: run, model, metric, task, judge, value, interval, n.

    Of judges only those of all runs; their mean only where no run has another judge, too.
    """
    panels = [{judge["judge"] for judge in run.scores["judges"]} for run in runs]
    judges = {None, *set.intersection(*panels), *(["mean"] * all(panel == panels[0] for panel in panels))}
    columns = ("metric", "task", "judge", "value", "ci_low", "ci_high", "n")
    return [
        {"run": name, "model": run.manifest["model"], **{column: row[column] for column in columns}}
        for name, run in zip(_names(runs), runs, strict=True)
        for row in run.scores["scores"]
        if row["image_condition"] == "true" and row["judge"] in judges
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
    from evaluation.answering.questions import load_answers

    return load_answers(dataset, "train", base.manifest["tasks"])


def _who(run: "Run") -> dict:
    """What the card says of a run: which model on which data, and its hedges (first image condition, all tasks)."""
    keys = ("model", "revision", "adapter_of", "dataset", "dataset_revision", "split", "generation", "image_conditions")
    hedges = [row["settings"] for row in run.scores["scores"] if row["metric"] == "hedges_per_1k_words"]
    counts = {key: hedges[0][key] for key in ("by_word", "mentions", "reference_value")}
    return {**{key: run.manifest[key] for key in keys}, "hedges": counts}
