"""A second model reads every answer beside its evidence: supported, contradicted, or not stated."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from dataset_builder.llm.batch import ask_left
from dataset_builder.llm.cost import ASSUMED_REPLY_TOKENS, Cost, estimate
from dataset_builder.llm.families import family
from dataset_builder.llm.ledger import Index
from dataset_builder.llm.requests import Request, Server, quote
from dataset_builder.llm.tokens import TOKENS_PER_WORD
from dataset_builder.teaching.evidence import evidence_sentences, example_id
from dataset_builder.teaching.examples import with_rows
from dataset_builder.teaching.gate.exam import Objection
from dataset_builder.teaching.gate.gate import Gate
from trust.errors import UsageError
from trust.prompts import prompt_template

SUPPORTED, CONTRADICTED, NOT_STATED = "supported", "contradicted", "not stated"
VERDICTS = (SUPPORTED, CONTRADICTED, NOT_STATED)
_UNJUDGED = "unjudged"  # no reply that could be read
_PROMPT = Path(__file__).with_name("verify.md")


def refuse_kin(verifier: str, teacher: str) -> None:
    """Raises UsageError where verifier and teacher are the same model or of one family."""
    own = family(verifier)
    if verifier == teacher or (own is not None and own == family(teacher)):
        raise UsageError(
            f"the verifier {verifier} and the teacher {teacher} are of one family ({own or 'the same model'}), and a "
            "model overlooks its own kind's mistakes: name a --verifier of another"
        )


class Verifier:
    """Asks the second model about examples, and lets through those that it does not contradict.

    Examples are read again from the iterables that they are given in, and replies from the ledger: none are held.
    """

    def __init__(self, server: Server, ledger: Path):
        """Every reply is kept in `ledger`."""
        self._server, self._ledger = server, ledger
        self.verdicts: Counter[str] = Counter()  # how many answers got each

    def wanted(self, examples: Iterable[dict], rows: Iterable[dict]) -> Iterator[tuple[str, Request]]:
        """What is asked about the examples, by key in the ledger; `rows` come in their order."""
        for example, row in with_rows(filter(_is_asked, examples), rows):
            asked = request(example, row)
            yield self._server.key(asked), asked

    def ask(self, wanted: Callable[[], Iterable[tuple[str, Request]]], in_batches: bool) -> None:
        """Ask what the ledger does not settle. Raises what `llm.batch.ask_left` raises."""
        ask_left(wanted, self._server, self._ledger, in_batches, stops_refused=False)

    def cost(self, wanted: Iterable[tuple[str, Request]]) -> Cost:
        """What it costs to ask what the ledger does not settle."""
        return estimate(wanted, self._ledger, self._server)

    def upheld(self, examples: Iterable[dict], rows: Iterable[dict], gate: Gate) -> Iterator[dict]:
        """The examples that are not contradicted; those that are go to the gate's rejected ones."""
        index = Index(self._ledger)
        for example, row in with_rows(examples, rows):
            verdict = self._verdict(index, example, row) if _is_asked(example) else None
            self.verdicts.update([verdict] if verdict else [])
            if verdict == CONTRADICTED:
                gate.reject(example, Objection("verifier", CONTRADICTED, None))
            else:
                yield example

    def _verdict(self, index: Index, example: dict, row: dict) -> str:
        record = index.record(self._server.key(request(example, row)))
        return (record or {}).get("parsed") or _UNJUDGED


def stand_in(row: dict, task: str, number: int) -> dict:
    """An example as long as one may be of which there is no answer yet, for what it will cost to verify it."""
    everything = [{"source": source, "sentence": i} for source, i, _ in evidence_sentences(row)]
    words = "word " * round(ASSUMED_REPLY_TOKENS / TOKENS_PER_WORD)
    said = {"prompt": [{"content": ""}], "completion": [{"content": words}], "evidence": everything, "task": task}
    of_row = {"figure_id": row["figure_id"], "panel": row.get("panel")}
    return said | of_row | {"example_id": example_id(row, task, number)}


def request(example: Mapping[str, Any], row: Mapping[str, Any]) -> Request:
    """What the verifier is asked about one example: its evidence, question and answer, quoted as data."""
    named = {(e["source"], e["sentence"]) for e in example["evidence"]}
    lines = [quote(text) for source, number, text in evidence_sentences(row) if (source, number) in named]
    asked = {"question": example["prompt"][0]["content"], "answer": example["completion"][0]["content"]}
    content = _prompt().render(
        evidence="\n".join(["<<<EVIDENCE", *lines, "EVIDENCE>>>"]),
        question_and_answer="\n".join(
            ["<<<ANSWER", *(f"{name}: {quote(said)}" for name, said in asked.items()), "ANSWER>>>"]
        ),
    )
    return Request([{"role": "user", "content": content}], {"example_id": example["example_id"]}, read_verdict)


@cache
def _prompt() -> jinja2.Template:
    return prompt_template(_PROMPT.read_text(encoding="utf-8"), _PROMPT.name)


def read_verdict(reply: str) -> str:
    """The verdict of a reply. Raises ValueError where there is none."""
    start, end = reply.find("{"), reply.rfind("}")
    try:
        verdict = json.loads(reply[start : end + 1])["verdict"].strip().lower().replace("_", " ")
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"no JSON object with a verdict ({error})") from error
    if verdict not in VERDICTS:
        raise ValueError(f"the verdict {verdict!r} is none of {', '.join(VERDICTS)}")
    return verdict


def _is_asked(example: Mapping[str, Any]) -> bool:
    """Not captions, and not answers that came with a figure: they rest on no evidence that is known."""
    return example["task"] != "align" and bool(example["evidence"])
