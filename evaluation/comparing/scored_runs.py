"""Scored run folders in memory: read, checked for what they must share, paired by example, contrasted."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Run:
    """A scored run folder."""

    folder: Path
    manifest: dict
    scores: dict  # scores.json
    items: dict[tuple[str, str], dict]  # (image condition, example) -> row of per_item_scores.jsonl
    predictions: dict[tuple[str, str], dict]  # the same keys -> newest record of predictions.jsonl


def read_run(folder: Path) -> Run:
    """Raises FileNotFoundError where it is not scored, ValueError where answers are newer than scores or unfinished."""
    from dataset_builder.files.jsonfiles import read_json, read_jsonl
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
        _check_same(f"{key} was scored with", base.scores["settings"][key], tuned.scores["settings"][key], base, tuned)
    _check_same_judges(base, tuned)
    shared = {condition for condition, _ in base.items} & {condition for condition, _ in tuned.items}
    if not shared:
        raise ValueError(f"not comparable: {base.folder} and {tuned.folder} have no image condition in common")
    ours, theirs = ({key for key in run.items if key[0] in shared} for run in (base, tuned))
    if ours != theirs:
        condition, example = min(ours ^ theirs)
        where = base.folder if (condition, example) in ours else tuned.folder
        raise ValueError(f"not comparable: example {example} (image condition {condition}) is in {where} only")
    for key in sorted(ours):
        if any(base.predictions[key][name] != tuned.predictions[key][name] for name in ("question", "reference")):
            raise ValueError(f"not comparable: question or reference of {key[1]} differ between the two runs")


def _check_same_judges(base: Run, tuned: Run) -> None:
    """A judge of both runs must be the same model, asked with the same rubric."""
    of_tuned = {judge["judge"]: judge for judge in tuned.scores["judges"]}
    for ours in base.scores["judges"]:
        if ours["judge"] not in of_tuned:
            continue
        theirs = of_tuned[ours["judge"]]
        for key in ("backend", "revision"):
            _check_same(f"{key} of judge {ours['judge']} is", ours[key], theirs[key], base, tuned)
        for task in sorted(ours["prompt_sha256"].keys() & theirs["prompt_sha256"].keys()):
            rubrics = (judge["prompt_sha256"][task] for judge in (ours, theirs))
            _check_same(f"judge {ours['judge']} used for {task} the rubric", *rubrics, base, tuned)


def _check_same(what: str, ours, theirs, base: Run, tuned: Run) -> None:
    if ours != theirs:
        raise ValueError(f"not comparable: {what} {ours} in {base.folder}, {theirs} in {tuned.folder}")


def pair(base: Run, tuned: Run) -> list[dict]:
    """Rows of paired_items.jsonl, sorted: example, question's identity, both measurements, both answers."""
    return [_pair(key, base, tuned) for key in sorted(base.items.keys() & tuned.items.keys())]


def contrast_paired(paired: list[dict], interval: dict, names: tuple[str, ...] | None = None) -> list[dict]:
    """Rows of `measures.contrast` of the metrics that both runs have; with `names`, of these metrics only.

    `interval` is that of a run's settings: `n_resamples` and `seed`.
    """
    from evaluation.score import shared_metrics
    from evaluation.scoring.measures import contrast

    base, tuned = ([{**item, "scores": item[name]} for item in paired] for name in ("base", "tuned"))
    metrics = [metric for metric in shared_metrics(base, tuned) if names is None or metric.name in names]
    return contrast(base, tuned, metrics, interval["n_resamples"], interval["seed"]) if metrics else []


def true_pictures(paired: list[dict]) -> list[dict]:
    """The items that were asked with their own picture."""
    return [item for item in paired if item["image_condition"] == "true"]


def _pair(key: tuple[str, str], base: Run, tuned: Run) -> dict:
    identity = {name: value for name, value in tuned.items[key].items() if name != "scores"}
    of_base, of_tuned = base.items[key]["scores"], tuned.items[key]["scores"]
    measured = {"base": _of_shared_judges(of_base, of_tuned), "tuned": _of_shared_judges(of_tuned, of_base)}
    answers = {f"{name}_answer": run.predictions[key]["prediction"] for name, run in (("base", base), ("tuned", tuned))}
    return {**identity, **measured, **answers}


def _of_shared_judges(scores: dict, others: dict) -> dict:
    """The measurements without judges that the other run does not have; the mean is of those that both have."""
    from evaluation.scoring.measures import JUDGE_MEAN

    if _judges(scores) == _judges(others):
        return scores
    shared = [column for column in _judges(scores) if column in others and column != f"judge:{JUDGE_MEAN}"]
    kept = {column: value for column, value in scores.items() if column not in _judges(scores) or column in shared}
    if len(shared) > 1:
        values = [scores[column] for column in shared]
        kept[f"judge:{JUDGE_MEAN}"] = None if None in values else sum(values) / len(values)
    return kept


def _judges(scores: dict) -> list[str]:
    return sorted(column for column in scores if column.startswith("judge:"))


def _key(record: dict) -> tuple[str, str]:
    return record["image_condition"], record["example_id"]
