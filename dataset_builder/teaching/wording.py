"""How a teacher is asked: the prompts of an LLM and the questions of the extractive teacher, a domain's own first."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jinja2

from dataset_builder.domain import Domain
from dataset_builder.teaching.the_figure import DEFAULT_LANGUAGE
from dataset_builder.text.language_files import FOLDER
from dataset_builder.text.vocabulary import LANGUAGES

PROMPTS = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class Wording:
    """`prompts` is the folder with an LLM's prompts; `questions`, language -> task -> questions, are a domain's own."""

    prompts: Path = PROMPTS
    questions: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    def prompt(self, task: str) -> jinja2.Template:
        """The task's prompt: a domain's where it has one. Raises jinja2.TemplateError for a file that is none."""
        return _template(_text(self._file(task)))

    def prompt_sha256(self, task: str) -> str:
        """The hash of the task's prompt file."""
        return hashlib.sha256(_text(self._file(task)).encode()).hexdigest()

    def choices(self, language: str | None, task: str) -> Sequence[str]:
        """The questions about an article in `language`: in its own where there are some, else in English."""
        spoken = question_language(language)
        own = self.questions.get(spoken, {}).get(task)
        general = LANGUAGES[spoken].teaching.questions
        return own or (general.detail if task == "detail" else general.reasoning)

    def questions_sha256(self, language: str | None, task: str) -> str:
        """The hash of what the questions come from: the language's file, or a domain's own questions."""
        spoken = question_language(language)
        own = self.questions.get(spoken, {}).get(task)
        if own:
            return hashlib.sha256(json.dumps(list(own), ensure_ascii=False).encode()).hexdigest()
        return hashlib.sha256(_text(FOLDER / f"{spoken}.yaml").encode()).hexdigest()

    def _file(self, task: str) -> Path:
        own = self.prompts / f"{task}.md"
        return own if own.is_file() else PROMPTS / f"{task}.md"


GENERAL = Wording()


def wording_of(domain: Domain | None) -> Wording:
    """A domain's wording; the general one without a domain."""
    if domain is None:
        return GENERAL
    return Wording(domain.prompts or PROMPTS, domain.questions)


def question_language(language: str | None) -> str:
    """The language of the questions about an article in `language`: its own where it has a file, else English."""
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


@cache
def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


@cache
def _template(text: str) -> jinja2.Template:
    return jinja2.Template(text, undefined=jinja2.StrictUndefined)  # a millisecond: ten times what rendering takes
