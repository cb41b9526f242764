"""Rubric files: what a judge is asked, with all text of articles and models quoted as data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2

from dataset_builder.llm.requests import quote
from evaluation.run_folder import Evidence, Prediction
from trust.errors import UsageError
from trust.prompts import prompt_template

FOLDER = Path(__file__).parent / "rubrics"


@dataclass(frozen=True)
class Rubric:
    """A Markdown file with one place, `{{ data }}`, and its hash, which goes into every record made with it."""

    template: jinja2.Template
    sha256: str

    def messages(self, prediction: Prediction, evidence: Evidence | None, **answers: str) -> list[dict]:
        """The conversation to send: the rubric with question, reference, caption, context and `answers`, one a line.

        `prediction` is a record of predictions.jsonl, `evidence` the row of evidence.jsonl of its figure.
        """
        shown = _data(prediction, evidence, answers)
        lines = [f"{name}: {quote(value)}" for name, value in shown.items()]
        data = "\n".join(["<<<DATA", *lines, "DATA>>>"])
        return [{"role": "user", "content": self.template.render(data=data)}]


def shown_texts(prediction: Prediction, evidence: Evidence | None, **answers: str) -> list[str]:
    """All texts that the rubric's `messages` show: what a judge's reply may only quote."""
    texts: list[str] = []
    for value in _data(prediction, evidence, answers).values():
        texts += [value] if isinstance(value, str) else value or []
    return texts


def _data(
    prediction: Prediction, evidence: Evidence | None, answers: Mapping[str, str]
) -> dict[str, str | list[str] | None]:
    return {
        "question": prediction["question"],
        "reference": prediction["reference"],
        "caption": evidence["caption"] if evidence else None,
        "context": evidence["context"] if evidence else None,
        **answers,
    }


def load(name: str, folder: Path = FOLDER) -> Rubric:
    """Read `name`.md. Raises UsageError naming the rubrics that are there."""
    path = folder / f"{name}.md"
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in folder.glob("*.md"))) or "none"
        raise UsageError(f"{folder} has no rubric {name}.md (there are: {known}): write one, see --rubrics")
    content = path.read_bytes()
    template = prompt_template(content.decode(), str(path))
    return Rubric(template, hashlib.sha256(content).hexdigest())
