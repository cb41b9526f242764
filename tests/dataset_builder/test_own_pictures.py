"""A folder of pictures with a table, and no article: `ldrt build` and `ldrt instruct`."""

import json
from pathlib import Path

import pytest
from datasets import load_dataset

import ldrt
from dataset_builder.files.jsonfiles import read_jsonl
from tests.dataset_builder.readers.tables.folders import draw, write_table
from tests.dataset_builder.test_build import small_articles

N_PICTURES = 12


def rows_of(dataset: Path, config: str) -> list[dict]:
    splits = load_dataset(str(dataset), config, cache_dir=str(dataset / ".work" / "cache"))
    return [row | {"split": name} for name, rows in splits.items() for row in rows]


def table_rows(n: int = N_PICTURES) -> list[dict]:
    """Two questions a picture, and no caption."""
    asked = [("How many joints?", "{} joints.", ""), ("Which side?", "Side {}.", ""), ("Why?", "Age {}.", "reasoning")]
    return [
        {"picture": f"img/{i}.png", "license": "CC BY 4.0", "question": q, "answer": a.format(i), "task": task}
        for i in range(n)
        for q, a, task in asked
    ]


@pytest.fixture
def pictures(tmp_path) -> Path:
    folder = tmp_path / "own"
    for i in range(N_PICTURES):
        draw(folder / "img" / f"{i}.png", i)
    write_table(folder, table_rows())
    return folder


def build(folder: Path, dataset: Path) -> int:
    return ldrt.main(["build", str(folder), "--output", str(dataset), "--workers", "1"])


def test_pictures_and_questions_are_a_dataset(pictures, tmp_path):
    dataset = tmp_path / "dataset"
    assert build(pictures, dataset) == 0
    assert ldrt.main(["instruct", str(dataset), "--teacher", "given"]) == 0
    pairs = rows_of(dataset, "pairs")
    assert len(pairs) == N_PICTURES
    splits = {pair["figure_id"]: pair["split"] for pair in pairs}
    assert set(splits.values()) == {"train", "validation", "test"}
    assert {(pair["source"], pair["license"], pair["caption"]) for pair in pairs} == {("csv", "CC-BY-4.0", None)}
    detail, reasoning = rows_of(dataset, "detail"), rows_of(dataset, "reasoning")
    assert (len(detail), len(reasoning)) == (2 * N_PICTURES, N_PICTURES)
    assert not (dataset / "align").exists()
    assert len({row["example_id"] for row in (*detail, *reasoning)}) == 3 * N_PICTURES
    for row in (*detail, *reasoning):
        assert row["split"] == splits[row["figure_id"]]
        told = [row[name] for name in ("teacher", "evidence", "support", "prompt_sha256", "context_of")]
        assert told == ["given", None, None, None, None]
    by_id = {row["example_id"]: row for row in detail}
    second = by_id["figures.csv!img/7.png/fig/detail-2"]
    assert (second["prompt"][0]["content"], second["completion"][0]["content"]) == ("Which side?", "Side 7.")
    assert (
        json.loads((dataset / "provenance/manifest.json").read_text())["stages"]["instruct"]["options"]["teacher"]
        == "given"
    )
    assert "`given`" in (dataset / "README.md").read_text(encoding="utf-8")


def test_figures_of_articles_are_asked_beside_them(pictures, tmp_path):
    small_articles(pictures / "articles", 3)
    dataset = tmp_path / "dataset"
    assert build(pictures, dataset) == 0
    assert ldrt.main(["instruct", str(dataset)]) == 0
    teachers = {(row["teacher"], row["figure_id"].startswith("figures.csv!")) for row in rows_of(dataset, "detail")}
    assert teachers == {("given", True), ("extractive", False)}


def test_without_given_questions_there_is_nothing_to_teach(tmp_path, capsys):
    dataset = tmp_path / "dataset"
    build(small_articles(tmp_path / "articles", 2), dataset)
    assert ldrt.main(["instruct", str(dataset), "--teacher", "given"]) == 1
    assert "came with questions" in capsys.readouterr().err


def test_bad_rows_are_told_and_the_others_kept(pictures, tmp_path, capsys):
    rows = [
        *table_rows(),
        {"picture": "img/0.png", "question": "And?"},
        {"picture": "none.png", "caption": "Not there."},
    ]
    write_table(pictures, rows)
    dataset = tmp_path / "dataset"
    assert build(pictures, dataset) == 0
    (failed,) = read_jsonl(dataset / "provenance/failed.jsonl")
    line = 2 + 3 * N_PICTURES
    assert failed["article"] == f"figures.csv!line {line}"
    assert failed["error"].startswith(f"line {line}: a question without an answer")
    (rejected,) = read_jsonl(dataset / "provenance/rejected.jsonl")
    assert (rejected["filter"], rejected["value"]) == (
        "image_missing",
        f"line {line + 1}: none.png: no such picture file",
    )
    assert "1  a question without an answer" in capsys.readouterr().out


def test_an_edit_costs_only_its_own_article_and_moves_nothing(pictures, tmp_path):
    dataset = tmp_path / "dataset"
    build(pictures, dataset)
    records = {path: path.stat().st_mtime_ns for path in dataset.glob(".work/records/*/*/article.json")}
    splits = {row["article_id"]: row["split"] for row in rows_of(dataset, "pairs")}
    rows = table_rows()
    rows[4]["answer"] = "Another side."
    write_table(pictures, rows)
    build(pictures, dataset)
    now = {path: path.stat().st_mtime_ns for path in dataset.glob(".work/records/*/*/article.json")}
    assert len(now.items() - records.items()) == 1
    assert {row["article_id"]: row["split"] for row in rows_of(dataset, "pairs")} == splits
    answers = [q["answer"] for row in rows_of(dataset, "pairs") for q in row["questions"]]
    assert "Another side." in answers
    fresh = tmp_path / "fresh"
    build(pictures, fresh)
    digests = [
        json.loads((d / "provenance/manifest.json").read_text())["stages"]["build"]["inputs_sha256"]
        for d in (dataset, fresh)
    ]
    assert digests[0] == digests[1]


def test_a_table_goes_before_the_articles_that_it_was_made_of(tmp_path):
    articles, dataset = small_articles(tmp_path / "articles", 2), tmp_path / "dataset"
    (articles / "a0" / "x.pdf").write_bytes(b"%PDF of the same article, broken")
    own = {
        "picture": "a0/f0.png",
        "doi": "10.5555/0",
        "caption": "My own words on it.",
        "question": "Q?",
        "answer": "A.",
    }
    write_table(articles, [own])
    assert build(articles, dataset) == 0
    of_it = [row for row in rows_of(dataset, "pairs") if row["article_id"] == "10.5555/0"]
    assert [(row["caption"], row["source"]) for row in of_it] == [("My own words on it.", "csv")]
    details = {row["file"]: row["detail"] for row in read_jsonl(dataset / "provenance/skipped.jsonl")}
    assert details["a0/x.xml"] == "not the table of figures that was made of it; taken: figures.csv!10.5555/0"


def test_a_name_that_no_file_can_have_is_one_of_an_article(tmp_path):
    folder, dataset = tmp_path / "own", tmp_path / "dataset"
    draw(folder / "a.png", 1)
    write_table(folder, [{"picture": "a.png", "caption": "A knee of somebody.", "article_id": "患者" * 60}])
    assert build(folder, dataset) == 0
    assert len(list((dataset / "provenance/markdown").iterdir())) == 1
