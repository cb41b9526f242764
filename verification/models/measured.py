"""Answers measured again, and what follows from them, scores.json and comparison.json, beside what was published."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from evaluation.comparing.comparison import NOTED, breakdowns, compare_two, overview_rows
from evaluation.comparing.scored_runs import Run, pair
from evaluation.judgements import Judgement, counted
from evaluation.judging.panel import describe_judges, judge_agreement
from evaluation.run_folder import Place, Prediction, Said, count_answers, place
from evaluation.scoring.items import ScoredItem, columns_of, item_of_row, measure_all
from evaluation.scoring.rows import gap_rows, score_rows, settings_of
from verification.differences import differences, is_same, shown
from verification.models.published import Published, PublishedPair
from verification.report import Check, judged, not_checked

_ITEMS = "answers: each measurement (per_item_scores.jsonl) made again from the answer and the judgements"
_SCORES = "scores.json: every value, interval and count made again from the measurements"
_PAIRS = "pairs: what the base model's answers are worth (paired_items.jsonl), measured again"
_COMPARISON = "comparison.json: every difference made again from the pairs"
_ELSEWHERE = {  # keys of comparison.json that other runs and datasets are needed for
    "by_term_frequency": "needs the training split's answers",
    "forgetting": "needs the runs on the general-domain dataset",
    "transfer": "needs the runs on the other datasets",
}


# What the base run's judge made of controls is not published beside the tuned run.
_NO_CONTROLS: dict[str, Any] = {"controls": {}, "injected": None, "retest": None}
_DISTRUSTED = "fails its controls"  # in `why` of a conclusion


# ---- one run


def measure_again(published: Published) -> list[ScoredItem]:
    """Every answer; of one whose reference is not known what was published of it."""
    judgements = counted(published.judgements, published.predictions)
    tokenizer = published.scores["settings"]["rouge"]["tokenizer"]
    measured = measure_all(published.predictions, published.evidence, judgements, tokenizer)
    return [_or_published(item, published) for item in measured]


def _or_published(item: ScoredItem, published: Published) -> ScoredItem:
    row = published.items.get(item.place)
    if item.place not in published.bare or row is None:
        return item
    known = item_of_row(row)
    return ScoredItem(**{**vars(known), "scores": type(known.scores)(known.scores.metrics, item.scores.judges)})


def check_items(published: Published, items: list[ScoredItem]) -> list[Check]:
    """Each row of per_item_scores.jsonl, and how many could not be measured again."""
    if not published.items:
        return [not_checked(_ITEMS, "there is no results/per_item_scores.jsonl: published by an earlier version")]
    checks = [judged(_ITEMS, _wrong_items(published, items))]
    if published.bare:
        why = (
            f"{len(published.bare)} of {len(published.predictions)} are published without question and reference, and "
            "the dataset that has them is not at hand: for these, the measurements that were published stand"
        )
        checks.append(not_checked("answers: the measurements of rows that may not be quoted", why))
    return checks


def _wrong_items(published: Published, items: list[ScoredItem]) -> Iterator[str]:
    places = {item.place for item in items}
    yield from (f"{_said(one)} is measured and has no answer" for one in sorted(published.items.keys() - places))
    for item in items:
        row = published.items.get(item.place)
        if row is None:
            yield f"{_said(item.place)} has an answer and no measurements"
            continue
        yield from _wrong_columns(row["scores"], columns_of(item.scores), _said(item.place))


def _wrong_columns(published: dict[str, Any], again: dict[str, Any], where: str) -> Iterator[str]:
    for column in sorted(published.keys() | again.keys()):
        if not is_same(published.get(column), again.get(column)):
            values = f"{shown(published.get(column))} is published, {shown(again.get(column))} when measured again"
            yield f"{where}: {column}: {values}"


def _said(of: Place) -> str:
    condition, example = of
    return f"{example} (image condition {condition})"


def score_again(published: Published, items: list[ScoredItem]) -> dict[str, Any]:
    """scores.json, but for the hashes of its inputs; without `judges` where the controls' texts are not known."""
    settings = settings_of(published.scores["settings"]["rouge"]["tokenizer"])
    scores: dict[str, Any] = {
        "settings": settings,
        "answers": count_answers(published.predictions),
        "scores": score_rows(items, published.predictions, settings),
        "image_gaps": gap_rows(items),
        "judge_agreement": judge_agreement(items),
    }
    if not published.bare:
        judgements = counted(published.judgements, published.predictions)
        words = {item.place: item.scores.metrics["words"] for item in items}
        scores["judges"] = describe_judges(judgements, words, published.manifest.get("teachers", {}))
    return scores


def check_scores(published: Published, again: dict[str, Any]) -> list[Check]:
    checks = [judged(_SCORES, differences(published.scores, again))]
    if "judges" not in again and published.scores["judges"]:
        why = "their texts are of rows that are published without reference"
        checks.append(not_checked("scores.json: the judges' controls", why))
    return checks


# ---- two runs


def base_run(published: Published, comparison: dict[str, Any]) -> Run:
    """The base model's run, as far as the pairs of the tuned one tell of it."""
    asked = {place(row): row for row in published.predictions}
    pairs = {of: row for of, row in published.pairs.items() if of in asked}
    predictions = [_base_record(asked[of], row) for of, row in pairs.items()]
    judgements = [record for of, row in pairs.items() for record in _judgements(asked[of], row["base_said"])]
    tokenizer = published.scores["settings"]["rouge"]["tokenizer"]
    items = measure_all(predictions, published.evidence, judgements, tokenizer)
    items = [_or_paired(item, published) for item in items]
    scores = {
        "scores": score_rows(items, predictions, settings_of(tokenizer)),
        "judges": [{"judge": name, **_NO_CONTROLS} for name in sorted({record["judge"] for record in judgements})],
    }
    manifest = _base_manifest(published, comparison)
    return Run(
        folder=_folder(comparison, 0),
        manifest=manifest,
        scores=scores,
        items={item.place: item for item in items},
        predictions={place(row): row for row in predictions},
    )


def tuned_run(published: Published, items: list[ScoredItem], scores: dict[str, Any]) -> Run:
    return Run(
        folder=_folder(published.comparison or {}, -1),
        manifest=published.manifest,
        scores={"judges": published.scores["judges"]} | scores,
        items={item.place: item for item in items},
        predictions={place(row): row for row in published.predictions},
    )


def check_pairs(published: Published, base: Run, tuned: Run) -> Check:
    """Both sides of each row of paired_items.jsonl."""
    if not published.pairs:
        return not_checked(_PAIRS, "there is no results/paired_items.jsonl: published by an earlier version")
    return judged(_PAIRS, _wrong_pairs(published, base, tuned))


def _wrong_pairs(published: Published, base: Run, tuned: Run) -> Iterator[str]:
    for of in sorted(published.pairs.keys() - base.items.keys()):
        yield f"{_said(of)} is paired and has no answer"
    for paired in pair(base, tuned):
        row, where = published.pairs[paired.item.place], _said(paired.item.place)
        answer = tuned.predictions[paired.item.place]["prediction"]
        if row.get("tuned_answer", answer) != answer:
            yield f"{where}: the tuned model's answer is not that of predictions.jsonl"
        yield from _wrong_columns(row["base"], columns_of(paired.base), f"{where}, base")
        yield from _wrong_columns(row["tuned"], columns_of(paired.tuned), f"{where}, tuned")


def compare_again(published: Published, base: Run, tuned: Run) -> dict[str, Any]:
    """comparison.json, but for what other runs and datasets are needed for."""
    paired, comparison = pair(base, tuned), published.comparison or {}
    none: Any = {"general": [], "transfer": [], "answers": None}
    again = compare_two(base, tuned, paired) | breakdowns(base, tuned, paired, published.verdicts, none)
    kept = {key: value for key, value in again.items() if key not in _ELSEWHERE}
    if _DISTRUSTED in str(comparison.get("conclusion")):  # perhaps for the base run's controls
        kept = {key: value for key, value in kept.items() if key not in ("headline", "conclusion")}
    runs = {row["run"] for row in comparison["overview"]}
    return kept | ({"overview": overview_rows([base, tuned])} if len(runs) == len({base.folder, tuned.folder}) else {})


def check_comparison(published: Published, again: dict[str, Any]) -> list[Check]:
    comparison = published.comparison or {}
    checks = [judged(_COMPARISON, differences(comparison, again))]
    if "headline" not in again:
        why = "a judge fails its controls, and those of the base run are not published"
        checks.append(not_checked("comparison.json: headline and conclusion", why))
    if "overview" not in again:
        checks.append(not_checked("comparison.json: overview", "needs the other runs beside these two"))
    for key, why in _ELSEWHERE.items():
        if comparison.get(key) is not None:
            checks.append(not_checked(f"comparison.json: {key}", why))
    return checks


def _folder(comparison: dict[str, Any], which: int) -> Path:
    """Named as the overview names the run."""
    names = list(dict.fromkeys(row["run"] for row in comparison.get("overview", [])))
    return Path(names[which] if len(names) > 1 else ("base", "tuned")[which])


def _base_record(asked: Prediction, row: PublishedPair) -> Prediction:
    record = {**asked, "prediction": row["base_answer"], "finish_reason": row["base_finish_reason"]}
    return cast("Prediction", record)


def _judgements(asked: Prediction, said: list[Said]) -> Iterator[Judgement]:
    for one in said:
        record = {"example_id": asked["example_id"], "image_condition": asked["image_condition"], "control": None}
        yield cast("Judgement", record | dict(one))


def _or_paired(item: ScoredItem, published: Published) -> ScoredItem:
    """Of an answer whose reference is not known what was published of it."""
    if item.place not in published.bare:
        return item
    metrics = {name: value for name, value in published.pairs[item.place]["base"].items() if ":" not in name}
    return ScoredItem(**{**vars(item), "scores": type(item.scores)(metrics, item.scores.judges)})


def _base_manifest(published: Published, comparison: dict[str, Any]) -> dict[str, Any]:
    """As comparison.json has it; what it notes only where it differs, is as in the tuned run's."""
    noted = {key: values[0] for key, values in comparison["differences"].items() if key in NOTED}
    return published.manifest | noted | comparison["base"]
