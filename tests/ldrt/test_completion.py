"""Completion: bash is asked as its Tab key asks it; zsh and fish where they are installed."""

import shutil
import subprocess

import pytest

import ldrt
from ldrt.completion import Options, run
from ldrt.options import options_of

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ldrt; printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "ldrt.bash"
    path.write_text(run(Options("bash")))
    return path


def complete(script, *words: str) -> list[str]:
    done = subprocess.run(["bash", "-c", ASK, "bash", script, *words], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ldrt", "bui"], ["build"]),
        (["ldrt", "help", "mer"], ["merge"]),
        (["ldrt", "build", "--lay"], ["--layout"]),
        (["ldrt", "build", "articles", "--layout", ""], ["geometric", "heron"]),
        (["ldrt", "push", "dataset", "a/b", "--policy", "non"], ["noncommercial"]),
        (["ldrt", "fetch", "--dry_run", "t"], ["true"]),
        (["ldrt", "human", "ex"], ["export"]),
        (["ldrt", "completion", ""], ["bash", "zsh", "fish"]),
        (["ldrt", "build", "artic"], []),  # a path: the shell's own completion
        (["ldrt", "nonsense", "--x"], []),
    ],
)
def test_bash_completes_commands_options_and_values(script, words, expected):
    assert complete(script, *words) == expected


def test_every_command_and_option_is_completed(script):
    import importlib

    assert set(ldrt.STAGES) <= set(complete(script, "ldrt", ""))
    for name, stage in ldrt.STAGES.items():
        options = options_of(importlib.import_module(stage.module).Options)
        named = {f"--{option.name}" for option in options.values() if not option.takes_rest}
        assert named <= set(complete(script, "ldrt", name, "--"))


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_every_command(shell, capsys, tmp_path):
    assert ldrt.main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ldrt.STAGES)
    if shutil.which(shell):
        (tmp_path / "script").write_text(text)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True)
