"""Options of recipes/sft.py: every shipped recipe parses; what cannot work is refused in one line."""

import pytest
import yaml

from dataset_builder.files.errors import UsageError
from recipes.project_files import find_file
from recipes.training import options as room
from recipes.training.options import DPO, parse, rename, rename_options
from tests.recipes.conftest import ROOT, options

TINY = ["--config", str(ROOT / "recipes/tiny-llava/phase1.yaml")]
RECIPES = sorted(ROOT.glob("recipes/*/phase*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_recipe_parses(path):
    recipe, args, _ = parse(["--config", str(path), "--use_cpu", "true"])
    assert recipe.trainable == ("projector" if path.stem == "phase1" else "lora")
    assert recipe.dataset_config == ("align" if path.stem == "phase1" else "instruct")
    if path.parent.name.startswith(("llava-v1.5", "llava-v1.6")):
        assert find_file(args.chat_template_path).name == "vicuna_v1.jinja"
        assert path.stem != "phase1" or find_file(recipe.train_template_path).name == "plain.jinja"
    if path.parent.name != "tiny-llava":
        assert args.per_device_train_batch_size * args.gradient_accumulation_steps == 16


@pytest.mark.parametrize("path", sorted(ROOT.glob("recipes/*/dpo.yaml")), ids=lambda path: "/".join(path.parts[-2:]))
def test_every_recipe_of_preferences_parses(path):
    recipe, args, _ = parse(["--config", str(path), "--use_cpu", "true"], script=DPO)
    assert (recipe.trainable, recipe.dataset_config, args.beta) == ("preference", "preference", 0.1)
    with pytest.raises(UsageError, match="trainable: no 'preference'; one of projector, lora"):
        parse(["--config", str(path)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--trainable", "lora"], "--trainable: no 'lora'; one of preference"),
        (["--train_template_path", "x.jinja"], "train_template_path is not for this script: pairs are answers"),
        (["--projector_learning_rate", "1"], "projector_learning_rate is not for this script"),
        (["--precompute_ref_log_probs", "true"], "precompute_ref_log_probs is not for this script: TRL has none"),
        (["--sync_ref_model", "true"], "sync_ref_model is not for this script"),
        (["--truncation_mode", "keep_end"], "truncation_mode is not for this script"),
        (["--trust_remote_code", "true"], "trust_remote_code is not for this script"),
        (["--betta", "1"], "no key 'betta', did you mean beta?"),
    ],
)
def test_what_preferences_refuse_is_one_line(words, message):
    with pytest.raises(UsageError) as error:
        parse(["--config", str(ROOT / "recipes/tiny-llava/dpo.yaml"), *words], script=DPO)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lerning_rate", "1"], "no key 'lerning_rate', did you mean learning_rate?"),
        (["--warmup_ratio", "0.03"], "warmup_ratio is not for this script: use warmup_steps"),
        (["--trust_remote_code", "true"], "trust_remote_code is not for this script"),
        (["--learning_rate", "fast"], "--learning_rate 'fast': give a number"),
        (["--trainable", "everything"], "--trainable: no 'everything'; one of projector, lora, full-vision"),
        (["--dtype", "bfloat16"], "dtype bfloat16 with bf16 False"),
        (["--output_dir"], "output_dir"),
        (["--resume_from_checkpoint", "true"], "resume_from_checkpoint is not for this script: the same command goes"),
        (["--ignore_data_skip", "true"], "ignore_data_skip is not for this script"),
        (["--save_only_model", "true"], "save_only_model is not for this script"),
        (["--max_steps", "0"], "max_steps 0 trains nothing"),
        (["--max_image_tokens", "0"], "--max_image_tokens '0': give a whole number, at least 1"),
        (["--max_grid_tiles", "0"], "--max_grid_tiles '0': give a whole number, at least 1"),
        (["--max_steps", "-3"], "--max_steps '-3': give a whole number, at least -1"),
        (["--max_steps", "-1", "--num_train_epochs", "0"], "--num_train_epochs '0': give a number, above 0"),
        (["--num_train_epochs", "-2"], "--num_train_epochs '-2': give a number, above 0"),
        (["--num_train_epochs", "nan"], "--num_train_epochs 'nan': give a number"),
        (["--num_train_epochs", "inf"], "--num_train_epochs 'inf': give a number"),
        (["--per_device_train_batch_size", "0"], "'0': give a whole number, at least 1"),
        (["--gradient_accumulation_steps", "0"], "gradient_accumulation_steps"),
        (["--learning_rate", "-0.0001"], "--learning_rate '-0.0001': give a number, at least 0"),
        (["--learning_rate", "nan"], "--learning_rate 'nan'"),
        (["--projector_learning_rate", "inf"], "--projector_learning_rate 'inf'"),
        (["--max_length", "0"], "--max_length '0': give a whole number, at least 1"),
    ],
)
def test_wrong_usage_is_one_line_and_names_the_nearest_key(base, dataset, tmp_path, words, message):
    with pytest.raises(UsageError) as error:
        parse([*options(1, base, dataset, tmp_path), *words])
    assert message in str(error.value)


def test_zero_without_deepspeed_is_one_line(base, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setattr("recipes.training.options.is_installed", lambda package: package != "deepspeed")
    with pytest.raises(UsageError, match=r"^ZeRO needs DeepSpeed, which is not installed \(Linux only\)"):
        parse(options(1, base, dataset, tmp_path))


def test_an_unknown_key_in_the_yaml_fails(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("trainable: lora\nlora_rank: 8\n")
    with pytest.raises(UsageError, match="no key 'lora_rank', did you mean l"):
        parse(["--config", str(path)])
    with pytest.raises(UsageError, match="cannot read the configuration"):
        parse(["--config", str(tmp_path / "absent.yaml")])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"load_in_4bit": "true"}, "load_in_4bit is for phase 2"),
        ({"report_to": "wandb"}, "report_to: wandb is not installed: pip install 'ldrt-vlm[trackers]'"),
        ({"report_to": "mlflow"}, "report_to: no 'mlflow'; one of none, tensorboard, trackio, wandb"),
        ({"save_total_limit": 1}, "save_total_limit 1 deletes the last checkpoint"),
    ],
)
def test_what_cannot_work_is_refused_before_the_model_is_loaded(changes, message, base, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "is_installed", lambda name: False)
    with pytest.raises(UsageError) as error:
        parse(options(1, base, dataset, tmp_path, **changes))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("processes", "batch", "at_once", "steps"),
    [(1, 4, 4, 4), (4, 4, 4, 1), (2, 4, 4, 2), (1, 16, 16, 1), (8, 2, 2, 1), (1, 1, 1, 16), (8, 4, 2, 1)],
)
def test_accumulation_follows_from_the_global_batch_and_the_processes(processes, batch, at_once, steps):
    words = [*TINY, "--global_batch_size", "16", "--per_device_train_batch_size", str(batch)]
    _, args, _ = parse(words, processes)
    assert (args.per_device_train_batch_size, args.gradient_accumulation_steps) == (at_once, steps)


@pytest.mark.parametrize(("processes", "batch"), [(3, 4), (32, 1), (1, 3)])
def test_a_global_batch_that_does_not_divide_is_refused(processes, batch):
    words = [*TINY, "--global_batch_size", "16", "--per_device_train_batch_size", str(batch)]
    with pytest.raises(UsageError, match=rf"16 is no multiple of {processes} process\(es\) × .*change one of the"):
        parse(words, processes)


def test_a_global_batch_beside_another_accumulation_is_refused():
    words = [*TINY, "--global_batch_size", "16", "--gradient_accumulation_steps", "4"]
    with pytest.raises(UsageError, match="gradient_accumulation_steps 4 with global_batch_size 16, which makes it 2"):
        parse(words)


# --- a key by two names

OLD_NAMES, BOTH_NAMES = {"gradient_checkpointing"}, {"gradient_checkpointing", "activation_checkpointing"}  # 5.17, 5.23


@pytest.mark.parametrize("given", ["gradient_checkpointing", "activation_checkpointing"])
@pytest.mark.parametrize(
    ("known", "name"), [(OLD_NAMES, "gradient_checkpointing"), (BOTH_NAMES, "activation_checkpointing")]
)
def test_checkpointing_is_called_as_the_installed_transformers_does(given, known, name):
    assert rename({given: True, "seed": 1}, known) == {name: True, "seed": 1}
    assert rename_options([f"--{given}", "true", "--seed=1"], known) == [f"--{name}", "true", "--seed=1"]
    assert rename_options([f"--{given}=true", given], known) == [f"--{name}=true", given]


def test_one_key_by_two_names_with_two_values_is_refused():
    assert rename(dict.fromkeys(BOTH_NAMES, True), BOTH_NAMES) == {"activation_checkpointing": True}
    with pytest.raises(UsageError, match="the same key by two names"):
        rename({"gradient_checkpointing": True, "activation_checkpointing": False}, BOTH_NAMES)


@pytest.mark.filterwarnings("error::FutureWarning")
@pytest.mark.parametrize("key", ["gradient_checkpointing", "activation_checkpointing", "none"])
@pytest.mark.parametrize("value", [True, False])
def test_old_and_new_recipes_checkpoint_as_they_say_and_warn_of_nothing(tmp_path, key, value):
    recipe = yaml.safe_load((ROOT / "recipes" / "tiny-llava" / "phase1.yaml").read_text(encoding="utf-8"))
    del recipe["activation_checkpointing"]
    (tmp_path / "phase1.yaml").write_text(yaml.safe_dump(recipe | ({} if key == "none" else {key: value})))
    words = ["--config", str(tmp_path / "phase1.yaml"), "--output_dir", str(tmp_path)]
    assert parse(words)[1].gradient_checkpointing == (value or key == "none")  # TRL's default is on
    for name in BOTH_NAMES:  # the command line wins, by either name
        assert parse([*words, f"--{name}", str(not value)])[1].gradient_checkpointing != value


@pytest.mark.parametrize(("bf16", "launched", "precision"), [("false", "bf16", "no"), ("true", "no", "bf16")])
def test_the_recipe_says_the_precision_whatever_the_launch_config_says(
    base, dataset, tmp_path, monkeypatch, bf16, launched, precision
):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", launched)
    _, args, _ = parse(options(1, base, dataset, tmp_path, bf16=bf16))
    assert args.mixed_precision == precision
