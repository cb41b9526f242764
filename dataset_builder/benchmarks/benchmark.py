"""A public benchmark is a file: where its questions are, which columns they have, and how they are asked.

benchmark = read_benchmark("vqa-rad")
benchmark = of_columns("my/dataset", Columns(image="image", question="q", answer="a"))
"""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from dataset_builder.files.nearest import nearest
from trust.errors import UsageError

FOLDER = Path(__file__).parent
CHOICE, YES_NO, CLOSED, OPEN = "choice", "yes_no", "closed", "open"  # kinds of questions: keys of `prompts`
PROMPTS = {  # of a dataset that is none of ours; {question}, and the {options} of a choice, a line each with its letter
    CHOICE: "{question}\n{options}\nAnswer with the option's letter from the given choices directly.",
    YES_NO: "{question}\nAnswer with yes or no.",
    CLOSED: "{question}\nAnswer the question using a single word or phrase.",
    OPEN: "{question}",
}


@dataclass(frozen=True)
class Columns:
    """The columns of a VQA dataset; None is a column that there is not."""

    image: str  # a picture, a list of pictures, or the name of a file
    question: str
    answer: str  # text of the right answer
    options: str | list[str] | None = None  # a list, lines "A. …" in a text, or one column an option
    wrong_options: str | None = None  # a list of the wrong ones: with the right one they are put in a random order
    letter: str | None = None  # of the right option
    kind: str | None = None  # says "closed" where a question without options is one
    image_id: str | None = None  # of the picture; None: questions of equal pictures belong together
    id: str | None = None  # of the question; None: its row's number
    group: str | None = None  # the benchmark that a row is of, where there are several in one


@dataclass(frozen=True)
class Benchmark:
    """One benchmark, as its file in this folder says."""

    name: str
    title: str
    hub_id: str  # or a folder
    split: str
    columns: Columns
    config: str | None = None  # of the dataset; None: the only one
    revision: str | None = None  # Hub commit; None: none is pinned
    file: str | None = None  # within the repository, that has the questions; None: those of the split
    pictures: str | None = None  # ZIP within the repository, in which the column `image` names files
    prompts: dict[str, str] = field(default_factory=lambda: dict(PROMPTS))
    added_option: str | None = None  # one more option of every question
    license: str | None = None  # SPDX id, of the questions and their pictures; None: nothing is quoted of them
    license_note: str = ""
    gated: bool = False  # whether the Hub gives it only to whoever accepted its terms


def names() -> list[str]:
    """The benchmarks that there are files of."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_benchmark(name: str) -> Benchmark:
    """The benchmark of that name. Raises ValueError for none, naming the nearest."""
    path = FOLDER / f"{name}.yaml"
    if name not in names():
        raise UsageError(f"no benchmark {name!r}{nearest(name, names())}; there are {', '.join(names())}")
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    made = {"name": name, "columns": Columns(**values["columns"]), "prompts": PROMPTS | values["prompts"]}
    return Benchmark(**values | made)


def of_columns(dataset: str, split: str, config: str | None, columns: Columns) -> Benchmark:
    """Any VQA dataset, a folder or a Hub id, by its columns."""
    return Benchmark(
        name=Path(dataset).name, title=dataset, hub_id=dataset, split=split, config=config, columns=columns
    )


def named(columns: Columns) -> list[str]:
    """The columns that must be there, but for the one of the pictures."""
    values = [getattr(columns, each.name) for each in fields(columns) if each.name != "image"]
    return [name for value in values if value is not None for name in ([value] if isinstance(value, str) else value)]
