"""Which answers people are shown, in which order.

Every question is rated for every run: then a difference between two runs is one of answers, never of questions. The
showings of a question lie far apart, in a random order of the runs.
"""

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from evaluation.run_folder import TRUE_PICTURE, Prediction, read_manifest, read_predictions

JITTER = 0.3  # of the distance between two showings of a question, so that the order of the questions does not recur


@dataclass(frozen=True)
class AnsweredRun:
    """A run folder as the raters' page needs it."""

    name: str  # the folder's
    folder: Path
    manifest: dict
    answers: dict[str, Prediction]  # example_id -> the answer to the true picture


@dataclass(frozen=True)
class Showing:
    """An answer at its place on the page."""

    record: Prediction
    run: int  # number of the run


def read_runs(folders: list[Path]) -> list[AnsweredRun]:
    """Raises FileNotFoundError where there is no run, ValueError where runs share a name or answer other questions."""
    runs = [_read_run(folder) for folder in folders]
    for name in ("dataset_revision", "split"):
        if len({run.manifest[name] for run in runs}) > 1:
            raise ValueError(f"{folders[0]} and the other runs differ in {name}: rate runs that answered the same")
    if len({run.name for run in runs}) < len(runs):
        raise ValueError("two run folders have the same name: give each run a name of its own")
    return runs


def _read_run(folder: Path) -> AnsweredRun:
    manifest = read_manifest(folder)
    answers = {}
    for record in read_predictions(folder):
        if record["image_condition"] == TRUE_PICTURE and record["prediction"] is not None:
            answers[record["example_id"]] = record
    if not answers:
        raise ValueError(f"{folder} has no answers to the true pictures: run `ldrt generate --output {folder}`")
    return AnsweredRun(folder.resolve().name, folder, manifest, answers)


def draw(answers: list[dict[str, Prediction]], n_items: int, n_repeats: int, seed: int) -> list[Showing]:
    """The showings in the order of the page.

    `answers` has one dict a run, example_id -> record. As many questions are drawn as `n_items` has room for, equally
    many of each task and of as many articles as there are, and every run's answer to each of them is shown. Repeats are
    spread over runs and tasks. The showings of one question are spread evenly over the page.

    Raises ValueError where not even one question fits or is answered by every run.
    """
    rng = random.Random(seed)
    questions = [answers[0][example] for example in sorted(set.intersection(*map(set, answers)))]
    questions = _spread(questions, rng)[: n_items // len(answers)]
    if not questions:
        raise ValueError(f"{n_items} items of {len(answers)} runs: not one question that every run has answered fits")
    repeated = _repeated(questions, len(answers), n_repeats, rng)
    placed: list[tuple[float, Showing]] = []  # from 0, the beginning of the page, to 1, its end
    for i, question in enumerate(rng.sample(questions, len(questions))):
        example = question["example_id"]
        order = rng.sample(range(len(answers)), len(answers))
        if example in repeated:
            again = repeated[example]
            order = [again, *(run for run in order if run != again), again]
        for place, run in enumerate(order):
            at = (place + i / len(questions) + JITTER * (rng.random() - 0.5)) / len(order)
            placed.append((at, Showing(answers[run][example], run)))
    return [showing for _, showing in sorted(placed, key=lambda entry: entry[0])]


def _spread(questions: list[Prediction], rng: random.Random) -> list[Prediction]:
    """All questions in random order, tasks in turn, and within a task one of each article before any second one."""
    of_task: dict[str, list[Prediction]] = {}
    for question in rng.sample(questions, len(questions)):
        of_task.setdefault(question["task"], []).append(question)
    ranked: list[tuple[int, str, Prediction]] = []
    for task in sorted(of_task):
        seen: Counter[str] = Counter()
        by_article = []
        for question in of_task[task]:
            by_article.append((seen[question["article_id"]], question))
            seen[question["article_id"]] += 1
        by_article.sort(key=lambda entry: entry[0])
        ranked += [(place, task, question) for place, (_, question) in enumerate(by_article)]
    ranked.sort(key=lambda entry: entry[:2])
    return [question for _, _, question in ranked]


def _repeated(questions: list[Prediction], n_runs: int, n_repeats: int, rng: random.Random) -> dict[str, int]:
    """example_id -> the run whose answer is shown twice; tasks and runs in turn, at most one answer a question."""
    chosen = _spread(questions, rng)[:n_repeats]
    given: Counter[str] = Counter()
    repeated = {}
    for question in chosen:
        repeated[question["example_id"]] = given[question["task"]] % n_runs
        given[question["task"]] += 1
    return repeated
