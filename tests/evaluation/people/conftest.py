"""A dataset, two runs that answered it, and a rating page of them."""

import io
import json

import pytest
from PIL import Image

from tests.evaluation.people.pages import HOSTILE, LARGE, SECRET, UNREADABLE, export
from tests.evaluation.runs import make_run, read_records, write_records


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Dataset folder with the questions of `make_run`; some pictures are large, some cannot be read."""
    from datasets import Dataset

    from dataset_builder import schema

    records = read_records(make_run(tmp_path_factory.mktemp("run"), "any", 1.0))
    folder = tmp_path_factory.mktemp("data") / "figures"
    rows = {
        "pairs": ([_pair(record) for record in records], schema.PAIRS),
        "detail": ([_example(record) for record in records if record["task"] == "detail"], schema.EXAMPLES),
        "reasoning": ([_example(record) for record in records if record["task"] == "reasoning"], schema.EXAMPLES),
    }
    configs = []
    for name, (found, features) in rows.items():
        (folder / name).mkdir(parents=True)
        Dataset.from_list(found, features=features).to_parquet(folder / name / "test-00000-of-00001.parquet")
        configs.append({"config_name": name, "data_files": [{"split": "test", "path": f"{name}/test-*.parquet"}]})
    (folder / "README.md").write_text(f"---\n{json.dumps({'configs': configs})}\n---\n")
    return folder


def _picture(record):
    number, buffer = int(record["example_id"][1:]), io.BytesIO()
    size = (2600, 1300) if number in LARGE else (320 + 4 * number, 240)
    Image.new("RGB", size, (9 * number % 256, 90, 160)).save(buffer, "PNG")
    return {"bytes": buffer.getvalue() if number not in UNREADABLE else b"no picture", "path": None}


def _pair(record):
    from dataset_builder import schema

    known = {"image": _picture(record), "caption": f"Caption. {HOSTILE}", "context": ["The dose is 5 Gy.", HOSTILE]}
    known |= {name: record[name] for name in ("figure_id", "article_id", "license")} | {"doi": "10.5555/x"}
    return {column: known.get(column) for column in schema.PAIRS} | {"panels": []}


def _example(record):
    from dataset_builder import schema

    known = {name: record[name] for name in ("task", "example_id", "figure_id", "article_id", "license")}
    known |= {"images": [_picture(record)], "prompt": [{"role": "user", "content": record["question"]}]}
    known |= {"completion": [{"role": "assistant", "content": record["reference"]}], "evidence": []}
    return {column: known.get(column) for column in schema.EXAMPLES}


@pytest.fixture(scope="session")
def runs(dataset, tmp_path_factory):
    from evaluation.answering.questions import load_items

    revision = load_items(str(dataset), "test", ["detail", "reasoning"]).revision
    folder = tmp_path_factory.mktemp("runs")
    made = [
        make_run(folder / name, model, quality, ("true", "blank"), dataset_revision=revision)
        for name, model, quality in (("first-run", SECRET[0], 0.3), ("second-run", SECRET[1], 0.9))
    ]
    for run in made:
        records = read_records(run)
        for i in range(2, len(records), 7):
            records[i]["prediction"] = HOSTILE
            records[i - 1]["prediction"] = ""
        write_records(run, records)
    return made


@pytest.fixture(scope="session")
def packet(runs, dataset, tmp_path_factory):
    """(folder, key.json, rate.html) of an export."""
    folder = tmp_path_factory.mktemp("rating")
    return folder, *export(runs, dataset, folder)


@pytest.fixture
def rating(packet, tmp_path):
    """A folder with the key of `packet`, beside it: the key names the runs by relative paths."""
    assert packet[0].parent == tmp_path.parent
    (tmp_path / "key.json").write_text(json.dumps(packet[1]))
    return tmp_path
