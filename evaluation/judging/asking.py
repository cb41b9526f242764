"""Asking one judge: which answers and controls, in which words, and how its replies are read."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from dataset_builder.files.jsonfiles import append_jsonl
from dataset_builder.files.progress import progress
from dataset_builder.llm import cost
from dataset_builder.llm.ledger import answered, is_ok
from dataset_builder.llm.requests import Request, Server
from evaluation.judgements import INJECTED, RETEST, answer_sha256, injected
from evaluation.judging import rubric
from evaluation.metrics.judge.judge_core import parse_score
from evaluation.run_folder import Evidence, Prediction
from trust.handovers import stamped

_LOCAL_CHUNK = 32  # answers scored by a local model between two writes
# Of a reply, for servers that hold a model to it: the reason first, because what is written later may follow from it.
SCORE_SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "score": {"type": "number", "minimum": 0, "maximum": 10}},
    "required": ["reason", "score"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Judge:
    """A language model that judges: behind an OpenAI-compatible server, or loaded here (backend `local`)."""

    server: Server  # how it is asked; its model is the name there, of a local judge the Hub id or folder
    backend: str  # openai | local
    in_batches: bool = False  # ask through the server's Batch API
    device: str = "auto"  # of a local judge
    batch_size: int = 4  # of a local judge: answers at once

    @property
    def model(self) -> str:
        return self.server.model

    @property
    def name(self) -> str:
        """A folder by its name only: run folders are published, and paths of a machine are nobody's business."""
        return Path(self.model).resolve().name if Path(self.model).is_dir() else self.model

    @property
    def is_local(self) -> bool:
        return self.backend == "local"

    @cached_property
    def known_revision(self) -> str | None:
        """What the record says: for a local judge the Hub commit or the hash of its files."""
        if not self.is_local:
            return self.server.revision
        from evaluation.answering import checkpoints  # takes torch and transformers

        return checkpoints.find(self.model, self.server.revision).revision

    @cached_property
    def asked(self) -> Server:
        """The judge as the ledger knows it; a local one does not sample."""
        named = replace(self.server, model=self.name, revision=self.known_revision)
        return replace(named, temperature=0.0, request={}, concurrency=1) if self.is_local else named


def answers_to_judge(
    predictions: list[Prediction], image_conditions: Sequence[str], limit: int | None, folder: Path
) -> list[Prediction]:
    """The answers, image condition by image condition, at most `limit` each, in the same random order in any run.

    Raises ValueError, naming the run `folder`, where there are none.
    """
    kept = []
    for condition in image_conditions:
        of_it = [r for r in predictions if r["image_condition"] == condition and r["prediction"] is not None]
        if not of_it:
            raise ValueError(f"{folder} has no answers with image condition {condition}: run `ldrt generate` first")
        of_it.sort(key=lambda record: hashlib.sha256(record["example_id"].encode()).digest())
        kept += of_it[:limit]
    return kept


def score_requests(
    answers: list[Prediction], evidence: dict[str, Evidence], judge: Judge, rubrics: Path, n_controls: int
) -> list[Request]:
    """A request for every answer, then those of the controls.

    `evidence` is by figure_id, `rubrics` a folder with a TASK.md for every task. Raises FileNotFoundError without one.
    """
    of_task = {task: rubric.load(task, rubrics) for task in sorted({record["task"] for record in answers})}
    asked = []
    for record, control, text in _with_controls(answers, n_controls):
        used = of_task[record["task"]]
        about = describe(record, judge, used.sha256) | {"answer_sha256": answer_sha256(text), "control": control}
        of_figure = evidence.get(record["figure_id"])
        messages = used.messages(record, of_figure, answer=text)
        others = rubric.shown_texts(record, of_figure)
        asked.append(Request(messages, about, partial(read_score, text, shown=others), SCORE_SCHEMA))
    return asked


def describe(prediction: Prediction, judge: Judge, prompt_sha256: str) -> dict:
    """What every record says of the answer and the judge."""
    return {
        "example_id": prediction["example_id"],
        "article_id": prediction["article_id"],
        "task": prediction["task"],
        "image_condition": prediction["image_condition"],
        "judge": judge.name,
        "backend": judge.backend,
        "prompt_sha256": prompt_sha256,
        "judge_revision": judge.known_revision,
    }


def read_score(answer: str, reply: str, shown: Sequence[str] = ()) -> float:
    """The score in a judge's reply to `answer`; raises ValueError, with the reason, where there is none.

    A judge may quote the answer or the other texts that it was `shown`: a score in them is not the judge's.
    """
    return parse_score(reply, [answer, *shown])


def ask(asked: Iterable[Request], judge: Judge, ledger: Path, result: str) -> list[dict]:
    """The records of all requests, in their order; what the ledger does not settle is asked now.

    `result` names the parsed reply in a record. A request of a batch that the server has lost has none. Raises what
    `llm.batch.ask_left` raises, and for a local judge what `likelihood.load` and its judge raise.
    """
    wanted = _by_key(asked, judge)
    if judge.is_local:
        records = _ask_local(wanted, judge, ledger)
    else:
        from dataset_builder.llm.batch import ask_left  # takes aiohttp, which a dry run need not wait for

        ask_left(wanted.items, judge.asked, ledger, judge.in_batches, result, stops_refused=False)
        records = answered(ledger, wanted)
    return [records[key] for key in wanted if key in records]


def estimate(asked: Iterable[Request], judge: Judge, ledger: Path) -> cost.Cost:
    """What it costs to ask what the ledger does not settle."""
    return cost.estimate(_by_key(asked, judge).items(), ledger, judge.asked)


def check_any(records: Sequence[dict], judge: Judge) -> None:
    """Raises RuntimeError where no reply can be used."""
    if all(record["status"] != "ok" for record in records):
        counts = Counter(record["status"] for record in records).most_common()
        statuses = ", ".join(f"{n} {status}" for status, n in counts)
        first = next((record["error"] for record in records if record.get("error")), "no reason given")
        raise RuntimeError(f"{judge.model} judged none of {len(records)}: {statuses}; the first: {first}")


def _with_controls(answers: list[Prediction], n: int) -> Iterator[tuple[Prediction, str | None, str]]:
    """(prediction, control or None, the text to judge); controls are the first `n` of the first image condition."""
    for record in answers:
        yield record, None, _text(record)
    of_first = [record for record in answers if record["image_condition"] == answers[0]["image_condition"]]
    for i, record in enumerate(of_first[:n]):
        yield record, "reference", record["reference"]
        yield record, "empty", ""
        yield record, RETEST, _text(record)
        yield record, INJECTED, injected(_text(record))
        others = of_first[i + 1 :] + of_first[:i]
        wrong = next((other for other in others if _is_wrong_for(other, record)), None)
        if wrong:
            yield record, "shuffled", wrong["reference"]


def _text(record: Prediction) -> str:
    assert record["prediction"] is not None, "only answers are judged"
    return record["prediction"]


def _is_wrong_for(other: Prediction, record: Prediction) -> bool:
    """Whether the reference of `other` is a wrong answer to the question of `record`, of the right kind."""
    return (
        other["task"] == record["task"]
        and other["article_id"] != record["article_id"]
        and other["reference"] != record["reference"]
    )


def _by_key(asked: Iterable[Request], judge: Judge) -> dict[str, Request]:
    """The requests as the ledger knows them."""
    return {judge.asked.key(request): request for request in asked}


def _ask_local(wanted: dict[str, Request], judge: Judge, ledger: Path) -> dict[str, dict]:
    """key -> record: the likelihood of each score under a model that is loaded here."""
    records = answered(ledger, wanted)
    todo = [key for key in wanted if not is_ok(records, key)]
    if not todo:
        return records
    from evaluation.judging import likelihood  # takes torch and transformers

    loaded = likelihood.load(judge.model, judge.server.revision, judge.device, batch_size=judge.batch_size)
    with progress(len(todo), "scores", judge.name) as bar:
        for start in range(0, len(todo), _LOCAL_CHUNK):
            keys = todo[start : start + _LOCAL_CHUNK]
            scored = loaded.score([wanted[key].messages for key in keys])
            rows = [
                stamped({"key": key, **wanted[key].about, "model": judge.name, **found})
                for key, found in zip(keys, scored, strict=True)
            ]
            append_jsonl(ledger, rows)
            records |= {row["key"]: row for row in rows}
            bar.update(len(rows))
    return records
