"""Fixtures that several folders use: the sample corpus and the dataset built from it, made once a run."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

_cache = tempfile.TemporaryDirectory(prefix="ldrt-tests-")
os.environ["HF_DATASETS_CACHE"] = _cache.name  # never the user's: no rows of an earlier run
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes share the cores, and threads that spin starve others
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def pytest_collection_modifyitems(items):
    """Tests marked `corpus` need real articles, which the project does not ship."""
    if "LDRT_ARTICLES" not in os.environ:
        for item in items:
            if "corpus" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="set LDRT_ARTICLES to a folder of real articles"))


@pytest.fixture(scope="session")
def sample_articles(tmp_path_factory) -> Path:
    """20 synthetic articles, with all the special cases, and their truth."""
    from dataset_builder.sample.corpus import write_corpus

    folder = tmp_path_factory.mktemp("sample") / "articles"
    write_corpus(folder, articles=20)
    return folder


@pytest.fixture(scope="session")
def _built(sample_articles, tmp_path_factory) -> Path:
    from dataset_builder import build, instruct
    from model_cards.cards.dataset_card import write_dataset_card

    dataset = tmp_path_factory.mktemp("built") / "dataset"
    build.run(build.Options(str(sample_articles), str(dataset)))
    instruct.run(instruct.Options(str(dataset)))
    write_dataset_card(dataset)
    return dataset


@pytest.fixture
def sample_dataset(_built, tmp_path) -> Path:
    """A dataset repo folder of one's own, built from `sample_articles` and with instruction data."""
    return Path(shutil.copytree(_built, tmp_path / "dataset"))
