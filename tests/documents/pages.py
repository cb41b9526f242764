"""Pages of docs/how-to/ carried out on a copy of the project: files with a title are written, diffs are applied."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.documents.commands import ROOT, text_of

_FILE = re.compile(r'^(`{3,})(\w+) title="(\S+)"\n(.*?)^\1$', re.S | re.M)


def carried_out(document: str, project: Path) -> Path:
    """A copy of the project with the files of a page, and its changes."""
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns("__pycache__", ".*", "demo", "runs", "site"))
    for _, kind, name, text in _FILE.findall(text_of(document)):
        path = project / name
        if kind == "diff":
            path.write_text(_changed(path.read_text(encoding="utf-8"), text), encoding="utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            if kind == "python":
                (path.parent / "__init__.py").touch()
    return project


def _changed(text: str, diff: str) -> str:
    """A text with the lines of a diff: "+" goes behind the line above it in the diff, the first of that text."""
    lines, at = text.splitlines(), 0
    for line in diff.splitlines():
        sign, words = line[:1] or " ", line[1:]
        if sign == "+":
            lines.insert(at, words)
            at += 1
        else:
            at = lines.index(words) + (sign == " ")
            if sign == "-":
                del lines[at]
    return "\n".join(lines) + "\n"


def run(project: Path, *words: object) -> subprocess.CompletedProcess:
    """`python WORDS` with the copy's own modules."""
    environment = os.environ | {"PYTHONPATH": str(project)}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
