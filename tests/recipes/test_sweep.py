"""Parts of the training split, and sweeps: several runs of a recipe, trained, asked, scored and drawn."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from datasets import Dataset
from safetensors.torch import save_file

import ldrt
from recipes.sweeping.sweep_file import read_sweep
from recipes.training.checkpoints import SAVED
from recipes.training.examples import load_examples, of_articles
from recipes.training.options import parse
from tests.recipes.conftest import ROOT, tensors


def test_a_share_of_the_articles_is_whole_articles_and_always_the_same(dataset):
    articles = [f"PMC{number % 300}" for number in range(900)]
    rows = Dataset.from_dict({"article_id": articles})
    tenth, half = (set(of_articles(rows, share)["article_id"]) for share in (0.1, 0.5))
    assert tenth < half
    assert 15 <= len(tenth) <= 45
    assert 120 <= len(half) <= 180
    assert len(of_articles(rows, 0.1)) == 3 * len(tenth)  # every row of each
    assert len(of_articles(rows, 1)) == 900

    both, source = load_examples(str(dataset), "instruct", "train", None, article_share=0.5)
    assert source["article_share"] == 0.5
    questions = [row[0]["content"] for row in both["prompt"]]
    assert 0 < len(questions) < 64
    assert len(set(questions)) == 2
    assert questions.count(questions[0]) == len(questions) / 2


@pytest.mark.parametrize("share", [0, 1.5, -1])
def test_an_impossible_share_is_refused(dataset, share):
    with pytest.raises(ValueError, match="above 0"):
        load_examples(str(dataset), "instruct", "train", None, article_share=share)


def sweep_file(folder: Path, start: Path, dataset: Path, named: dict, **changes) -> Path:
    content = {
        "recipe": "recipes/tiny-llava/phase2.yaml",
        "accelerate": "accelerate_configs/cpu.yaml",
        "dataset": str(dataset),
        "output": str(folder / "sweep"),
        "every_run": {
            "model_name_or_path": str(start),
            "dataset_name": str(dataset),
            "train_article_share": 0.5,
            "max_steps": 2,
            "per_device_train_batch_size": 2,
            "save_strategy": "no",
        },
        "generate": {"limit": 2, "max_new_tokens": 4},
        "runs": named,
    }
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(content | changes, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.slow
def test_two_ranks_are_trained_asked_scored_and_drawn_and_finished_runs_are_kept(phase1, dataset, tmp_path, capfd):
    start = shutil.copytree(phase1, tmp_path / "phase1")
    ranks = {"r4": {"lora_r": 4, "lora_alpha": 8}, "r8": {"lora_r": 8, "lora_alpha": 16}}
    broken = ranks | {"broken": {"global_batch_size": 3}}
    assert ldrt.main(["sweep", str(sweep_file(tmp_path, start, dataset, broken))]) == 0
    table = capfd.readouterr().out
    assert "training failed with exit status 2" in table
    assert len(table.split("\n\n")[0].splitlines()) == 4
    runs = json.loads((tmp_path / "sweep" / "sweep.json").read_text())["runs"]
    assert [run["name"] for run in runs] == ["r4", "r8", "broken"]
    small, large, _ = runs
    assert large["trained_parameters"] > small["trained_parameters"]
    for run in (small, large):
        assert run["train_seconds"] > 0
        assert run["steps"] == 2
        assert run["processes"] == 1
        assert 0 < run["rows"] < 64
        assert {row["task"] for row in run["scores"]} == {"all", "detail", "reasoning"}
        lineage = json.loads((tmp_path / "sweep" / run["name"] / "checkpoint" / "lineage.json").read_text())
        assert lineage["phases"][-1]["settings"]["lora_r"] == run["changes"]["lora_r"]
        assert lineage["phases"][-1]["article_share"] == 0.5
    plot = tmp_path / "sweep" / "plots" / "sweep.png"
    drawn = plot.read_bytes()

    kept = [*(tmp_path / "sweep").glob("*/checkpoint/*.safetensors"), *(tmp_path / "sweep").glob("*/run/pred*.jsonl")]
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert len(before) == 4
    assert ldrt.main(["sweep", str(sweep_file(tmp_path, start, dataset, ranks))]) == 0
    again = json.loads((tmp_path / "sweep" / "sweep.json").read_text())["runs"]
    assert again == [small, large]
    assert before == {path: path.stat().st_mtime_ns for path in kept}
    assert plot.read_bytes() == drawn

    # phase 1 trained anew in its folder: the options are the same, the model is another
    (weights,) = start.glob("*.safetensors")
    save_file({name: tensor + 1 for name, tensor in tensors(start).items()}, weights, metadata={"format": "pt"})
    (start / SAVED).unlink()
    capfd.readouterr()
    assert ldrt.main(["sweep", str(sweep_file(tmp_path, start, dataset, ranks))]) == 1
    assert "holds another run (the model that it starts from, start_revision" in capfd.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in kept}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": ["r4"]}, "expected `runs:`"),
        ({"recipes": "x"}, "no key 'recipes'"),
        ({"runs": None}, "expected"),
        ({"runs": {"r4": {"lora_rr": 4}}}, "run r4: no key 'lora_rr', did you mean lora_r?"),
        ({"runs": {"r4": {"lora_r": "many"}}}, "run r4: --lora_r 'many': give a whole number"),
        ({"every_run": {"output_dir": "x", "beta": 1}}, "run a: no key 'beta'"),
        ({"every_run": ["r4"]}, "run a: runs, every_run and generate hold `key: value` lines"),
        ({"recipe": "recipes/nowhere.yaml"}, "run a: no file recipes/nowhere.yaml"),
        ({"output": 5}, "output 5: give a text"),
        ({"generate": {"max_new_token": 4}}, "run a: no key 'max_new_token', did you mean max_new_tokens?"),
        ({"generate": {"model": "x"}}, "run a: model is not for this script: the sweep gives it to each run"),
    ],
)
def test_what_is_no_sweep_is_refused_in_one_line(tmp_path, capsys, changes, message):
    path = sweep_file(tmp_path, tmp_path, tmp_path, {"a": {}}, **changes)
    assert ldrt.main(["sweep", str(path)]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "sweep").exists()


def test_a_dataset_that_is_not_there_is_told_before_anything_is_trained(tmp_path, capsys):
    path = sweep_file(tmp_path, tmp_path, Path("runs/nowhere"), {"a": {}})
    assert ldrt.main(["sweep", str(path)]) == 2
    assert "sweep.yaml: there is no folder runs/nowhere: give the dataset's folder or" in capsys.readouterr().err
    assert not (tmp_path / "sweep").exists()


@pytest.mark.slow
def test_a_sweep_of_which_nothing_finished_fails(dataset, tmp_path, capfd):
    path = sweep_file(tmp_path, tmp_path, dataset, {"a": {"global_batch_size": 3}})
    assert ldrt.main(["sweep", str(path)]) == 1
    assert "no run of" in capfd.readouterr().err


@pytest.mark.parametrize("path", sorted(ROOT.glob("recipes/sweeps/*.yaml")), ids=lambda path: path.name)
def test_the_shipped_sweeps_change_only_keys_that_a_recipe_has(path, tmp_path):
    sweep = read_sweep(path)
    for name, changes in sweep["runs"].items():
        asked = {**sweep["every_run"], **changes}
        recipe = asked.pop("recipe", sweep["recipe"])
        words = [word for key, value in asked.items() for word in (f"--{key}", str(value))]
        words += ["--use_cpu", "true", "--bf16", "false", "--dtype", "float32"]
        parsed = parse(["--config", str(ROOT / recipe), "--output_dir", str(tmp_path / name), *words])
        for key, value in asked.items():
            assert value in [getattr(part, key, None) for part in parsed], key
    assert (ROOT / sweep["accelerate"]).is_file()
