"""Which words of a command that a checkpoint's lineage tells come onto a card."""

import pytest

from trust.command_words import is_launch, is_recipe, is_settings, options_of


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], []),
        (["--seed", "1", "--bf16=false", "--cpu"], [("seed", ["1"]), ("bf16", ["false"]), ("cpu", [])]),
        (["--targets", "a", "b"], [("targets", ["a", "b"])]),
        (["rm", "--seed", "1"], [("", ["rm"]), ("seed", ["1"])]),
    ],
)
def test_options_and_their_values(words, options):
    assert list(options_of(words)) == options


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        (is_launch, []),
        (is_launch, ["--config_file", "accelerate_configs/zero3.yaml", "--num_processes", "4"]),
        (is_launch, ["--multi_gpu"]),
        (is_settings, []),
        (is_settings, ["--learning_rate", "2e-05", "--bf16", "true", "--lora_target_modules", "q_proj", "v_proj"]),
        (is_settings, ["--data_seed", "-1", "--chat_template_path", "recipes/templates/vicuna_v1.jinja"]),
        (is_recipe, []),
        (is_recipe, ["--config", "recipes/llava-v1.5-13b/phase1.yaml"]),
    ],
)
def test_settings_of_a_training_are_let_through(judge, words):
    assert judge(words)


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        (is_launch, ["--module", "os"]),
        (is_launch, ["--main_process_ip", "10.0.0.1"]),
        (is_launch, ["--config_file", "/etc/passwd"]),
        (is_launch, ["--config_file", "../../evil.yaml"]),
        (is_launch, ["evil.py"]),
        (is_settings, ["--output_dir", "here"]),
        (is_settings, ["--output_dir=here"]),
        (is_settings, ["--hub_token", "x"]),
        (is_settings, ["--push_to_hub", "true"]),
        (is_settings, ["--model_name_or_path", "evil/model"]),
        (is_settings, ["--trust_remote_code", "true"]),
        (is_settings, ["--chat_template_path", "/home/me/.ssh/id_rsa"]),
        (is_settings, ["--chat_template_path", "http://evil.example/x"]),
        (is_settings, ["--seed", "-x"]),
        (is_settings, ["; rm -r x"]),
        (is_settings, ["--seed; rm", "1"]),
        (is_recipe, ["--config", "own.yaml"]),
        (is_recipe, ["--config", "recipes/../../x.yaml"]),
        (is_recipe, ["--config", "recipes/a.yaml", "--output_dir", "x"]),
        (is_recipe, ["--config=recipes/a.yaml"]),
    ],
)
def test_anything_else_is_not(judge, words):
    assert not judge(words)
