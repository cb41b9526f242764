"""What a card tells to type is what ran: its commands, typed in a fresh folder, give the same answers and scores."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes.conftest import load_make_model, write_dataset

ROOT = Path(__file__).parents[2]
COMMANDS = """
accelerate launch --config_file accelerate_configs/cpu.yaml recipes/sft.py --config recipes/tiny-llava/phase1.yaml \
--model_name_or_path data/tiny-start --dataset_name data/figures --output_dir out/phase1 --max_steps 2 --seed 3
accelerate launch --config_file accelerate_configs/cpu.yaml --num_processes 1 recipes/sft.py --config own.yaml \
--model_name_or_path out/phase1 --dataset_name {folder}/data/figures --output_dir out/phase2 --max_steps=3
ldrt merge out/phase2 --output out/tiny-tuned
ldrt generate --model data/tiny-start --dataset data/figures --tasks "[detail]" --max_new_tokens 12 --output out/r/base
ldrt generate --model out/tiny-tuned --dataset {folder}/data/figures --tasks "[detail]" --max_new_tokens 12 \
--batch_size 3 --output out/r/tuned
ldrt score out/r/base
ldrt score out/r/tuned
ldrt compare out/r/base out/r/tuned --train_dataset data/figures
ldrt card out/r/tuned --license apache-2.0
"""


def checkout(folder: Path) -> Path:
    """A working folder as a checkout is: with the project's recipes and launch configs."""
    folder.mkdir()
    for name in ("recipes", "accelerate_configs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(script: str, folder: Path) -> None:
    """Run a shell script as a user does, with the project installed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    known = {"PATH": path, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(["bash", "-ec", script], cwd=folder, env=os.environ | known, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def commands_of(card: str) -> str:
    """All commands of a card's section "Reproduce", as they stand there."""
    section = card.split("\n## Reproduce\n")[1]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


def content(path: Path, *names: str) -> list:
    """Of each line of a file, or of the file, these values."""
    return [[row.get(name) for name in names] for row in map(json.loads, path.read_text().splitlines())]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder in which a tiny study ran, with a recipe of the user's own, paths of this machine and other options."""
    folder = checkout(tmp_path_factory.mktemp("study") / "here")
    write_dataset(folder / "data" / "figures")
    start = ["--dataset", str(folder / "data" / "figures"), "--output", str(folder / "data" / "tiny-start")]
    load_make_model().main([*start, "--family", "llava", "--steps", "5"])
    own = (ROOT / "recipes" / "tiny-llava" / "phase2.yaml").read_text()
    (folder / "own.yaml").write_text(
        own.replace("lora_r: 32", "lora_r: 4").replace("save_steps: 100", "save_steps: 50")
    )
    run(COMMANDS.format(folder=folder), folder)
    return folder


@pytest.mark.slow
def test_the_cards_commands_run_as_typed_to_the_same_scores(study, tmp_path):
    script = commands_of((study / "out/r/tuned/README.md").read_text())
    assert str(study) not in script
    fresh = checkout(tmp_path / "fresh")
    shutil.copytree(study / "data", fresh, dirs_exist_ok=True)
    run(script, fresh)
    for name in ("base", "tuned"):
        before, after = study / "out/r" / name, fresh / "runs" / name
        columns = ("example_id", "question", "prediction", "image_condition")
        assert sorted(content(after / "predictions.jsonl", *columns)) == sorted(
            content(before / "predictions.jsonl", *columns)
        )
        first, second = (json.loads((folder / "scores.json").read_text()) for folder in (before, after))
        assert second["scores"] == first["scores"]
    first, second = (
        json.loads((folder / "comparison.json").read_text()) for folder in (study / "out/r/tuned", fresh / "runs/tuned")
    )
    assert (second["rows"], second["by_term_frequency"]) == (first["rows"], first["by_term_frequency"])
    assert commands_of((fresh / "runs/tuned/README.md").read_text()) == script


@pytest.mark.slow
def test_the_commands_are_those_that_ran(study):
    lines = [shlex.split(line) for line in commands_of((study / "out/r/tuned/README.md").read_text()).splitlines()]
    phase1, phase2, merge, *_, card = lines
    assert phase1[:4] == ["ldrt", "train", "--launch", "accelerate_configs/cpu.yaml"]
    assert phase1[4:6] == ["--config", "recipes/tiny-llava/phase1.yaml"]
    assert phase1[-4:] == ["--max_steps", "2", "--seed", "3"]
    assert "--num_processes" in phase2
    assert phase2[phase2.index("--lora_r") + 1] == "4"
    assert merge == ["ldrt", "merge", "runs/phase2", "--output", "tiny-tuned"]
    assert card == ["ldrt", "card", "runs/tuned", "--license", "apache-2.0"]


@pytest.mark.slow
def test_a_dataset_cards_commands_make_the_same_rows(sample_articles, tmp_path):
    here, fresh = checkout(tmp_path / "here"), checkout(tmp_path / "fresh")
    for folder in (here, fresh):
        shutil.copytree(sample_articles, folder / "articles")
    options = "--min_sharpness 90 --test_size 0.3 --domain recipes/domains/ldrt.yaml"
    run(f"ldrt build articles --output data {options}\nldrt instruct data --min_support 0.5", here)
    card = (here / "data" / "README.md").read_text()
    section = card.split("\n## Make it again\n")[1]
    (script,) = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    run(script, fresh)
    made = {path.relative_to(here / "data"): path.read_bytes() for path in (here / "data").glob("*/*.parquet")}
    assert len(made) > 6
    again = {path.relative_to(fresh / "dataset"): path.read_bytes() for path in (fresh / "dataset").glob("*/*.parquet")}
    assert again == made
    assert (fresh / "dataset" / "README.md").read_text() == card
