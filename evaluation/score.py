"""RUN/predictions.jsonl (+ evidence.jsonl, judgements.jsonl) -> RUN/scores.json and RUN/per_item_scores.jsonl.

    ldrt score runs/tuned

Every answer is measured first and saved; means, intervals and the gaps between image conditions come from those rows.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PREDICTIONS, EVIDENCE, JUDGEMENTS = "predictions.jsonl", "evidence.jsonl", "judgements.jsonl"
ITEMS, SCORES = "per_item_scores.jsonl", "scores.json"
PAPER_HEDGES = ("appears", "possibly", "might")  # the words that arXiv 2501.15370 names


@dataclass
class Options:
    run: str = field(metadata={"help": "run folder made by `ldrt generate`", "positional": True})
    rouge_tokenizer: Literal["unicode", "google"] = field(
        default="unicode", metadata={"help": "google: the values of rouge_score, for comparison with papers"}
    )
    n_resamples: int = field(default=10_000, metadata={"help": "bootstrap resamples of the articles"})
    seed: int = field(default=0, metadata={"help": "of the bootstrap"})


def run(options: Options) -> str:
    """Score a run folder; returns the table. Raises FileNotFoundError without a run, ValueError without answers."""
    from dataset_builder.files.jsonfiles import read_json, read_jsonl, write_json, write_jsonl
    from evaluation.judging.panel import counted, describe_judges, judge_agreement, scores_of_answers
    from evaluation.metrics.hedging.lexicon import VERSION

    folder = Path(options.run)
    manifest = read_json(folder / "manifest.json", f"ldrt generate --output {folder}")
    predictions = latest(read_jsonl(folder / PREDICTIONS))
    if all(record["prediction"] is None for record in predictions):
        raise ValueError(f"{folder}/{PREDICTIONS} has no answers: run `ldrt generate --output {folder}` first")
    evidence = {row["figure_id"]: row for row in read_jsonl(folder / EVIDENCE)}
    given = list(read_jsonl(folder / JUDGEMENTS))
    judgements = counted(given, predictions)
    items = measure_all(predictions, evidence, judgements, options.rouge_tokenizer)
    write_jsonl(folder / ITEMS, items)
    settings = {
        "rouge": {"tokenizer": options.rouge_tokenizer, "stemmer": False, "measure": "fmeasure"},
        "hedging": {"lexicon_version": VERSION},
        "interval": {"level": 0.95, "n_resamples": options.n_resamples, "seed": options.seed, "clusters": "article_id"},
    }
    rows = score_rows(items, predictions, settings)
    scores = {
        "settings": settings,
        "inputs": input_hashes(folder),
        "scores": rows,
        "image_gaps": gap_rows(items, settings),
        "judges": describe_judges(judgements, items, manifest.get("teachers", {})),
        "judge_agreement": judge_agreement(items),
    }
    write_json(folder / SCORES, scores)
    outdated = sorted({record["judge"] for record in given} - {judge for judge, _ in scores_of_answers(judgements)})
    warnings = [f"Warning: {judge} judged other answers than those here: run `ldrt judge` again" for judge in outdated]
    return _summary(scores, folder, [*warnings, unfinished(folder, manifest, items)])


def latest(predictions: list[dict]) -> list[dict]:
    """One record for each image condition and example, in a fixed order: the newest one."""
    newest = {(record["image_condition"], record["example_id"]): record for record in predictions}
    return [newest[key] for key in sorted(newest)]


def measure_all(
    predictions: list[dict], evidence: dict[str, dict], judgements: list[dict], rouge_tokenizer: str
) -> list[dict]:
    """Rows of per_item_scores.jsonl: what example it is, and `scores`, column -> number, None where unscored.

    `judgements` are the records that count (`panel.counted`).
    """
    from evaluation.judging.panel import scores_of_answers
    from evaluation.scoring.measures import JUDGE_MEAN, measure

    given = scores_of_answers(judgements)
    items = []
    for prediction in predictions:
        condition, example = prediction["image_condition"], prediction["example_id"]
        of_judges = {judge: scores.get(example) for (judge, judged), scores in given.items() if judged == condition}
        if len(of_judges) > 1:
            known = [score for score in of_judges.values() if score is not None]
            of_judges[JUDGE_MEAN] = sum(known) / len(known) if len(known) == len(of_judges) else None
        columns = ("example_id", "figure_id", "article_id", "task", "image_condition")
        scores = measure(prediction, evidence.get(prediction["figure_id"]), rouge_tokenizer)
        scores |= {f"judge:{name}": score for name, score in of_judges.items()}
        items.append({**{column: prediction[column] for column in columns}, "scores": scores})
    return items


def metrics_of(items: list[dict]) -> list:
    """The metrics to report: fixed ones that some item has a number for, and one for each judge that was asked."""
    from evaluation.scoring.measures import METRICS, judge_metric

    judges = sorted({column.removeprefix("judge:") for item in items for column in item["scores"] if ":" in column})
    computed = [metric for metric in METRICS if any(item["scores"][metric.numerator] is not None for item in items)]
    return [*computed, *map(judge_metric, judges)]


def shared_metrics(first: list[dict], second: list[dict]) -> list:
    """The metrics that both have."""
    of_second = metrics_of(second)
    return [metric for metric in metrics_of(first) if metric in of_second]


def by_group(items: list[dict]) -> dict[tuple[str, str], list[dict]]:
    """(image condition, task or "all") -> items."""
    from evaluation.scoring.measures import ALL_TASKS, IMAGE_CONDITIONS

    groups: dict[tuple[str, str], list[dict]] = {}
    for item in sorted(items, key=lambda item: (IMAGE_CONDITIONS.index(item["image_condition"]), item["task"])):
        groups.setdefault((item["image_condition"], ALL_TASKS), []).append(item)
        groups.setdefault((item["image_condition"], item["task"]), []).append(item)
    return groups


def score_rows(items: list[dict], predictions: list[dict], settings: dict) -> list[dict]:
    """Rows of scores.json: every metric of every image condition, task and judge."""
    from evaluation.scoring.measures import summarise

    resampling, rows = settings["interval"], []
    for (condition, task), group in by_group(items).items():
        for row in summarise(group, metrics_of(group), resampling["n_resamples"], resampling["seed"]):
            used = settings["rouge"] if row["metric"].startswith("rouge") else {}
            if row["metric"] == "hedges_per_1k_words":
                used = settings["hedging"] | _hedge_details(group, predictions, condition, task, row["value"])
            rows.append({"task": task, "image_condition": condition, **row, "settings": used})
    return rows


def _hedge_details(group: list[dict], predictions: list[dict], condition: str, task: str, rate: float | None) -> dict:
    """The references' rate, the ratio to it, counts by word and category; `mentions` counts words in any context."""
    from evaluation.metrics.hedging.hedging_core import hedging
    from evaluation.scoring.measures import ALL_TASKS, count_mentions

    answers = [
        record["prediction"]
        for record in predictions
        if record["image_condition"] == condition
        and task in (ALL_TASKS, record["task"])
        and record["prediction"] is not None
    ]
    scored = [item["scores"] for item in group if item["scores"]["words"] is not None]
    n_words = sum(scores["reference_words"] for scores in scored)
    reference = 1000 * sum(scores["reference_hedges"] for scores in scored) / n_words if n_words else None
    found = hedging(answers)
    return {
        "reference_value": reference,
        "ratio_to_reference": rate / reference if reference and rate is not None else None,
        "by_word": found["by_word"],
        "by_category": found["by_category"],
        "mentions": {word: count_mentions(answers, word) for word in PAPER_HEDGES},
    }


def gap_rows(items: list[dict], settings: dict) -> list[dict]:
    """How much the true picture matters: (true − another image condition), paired by example, with its interval.

    Rows have `versus` (the other condition), `other` (its value), `true`, `delta` and so on. A gap to `shuffled` that
    is not above 0 says that the model does not use the picture.
    """
    from evaluation.scoring.measures import contrast

    groups, rows, resampling = by_group(items), [], settings["interval"]
    for (condition, task), group in groups.items():
        if condition == "true" or ("true", task) not in groups:
            continue
        true = {item["example_id"]: item for item in groups["true", task]}
        other = [item for item in group if item["example_id"] in true]
        shown = [true[item["example_id"]] for item in other]
        metrics = shared_metrics(other, shown)
        for row in contrast(other, shown, metrics, resampling["n_resamples"], resampling["seed"]) if other else []:
            values = {"true": row.pop("tuned"), "other": row.pop("base")}
            intervals = {"true_ci": row.pop("tuned_ci"), "other_ci": row.pop("base_ci")}
            rows.append({"task": task, "versus": condition, **row, **values, **intervals})
    return rows


def input_hashes(folder: Path) -> dict[str, str | None]:
    """sha256 of the files that scores are made from, so that old scores beside new answers are noticed."""
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() if (folder / name).exists() else None
        for name in (PREDICTIONS, EVIDENCE, JUDGEMENTS)
    }


def first_condition(rows: list[dict]) -> list[dict]:
    """What a terminal shows: the rows of the true pictures, or of the first condition there is; files have them all."""
    return [row for row in rows if row["image_condition"] == rows[0]["image_condition"]]


def unfinished(folder: Path, manifest: dict, items: list[dict]) -> str:
    """ "true: 57 of 120 answered" for each image condition that `ldrt generate` has not finished, or ""."""
    answered = Counter(item["image_condition"] for item in items)
    expected = {condition: entry["items"] for condition, entry in manifest["image_conditions"].items()}
    short = [f"{c}: {answered[c]} of {n} answered" for c, n in expected.items() if answered[c] < n]
    return f"{folder} is not finished ({'; '.join(short)}): run `ldrt generate` again" if short else ""


def _summary(scores: dict, folder: Path, warnings: list[str]) -> str:
    from evaluation.judging.panel import panel_text
    from evaluation.scoring.tables import interval_text, metric_text, number_text, text_table

    lines = [
        [
            *(metric_text(row), row["task"], number_text(row["value"])),
            *(interval_text(row["ci_low"], row["ci_high"]), str(row["n"]), row["unit"]),
        ]
        for row in first_condition(scores["scores"])
    ]
    table = text_table(["metric", "task", "value", "95 % interval", "n", "unit"], lines)
    gaps = [
        f"true picture against {row['versus']}, {metric_text(row)}: {number_text(row['delta'], True)} "
        f"({interval_text(row['ci_low'], row['ci_high'], True)}, n {row['n']})"
        for row in scores["image_gaps"]
        if row["task"] == "all" and row["metric"] in ("rougeL", "judge_score")
    ]
    judges = panel_text(scores["judges"], scores["judge_agreement"])
    return "\n".join(filter(None, [table, *gaps, *judges, str(folder / SCORES), *warnings]))
