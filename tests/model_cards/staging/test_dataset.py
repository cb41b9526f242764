"""What a policy lets out of a dataset: row by row, in every file."""

import json
import shutil

import pyarrow
import pyarrow.parquet as parquet
import pytest

from model_cards.staging.dataset import stage_dataset
from model_cards.staging.rows import RowCounts
from tests.model_cards.conftest import LICENSES, SPLIT_ROWS, _picture
from tests.model_cards.preview.test_page import page_data
from trust.licenses import combined

KEPT = {
    "commercial": {"CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"},
    "noncommercial": {"CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0"},
    "all": set(LICENSES),
}


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
    examples = page_data(files["examples.html"].read_text())
    assert examples["totals"] == {"kept": 3 * share}
    assert {row.get("license") for row in examples["rows"]} == KEPT[policy]
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


@pytest.mark.parametrize("policy", ["commercial", "noncommercial", "all"])
def test_rejected_examples_go_where_all_that_they_are_made_of_may(dataset, tmp_path, policy):
    made_of = [["CC-BY-4.0"], ["CC-BY-NC-4.0"], ["CC-BY-4.0", "CC-BY-NC-4.0"], ["CC-BY-4.0", None], [None]]
    rows = [{"example_id": str(i), "license": combined(of_it), "licenses": of_it} for i, of_it in enumerate(made_of)]
    rows = [row | {"reason": "blank", "answer": "null"} for row in rows]
    rows.append(
        {"example_id": "own", "reason": "blank", "license": None, "licenses": [None, "CC-BY-4.0"], "rights": "© Others"}
    )
    path = dataset / "provenance" / "rejected_examples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, files = staged(dataset, tmp_path, policy)
    lines = files["provenance/rejected_examples.jsonl"].read_text().splitlines()
    kept = {json.loads(line)["example_id"] for line in lines}
    shown = page_data(files["examples.html"].read_text())["rows"]
    assert {row["example_id"] for row in shown if row["verdict"] == "blank"} == kept
    assert "own" not in kept
    assert kept == {"commercial": {"0"}, "noncommercial": {"0", "1", "2"}, "all": {"0", "1", "2", "3", "4"}}[policy]


@pytest.mark.parametrize("policy", ["commercial", "all"])
def test_another_figures_context_is_shown_only_where_that_figure_is_permitted(dataset, tmp_path, policy):
    rows = [{"figure_id": "PMC0/fig1", "context_of": f"PMC{n}/fig1", "evidence": [], "reason": "blank"} for n in (1, 2)]
    rows = [row | {"license": "CC-BY-4.0", "licenses": ["CC-BY-4.0"], "task": "detail"} for row in rows]
    path = dataset / "provenance" / "rejected_examples.jsonl"
    path.write_text(
        "".join(json.dumps(row) + "\n" for row in rows)
    )  # made by hand: `ldrt instruct` names both licences
    _, files = staged(dataset, tmp_path, policy)
    rejected = [row for row in page_data(files["examples.html"].read_text())["rows"] if row["verdict"] == "blank"]
    of_noncommercial = [["Figure 1 shows dose 2."]] if policy == "all" else []
    assert [row["context"] for row in rejected] == [[["Figure 1 shows dose 1."]], of_noncommercial]


def test_a_dataset_without_examples_has_no_page_of_them(dataset, tmp_path):
    for config in ("align", "detail", "reasoning"):
        shutil.rmtree(dataset / config)
    (dataset / "examples.html").write_text("of all of them")
    _, files = staged(dataset, tmp_path, "all")
    assert "examples.html" not in files
    assert "examples.html" not in files["preview.html"].read_text()


def test_rows_schema_and_order_survive(dataset, tmp_path):
    _, files = staged(dataset, tmp_path, "commercial")
    for split in SPLIT_ROWS:
        name = f"pairs/{split}-00000-of-00001.parquet"
        source, published = parquet.read_table(dataset / name), parquet.read_table(files[name])
        assert published.schema.equals(source.schema, check_metadata=True)
        assert published.to_pylist() == [row for row in source.to_pylist() if row["license"] in KEPT["commercial"]]


def with_rights(dataset, figure_id, rights, license):
    """Give a figure rights of its own, in every config."""
    for path in dataset.glob("*/*.parquet"):
        table = parquet.read_table(path)
        change = {"rights": rights, "license": license}
        rows = [row | change if row["figure_id"] == figure_id else row for row in table.to_pylist()]
        parquet.write_table(pyarrow.Table.from_pylist(rows, table.schema), path)


@pytest.mark.parametrize("policy", ["commercial", "noncommercial", "all"])
def test_figures_of_others_are_left_out_by_every_policy(dataset, tmp_path, policy):
    with_rights(dataset, "PMC0/fig1", "Reprinted with permission of A House.", None)
    with_rights(dataset, "PMC1/fig1", "Adapted from [3] under CC BY 4.0.", "CC-BY-4.0")
    _, files = staged(dataset, tmp_path, policy)
    for config in ("pairs", "align", "detail", "reasoning"):
        published = parquet.read_table(files[f"{config}/train-00000-of-00001.parquet"])["figure_id"].to_pylist()
        assert "PMC0/fig1" not in published
        assert "PMC1/fig1" in published
    card = files["README.md"].read_text()
    assert "1 figures say that they have rights of their own" in card


def test_a_dataset_of_before_has_no_rights(dataset, tmp_path):
    for path in dataset.glob("*/*.parquet"):
        parquet.write_table(parquet.read_table(path).drop_columns(["rights"]), path)
    counts, _ = staged(dataset, tmp_path, "all")
    assert counts["pairs"].published == 24


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
    known = (
        "README.md",
        "eval.yaml",
        "preview.html",
        "examples.html",
        "provenance/",
        "pairs/",
        "align/",
        "detail/",
        "reasoning/",
    )
    assert all(path.startswith(known) for path in files)
    assert not any(b"secret" in file.read_bytes() for file in files.values())


def test_eval_yaml_goes_only_with_its_configs(dataset, tmp_path):
    (dataset / "eval.yaml").write_text("tasks:\n- {id: detail, config: detail}\n- {id: qa, config: absent}\n")
    _, files = staged(dataset, tmp_path, "all")
    assert "eval.yaml" not in files
