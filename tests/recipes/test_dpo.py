"""Preferences from end to end: sampled answers, a scripted judge, config `preference`, DPO, merge, answers again."""

import json
import re
import shutil

import pytest
import torch
from datasets import load_dataset

import ldrt
from recipes import dpo, merge
from tests.dataset_builder.llm_server import completion, serve
from tests.recipes.conftest import ROOT, load_make_model, tensors, write_dataset

STEPS = 16


def dpo_options(model, dataset, output, **changes):
    """The tiny recipe's command line, with changes."""
    changes = {
        "model_name_or_path": model,
        "dataset_name": dataset,
        "output_dir": output,
        "max_steps": STEPS,
        "save_steps": STEPS // 2,
        **changes,
    }
    words = ["--config", str(ROOT / "recipes" / "tiny-llava" / "dpo.yaml")]
    return words + [word for key, value in changes.items() for word in (f"--{key}", str(value))]


def ldrt_does(*words):
    assert ldrt.main(list(map(str, words))) == 0


def reply(request):
    """The longer answer is the better one; of some questions the first is, of others neither."""
    prompt = request["messages"][0]["content"]
    data = {name: json.loads(text) for name, text in re.findall(r"^(reference|answer_[12]): (.*)$", prompt, re.M)}
    first, second = len(data["answer_1"]), len(data["answer_2"])
    if first == second or "red" in data["reference"]:
        return completion("Alike.\nVERDICT: tie")
    if "blue" in data["reference"]:
        return completion("The first.\nVERDICT: 1")
    return completion(f"One says more.\nVERDICT: {1 if first > second else 2}")


@pytest.fixture(scope="module")
def merged(tmp_path_factory, phase2):
    """Phase 2, merged; every sixth token ends an answer, since two steps teach nobody where to end one."""
    folder = tmp_path_factory.mktemp("merged") / "tuned"
    merge.run(merge.Options(adapter=str(phase2), output=str(folder)))
    config = json.loads((folder / "generation_config.json").read_text())
    config["eos_token_id"] = [2, *range(260, 1024, 6)]
    (folder / "generation_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory, merged):
    """(dataset with config `preference`, the two runs)."""
    place = tmp_path_factory.mktemp("judged")
    dataset, runs = write_dataset(place / "sample"), [place / "first", place / "second"]
    for seed, run in enumerate(runs, start=1):
        asked = ["--split", "train", "--tasks", '["detail"]', "--max_new_tokens", 24, "--batch_size", 16]
        ldrt_does(
            *("generate", "--model", merged, "--dataset", dataset, "--output", run, *asked),
            *("--temperature", 1, "--seed", seed, "--device", "cpu"),
        )
    with serve(reply) as (base_url, seen):
        ldrt_does("judge", runs[0], "--against", runs[1], "--judge", "org/judge", "--base_url", base_url)
        assert len(seen) == 2 * 32
    ldrt_does("prefer", *runs, dataset)
    return dataset, runs


@pytest.fixture(scope="module")
def preferred(tmp_path_factory, merged, judged):
    """A finished run of dpo.py."""
    output = tmp_path_factory.mktemp("dpo") / "dpo"
    assert dpo.main(dpo_options(merged, judged[0], output)) == 0
    return output


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_row_is_a_pair_that_the_judge_decided_alike_in_both_orders(judged):
    dataset, runs = judged
    said = [{row["example_id"]: row for row in lines(run / "predictions.jsonl")} for run in runs]
    rows = load_dataset(str(dataset), "preference", split="train")
    assert len(rows) >= 4
    for row in rows:
        chosen, rejected = row["chosen"][0]["content"], row["rejected"][0]["content"]
        both = [answers[row["example_id"]] for answers in said]
        assert {chosen, rejected} == {answer["prediction"] for answer in both}
        assert len(chosen) > len(rejected)
        assert not re.search("red|blue", both[0]["reference"])
        assert all(answer["finish_reason"] == "stop" for answer in both)
        assert row["judges"][0]["judge"] == "org/judge"
        assert row["prompt"] == [{"role": "user", "content": both[0]["question"]}]
    pictures = {row["example_id"]: row for row in load_dataset(str(dataset), "detail", split="train")}
    assert all(row["images"][0].tobytes() == pictures[row["example_id"]]["images"][0].tobytes() for row in rows)
    counts = json.loads((dataset / "provenance/manifest.json").read_text())["stages"]["prefer"]["counts"]
    assert sum(counts.values()) == 32
    assert counts["chosen"] == len(rows)
    assert counts["disagreement"]
    assert counts["tie"]
    card = (dataset / "README.md").read_text()
    assert "From answers to preferences" in card
    assert "preference/train-*.parquet" in card


def test_the_margin_rises_and_only_the_language_models_lora_is_trained(preferred, merged):
    phases = json.loads((preferred / "lineage.json").read_text())["phases"]
    assert [phase["trainable"] for phase in phases] == ["projector", "lora", "preference"]
    rewards = phases[-1]["rewards"]
    assert rewards["first"]["margin"] == 0  # the reference is the start model
    assert rewards["last"]["margin"] > 0.05
    assert phases[-1]["settings"]["beta"] == 0.1
    names = [tensor["name"] for tensor in json.loads((preferred / "trainable.json").read_text())["tensors"]]
    assert names
    assert all("language_model" in name and ".lora_" in name for name in names)
    config = json.loads((preferred / "adapter_config.json").read_text())
    assert config["modules_to_save"] is None
    assert config["base_model_name_or_path"] == str(merged)


def test_the_same_command_again_leaves_it_alone_and_another_is_refused(preferred, merged, judged, capsys):
    assert dpo.main(dpo_options(merged, judged[0], preferred)) == 0
    assert "finished run already" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"another run \(beta 0.1 there, 0.2 here\)"):
        dpo.main(dpo_options(merged, judged[0], preferred, beta=0.2))


def test_a_run_that_was_cut_goes_on_to_the_same_weights(preferred, merged, judged, tmp_path, capsys):
    cut = tmp_path / "cut"
    shutil.copytree(preferred, cut)
    for path in (cut / "lineage.json", cut / "adapter_model.safetensors", cut / f"checkpoint-{STEPS}"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert dpo.main(dpo_options(merged, judged[0], cut)) == 0
    assert f"continues from {cut / f'checkpoint-{STEPS // 2}'}" in capsys.readouterr().out
    whole, again = tensors(preferred), tensors(cut)
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_the_merged_model_answers(preferred, judged, tmp_path):
    merge.run(merge.Options(adapter=str(preferred), output=str(tmp_path / "merged")))
    check = json.loads((tmp_path / "merged/merge.json").read_text())
    assert check["error_std"] < 1e-4 < check["change_std"]
    run = tmp_path / "run"
    ldrt_does("generate", "--model", tmp_path / "merged", "--dataset", judged[0], "--output", run, "--device", "cpu")
    ldrt_does("score", run)
    ldrt_does("card", run)
    card = (run / "README.md").read_text()
    assert "to prefer one of two answers (DPO)" in card
    assert "python recipes/dpo.py --config recipes/tiny-llava/dpo.yaml" in card
    assert card.index("ldrt merge runs/phase2 --output runs/phase2-merged") < card.index("recipes/dpo.py")
    assert not any(answer.get("error") for answer in lines(run / "predictions.jsonl"))


def test_another_family_prefers_too(judged, tmp_path):
    base = tmp_path / "qwen3_vl"
    words = ["--dataset", str(judged[0]), "--output", str(base), "--family", "qwen3_vl", "--steps", "1"]
    load_make_model().main(words)
    output, merged = tmp_path / "dpo", tmp_path / "merged"
    assert dpo.main(dpo_options(base, judged[0], output)) == 0
    assert json.loads((output / "lineage.json").read_text())["phases"][-1]["rewards"]["last"]["margin"] > 0.05
    merge.run(merge.Options(adapter=str(output), output=str(merged)))
    run, asked = tmp_path / "run", ["--limit", 2, "--max_new_tokens", 4, "--device", "cpu"]
    ldrt_does("generate", "--model", merged, "--dataset", judged[0], "--output", run, *asked)
    assert not any(answer.get("error") for answer in lines(run / "predictions.jsonl"))


def test_held_out_answers_make_no_pairs(judged, merged, tmp_path, capsys):
    dataset = judged[0]
    asked = ["--max_new_tokens", 4, "--device", "cpu", "--limit", 1]
    for run in ("a", "b"):
        ldrt_does("generate", "--model", merged, "--dataset", dataset, "--output", tmp_path / run, *asked)
    assert ldrt.main(["prefer", str(tmp_path / "a"), str(tmp_path / "b"), str(dataset)]) == 1
    assert "the split test: held-out questions are not trained on" in capsys.readouterr().err


def test_runs_that_nobody_judged_say_what_to_run(judged, capsys):
    dataset, (first, second) = judged
    assert ldrt.main(["prefer", str(second), str(first), str(dataset)]) == 1
    assert f"run `ldrt judge {second} --against {first} --judge NAME`" in capsys.readouterr().err


def test_a_sampled_answer_is_the_same_in_any_batch_and_another_with_another_seed(judged, merged, tmp_path):
    dataset, (first, second) = judged
    asked = ["--split", "train", "--tasks", '["detail"]', "--max_new_tokens", 24, "--device", "cpu", "--temperature", 1]
    ldrt_does(
        *("generate", "--model", merged, "--dataset", dataset, "--output", tmp_path / "again", *asked),
        *("--seed", 1, "--batch_size", 5, "--limit", 7),
    )
    said, again, other = (
        {row["example_id"]: row["prediction"] for row in lines(run / "predictions.jsonl")}
        for run in (first, tmp_path / "again", second)
    )
    assert len(again) == 7
    assert again == {name: said[name] for name in again}
    assert sum(said[name] != other[name] for name in said) > 24
    manifest = json.loads((first / "manifest.json").read_text())
    assert (manifest["generation"]["do_sample"], manifest["generation"]["temperature"], manifest["seed"]) == (
        True,
        1,
        1,
    )
