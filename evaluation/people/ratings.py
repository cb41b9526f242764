"""Downloaded ratings of people + the key of their page -> human.json: what they say, and who agrees with them.

What `ldrt human import` writes, FOLDER/human.json:

- packet, dataset, dataset_revision, split, criteria_sha256 ({task: hash of what the page says counts}), settings
- n_raters, n_ratings, n_cannot_judge, n_left_out (lines)
- systems: rows {run, model, revision, task, judge, value, ci_low, ci_high, n, n_unscored}; `judge` is "human" (mean
  over the raters), or a judge model whose scores of the very same answers stand beside it
- deltas: rows {run, against, task, judge, base, tuned, delta, ci_low, ci_high, p_value, n}: each run against the first
  one, paired by question, clustered by article
- intra_rater: rows {rater, n, mean_abs_difference, kappa}: first against second showing; rater "all" has them together
- inter_rater: {alpha, n, pairs: [{first, second, n, kappa, spearman, mean_difference}]}, of the first showings
- judge_agreement: rows {judge, revision, backend, n, kappa, spearman, mean_difference (judge − human)}, of all runs

RUN/human.json, in every run but the first, is the same with the `systems` and `deltas` of the first run and this one
only. Raters are numbered in the order of their names: names stay in their files. null: too few ratings to say.
Intervals are over articles; what other raters would say is not in them, see the agreement between the raters.
"""

import itertools
import json
from pathlib import Path
from statistics import fmean

from dataset_builder.files.jsonfiles import read_json, write_json
from evaluation.comparing.scored_runs import read_run
from evaluation.judging.panel import answer_sha256
from evaluation.scoring import agreement
from evaluation.scoring.measures import ALL_TASKS, JUDGE_MEAN, contrast, judge_metric, summarise
from evaluation.scoring.statistics import LEVEL
from evaluation.scoring.tables import interval_text, number_text, p_text, text_table

REPORT = "human.json"
HUMAN = "human"
HIGHEST = 10
MAX_PROBLEMS_SHOWN = 20
Ratings = dict[str, dict[int, int | None]]  # rater -> number of the item -> score, None: cannot judge


def import_ratings(paths: list[Path], folder: Path, n_resamples: int, seed: int) -> str:
    """Read ratings, write FOLDER/human.json and the runs' copies; returns the table.

    Raises FileNotFoundError without a key or a file, ValueError where no line is a rating of the page.
    """
    from evaluation.human import KEY

    key = read_json(folder / KEY, f"ldrt human export … --output {folder}")
    ratings, problems = read_ratings(paths, key)
    if not ratings:
        raise ValueError(f"no rating of the page {key['packet']} in {', '.join(map(str, paths))}: {_first(problems)}")
    rows = rated_answers(ratings, key)
    judges, notes = add_judges(rows, key, folder)
    report = {
        **{name: key[name] for name in ("packet", "dataset", "dataset_revision", "split", "criteria_sha256")},
        "settings": {"interval": {"level": LEVEL, "n_resamples": n_resamples, "seed": seed, "clusters": "article_id"}},
        "n_raters": len(ratings),
        "n_ratings": sum(score is not None for scores in ratings.values() for score in scores.values()),
        "n_cannot_judge": sum(score is None for scores in ratings.values() for score in scores.values()),
        "n_left_out": len(problems),
        "systems": system_rows(rows, key, [HUMAN, *judges], n_resamples, seed),
        "deltas": delta_rows(rows, key, [HUMAN, *judges], n_resamples, seed),
        "intra_rater": intra_rater(ratings, key),
        "inter_rater": inter_rater(ratings, key),
        "judge_agreement": judge_agreement(rows, judges),
    }
    write_json(folder / REPORT, report)
    notes += write_copies(report, key, folder)
    return _summary(report, problems, notes, folder)


# ---- the files


def read_ratings(paths: list[Path], key: dict) -> tuple[Ratings, list[str]]:
    """The ratings, and a line for each that is left out; of two by one rater for an item the later one counts."""
    ratings: Ratings = {}
    problems = []
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file; `ldrt human import` takes what the page's button downloads")
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            rating = _parse(line)
            problem = _problem(rating, key)
            if problem is None:
                item, score, rater = rating["item"], rating["score"], " ".join(rating["rater"].split())
                earlier = ratings.setdefault(rater, {}).get(item, score)
                ratings[rater][item] = score
                if earlier != score:
                    problem = (
                        f"item {item} is rated {_said(earlier)} by the same rater before, now {_said(score)} counts"
                    )
            if problem is not None:
                problems.append(f"{path}, line {number}: {problem}")
    return ratings, problems


def _parse(line: str):
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _problem(rating, key: dict) -> str | None:
    """Why a line of a file is no rating of the page, or None."""
    if not isinstance(rating, dict):
        return "not a JSON object; left out"
    if rating.get("packet") != key["packet"]:
        return f"of another page ({str(rating.get('packet'))[:40]}, not {key['packet']}); left out"
    item, score, rater = rating.get("item"), rating.get("score"), rating.get("rater")
    if type(item) is not int or not 1 <= item <= len(key["items"]):
        return f"no item {str(item)[:40]} on the page; left out"
    if not isinstance(rater, str) or not rater.strip():
        return "no name of the rater; left out"
    if rating.get("status") == "cannot_judge" and score is None:
        return None
    if rating.get("status") != "ok" or type(score) is not int or not 0 <= score <= HIGHEST:
        return f"score {str(score)[:40]} with status {str(rating.get('status'))[:40]} is no score 0 to 10; left out"
    return None


def _said(score: int | None) -> str:
    return "cannot judge" if score is None else str(score)


# ---- one row an answer


def rated_answers(ratings: Ratings, key: dict) -> list[dict]:
    """Answers with a score: run, example_id, article_id, task, answer_sha256, scores {"judge:human": mean of raters}.

    Of an answer shown twice the first rating counts; the second one only shows how steady the rater is.
    """
    rows = []
    for item in key["items"]:
        given = [scores.get(item["item"]) for scores in ratings.values()]
        known = [score for score in given if score is not None]
        if item["repeat_of"] is None and known:
            identity = {name: item[name] for name in ("run", "example_id", "article_id", "task", "answer_sha256")}
            rows.append({**identity, "scores": {f"judge:{HUMAN}": fmean(known)}})
    return rows


def add_judges(rows: list[dict], key: dict, folder: Path) -> tuple[dict[str, dict], list[str]]:
    """Add the columns `judge:NAME` of the runs' per_item_scores.jsonl to the rows, where they judged the same answer.

    Returns the judges (name -> judge, revision, backend) and a line for each run that has no scores to compare with.
    """
    judges, notes = {}, []
    for entry in key["runs"]:
        try:
            run = read_run(folder / entry["folder"])
        except (FileNotFoundError, ValueError) as error:
            notes.append(f"no judges of {entry['run']} to compare with: {error}")
            continue
        known = {judge["judge"]: judge for judge in run.scores.get("judges", [])}
        for row in rows:
            answered = run.predictions.get(("true", row["example_id"]))
            if (
                row["run"] != entry["run"]
                or answered is None
                or answer_sha256(answered["prediction"] or "") != row["answer_sha256"]
            ):
                continue
            columns = run.items["true", row["example_id"]]["scores"].items()
            scores = {name: score for name, score in columns if name.startswith("judge:") and score is not None}
            row["scores"] = scores | row["scores"]
            for name in (column.removeprefix("judge:") for column in scores):
                about = known.get(name, {})
                judges[name] = {"judge": name, "revision": about.get("revision"), "backend": about.get("backend")}
    return dict(sorted(judges.items())), notes


# ---- the numbers


def system_rows(rows: list[dict], key: dict, judges: list[str], n_resamples: int, seed: int) -> list[dict]:
    """Rows of `systems`: each run, over all tasks and by task, by the people and by each judge of the same answers."""
    table = []
    for run, task in itertools.product(key["runs"], _tasks(key)):
        group = list(_of(rows, run["run"], task).values())
        found = summarise(group, list(map(judge_metric, judges)), n_resamples, seed) if group else []
        identity = {name: run[name] for name in ("run", "model", "revision")} | {"task": task}
        columns = ("judge", "value", "ci_low", "ci_high", "n", "n_unscored")
        table += [identity | {name: row[name] for name in columns} for row in found]
    return table


def delta_rows(rows: list[dict], key: dict, judges: list[str], n_resamples: int, seed: int) -> list[dict]:
    """Rows of `deltas`: each run but the first against the first, on the questions rated for both."""
    first, table = key["runs"][0]["run"], []
    for run, task in itertools.product(key["runs"][1:], _tasks(key)):
        base, tuned = _of(rows, first, task), _of(rows, run["run"], task)
        shared = sorted(base.keys() & tuned.keys())
        pairs = ([answers[example] for example in shared] for answers in (base, tuned))
        found = contrast(*pairs, list(map(judge_metric, judges)), n_resamples, seed) if shared else []
        columns = ("judge", "base", "tuned", "delta", "ci_low", "ci_high", "p_value", "n")
        identity = {"run": run["run"], "against": first, "task": task}
        table += [identity | {name: row[name] for name in columns} for row in found]
    return table


def _tasks(key: dict) -> list[str]:
    return [ALL_TASKS, *sorted({item["task"] for item in key["items"]})]


def _of(rows: list[dict], run: str, task: str) -> dict[str, dict]:
    return {row["example_id"]: row for row in rows if row["run"] == run and task in (ALL_TASKS, row["task"])}


def intra_rater(ratings: Ratings, key: dict) -> list[dict]:
    """Rows of `intra_rater`; kappa weighs differences by their square."""
    repeats = [(item["repeat_of"], item["item"]) for item in key["items"] if item["repeat_of"] is not None]
    pairs = {
        rater: [(scores[a], scores[b]) for a, b in repeats if None not in (scores.get(a), scores.get(b))]
        for rater, scores in _numbered(ratings).items()
    }
    pairs["all"] = [pair for of_rater in pairs.values() for pair in of_rater]
    return [
        {
            "rater": rater,
            "n": len(found),
            "mean_abs_difference": fmean(abs(a - b) for a, b in found) if found else None,
            "kappa": agreement.weighted_kappa(*map(list, zip(*found, strict=True))) if found else None,
        }
        for rater, found in pairs.items()
    ]


def inter_rater(ratings: Ratings, key: dict) -> dict:
    """`inter_rater`: ordinal alpha over all raters, n answers that two or more rated, and each pair of raters."""
    first = [item["item"] for item in key["items"] if item["repeat_of"] is None]
    table = {rater: [scores.get(item) for item in first] for rater, scores in _numbered(ratings).items()}
    return {
        "alpha": agreement.krippendorff_alpha(list(table.values())),
        "n": sum(sum(score is not None for score in answer) > 1 for answer in zip(*table.values(), strict=True)),
        "pairs": [
            {"first": a, "second": b, **_agreement(table[a], table[b])} for a, b in itertools.combinations(table, 2)
        ],
    }


def judge_agreement(rows: list[dict], judges: dict[str, dict]) -> list[dict]:
    """Rows of `judge_agreement`: each judge against the mean over the raters."""
    people = [row["scores"][f"judge:{HUMAN}"] for row in rows]
    return [
        {**about, **_agreement(people, [row["scores"].get(f"judge:{name}") for row in rows])}
        for name, about in judges.items()
    ]


def _agreement(first: list[float | None], second: list[float | None]) -> dict:
    """n answers that both scored, kappa of the scores rounded to whole points, Spearman, mean of second − first."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if None not in (a, b)]
    if not pairs:
        return {"n": 0, "kappa": None, "spearman": None, "mean_difference": None}
    ours, theirs = map(list, zip(*pairs, strict=True))
    return {
        "n": len(pairs),
        "kappa": agreement.weighted_kappa([int(a + 0.5) for a in ours], [int(b + 0.5) for b in theirs]),
        "spearman": agreement.spearman(ours, theirs),
        "mean_difference": fmean(theirs) - fmean(ours),
    }


def _numbered(ratings: Ratings) -> dict[int, dict[int, int | None]]:
    """Raters as 1, 2, … in the order of their names: the report is published, names are not."""
    return {number: ratings[rater] for number, rater in enumerate(sorted(ratings), 1)}


# ---- what is written and said


def write_copies(report: dict, key: dict, folder: Path) -> list[str]:
    """Write RUN/human.json of every run but the first (of a single run, its own); a line for each that is gone."""
    first, gone = key["runs"][0]["run"], []
    for run in key["runs"][1:] or key["runs"]:
        target = folder / run["folder"]
        if not target.is_dir():
            gone.append(f"{target} is gone: no {REPORT} written there")
            continue
        own = {
            "systems": [row for row in report["systems"] if row["run"] in (first, run["run"])],
            "deltas": [row for row in report["deltas"] if row["run"] == run["run"]],
        }
        write_json(target / REPORT, report | own)
    return gone


def _summary(report: dict, problems: list[str], notes: list[str], folder: Path) -> str:
    lines = [
        [
            *(row["run"], row["task"], _name(row["judge"]), number_text(row["value"])),
            *(interval_text(row["ci_low"], row["ci_high"]), str(row["n"])),
        ]
        for row in report["systems"]
        if row["task"] == ALL_TASKS or row["judge"] == HUMAN
    ]
    table = text_table(["run", "task", "rated by", "mean", "95 % interval", "n"], lines)
    deltas = [
        f"{row['run']} − {row['against']}, {_name(row['judge'])}: {number_text(row['delta'], True)} "
        f"({interval_text(row['ci_low'], row['ci_high'], True)}, p {p_text(row['p_value'])}, n {row['n']})"
        for row in report["deltas"]
        if row["task"] == ALL_TASKS
    ]
    again = report["intra_rater"][-1]
    raters = f"{report['n_raters']} raters, {report['n_ratings']} ratings, {report['n_cannot_judge']} cannot judge"
    steady = f"the same answer again: {number_text(again['mean_abs_difference'])} points apart, {_kappa(again)}"
    between = f"between raters: alpha {number_text(report['inter_rater']['alpha'])}"
    with_judges = [
        f"human and {_name(row['judge'])}: {_kappa(row)}, Spearman {number_text(row['spearman'])}, "
        f"judge − human {number_text(row['mean_difference'], True)}"
        for row in report["judge_agreement"]
    ]
    shown = problems[:MAX_PROBLEMS_SHOWN]
    if len(problems) > len(shown):
        shown.append(f"… and {len(problems) - len(shown)} more lines")
    said = [table, *deltas, raters, f"{steady}; {between}", *with_judges, *shown, *notes, str(folder / REPORT)]
    return "\n".join(said)


def _name(judge: str) -> str:
    return "the judges' mean" if judge == JUDGE_MEAN else judge


def _kappa(row: dict) -> str:
    return f"kappa {number_text(row['kappa'])} (n {row['n']})"


def _first(problems: list[str]) -> str:
    return problems[0] if problems else "no line in it"
