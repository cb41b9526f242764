"""What the project says of itself is true: README's paths and commands, shipped YAML, pins."""

import configparser
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.documents.commands import documents, text_of

ROOT = Path(__file__).parent.parent
FOLDERS = "recipes|dataset_builder|evaluation|model_cards|accelerate_configs|trust|tests|verification|docs"
MADE_BY_ITS_PAGE = re.compile("asking_back|readers/notes/")  # docs/how-to/metric.md and reader.md add them
PLACEHOLDERS = ("recipes/STUDY", "accelerate_configs/X", "dataset_builder/readers/FORMAT")


@pytest.mark.parametrize("document", documents())
def test_every_path_that_a_document_names_exists(document):
    named = set(re.findall(rf"(?<![\w/.])((?:{FOLDERS})/[\w./-]*\w)", text_of(document)))
    missing = [path for path in named if not (ROOT / path).exists() and not path.startswith(PLACEHOLDERS)]
    assert not [path for path in missing if not MADE_BY_ITS_PAGE.search(path)]


@pytest.mark.parametrize("path", sorted((ROOT / "accelerate_configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_launch_config_parses_and_says_what_it_is_for(path):
    assert path.read_text().startswith("# ")
    assert "distributed_type" in yaml.safe_load(path.read_text())


def test_every_requirement_is_pinned():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"] + setup["options.extras_require"]["dev"]
    names = {re.split(r"[<>=\[ ;]", line)[0].lower().replace("_", "-") for line in wanted.split("\n") if line}
    pinned = dict(
        line.split(";")[0].split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    )
    assert names <= set(pinned)
    exact = dict(line.split(";")[0].split("==") for line in wanted.split("\n") if "==" in line.split(";")[0])
    assert exact == {name: pinned[name] for name in exact}


def test_no_committed_file_names_a_machine_or_a_token():
    private = re.compile(r"/(?:work|root)/|hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9]{30,}")
    texts = [p for p in ROOT.rglob("*") if p.suffix in (".py", ".md", ".yaml", ".cfg", ".toml", ".txt", ".jinja")]
    inside = [p for p in texts if not {".venv", "demo", "runs", "build"} & set(p.relative_to(ROOT).parts)]
    assert not [str(p) for p in inside if p != Path(__file__) and private.search(p.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    ("pretence", "answer"),
    [
        ("sys.version_info = (3, 10, 13)", "is not supported, 3.11 to 3.14 are: make PYTHON=python3.11 ..."),
        ("sys.version_info = (3, 15, 0)", "is not supported, 3.11 to 3.14 are: make PYTHON=python3.11 ..."),
        ("sys.modules['ensurepip'] = None", "lacks the module venv: on Debian, apt-get install python3-venv"),
    ],
)
def test_set_up_says_in_one_line_what_is_wrong_with_a_python(tmp_path, pretence, answer):
    pretender = tmp_path / "python"  # it is asked with -V and -c CODE
    code = f'test "$1" = -V && exec "{sys.executable}" -V\nexec "{sys.executable}" -c "import sys; {pretence}\n$2"\n'
    pretender.write_text(f"#!/bin/sh\n{code}")
    pretender.chmod(0o755)
    assert _set_up(tmp_path, pretender) == f"Python {platform.python_version()} {answer}"


def test_set_up_says_so_where_there_is_no_such_python(tmp_path):
    absent = tmp_path / "python"
    expected = f"there is no {absent}: install Python 3.11 to 3.14, or name yours: make PYTHON=python3.11 ..."
    assert _set_up(tmp_path, absent) == expected


def test_set_up_says_so_where_the_environment_has_another_python_than_the_one_asked_for(tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / ".installed").touch()
    (tmp_path / "venv" / "bin" / "python").write_text("#!/bin/sh\necho Python 3.11.0\n")
    (tmp_path / "venv" / "bin" / "python").chmod(0o755)
    asked = tmp_path / "python"
    asked.write_text("#!/bin/sh\necho Python 3.13.0\n")
    asked.chmod(0o755)
    venv = tmp_path / "venv"
    assert _set_up(tmp_path, asked) == f"{venv} was made with Python 3.11.0: to use {asked}, remove {venv} first"


def _set_up(folder: Path, python: Path) -> str:
    """What `make setup` says where it stops, but for make's own line."""
    command = ["make", "--no-print-directory", "setup", f"PYTHON={python}", f"VENV={folder / 'venv'}"]
    made = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert made.returncode == 2
    assert not made.stdout
    (line, *others) = made.stderr.splitlines()
    assert len(others) == 1, made.stderr
    assert others[0].startswith("make"), made.stderr
    return line
