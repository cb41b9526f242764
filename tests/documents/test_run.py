"""The commands of the documents do what they say: typed in the documents' order, each chapter in one folder."""

import re
from pathlib import Path

import pytest

from tests.dataset_builder.batch_server import Batches
from tests.dataset_builder.llm_server import serve
from tests.documents.commands import ROOT, Command, documents, in_tables, typed
from tests.documents.place import BROUGHT, Place, checkout, fill_pmc, reply
from tests.hub_server.server import HubServer
from tests.pmc_server import PmcServer

# Chapters: each is read in one folder, from the first page to the last.
CHAPTERS = {
    "a study": [
        "README.md",
        "docs/first-hour.md",
        "docs/build.md",
        "docs/formats/dataset.md",
        "docs/train.md",
        "docs/evaluate.md",
    ]
    + ["docs/export.md", "docs/try.md", "docs/verify.md"],
    "articles": ["docs/fetch.md", "docs/how-to/domain.md", "recipes/domains/README.md"],
    "metrics": [document for document in documents() if document.startswith("evaluation/metrics/")],
}
# Documents whose commands are parsed (test_parsed.py) and not typed, and why.
NOT_TYPED = {
    "CONTRIBUTING.md": "the project's own tests and linters",
    "dataset_builder/benchmarks/README.md": "public benchmarks: tests/evaluation/test_benchmarks.py has copies",
    "docs/how-to/family.md": "tests of families, and the demo once more",
    "docs/how-to/language.md": "tests",
    "docs/how-to/reader.md": "carried out on a copy of the project: tests/dataset_builder/readers/test_how_to.py",
    "docs/install.md": "installs, containers, GPUs and clusters",
    "docs/personal-data.md": "OCR, and a face model's weights",
    "docs/publish.md": "a study's folder, phases and all; tests/model_cards/study/ types it against the tests' Hub",
    "docs/rehydrate.md": "figures that somebody withheld; tests/dataset_builder/rehydrating/ has such",
    "docs/retract.md": "ids of articles that are to go; tests/dataset_builder/test_retract.py has such",
    "recipes/BENCHMARKS.md": "benchmarks, minutes to hours",
    "recipes/README.md": "a study at 13B; its chain is typed from docs/train.md and docs/evaluate.md",
    "recipes/SERVING.md": "servers of 70B models; the options of ours are typed from docs/build.md",
    "recipes/tiny-llava/README.md": "the demo's steps one by one, which README.md types as `make demo`",
}
# Commands that are not typed, in documents that are.
CANNOT = {
    r"^ldrt app ": "a page that stays until it is stopped, and Gradio; tests/evaluation/trying/test_page.py",
    r"^pip install ": "installs",
    r"^ldrt verify FOLDER": "stands for any folder",
    r"^ldrt compare BASE TUNED MORE": "stands for any runs",
    r"runs/base-vqa-rad": "runs of a public benchmark; tests/evaluation/test_compare.py has such",
    r"^ldrt generate --benchmark": "public benchmarks: tests/evaluation/test_benchmarks.py has copies",
}


def test_every_document_with_commands_is_typed_or_says_why_not():
    with_commands = {document for document in documents() if typed(document)}
    chapters = {document for chapter in CHAPTERS.values() for document in chapter}
    assert with_commands == (with_commands & chapters) | (with_commands & set(NOT_TYPED))
    assert not chapters & set(NOT_TYPED)
    assert {document for document in NOT_TYPED if (ROOT / document).exists()} <= with_commands


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_can_be_typed_from_its_first_page_to_its_last(chapter, tmp_path):
    with (
        HubServer(tmp_path / "hub") as hub,
        serve(reply, honours="json_schema", batches=Batches()) as (llm_url, _),
        PmcServer() as pmc,
    ):
        fill_pmc(pmc, tmp_path / "sample")
        place = Place(checkout(tmp_path / "place"), hub, llm_url, pmc)
        for document in CHAPTERS[chapter]:
            for command in (*typed(document), *in_tables(document)):
                type_in(place, command)


def type_in(place: Place, command: Command) -> None:
    if any(re.search(pattern, command.text) for pattern in CANNOT):
        return
    for beginning, bring in BROUGHT.items():
        if command.text.startswith(beginning):
            bring(place)
    done = place.type(command)
    print(f"{command}: {done.returncode}")
    assert done.returncode == 0, f"{command}\n{place.typed(command.text)}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
    assert "Traceback" not in done.stderr, command


def test_what_cannot_be_typed_is_there():
    """A pattern that no command fits has outlived its command."""
    read = [document for chapter in CHAPTERS.values() for document in chapter]
    texts = [command.text for document in read for command in (*typed(document), *in_tables(document))]
    assert all(any(re.search(pattern, text) for text in texts) for pattern in CANNOT)
    assert all(any(text.startswith(beginning) for text in texts) for beginning in BROUGHT)


def test_the_folder_of_a_chapter_has_what_a_checkout_has(tmp_path):
    assert (checkout(tmp_path / "place") / "recipes" / "sft.py").is_file()
    assert Path(checkout(tmp_path / "other") / "accelerate_configs" / "cpu.yaml").is_file()
