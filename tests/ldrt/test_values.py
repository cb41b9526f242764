"""Bad values are treated like bad keys: one line says what is taken, and the nearest; nothing of Python's types."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le

import ldrt
from ldrt.help import help_of
from ldrt.paths import check_paths


@dataclass
class Options:
    layout: Literal["geometric", "heron"] = "geometric"
    workers: Annotated[int, Ge(1), Le(64)] = 2
    timeout_s: Annotated[float, Gt(0)] = 300.0
    memory: Annotated[float, Gt(0)] | None = None
    audit: bool = field(default=False, metadata={"help": "measure", "group": "measures"})
    private: bool = True
    benchmarks: list[str] = field(default_factory=list)
    conditions: list[Literal["true", "blank"]] = field(default_factory=lambda: ["true"])
    sbatch_args: dict[str, str] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    device: str = field(default="auto", metadata={"help": "auto, cpu, cuda:1", "pattern": r"auto|cpu|cuda(:\d+)?"})
    url: str | None = field(default=None, metadata={"help": "address, http://…", "pattern": r"https?://\S+"})
    slug: str | None = field(default=None, metadata={"help": "in small letters", "pattern": "[a-z-]+"})
    name: str | None = None


def parse(*words: str) -> Options:
    return ldrt.parse(Options, list(words), prog="ldrt test")


def parse_yaml(tmp_path, text: str) -> Options:
    (tmp_path / "o.yaml").write_text(text)
    return parse("--config", str(tmp_path / "o.yaml"))


WRONG = [
    ("layout", "hron", "no 'hron', did you mean heron?; one of geometric, heron"),
    ("workers", "0", "'0': give a whole number, at least 1, at most 64"),
    ("workers", "-3", "'-3': give a whole number, at least 1"),
    ("workers", "65", "'65': give a whole number"),
    ("workers", "two", "'two': give a whole number"),
    ("workers", "1.5", "'1.5': give a whole number"),
    ("workers", "9" * 400, "give a whole number"),
    ("timeout_s", "0", "'0': give a number, above 0"),
    ("timeout_s", "nan", "'nan': give a number, above 0"),
    ("timeout_s", "inf", "'inf': give a number"),
    ("timeout_s", "-inf", "'-inf': give a number"),
    ("timeout_s", "1e999", "'1e999': give a number"),
    ("memory", "-3", "'-3': give a number, above 0"),
    ("memory", "-.5", "'-.5': give a number, above 0"),
    ("memory", "much", "'much': give a number, above 0"),
    ("audit", "ture", "'ture': give true or false, did you mean true?"),
    ("conditions", "blnak", "no 'blnak', did you mean blank?; one of true, blank"),
    ("device", "gpu", "'gpu', did you mean cpu?; it takes: auto, cpu, cuda:1"),
    ("slug", "Mine", "'Mine'; it takes: in small letters"),
    ("device", "cuda:x", "it takes: auto, cpu, cuda:1"),
]
OF_PYTHON = re.compile(r"Literal|Union|class|typing|NoneType|dict\[|list\[|int\b|float\b|invalid|expected one argument")


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_wrong_value_is_told_in_words_from_the_command_line_and_from_a_yaml(tmp_path, name, value, message):
    for given in (lambda: parse(f"--{name}", value), lambda: parse_yaml(tmp_path, f"{name}: {value}\n")):
        with pytest.raises(ldrt.UsageError) as error:
            given()
        assert name in str(error.value)
        assert message in str(error.value)
        assert not OF_PYTHON.search(str(error.value).replace(value, ""))
        assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers"], "--workers needs a value: whole number, at least 1"),
        (["--workers", "--audit"], "--workers needs a value"),
        (["--benchmarks"], "--benchmarks needs a value: words"),
        (["--name", ""], "--name is empty"),
        (["--benchmarks", "a", ""], "--benchmarks is empty"),
        (["-x"], "no option -x"),
        (["--workers.x", "1"], "no option --workers.x, did you mean --workers?"),
        (["--request", "{"], "--request '{': give JSON"),
        (["--request.stop", "{"], "--request.stop '{': give a number"),
        (["--request", "3"], """--request '3': give JSON, {"NAME": VALUE}, or --request.NAME VALUE"""),
        (["--request", "[1]"], "--request '[1]': give JSON"),
        (["--request"], """--request needs a value: JSON, {"NAME": VALUE}, or --request.NAME VALUE"""),
        (["--request.stop"], "--request.stop needs a value"),
        (["--conditions", "true,blank"], "no 'true,blank', did you mean true blank, without comma or quotes?"),
        (["--conditions", "true blank"], "no 'true blank', did you mean true blank, without comma or quotes?"),
        (["--no-audit"], "no option --no-audit, did you mean --audit false?"),
        (["--url", "http://local host"], "--url 'http://local host'; it takes: address, http://…"),
        (["stray"], "'stray' is one argument too many"),
        (["--", "--audit"], "no option --"),
    ],
)
def test_wrong_words(words, message):
    with pytest.raises(ldrt.UsageError, match=re.escape(message)):
        parse(*words)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers: [1]\n", "give a whole number"),
        ("workers: {a: 1}\n", "give a whole number"),
        ("benchmarks: {a: 1}\n", "give a list, as [A, B]"),
        ("benchmarks: [[a]]\n", "give text"),
        ("sbatch_args: a\n", "give NAME: VALUE lines"),
        ("workers: null\n", "give a whole number"),
        ("workers:\n", "workers is empty"),
        ("config: x.yaml\n", "no option 'config'"),
        ("workers: 1\naudit: true\nworkers: 2\n", "'workers' stands there twice, in lines 1 and 3"),
        ("timeout_s: 1\ntimeout-s: 2\n", "'timeout_s' stands there twice"),
        ("conditions: true, blank\n", "did you mean true blank, without comma or quotes?"),
    ],
)
def test_wrong_shapes_in_a_yaml(tmp_path, text, message):
    with pytest.raises(ldrt.UsageError, match=re.escape(message)) as error:
        parse_yaml(tmp_path, text)
    assert not OF_PYTHON.search(str(error.value))


def test_a_yaml_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build.yaml").write_text("")
    for path, why in [
        ("biuld.yaml", "No such file or directory, did you mean build.yaml?"),
        (".", "Is a directory"),
    ]:
        with pytest.raises(ldrt.UsageError, match=re.escape(f"cannot read the configuration '{path}': {why}")):
            parse("--config", path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--audit"], Options(audit=True)),
        (["--audit", "--workers", "3"], Options(audit=True, workers=3)),
        (["--audit", "true"], Options(audit=True)),
        (["--audit=no"], Options()),
        (["--private", "false"], Options(private=False)),
        (["--benchmarks", "A", "B"], Options(benchmarks=["A", "B"])),
        (["--benchmarks", "[A, B]"], Options(benchmarks=["A", "B"])),
        (["--benchmarks", "[]"], Options()),
        (["--benchmarks", "A", "--audit", "--benchmarks", "B"], Options(benchmarks=["A", "B"], audit=True)),
        (["--conditions", "blank", "true"], Options(conditions=["blank", "true"])),
        (["--timeout-s", "2"], Options(timeout_s=2.0)),
        (["--workers", "5", "--workers", "6"], Options(workers=6)),
        (
            ["--sbatch-args.account", "me", "--sbatch_args.qos=low"],
            Options(sbatch_args={"account": "me", "qos": "low"}),
        ),
        (["--request", '{"n": 2, "seed": null}'], Options(request={"n": 2, "seed": None})),
        (["--request.temperature", "null"], Options(request={"temperature": None})),
        (["--memory", "null"], Options()),
        (["--name", "-3"], Options(name="-3")),
        (["--name=--x"], Options(name="--x")),
        (["--name", "null and void"], Options(name="null and void")),
    ],
)
def test_right_words(words, expected):
    assert parse(*words) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("audit: yes\nworkers: 3\n", Options(audit=True, workers=3)),
        ("name: on\n", Options(name="on")),  # text stays the word that stands there
        ("name: 012\n", Options(name="012")),
        ("name: 2025-01-01\n", Options(name="2025-01-01")),
        ("name: 'null'\n", Options(name="null")),
        ("name: null\nmemory: ~\n", Options()),
        ("benchmarks: a\n", Options(benchmarks=["a"])),
        ("benchmarks: [a, 1]\n", Options(benchmarks=["a", "1"])),
        ("benchmarks:\n- a\n", Options(benchmarks=["a"])),
        ("request: {n: 2, stop: [a], seed: null}\n", Options(request={"n": 2, "stop": ["a"], "seed": None})),
        ("timeout-s: 1e-3\n", Options(timeout_s=0.001)),
        ("", Options()),
        ('{"workers": 4, "memory": null}', Options(workers=4)),  # as `ldrt build` writes it for SLURM
    ],
)
def test_right_yaml(tmp_path, text, expected):
    assert parse_yaml(tmp_path, text) == expected


@dataclass
class Places:
    run: str = field(metadata={"help": "run folder", "positional": True, "path": "folder"})
    dataset: str | None = field(default=None, metadata={"help": "dataset", "path": "dataset or Hub id"})
    tuned: str | None = field(default=None, metadata={"help": "tuned", "path": "checkpoint or Hub id"})
    ids: str | None = field(default=None, metadata={"help": "ids", "path": "file"})
    ratings: list[str] = field(default_factory=list, metadata={"help": "ratings", "path": "folder or file"})
    recipe: str | None = field(default=None, metadata={"help": "recipe", "path": "recipe"})
    output: str = field(default="out", metadata={"help": "folder", "path": "new folder"})
    report: str | None = field(default=None, metadata={"help": "file", "path": "new file"})
    dry_run: bool = False


def places(*words: str) -> Places:
    given = ldrt.parse(Places, list(words), prog="ldrt test")
    check_paths(given)
    return given


def test_paths_are_checked_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("runs/tuned", "owner", "adapter", "rows/data"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "adapter/adapter_config.json").write_text("{}")
    (tmp_path / "rows/data/test.parquet").touch()
    (tmp_path / "file").write_text("")
    for words, message in [
        (["runs/tunde"], "no folder 'runs/tunde', did you mean runs/tuned?; RUN: run folder"),
        (["nowhere"], "no folder 'nowhere'; RUN: run folder"),
        (["file"], "file is a file; RUN: run folder"),
        (["~/runs"], "write your home folder in full"),
        (["runs", "-o", "file"], "--output file is a file; give the name of a folder"),
        (["runs", "-o", "file/below"], "file is a file, and nothing can be written below it"),
        (["runs", "--report", "runs"], "--report runs is a folder; give the name of a file"),
        (["runs", "--dataset", "nowhere"], "there is no folder nowhere: give the dataset's folder or its Hub id"),
        (["runs", "--dataset", "./a/b"], "there is no folder ./a/b"),
        (["runs", "--dataset", "owner/x"], "there is no folder owner/x"),  # owner/ is here
        (["runs", "--dataset", "a/b/c"], "there is no folder a/b/c"),
        (["runs", "--dataset", "runs"], "runs: no dataset there (no Parquet, JSON, CSV"),
        (["x" * 5000], "no folder '…xxx"),
        (["runs", "--tuned", "nowhere"], "there is no folder nowhere: give the checkpoint's folder or its Hub id"),
        (["runs", "--tuned", "owner"], "owner: no checkpoint there (it has no config.json or adapter_config.json)"),
        (["runs", "--run", "owner"], "RUN is given twice: 'runs', and --run 'owner'"),
        (["runs", "--ids", "runs"], "runs is a folder; --ids: ids"),
        (["runs", "--ids", "flie"], "no file 'flie', did you mean file?"),
        (["runs", "--ratings", "file", "absent"], "no folder or file 'absent'"),
        (["runs", "--recipe", "recipes/tiny-llava/fase1.yaml"], "did you mean recipes/tiny-llava/phase1.yaml?"),
    ]:
        with pytest.raises(ldrt.UsageError, match=re.escape(message)) as error:
            places(*words)
        assert len(str(error.value)) < 1000
    for words in (
        ["runs"],
        ["--dry-run", "runs"],
        ["runs/tuned", "--dataset", "org/name"],
        ["runs", "--dataset", "rows"],
        ["runs", "--tuned", "org/name"],
        ["runs", "--tuned", "adapter"],
        ["runs", "-o", "new/deep"],
        ["runs", "-o", "owner"],
        ["runs", "--ids", "file", "--report", "file"],
        ["runs", "--ratings", "file", "owner"],
        ["runs", "--recipe", "file"],
        ["runs", "--recipe", "recipes/tiny-llava/phase1.yaml"],  # the project's, from any folder
    ):
        assert places(*words).run in ("runs", "runs/tuned")
    assert not (tmp_path / "new").exists()


def test_a_folder_of_ours_without_what_it_must_hold_names_the_command_that_makes_it(tmp_path, capsys):
    made = tmp_path / "made"
    made.mkdir()
    for name, line in [
        ("score", f"{made}/manifest.json is absent: run `ldrt generate --output {made}` first"),
        ("card", f"{made}/scores.json is absent: run `ldrt score {made}` first"),
        ("instruct", f"{made}/pairs is absent: run `ldrt build ARTICLES --output {made}` first"),
    ]:
        assert ldrt.main([name, str(made)]) == 2
        assert capsys.readouterr().err == f"ldrt {name}: {line}\n"
    spaced = tmp_path / "of mine"
    spaced.mkdir()
    assert ldrt.main(["card", str(spaced)]) == 2
    assert f"run `ldrt score '{spaced}'` first" in capsys.readouterr().err  # as one types it


def test_help_says_types_in_words_by_groups():
    text = help_of(Options, "Does it.\n\n    ldrt test  # an example\n", "ldrt test")
    assert "\n    ldrt test  # an example\n" in text
    for said in (
        "[one of geometric, heron; default geometric]",
        "[whole number, at least 1, at most 64; default 2]",
        "[number, above 0; default 300]",
        "[several of true, blank; default true]",
        "[words]",
        "[flag]",
    ):
        assert said in " ".join(text.split())
    assert text.index("options:") < text.index("measures:") < text.index("--audit") < text.index("always:")
    assert not OF_PYTHON.search(text)
    assert "-o, --output" in help_of(Places, None, "ldrt places")
