"""The commands that the project's documents tell their readers to type."""

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROMPTS = re.compile(r"/(prompts|rubrics|gate)/")  # Markdown that language models read
_BLOCK = re.compile(r"^ *```(\w*)([^\n]*)\n(.*?)^ *```", re.S | re.M)
_FILE = re.compile(r"^(`{4,})\w.*?^\1$", re.S | re.M)  # a Markdown file with blocks of its own
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_SHELL = ("bash", "sh", "shell", "console")


@dataclass(frozen=True)
class Command:
    """One command as a document has it, comments left out."""

    document: str  # path from the project's root
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, comments=True)

    def __str__(self) -> str:
        return f"{self.document}: {self.text}"


def documents() -> list[str]:
    """Every Markdown file of the project that people read, as git knows them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if (ROOT / name).exists() and not PROMPTS.search(name)]


def typed(document: str) -> list[Command]:
    """The commands of a document's shell blocks, in order, those joined by && apart; and its Python, but for files."""
    found = []
    for kind, about, block in _BLOCK.findall(_FILE.sub("", text_of(document))):
        if kind == "python" and "title=" not in about:
            found.append(Command(document, shlex.join(["python", "-c", block])))
        if kind in _SHELL:
            for line in block.replace("\\\n", " ").splitlines():
                found += [Command(document, part) for part in _parts(line)]
    return found


def mentioned(document: str) -> list[Command]:
    """The commands that stand in a document's sentences and tables, as `ldrt NAME …`."""
    prose = _BLOCK.sub("", text_of(document))
    spans = [" ".join(span.split()) for span in _SPAN.findall(prose)]
    return [Command(document, span) for span in spans if re.match(r"ldrt [a-z]", span)]


def in_tables(document: str) -> list[Command]:
    """The commands, with what they are given, that stand in the cells of tables."""
    rows = [line for line in _BLOCK.sub("", text_of(document)).splitlines() if line.lstrip().startswith("|")]
    spans = [span for row in rows for span in _SPAN.findall(row)]
    return [Command(document, span) for span in spans if re.match(r"ldrt [a-z]+ \S", span)]


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _parts(line: str) -> list[str]:
    """The commands of a line, none for a comment. "a && b  # c" -> ["a", "b"]."""
    words = shlex.split(line, comments=True)
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "&&":
            parts.append([])
        else:
            parts[-1].append(word)
    return [shlex.join(part) for part in parts if part]
