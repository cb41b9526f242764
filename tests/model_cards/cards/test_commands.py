"""The commands on a model card: what ran, by the files of the run."""

import pytest

from model_cards.cards.commands import evaluation_commands, folders, training_commands
from model_cards.cards.front_matter import Stated, model_facts

COMMIT, OTHER = "c" * 40, "d" * 40
HASH = "sha256:" + "e" * 64
SETTINGS = {"rouge": {"tokenizer": "unicode"}, "interval": {"method": "t", "min_articles": 5}}


def phase(trainable="lora", launch=("--config_file", "accelerate_configs/zero3.yaml"), processes=4, **changes) -> dict:
    command = {"launch": None if launch is None else list(launch), "recipe": ["--config", "recipes/x/p.yaml"]}
    command["options"] = ["--seed", "3"]
    started = {"command": command, "launch": {"processes": processes}}
    return {"trainable": trainable, "dataset": "org/figures", "dataset_revision": COMMIT} | started | changes


def manifest(phases=(), **changes) -> dict:
    lineage = {"base_model": "llava-hf/llava-1.5-13b-hf", "base_revision": OTHER, "phases": list(phases)}
    made = {"backend": "local", "model": "tuned", "revision": HASH, "adapter_of": None, "lineage": lineage}
    made |= {"dataset": "org/figures", "dataset_revision": COMMIT, "split": "test", "tasks": ["detail"]}
    made |= {"generation": {"max_new_tokens": 64}, "image_conditions": {"true": {"items": 4, "options": {}}}}
    return made | changes


def trained(run: dict, **stated) -> list[str] | None:
    commands = training_commands(run, model_facts(run, Stated(**stated)))
    return None if commands is None else [" ".join(words) for words in commands]


def evaluated(run: dict, comparison: dict | None = None, judges=(), **stated) -> list[str]:
    scores = {"settings": SETTINGS, "judges": list(judges)}
    return [
        " ".join(words) for words in evaluation_commands(run, scores, comparison, model_facts(run, Stated(**stated)))
    ]


START = f"--model_name_or_path llava-hf/llava-1.5-13b-hf --model_revision {OTHER}"
DATA = f"--dataset_name org/figures --dataset_revision {COMMIT}"
LAUNCH = "ldrt train --launch accelerate_configs/zero3.yaml --config recipes/x/p.yaml"
ZERO3 = ("--config_file", "accelerate_configs/zero3.yaml")


def test_phases_and_the_merge_follow_on_each_other():
    run = manifest([phase("projector"), phase()])
    run["lineage"]["merge"] = {"dtype": "float16"}
    assert trained(run) == [
        f"{LAUNCH} {START} {DATA} --output_dir runs/phase1 --seed 3",
        f"{LAUNCH} --model_name_or_path runs/phase1 {DATA} --output_dir runs/phase2 --seed 3",
        "ldrt merge runs/phase2 --dtype float16 --output tuned",
    ]


def test_a_phase_that_trains_the_vision_tower_too_is_merged_as_any_adapter():
    assert trained(manifest([phase("projector"), phase("full-vision")]))[-1] == "ldrt merge runs/phase2 --output tuned"


def test_an_adapter_that_was_evaluated_itself_is_not_merged():
    run = manifest([phase("projector"), phase()], adapter_of={"model": "runs/phase1", "revision": HASH})
    assert [line.split(" --output_dir ")[1] for line in trained(run)] == ["runs/phase1 --seed 3", "tuned --seed 3"]


@pytest.mark.parametrize(
    ("launch", "processes", "begins"),
    [
        ((), 1, "accelerate launch recipes/sft.py"),
        (None, 1, "python recipes/sft.py"),
        (None, 2, "torchrun --nproc_per_node 2 recipes/sft.py"),
        (("--num_processes", "8"), 8, "accelerate launch --num_processes 8 recipes/sft.py"),
        (ZERO3, 4, "ldrt train --launch accelerate_configs/zero3.yaml"),
        ((*ZERO3, "--num_processes", "8"), 8, "ldrt train --launch accelerate_configs/zero3.yaml --num_processes 8"),
        # what `ldrt train` does not take
        (
            (*ZERO3, "--num_machines", "2"),
            8,
            "accelerate launch --config_file accelerate_configs/zero3.yaml --num_machines 2 recipes/sft.py",
        ),
    ],
)
def test_what_started_the_script(launch, processes, begins):
    assert trained(manifest([phase(launch=launch, processes=processes)]))[0].startswith(f"{begins} --config")


def test_a_recipe_that_is_not_the_projects_own_has_its_settings_behind_accelerate():
    own = phase()
    own["command"]["recipe"] = []
    begins = "accelerate launch --config_file accelerate_configs/zero3.yaml recipes/sft.py --model_name_or_path"
    assert trained(manifest([own]))[0].startswith(begins)


def test_a_lineage_of_before_and_none_at_all():
    old = phase()
    del old["command"]
    assert trained(manifest([phase("projector"), old])) is None
    assert trained(manifest()) == []
    assert trained(manifest(lineage=None)) == []


def test_published_names_stand_for_folders():
    run = manifest([phase(dataset="figures", dataset_revision=None)], dataset="figures", dataset_revision=HASH)
    assert "--dataset_name figures --output_dir" in trained(run)[0]
    assert folders(run, None, model_facts(run, Stated())) == ["figures"]
    stated = {"repo_id": "org/model", "dataset_id": "org/published"}
    assert "--dataset_name org/published --output_dir" in trained(run, **stated)[0]
    assert trained(run, **stated)[1] == "ldrt merge runs/phase1 --output runs/model"
    assert folders(run, None, model_facts(run, Stated(**stated))) == []
    lines = evaluated(run, **stated)
    assert lines[0] == "ldrt generate --model org/model --dataset org/published --output runs/tuned"
    assert lines[-1] == "ldrt card runs/tuned --repo_id org/model --dataset_id org/published"


def test_every_image_condition_with_the_options_that_it_was_asked_with():
    asked = {"true": {"items": 4, "options": {"tasks": ["detail"], "limit": 4}}, "blank": {"items": 4, "options": {}}}
    run = manifest(image_conditions=asked, model="org/model", revision=OTHER)
    data = f"--model org/model --revision {OTHER} --dataset org/figures --dataset_revision {COMMIT}"
    assert evaluated(run)[:2] == [
        f'ldrt generate {data} --tasks ["detail"] --limit 4 --output runs/tuned',
        f"ldrt generate {data} --image_condition blank --output runs/tuned",
    ]


def test_the_base_run_is_asked_as_it_was_asked():
    base = {"model": "tiny", "revision": HASH, "generation": {"max_new_tokens": 9}}
    asked = {"true": {"items": 4, "options": {"max_new_tokens": 9}}}
    comparison = {"base": base | {"image_conditions": asked}, "options": {"train_dataset": "figures"}}
    lines = evaluated(manifest(), comparison)
    assert "--model tiny --dataset" in lines[0]
    assert lines[0].endswith("--max_new_tokens 9 --output runs/base")
    assert "ldrt score runs/base --rouge_tokenizer unicode" in lines
    assert "ldrt compare runs/base runs/tuned --train_dataset figures" in lines
    old = {"base": {"model": "tiny", "revision": HASH, "generation": {"max_new_tokens": 9}}}
    assert evaluated(manifest(), old)[0].endswith("--output runs/base")


def test_judges_are_asked_of_a_server_or_here():
    judges = [
        {"judge": "org/a", "revision": OTHER, "backend": "openai"},
        {"judge": "org/b", "revision": None, "backend": "local"},
    ]
    lines = evaluated(manifest(), judges=judges)
    assert f"ldrt judge runs/tuned --judge org/a --revision {OTHER} --base_url http://localhost:8000/v1" in lines
    assert "ldrt judge runs/tuned --judge org/b --backend local" in lines


@pytest.mark.parametrize(
    "told",
    [
        {"options": ["--output_dir", "/home/victim/.ssh"]},
        {"options": ["--push_to_hub", "true"]},
        {"launch": ["--module", "evil"]},
        {"launch": ["evil.py"]},
        {"recipe": ["--config", "/tmp/evil.yaml"]},
    ],
)
def test_commands_of_a_strangers_lineage_that_do_more_than_train_are_not_repeated(told):
    started = phase()
    started["command"] |= told
    assert trained(manifest([started])) is None
