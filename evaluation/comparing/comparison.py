"""What comparison.json holds: two runs side by side, and the overview of all."""

from collections.abc import Mapping
from typing import Any, TypedDict

from evaluation.comparing.conclusion import Conclusion, FailedControls, conclude, headline, headline_row
from evaluation.comparing.judged_pairs import hedge_by_correctness, judges_on_delta, pairwise_verdicts
from evaluation.comparing.other_domains import domain_rows
from evaluation.comparing.scored_runs import PairedItem, Run, contrast_paired, true_pictures
from evaluation.comparing.term_frequency import by_term_frequency
from evaluation.judgements import Verdict
from evaluation.judging.panel import failed_controls
from evaluation.run_folder import TRUE_PICTURE, count_answers
from evaluation.scoring.measures import JUDGE_MEAN
from evaluation.scoring.rows import HEDGE_RATE, by_group

# Settings that may differ (a comparison of two token limits is one, too) but must then be seen.
NOTED = ("backend", "generation", "chat_template_sha256", "processor")
_OF_OVERVIEW = ("metric", "label", "task", "judge", "value", "ci_low", "ci_high", "no_interval", "n", "n_unscored")
_OF_MODEL = (
    "model",
    "revision",
    "adapter_of",
    "dataset",
    "dataset_revision",
    "split",
    "generation",
    "image_conditions",
)
_OF_HEDGES = ("by_word", "mentions", "reference_value")


class Others(TypedDict):
    """What a comparison may use besides the two runs."""

    general: list[Run]  # of the same models on a general-domain dataset
    transfer: list[Run]  # of the same models on other domains
    answers: list[str] | None  # of the training split; None: not asked for


def compare_two(base: Run, tuned: Run, paired: list[PairedItem]) -> dict:
    """Every metric of the two runs' paired items, and what the two runs are: the part that is always there."""
    rows = compare_rows(paired)
    n_asked = len(true_pictures(paired))
    failing = _failed_controls(base, tuned, rows)
    return {
        "headline": headline(rows, failing),
        "conclusion": _conclusion(rows, failing),
        "n_items": n_asked,
        "base": _who(base),
        "tuned": _who(tuned),
        "settings": tuned.scores["settings"],
        "differences": _differences(base.manifest, tuned.manifest),
        "rows": rows,
    }


def _differences(base: Mapping[str, Any], tuned: Mapping[str, Any]) -> dict[str, list]:
    """The settings that are not the same. The tuned model's processor for both is the same."""
    found = {key: [base[key], tuned[key]] for key in NOTED if base[key] != tuned[key]}
    if tuned["processor"] is None and base["processor"] == tuned["model"]:
        found.pop("processor", None)
    return found


def _conclusion(rows: list[dict], failing: FailedControls) -> Conclusion | None:
    row = headline_row(rows)
    return conclude(row, failing) if row else None


def _failed_controls(base: Run, tuned: Run, rows: list[dict]) -> FailedControls:
    """Of the judges that scored both runs."""
    of_both = {row["judge"] for row in rows}
    found: dict[str, list[str]] = {}
    for judge in [*base.scores["judges"], *tuned.scores["judges"]]:
        if judge["judge"] in of_both:
            names = found.setdefault(judge["judge"], [])
            names += [name for name in failed_controls(judge) if name not in names]
    return {judge: names for judge, names in found.items() if names}


def breakdowns(base: Run, tuned: Run, paired: list[PairedItem], verdicts: list[Verdict], others: Others) -> dict:
    """The further keys of comparison.json, of the true pictures; null where not asked for or without data.

    `verdicts` are rows of the tuned run's pairwise.jsonl.
    """
    items = true_pictures(paired)
    frequency = None
    if others["answers"] is not None:
        references = {item.example_id: tuned.predictions[item.item.place]["reference"] for item in items}
        frequency = by_term_frequency(items, references, others["answers"])
    return {
        "judges_on_delta": judges_on_delta(items),
        "pairwise": pairwise_verdicts(verdicts, items),
        "hedge_by_correctness": hedge_by_correctness(items),
        "by_term_frequency": frequency,
        "forgetting": domain_rows(others["general"], base, tuned) or None,
        "transfer": domain_rows(others["transfer"], base, tuned) or None,
    }


def compare_rows(paired: list[PairedItem]) -> list[dict]:
    """Rows of comparison.json: every metric of every image condition, task and judge that both runs have."""
    rows = []
    for (condition, task), group in by_group(paired).items():
        found = contrast_paired(group)
        rows += [{"task": task, "image_condition": condition, **row} for row in found]
    return rows


def overview_rows(runs: list[Run]) -> list[dict]:
    """Each run's own scores with the true pictures: run, model, metric, task, judge, value, interval, n.

    Of judges only those of all runs; their mean only where no run has another judge, too.
    """
    panels = [{judge["judge"] for judge in run.scores["judges"]} for run in runs]
    shown: set[str | None] = {None, *set.intersection(*panels)}
    if all(panel == panels[0] for panel in panels):
        shown.add(JUDGE_MEAN)
    rows = []
    for name, run in zip(_names(runs), runs, strict=True):
        for row in run.scores["scores"]:
            if row["image_condition"] == TRUE_PICTURE and row["judge"] in shown:
                values = {column: row.get(column) for column in _OF_OVERVIEW}  # no label in files of before
                rows.append({"run": name, "model": run.manifest["model"], **values})
    return rows


def _names(runs: list[Run]) -> list[str]:
    """The folders' names, with their parents' where two are called alike."""
    folders = [run.folder.resolve() for run in runs]
    names = [folder.name for folder in folders]
    return [
        f"{folder.parent.name}/{folder.name}" if names.count(folder.name) > 1 else folder.name for folder in folders
    ]


def _who(run: Run) -> dict:
    """What the card says of a run: which model on which data, how many answers failed (true pictures), and its hedges
    (first image condition, all tasks)."""
    hedges = next(row["settings"] for row in run.scores["scores"] if row["metric"] == HEDGE_RATE)
    return {
        **{key: run.manifest[key] for key in _OF_MODEL},
        "answers": count_answers(run.predictions.values()).get(TRUE_PICTURE, {"asked": 0, "failed": 0}),
        "hedges": {key: hedges[key] for key in _OF_HEDGES},
    }
