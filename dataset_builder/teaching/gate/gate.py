"""The gate: every example passes all rules, or is left out with the first objection as its reason."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypedDict, cast

from dataset_builder.teaching.evidence import Evidence
from dataset_builder.teaching.examples import GIVEN, with_rows
from dataset_builder.teaching.gate import form, grounds
from dataset_builder.teaching.gate.duplicates import Seen
from dataset_builder.teaching.gate.exam import CountTokens, Exam, Limits, Objection, exam_of

Rule = Callable[[Exam, Limits], Objection | None]

_CAPTION_RULES: tuple[Rule, ...] = (form.blank, form.too_many_tokens)  # `align`: the caption is what it is
_GIVEN_RULES: tuple[Rule, ...] = (form.too_many_tokens,)  # questions and answers of people: "None" may be right
FORM_RULES: tuple[Rule, ...] = (
    form.placeholder,
    form.blank,
    form.answer_is_question,
    form.says_nothing,
    form.refusal,
    form.special_tokens,
    form.names_source,
    form.figure_number,
    form.gives_away,
    form.too_many_chars,
    form.too_many_tokens,
    form.wrong_language,
)
_RULES: tuple[Rule, ...] = (
    *FORM_RULES,
    grounds.evidence_out_of_range,
    grounds.not_visual,
    grounds.new_numbers,
    grounds.contradicts,
    grounds.low_support,
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TAKEN_ALONG = (
    *("split", "example_id", "figure_id", "article_id", "task", "teacher"),
    *("license", "licenses", "rights", "context_of", "evidence", "support"),
)


class RejectedExample(TypedDict):
    """A row of `provenance/rejected_examples.jsonl`."""

    split: str
    example_id: str
    figure_id: str
    article_id: str
    task: str
    teacher: str
    license: str | None
    licenses: list[str | None]  # of all that the example is made of: where its text may go
    rights: str | None
    context_of: str | None  # figure_id whose context the teacher saw; None: none
    question: str
    answer: str
    evidence: list[Evidence] | None  # None: the answer was given
    support: float | None  # as in the examples that passed
    reason: str
    value: float | str | None
    threshold: float | None


class Gate:
    """Lets examples through or rejects them, one at a time; what is rejected is handed on, not held."""

    def __init__(
        self,
        limits: Limits,
        count_tokens: CountTokens,
        prompts: Mapping[str, str] | None = None,
        keep: Callable[[RejectedExample], None] = lambda _: None,
    ):
        """`prompts` are the text of each task's prompt, whose own examples no answer may repeat; `keep` gets what is
        rejected, in the order in which it comes."""
        self.n_rejected: Counter[tuple[str, str]] = Counter()  # task, reason
        self._keep = keep
        self._limits, self._count_tokens = limits, count_tokens
        self._examples = {task: quoted(text) for task, text in (prompts or {}).items()}
        self._seen = Seen()

    def passed(self, examples: Iterable[dict], rows: Iterable[dict]) -> Iterator[dict]:
        """The examples that no rule objects to.

        `rows` are the figures with the context that the teacher was given, in the order of the examples.
        """
        for example, row in with_rows(examples, rows):
            objection = self._objection(example, row)
            if objection is None:
                yield example
            else:
                self.reject(example, objection)

    def reject(self, example: Mapping[str, Any], objection: Objection) -> None:
        """Leave an example out."""
        self.n_rejected[example["task"], objection.reason] += 1
        self._keep(rejected(example, objection))

    def counts(self) -> dict[str, int]:
        """reason -> how many examples were left out for it, by name."""
        counts: Counter[str] = Counter()
        for (_, reason), n in self.n_rejected.items():
            counts[reason] += n
        return dict(sorted(counts.items()))

    def _objection(self, example: Mapping[str, Any], row: Mapping[str, Any]) -> Objection | None:
        task = example["task"]
        exam = exam_of(example, row, self._count_tokens, self._examples.get(task, frozenset()))
        if task == "align":
            return first_objection(exam, self._limits, _CAPTION_RULES)
        if example["teacher"] == GIVEN:
            return first_objection(exam, self._limits, _GIVEN_RULES)
        of_its_kind = (example["split"], task)  # not across splits: held-out rows depend on no training row
        return first_objection(exam, self._limits) or self._seen.copy_of(
            example["example_id"], of_its_kind, exam, self._limits
        )


def first_objection(exam: Exam, limits: Limits, rules: Iterable[Rule] = _RULES) -> Objection | None:
    """What the first rule says that objects; None where none does."""
    return next((found for rule in rules if (found := rule(exam, limits))), None)


def quoted(prompt: str) -> frozenset[str]:
    """The texts between quotation marks of a prompt, as `form.folded` has them: its examples and its placeholders."""
    return frozenset(form.folded(text) for text in _QUOTED.findall(prompt))


def rejected(example: Mapping[str, Any], objection: Objection) -> RejectedExample:
    """The row of an example that is left out."""
    row = {name: example[name] for name in _TAKEN_ALONG}
    row["question"] = example["prompt"][0]["content"]
    row["answer"] = example["completion"][0]["content"]
    return cast("RejectedExample", row | objection._asdict())
