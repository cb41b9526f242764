"""An LLM as teacher, by its replies: they are read from the ledger when they are needed, however many there are."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from dataset_builder.files.compact import CompactMap
from dataset_builder.llm.ledger import Index
from dataset_builder.llm.requests import Request
from dataset_builder.teaching.evidence import example_id
from dataset_builder.teaching.examples import Told

_DECLINED = "declined"  # says, in the form asked for, that there is too little to go on
_NOT_ASKED = "not asked"


class LedgerAnswers:
    """A teacher (`examples.Teacher`). `without` counts, by task, the replies that gave no answer by their status."""

    def __init__(self, name: str, ledger: Path, wanted: Iterable[tuple[str, Request]]):
        """`name` is the column's, `wanted` are the requests of the teacher by their keys in the ledger."""
        self.name = name
        self._index = Index(ledger)
        self.without: dict[str, Counter[str]] = {}
        self._statuses: list[str] = []  # that gave no answer, in the order in which they turned up
        self._first_error: dict[str, str] = {}
        self._n_usable: Counter[str] = Counter()
        self._found = CompactMap(self._entries(wanted))

    def _entries(self, wanted: Iterable[tuple[str, Request]]) -> Iterator[tuple[bytes, int]]:
        """(digest of the example's id, where its answer stands in the ledger, or below zero the number of a status)."""
        for key, request in wanted:
            task, place = request.about["task"], self._index.place(key)
            status = self._status(key, task)
            if status == "ok" and place is not None:
                yield _digest(request.about["example_id"]), place
            else:
                self.without[task][status] += 1
                if status not in self._statuses:
                    self._statuses.append(status)
                yield _digest(request.about["example_id"]), -1 - self._statuses.index(status)

    def _status(self, key: str, task: str) -> str:
        record = self._index.record(key) or {"status": _NOT_ASKED}
        status = record["status"]
        self.without.setdefault(task, Counter())
        self._n_usable[task] += status == "ok"
        if error := record.get("error"):
            self._first_error.setdefault(task, error)
        return _DECLINED if status == "ok" and record["parsed"]["answer"] is None else status

    def check(self, teacher: str) -> None:
        """Raises RuntimeError where of a task no reply can be used: what was there before is better than nothing."""
        for task, without in self.without.items():
            if without and not self._n_usable[task]:
                counts = ", ".join(f"{n} {status}" for status, n in without.most_common())
                reason = self._first_error.get(task, "see --max_tokens" if without["truncated"] else "no reason given")
                again = "; --retry_unparsable asks again" if without["unparsable"] or without["truncated"] else ""
                raise RuntimeError(
                    f"{teacher} has no usable reply for `{task}` ({counts}; the first: {reason}{again}): the dataset "
                    "is left as it was"
                )

    def tell(self, row: dict, task: str, number: int) -> Told:
        """The answer in the ledger to question `number`, from 1, about the figure of a row; or the reply's status."""
        found = self._found.get(_digest(example_id(row, task, number)))
        if found is None or found < 0:
            return Told(None, _NOT_ASKED if found is None else self._statuses[-1 - found])
        return Told(self._index.at(found)["parsed"])


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
