"""The notebooks run from their first cell to their last, with a tiny model and what the commands have made."""

import os
import re
import sys
from pathlib import Path

import pytest

from evaluation import compare, score
from tests.evaluation.runs import judge_run, make_run
from tests.recipes.conftest import dataset, load_make_model  # noqa: F401 - a fixture

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
HANGS_AFTER_S = 1800  # a cell, on a busy machine
WITHOUT_GPU = (
    "--use_cpu true --bf16 false --dtype float32 --attn_implementation sdpa --max_steps 3 --logging_steps 1 "
    "--global_batch_size 2 --per_device_train_batch_size 2 --dataloader_num_workers 0 --lora_r 8 --lora_alpha 16"
)


def read(name: str):
    return nbformat.read(NOTEBOOKS / name, as_version=4)


def run(name: str, folder: Path, monkeypatch, **parameters: object) -> str:
    """What all its cells print, run in `folder` with other values of the cell that is tagged `parameters`."""
    ldrt = folder / "bin" / "ldrt"
    ldrt.parent.mkdir()
    ldrt.write_text(f'#!/bin/sh\nexec {sys.executable} -m ldrt "$@"\n', encoding="utf-8")
    ldrt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ldrt.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))
    notebook = read(name)
    (place,) = [i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    given = "\n".join(f"{key} = {value!r}" for key, value in parameters.items())
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(given))
    kernel = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    client = nbclient.NotebookClient(
        notebook, timeout=HANGS_AFTER_S, resources={"metadata": {"path": str(folder)}}, kernel_name="python3"
    )
    client.create_kernel_manager()
    client.km.kernel_spec.argv = kernel
    client.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_has_no_outputs(name):
    notebook = read(name)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert len([cell for cell in code if "parameters" in cell.metadata.get("tags", [])]) == 1


def test_every_notebook_is_run_below():
    assert NAMES == ["csv_to_smolvlm.ipynb", "look_at_a_dataset.ipynb", "read_a_comparison.ipynb"]


@pytest.mark.slow
def test_looking_at_a_dataset(sample_dataset, tmp_path, monkeypatch):
    said = run("look_at_a_dataset.ipynb", tmp_path, monkeypatch, DATASET=str(sample_dataset), N_SHOWN=2)
    assert re.search(r"^\d+ articles, \d+ figures$", said, re.M)
    assert "CC-BY" in said
    assert "evidence: [" in said


@pytest.mark.slow
def test_reading_a_comparison(tmp_path, monkeypatch):
    runs = [tmp_path / "base", tmp_path / "tuned"]
    for folder, quality in zip(runs, (0.1, 0.7), strict=True):
        make_run(folder, folder.name, quality, ("true", "shuffled"))
        judge_run(folder, "org/judge")
        score.run(score.Options(str(folder)))
    compare.run(compare.Options([str(folder) for folder in runs]))
    said = run("read_a_comparison.ipynb", tmp_path, monkeypatch, RUN=str(runs[1]))
    assert "On 48 held-out questions from 12 articles" in " ".join(said.split())
    assert "org/judge {'ok'" in said
    assert "  tuned: " in said


@pytest.mark.slow
def test_from_a_csv_to_a_tuned_model(dataset, tmp_path, monkeypatch):  # noqa: F811
    base = tmp_path / "base"
    words = ["--dataset", str(dataset), "--output", str(base), "--family", "idefics3", "--steps", "2"]
    load_make_model().main(words)
    asked = "--max_new_tokens 4 --limit 4 --device cpu"
    given = {"BASE": str(base), "LAUNCH": "accelerate_configs/cpu.yaml", "TRAIN": WITHOUT_GPU, "GENERATE": asked}
    said = run("csv_to_smolvlm.ipynb", tmp_path, monkeypatch, **given, EPOCHS=1)
    assert "patch on the" in said
    assert "held-out questions" in said
    assert (tmp_path / "study/runs/tuned/README.md").is_file()
