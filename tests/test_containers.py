"""The Dockerfiles take the files of the package, and pinned versions; `make lint` runs hadolint on them."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCKERFILES = ("Dockerfile", "Dockerfile.cuda")


def instructions(name: str) -> list[str]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(";")[0].strip().split("==") for line in lines if "==" in line and not line.startswith("#"))


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_copied_is_there_and_let_through(name):
    copied = [line.split()[1:-1] for line in instructions(name) if line.startswith("COPY") and "--from" not in line]
    files = [path for paths in copied for path in paths]
    assert files
    assert all((ROOT / path).exists() for path in files)
    assert {path for path in files if path != "."} <= let_through()


def test_the_context_has_all_that_the_package_is_made_of_and_nothing_that_documents_write():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    packages = {line.rstrip("*") for line in setup["options.packages.find"]["include"].split()}
    modules = {f"{name}.py" for name in setup["options"].get("py_modules", "").split()}
    metadata = {"README.md", "LICENSE", "constraints.txt", "pyproject.toml", "setup.cfg"}
    assert let_through() == packages | modules | metadata
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def let_through() -> set[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return {line.removeprefix("!") for line in lines if line.startswith("!")}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_versions_are_the_pinned_ones(name):
    text = "\n".join(instructions(name))
    assert re.findall(r"astral-sh/uv:([\d.]+)", text) == [pins()["uv"]]
    assert "--constraint constraints.txt" in text


def test_cuda_is_that_of_the_pinned_pytorch():
    """Its major version: an image of another cannot compile what PyTorch loads."""
    (cuda,) = [line.split("=")[1] for line in instructions("Dockerfile.cuda") if line.startswith("ARG CUDA=")]
    assert cuda.split(".")[:2] == pins()["cuda-toolkit"].split(".")[:2]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_nothing_runs_as_root_and_what_changes_seldom_comes_first(name):
    lines = instructions(name)
    (user,) = [line for line in lines if line.startswith("USER")]
    assert user == "USER 1000"
    assert lines.index(user) < lines.index('ENTRYPOINT ["ldrt"]')
    assert lines.index("COPY constraints.txt pyproject.toml setup.cfg ./") < lines.index("COPY . .")
