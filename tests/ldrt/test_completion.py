"""Completion: bash is asked as its Tab key asks it; zsh and fish where they are installed."""

import os
import pty
import select
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
CLEAR = b"\x15"  # Ctrl-U


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
        (["ldrt", "train", "--learning_"], ["--learning_rate"]),
        (["ldrt", "train", "--trainable", "p"], ["projector"]),
        (["ldrt", "plan", "--lr_scheduler_type", "cosine_with_r"], ["cosine_with_restarts"]),
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


ASKED = [
    ("ldrt bui", "build"),
    ("ldrt help mer", "merge"),
    ("ldrt build --lay", "--layout"),
    ("ldrt train --learning_", "--learning_rate"),
    ("ldrt plan --lr_scheduler_type cosine_with_r", "cosine_with_restarts"),
    ("ldrt judge --image_conditions shuf", "shuffled"),
    ("ldrt human ex", "export"),
]


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")
@pytest.mark.parametrize(("line", "expected"), ASKED)
def test_fish_completes(line, expected, tmp_path):
    (tmp_path / "ldrt.fish").write_text(run(Options("fish")))
    command = ["fish", "--no-config", "-c", f"source ldrt.fish; complete -C '{line}'"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [found.split("\t")[0] for found in done.stdout.splitlines()] == [expected]


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh here")
def test_zsh_completes_at_its_prompt_more_than_once(tmp_path):
    (tmp_path / "_ldrt").write_text(run(Options("zsh")))
    terminal, of_shell = pty.openpty()
    environment = os.environ | {"TERM": "dumb", "HOME": str(tmp_path)}
    started = {"stdin": of_shell, "stdout": of_shell, "stderr": of_shell, "start_new_session": True}
    with subprocess.Popen(["zsh", "-f", "-i"], cwd=tmp_path, env=environment, **started) as shell:
        try:
            os.write(terminal, b"fpath+=$PWD; autoload -U compinit; compinit -u; echo re''ady\n")
            read_until(terminal, "ready")
            for line, expected in ASKED:
                os.write(terminal, f"{line}\t".encode())
                read_until(terminal, f"{line.rpartition(' ')[0]} {expected} ")
                os.write(terminal, CLEAR)
        finally:
            shell.kill()


def read_until(terminal: int, text: str) -> None:
    """Read what a terminal shows until the text is there; a shell that never shows it fails after a minute."""
    seen = ""
    while text not in seen:
        assert select.select([terminal], [], [], 60)[0], seen
        seen += os.read(terminal, 4096).decode()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_every_command(shell, capsys, tmp_path):
    assert ldrt.main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ldrt.STAGES)
    if shutil.which(shell):
        (tmp_path / "script").write_text(text)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True)
