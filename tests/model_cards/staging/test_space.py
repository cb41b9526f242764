import ast
import configparser
import re
import socket
import sys
from pathlib import Path

import pytest
import yaml

from model_cards.staging import space
from model_cards.staging.space import GRADIO, PROJECT, SOURCES, Shown, shown_of, space_files
from tests.model_cards.test_publish import checkpoint_template, dry, run_folder  # noqa: F401 - fixtures

COMMIT = "0123456789" * 4
MANIFEST = {"lineage": None, "adapter_of": None, "generation": {"max_new_tokens": 64}}
MANIFEST |= {"dataset": "lab/figures", "dataset_revision": COMMIT}


@pytest.fixture
def files(tmp_path):
    shown = Shown("lab/model", COMMIT, "llava-hf/llava-1.5-7b-hf", COMMIT, "lab/figures", COMMIT, 64)
    return {name: path.read_text(encoding="utf-8") for name, path in space_files(shown, tmp_path).items()}


@pytest.mark.parametrize(
    ("lineage", "adapter_of", "dataset", "expected"),
    [
        (("llava-hf/llava", COMMIT), None, ("lab/figures", COMMIT), ("llava-hf/llava", "lab/figures")),
        (("llava", "sha256:" + "0" * 64), None, ("figures", "sha256:" + "0" * 64), (None, None)),
        (("/home/me/llava", COMMIT), None, ("../figures", COMMIT), (None, None)),
        (("llava-hf/llava", None), None, ("lab/figures", None), (None, None)),
        (("a/b/c", COMMIT), None, ("lab/figures", f"{COMMIT},{COMMIT}"), (None, None)),
        (None, ("llava-hf/llava", COMMIT), ("lab/figures", COMMIT), ("llava-hf/llava", "lab/figures")),
        (('a"b/c\n', COMMIT), None, ("lab/figures\n", COMMIT), (None, None)),
        (None, None, ("lab/figures", COMMIT), (None, "lab/figures")),
    ],
)
def test_a_space_shows_only_what_is_on_the_hub_at_a_commit(lineage, adapter_of, dataset, expected):
    manifest = {**MANIFEST, "dataset": dataset[0], "dataset_revision": dataset[1]}
    if lineage:
        manifest["lineage"] = {"base_model": lineage[0], "base_revision": lineage[1], "phases": [{}]}
    if adapter_of:
        manifest["adapter_of"] = {"model": adapter_of[0], "revision": adapter_of[1]}
    shown = shown_of(manifest, "lab/model")
    assert (shown.base, shown.dataset, shown.max_new_tokens) == (*expected, 64)
    assert [shown.base_revision, shown.dataset_revision] == [COMMIT if name else None for name in expected]


def test_the_questions_of_a_benchmark_are_no_examples():
    assert shown_of(MANIFEST | {"benchmark": {"name": "vqa-rad"}}, "lab/model").dataset is None


def test_the_front_matter_is_what_the_hub_starts_a_space_by(files):
    front = yaml.safe_load(files["README.md"].split("---")[1])
    assert (front["sdk"], front["sdk_version"], front["app_file"]) == ("gradio", GRADIO, "app.py")
    assert (front["models"], front["datasets"]) == (["lab/model", "llava-hf/llava-1.5-7b-hf"], ["lab/figures"])
    assert len(front["short_description"]) <= 60  # the Hub's limit
    assert "For research only, not for patients." in files["README.md"]


def test_the_licence_of_the_code_goes_along(files, tmp_path, monkeypatch):
    """From a checkout, and from what is installed."""
    text = (PROJECT / "LICENSE").read_text()
    assert "Apache License" in text
    assert files["LICENSE"] == text
    monkeypatch.setattr(space, "PROJECT", tmp_path)
    assert space_files(Shown("lab/model"), tmp_path)["LICENSE"].read_text() == text


def test_the_app_names_each_thing_at_its_commit(files):
    (call,) = [node for node in ast.walk(ast.parse(files["app.py"])) if getattr(node, "keywords", None)]
    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    names = {"model": "lab/model", "base": "llava-hf/llava-1.5-7b-hf", "dataset": "lab/figures"}
    revisions = dict.fromkeys(("revision", "base_revision", "dataset_revision"), COMMIT)
    assert given == names | revisions | {"max_new_tokens": 64}


def test_requirements_are_pinned_as_the_project_is(files):
    constraints = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (PROJECT / "constraints.txt").read_text(), re.M))
    pins = dict(line.split("==") for line in files["requirements.txt"].splitlines() if not line.startswith("#"))
    own = {"gradio": GRADIO, "pillow": pins["pillow"]}  # Gradio is no part of them, and wants another Pillow
    assert pins == {name: constraints.get(name) for name in pins} | own
    assert int(pins["pillow"].split(".")[0]) < 13
    setup = configparser.ConfigParser()
    setup.read(PROJECT / "setup.cfg")
    assert setup["options.extras_require"]["app"].strip() == f"gradio>={'.'.join(GRADIO.split('.')[:2])}"


def imported(path: Path) -> set[str]:
    """The modules that a file imports when it is imported itself."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_project_s_modules_that_the_page_imports_go_along(files):
    """And every other package that they import is pinned."""
    known = {".".join(Path(name).with_suffix("").parts): name for name in files if name.endswith(".py")}
    todo, seen, others = ["evaluation.trying.page"], set(), set()
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        for name in imported(PROJECT / known[module]):
            is_own = (PROJECT / Path(*name.split("."))).with_suffix(".py").is_file()
            if is_own:
                todo.append(name)
            elif name.split(".")[0] not in ("dataset_builder", "evaluation", "trust"):
                others.add(name.split(".")[0])
    assert len(seen) > 20
    distributions = {"PIL": "pillow", "cv2": "opencv-python-headless", "yaml": "pyyaml"}
    pinned = {line.split("==")[0] for line in files["requirements.txt"].splitlines()}
    foreign = {distributions.get(name, name.replace("_", "-")) for name in others - sys.stdlib_module_names}
    assert foreign <= pinned


def test_nothing_of_this_machine_and_no_secret_goes_along(files, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_" + "s" * 34)
    again = space_files(Shown("lab/model", COMMIT), tmp_path)
    for text in [*files.values(), *(path.read_text(encoding="utf-8") for path in again.values())]:
        for private in (str(tmp_path), str(PROJECT), str(Path.home()) + "/", socket.gethostname(), "hf_sss"):
            assert private not in text
    for name in files:
        assert name in ("README.md", "LICENSE", "app.py", "requirements.txt") or name.startswith(tuple(SOURCES))
        assert "__pycache__" not in name


def test_a_dry_run_says_what_the_space_would_hold(run_folder):  # noqa: F811 - the fixture
    said = dry(run_folder, space="lab/page")
    assert "would send to https://huggingface.co/spaces/lab/page:" in said
    assert {"  app.py", "  requirements.txt", "  evaluation/trying/page.py"} <= set(said.splitlines())
    assert "Space without the base model" in said
    assert "Space without examples" in said


def test_a_space_is_sent_with_the_model_s_commit_and_again_without_change(hub, ldrt_client, run_folder):  # noqa: F811
    done = ldrt_client("publish", run_folder, "lab/model", "--space", "lab/page")
    assert done.status == 0, done.stderr
    assert "spaces/lab/page: " in done.stdout
    model, space = hub.repo("model", "lab/model"), hub.repo("space", "lab/page")
    assert space.private
    sent = hub.store.content_path(space.files_at("main")["app.py"]).read_text()
    assert f'revision="{model.commit_at("main")}"' in sent
    again = ldrt_client("publish", run_folder, "lab/model", "--space", "lab/page")
    assert again.stdout.count("nothing new: ") == 2


@pytest.mark.parametrize("name", ["page", "a/b/c", "lab/ä"])
def test_a_wrong_name_of_a_space_sends_nothing(hub, ldrt_client, run_folder, name):  # noqa: F811
    done = ldrt_client("publish", run_folder, "lab/model", "--space", name)
    assert (done.status, done.stderr.count("\n")) == (2, 1)
    assert "no repository id" in done.stderr
    assert not hub.log


def test_a_space_that_may_not_be_written_sends_no_model(hub, ldrt_client, run_folder):  # noqa: F811
    done = ldrt_client("publish", run_folder, "lab/model", "--space", "strangers/page")
    assert (done.status, done.stderr.count("\n")) == (1, 1)
    assert "strangers/page" in done.stderr
    assert not [row for row in hub.log if "/commit/" in row["path"]]
