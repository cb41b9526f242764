"""Ten articles under several licences, as XML, PDF, archive and both, built and taught; and what was published."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

import ldrt
from dataset_builder.sample.articles import make_articles
from dataset_builder.sample.corpus import write_articles
from tests.hub_server.fixtures import hub, hub_process, ldrt_client, run_client  # noqa: F401 - fixtures

NONCOMMERCIAL = (0, 1, 2, 5)  # XML, PDF, archive, XML with its PDF
UNSTATED = 6  # XML without a licence
REPRINTED = 3  # XML under CC0, whose first figure is somebody else's
WORDS = "Reprinted with permission of Elsevier."


def _corpus(folder: Path) -> None:
    made = make_articles(10, seed=3)
    for i in NONCOMMERCIAL:
        made[i] = replace(made[i], license="CC-BY-NC-4.0")
    made[REPRINTED].figures[0].caption += f" {WORDS}"
    write_articles(folder, made)
    (unstated,) = folder.glob(f"jats-{UNSTATED:03d}/article.*")
    text = re.sub(r"<permissions>.*?</permissions>", "", unstated.read_text(), flags=re.DOTALL)
    unstated.write_text(text)


@pytest.fixture(scope="session")
def _whole(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("rehydrating")
    _corpus(home / "articles")
    assert ldrt.main(["build", str(home / "articles"), "--output", str(home / "dataset"), "--workers", "2"]) == 0
    assert ldrt.main(["instruct", str(home / "dataset")]) == 0
    return home


@pytest.fixture(scope="session")
def articles(_whole) -> Path:
    """The articles; a test that changes them takes a copy."""
    return _whole / "articles"


@pytest.fixture(scope="session")
def original(_whole) -> Path:
    """The dataset that was built of them; a test that changes it takes a copy."""
    return _whole / "dataset"


@pytest.fixture(scope="session")
def published(original, tmp_path_factory) -> Path:
    """What a push under the policy `commercial` sends, as a folder."""
    from model_cards.staging.dataset import stage_dataset

    folder = tmp_path_factory.mktemp("published")
    stage_dataset(original, folder / "staged", "commercial", "lab/figures", with_withheld=True)
    return Path(shutil.copytree(folder / "staged", folder / "dataset"))


@pytest.fixture(scope="session")
def made_again(published, articles, tmp_path_factory) -> Path:
    """What `ldrt rehydrate` makes of it; a test that changes it takes a copy."""
    output = tmp_path_factory.mktemp("made") / "dataset"
    assert rehydrate(published, articles, output) == 0
    return output


def rehydrate(published: object, articles: Path, output: Path, *words: object) -> int:
    """The exit status of `ldrt rehydrate`."""
    argv = ["rehydrate", published, "--articles", articles, "--output", output, "--workers", 2, *words]
    return ldrt.main([str(word) for word in argv])


def rows_of(dataset: Path, config: str = "pairs") -> list[dict]:
    """Every row of a config, in order, with its split."""
    return [
        {**row, "split": split}
        for split in ("train", "validation", "test")
        for path in sorted((dataset / config).glob(f"{split}-*.parquet"))
        for row in parquet.read_table(path).to_pylist()
    ]


def differences(dataset: Path) -> list[dict]:
    lines = (dataset / "provenance" / "differences.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]
