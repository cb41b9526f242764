"""`ldrt build` on the sample corpus: what comes out, what it says, and what interruptions and bad input do to it."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest
from datasets import load_dataset
from PIL import Image

import ldrt
from dataset_builder import build
from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.schema import PAIRS, SPLITS
from dataset_builder.text.labels import label_key
from tests import processes


def rows_of(dataset: Path, config: str = "pairs") -> list[dict]:
    splits = load_dataset(str(dataset), config, cache_dir=str(dataset / ".work" / "cache"))
    return [row | {"split": split} for split in splits for row in splits[split]]


def content(dataset: Path) -> dict[str, str]:
    """path -> hash of everything that a user would publish."""
    files = [path for path in dataset.rglob("*") if path.is_file() and ".work" not in path.parts]
    return {str(path.relative_to(dataset)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_figure_of_the_corpus_is_found_with_its_text(sample_articles, sample_dataset):
    truth = [row for row in read_jsonl(sample_articles / "truth.jsonl") if row["expectation"] == "kept"]
    rows = rows_of(sample_dataset)
    assert len(rows) == len(truth)
    found = {(row["doi"], label_key(row["label"])): row for row in rows}
    for figure in truth:
        row = found[figure["doi"], label_key(figure["label"])]
        assert (row["caption"], row["context"]) == (figure["caption"], figure["context"])
        assert (row["source"], row["license"], row["language"]) == tuple(
            figure[k] for k in ("source", "license", "language")
        )
        assert row["image"].size == (row["width"], row["height"])
        assert row["sharpness"] > 100


def test_the_schema_is_the_documented_one_and_streaming_agrees(sample_dataset):
    for split in SPLITS:
        stream = load_dataset(str(sample_dataset), "pairs", split=split, streaming=True)
        assert stream.features == PAIRS
        ids = [row["figure_id"] for row in stream]
        assert ids == [row["figure_id"] for row in rows_of(sample_dataset) if row["split"] == split]
        assert len(ids) == len(set(ids)) > 0


def test_what_was_left_out_is_recorded_with_its_reason(sample_dataset):
    rejected = {row["filter"]: row for row in read_jsonl(sample_dataset / "provenance/rejected.jsonl")}
    assert set(rejected) == {"image_missing", "min_sharpness"}
    assert rejected["min_sharpness"]["value"] < rejected["min_sharpness"]["threshold"] == 100
    assert rejected["image_missing"]["caption"]
    assert rejected["image_missing"]["context"]
    assert set(PAIRS) - {"image"} <= set(rejected["image_missing"])
    failed = {row["article"]: row for row in read_jsonl(sample_dataset / "provenance/failed.jsonl")}
    assert set(failed) == {"pdf-broken.pdf", "pdf-encrypted.pdf"}
    assert all(row["stage"] == "read pdf" and row["error"] for row in failed.values())


def test_duplicates_share_a_split_and_the_certificate_holds(sample_dataset):
    rows = rows_of(sample_dataset)
    twins = [row for row in rows if row["duplicate_group"]]
    assert len(twins) == 2
    assert len({row["article_id"] for row in twins}) == 2
    assert len({row["split"] for row in twins}) == 1
    certificate = json.loads((sample_dataset / "provenance/splits.json").read_text())
    assert certificate["collisions"] == []
    assert {row["article_id"]: row["split"] for row in rows} == certificate["assignments"]


_NOTICE = """<article article-type="{kind}" xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta>
<title-group><article-title>Notice</article-title></title-group>
<related-article related-article-type="{related}" ext-link-type="doi" xlink:href="{doi}"/>
</article-meta></front></article>"""


def test_notices_reach_the_articles_they_are_about(sample_articles, sample_dataset, tmp_path):
    doi, other = sorted({row["doi"] for row in rows_of(sample_dataset) if row["source"] == "jats"})[:2]
    articles, dataset = tmp_path / "articles", tmp_path / "noticed"
    shutil.copytree(sample_articles, articles)
    for kind, related, about in (
        ("retraction", "retracted-article", doi),
        ("correction", "corrected-article", other),
    ):
        (articles / f"{kind}.xml").write_text(_NOTICE.format(kind=kind, related=related, doi=about.upper()))
    assert ldrt.main(["build", str(articles), "--output", str(dataset)]) == 0
    rows = rows_of(dataset)
    assert doi not in {row["doi"] for row in rows}
    assert {row["status"] for row in rows if row["doi"] == other} == {"corrected"}
    assert {row["status"] for row in rows if row["doi"] != other} == {None}
    retracted = [row for row in read_jsonl(dataset / "provenance/rejected.jsonl") if row["doi"] == doi]
    assert {row["filter"] for row in retracted} == {"retracted"}


def test_every_articles_markdown_is_kept(sample_dataset):
    names = {path.stem for path in (sample_dataset / "provenance/markdown").glob("*.md")}
    assert len(names) == 20
    assert all("ynthetic" in path.read_text() for path in (sample_dataset / "provenance/markdown").glob("*.md"))


def test_the_summary_says_the_funnel(sample_articles, sample_dataset):
    text = build.run(build.Options(str(sample_articles), str(sample_dataset)))
    for part in ("articles read       20", "min_sharpness", "image_missing", "files failed         2"):
        assert part in text


def test_same_input_same_bytes_whatever_the_number_of_workers(sample_articles, tmp_path):
    few = tmp_path / "articles"
    shutil.copytree(sample_articles, few, ignore=lambda _, names: [n for n in names if "jats-003" < n < "pdf-010"])
    for workers in (1, 2):
        build.run(build.Options(str(few), str(tmp_path / str(workers)), workers=workers))
    assert content(tmp_path / "1") == content(tmp_path / "2")


def _start(articles: Path, dataset: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "ldrt", "build", str(articles), "--output", str(dataset)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_killed_at_some_moments_and_run_again_gives_the_same_dataset(sample_articles, sample_dataset, tmp_path):
    dataset = tmp_path / "again"
    records = ".work/records/*/*/article.json"
    for pattern, n_files in ((records, 1), (records, 12), ("pairs/*", 1)):
        process = _start(sample_articles, dataset)
        if processes.wait(process, until=lambda p=pattern, n=n_files: len([*dataset.glob(p)]) >= n) is None:
            started = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            for child in started:
                processes.assert_ends(child.pid)
    assert _start(sample_articles, dataset).wait() == 0
    expected = {
        path: digest for path, digest in content(sample_dataset).items() if path.startswith(("pairs", "provenance"))
    }
    made = {path: digest for path, digest in content(dataset).items() if path.startswith(("pairs", "provenance"))}
    del expected["provenance/manifest.json"], made["provenance/manifest.json"]  # it also records `instruct`
    del expected["provenance/rejected_examples.jsonl"]  # of `instruct`
    assert made == expected


def test_added_articles_cost_only_their_own_work_and_keep_the_splits(sample_articles, tmp_path):
    articles, dataset = tmp_path / "articles", tmp_path / "dataset"
    late = "jats-000"
    shutil.copytree(sample_articles, articles, ignore=lambda _, names: [n for n in names if n == late])
    build.run(build.Options(str(articles), str(dataset)))
    before = json.loads((dataset / "provenance/splits.json").read_text())["assignments"]
    records = {path: path.stat().st_mtime_ns for path in (dataset / ".work/records").rglob("article.json")}
    shutil.copytree(sample_articles / late, articles / late)
    build.run(build.Options(str(articles), str(dataset)))
    after = json.loads((dataset / "provenance/splits.json").read_text())["assignments"]
    assert before.items() < after.items()
    now = {path: path.stat().st_mtime_ns for path in (dataset / ".work/records").rglob("article.json")}
    assert records.items() < now.items()
    assert len(now) == len(records) + 1


def test_what_did_not_change_is_not_written_and_what_was_made_of_old_pairs_goes(sample_articles, sample_dataset):
    def times() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in sample_dataset.rglob("*.parquet")}

    before = times()
    assert ldrt.main(["build", str(sample_articles), "--output", str(sample_dataset)]) == 0
    assert ldrt.main(["instruct", str(sample_dataset)]) == 0
    assert times() == before
    assert (sample_dataset / "detail").is_dir()
    assert ldrt.main(["build", str(sample_articles), "--output", str(sample_dataset), "--min_sharpness", "1500"]) == 0
    assert [path.name for path in sample_dataset.iterdir() if list(path.glob("*.parquet"))] == ["pairs"]


def _error(capsys, *argv: str, status: int = 1) -> str:
    assert ldrt.main(["build", *argv]) == status
    *progress, line = capsys.readouterr().err.strip().splitlines()
    assert all("read: " in row for row in progress if row)
    return line


def test_bad_input_is_one_clear_line(tmp_path, capsys):
    empty, notes, output = tmp_path / "empty", tmp_path / "notes", str(tmp_path / "out")
    empty.mkdir()
    notes.mkdir()
    (notes / "readme.txt").write_text("no article")
    assert "no folder" in _error(capsys, str(tmp_path / "nowhere"), "--output", output, status=2)
    assert "holds no article" in _error(capsys, str(empty), "--output", output)
    assert "holds no article" in _error(capsys, str(notes), "--output", output)
    (tmp_path / "file").write_text("")
    below_a_file = _error(capsys, str(notes), "--output", str(tmp_path / "file" / "out"), status=2)
    assert "is a file, and nothing can be written below it" in below_a_file


def test_articles_that_all_fail_are_reported_and_recorded(tmp_path, capsys):
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "page.pdf").write_text("<html>not a PDF</html>")
    assert "no figure left" in _error(capsys, str(tmp_path / "articles"), "--output", str(tmp_path / "out"))
    assert len(list(read_jsonl(tmp_path / "out/provenance/failed.jsonl"))) == 1


FIGURE = """<fig><label>Figure {0}</label><caption><p>Dose {1}{0} over the days of the study, in arms.</p></caption>
<graphic xlink:href="{2}"/></fig><p>The dose rose in all arms, and fell at the end of the study (Figure {0}).</p>"""
SMALL = """<article xmlns:xlink="http://www.w3.org/1999/xlink" xml:lang="en"><front><article-meta>
<article-id pub-id-type="doi">10.5555/{0}</article-id></article-meta></front><body>{1}</body></article>"""


def small_articles(folder: Path, n: int, figures: int = 3) -> Path:
    """Articles whose pictures are noise, so that none is like another."""
    for a in range(n):
        (folder / f"a{a}").mkdir(parents=True)
        for f in range(figures):
            noise = np.random.default_rng(100 * a + f).integers(0, 256, (160, 200), dtype=np.uint8)
            Image.fromarray(noise).resize((400, 320)).save(folder / f"a{a}" / f"f{f}.png")
        body = "".join(FIGURE.format(f + 1, chr(97 + a), f"f{f}.png") for f in range(figures))
        (folder / f"a{a}" / "x.xml").write_text(SMALL.format(a, body))
    return folder


@pytest.mark.parametrize("n", [1, 2, 3, 9])
@pytest.mark.parametrize("sizes", [(), ("--test_size", "5000")], ids=["default", "too large"])
def test_every_config_loads_whatever_splits_there_are(tmp_path, n, sizes, capsys):
    articles, dataset = small_articles(tmp_path / "articles", n), tmp_path / "dataset"
    build_args = ["build", str(articles), "--output", str(dataset), "--workers", "1", *sizes]
    assert ldrt.main(build_args) == 0
    said = capsys.readouterr().out
    assert all(f"\n{split} " in said for split in SPLITS)
    assert ldrt.main(["instruct", str(dataset)]) == 0
    drawn = json.loads((dataset / "provenance/splits.json").read_text())["splits"]
    present = {split for split in SPLITS if drawn[split]["figures"]}
    assert "train" in present
    assert {row["split"] for row in rows_of(dataset)} == present
    configs = [path.name for path in dataset.iterdir() if list(path.glob("*.parquet"))]
    for config in configs:
        files = {path.name.split("-")[0] for path in (dataset / config).glob("*.parquet")}
        assert {row["split"] for row in rows_of(dataset, config)} == files <= present
    declared = (dataset / "eval.yaml").exists()
    assert declared == any(
        (dataset / task / "test-00000-of-00001.parquet").exists() for task in ("detail", "reasoning")
    )


def test_published_splits_stay_whatever_is_asked_later(tmp_path):
    articles, dataset = small_articles(tmp_path / "articles", 6), tmp_path / "dataset"
    before, after = (
        build.run(build.Options(str(articles), str(dataset), workers=1, test_size=size)) for size in (0.3, 5000)
    )
    assert "warning" not in after
    drawn = [[line for line in said.splitlines() if line.startswith(SPLITS)] for said in (before, after)]
    assert len(drawn[0]) == 3
    assert drawn[0] == drawn[1]


def test_what_is_no_article_is_said(tmp_path):
    articles = small_articles(tmp_path / "articles", 1)
    (articles / "data.xlsx").write_text("")
    (articles / "a0" / "old.xml").write_text((articles / "a0/x.xml").read_text().replace("rose", "ro&#1;se"))
    said = build.run(build.Options(str(articles), str(tmp_path / "dataset"), workers=1))
    assert "files skipped        2  (provenance/skipped.jsonl)\n        1  .xlsx\n        1  other files" in said
    assert "repaired XML         1  files" in said
    counts = json.loads((tmp_path / "dataset/provenance/manifest.json").read_text())["stages"]["build"]["counts"]
    assert counts["skipped"] == {".xlsx": 1, "other files of articles that are there": 1}
    assert counts["notes"] == {"repaired XML": 1}


META = "<article-version>{}</article-version><pub-date><year>{}</year></pub-date>"
VERSIONS = {  # what stands in the file that is taken and in the other one, and what is said of that
    "numbers": (META.format(2, 2020), META.format(1, 2020), "an older version (1, not 2); taken: a0/x.xml"),
    "numbers before dates": (META.format(10, 2020), META.format(9, 2021), "an older version (9, not 10)"),
    "dates": (META.format("", 2021), META.format("", 2020), "older (2020-00-00, not 2021-00-00)"),
    "a manuscript": (META.format("", 2020), META.format("Accepted manuscript", 2022), "a manuscript or preprint"),
    "a copy": ("", "", "a copy of a0/x.xml"),
}


@pytest.mark.parametrize("name_first", [False, True])
@pytest.mark.parametrize(("chosen", "other", "said"), VERSIONS.values(), ids=VERSIONS)
def test_the_version_that_is_taken_and_what_is_said_of_the_other(tmp_path, capsys, chosen, other, said, name_first):
    articles, dataset = small_articles(tmp_path / "articles", 1), tmp_path / "dataset"
    xml, second = (articles / "a0" / "x.xml").read_text(), "_a0" if name_first and said[:6] != "a copy" else "b0"
    shutil.copytree(articles / "a0", articles / second)
    for folder, meta in (("a0", chosen), (second, other)):
        (articles / folder / "x.xml").write_text(xml.replace("</article-meta>", f"{meta}</article-meta>"))
    assert ldrt.main(["build", str(articles), "--output", str(dataset), "--workers", "1"]) == 0
    summary = capsys.readouterr().out
    assert {row["source_file"] for row in rows_of(dataset)} == {"a0/x.xml"}
    (row,) = read_jsonl(dataset / "provenance/skipped.jsonl")
    assert row["file"] == f"{second}/x.xml"
    assert row["detail"].startswith(said)
    assert "        1  other files of articles that are there" in summary


def test_of_two_files_of_one_article_the_richer_one_is_taken(tmp_path):
    articles, dataset = small_articles(tmp_path / "articles", 1), tmp_path / "dataset"
    shutil.copytree(articles / "a0", articles / "_a0")
    (articles / "_a0" / "f1.png").unlink()
    (articles / "c.xml").write_text(SMALL.format(0, "<p>The dose.</p>").replace("<article-meta>", OTHER_TITLE))
    assert ldrt.main(["build", str(articles), "--output", str(dataset), "--workers", "1"]) == 0
    assert len(rows_of(dataset)) == 3
    said = {row["file"]: row["detail"] for row in read_jsonl(dataset / "provenance/skipped.jsonl")}
    assert said == {
        "_a0/x.xml": "3 figures, 2 of them with pictures, not 3, 3; taken: a0/x.xml",
        "c.xml": "without figures; taken: a0/x.xml",
    }


OTHER_TITLE = "<article-meta><title-group><article-title>Doses</article-title></title-group>"


def test_two_articles_that_state_one_doi_are_told(tmp_path):
    articles = small_articles(tmp_path / "articles", 2)
    for folder, title in (("a0", "Doses"), ("a1", "Joints")):
        xml = (articles / folder / "x.xml").read_text().replace("10.5555/1<", "10.5555/0<")
        (articles / folder / "x.xml").write_text(xml.replace("<article-meta>", OTHER_TITLE.replace("Doses", title)))
    build.run(build.Options(str(articles), str(tmp_path / "dataset"), workers=1))
    (row,) = read_jsonl(tmp_path / "dataset/provenance/skipped.jsonl")
    assert row["detail"].endswith("taken: a0/x.xml, which has another title under the same DOI or PMCID")


def test_a_picture_that_is_not_there_and_one_that_is_not_opened_are_told_apart(tmp_path):
    articles = small_articles(tmp_path / "articles", 1, figures=7)
    folder = articles / "a0"
    (folder / "f0.png").unlink()
    (folder / "f1.png").rename(tmp_path / "elsewhere.png")
    (folder / "f1.png").symlink_to(tmp_path / "elsewhere.png")
    (folder / "f2.png").write_bytes((folder / "f2.png").read_bytes()[:500])
    (folder / "f3.png").write_bytes(b"<html>404</html>")
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (folder / "f4.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + bytes(4))
    xml = (folder / "x.xml").read_text().replace('"f5.png"', '"../../elsewhere.png"')
    (folder / "x.xml").write_text(xml)
    said = build.run(build.Options(str(articles), str(tmp_path / "dataset"), workers=1))
    rejected = list(read_jsonl(tmp_path / "dataset/provenance/rejected.jsonl"))
    assert [(row["label"], row["filter"]) for row in rejected] == [
        ("Figure 1", "image_missing"),
        ("Figure 2", "image_outside"),
        ("Figure 3", "image_unreadable"),
        ("Figure 4", "image_unreadable"),
        ("Figure 5", "image_too_large"),
        ("Figure 6", "image_outside"),
    ]
    assert all(row["filter"] in said and row["value"] for row in rejected)
    assert "pixels" in rejected[4]["value"]


@pytest.mark.parametrize("size", ["-1", "-0.5"])
def test_sizes_that_are_none(tmp_path, capsys, size):
    articles = small_articles(tmp_path / "articles", 1)
    words = ["--output", str(tmp_path / "d"), "--test_size", size]
    assert "at least 0" in _error(capsys, str(articles), *words, status=2)
    assert not (tmp_path / "d").exists()


def test_the_output_is_ours(tmp_path, capsys):
    articles = small_articles(tmp_path / "articles", 1)
    downloaded, strangers = tmp_path / "downloaded", tmp_path / "strangers"
    (downloaded / "pairs").mkdir(parents=True)
    (downloaded / "README.md").write_text("theirs")
    strangers.mkdir()
    (strangers / "thesis.doc").write_text("theirs")
    for folder in (downloaded, strangers):
        before = content(folder)
        assert "was not made here" in _error(capsys, str(articles), "--output", str(folder), status=2)
        assert content(folder) == before
        assert not (folder / ".work").exists()
    (strangers / ".work").mkdir()  # of another program
    assert "was not made here" in _error(capsys, str(articles), "--output", str(strangers), status=2)
    assert "write your home folder in full" in _error(capsys, str(articles), "--output", "~/dataset", status=2)
    for folder in (articles, tmp_path, articles / ".." / "articles"):
        assert "is or holds the articles' folder" in _error(capsys, str(articles), "--output", str(folder), status=2)
    (tmp_path / "empty").mkdir()
    for output in (tmp_path / "empty", tmp_path / "new" / "deep", articles / "dataset"):
        for _ in range(2):
            assert ldrt.main(["build", str(articles), "--output", str(output), "--workers", "1"]) == 0
        assert "articles read        1  (of 1 files)" in capsys.readouterr().out


@pytest.mark.corpus
def test_all_real_articles(tmp_path):
    dataset = tmp_path / "dataset"
    assert ldrt.main(["build", os.environ["LDRT_ARTICLES"], "--output", str(dataset)]) == 0
    assert rows_of(dataset)
