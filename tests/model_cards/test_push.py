import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet as parquet
import pytest

from model_cards.cards.dataset_card import write_dataset_card
from model_cards.hub.preflight import front_matter
from model_cards.push import Options, run
from model_cards.staging.dataset import stage_dataset
from model_cards.staging.rows import RowCounts
from tests import processes
from tests.hub_server import client_env
from tests.hub_server.server import PROJECT
from tests.model_cards.conftest import LICENSES, SPLIT_ROWS, _picture
from tests.model_cards.preview.test_page import page_data

KEPT = {
    "commercial": {"CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"},
    "noncommercial": {"CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0"},
    "all": set(LICENSES),
}
READ_EVERYTHING = """
import hashlib, io, json, sys
from datasets import load_dataset

def plain(value):
    if hasattr(value, "tobytes"):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value

def read(source, config, streaming):
    splits = load_dataset(source, config, streaming=streaming)
    return {name: [plain(row) for row in rows] for name, rows in splits.items()}

sizes = {}
for config in ("pairs", "align", "detail", "reasoning", "instruct"):
    here = read(sys.argv[1], config, True)
    assert read(sys.argv[2], config, False) == here, config
    assert read(sys.argv[2], config, True) == here, config
    sizes[config] = {name: len(rows) for name, rows in here.items()}
print(json.dumps(sizes))
"""


def staged(dataset, tmp_path, policy):
    made = stage_dataset(dataset, tmp_path / policy, policy, "lab/figures")
    return made.counts, made.files


@pytest.mark.parametrize("policy", ["commercial", "noncommercial", "all"])
def test_the_policy_decides_row_by_row(dataset, tmp_path, policy):
    counts, files = staged(dataset, tmp_path, policy)
    share = len(KEPT[policy]) * 4
    assert counts["pairs"] == RowCounts(published=share, left_out=24 - share)
    for path, file in files.items():
        if path.endswith(".parquet"):
            assert set(parquet.read_table(file)["license"].to_pylist()) <= KEPT[policy]
    rejected = [json.loads(line)["license"] for line in files["provenance/rejected.jsonl"].read_text().splitlines()]
    assert set(rejected) == KEPT[policy]
    assert parquet.read_metadata(files["provenance/markdown.parquet"]).num_rows == share
    page = files["preview.html"].read_text()
    assert page.count('type="image/jpeg;base64"') == share
    assert {row.get("license") for row in page_data(page)["rows"]} == KEPT[policy]
    assert json.loads(files["provenance/failed.jsonl"].read_text())["article"] == "broken.pdf"


@pytest.mark.parametrize("policy", ["commercial", "noncommercial"])
def test_nothing_of_a_dropped_row_is_in_any_file(dataset, tmp_path, policy):
    _, files = staged(dataset, tmp_path, policy)
    texts = [b"".join(file.read_bytes() for file in files.values())]
    for path, file in files.items():
        if path.endswith(".parquet"):  # compressed: look at the values
            table = parquet.read_table(file)
            columns = [name for name in table.column_names if name not in ("image", "images")]
            texts.append(json.dumps(table.select(columns).to_pylist()).encode())
    everything = b"".join(texts)
    for number in range(24):
        is_kept = LICENSES[number % len(LICENSES)] in KEPT[policy]
        for trace in (f'"Dose curve {number}."', f'"Figure 1 shows dose {number}."', f"Text of PMC{number}."):
            assert (trace.encode() in everything) == is_kept
        assert (_picture(number)["bytes"] in everything) == is_kept


def test_rows_schema_and_order_survive(dataset, tmp_path):
    _, files = staged(dataset, tmp_path, "commercial")
    for split in SPLIT_ROWS:
        name = f"pairs/{split}-00000-of-00001.parquet"
        source, published = parquet.read_table(dataset / name), parquet.read_table(files[name])
        assert published.schema.equals(source.schema, check_metadata=True)
        assert published.to_pylist() == [row for row in source.to_pylist() if row["license"] in KEPT["commercial"]]


def test_same_dataset_same_bytes(dataset, tmp_path):
    _, first = staged(dataset, tmp_path / "a", "noncommercial")
    _, second = staged(dataset, tmp_path / "b", "noncommercial")
    assert {path: file.read_bytes() for path, file in first.items()} == {
        path: file.read_bytes() for path, file in second.items()
    }


def test_files_are_numbered_anew_when_one_falls_away(dataset, tmp_path):
    table = parquet.read_table(dataset / "pairs" / "train-00000-of-00001.parquet")
    (dataset / "pairs" / "train-00000-of-00001.parquet").unlink()
    for i, license in enumerate(("CC-BY-4.0", None, "CC0-1.0")):
        rows = table.filter([name == license for name in table["license"].to_pylist()])
        parquet.write_table(rows, dataset / "pairs" / f"train-{i:05}-of-00003.parquet")
    _, files = staged(dataset, tmp_path, "commercial")
    assert [path for path in files if path.startswith("pairs/train")] == [
        "pairs/train-00000-of-00002.parquet",
        "pairs/train-00001-of-00002.parquet",
    ]


def test_many_rows_in_bounded_groups(dataset, tmp_path):
    path = dataset / "pairs" / "train-00000-of-00001.parquet"
    table = parquet.read_table(path)
    with parquet.ParquetWriter(path, table.schema) as writer:
        for _ in range(50):
            writer.write_table(table)
    _, files = staged(dataset, tmp_path, "commercial")
    metadata = parquet.read_metadata(files["pairs/train-00000-of-00001.parquet"])
    assert metadata.num_rows == 300
    assert max(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)) < 200


def test_the_published_card_speaks_of_what_is_published(dataset, tmp_path):
    _, files = staged(dataset, tmp_path, "commercial")
    card = files["README.md"].read_text()
    assert "| `pairs` | 6 | 3 | 3 |" in card
    assert "policy `commercial`" in card
    assert "12 of `pairs`" in card
    assert "CC-BY-NC" not in card


def test_hidden_and_unknown_files_stay_at_home(dataset, tmp_path):
    for name in (".token", "notes.txt", "provenance/.hidden.jsonl", "pairs/extra.csv", ".work/cache.parquet"):
        (dataset / name).write_text("secret")
    _, files = staged(dataset, tmp_path, "all")
    known = ("README.md", "eval.yaml", "preview.html", "provenance/", "pairs/", "align/", "detail/", "reasoning/")
    assert all(path.startswith(known) for path in files)
    assert not any(b"secret" in file.read_bytes() for file in files.values())


def test_eval_yaml_goes_only_with_its_configs(dataset, tmp_path):
    (dataset / "eval.yaml").write_text("tasks:\n- {id: detail, config: detail}\n- {id: qa, config: absent}\n")
    _, files = staged(dataset, tmp_path, "all")
    assert "eval.yaml" not in files


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("provenance/splits.json", '{"collisions": [{"kind": "image"}]}', ValueError, "1 collisions between splits"),
        ("provenance/splits.json", "{", ValueError, "no leakage certificate|no JSON"),
    ],
)
def test_a_leak_is_not_published(dataset, name, content, error, message):
    (dataset / name).write_text(content)
    with pytest.raises(error, match=message):
        run(Options(str(dataset), "lab/figures", dry_run=True))


def test_no_dataset_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no dataset repo folder"):
        run(Options(str(tmp_path), "lab/figures"))


@pytest.mark.parametrize("repo_id", ["figures", "a/b/c", "https://host/a/b", "lab/ä", ""])
def test_a_wrong_repository_id(dataset, repo_id):
    with pytest.raises(ValueError, match="no repository id"):
        run(Options(str(dataset), repo_id))


def test_no_row_with_a_fitting_licence(dataset):
    for path in dataset.glob("*/*.parquet"):
        table = parquet.read_table(path)
        parquet.write_table(table.filter([name is None for name in table["license"].to_pylist()]), path)
    with pytest.raises(RuntimeError, match="no row may be published under the policy commercial.*not stated: 16"):
        run(Options(str(dataset), "lab/figures"))


# ---- over HTTP


def test_push_then_load_from_a_clean_cache(hub, ldrt_client, run_client, dataset):
    done = ldrt_client("push", dataset, "lab/figures", "--policy", "all")
    assert done.status == 0, done.stderr
    assert "pairs           24 rows, 0 left out" in done.stdout
    write_dataset_card(dataset)
    hub.fail("GET .*/resolve/.*/pairs/train", truncate_bytes=1000)  # the client takes the rest by a range
    sizes = json.loads(run_client("-c", READ_EVERYTHING, dataset, "lab/figures", home="clean").stdout)
    assert not hub.faults[0].times
    assert sizes == {
        config: {name: n * (2 if config == "instruct" else 1) for name, n in SPLIT_ROWS.items()}
        for config in ("pairs", "align", "detail", "reasoning", "instruct")
    }


def test_private_unless_asked_and_the_second_push_commits_nothing(hub, ldrt_client, dataset):
    assert ldrt_client("push", dataset, "lab/figures", "--tag", "v1").status == 0
    assert hub.repo("dataset", "lab/figures").private
    assert "POST /api/datasets/lab/figures/preupload/main" in {f"{r['method']} {r['path']}" for r in hub.log}
    hub.log.clear()
    again = ldrt_client("push", dataset, "lab/figures", "--tag", "v1")
    assert again.status == 0, again.stderr
    assert "nothing new" in again.stdout
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial", "initial commit"]
    assert not hub.requests("PUT|commit/|preupload")
    assert not (dataset / ".work" / "push-commercial").exists()


def test_a_repository_of_other_visibility_is_refused(hub, ldrt_client, dataset):
    assert ldrt_client("push", dataset, "lab/figures", "--private", "false").status == 0
    assert not hub.repo("dataset", "lab/figures").private
    refused = ldrt_client("push", dataset, "lab/figures")
    assert refused.status == 1
    assert "lab/figures is public already: pass --private false" in refused.stderr


def test_another_policy_replaces_its_files_and_leaves_others_alone(hub, ldrt_client, dataset):
    assert ldrt_client("push", dataset, "lab/figures", "--policy", "all").status == 0
    repo = hub.repo("dataset", "lab/figures")
    files = dict(repo.files_at("main")) | {"LICENSE": next(iter(repo.files_at("main").values()))}
    hub.store.add_commit(repo, "main", files, "by hand", "", "alice")
    done = ldrt_client("push", dataset, "lab/figures", "--policy", "commercial")
    assert done.status == 0, done.stderr
    after = repo.files_at("main")
    assert after["preview.html"] != files["preview.html"]
    assert {"LICENSE", ".gitattributes"} <= set(after)
    card = hub.store.content_path(after["README.md"]).read_text()
    assert front_matter(card)["license"] == "other"


def test_dry_run_sends_nothing(hub, ldrt_client, dataset):
    done = ldrt_client("push", dataset, "lab/figures", "--dry_run", "true", token=None)
    assert done.status == 0, done.stderr
    assert "pairs/train-00000-of-00001.parquet" in done.stdout
    assert hub.log == []


def test_killed_in_the_middle_then_again(hub, ldrt_client, dataset, tmp_path):
    """kill -9 while files go up, then while the commit is under way; the third run has nothing left to do."""
    command = [sys.executable, "-m", "ldrt", "push", str(dataset), "lab/figures"]
    env = client_env(hub.url, tmp_path / "home", "hf_write")

    def kill_at(pattern):
        client = subprocess.Popen(command, cwd=PROJECT, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        assert processes.wait(client, until=lambda: hub.requests(pattern)) is None
        os.kill(client.pid, signal.SIGKILL)
        client.wait()

    hub.fail("PUT /lfs", delay_s=1, times=3, skip=5)
    kill_at("PUT /lfs")
    assert hub.titles("dataset", "lab/figures") == ["initial commit"]
    hub.log.clear()
    hub.fail("/commit/main", delay_s=1)
    kill_at("/commit/main")
    time.sleep(1.5)  # the server finishes what it was asked for
    done = ldrt_client("push", dataset, "lab/figures")
    assert done.status == 0, done.stderr
    assert "nothing new" in done.stdout
    assert hub.titles("dataset", "lab/figures") == ["Push rows under policy commercial", "initial commit"]
