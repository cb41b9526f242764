"""A recipe's keys and values: what is wrong is one line that names the nearest, and what is right passes."""

import pytest

from recipes.keys.check import check_launch, check_recipe
from recipes.keys.recipe import DPO_KEYS, SFT_KEYS
from tests.recipes.conftest import ROOT
from trust.errors import UsageError

TINY = ["--config", str(ROOT / "recipes/tiny-llava/phase1.yaml")]
RECIPES = sorted([*ROOT.glob("recipes/*/phase*.yaml"), *ROOT.glob("recipes/*/dpo.yaml")])
WORDS = [
    ("--learning_rat 1e-4", "no key 'learning_rat', did you mean learning_rate?"),
    ("--learning_rate", "--learning_rate needs a value: number, at least 0"),
    ("--learning_rate 1 2", "--learning_rate takes one value, not 2: 1 2"),
    ("--learning_rate fast", "--learning_rate 'fast': give a number, at least 0"),
    ("--learning_rate=-1", "--learning_rate '-1': give a number, at least 0"),
    ("--num_train_epochs three", "--num_train_epochs 'three': give a number, above 0"),
    ("--num_train_epochs nan", "'nan': give a number, above 0"),
    ("--lr_scheduler_type cosin", "--lr_scheduler_type: no 'cosin', did you mean cosine?"),
    ("--bf16 maybe", "--bf16 'maybe': give true or false"),
    ("--lora_dropout 1", "--lora_dropout '1': give a number, at least 0, below 1"),
    ("--lora_target_modules", "--lora_target_modules needs a value: words"),
    ("--report_to trackoi", "--report_to: no 'trackoi', did you mean trackio?"),
    ("--dtype float16", "--dtype: no 'float16', did you mean bfloat16?; one of float32, bfloat16"),
    ("--max_steps 0", "--max_steps 0 trains nothing"),
    ("--max_steps -3", "--max_steps '-3': give a whole number, at least -1"),
    ("--train_article_share 1.5", "'1.5': give a number, above 0, at most 1"),
    ("--warmup_ratio 0.03", "warmup_ratio is not for this script: use warmup_steps"),
    ("-learning_rate 1", "'-learning_rate' is no option, did you mean --learning_rate?"),
]
LINES = [
    ("lerning_rate: 1.0e-4", "recipe.yaml: no key 'lerning_rate', did you mean learning_rate?"),
    ("bf16: maybe", "recipe.yaml: bf16 'maybe': give true or false"),
    ("max_steps: 1.5", "recipe.yaml: max_steps '1.5': give a whole number"),
    ("learning_rate: [1, 2]", "recipe.yaml: learning_rate \"['1', '2']\": give a number"),
    ("learning_rate:", "recipe.yaml: learning_rate is empty: give a number"),
    ("save_strategy: no", "recipe.yaml: save_strategy: YAML reads no as false: write it in quotes"),
    ("save_strategy: stesp", "recipe.yaml: save_strategy: no 'stesp', did you mean steps?"),
    ("seed: 1\nseed: 2", "recipe.yaml: 'seed' stands there twice, in lines 1 and 2"),
    ("- seed", "recipe.yaml: expected `key: value` lines"),
    ("seed: 1", "missing trainable, dataset_name, dataset_config, model_name_or_path, output_dir"),
]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_recipe_passes(path):
    check_launch(path, ["--gradient_checkpointing", "--activation_checkpointing=true", "--report_to", "none"])


@pytest.mark.parametrize(("words", "message"), WORDS)
def test_a_wrong_option_is_one_line(words, message):
    with pytest.raises(UsageError) as error:
        check_recipe([*TINY, *words.split()], SFT_KEYS)
    assert message in str(error.value)


@pytest.mark.parametrize(("text", "message"), LINES)
def test_a_wrong_line_of_the_yaml_is_one_line(tmp_path, text, message):
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(UsageError) as error:
        check_recipe(["--config", str(tmp_path / "recipe.yaml")], SFT_KEYS)
    assert message in str(error.value)


@pytest.mark.parametrize("line", ["save_strategy: 'no'", "max_length: null", "report_to: [trackio, wandb]", "bf16: on"])
def test_a_right_line_passes(tmp_path, line):
    text = (ROOT / "recipes/tiny-llava/phase1.yaml").read_text()
    kept = [old for old in text.splitlines() if not old.startswith(line.partition(":")[0])]
    (tmp_path / "recipe.yaml").write_text("\n".join([*kept, line]))
    check_recipe(["--config", str(tmp_path / "recipe.yaml")], SFT_KEYS)


def test_each_script_has_its_own_keys():
    with pytest.raises(UsageError, match="no key 'beta'"):
        check_recipe([*TINY, "--beta", "0.1"], SFT_KEYS)
    with pytest.raises(UsageError, match="train_template_path is not for this script: pairs are answers"):
        check_launch(ROOT / "recipes/tiny-llava/dpo.yaml", ["--train_template_path", "x.jinja"])
    with pytest.raises(UsageError, match="no 'lora'; one of preference"):
        check_recipe(["--trainable", "lora"], DPO_KEYS)
