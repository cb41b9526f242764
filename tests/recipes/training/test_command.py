"""How a phase was started: what of the command line is kept, and in which words."""

import pytest

from recipes.project_files import ROOT
from recipes.training.command import describe_command, launch_options

RECIPE = "recipes/tiny-llava/phase1.yaml"
PYTHON, SFT = "/home/me/.venv/bin/python", "recipes/sft.py"


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ([PYTHON, "/home/me/.venv/bin/accelerate", "launch", SFT, "--seed", "1"], []),
        (
            [PYTHON, "-m", "accelerate.commands.accelerate_cli", "launch", "--config_file", "my/own.yaml", SFT],
            ["--config_file", "my/own.yaml"],
        ),
        ([PYTHON, "-m", "accelerate.commands.launch", "--num_processes=4", SFT], ["--num_processes", "4"]),
        (
            ["/usr/bin/accelerate-launch", "--config_file", f"{ROOT}/accelerate_configs/ddp.yaml", "--multi_gpu", SFT],
            ["--config_file", "accelerate_configs/ddp.yaml", "--multi_gpu"],
        ),
        (
            [
                "accelerate",
                "launch",
                "--main_process_ip",
                "10.0.0.7",
                "--machine_rank",
                "1",
                "--num_machines",
                "2",
                SFT,
            ],
            ["--num_machines", "2"],
        ),
        ([PYTHON, SFT, "--config", RECIPE], None),
        (["torchrun", "--nproc_per_node", "2", SFT], None),
        ([PYTHON, "launch", "rocket.py"], None),
        (["bash", "-c", f"accelerate launch {SFT}"], None),
        ([], None),
    ],
)
def test_the_launch_is_read_from_the_line_that_made_it(line, options):
    assert launch_options(line) == options


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([], []),
        (["--seed", "1", "--bf16=false"], ["--seed", "1", "--bf16", "false"]),
        (["--output_dir", "/home/me/x", "--dataset_name", "d", "--model_name_or_path=m", "--report_to", "wandb"], []),
        (["--run_name", "secret", "--max_steps", "2"], ["--max_steps", "2"]),
        (
            ["--chat_template_path", f"{ROOT}/recipes/templates/vicuna_v1.jinja"],
            ["--chat_template_path", "recipes/templates/vicuna_v1.jinja"],
        ),
    ],
)
def test_options_beside_a_recipe_of_the_project(given, kept):
    found = describe_command(["--config", str(ROOT / RECIPE), *given])
    assert (found["recipe"], found["options"]) == (["--config", RECIPE], kept)


def test_of_a_recipe_of_ones_own_the_settings_are_kept(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "learning_rate: 1.0e-3\nbf16: true\noutput_dir: /home/me\nreport_to: none\nlora_target: [a, b]\nx:\n"
    )
    found = describe_command(["--config", str(own), "--seed", "4"])
    assert found["recipe"] == []
    settings = ["--learning_rate", "0.001", "--bf16", "true", "--lora_target", "a", "b"]
    assert found["options"] == [*settings, "--seed", "4"]
    assert str(tmp_path) not in str(found)
