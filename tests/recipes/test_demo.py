"""`ldrt demo`: which steps there are, with a judge and without; what it says of the judge."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import ldrt
from evaluation import run_folder, score
from recipes import demo, small_llm
from tests import processes
from tests.evaluation.runs import judge_run, make_run, read_records

ROOT = Path(__file__).parents[2]
OUT = Path("my demo")


def commands(judge: str | None) -> list[str]:
    return [" ".join(words[:3]) for words in demo._steps(OUT, "llava", judge)]


def test_without_a_judge_nothing_is_judged():
    assert not [command for command in commands(None) if "judge" in command]


def test_a_judge_grades_both_runs_before_they_are_scored():
    steps = demo._steps(OUT, "llava", "http://127.0.0.1:1/v1")
    named = [(words[1], words[2]) for words in steps if words[0] == "ldrt"]
    runs = [str(OUT / "runs" / name) for name in ("base", "tuned")]
    order = [named.index((command, run)) for command in ("judge", "score") for run in runs]
    assert order == sorted(order)
    assert [step for step in commands("http://127.0.0.1:1/v1") if "judge" not in step] == commands(None)


@pytest.mark.parametrize("judge", [None, "http://127.0.0.1:1/v1"])
def test_every_step_is_a_command_that_is_accepted(judge):
    import importlib

    for words in demo._steps(OUT, "llava", judge):
        if words[0] == "ldrt":
            stage = importlib.import_module(ldrt.STAGES[words[1]][0])
            ldrt.parse(stage.Options, words[2:], prog="ldrt")


def test_a_step_that_fails_is_named_with_its_status(tmp_path, capfd):
    words = ["ldrt", "score", str(tmp_path / "no run")]
    with pytest.raises(RuntimeError, match=r"step `ldrt score .*no run` failed \(exit status 2\)"):
        demo._run(words, multiprocessing.get_context("spawn"))
    assert "ldrt score: " in capfd.readouterr().err


WITH_ONE_STEP = """
import sys
import ldrt
from recipes import demo

demo._IMPORTED_ONCE, demo._STEPS = [], "python {out}/step.py {out}/begun"
sys.exit(ldrt.main(["demo", "--output", sys.argv[1]]))
"""
STEP = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("to_the_group", [True, False])  # a terminal's Ctrl-C; a signal to the demo alone
def test_ctrl_c_ends_the_step_and_is_said_once(tmp_path, to_the_group):
    (tmp_path / "step.py").write_text(STEP)
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "truth.jsonl").touch()
    with (tmp_path / "err").open("w") as err:
        command = [sys.executable, "-c", WITH_ONE_STEP, str(tmp_path)]
        process = subprocess.Popen(command, cwd=ROOT, stderr=err, start_new_session=True, preexec_fn=hear_ctrl_c)
        begun = tmp_path / "begun"
        assert processes.wait(process, until=lambda: begun.exists() and begun.read_text() != "") is None
        send = os.killpg if to_the_group else os.kill
        send(process.pid, signal.SIGINT)
        assert processes.wait(process) == 130
    assert (tmp_path / "err").read_text() == "ldrt demo: stopped; run the same command again to continue\n"
    assert not psutil.pid_exists(int(begun.read_text()))


def hear_ctrl_c() -> None:
    """A shell's background jobs, and what they start, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def scored(folder: Path, points: dict[str, float | None]) -> None:
    """A judged run whose judge gives these points to the controls of that name (None: no score)."""
    judge_run(make_run(folder, "tuned", 0.5), small_llm.MODEL)
    records = read_records(folder, run_folder.JUDGEMENTS)
    for record in records:
        if record["control"] in points:
            record["score"] = points[record["control"]]
            record["status"] = "truncated" if record["score"] is None else "ok"
    write(folder, records)
    score.run(score.Options(str(folder)))


def write(folder: Path, records: list[dict]) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (folder / run_folder.JUDGEMENTS).write_text(lines, encoding="utf-8")


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({}, "passes its controls"),
        ({"reference": 2.0}, "FAILS its controls (reference)"),
        ({"reference": 2.0, "empty": 9.0}, "FAILS its controls (reference, empty)"),
        ({"shuffled": None}, "gave no score to its controls (shuffled)"),
    ],
)
@pytest.mark.parametrize("where", ["base", "tuned"])
def test_what_is_said_of_the_judge(points, said, where, tmp_path):
    for name in ("base", "tuned"):
        scored(tmp_path / name, points if name == where else {})
    assert said in demo._what_judged(tmp_path)


def test_that_there_was_no_judge_is_said_with_how_to_have_one(tmp_path):
    for name in ("base", "tuned"):
        score.run(score.Options(str(make_run(tmp_path / name, name, 0.5))))
    assert small_llm.HOW_TO_INSTALL in demo._what_judged(tmp_path)
