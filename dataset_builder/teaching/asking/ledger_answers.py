"""The answers among an LLM's replies: read from the ledger when they are needed, however many there are."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dataset_builder.llm.index import Index
from dataset_builder.llm.requests import Request
from dataset_builder.teaching.evidence import Answer

_DECLINED = "declined"  # says, in the form asked for, that there is too little to go on
_NOT_ASKED = "not asked"


class LedgerAnswers(Mapping[str, Answer]):
    """example_id -> answer. `without` counts, by task, the replies that gave none by their status."""

    def __init__(self, ledger: Path, wanted: Iterable[tuple[str, Request]]):
        """`wanted` are the requests of a teacher by their keys in the ledger."""
        self._index = Index(ledger)
        self._digests: dict[str, bytes] = {}
        self.without: dict[str, Counter[str]] = {}
        self._first_error: dict[str, str] = {}
        self._n_usable: Counter[str] = Counter()
        for key, request in wanted:
            self._add(key, request.about["example_id"], request.about["task"])

    def _add(self, key: str, example_id: str, task: str) -> None:
        record = self._index.record(key) or {"status": _NOT_ASKED}
        status = record["status"]
        without = self.without.setdefault(task, Counter())
        self._n_usable[task] += status == "ok"
        if status == "ok" and record["parsed"]["answer"] is not None:
            self._digests[example_id] = bytes.fromhex(key)
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

    def __getitem__(self, example_id: str) -> Answer:
        record = self._index.record(self._digests[example_id].hex())
        assert record is not None, "the index has its line"
        return record["parsed"]

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)
