"""What `ldrt instruct --dry_run` says: what the teacher, and the verifier behind it, have left to answer."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from dataset_builder.llm.cost import Cost, estimate
from dataset_builder.llm.ledger import Index
from dataset_builder.llm.requests import Request
from dataset_builder.teaching.asking.asking import Asking
from dataset_builder.teaching.evidence import TASKS
from dataset_builder.teaching.examples import Teacher, instruction_examples
from dataset_builder.teaching.gate.gate import Gate
from dataset_builder.teaching.gate.verifier import Verifier, stand_in


def of_teacher(asking: Asking, ledger: Path) -> Cost:
    """What an LLM as teacher has left to answer."""
    return estimate(asking.wanted(), ledger, asking.server)


def of_verifier(verifier: Verifier, teacher: Teacher, asking: Asking, gate: Gate, unasked: Path | None) -> Cost:
    """What a verifier has left to read: the teacher's answers that pass the gate, and those that are not there yet.

    `unasked` is the ledger of an LLM as teacher: of each question that it does not settle comes one answer, as long as
    one is assumed to be, that names all sentences. None: the teacher is no LLM, and all answers are there.
    """
    to_come = () if unasked is None else _to_come(verifier, asking, unasked)
    return verifier.cost(chain(_to_read(verifier, teacher, asking, gate), to_come))


def _to_read(verifier: Verifier, teacher: Teacher, asking: Asking, gate: Gate) -> Iterator[tuple[str, Request]]:
    for task in TASKS:
        made = instruction_examples(asking.rows, task, teacher, asking.wording, asking.a_figure)
        yield from verifier.wanted(gate.passed(made, asking.rows), asking.rows)


def _to_come(verifier: Verifier, asking: Asking, ledger: Path) -> Iterator[tuple[str, Request]]:
    index = Index(ledger)
    for question, (key, _) in zip(asking.questions(), asking.wanted(), strict=True):
        if not index.is_settled(key, asking.server):
            yield from verifier.wanted([stand_in(*question)], [question.row])


def in_all(costs: Iterable[Cost]) -> list[str]:
    """One line with the money of several, where they have a price."""
    money = [cost.money for cost in costs]
    return [f"in all about {sum(money):.2f}"] if len(money) > 1 and any(money) else []
