"""What is installed is whole: wheel and sdist hold every file of the project, and work outside the checkout."""

import configparser
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = (
    *("accelerate_configs", "dataset_builder", "evaluation", "ldrt", "model_cards", "recipes", "trust"),
    "verification",
)
PLAN = """
plan --config recipes/llava-v1.5-13b/phase2.yaml --accelerate accelerate_configs/zero3.yaml --gpu A100-80G --processes 8
--rows 10000 --tokens 900
"""


def source_files(*folders: str) -> set[str]:
    """The project's files as git knows them, new ones included; below some folders, or all."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if (ROOT / name).is_file()}


def build(source: Path, kind: str, folder: Path) -> Path:
    """Build a `wheel` or an `sdist` of `source` in `folder`, with the setuptools that is here: no network is asked."""
    code = f"import sys; from setuptools import build_meta; print(build_meta.build_{kind}(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of the project's files: a build leaves its own beside them."""
    folder = tmp_path_factory.mktemp("source")
    for name in source_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> Path:
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(source, tmp_path_factory) -> Path:
    return build(source, "sdist", tmp_path_factory.mktemp("sdist"))


def files_of_wheel(path: Path) -> dict[str, bytes]:
    """Name -> content, of all but the metadata."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def files_of_sdist(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        names = [member.name for member in archive if member.isfile()]
    return {name.split("/", 1)[1] for name in names}  # below ldrt_vlm-VERSION/


def test_the_wheel_holds_the_code_and_its_files_and_nothing_else(wheel):
    assert set(files_of_wheel(wheel)) == source_files(*FOLDERS)


def test_the_sdist_holds_them_too_and_no_tests(sdist):
    files = files_of_sdist(sdist)
    needed = {"README.md", "LICENSE", "CITATION.cff", "constraints.txt", "pyproject.toml", "setup.cfg"}
    assert source_files(*FOLDERS) | needed <= files
    assert not [name for name in files if name.startswith("tests/")]


def test_the_sdist_makes_the_same_wheel(wheel, sdist, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "sdist", filter="data")
    (unpacked,) = (tmp_path / "sdist").iterdir()
    assert files_of_wheel(build(unpacked, "wheel", tmp_path)) == files_of_wheel(wheel)


def test_entry_points_name_what_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        points = configparser.ConfigParser()
        points.read_string(archive.read(name).decode())
    assert dict(points["console_scripts"]) == {"ldrt": "ldrt:main"}
    module = points["docling"]["ldrt"].replace(".", "/")
    assert f"{module}.py" in files_of_wheel(wheel)


# ---- installed outside the checkout


def clean_environment() -> dict[str, str]:
    """Without what would let an installed Python find the checkout; the tests' cache of `datasets` stays."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return env | {"TOKENIZERS_PARALLELISM": "false"}


def run(command: list, folder: Path) -> str:
    """Run a command in `folder`; returns what it prints."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(wheel: Path, folder: Path) -> tuple[Path, Path]:
    """A new environment with the wheel installed: its programs' folder, and the one that holds what is installed.

    The packages that the project needs are those of this environment, so that nothing is downloaded.
    """
    uv = [sys.executable, "-m", "uv", "--quiet", "--offline"]
    run([*uv, "venv", "--python", sys.executable, folder / "venv"], folder)
    programs = folder / "venv" / "bin"
    run([*uv, "pip", "install", "--python", programs / "python", "--no-deps", wheel], folder)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    installed = Path(run([programs / "python", "-c", ask], folder).strip())
    (installed / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs, installed


@pytest.mark.slow
def test_installed_it_does_what_the_checkout_does(wheel, tmp_path):
    programs, installed = install(wheel, tmp_path)
    python, ldrt = programs / "python", programs / "ldrt"
    for module in ("ldrt", "dataset_builder", "evaluation", "model_cards", "recipes", "trust"):
        found = run([python, "-c", f"import {module}; print({module}.__file__)"], tmp_path).strip()
        assert Path(found).is_relative_to(installed)
    for words in (["--help"], ["--version"], PLAN.split()):
        here = run([ldrt, *words], installed)  # where `recipes/` lies as it does in the checkout
        assert here == run([sys.executable, "-m", "ldrt", *words], ROOT)
    assert "recommended: zero2.yaml" in run([ldrt, *PLAN.split()], installed)

    write = "from pathlib import Path; from dataset_builder.sample.corpus import write_corpus as write"
    run([python, "-c", f"{write}; write(Path('articles'), articles=20)"], tmp_path)
    run([ldrt, "build", "articles", "--output", "dataset", "--test_size", "0.2"], tmp_path)
    run([ldrt, "instruct", "dataset"], tmp_path)
    assert (tmp_path / "dataset" / "README.md").is_file()
    assert (tmp_path / "dataset" / "preview.html").is_file()
    make_model = installed / "recipes" / "tiny-llava" / "make_model.py"
    run([python, make_model, "--dataset", "dataset", "--output", "base", "--steps", "2"], tmp_path)
    assert (tmp_path / "base" / "config.json").is_file()
