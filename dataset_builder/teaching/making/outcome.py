"""What came of a run: examples by task, why others were rejected, and why figures have none."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dataset_builder.teaching.evidence import TASKS
from dataset_builder.teaching.gate.gate import RejectedExample


class Outcome:
    """Counts as the examples of a run pass by; of a figure it keeps a number and a reason."""

    def __init__(self, teacher: str, replies: Mapping[str, int], is_by_llm: bool):
        """`teacher` is the column's, `replies` are those without an answer by their status. `is_by_llm`: a language
        model has written the answers, or judged them."""
        self.teacher, self.replies, self._is_by_llm = teacher, replies, is_by_llm
        self.counts: dict[str, int] = {}  # task -> examples
        self.disarmed: Counter[str] = Counter()  # task -> examples with special tokens in their text
        self.verdicts: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()  # reason -> examples
        self.spared: list[str] = []  # tasks whose config stays as it was
        self._taught: Counter[str] = Counter()  # task -> the teacher's own examples that passed
        self._reasons: dict[str, Counter[str]] = {}  # task -> why the teacher's own ones did not
        self._with_example: set[int] = set()  # figures
        self._without: dict[int, str] = {}  # figure -> why

    # ---- as they pass

    def silent(self, figure_id: str, why: str) -> None:
        """The teacher has not answered a question about this figure."""
        self._without.setdefault(hash(figure_id), why)

    def reject(self, row: RejectedExample) -> None:
        """The gate, or the verifier, has rejected an example."""
        self.rejected[row["reason"]] += 1
        if row["task"] in TASKS:
            self._without[hash(row["figure_id"])] = row["reason"]  # says more than that another task has no answer
            if row["teacher"] == self.teacher:
                self._reasons.setdefault(row["task"], Counter())[row["reason"]] += 1

    def passing(self, examples: Iterable[dict]) -> Iterator[dict]:
        """The same examples, counted."""
        for example in examples:
            if example["task"] in TASKS:
                self._with_example.add(hash(example["figure_id"]))
                self._taught[example["task"]] += example["teacher"] == self.teacher
            yield example

    # ---- at the end

    def check(self, n_figures: int) -> None:
        """Raises RuntimeError where nothing came out, or nothing of what an LLM wrote: what was there is better."""
        if not any(self.counts.values()):
            raise RuntimeError(f"no example came out of {n_figures} figures; replies: {dict(self.replies) or 'none'}")
        if self._is_by_llm and self._reasons and not self._taught.total():
            reasons = _listed(sum(self._reasons.values(), Counter()))
            raise RuntimeError(
                f"no example of {self.teacher} passed the gate (rejected: {reasons}): the dataset is left as it was"
            )

    @property
    def all_rejected(self) -> list[str]:
        """The tasks of which an LLM's examples were all rejected: what was there before is better, here too."""
        return [task for task in TASKS if self._is_by_llm and self._reasons.get(task) and not self._taught[task]]

    def recorded(self) -> dict[str, Any]:
        """For the manifest."""
        results: dict[str, Any] = {"counts": self.counts, "replies": dict(self.replies)}
        results |= {"disarmed": dict(+self.disarmed), "rejected": dict(sorted(self.rejected.items()))}
        return results | {"verdicts": dict(self.verdicts)} | ({"left_as_before": self.spared} if self.spared else {})

    def lines(self) -> list[str]:
        """For the terminal."""
        lines = [f"{task:<10} {n:>7} examples" for task, n in self.counts.items()]
        lines += [f"{status:<10} {n:>7} replies without an example" for status, n in sorted(self.replies.items())]
        lines += [f"{reason:<20} {n:>7} examples rejected" for reason, n in sorted(self.rejected.items())]
        lines += [f"{verdict:<20} {n:>7} answers, says the verifier" for verdict, n in sorted(self.verdicts.items())]
        lines += [
            f"{task:<10} {n:>7} of them had special tokens in their text, made ordinary"
            for task, n in (+self.disarmed).items()
        ]
        lines += [
            f"Warning: `{task}` is left as it was, with {self.counts[task]} examples: all that {self.teacher} gave "
            f"were rejected ({_listed(self._reasons[task])})"
            for task in self.spared
        ]
        return lines + self._lines_of_figures() + self._lines_of_replies()

    def _lines_of_figures(self) -> list[str]:
        why = Counter(reason for figure, reason in self._without.items() if figure not in self._with_example)
        n_figures = len(self._with_example | self._without.keys())
        return [f"{why.total()} of {n_figures} figures have no example of a task: {_listed(why)}"] if why else []

    def _lines_of_replies(self) -> list[str]:
        has_unread = self.replies.get("unparsable") or self.replies.get("truncated")
        return ["--retry_unparsable asks again where a reply could not be read"] if has_unread else []


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
