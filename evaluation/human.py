"""Runs -> a blind rating page for people, and their ratings -> agreement with the judges.

    ldrt human export runs/base runs/tuned --dataset dataset --output rating
    ldrt human import ratings-AB.jsonl ratings-CD.jsonl --output rating

`export` writes FOLDER/rate.html, one file that a rater opens in a browser, without any network, and FOLDER/key.json,
which says what the page hides: keep it from the raters. The page's button downloads the ratings; `import` reads them,
writes FOLDER/human.json and a copy of its part into each tuned run, where `ldrt card` finds it
(evaluation/people/ratings.py says what is in it).

People grade by the words of evaluation/judging/rubrics, as the judges do, and see what they see: question, answer,
reference, caption and context; and the picture, too. Every question is rated for every run: then a
difference between two runs is one of answers, never of questions. The showings of a question lie far apart, in a
random order of the runs.
"""

import base64
import hashlib
import io
import json
import os
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PAGE, KEY = "rate.html", "key.json"
TEMPLATES, RUBRICS = Path(__file__).parent / "people" / "templates", Path(__file__).parent / "judging" / "rubrics"
PICTURE_PX, PICTURE_QUALITY = 1200, 80  # longest side, of a JPEG: small print of a figure can still be read
JITTER = 0.3  # of the distance between two showings of a question, so that the order of the questions does not recur


@dataclass
class Options:
    action: Literal["export", "import"] = field(metadata={"help": "what to do", "positional": True})
    paths: list[str] = field(
        metadata={"help": "export: run folders, the base first; import: downloaded ratings", "positional": True}
    )
    output: str = field(metadata={"help": "folder of the page, its key and human.json"})
    dataset: str | None = field(default=None, metadata={"help": "export: dataset that the runs answered"})
    items: int = field(default=100, metadata={"help": "export: answers to rate, over all runs"})
    repeats: int = field(default=20, metadata={"help": "export: how many of them are shown a second time"})
    seed: int = field(default=0, metadata={"help": "of the sample and its order, and of the intervals"})
    n_resamples: int = field(default=10_000, metadata={"help": "import: bootstrap resamples of the articles"})


def run(options: Options) -> str:
    """Export or import; returns what was written, or the table.

    Raises FileNotFoundError for a run, dataset or key that is not there; ValueError for runs that answered other
    questions, too few of them, a folder with the page of another sample, and files without one usable rating.
    """
    if options.action == "import":
        from evaluation.people.ratings import import_ratings

        paths = [Path(path) for path in options.paths]
        return import_ratings(paths, Path(options.output), options.n_resamples, options.seed)
    return _export(options)


def _export(options: Options) -> str:
    from dataset_builder.files.jsonfiles import write_json, write_lines

    if not options.dataset:
        raise ValueError("export needs --dataset, for the pictures")
    if options.items < 1 or options.repeats < 0:
        raise ValueError("items must be at least 1, repeats at least 0")
    output = Path(options.output)
    runs = read_answers([Path(path) for path in options.paths])
    showings = draw([run["answers"] for run in runs], options.items, options.repeats, options.seed)
    key = make_key(runs, showings, options.seed, output)
    _refuse_another(output / KEY, key["packet"])
    page = render_page(key["packet"], showings, runs, options.dataset)
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / KEY, key)
    write_lines(output / PAGE, [page])
    n_repeats = sum(entry["repeat_of"] is not None for entry in key["items"])
    n_questions = len({entry["example_id"] for entry in key["items"]})
    return (
        f"{len(showings) - n_repeats} answers ({n_questions} questions, {len(runs)} runs) and {n_repeats} repeats in "
        f"{output / PAGE}; give raters that file only and keep {output / KEY}"
    )


# ---- the answers


def read_answers(folders: list[Path]) -> list[dict]:
    """One dict a run: `run` (folder's name), folder, manifest, answers (example_id -> record, with the true picture).

    Raises FileNotFoundError where there is no run, ValueError where the runs have the same name or other questions.
    """
    from dataset_builder.files.jsonfiles import read_json, read_jsonl
    from evaluation.score import PREDICTIONS, latest

    runs = []
    for folder in folders:
        manifest = read_json(folder / "manifest.json", f"ldrt generate --output {folder}")
        records = [record for record in latest(read_jsonl(folder / PREDICTIONS)) if record["image_condition"] == "true"]
        answers = {record["example_id"]: record for record in records if record["prediction"] is not None}
        if not answers:
            raise ValueError(f"{folder} has no answers to the true pictures: run `ldrt generate --output {folder}`")
        runs.append({"run": folder.resolve().name, "folder": folder, "manifest": manifest, "answers": answers})
    for name in ("dataset_revision", "split"):
        if len({run["manifest"][name] for run in runs}) > 1:
            raise ValueError(f"{folders[0]} and the other runs differ in {name}: rate runs that answered the same")
    if len({run["run"] for run in runs}) < len(runs):
        raise ValueError("two run folders have the same name: give each run a name of its own")
    return runs


# ---- which answers are shown, in which order


def draw(answers: list[dict[str, dict]], n_items: int, n_repeats: int, seed: int) -> list[dict]:
    """The showings in order: each has `record` (of predictions.jsonl) and `run` (its number).

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
    placed = []
    for i, question in enumerate(rng.sample(questions, len(questions))):
        example = question["example_id"]
        order = rng.sample(range(len(answers)), len(answers))
        if example in repeated:
            again = repeated[example]
            order = [again, *(run for run in order if run != again), again]
        for place, run in enumerate(order):
            at = (place + i / len(questions) + JITTER * (rng.random() - 0.5)) / len(order)
            placed.append((at, {"record": answers[run][example], "run": run}))
    return [showing for _, showing in sorted(placed, key=lambda entry: entry[0])]


def _spread(questions: list[dict], rng: random.Random) -> list[dict]:
    """All questions in random order, tasks in turn, and within a task one of each article before any second one."""
    of_task: dict[str, list[dict]] = {}
    for question in rng.sample(questions, len(questions)):
        of_task.setdefault(question["task"], []).append(question)
    ranked = []
    for task in sorted(of_task):
        seen: Counter[str] = Counter()
        by_article = []
        for question in of_task[task]:
            by_article.append((seen[question["article_id"]], question))
            seen[question["article_id"]] += 1
        by_article.sort(key=lambda entry: entry[0])
        ranked += [(place, task, question) for place, (_, question) in enumerate(by_article)]
    return [question for _, _, question in sorted(ranked, key=lambda entry: entry[:2])]


def _repeated(questions: list[dict], n_runs: int, n_repeats: int, rng: random.Random) -> dict[str, int]:
    """example_id -> the run whose answer is shown twice; tasks and runs in turn, at most one answer a question."""
    chosen = _spread(questions, rng)[:n_repeats]
    given: Counter[str] = Counter()
    repeated = {}
    for question in chosen:
        repeated[question["example_id"]] = given[question["task"]] % n_runs
        given[question["task"]] += 1
    return repeated


def make_key(runs: list[dict], showings: list[dict], seed: int, output: Path) -> dict:
    """What key.json holds: the packet's id, the runs, and what each item of the page is.

    Folders are relative to that of the key. The packet's id is a hash of the showings and their answers.
    """
    first: dict[tuple[str, int], int] = {}
    items = []
    for number, showing in enumerate(showings, 1):
        record, run = showing["record"], showing["run"]
        items.append(
            {
                "item": number,
                "run": runs[run]["run"],
                **{name: record[name] for name in ("example_id", "article_id", "task")},
                "answer_sha256": _sha256(record["prediction"]),
                "repeat_of": first.get((record["example_id"], run)),
            }
        )
        first.setdefault((record["example_id"], run), number)
    manifest = runs[0]["manifest"]
    about = {name: manifest[name] for name in ("dataset", "dataset_revision", "split")}
    about["criteria_sha256"] = {task: _sha256(read_criteria(task)) for task in sorted({item["task"] for item in items})}
    return {
        "packet": _sha256(json.dumps([about, seed, items]))[:16],
        **about,
        "seed": seed,
        "runs": [
            {
                "run": run["run"],
                "folder": Path(os.path.relpath(run["folder"], output)).as_posix(),
                **{name: run["manifest"][name] for name in ("model", "revision")},
            }
            for run in runs
        ],
        "items": items,
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_another(path: Path, packet: str) -> None:
    """A new key over an old one would make the ratings of the old page unreadable."""
    from dataset_builder.files.jsonfiles import read_json

    if path.exists() and read_json(path, "ldrt human export")["packet"] != packet:
        raise ValueError(f"{path} belongs to another page, ratings of which may be under way: give another --output")


# ---- the page


def read_criteria(task: str) -> str:
    """What counts in an answer to a question of this task: the judges' rubric from "Grade" to before "Reply".

    Raises ValueError where there is no such rubric.
    """
    path = RUBRICS / f"{task}.md"
    rubric = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(r"^Grade .*?(?=^Reply )", rubric, re.DOTALL | re.MULTILINE)
    if found is None:
        raise ValueError(
            f"task {task}: no rubric {path.name} with what to grade (from a line Grade … to a line Reply …)"
        )
    return re.sub(r"(?<!\n)\n(?:  )?(?=[^\s\-\d])", " ", found[0].strip())  # one line a paragraph, point or anchor


def render_page(packet: str, showings: list[dict], runs: list[dict], dataset: str) -> str:
    """The page's text; it names no model, run or example. Raises ValueError for another dataset than the runs'."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from evaluation.answering.questions import load_evidence, load_items

    manifest = runs[0]["manifest"]
    revision = None if manifest["dataset_revision"].startswith("sha256:") else manifest["dataset_revision"]
    rows = load_items(dataset, manifest["split"], manifest["tasks"], revision)
    if rows.revision != manifest["dataset_revision"]:
        raise ValueError(f"{dataset} is at {rows.revision}, but the runs answered {manifest['dataset_revision']}")
    evidence = load_evidence(dataset, manifest["split"], revision)
    place = {example: i for i, example in enumerate(rows.rows["example_id"])}
    pictures: dict[str, str | None] = {}
    for showing in showings:
        record = showing["record"]
        if record["figure_id"] not in pictures:
            pictures[record["figure_id"]] = _picture(rows.rows[place[record["example_id"]]])
    numbers = {figure: i for i, figure in enumerate(figure for figure, picture in pictures.items() if picture)}
    items = [
        _shown(number, showing["record"], evidence.get(showing["record"]["figure_id"]), numbers)
        for number, showing in enumerate(showings, 1)
    ]
    criteria = {task: read_criteria(task) for task in sorted({item["task"] for item in items})}
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True)
    script, style = ((TEMPLATES / f"human.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    return environment.get_template("human.html.jinja").render(
        script=script,
        style=style,
        script_hash=_csp_hash(script),
        style_hash=_csp_hash(style),
        data=json.dumps({"packet": packet, "criteria": criteria, "items": items}, ensure_ascii=False).replace(
            "<", "\\u003c"
        ),
        pictures=[picture for picture in pictures.values() if picture],
    )


def _shown(number: int, record: dict, evidence: dict | None, pictures: dict[str, int]) -> dict:
    """An item as the page's script takes it."""
    evidence = evidence or {"caption": None, "context": [], "doi": None, "license": record["license"]}
    return {
        "item": number,
        "task": record["task"],
        "question": record["question"],
        "answer": record["prediction"],
        "reference": record["reference"],
        "caption": evidence["caption"] or "",
        "context": evidence["context"],
        "source": ", ".join(filter(None, [evidence["doi"] and f"doi:{evidence['doi']}", evidence["license"]])),
        "picture": pictures.get(record["figure_id"]),
    }


def _picture(row: dict) -> str | None:
    """The row's picture as a base64 JPEG; None where it cannot be read."""
    from evaluation.answering.questions import open_image

    buffer = io.BytesIO()
    try:
        picture = open_image(row)
    except OSError:
        return None
    picture.thumbnail((PICTURE_PX, PICTURE_PX))
    picture.save(buffer, "JPEG", quality=PICTURE_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode()


def _csp_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline script or style that may be used."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
