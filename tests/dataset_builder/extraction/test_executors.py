"""The same dataset through local, SLURM and Ray executors."""

import os
import shutil
import sys
from pathlib import Path

import pytest

import ldrt
from dataset_builder import build
from dataset_builder.articles.packages import Package
from dataset_builder.extraction.executors import ReadArticles, _from_row, _to_line
from dataset_builder.extraction.isolation import Limits
from dataset_builder.extraction.records import is_written
from dataset_builder.extraction.units import Unit
from dataset_builder.files.jsonfiles import read_jsonl
from tests.dataset_builder.extraction.articles import make_units
from tests.dataset_builder.test_build import content

SLURM = Path(__file__).with_name("slurm")  # fake commands that run everything here


def test_the_todo_list_keeps_any_file_name(tmp_path):
    name = os.fsdecode(b"caf\xe9 \xff.pdf")
    unit = Unit(Package("café ?.pdf", pdf=tmp_path / name, shared_folder=True), "pdf", tmp_path / "record")
    (tmp_path / "todo.jsonl").write_text(_to_line(unit), encoding="ascii")
    assert _from_row(*read_jsonl(tmp_path / "todo.jsonl")) == unit


def test_the_tasks_share_the_files_without_overlap(tmp_path):
    units = make_units(tmp_path, [f"broken-{i}.xml" for i in range(7)])
    limits = Limits(workers=1, timeout_s=60, memory_gb=4)
    step = ReadArticles(units, tmp_path / "todo.jsonl", "geometric", limits)
    step.run(rank=1, world_size=3)
    assert [unit.source_file for unit in units if is_written(unit.record)] == ["broken-1.xml", "broken-4.xml"]


@pytest.fixture(scope="module")
def few_articles(sample_articles, tmp_path_factory) -> Path:
    """Some of the sample articles, a broken and an encrypted file among them."""
    few = tmp_path_factory.mktemp("few") / "articles"
    shutil.copytree(sample_articles, few, ignore=lambda _, names: [n for n in names if "jats-003" < n < "pdf-013"])
    return few


@pytest.fixture(scope="module")
def built_here(few_articles, tmp_path_factory) -> dict[str, str]:
    dataset = tmp_path_factory.mktemp("here") / "dataset"
    build.run(build.Options(str(few_articles), str(dataset)))
    return content(dataset)


def test_slurm_makes_the_same_dataset(few_articles, built_here, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{SLURM}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(tmp_path))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    cluster = {"executor": "slurm", "tasks": 3, "partition": "cpu", "workers": 1, "sbatch_args": {"account": "me"}}
    said = build.run(build.Options(str(few_articles), "dataset", **cluster))
    reading, _, building = (tmp_path / f"{number}.sh" for number in (101, 102, 103))  # 102 merges datatrove's counts
    assert "job 101 reads" in said
    assert "job 103 then builds" in said
    assert not (tmp_path / "failed").exists(), (tmp_path / "failed").read_text()
    for line in ("array=0-2", "partition=cpu", "account=me", "cpus-per-task=1", "mem-per-cpu=4G", "time=04:00:00"):
        assert f"#SBATCH --{line}\n" in reading.read_text()
    assert "#SBATCH --dependency=afterany:101\n" in building.read_text()
    shares = [path.read_text() for path in sorted((tmp_path / "dataset/.work/slurm/slurm_logs").glob("101_*.out"))]
    assert len(shares) == 3
    assert all("read: " in log for log in shares)
    made = content(tmp_path / "dataset")
    del made["README.md"], made["preview.html"]  # the job rendered card and preview, too
    assert made == built_here


def test_what_slurm_needs_is_said(few_articles, tmp_path):
    output = tmp_path / "a b"
    with pytest.raises(ValueError, match="needs --partition"):
        build.run(build.Options(str(few_articles), str(output), executor="slurm"))
    with pytest.raises(ValueError, match="path without spaces"):
        build.run(build.Options(str(few_articles), str(output), executor="slurm", partition="cpu"))
    with pytest.raises(FileNotFoundError, match="no `sbatch` on the PATH; submit from a login node"):
        build.run(build.Options(str(few_articles), str(tmp_path / "ab"), executor="slurm", partition="cpu"))


def test_what_ray_needs_is_said(few_articles, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match="needs the extra `ray`: pip install"):
        build.run(build.Options(str(few_articles), str(tmp_path / "dataset"), executor="ray"))


@pytest.mark.parametrize("words", [["--test_size", "1.5"], ["--validation_size", "20.1"]])
def test_half_a_figure_is_no_size_of_a_split(few_articles, tmp_path, capsys, words):
    assert ldrt.main(["build", str(few_articles), "--output", str(tmp_path / "dataset"), *words]) == 2
    assert f"{words[0]} '{words[1]}': give a share below 1, or a whole number" in capsys.readouterr().err


@pytest.mark.slow
def test_ray_makes_the_same_dataset(few_articles, built_here, tmp_path):
    pytest.importorskip("ray")
    cluster = {"executor": "ray", "tasks": 2, "workers": 1}
    build.run(build.Options(str(few_articles), str(tmp_path / "dataset"), **cluster))
    made = {path.name for path in (tmp_path / "dataset/.work/ray/completions").iterdir()}
    assert made == {"00000", "00001"}
    assert content(tmp_path / "dataset") == built_here


def test_failed_files_are_read_again_only_when_asked(tmp_path):
    articles, dataset = tmp_path / "articles", tmp_path / "dataset"
    articles.mkdir()
    (articles / "page.pdf").write_text("no PDF")
    records = []
    for again in ({}, {}, {"retry_failed": True}):
        with pytest.raises(RuntimeError, match="no figure left"):
            build.run(build.Options(str(articles), str(dataset), workers=1, **again))
        (record,) = (dataset / ".work/records").glob("*/*/article.json")
        records.append(record.stat().st_mtime_ns)
    assert records[0] == records[1] < records[2]
