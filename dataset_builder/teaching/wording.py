"""How a teacher is asked: the prompts of an LLM and the questions of the extractive teacher, a domain's own first.

A folder of prompts has, for each task, `TASK.md` (Jinja), `TASK.kinds.yaml` (name -> what to ask for) and
`TASK.examples.jsonl` (few-shot examples); what it lacks is the general one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jinja2
import jinja2.meta

from dataset_builder.domain import Domain
from dataset_builder.files.errors import UsageError
from dataset_builder.teaching.evidence import TASKS
from dataset_builder.teaching.prompts.files import rendered_examples, texts_of_kinds
from dataset_builder.teaching.the_figure import DEFAULT_LANGUAGE
from dataset_builder.text.language_files import FOLDER
from dataset_builder.text.vocabulary import LANGUAGES
from trust.prompts import prompt_template

PROMPTS = Path(__file__).parent / "prompts"
OWN_LANGUAGE = "own"  # answers in the language of the caption
_EXAMPLES, _KINDS, _EVIDENCE = "examples", "kind", "evidence"  # variables of a prompt
_BESIDE = {"kinds.yaml": _KINDS, "examples.jsonl": _EXAMPLES}  # files beside it, by the variable that brings them in


@dataclass(frozen=True)
class Wording:
    """`prompts` is the folder with an LLM's prompts; `questions`, language -> task -> questions, are a domain's own."""

    prompts: Path = PROMPTS
    questions: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    answer_language: str = OWN_LANGUAGE  # or the ISO 639-1 code of the one that an LLM answers in
    sees_picture: bool = False

    def prompt(self, task: str, evidence: str, kind: str | None = None) -> str:
        """What an LLM is told: the task's prompt, a domain's where it has one, about the quoted `evidence`.

        `kind` is the name of one of the task's kinds of question.
        """
        return _template(self._file(task, "md")).render(
            evidence=evidence,
            kind=self.kinds(task)[kind] if kind else None,
            examples=rendered_examples(self._file(task, "examples.jsonl")) if self._has(task, _EXAMPLES) else "",
            answer_language=self.answer_language,
            sees_picture=self.sees_picture,
        )

    def kinds(self, task: str) -> dict[str, str]:
        """The task's kinds of question: name -> what to ask for; none where its prompt does not speak of them."""
        return texts_of_kinds(self._file(task, "kinds.yaml")) if self._has(task, _KINDS) else {}

    def kind(self, task: str, of_whom: str, number: int) -> str | None:
        """The name of the kind that question `number`, from 1, about a figure asks for; None: there are none.

        `of_whom` seeds the order: every figure has its own, so that first questions are of every kind.
        """
        names = sorted(self.kinds(task), key=lambda name: hashlib.sha256(f"{of_whom}/{name}".encode()).digest())
        return names[(number - 1) % len(names)] if names else None

    def prompt_sha256(self, task: str) -> str:
        """The hash of the task's files, one behind the other: the prompt, and its kinds and examples if it uses them.

        As `cat detail.md detail.kinds.yaml detail.examples.jsonl | sha256sum` gives it.
        """
        used = [_text(self._file(task, ending)) for ending, name in _BESIDE.items() if self._has(task, name)]
        return hashlib.sha256("".join([self._prompt_text(task), *used]).encode()).hexdigest()

    def check(self, n_questions: int) -> None:
        """Raises UsageError for prompts that cannot be used, or not for `n_questions` of a task about a figure."""
        for task in TASKS:
            try:
                self._check_files(task)
                self.prompt(task, evidence="")
            except jinja2.TemplateError as error:
                raise UsageError(f"{self._file(task, 'md')}: {error}") from error
            except ValueError as error:
                raise UsageError(str(error)) from error
            n_kinds = len(self.kinds(task)) or 1
            if n_questions > n_kinds:
                raise UsageError(
                    f"--examples_per_figure {n_questions}: `{task}` has {n_kinds} kinds of question, and "
                    f"one asked twice has the same answer; add kinds to {task}.kinds.yaml"
                )

    def _check_files(self, task: str) -> None:
        path = self._file(task, "md")
        if not self._has(task, _EVIDENCE):
            raise UsageError(f"{path}: has no {{{{ {_EVIDENCE} }}}}: the LLM would see nothing of the figure")
        for ending, name in _BESIDE.items():
            if (self.prompts / f"{task}.{ending}").is_file() and not self._has(task, name):
                raise UsageError(f"{path}: has no {{{{ {name} }}}}, so {task}.{ending} beside it has no effect")

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

    def _has(self, task: str, variable: str) -> bool:
        return variable in _variables(self._prompt_text(task))

    def _prompt_text(self, task: str) -> str:
        return _text(self._file(task, "md"))

    def _file(self, task: str, ending: str) -> Path:
        own = self.prompts / f"{task}.{ending}"
        return own if own.is_file() else PROMPTS / f"{task}.{ending}"


GENERAL = Wording()


def wording_of(domain: Domain | None, prompts: Path | None = None) -> Wording:
    """A domain's wording, the general one without a domain; with `prompts`, a folder, its prompts are from there.

    Raises UsageError for a folder without prompts.
    """
    if prompts is not None:
        _check_folder(prompts)
    if domain is None:
        return Wording(prompts or PROMPTS)
    return Wording(prompts or domain.prompts or PROMPTS, domain.questions)


def question_language(language: str | None) -> str:
    """The language of the questions about an article in `language`: its own where it has a file, else English."""
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


def _check_folder(folder: Path) -> None:
    names = [f"{task}.{ending}" for task in TASKS for ending in ("md", *_BESIDE)]
    if not any((folder / name).is_file() for name in names):
        raise UsageError(f"--prompts {folder}: no such folder, or none of {', '.join(names)} in it")


@cache
def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 ({error})") from error


@cache
def _template(path: Path) -> jinja2.Template:
    return prompt_template(_text(path), str(path))  # a millisecond: ten times what rendering takes


@cache
def _variables(text: str) -> set[str]:
    return jinja2.meta.find_undeclared_variables(jinja2.Environment().parse(text))
