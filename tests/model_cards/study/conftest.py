"""A small study as `ldrt demo` lays it out: dataset, checkpoints of every phase, runs of base and tuned model, card."""

import json
import shutil
from pathlib import Path

import numpy
import pytest
from safetensors.numpy import save_file

from model_cards import card
from tests.model_cards.test_publish import checkpoint_template, run_folder  # noqa: F401 - fixtures
from trust.weights.checkpoint_files import content_hash

PHASES = [
    {
        "trainable": name,
        "dataset": "dataset",
        "dataset_config": config,
        "dataset_split": "train",
        "dataset_revision": None,
        "dataset_sha256": "ab" * 32,
        "steps": 3,
        "settings": {"learning_rate": 0.1},
        "licenses": {"CC-BY-4.0": 3},
    }
    for name, config in (("projector", "align"), ("lora", "instruct"))
]
SAID = {"judge": "j", "judge_revision": None, "prompt_sha256": "c" * 64, "status": "ok", "control": None, "score": 7.0}


def _lineage(folder: Path, phases: list[dict]) -> None:
    content = {"base_model": "base", "base_revision": None, "phases": phases}
    (folder / "lineage.json").write_text(json.dumps(content))


def _manifest(run: Path, checkpoint: Path, phases: list[dict]) -> None:
    path = run / "manifest.json"
    told = {"model": checkpoint.name, "revision": content_hash(checkpoint), "dataset": "dataset"}
    told["lineage"] = {"base_model": "base", "base_revision": None, "phases": phases} if phases else None
    path.write_text(json.dumps(json.loads(path.read_text()) | told))


@pytest.fixture
def study(tmp_path, dataset, run_folder) -> Path:  # noqa: F811 - pytest's way
    folder = tmp_path / "study"
    shutil.copytree(dataset, folder / "dataset")
    for name, n_phases in (("base", 0), ("phase1", 1), ("tuned", 2)):
        shutil.copytree(run_folder.parent / "tuned", folder / name)
        generation = folder / name / "generation_config.json"  # so that no two have the same hash
        generation.write_text(json.dumps(json.loads(generation.read_text()) | {"max_new_tokens": n_phases + 1}))
        _lineage(folder / name, PHASES[:n_phases])
    (folder / "base" / "lineage.json").unlink()
    (folder / "phase2").mkdir()
    save_file({"lora_A": numpy.ones((2, 4), numpy.float32)}, folder / "phase2" / "adapter_model.safetensors")
    (folder / "phase2" / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    _lineage(folder / "phase2", PHASES)
    for name, phases in (("base", []), ("tuned", PHASES)):
        run = shutil.copytree(run_folder, folder / "runs" / name)
        _manifest(run, folder / name, phases)
        (run / "README.md").unlink()
    (folder / "runs" / "base" / "comparison.json").unlink()
    said = [SAID | {"example_id": f"E{n}", "image_condition": "true", "reply": f"reply {n}"} for n in range(3)]
    (folder / "runs" / "tuned" / "judgements.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    card.run(card.Options(str(folder / "runs" / "tuned"), license="apache-2.0"))
    return folder
