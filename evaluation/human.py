"""Runs -> a blind rating page for people, and their ratings -> agreement with the judges.

    ldrt human export runs/base runs/tuned --dataset dataset --output rating
    ldrt human import ratings-AB.jsonl ratings-CD.jsonl --output rating

`export` writes FOLDER/rate.html, one file that a rater opens in a browser, without any network, and FOLDER/key.json,
which says what the page hides: keep it from the raters. The page's button downloads the ratings; `import` reads them,
writes FOLDER/human.json and a copy of its part into each tuned run, where `ldrt card` finds it
(evaluation/people/report.py says what is in it).

People grade by the words of evaluation/judging/rubrics, as the judges do, and see what they see: question, answer,
reference, caption and context; and the picture, too. Every question is rated for every run: then a
difference between two runs is one of answers, never of questions. The showings of a question lie far apart, in a
random order of the runs.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge

from dataset_builder.files.jsonfiles import write_json, write_lines
from evaluation import run_folder
from trust.errors import UsageError
from trust.handovers import stamped

PAGE = "rate.html"


@dataclass
class Options:
    action: Literal["export", "import"] = field(metadata={"help": "what to do", "positional": True})
    paths: list[str] = field(
        metadata={
            "help": "export: run folders, the base first; import: downloaded ratings",
            "positional": True,
            "path": "folder or file",
        }
    )
    output: str = field(metadata={"help": "folder of the page, its key and human.json", "path": "new folder"})
    dataset: str | None = field(
        default=None, metadata={"help": "export: dataset that the runs answered", "path": "dataset or Hub id"}
    )
    items: Annotated[int, Ge(1)] = field(default=100, metadata={"help": "export: answers to rate, over all runs"})
    repeats: Annotated[int, Ge(0)] = field(
        default=20, metadata={"help": "export: how many of them are shown a second time"}
    )
    seed: Annotated[int, Ge(0)] = field(default=0, metadata={"help": "of the sample and its order"})


def run(options: Options) -> str:
    """Export or import; returns what was written, or the table.

    Raises FileNotFoundError for a run, dataset or key that is not there; ValueError for runs that answered other
    questions, too few of them, a folder with the page of another sample, and files without one usable rating.
    """
    _check(options)
    return _import(options) if options.action == "import" else _export(options)


def _check(options: Options) -> None:
    """Raises UsageError, before what takes seconds to import, for what there is no page of."""
    if options.action == "import":
        return
    if not options.dataset:
        raise UsageError("export needs --dataset, for the pictures")
    for path in options.paths:
        if not (Path(path) / run_folder.MANIFEST).is_file():
            raise UsageError(f"{path} is no run folder (it has no {run_folder.MANIFEST}): run `ldrt generate` first")


def _export(options: Options) -> str:
    from evaluation.people.key import KEY, check_free, make_key
    from evaluation.people.page import load_figures, page_data, render_page
    from evaluation.people.sample import draw, read_runs

    assert options.dataset is not None
    output = Path(options.output)
    runs = read_runs([Path(path) for path in options.paths])
    showings = draw([run.answers for run in runs], options.items, options.repeats, options.seed)
    key = make_key(runs, showings, options.seed, output)
    check_free(output, key["packet"])
    figures = load_figures(showings, runs[0].manifest, options.dataset)
    page = render_page(page_data(key["packet"], showings, figures), list(figures.pictures.values()))
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / KEY, stamped(key))
    write_lines(output / PAGE, [page])
    n_repeats = sum(entry["repeat_of"] is not None for entry in key["items"])
    n_questions = len({entry["example_id"] for entry in key["items"]})
    return (
        f"{len(showings) - n_repeats} answers ({n_questions} questions, {len(runs)} runs) and {n_repeats} repeats in "
        f"{output / PAGE}; give raters that file only and keep {output / KEY}"
        + "".join(f"\nwithout its picture: {line}" for line in figures.unreadable)
    )


def _import(options: Options) -> str:
    from evaluation.people.key import read_key
    from evaluation.people.ratings import add_judges, rated_answers, read_ratings, read_scored_runs
    from evaluation.people.report import make_report, write_copies
    from evaluation.people.report_text import report_text

    folder = Path(options.output)
    key = read_key(folder)
    paths = [Path(path) for path in options.paths]
    ratings, problems = read_ratings(paths, key)
    if not ratings:
        reason = problems[0] if problems else "no line in it"
        raise ValueError(f"no rating of the page {key['packet']} in {', '.join(map(str, paths))}: {reason}")
    rows = rated_answers(ratings, key)
    runs, notes = read_scored_runs(key, folder)
    judges = add_judges(rows, runs)
    report = make_report(ratings, rows, judges, key, n_left_out=len(problems))
    write_json(folder / run_folder.HUMAN, stamped(report))
    notes += write_copies(report, key, folder)
    return report_text(report, problems, [*notes, str(folder / run_folder.HUMAN)])
