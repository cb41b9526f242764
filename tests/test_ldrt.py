"""The console command: parsing, errors, exit status."""

import dataclasses
import importlib
import importlib.metadata
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
        (["a"], "missing output"),
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


def test_a_failing_stage_prints_one_line_and_a_traceback_only_when_asked(capsys, tmp_path):
    argv = ["build", str(tmp_path / "nowhere"), "--output", str(tmp_path / "out")]
    assert ldrt.main(argv) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert ldrt.main([*argv, "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("name", ldrt.STAGES)
def test_every_stage_explains_each_of_its_options(name, capsys):
    stage = importlib.import_module(ldrt.STAGES[name][0])
    assert all(f.metadata.get("help") for f in dataclasses.fields(stage.Options)), "an option without help"
    with pytest.raises(SystemExit) as done:
        ldrt.main([name, "--help"])
    assert done.value.code == 0
    assert f"usage: ldrt {name}" in capsys.readouterr().out


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
    heavy = "{'torch', 'datasets', 'jsonargparse'}"
    code = f"import sys, ldrt; ldrt.main(['--help']); print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.endswith("[]\n")
