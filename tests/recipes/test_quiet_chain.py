"""A chain of stages as a user types it: on stderr bars and nothing else; its end says what to open and what is next.

`ldrt train`, which comes before it, is in test_train.py.
"""

import os
import re
import subprocess
import sys

import pytest

import ldrt
from tests.recipes.conftest import ROOT

BAR = re.compile(r"[\w ]+: +\d+/\d+ [\w-]+ in [\d:]+, .* left, .*|")
OF_LIBRARIES = re.compile(r"warning|deprecat|\[(INFO|WARNING|ERROR)\]|UserWarning|Setting accelerator", re.I)


def typed(*words: object, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ldrt", *map(str, words)]
    settings = {key: value for key, value in os.environ.items() if key not in ("LDRT_DEBUG", "PYTHONWARNINGS")}
    settings |= {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"} | environment
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False)


def quiet(*words: object) -> str:
    """What the command says on stdout, after a look at what it must not say."""
    done = typed(*words)
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if not BAR.fullmatch(line.strip())], done.stderr
    assert not OF_LIBRARIES.search(done.stdout), done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def chain(base, dataset, phase2, tmp_path_factory):
    """What each stage says in a process of its own; the base model's run, to compare with, is made in this one."""
    out = tmp_path_factory.mktemp("chain")
    run, tuned = out / "runs" / "base", out / "runs" / "tuned"
    asked = ["--dataset", dataset, "--split", "validation", "--tasks", "detail", "--limit", "2", "--device", "cpu"]
    for words in (["generate", "--model", base, *asked, "-o", run], ["score", run]):
        assert ldrt.main([*map(str, words)]) == 0
    return {
        "folder": out,
        "merge": quiet("merge", phase2, "-o", out / "tuned"),
        "generate": quiet("generate", "--model", out / "tuned", *asked, "-o", tuned),
        "score": quiet("score", tuned),
        "compare": quiet("compare", run, tuned),
        "card": quiet("card", tuned),
    }


def test_each_stage_says_what_is_next(chain):
    for name, said in chain.items():
        if name != "folder":
            assert re.fullmatch(r"next: ldrt \w+ .*", said.splitlines()[-1]), name


def test_long_tables_are_files_that_the_end_names(chain):
    out = chain["folder"]
    for name, file in [("score", "scores.txt"), ("compare", "comparison.txt")]:
        (path,) = re.findall(rf"open: (\S*tuned/{file})", chain[name])
        full = (out / "runs" / "tuned" / file).read_text()
        assert path == str(out / "runs" / "tuned" / file)
        assert " detail " in full
        assert " detail " not in chain[name]  # of all tasks together alone
        assert "rougeL" in chain[name]


def test_with_debug_the_libraries_are_heard(tmp_path):
    """By a stage that warns, as a library does."""
    code = (
        "import sys, types, warnings, logging, ldrt\n"
        "from dataclasses import dataclass\n"
        "stage = types.ModuleType('stage')\n"
        "stage.Options = dataclass(type('Options', (), {}))\n"
        "def run(options):\n"
        "    warnings.warn('old', FutureWarning)\n"
        "    logging.getLogger('library').warning('note')\n"
        "    return 'done'\n"
        "stage.run = run\n"
        "sys.modules['stage'] = stage\n"
        "ldrt.STAGES['stage'] = ldrt.stages.Stage('stage', '')\n"
        "sys.argv[1:] = ['stage', *sys.argv[1:]]\n"
        "sys.exit(ldrt.main())\n"
    )
    heard = {}
    for words in ((), ("--debug",)):
        command = [sys.executable, "-c", code, *words]
        settings = {key: value for key, value in os.environ.items() if key not in ("LDRT_DEBUG", "PYTHONWARNINGS")}
        settings |= {"PYTHONPATH": str(ROOT)}
        heard[words] = subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stderr
    assert heard[()] == ""
    assert "FutureWarning: old" in heard["--debug",]
    assert "note" in heard["--debug",]
