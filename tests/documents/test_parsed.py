"""Every command of every document is one that the real parser takes, with every option and value.

Whether the paths are there is not asked: `test_run.py` makes them by the documents' own commands.
"""

import dataclasses
import importlib
import importlib.util
import re

import pytest

import ldrt
from tests.documents.commands import ROOT, Command, documents, mentioned, typed
from trust.errors import UsageError

DOCUMENTS = documents()
# Programs of others that documents name: what becomes of them is not ours to test here.
OTHERS = {"accelerate", "bash", "cat", "cp", "docker", "export", "git", "hf", "llama-server", "ollama", "sbatch"}
OTHERS |= {"source", "transformers", "uv", "vllm"}
PLACEHOLDERS = ("accelerate_configs/X.yaml",)


def test_documents_are_found():
    assert {"README.md", "docs/first-hour.md", "recipes/README.md", "recipes/SERVING.md"} <= set(DOCUMENTS)
    assert len([command for document in DOCUMENTS for command in typed(document)]) > 60
    assert len([command for document in DOCUMENTS for command in mentioned(document)]) > 60


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_shell_block_is_right(document):
    for command in typed(document):
        check(command)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_in_sentences_and_tables_is_right_as_far_as_it_goes(document):
    for command in mentioned(document):
        text = re.sub(r"\[[^]]*\]|…|\.\.\.", "", command.text)  # [what may be added], and so on
        try:
            check(dataclasses.replace(command, text=re.sub(r"\bN\b", "1", text)))
        except UsageError as error:
            if not re.match(r"missing |--\w+ needs a value", str(error)):  # a mention need not be whole
                raise AssertionError(f"{command}: {error}") from error


@pytest.mark.parametrize(
    "wrong",
    ["ldrt biuld articles", "ldrt build articles --output x --test_sise 3", "ldrt build articles --test_size many"]
    + ["make dmeo", "python -m tests.nothing", "python -m pytest tests/nothing", "frobnicate x"],
)
def test_a_wrong_command_is_found(wrong):
    with pytest.raises((AssertionError, UsageError, KeyError)):
        check(Command("x.md", wrong))


def check(command: Command) -> None:
    """Raises UsageError or AssertionError for a command that cannot be typed."""
    program, *words = [word for word in command.words if not re.fullmatch(r"[A-Z_]+=\S*", word)]
    program = program.removeprefix(".venv/bin/")
    if program == "ldrt":
        check_ldrt(words, command)
    elif program == "make":
        targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
        assert {word for word in words if "=" not in word} <= targets, command
    elif program in ("python", "pytest", "pip"):
        check_python(program, words, command)
    else:
        assert program in OTHERS, command


def check_ldrt(words: list[str], command: Command) -> None:
    if words[0].startswith("-"):
        assert words[0] in ("--help", "--version"), command
        return
    if words[0] in ("help", "completion"):
        return
    name, *options = words
    assert name in ldrt.STAGES, command
    if "--help" in options:
        return
    stage = importlib.import_module(ldrt.STAGES[name].module)
    made = ldrt.parse(stage.Options, options, prog=f"ldrt {name}")
    rest = [field.name for field in dataclasses.fields(stage.Options) if field.metadata.get("rest")]
    if rest:  # what is no option is the recipe's
        check_recipe(getattr(made, rest[0]), command)
    for word in options:
        check_file(word, command)


def check_recipe(words: list[str], command: Command) -> None:
    from recipes.keys.check import all_fields, check_options

    assert check_options(words, all_fields(), {}) is not None, command


def check_python(program: str, words: list[str], command: Command) -> None:
    """A module can be imported, code compiles, and the files that are named are there."""
    if words[0] == "-c":
        compile(words[1], str(command), "exec")
        return
    if program == "python" and words[:1] == ["-m"] and words[1] not in ("pip", "venv"):
        assert importlib.util.find_spec(words[1]), command
    for word in words:
        check_file(word, command)


def check_file(word: str, command: Command) -> None:
    """A path that begins with a folder of the project is there."""
    folders = "accelerate_configs|dataset_builder|evaluation|model_cards|recipes|tests|trust|verification"
    if re.fullmatch(rf"({folders})/[\w./-]*", word):
        assert (ROOT / word).exists() or word in PLACEHOLDERS, command
