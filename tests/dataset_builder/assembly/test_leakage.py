"""Pictures of benchmarks: figures like them are left out, and folders that are wrong say so."""

import json

import pytest
from datasets import load_dataset
from PIL import Image

from dataset_builder import build
from dataset_builder.assembly.leakage import benchmark_counts, benchmark_keys, leaked_figures
from dataset_builder.files.jsonfiles import read_jsonl
from tests.dataset_builder.assembly.figures import figure


@pytest.fixture
def benchmark(sample_dataset, tmp_path):
    """A folder with a smaller JPEG of one figure of the dataset, an unreadable picture and a text; and that figure."""
    row = next(iter(load_dataset(str(sample_dataset), "pairs", split="train", streaming=True)))
    folder = tmp_path / "VQA-RAD"
    (folder / "images").mkdir(parents=True)
    picture = row["image"].convert("RGB")
    picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(folder / "images" / "synpic1.jpg")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "LICENSE").write_text("text")
    return folder, row["figure_id"]


def test_a_figure_of_a_benchmark_is_left_out(sample_articles, sample_dataset, benchmark, tmp_path):
    folder, figure_id = benchmark
    output = tmp_path / "dataset"
    build.run(build.Options(str(sample_articles), str(output), benchmarks=[str(folder)]))
    rejected = {row["figure_id"]: row for row in read_jsonl(output / "provenance/rejected.jsonl")}
    verdict = [rejected[figure_id][key] for key in ("filter", "value")]
    assert verdict == ["benchmark", "VQA-RAD/images/synpic1.jpg"]
    proof = json.loads((output / "provenance/splits.json").read_text())
    assert proof["benchmarks"] == {"VQA-RAD": {"pictures": 1, "figures_left_out": 1}}
    assert proof["collisions"] == []
    assert str(folder) not in (output / "provenance/manifest.json").read_text()  # it is published; the name is enough


def test_a_benchmark_is_read_again_only_when_it_changed(benchmark, tmp_path):
    folder, _ = benchmark
    first = benchmark_keys([str(folder)], tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    written = kept.stat().st_mtime_ns
    assert benchmark_keys([str(folder)], tmp_path / "cache") == first
    assert kept.stat().st_mtime_ns == written
    Image.new("RGB", (64, 64), "red").save(folder / "second.png")
    assert len(benchmark_keys([str(folder)], tmp_path / "cache")) == len(first) + 1


def test_a_folder_without_pictures_says_so(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(FileNotFoundError, match="no picture in .* takes folders of picture files"):
            benchmark_keys([str(folder)], tmp_path / "cache")


def test_figures_in_a_group_with_a_picture_are_leaked_and_counted():
    figures = [figure("PMC1", 1), figure("PMC1", 2), figure("PMC2")]
    known = [figure("benchmark:SLAKE"), figure("benchmark:SLAKE", 2)]
    duplicates = {"PMC1/fig2": "PMC1/fig2", "benchmark:SLAKE/fig2": "PMC1/fig2", "PMC2/fig1": "PMC2/fig1"}
    leaked = leaked_figures(figures, known, duplicates)
    assert leaked == {"PMC1/fig2": "SLAKE/fig2"}
    assert benchmark_counts(known, leaked) == {"SLAKE": {"pictures": 2, "figures_left_out": 1}}
