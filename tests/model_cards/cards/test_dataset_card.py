import json
import shutil

import datasets
import pytest

from model_cards.cards.dataset_card import render_dataset_card, write_dataset_card
from model_cards.hub.preflight import front_matter
from tests.model_cards.conftest import SPLIT_ROWS


def test_front_matter(dataset):
    front = front_matter(write_dataset_card(dataset).read_text())
    assert front["license"] == "other"
    assert front["language"] == ["en"]
    assert front["task_categories"] == ["image-to-text", "visual-question-answering"]
    assert front["size_categories"] == ["n<1K"]
    configs = {config["config_name"]: config for config in front["configs"]}
    assert list(configs) == ["pairs", "align", "detail", "reasoning", "instruct"]
    assert [name for name, config in configs.items() if config.get("default")] == ["pairs"]
    paths = {row["split"]: row["path"] for row in configs["instruct"]["data_files"]}
    assert paths["test"] == ["detail/test-*.parquet", "reasoning/test-*.parquet"]


def test_body_tells_what_the_files_say(dataset):
    card = write_dataset_card(dataset, "lab/figures").read_text()
    assert "| `pairs` | 12 | 6 | 6 |" in card
    assert "| `instruct` | 24 | 12 | 12 |" in card
    assert "| CC-BY-NC-ND-4.0 | 4 | ask the owner" in card
    assert "| not stated | 4 | ask the owner" in card
    assert "| – files that failed: damaged PDF | 1 |" in card
    assert "**24 of these figures are synthetic**" in card
    assert "| – rejected by `sharpness` | 6 |" in card
    assert 'load_dataset("lab/figures", "pairs")' in card
    assert "| `context` | list[string] | sentences" in card
    assert "{" not in card.split("## Columns")[0].split("---\n")[2], "a template expression was left"


def test_its_own_code_spans_are_none_of_a_stranger(dataset):
    card = render_dataset_card(dataset)
    assert "\\`" not in card
    assert "\n`pairs`:\n" in card


def test_same_files_same_card(dataset):
    first = write_dataset_card(dataset).read_bytes()
    assert write_dataset_card(dataset).read_bytes() == first


@pytest.mark.parametrize("config", ["pairs", "align", "detail", "reasoning", "instruct"])
@pytest.mark.parametrize("streaming", [False, True])
def test_the_folder_loads_by_its_card(dataset, tmp_path, config, streaming):
    write_dataset_card(dataset)
    loaded = datasets.load_dataset(str(dataset), config, streaming=streaming, cache_dir=str(tmp_path / "cache"))
    factor = 2 if config == "instruct" else 1
    for split, n in SPLIT_ROWS.items():
        rows = list(loaded[split])
        assert len(rows) == n * factor
        picture = rows[0]["image"] if config == "pairs" else rows[0]["images"][0]
        assert picture.size == (32, 24)


def test_pairs_is_the_default_config(dataset, tmp_path):
    write_dataset_card(dataset)
    loaded = datasets.load_dataset(str(dataset), cache_dir=str(tmp_path / "cache"))
    assert "caption" in loaded["test"].column_names


def test_a_folder_made_with_datasets_alone(dataset):
    for name in ("align", "reasoning", "provenance"):
        shutil.rmtree(dataset / name)
    (dataset / "detail" / "test-00000-of-00001.parquet").unlink()
    card = write_dataset_card(dataset).read_text()
    configs = {config["config_name"]: config for config in front_matter(card)["configs"]}
    assert list(configs) == ["pairs", "detail", "instruct"]
    assert [row["split"] for row in configs["instruct"]["data_files"]] == ["train", "validation"]
    for section in ("## From articles to figures", "## How it was made", "provenance/"):
        assert section not in card


def test_collisions_are_told(dataset):
    path = dataset / "provenance" / "splits.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"collisions": [{"kind": "image"}]}))
    assert "**1 collisions:**" in render_dataset_card(dataset)


def test_strangers_text_stays_in_its_cell(dataset):
    row = {"article": "x.pdf", "stage": "read | pdf\n# Heading", "error": "no"}
    (dataset / "provenance" / "failed.jsonl").write_text(json.dumps(row) + "\n")
    (dataset / "provenance" / "manifest.json").unlink()
    assert "| files that failed: read \\| pdf # Heading | 1 |" in render_dataset_card(dataset)


def test_no_dataset(tmp_path):
    with pytest.raises(FileNotFoundError, match="run `ldrt build` first"):
        write_dataset_card(tmp_path)
    assert not (tmp_path / "README.md").exists()


def test_a_broken_provenance_file_is_named(dataset):
    (dataset / "provenance" / "rejected.jsonl").write_text('not json\n{"filter": "y"}\n')
    with pytest.raises(ValueError, match="rejected.jsonl, line 1"):
        write_dataset_card(dataset)


def test_a_folder_built_anew_is_not_answered_from_the_cache(dataset, tmp_path):
    def captions() -> list[str]:
        write_dataset_card(dataset)
        return datasets.load_dataset(str(dataset), "pairs", split="train", cache_dir=str(tmp_path / "cache"))[
            "caption"
        ][:]

    before = captions()
    path = next((dataset / "pairs").glob("train-*.parquet"))
    datasets.Dataset.from_parquet(str(path)).map(lambda row: {"caption": row["caption"].upper()}).to_parquet(path)
    assert captions() == [caption.upper() for caption in before]


def test_a_config_that_a_failed_teacher_left_alone_is_said(dataset):
    path = dataset / "provenance" / "manifest.json"
    manifest = json.loads(path.read_text())
    stage = {"rejected": {"refusal": 24}, "counts": {"detail": 24, "reasoning": 24}, "left_as_before": ["detail"]}
    path.write_text(json.dumps(manifest | {"stages": manifest["stages"] | {"instruct": stage}}))
    card = write_dataset_card(dataset).read_text()
    assert "Every example of `detail` that the last run of `ldrt instruct` gave was rejected" in card
    assert "Every example of `reasoning`" not in card
