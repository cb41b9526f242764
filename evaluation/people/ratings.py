"""Downloaded ratings of people, and what judges say of the very same answers."""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TypedDict

from evaluation.comparing.scored_runs import Run, read_run
from evaluation.judgements import answer_sha256
from evaluation.metrics.metric import Scores
from evaluation.people.key import Key
from evaluation.run_folder import TRUE_PICTURE

HUMAN = "human"  # among the judges: the people, by the mean of their scores
HIGHEST = 10  # points
_MAX_SHOWN_CHARS = 40  # of a stranger's value in a message
Ratings = dict[str, dict[int, int | None]]  # rater -> number of the item -> score, None: cannot judge


@dataclass(frozen=True)
class RatedAnswer:
    """An answer with a score of people; the judges' are added to `scores.judges`."""

    run: str
    example_id: str
    article_id: str
    task: str
    answer_sha256: str
    scores: Scores


class RatedBy(TypedDict):
    """A judge that scored answers that people rated."""

    judge: str
    revision: str | None  # None also for the judges' mean
    backend: str | None


# ---- the files


def read_ratings(paths: list[Path], key: Key) -> tuple[Ratings, list[str]]:
    """The ratings, and a line for each that is left out; of two by one rater for an item the later one counts."""
    ratings: Ratings = {}
    problems = []
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file; `ldrt human import` takes what the page's button downloads")
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            problem = _add_rating(line, key, ratings) if line.strip() else None
            if problem is not None:
                problems.append(f"{path}, line {number}: {problem}")
    return ratings, problems


def _add_rating(line: str, key: Key, ratings: Ratings) -> str | None:
    """Put the line's rating into `ratings`; what is to say about it, or None."""
    rating = _parse(line)
    problem = _problem(rating, key)
    if problem is not None:
        return f"{problem}; left out"
    item, score = rating["item"], rating["score"]
    rater = _known_as(" ".join(rating["rater"].split()), ratings)
    of_rater = ratings.setdefault(rater, {})
    earlier = of_rater.get(item, score)
    of_rater[item] = score
    if earlier != score:
        return f"item {item} is rated {_said(earlier)} by the same rater before, now {_said(score)} counts"
    return None


def _known_as(rater: str, ratings: Ratings) -> str:
    """The rater's name as it was first written: "A. Lee" and "a. lee" are one person."""
    return next((known for known in ratings if _folded(known) == _folded(rater)), rater)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _parse(line: str):
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _problem(rating, key: Key) -> str | None:
    """Why a line of a file is no rating of the page, or None."""
    if not isinstance(rating, dict):
        return "not a JSON object"
    if rating.get("packet") != key["packet"]:
        return f"of another page ({_short(rating.get('packet'))}, not {key['packet']})"
    item, score, status = rating.get("item"), rating.get("score"), rating.get("status")
    if type(item) is not int or not 1 <= item <= len(key["items"]):
        return f"no item {_short(item)} on the page"
    rater = rating.get("rater")
    if not isinstance(rater, str) or not rater.strip():
        return "no name of the rater"
    if status == "cannot_judge" and score is None:
        return None
    if status != "ok" or type(score) is not int or not 0 <= score <= HIGHEST:
        return f"score {_short(score)} with status {_short(status)} is no score 0 to 10"
    return None


def _short(value: object) -> str:
    return str(value)[:_MAX_SHOWN_CHARS]


def _said(score: int | None) -> str:
    return "cannot judge" if score is None else str(score)


# ---- one row an answer


def rated_answers(ratings: Ratings, key: Key) -> list[RatedAnswer]:
    """The answers that have a score; it is the mean over the raters.

    Of an answer shown twice the first rating counts; the second one only shows how steady the rater is.
    """
    rows = []
    for item in key["items"]:
        given = [scores.get(item["item"]) for scores in ratings.values()]
        known = [score for score in given if score is not None]
        if item["repeat_of"] is None and known:
            rows.append(
                RatedAnswer(
                    run=item["run"],
                    example_id=item["example_id"],
                    article_id=item["article_id"],
                    task=item["task"],
                    answer_sha256=item["answer_sha256"],
                    scores=Scores({}, {HUMAN: fmean(known)}),
                )
            )
    return rows


def read_scored_runs(key: Key, folder: Path) -> tuple[dict[str, Run], list[str]]:
    """name -> run, of those that have scores to compare with, and a line for each that has none."""
    runs, notes = {}, []
    for entry in key["runs"]:
        try:
            runs[entry["run"]] = read_run(folder / entry["folder"])
        except (FileNotFoundError, ValueError) as error:
            notes.append(f"no judges of {entry['run']} to compare with: {error}")
    return runs, notes


def add_judges(rows: list[RatedAnswer], runs: dict[str, Run]) -> dict[str, RatedBy]:
    """Add the judges' points to the rows, where they judged the same answer; returns the judges, sorted by name."""
    judges: dict[str, RatedBy] = {}
    for name, run in runs.items():
        known = {judge["judge"]: judge for judge in run.scores.get("judges", [])}
        for row in rows:
            if row.run != name:
                continue
            for judge, points in _points_of_same_answer(row, run).items():
                row.scores.judges.setdefault(judge, points)
                about = known.get(judge, {})
                judges[judge] = {"judge": judge, "revision": about.get("revision"), "backend": about.get("backend")}
    return dict(sorted(judges.items()))


def _points_of_same_answer(row: RatedAnswer, run: Run) -> dict[str, float]:
    """judge -> points; {} where the run has another answer to the question by now."""
    place = TRUE_PICTURE, row.example_id
    answered = run.predictions.get(place)
    if answered is None or answer_sha256(answered["prediction"] or "") != row.answer_sha256:
        return {}
    return {judge: points for judge, points in run.items[place].scores.judges.items() if points is not None}
