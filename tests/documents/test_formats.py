"""The pages on file formats say what there is, and git passes over what documents write."""

import re
import subprocess

import pytest

from dataset_builder.schema import CONFIGS, EXAMPLES, PAIRS, PREFERENCES
from evaluation import run_folder
from tests.documents.commands import ROOT, documents, text_of, typed

DATASET, RUN = "docs/formats/dataset.md", "docs/formats/run.md"
SECTIONS = {"pairs: one row a figure": PAIRS, "align, detail, reasoning": EXAMPLES, "preference: one row": PREFERENCES}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_on_datasets_has_every_column_and_no_other(heading):
    section = text_of(DATASET).split(f"\n## {heading}")[1].split("\n## ")[0]
    named = {name for cell in re.findall(r"^\| (`[^|]*`) \|", section, re.M) for name in re.findall(r"`(\w+)`", cell)}
    assert named == set(SECTIONS[heading])


def test_the_page_on_datasets_names_every_config():
    assert all(re.search(rf"\b{config}\b", text_of(DATASET)) for config in CONFIGS)


def test_the_page_on_runs_has_every_file_and_every_column_of_an_answer():
    files = {
        value for name, value in vars(run_folder).items() if name.isupper() and str(value).endswith(("json", "jsonl"))
    }
    files -= {run_folder.REPLIES}  # of a server, while it answers
    text = text_of(RUN)
    assert not [name for name in sorted(files) if f"`{name}`" not in text]
    assert not [column for column in run_folder.Prediction.__annotations__ if f"`{column}`" not in text]


def test_what_documents_write_is_no_news_to_git():
    """The folders that commands make in a checkout; a path with more than its name is below one of them."""
    made = {path for document in documents() for command in typed(document) for path in outputs(command.words)}
    assert {"dataset", "articles", "runs"} <= made
    ignored = subprocess.run(
        ["git", "check-ignore", *(f"{name}/x" for name in made)], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert {name.removesuffix("/x") for name in ignored} == made
    tracked = ["ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert not subprocess.run(["git", *tracked], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def outputs(words: list[str]) -> list[str]:
    """The first part of every path that a command writes to."""
    named = [value for option, value in zip(words, words[1:], strict=False) if option in ("--output", "-o")]
    copied = words[-1:] if words[:2] == ["cp", "-r"] else []
    return [path.split("/")[0] for path in (*named, *copied) if path[0].islower() and "." not in path]
