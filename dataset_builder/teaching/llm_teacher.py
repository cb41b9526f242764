"""An LLM as teacher, behind an OpenAI-compatible server: what it is asked, and how its reply is read.

It sees text only, never the picture: the caption and the context, quoted as data.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dataset_builder.llm.index import Index
from dataset_builder.llm.replies import only_object
from dataset_builder.llm.requests import Request, quote
from dataset_builder.teaching.evidence import Answer, evidence_sentences
from dataset_builder.teaching.wording import GENERAL, Wording

_DECLINED = "declined"  # says, in the form asked for, that there is too little to go on
_NOT_ASKED = "not asked"
_EVIDENCE = {
    "type": "object",
    "properties": {"source": {"type": "string", "enum": ["caption", "context"]}, "sentence": {"type": "integer"}},
    "required": ["source", "sentence"],
    "additionalProperties": False,
}
_KEYS = ("question", "answer", "evidence")  # that a reply must have
# What `parse` reads, for servers that hold a model to it. OpenAI asks for all keys to be required, and no others.
SCHEMA = {
    "type": "object",
    "properties": {
        "question": {"type": ["string", "null"]},
        "answer": {"type": ["string", "null"]},
        "evidence": {"type": "array", "items": _EVIDENCE},
    },
    "required": list(_KEYS),
    "additionalProperties": False,
}


def request(row: Mapping[str, Any], task: str, wording: Wording = GENERAL) -> Request:
    """What is asked of the LLM about one figure: the task's prompt with caption and context quoted as data."""
    lines = [f"[{source} {number}] {quote(s)}" for source, number, s in evidence_sentences(row)]
    quoted = "\n".join(["<<<EVIDENCE", *lines, "EVIDENCE>>>"])
    return Request(
        [{"role": "user", "content": wording.prompt(task).render(evidence=quoted)}],
        {"figure_id": row["figure_id"], "task": task},
        parse,
        SCHEMA,
    )


def parse(reply: str) -> dict[str, Any]:
    """The teacher's JSON: `question`, `answer` (None: the teacher found too little to go on), `evidence` and,
    where it says so, `visually_answerable`.

    Raises ValueError for anything else.
    """
    value = only_object(reply, _KEYS)
    question, answer = value["question"], value["answer"]
    try:
        evidence = [{"source": e["source"], "sentence": int(e["sentence"])} for e in value["evidence"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"evidence is no list of source and sentence ({error})") from error
    if any(e["source"] not in ("caption", "context") for e in evidence):
        raise ValueError("evidence from another source than caption or context")
    if answer is not None and not (isinstance(question, str) and isinstance(answer, str) and question and answer):
        raise ValueError("question or answer is empty or no text")
    visual = value.get("visually_answerable")
    visual = visual if isinstance(visual, bool) else None
    return {"question": question, "answer": answer, "evidence": evidence, "visually_answerable": visual}


class LedgerAnswers(Mapping[tuple[str, str], Answer]):
    """(figure_id, task) -> answer. `without` counts, by task, the replies that gave none by their status."""

    def __init__(self, ledger: Path, wanted: Iterable[tuple[str, Request]]):
        """`wanted` are the requests of a teacher by their keys in the ledger."""
        self._index = Index(ledger)
        self._digests: dict[tuple[str, str], bytes] = {}
        self.without: dict[str, Counter[str]] = {}
        self._first_error: dict[str, str] = {}
        self._n_usable: Counter[str] = Counter()
        for key, request in wanted:
            self._add(key, request.about["figure_id"], request.about["task"])

    def _add(self, key: str, figure_id: str, task: str) -> None:
        record = self._index.record(key) or {"status": _NOT_ASKED}
        status = record["status"]
        without = self.without.setdefault(task, Counter())
        self._n_usable[task] += status == "ok"
        if status == "ok" and record["parsed"]["answer"] is not None:
            self._digests[figure_id, task] = bytes.fromhex(key)
        else:
            without[_DECLINED if status == "ok" else status] += 1
            if error := record.get("error"):
                self._first_error.setdefault(task, error)

    def check(self, teacher: str) -> None:
        """Raises RuntimeError where of a task no reply can be used: what was there before is better than nothing."""
        for task, without in self.without.items():
            if without and not self._n_usable[task]:
                counts = ", ".join(f"{n} {status}" for status, n in without.most_common())
                reason = self._first_error.get(task, "see --max_tokens" if without["truncated"] else "no reason given")
                raise RuntimeError(
                    f"{teacher} has no usable reply for `{task}` ({counts}; the first: {reason}): the dataset is left "
                    "as it was"
                )

    def __getitem__(self, place: tuple[str, str]) -> Answer:
        record = self._index.record(self._digests[place].hex())
        assert record is not None, "the index has its line"
        return record["parsed"]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)
