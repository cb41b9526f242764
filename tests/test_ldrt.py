"""The console command: parsing, errors, exit status."""

import dataclasses
import importlib
import importlib.metadata
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Literal

import pytest

import ldrt


@dataclass
class Options:
    articles: str = field(metadata={"help": "folder", "positional": True})
    output: str = field(metadata={"help": "folder"})
    layout: Literal["geometric", "heron"] = "geometric"
    limit: int | None = None
    tasks: list[str] = field(default_factory=list)


def parse(*argv: str) -> Options:
    return ldrt.parse(Options, list(argv), prog="ldrt test")


def test_defaults_yaml_and_command_line_override_one_another_in_this_order(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("articles: a\noutput: b\nlimit: 3\n")
    assert parse("--config", str(config)) == Options("a", "b", limit=3)
    assert parse("other", "--config", str(config), "--limit", "5") == Options("other", "b", limit=5)
    assert parse("a", "--output=b", "--tasks", "[detail,reasoning]").tasks == ["detail", "reasoning"]


@pytest.mark.parametrize(
    ("argv", "tasks"),
    [
        (["--tasks", "detail"], ["detail"]),
        (["--tasks", "detail", "--limit", "3", "--tasks=10.1000/a: b"], ["detail", "10.1000/a: b"]),
        (["--tasks", "[detail, reasoning]"], ["detail", "reasoning"]),
        (["--tasks=[]"], []),
        (["--tasks", "007", "--tasks", "true"], ["007", "true"]),
    ],
)
def test_a_list_of_texts_is_given_by_its_option_once_a_text(argv, tasks):
    assert parse("a", "--output", "b", *argv).tasks == tasks


@dataclass
class Several:
    action: str = field(metadata={"help": "what to do", "positional": True})
    runs: list[str] = field(metadata={"help": "run folders", "positional": True})
    output: str = "out"


def test_the_last_positional_takes_all_words_where_it_is_a_list(tmp_path):
    def parse(*argv):
        return ldrt.parse(Several, list(argv), prog="ldrt test")

    assert parse("export", "a b", 'c"', "--output", "x") == Several("export", ["a b", 'c"'], "x")
    assert parse("export", "one") == Several("export", ["one"])
    with pytest.raises(ldrt.UsageError, match="missing runs"):
        parse("export")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["a", "--output", "b", "--layot", "heron"], "no option --layot, did you mean --layout?"),
        ([], "missing articles, output"),
        (["a"], "missing output"),
        (["--config"], "--config needs a value: file"),
        (["a", "b", "--output", "c"], "'b' is one argument too many"),
        (["a", "--output", "b", "--layout", "hron"], "layout"),
        (["a", "--output", "b", "--limit", "many"], "limit"),
        (["--config", "nowhere.yaml"], "cannot read the configuration 'nowhere.yaml'"),
    ],
)
def test_wrong_usage_names_the_mistake(argv, message):
    with pytest.raises(ldrt.UsageError, match=message.replace("?", r"\?")):
        parse(*argv)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("artcles: a\n", "no option 'artcles', did you mean articles?"),
        ("articles: [a\n", "cannot read the configuration"),
        ("- a\n", "expected `key: value` lines"),
        ("articles: a\noutput: b\nlimit: many\n", "limit"),
    ],
)
def test_a_wrong_yaml_names_the_mistake(tmp_path, text, message):
    config = tmp_path / "c.yaml"
    config.write_text(text)
    with pytest.raises(ldrt.UsageError) as error:
        parse("--config", str(config))
    assert message in str(error.value)


def test_an_unknown_command_is_wrong_usage(capsys):
    assert ldrt.main(["biuld"]) == 2
    assert capsys.readouterr().err == "ldrt biuld: no command 'biuld', did you mean build?; `ldrt --help` lists them\n"


def test_a_failing_stage_prints_one_line_and_a_traceback_only_when_asked(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LDRT_DEBUG", "")  # so that what --debug leaves there is taken back
    monkeypatch.delenv("LDRT_DEBUG")
    argv = ["build", str(tmp_path), "--output", str(tmp_path / "out")]
    assert ldrt.main(argv) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert ldrt.main([*argv, "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("name", ldrt.STAGES)
def test_every_stage_explains_each_of_its_options(name, capsys):
    stage = importlib.import_module(ldrt.STAGES[name].module)
    assert all(f.metadata.get("help") for f in dataclasses.fields(stage.Options)), "an option without help"
    assert ldrt.main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: ldrt {name}")
    assert stage.__doc__.strip() in said  # its examples on their lines
    assert ldrt.main(["help", name]) == 0
    assert capsys.readouterr().out == said


def test_the_version_is_the_installed_one(capsys):
    assert ldrt.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ldrt-vlm {importlib.metadata.version('ldrt-vlm')}\n"


def test_a_checkout_that_is_not_installed_says_so(capsys, monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert ldrt.main(["--version"]) == 0
    assert capsys.readouterr().out == "ldrt-vlm, not installed\n"


def test_help_imports_no_stage():
    heavy = "{'torch', 'datasets', 'yaml', 'dataset_builder.build'}"
    code = f"import sys, ldrt; ldrt.main(['--help']); print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.endswith("[]\n")


@pytest.mark.parametrize("words", [["help", "build"], ["--help", "build"], ["build", "-h"], ["build", "x", "--help"]])
def test_help_is_asked_for_in_any_way_and_on_any_terminal(words):
    for encoding in ("utf-8", "ascii", "latin-1"):
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        command = [sys.executable, "-m", "ldrt", *words]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(b"usage: ldrt build ARTICLES --output FOLDER [options]")


def test_help_for_a_command_that_is_none_names_the_nearest(capsys):
    assert ldrt.main(["help", "biuld"]) == 2
    assert "no command 'biuld', did you mean build?" in capsys.readouterr().err


def piped(command, *words, reads=0):
    """(exit status of `ldrt WORDS`, its errors) where the reader of its output goes after `reads` bytes."""
    with subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(reads)
        process.stdout.close()
        errors = process.stderr.read().decode()
    return process.returncode, errors


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["judge", "--help"], ["build", "--help"]])
def test_a_reader_that_goes_is_no_error(words):
    assert piped([sys.executable, "-m", "ldrt"], *words) == (0, "")


STAGE = """
import sys, types, ldrt
from dataclasses import dataclass
stage = types.ModuleType("stage")
stage.Options = dataclass(type("Options", (), {}))
def run(options):
    BODY
    return "summary " * 100_000
stage.run = run
sys.modules["stage"] = stage
ldrt.STAGES["stage"] = ldrt.stages.Stage("stage", "")
sys.exit(ldrt.main(["stage"]))
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("pass", (0, "")),  # done, and only the summary is lost
        ("[print('progress ' * 1000, flush=True) for _ in range(100)]", (141, "")),
        ("raise BrokenPipeError(32, 'of a worker')", (1, "ldrt stage: [Errno 32] of a worker\n")),
    ],
)
def test_a_stage_is_not_done_because_its_reader_has_gone(body, expected):
    reads = 0 if "worker" not in body else -1
    assert piped([sys.executable, "-c", STAGE.replace("BODY", body)], reads=reads) == expected
