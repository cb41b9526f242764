"""What people say of the runs, and who agrees with them: human.json.

FOLDER/human.json of `ldrt human import` holds:

- packet, dataset, dataset_revision, split, criteria_sha256 ({task: hash of what the page says counts}), settings
- n_raters, n_ratings, n_cannot_judge, n_left_out (lines)
- systems: rows {run, model, revision, task, judge, value, ci_low, ci_high, no_interval, n, n_unscored}; `judge` is
  "human" (mean over the raters), or a judge model whose scores of the very same answers stand beside it; `no_interval`
  says why there is none
- deltas: rows {run, against, task, judge, base, tuned, delta, ci_low, ci_high, no_interval, p_value, n}: each run
  against the first one, paired by question, clustered by article
- intra_rater: rows {rater, n, mean_abs_difference, kappa}: first against second showing; rater "all" has them together
- inter_rater: {alpha, n, pairs: [{first, second, n, kappa, spearman, mean_difference}]}, of the first showings
- judge_agreement: rows {judge, revision, backend, n, kappa, spearman, mean_difference (judge − human)}, of all runs

RUN/human.json, in every run but the first, is the same with the `systems` and `deltas` of the first run and this one
only. Raters are numbered in the order of their names: names stay in their files. null: too few ratings to say.
Intervals are over articles; what other raters would say is not in them, see the agreement between the raters.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from dataset_builder.files.jsonfiles import write_json
from evaluation import run_folder
from evaluation.people.key import Key
from evaluation.people.ratings import HUMAN, RatedAnswer, RatedBy, Ratings
from evaluation.scoring import agreement
from evaluation.scoring.measures import ALL_TASKS, contrast, interval_settings, judge_metric, summarise
from trust.handovers import stamped

ALL_RATERS = "all"
_OF_SYSTEMS = ("judge", "value", "ci_low", "ci_high", "no_interval", "n", "n_unscored")
_OF_DELTAS = ("judge", "base", "tuned", "delta", "ci_low", "ci_high", "no_interval", "p_value", "n")


def make_report(
    ratings: Ratings,
    rows: list[RatedAnswer],
    judges: dict[str, RatedBy],
    key: Key,
    n_left_out: int,
) -> dict:
    """What human.json holds; `rows` have the points of `judges`, `n_left_out` lines were no ratings."""
    given = [score for of_rater in ratings.values() for score in of_rater.values()]
    n_cannot_judge = given.count(None)
    rated_by = [HUMAN, *judges]
    return {
        "packet": key["packet"],
        "dataset": key["dataset"],
        "dataset_revision": key["dataset_revision"],
        "split": key["split"],
        "criteria_sha256": key["criteria_sha256"],
        "settings": {"interval": interval_settings()},
        "n_raters": len(ratings),
        "n_ratings": len(given) - n_cannot_judge,
        "n_cannot_judge": n_cannot_judge,
        "n_left_out": n_left_out,
        "systems": system_rows(rows, key, rated_by),
        "deltas": delta_rows(rows, key, rated_by),
        "intra_rater": intra_rater(ratings, key),
        "inter_rater": inter_rater(ratings, key),
        "judge_agreement": judge_agreement(rows, judges),
    }


def write_copies(report: dict, key: Key, folder: Path) -> list[str]:
    """Write RUN/human.json of every run but the first (of a single run, its own); a line for each that is gone."""
    first, gone = key["runs"][0]["run"], []
    for run in key["runs"][1:] or key["runs"]:
        target = folder / run["folder"]
        if not target.is_dir():
            gone.append(f"{target} is gone: no {run_folder.HUMAN} written there")
            continue
        own = {
            "systems": [row for row in report["systems"] if row["run"] in (first, run["run"])],
            "deltas": [row for row in report["deltas"] if row["run"] == run["run"]],
        }
        write_json(target / run_folder.HUMAN, stamped(report | own))
    return gone


def system_rows(rows: list[RatedAnswer], key: Key, judges: list[str]) -> list[dict]:
    """Rows of `systems`: each run, over all tasks and by task, by the people and by each judge of the same answers."""
    metrics = [judge_metric(judge) for judge in judges]
    table = []
    for run, task in itertools.product(key["runs"], _tasks(key)):
        group = _of(rows, run["run"], task).values()
        if not group:
            continue
        found = summarise([row.scores for row in group], [row.article_id for row in group], metrics)
        identity = {"run": run["run"], "model": run["model"], "revision": run["revision"], "task": task}
        table += [identity | {name: row[name] for name in _OF_SYSTEMS} for row in found]
    return table


def delta_rows(rows: list[RatedAnswer], key: Key, judges: list[str]) -> list[dict]:
    """Rows of `deltas`: each run but the first against the first, on the questions rated for both."""
    metrics = [judge_metric(judge) for judge in judges]
    first, table = key["runs"][0]["run"], []
    for run, task in itertools.product(key["runs"][1:], _tasks(key)):
        base, tuned = _of(rows, first, task), _of(rows, run["run"], task)
        shared = sorted(base.keys() & tuned.keys())
        if not shared:
            continue
        found = contrast(
            [base[example].scores for example in shared],
            [tuned[example].scores for example in shared],
            [base[example].article_id for example in shared],
            metrics,
        )
        identity = {"run": run["run"], "against": first, "task": task}
        table += [identity | {name: row[name] for name in _OF_DELTAS} for row in found]
    return table


def _tasks(key: Key) -> list[str]:
    return [ALL_TASKS, *sorted({item["task"] for item in key["items"]})]


def _of(rows: list[RatedAnswer], run: str, task: str) -> dict[str, RatedAnswer]:
    """example_id -> the run's answer, of one task or of all."""
    return {row.example_id: row for row in rows if row.run == run and task in (ALL_TASKS, row.task)}


def intra_rater(ratings: Ratings, key: Key) -> list[dict]:
    """Rows of `intra_rater`; kappa weighs differences by their square."""
    rows, of_all = [], []
    for rater, scores in _numbered(ratings).items():
        pairs = _shown_twice(scores, key)
        rows.append({"rater": rater, **_steadiness(pairs)})
        of_all += pairs
    return [*rows, {"rater": ALL_RATERS, **_steadiness(of_all)}]


def _shown_twice(scores: dict[int, int | None], key: Key) -> list[tuple[int, int]]:
    """(first score, second score) of the answers that a rater scored both times."""
    pairs = []
    for item in key["items"]:
        if item["repeat_of"] is not None:
            first, again = scores.get(item["repeat_of"]), scores.get(item["item"])
            if first is not None and again is not None:
                pairs.append((first, again))
    return pairs


def _steadiness(pairs: list[tuple[int, int]]) -> dict:
    if not pairs:
        return {"n": 0, "mean_abs_difference": None, "kappa": None}
    first, again = zip(*pairs, strict=True)
    return {
        "n": len(pairs),
        "mean_abs_difference": fmean(abs(a - b) for a, b in pairs),
        "kappa": agreement.weighted_kappa(first, again),
    }


def inter_rater(ratings: Ratings, key: Key) -> dict:
    """`inter_rater`: ordinal alpha over all raters, n answers that two or more rated, and each pair of raters."""
    first = [item["item"] for item in key["items"] if item["repeat_of"] is None]
    table = {rater: [scores.get(item) for item in first] for rater, scores in _numbered(ratings).items()}
    scores_of_raters = list(table.values())
    return {
        "alpha": agreement.krippendorff_alpha(scores_of_raters),
        "n": agreement.count_rated_twice(scores_of_raters),
        "pairs": [
            {"first": a, "second": b, **_agreement(table[a], table[b])} for a, b in itertools.combinations(table, 2)
        ],
    }


def judge_agreement(rows: list[RatedAnswer], judges: dict[str, RatedBy]) -> list[dict]:
    """Rows of `judge_agreement`: each judge against the mean over the raters."""
    people = [row.scores.judges[HUMAN] for row in rows]
    return [
        {**about, **_agreement(people, [row.scores.judges.get(name) for row in rows])} for name, about in judges.items()
    ]


def _agreement(first: Sequence[float | None], second: Sequence[float | None]) -> dict:
    """n answers that both scored, kappa of the scores rounded to whole points, Spearman, mean of second − first."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if not pairs:
        return {"n": 0, "kappa": None, "spearman": None, "mean_difference": None}
    ours, theirs = zip(*pairs, strict=True)
    return {
        "n": len(pairs),
        "kappa": agreement.weighted_kappa(_whole(ours), _whole(theirs)),
        "spearman": agreement.spearman(ours, theirs),
        "mean_difference": fmean(theirs) - fmean(ours),
    }


def _whole(scores: Sequence[float]) -> list[int]:
    """Rounded to whole points, halves up."""
    return [int(score + 0.5) for score in scores]


def _numbered(ratings: Ratings) -> dict[int, dict[int, int | None]]:
    """Raters as 1, 2, … in the order of their names: the report is published, names are not."""
    return {number: ratings[rater] for number, rater in enumerate(sorted(ratings), 1)}
