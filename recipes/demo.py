"""`ldrt demo`: the whole chain on the built-in sample corpus, on a CPU, in a few minutes.

    ldrt demo --output demo

Every step is a command that you could have typed; it is printed before it runs. Interrupt it at will: the same command
goes on where it stopped. The articles are synthetic and the model is tiny: this shows that the chain works, and nothing
about medicine.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from dataset_builder.files.nearest import nearest
from recipes.project_files import project_file
from trust.errors import UsageError

_QUIET = {"TOKENIZERS_PARALLELISM": "false", "GOMP_SPINCOUNT": "3000"}  # threads that spin starve a busy machine

# First word of a step -> what this Python runs for it.
_PROGRAMS: dict[str, list[str]] = {"python": [], "ldrt": ["-m", "ldrt"]}

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

    Raises RuntimeError naming the step that failed.
    """
    from dataset_builder.sample.corpus import write_corpus

    _check_family(options.family)
    start, output = time.monotonic(), Path(options.output)
    steps = _steps(output, options.family)
    _say(0, len(steps), f"writing {options.articles} synthetic articles to {output}/articles")
    if not (output / "articles" / "truth.jsonl").exists():
        write_corpus(output / "articles", articles=options.articles, seed=options.seed)
    for number, words in enumerate(steps, 1):
        _say(number, len(steps), " ".join(words))
        _run(words)
    return f"{_where_to_look(output)}\n\nThe demo took {time.monotonic() - start:.0f} s."


def _check_family(name: str) -> None:
    """Raises UsageError for a family that is none; the default is not looked up, as that takes seconds."""
    if name != Options.family:
        from recipes.families.find import FAMILIES

        known = [family.model_type for family in FAMILIES]
        if name not in known:
            raise UsageError(f"--family: no {name!r}{nearest(name, known)}; one of {', '.join(known)}")


def _steps(out: Path, family: str) -> list[list[str]]:
    """The demo's commands, in order, each as a list of words."""
    train = "ldrt train --launch accelerate_configs/cpu.yaml --dataset_name {out}/dataset"
    text = _STEPS.strip().replace("TRAIN", train).replace("RECIPE", "recipes/tiny-llava")
    text = text.replace("DATA", "--dataset {out}/dataset")
    return [_words(line, out, family) for line in text.splitlines()]


def _words(line: str, out: Path, family: str) -> list[str]:
    """Each word is filled in apart: the output folder's name may have spaces."""
    return [word.format(out=out, family=family) for word in line.split()]


def _run(words: list[str]) -> None:
    """Run one command as it was printed, with this Python's environment; paths of the project are made absolute."""
    env = _QUIET | os.environ | {"HF_HUB_OFFLINE": "1"}
    command = [sys.executable, *_PROGRAMS[words[0]], *map(_absolute, words[1:])]
    status = subprocess.run(command, env=env, check=False).returncode
    if status:
        raise RuntimeError(f"step `{' '.join(words)}` failed (exit status {status}); mend it and run `ldrt demo` again")


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

A tiny model on synthetic articles proves that the chain works. It proves nothing about medicine."""
