"""The files beside a prompt: kinds of question (YAML) and few-shot examples (JSON lines)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dataset_builder.files.errors import UsageError
from dataset_builder.llm.requests import quote
from dataset_builder.teaching.evidence import evidence_sentences

_REPLY = ("question", "answer", "evidence", "visually_answerable")


@cache
def texts_of_kinds(path: Path) -> dict[str, str]:
    """Name -> what to ask for. Raises UsageError for a file that is no such mapping."""
    try:
        kinds = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    texts = [*kinds, *kinds.values()] if isinstance(kinds, dict) else []
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise UsageError(f"{path}: expected `name: what to ask for` lines")
    return kinds


@cache
def rendered_examples(path: Path) -> str:
    """The few-shot examples as they stand in a prompt: the evidence of each, and the reply to it."""
    lines = enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
    return "\n".join(_rendered(f"{path}, line {number}", line) for number, line in lines if line.strip())


def _rendered(place: str, line: str) -> str:
    example = _example(place, line)
    sentences = evidence_sentences(example)
    known = {(source, number) for source, number, _ in sentences}
    if not all((named["source"], named["sentence"]) in known for named in example["evidence"]):
        raise UsageError(f"{place}: its evidence names a sentence that it has not; count from 0")
    quoted = [f"[{source} {number}] {quote(text)}" for source, number, text in sentences]
    reply = json.dumps({name: example.get(name) for name in _REPLY}, ensure_ascii=False)
    return "\n".join(["<<<EXAMPLE", *quoted, "EXAMPLE>>>", reply])


def _example(place: str, line: str) -> dict[str, Any]:
    try:
        example = json.loads(line)
        is_whole = (
            all(isinstance(example[name], str | None) for name in ("caption", "question", "answer"))
            and all(isinstance(text, str) for text in example["context"])
            and all(
                isinstance(named["source"], str) and isinstance(named["sentence"], int) for named in example["evidence"]
            )
        )
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{place}: no example ({type(error).__name__}: {error})") from error
    if not is_whole:
        raise UsageError(f"{place}: caption, question, answer, context or evidence is of the wrong type")
    return example
