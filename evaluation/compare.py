"""Two run folders -> comparison.json: base against tuned, paired by example, clustered by article.

    ldrt compare runs/base runs/tuned

Both must hold the same examples, references and dataset revision. `paired_items.jsonl` keeps both measurements of every
example, which the plots and any later question need.
"""

from dataclasses import dataclass, field
from pathlib import Path

COMPARISON, PAIRED = "comparison.json", "paired_items.jsonl"
# Settings that may differ (a comparison of two token limits is one, too) but must then be seen.
NOTED = ("generation", "chat_template_sha256", "processor")
HEADLINE = {
    "judge_score": "judge's score (0 to 10)",
    "rougeL": "ROUGE-L F",
}  # what the last line is about: the first of these that is scored


@dataclass
class Options:
    base_run: str = field(metadata={"help": "run folder of the base model, scored", "positional": True})
    tuned_run: str = field(metadata={"help": "run folder of the tuned model, scored", "positional": True})
    output: str | None = field(default=None, metadata={"help": "folder for comparison.json (default: the tuned run)"})


@dataclass
class Run:
    """A scored run folder."""

    folder: Path
    manifest: dict
    scores: dict  # scores.json
    items: dict[tuple[str, str], dict]  # (image condition, example) -> row of per_item_scores.jsonl
    predictions: dict[tuple[str, str], dict]  # the same keys -> newest record of predictions.jsonl


def run(options: Options) -> str:
    """Compare; returns the table and one sentence.

    Raises FileNotFoundError for a run that is not scored, ValueError for runs that cannot be compared.
    """
    from dataset_builder.jsonfiles import write_json, write_jsonl

    base, tuned = read_run(Path(options.base_run)), read_run(Path(options.tuned_run))
    check_comparable(base, tuned)
    keys = sorted(base.items.keys() & tuned.items.keys())
    paired = [_pair(key, base, tuned) for key in keys]
    rows = compare_rows(paired, tuned.scores["settings"])
    comparison = {
        "headline": headline(rows),
        "n_items": sum(condition == "true" for condition, _ in keys),
        "base": _who(base),
        "tuned": _who(tuned),
        "settings": tuned.scores["settings"],
        "differences": {
            key: [base.manifest[key], tuned.manifest[key]] for key in NOTED if base.manifest[key] != tuned.manifest[key]
        },
        "rows": rows,
    }
    output = Path(options.output or options.tuned_run)
    output.mkdir(parents=True, exist_ok=True)
    write_jsonl(output / PAIRED, paired)
    write_json(output / COMPARISON, comparison)
    return _summary(comparison, output)


def read_run(folder: Path) -> Run:
    """Raises FileNotFoundError where it is not scored, ValueError where answers are newer than scores or unfinished."""
    from dataset_builder.jsonfiles import read_json, read_jsonl
    from evaluation.score import ITEMS, PREDICTIONS, SCORES, input_hashes, latest, unfinished

    manifest = read_json(folder / "manifest.json", f"ldrt generate --output {folder}")
    scores = read_json(folder / SCORES, f"ldrt score {folder}")
    if scores["inputs"] != input_hashes(folder):
        raise ValueError(f"{folder}: answers or judgements are newer than its scores: run `ldrt score {folder}` again")
    items = list(read_jsonl(folder / ITEMS))
    warning = unfinished(folder, manifest, items)
    if warning:
        raise ValueError(warning)
    predictions = {_key(record): record for record in latest(read_jsonl(folder / PREDICTIONS))}
    return Run(folder, manifest, scores, {_key(item): item for item in items}, predictions)


def check_comparable(base: Run, tuned: Run) -> None:
    """Raises ValueError naming the first thing in which two runs differ that they must share."""
    for key in ("dataset_revision", "split"):
        if base.manifest[key] != tuned.manifest[key]:
            ours, theirs = base.manifest[key], tuned.manifest[key]
            raise ValueError(f"not comparable: {key} is {ours} in {base.folder}, {theirs} in {tuned.folder}")
    for key in ("rouge", "hedging"):
        ours, theirs = base.scores["settings"][key], tuned.scores["settings"][key]
        if ours != theirs:
            raise ValueError(
                f"not comparable: {key} was scored with {ours} in {base.folder}, {theirs} in {tuned.folder}"
            )
    shared = {condition for condition, _ in base.items} & {condition for condition, _ in tuned.items}
    if not shared:
        raise ValueError(f"not comparable: {base.folder} and {tuned.folder} have no image condition in common")
    ours, theirs = ({key for key in run.items if key[0] in shared} for run in (base, tuned))
    if ours != theirs:
        condition, example = min(ours ^ theirs)
        where = base.folder if (condition, example) in ours else tuned.folder
        raise ValueError(f"not comparable: example {example} (image condition {condition}) is in {where} only")
    changed = [
        key
        for key in sorted(ours)
        if any(base.predictions[key][name] != tuned.predictions[key][name] for name in ("question", "reference"))
    ]
    if changed:
        raise ValueError(f"not comparable: question or reference of {changed[0][1]} differ between the two runs")


def compare_rows(paired: list[dict], settings: dict) -> list[dict]:
    """Rows of comparison.json: every metric of every image condition, task and judge that both runs have."""
    from evaluation.measures import contrast
    from evaluation.score import by_group, shared_metrics

    resampling, rows = settings["interval"], []
    for (condition, task), group in by_group(paired).items():
        base, tuned = ([{**item, "scores": item[name]} for item in group] for name in ("base", "tuned"))
        for row in contrast(base, tuned, shared_metrics(base, tuned), resampling["n_resamples"], resampling["seed"]):
            rows.append({"task": task, "image_condition": condition, **row})
    return rows


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


def _key(record: dict) -> tuple[str, str]:
    return record["image_condition"], record["example_id"]


def _pair(key: tuple[str, str], base: Run, tuned: Run) -> dict:
    """A row of paired_items.jsonl: the example, both measurements, both answers."""
    identity = {name: value for name, value in tuned.items[key].items() if name != "scores"}
    measured = {"base": base.items[key]["scores"], "tuned": tuned.items[key]["scores"]}
    answers = {f"{name}_answer": run.predictions[key]["prediction"] for name, run in (("base", base), ("tuned", tuned))}
    return {**identity, **measured, **answers}


def _who(run: Run) -> dict:
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
