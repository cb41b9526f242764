"""A second model reads every answer beside its evidence: supported, contradicted, or not stated."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataset_builder.llm.client import ask
from dataset_builder.llm.families import family
from dataset_builder.llm.requests import Request, Server, quote
from dataset_builder.teaching.evidence import evidence_sentences, place
from dataset_builder.teaching.gate.exam import Objection
from dataset_builder.teaching.gate.gate import Gate
from trust.prompts import prompt_template

SUPPORTED, CONTRADICTED, NOT_STATED = "supported", "contradicted", "not stated"
VERDICTS = (SUPPORTED, CONTRADICTED, NOT_STATED)
_UNJUDGED = "unjudged"  # no reply that could be read; asked again by the next run
_PROMPT = Path(__file__).with_name("verify.md")


def refuse_kin(verifier: str, teacher: str) -> None:
    """Raises ValueError where verifier and teacher are the same model or of one family."""
    own = family(verifier)
    if verifier == teacher or (own is not None and own == family(teacher)):
        raise ValueError(
            f"the verifier {verifier} and the teacher {teacher} are of one family ({own or 'the same model'}), and a "
            "model overlooks its own kind's mistakes: name a --verifier of another"
        )


def verified(
    made: Mapping[str, Iterable[dict]], gate: Gate, rows: Iterable[dict], server: Server, ledger: Path
) -> tuple[dict[str, list[dict]], Counter[str]]:
    """The examples of each task that the verifier does not contradict, and how many it gave each verdict.

    Those that it contradicts go to the gate's rejected ones. Every reply is kept in `ledger`. Raises what
    `llm.client.ask` raises where the server cannot be used.
    """
    given = {place(row): row for row in rows}
    listed = {task: list(examples) for task, examples in made.items()}
    requests = [
        request(example, given[place(example)])
        for task, examples in listed.items()
        for example in examples
        if task != "align" and example["evidence"]
    ]
    replies = ask(requests, server, ledger).values()
    verdicts = {reply["example_id"]: reply["parsed"] or _UNJUDGED for reply in replies}
    kept = {task: [e for e in examples if not _is_contradicted(e, verdicts, gate)] for task, examples in listed.items()}
    return kept, Counter(verdicts.values())


def request(example: Mapping[str, Any], row: Mapping[str, Any]) -> Request:
    """What the verifier is asked about one example: its evidence, question and answer, quoted as data."""
    named = {(e["source"], e["sentence"]) for e in example["evidence"]}
    lines = [quote(text) for source, number, text in evidence_sentences(row) if (source, number) in named]
    asked = {"question": example["prompt"][0]["content"], "answer": example["completion"][0]["content"]}
    prompt = prompt_template(_PROMPT.read_text(encoding="utf-8"), _PROMPT.name)
    content = prompt.render(
        evidence="\n".join(["<<<EVIDENCE", *lines, "EVIDENCE>>>"]),
        question_and_answer="\n".join(
            ["<<<ANSWER", *(f"{name}: {quote(said)}" for name, said in asked.items()), "ANSWER>>>"]
        ),
    )
    return Request([{"role": "user", "content": content}], {"example_id": example["example_id"]}, read_verdict)


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


def _is_contradicted(example: dict, verdicts: Mapping[str, str], gate: Gate) -> bool:
    if verdicts.get(example["example_id"]) != CONTRADICTED:
        return False
    gate.reject(example, Objection("verifier", CONTRADICTED, None))
    return True
