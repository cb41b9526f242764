"""`ldrt retract`: nothing of an article is left anywhere, nothing else changes, and nothing brings it back."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

import ldrt
from dataset_builder import build, instruct
from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.schema import SPLITS
from dataset_builder.screening.ledger import (
    REVIEW,
    REVIEW_FILE,
    Finding,
    ScreenedPicture,
    note_screened,
    read_screened,
    write_review,
)
from tests import processes
from tests.dataset_builder.llm_server import serve
from tests.dataset_builder.readers.tables.folders import draw, write_table
from tests.dataset_builder.test_instruct_teacher import good, teach

CONFIGS = ("pairs", "align", "detail", "reasoning")
LISTS = {"README.md", "CHANGELOG.md", "provenance/retracted.jsonl", "provenance/changelog.jsonl"}  # may name the ids
PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def day(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # 2023-11-14


def retract(dataset: Path, *words: str) -> int:
    return ldrt.main(["retract", str(dataset), *words, "--why", "the authors asked for it"])


def rows(dataset: Path, config: str) -> list[dict]:
    """Of all splits, each with its split's first letters."""
    paths = chain.from_iterable(sorted((dataset / config).glob(f"{split}-*")) for split in SPLITS)
    return [row | {"split": path.name[:4]} for path in paths for row in parquet.read_table(path).to_pylist()]


def contents(dataset: Path) -> dict[str, str]:
    """Every file, by its hash; but for logs."""
    files = [path for path in dataset.rglob("*") if path.is_file() and "local" not in path.parts]
    return {path.relative_to(dataset).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def build_counts(dataset: Path) -> dict:
    """The funnel; without the warnings, which a first build alone has."""
    stages = json.loads((dataset / "provenance" / "manifest.json").read_text())["stages"]
    return {stage: stages[stage]["counts"] | {"warnings": None} for stage in ("build", "instruct")}


def traces(dataset: Path, said: set[str], pictures: set[bytes]) -> set[str]:
    """The files that hold one of the texts or of the pictures, Parquet files unpacked."""
    found = set()
    for path in dataset.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = repr(parquet.read_table(path).to_pylist()).encode()
        has_picture = any(hashlib.sha256(content).digest() == hashlib.sha256(one).digest() for one in pictures)
        if has_picture or any(text.encode() in content for text in said):
            found.add(path.relative_to(dataset).as_posix())
    return found


def of_article(dataset: Path, article_id: str) -> tuple[set[str], set[bytes]]:
    """What an article alone says, its id and its captions, and its pictures."""
    pairs = rows(dataset, "pairs")
    own = [row for row in pairs if row["article_id"] == article_id]
    others = {row["caption"] for row in pairs if row["article_id"] != article_id}
    shared = {row["image"]["bytes"] for row in pairs if row["article_id"] != article_id}
    captions = {row["caption"] for row in own} - others
    return {article_id, *captions}, {row["image"]["bytes"] for row in own} - shared


def by_source(dataset: Path, source: str, marked: str = "") -> str:
    """An article with figures that was read so, from a file with `marked` in its path."""
    row = next(r for r in rows(dataset, "pairs") if r["source"] == source and marked in r["source_file"])
    return row["article_id"]


@pytest.mark.parametrize(("source", "marked"), [("jats", ""), ("pdf", ""), ("jats", "!"), ("jats+pdf", "")])
def test_nothing_of_it_is_left_and_a_build_does_not_bring_it_back(sample_articles, sample_dataset, source, marked):
    article = by_source(sample_dataset, source, marked)
    said, pictures = of_article(sample_dataset, article)
    assert len(traces(sample_dataset, said, pictures)) > 10
    before = {config: rows(sample_dataset, config) for config in CONFIGS}
    assert retract(sample_dataset, "--article", article) == 0
    assert traces(sample_dataset, said, pictures) <= LISTS
    for config in CONFIGS:
        assert rows(sample_dataset, config) == [row for row in before[config] if row["article_id"] != article]
    after, counts = contents(sample_dataset), build_counts(sample_dataset)
    build.run(build.Options(str(sample_articles), str(sample_dataset)))
    instruct.run(instruct.Options(str(sample_dataset)))
    ldrt._render_card(sample_dataset)
    unpacked = {name for name in traces(sample_dataset, said, pictures) if name.startswith(".work/unpacked/")}
    assert traces(sample_dataset, said, pictures) - unpacked <= LISTS  # an archive of the user's is unpacked as it is
    rebuilt = contents(sample_dataset)
    if not marked:  # what is unpacked anew is read anew
        changed = {name for name in after.keys() | rebuilt.keys() if after.get(name) != rebuilt.get(name)}
        assert changed <= {".work/todo.jsonl", "provenance/manifest.json"}
        assert build_counts(sample_dataset) == counts
    assert {name for name in after if "parquet" in name and after[name] != rebuilt[name]} == set()


def test_files_without_a_row_of_it_stay_bit_for_bit(sample_dataset):
    article = by_source(sample_dataset, "pdf")
    before = contents(sample_dataset)
    splits = {row["split"] for row in rows(sample_dataset, "pairs") if row["article_id"] == article}
    assigned = json.loads((sample_dataset / "provenance" / "splits.json").read_text())["assignments"]
    assert retract(sample_dataset, "--article", article) == 0
    after = contents(sample_dataset)
    changed = {name for name in before if "parquet" in name and before[name] != after.get(name)}
    assert {Path(name).name[:4] for name in changed} == splits
    now = json.loads((sample_dataset / "provenance" / "splits.json").read_text())
    assert now["assignments"] == {name: split for name, split in assigned.items() if name != article}
    for split, sizes in now["splits"].items():
        assert sizes["figures"] == sum(row["split"] == split[:4] for row in rows(sample_dataset, "pairs"))


def test_it_is_known_again_in_a_file_of_another_name_and_date(sample_articles, sample_dataset, tmp_path):
    article = by_source(sample_dataset, "pdf")
    source = next(row["source_file"] for row in rows(sample_dataset, "pairs") if row["article_id"] == article)
    said, pictures = of_article(sample_dataset, article)
    assert retract(sample_dataset, "--article", article) == 0
    articles = Path(shutil.copytree(sample_articles, tmp_path / "articles"))
    shutil.move(articles / source, articles / "another name.pdf")
    os.utime(articles / "another name.pdf")
    build.run(build.Options(str(articles), str(sample_dataset)))
    assert traces(sample_dataset, said, pictures) <= LISTS


def test_a_record_that_is_marked_is_no_failure_and_is_read_again_when_asked_for(sample_articles, sample_dataset):
    failed = (sample_dataset / "provenance" / "failed.jsonl").read_text()
    article = by_source(sample_dataset, "jats")
    assert retract(sample_dataset, "--article", article) == 0
    build.run(build.Options(str(sample_articles), str(sample_dataset), retry_failed=True))
    assert (sample_dataset / "provenance" / "failed.jsonl").read_text() == failed
    assert traces(sample_dataset, {article}, set()) <= LISTS
    (sample_dataset / "provenance" / "retracted.jsonl").unlink()  # taken in again
    build.run(build.Options(str(sample_articles), str(sample_dataset), retry_failed=True))
    assert article in {row["article_id"] for row in rows(sample_dataset, "pairs")}


def test_the_changelog_and_the_list_say_what_went(sample_dataset, capsys):
    article = by_source(sample_dataset, "jats")
    (sample_dataset / "CHANGELOG.md").write_text("# What changed here\n\n- 2020: by hand\n")
    counts = {config: sum(row["article_id"] == article for row in rows(sample_dataset, config)) for config in CONFIGS}
    assert retract(sample_dataset, "--article", article.lower()) == 0
    told = ", ".join(f"{config} {n}" for config, n in counts.items() if n)
    line = f"- 2023-11-14: article `{article}` taken down (the authors asked for it). Rows: {told}."
    text = (sample_dataset / "CHANGELOG.md").read_text()
    assert text == f"# What changed here\n\n{line}\n\n- 2020: by hand\n"
    (entry,) = read_jsonl(sample_dataset / "provenance" / "retracted.jsonl")
    assert (entry["article_id"], entry["day"]) == (article, "2023-11-14")
    assert entry["rows"] == {config: n for config, n in counts.items() if n}
    assert "taken_down" in (sample_dataset / "README.md").read_text()
    assert f"article {article}: {told}" in capsys.readouterr().out
    first = contents(sample_dataset)
    assert retract(sample_dataset, "--article", article) == 0  # again: nothing is said or taken twice
    assert "was taken out on 2023-11-14" in capsys.readouterr().out
    assert contents(sample_dataset) == first


def test_the_manifest_counts_what_is_left(sample_dataset):
    article = next(row["article_id"] for row in read_jsonl(sample_dataset / "provenance" / "rejected.jsonl"))
    before = json.loads((sample_dataset / "provenance" / "manifest.json").read_text())["stages"]["build"]["counts"]
    assert retract(sample_dataset, "--article", article) == 0
    stages = json.loads((sample_dataset / "provenance" / "manifest.json").read_text())["stages"]
    counts = stages["build"]["counts"]
    assert counts["articles"] == before["articles"] - 1
    assert counts["retracted_articles"] == 1
    assert counts["kept"] == len(rows(sample_dataset, "pairs")) < before["kept"]
    assert sum(counts["rejected"].values()) < sum(before["rejected"].values())
    assert counts["figures"] == counts["kept"] + sum(counts["rejected"].values())
    assert stages["instruct"]["counts"] == {task: len(rows(sample_dataset, task)) for task in CONFIGS[1:]}


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--article", "PMC9900"], 2, "no article 'PMC9900' in "),
        (["--article", "PMC99000002", "--article", "PMC9900002"], 2, "did you mean PMC990000"),
        (["--figure", "PMC99000002/fig99"], 2, "did you mean PMC99000002/fig"),
        ([], 2, "nothing to take out: name --article ID or --figure ID"),
    ],
)
def test_an_unknown_id_changes_nothing(sample_dataset, capsys, words, status, message):
    before = contents(sample_dataset)
    assert retract(sample_dataset, *words) == status
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert contents(sample_dataset) == before


def test_a_reason_is_asked_for_and_the_last_figure_stays(sample_dataset, capsys):
    before = contents(sample_dataset)
    assert ldrt.main(["retract", str(sample_dataset), "--article", "PMC99000002", "--why", " "]) == 2
    everything = sorted({row["article_id"] for row in rows(sample_dataset, "pairs")})
    assert retract(sample_dataset, *(word for name in everything for word in ("--article", name))) == 1
    assert "would have no figure left: delete the folder" in capsys.readouterr().err
    assert contents(sample_dataset) == before


def test_a_figure_alone(sample_articles, sample_dataset):
    figure = next(row for row in rows(sample_dataset, "pairs") if row["source"] == "pdf")
    before = {config: rows(sample_dataset, config) for config in CONFIGS}
    assert retract(sample_dataset, "--figure", figure["figure_id"]) == 0
    for is_read_anew in (False, True):
        for config in CONFIGS:
            kept = [row for row in before[config] if row["figure_id"] != figure["figure_id"]]
            assert rows(sample_dataset, config) == kept
        assert not traces(sample_dataset, set(), {figure["image"]["bytes"]})
        told = traces(sample_dataset, {figure["caption"]}, set())
        assert not {name for name in told if not name.startswith(".work/")}
        if not is_read_anew:
            shutil.rmtree(sample_dataset / ".work" / "records")
        build.run(build.Options(str(sample_articles), str(sample_dataset)))
        instruct.run(instruct.Options(str(sample_dataset)))
    removed = read_jsonl(sample_dataset / "provenance" / "changelog.jsonl")
    assert [row["figure_id"] for row in removed] == [figure["figure_id"]]


def test_examples_that_were_written_from_its_text_go_too(sample_dataset):
    instruct.run(instruct.Options(str(sample_dataset), context="shuffled"))
    lent = next(r for r in rows(sample_dataset, "reasoning") if r["context_of"] not in (None, r["figure_id"]))
    article = lent["context_of"].rpartition("/")[0]
    assert lent["article_id"] != article
    assert retract(sample_dataset, "--article", article) == 0
    left = [row for task in CONFIGS[1:] for row in rows(sample_dataset, task)]
    assert lent["example_id"] not in {row["example_id"] for row in left if row["task"] == "reasoning"}
    assert not [row for row in left if (row["context_of"] or "").startswith(f"{article}/")]
    assert [row for row in left if row["article_id"] == lent["article_id"]]


def test_an_llms_replies_about_it_go_and_the_others_are_not_asked_for_again(sample_dataset):
    with serve(good) as (url, requests):
        assert teach(sample_dataset, url) == 0
        ledger = sample_dataset / ".work" / "teacher.jsonl"
        article = by_source(sample_dataset, "jats")
        assert [row for row in read_jsonl(ledger) if row["figure_id"].startswith(f"{article}/")]
        others = [row for row in read_jsonl(ledger) if not row["figure_id"].startswith(f"{article}/")]
        assert retract(sample_dataset, "--article", article) == 0
        assert list(read_jsonl(ledger)) == others
        asked = len(requests)
        assert teach(sample_dataset, url) == 0
        assert len(requests) == asked


def test_what_was_found_in_its_pictures_goes_and_decisions_on_others_stay(sample_dataset):
    article, other = rows(sample_dataset, "pairs")[0]["article_id"], rows(sample_dataset, "pairs")[-1]["article_id"]
    assert article != other
    figure_of = {row["image_sha256"]: row["figure_id"] for row in rows(sample_dataset, "pairs")}
    note_screened(sample_dataset, (screened(picture) for picture in figure_of))
    write_review(sample_dataset, read_screened(sample_dataset), figure_of)
    (sample_dataset / "review.html").write_text("Smith, John")
    (sample_dataset / "review.jsonl.partial").write_text("Smith, John")  # of a run that was killed
    reviewed = list(REVIEW_FILE.rows(sample_dataset / REVIEW))
    old = reviewed[0] | {"picture": "of before a rebuild", "decision": "drop"}
    (sample_dataset / REVIEW).write_text("".join(json.dumps(row) + "\n" for row in [*reviewed, old]))
    mine = {row["image_sha256"] for row in rows(sample_dataset, "pairs") if row["article_id"] == article}
    assert retract(sample_dataset, "--article", article) == 0
    left = read_screened(sample_dataset)
    assert set(left) == {row["image_sha256"] for row in rows(sample_dataset, "pairs")} == set(figure_of) - mine
    review = REVIEW_FILE.rows(sample_dataset / REVIEW)
    assert {row["picture"] for row in review} == set(left)
    assert not any(picture in (sample_dataset / "review.html").read_text() for picture in mine)
    assert not (sample_dataset / "review.jsonl.partial").exists()


def screened(picture: str) -> ScreenedPicture:
    finding: Finding = {"kind": "name", "text": f"Smith, {picture[:6]}", "box": [0, 0, 9, 9], "score": 1.0}
    return {"picture": picture, "text_version": "1", "face_version": None, "findings": [finding], "problem": None}


def test_a_batch_under_way_is_not_cut_through(sample_dataset, capsys):
    waiting = sample_dataset / ".work" / "teacher.batches" / "ab.requests.jsonl"
    waiting.parent.mkdir()
    waiting.write_text("{}\n")
    before = contents(sample_dataset)
    assert retract(sample_dataset, "--article", by_source(sample_dataset, "jats")) == 1
    assert "has a batch of LLM answers under way" in capsys.readouterr().err
    assert contents(sample_dataset) == before


def test_a_dataset_from_the_hub_has_no_work_folder(sample_dataset):
    shutil.rmtree(sample_dataset / ".work")
    article = by_source(sample_dataset, "jats")
    said, pictures = of_article(sample_dataset, article)
    assert retract(sample_dataset, "--article", article) == 0
    assert traces(sample_dataset, said, pictures) <= LISTS
    assert not (sample_dataset / ".work").exists()


def test_a_file_of_which_nothing_is_left_goes_and_the_others_are_numbered_anew(sample_dataset):
    article = by_source(sample_dataset, "pdf")
    whole = sample_dataset / "detail" / "train-00000-of-00001.parquet"
    table = parquet.read_table(whole)
    is_own = [name == article for name in table["article_id"].to_pylist()]
    assert any(is_own)
    others = table.filter([not own for own in is_own])
    parts = [others.slice(0, 5), table.filter(is_own), others.slice(5)]
    whole.unlink()
    for number, part in enumerate(parts):
        parquet.write_table(part, whole.with_name(f"train-{number:05}-of-00003.parquet"))
    first = whole.with_name("train-00000-of-00003.parquet").read_bytes()
    assert retract(sample_dataset, "--article", article) == 0
    names = [f"train-0000{number}-of-00002.parquet" for number in range(2)]
    assert sorted(path.name for path in (sample_dataset / "detail").glob("train-*")) == names
    assert (sample_dataset / "detail" / names[0]).read_bytes() == first
    assert parquet.read_table(sample_dataset / "detail" / names[1]).equals(parts[2])


STEPS = {
    "the list": lambda d: (d / "provenance" / "retracted.jsonl").exists(),
    "the changelog": lambda d: (d / "CHANGELOG.md").exists(),
    "the pages": lambda d: not (d / "preview.html").exists(),
    "the text": lambda d: len(list((d / "provenance" / "markdown").iterdir())) < _markdown(d),
    "the first config": lambda d: '"retracted_articles": 1' in (d / "provenance" / "manifest.json").read_text(),
}


def _markdown(dataset: Path) -> int:
    return int((dataset.parent / "n_markdown").read_text())


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_then_again(sample_dataset, tmp_path, step):
    """kill -9 as soon as a step is to be seen; the second run comes to what one alone comes to."""
    article = by_source(sample_dataset, "jats", "!")
    alone = Path(shutil.copytree(sample_dataset, tmp_path / "alone"))
    assert retract(alone, "--article", article) == 0
    (tmp_path / "n_markdown").write_text(str(len(list((sample_dataset / "provenance" / "markdown").iterdir()))))
    words = ["retract", str(sample_dataset), "--article", article, "--why", "the authors asked for it"]
    process = subprocess.Popen([sys.executable, "-m", "ldrt", *words], cwd=PROJECT, stdout=subprocess.DEVNULL)
    processes.wait(process, until=lambda: STEPS[step](sample_dataset), every_s=0.0005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert retract(sample_dataset, "--article", article) == 0
    marks = {name for name in contents(alone) if name.endswith(".sha256")}  # of times of change
    ours = {name: content for name, content in contents(sample_dataset).items() if name not in marks}
    assert ours == {name: content for name, content in contents(alone).items() if name not in marks}


def test_a_list_alone_is_honoured(sample_articles, sample_dataset, tmp_path):
    """As a kill leaves it right behind its first step: nothing is taken out yet."""
    article = by_source(sample_dataset, "jats")
    said, pictures = of_article(sample_dataset, article)
    other = Path(shutil.copytree(sample_dataset, tmp_path / "other"))
    assert retract(other, "--article", article) == 0
    shutil.copy(other / "provenance" / "retracted.jsonl", sample_dataset / "provenance")
    instruct.run(instruct.Options(str(sample_dataset)))
    for task in CONFIGS[1:]:
        assert article not in {row["article_id"] for row in rows(sample_dataset, task)}
    build.run(build.Options(str(sample_articles), str(sample_dataset)))
    assert article not in {row["article_id"] for row in rows(sample_dataset, "pairs")}
    found = traces(sample_dataset, said, pictures)
    assert {name for name in found if not name.startswith((".work/", "provenance/"))} <= LISTS


def test_one_article_of_a_table_of_figures(tmp_path):
    articles, dataset = tmp_path / "articles", tmp_path / "dataset"
    for number in range(4):
        draw(articles / f"{number}.png", number)
    table = [
        {"picture": f"{n}.png", "caption": f"Dose in cohort {n}.", "article_id": f"a{n // 2}", "license": "CC-BY-4.0"}
        for n in range(4)
    ]
    write_table(articles, table)
    build.run(build.Options(str(articles), str(dataset), test_size=0, validation_size=0))
    ids = {row["caption"]: row["article_id"] for row in rows(dataset, "pairs")}
    assert len(set(ids.values())) == 2
    gone, stays = ids["Dose in cohort 0."], ids["Dose in cohort 3."]
    before = rows(dataset, "pairs")
    assert retract(dataset, "--article", gone) == 0
    table[3]["caption"] = "Dose in cohort 3, again."  # the table is another, and read anew
    write_table(articles, table)
    build.run(build.Options(str(articles), str(dataset), test_size=0, validation_size=0))
    now = rows(dataset, "pairs")
    assert {row["article_id"] for row in now} == {stays}
    assert [row["caption"] for row in now] == ["Dose in cohort 2.", "Dose in cohort 3, again."]
    assert now[0] == next(row for row in before if row["caption"] == "Dose in cohort 2.")
    found = traces(dataset, {"Dose in cohort 0."}, set())
    assert not {name for name in found if not name.startswith(".work/unpacked/")}  # the user's own table has it
