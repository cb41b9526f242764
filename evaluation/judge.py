"""RUN/predictions.jsonl -> RUN/judgements.jsonl: a language model grades every answer from 0 to 10, and its controls.

    ldrt judge runs/tuned --judge Qwen/Qwen2-72B-Instruct --base_url http://localhost:8000/v1 --revision 1af63c6
    ldrt judge runs/tuned --judge Qwen/Qwen2-7B-Instruct --backend local       # no server: likelihood of each score
    ldrt judge runs/tuned --judge Qwen/Qwen2-72B-Instruct --dry_run true       # calls, words, time
    ldrt judge runs/tuned --judge Qwen/Qwen2-72B-Instruct --against runs/base  # which of two answers is better

A panel is the command once for each judge. The judge reads question, reference, caption, context and answer, never the
picture. Every reply is on the disk before it counts; run the command again after any interruption, and only what has no
score is asked again.
"""

import hashlib
import re
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Literal

_ASSUMED_LATENCY_S = 5.0  # of a call, for --dry_run, until the judge's own is known
_TOKENS_PER_WORD = 1.5
_LOCAL_CHUNK = 32  # answers scored by a local model between two writes

# Words of a model's name -> the family of models it belongs to: its makers, data and habits.
_FAMILIES = {
    "qwen": r"qwen|qwq",
    "llama": r"llama|vicuna|llava|alpaca|tulu|nemotron",
    "gpt": r"gpt|(?<![a-z0-9])o[134](?![a-z0-9])|davinci",
    "claude": r"claude",
    "gemini": r"gemini|palm",
    "gemma": r"gemma",
    "mistral": r"mistral|mixtral|ministral|magistral|zephyr",
    "deepseek": r"deepseek",
    "phi": r"(?<![a-z])phi(?![a-z])",
    "glm": r"glm",
    "command": r"command-?[ra]|aya(?![a-z])|cohere",
    "grok": r"grok",
    "kimi": r"kimi|moonshot",
    "yi": r"(?<![a-z])yi(?![a-z])",
    "internlm": r"intern(?:lm|vl)",
    "falcon": r"falcon",
    "granite": r"granite",
    "olmo": r"olmo",
}


@dataclass
class Options:
    run: str = field(metadata={"help": "run folder made by `ldrt generate`", "positional": True})
    judge: str = field(metadata={"help": "the judge's name at the server; with backend `local` a Hub id or folder"})
    backend: Literal["openai", "local"] = field(
        default="openai",
        metadata={"help": "openai: any OpenAI-compatible server; local: likelihood of the scores, computed here"},
    )
    base_url: str = field(default="https://api.openai.com/v1", metadata={"help": "address of the judge's server"})
    revision: str | None = field(
        default=None, metadata={"help": "the judge's revision, for the record; local: to load"}
    )
    temperature: float = field(default=0.0, metadata={"help": "sampling temperature of the judge"})
    max_tokens: int = field(default=512, metadata={"help": "longest reply, tokens; judges that think aloud need more"})
    concurrency: int = field(default=16, metadata={"help": "requests under way at once"})
    image_conditions: list[str] = field(
        default_factory=lambda: ["true"], metadata={"help": "judge the answers to these pictures: true, blank, …"}
    )
    controls: int = field(
        default=50,
        metadata={
            "help": "so many times each: the reference, another article's reference and nothing as the answer, and the "
            "same question again"
        },
    )
    limit: int | None = field(
        default=None, metadata={"help": "judge so many answers of each image condition, in a fixed random order"}
    )
    against: str | None = field(
        default=None, metadata={"help": "another run folder: which of the two answers is better, in both orders"}
    )
    rubrics: str | None = field(default=None, metadata={"help": "folder of other rubric files: TASK.md, pairwise.md"})
    device: str = field(default="auto", metadata={"help": "backend local: auto, cpu, cuda, cuda:1"})
    batch_size: int = field(default=4, metadata={"help": "backend local: answers at once"})
    dry_run: bool = field(default=False, metadata={"help": "only count the calls and words, and estimate the time"})


def run(options: Options) -> str:
    """Judge what is not judged yet; returns what came of it, with warnings about the judge.

    Raises FileNotFoundError without a run or a rubric, ValueError for options that do not fit, ConnectionError or
    PermissionError when the server cannot be used, RuntimeError when nothing was scored.
    """
    from dataset_builder.files.jsonfiles import read_json

    if options.concurrency < 1 or options.controls < 0 or (options.limit is not None and options.limit < 1):
        raise ValueError("concurrency and limit must be at least 1, controls at least 0")
    manifest = read_json(Path(options.run) / "manifest.json", f"ldrt generate --output {options.run}")
    if options.against:
        from evaluation.judging import pairwise

        return pairwise.run(options, manifest)
    requests = list(_requests(options))
    ledger = Path(options.run) / "judgements.jsonl"
    if options.dry_run:
        return "\n".join([*family_warning(options.judge, manifest), cost(requests, options, ledger)])
    records = ask(requests, options, ledger, "score")
    check_any(records, options)
    return _summary(options, manifest, ledger)


def answers(folder: Path, options: Options) -> list[dict]:
    """The newest predictions to judge, image condition by image condition, each in the same random order in any run.

    Raises ValueError where there are none.
    """
    from dataset_builder.files.jsonfiles import read_jsonl
    from evaluation.score import PREDICTIONS, latest

    kept = []
    predictions = [r for r in latest(read_jsonl(folder / PREDICTIONS)) if r["prediction"] is not None]
    for condition in options.image_conditions:
        of_it = [record for record in predictions if record["image_condition"] == condition]
        if not of_it:
            raise ValueError(f"{folder} has no answers with image condition {condition}: run `ldrt generate` first")
        of_it.sort(key=lambda record: hashlib.sha256(record["example_id"].encode()).digest())
        kept += of_it[: options.limit]
    return kept


def describe(prediction: dict, options: Options, prompt_sha256: str) -> dict:
    """What every record says of the answer and the judge."""
    about = {key: prediction[key] for key in ("example_id", "article_id", "task", "image_condition")}
    about |= {"judge": name(options.judge), "backend": options.backend, "prompt_sha256": prompt_sha256}
    return about | {"judge_revision": _revision(options.judge, options.revision, options.backend)}


def name(judge: str) -> str:
    """A folder by its name only: run folders are published, and paths of a machine are nobody's business."""
    return Path(judge).resolve().name if Path(judge).is_dir() else judge


def ask(requests: list, options: Options, ledger: Path, result: str) -> list[dict]:
    """The records of all requests, in their order; what the ledger has no result for is asked now."""
    from dataset_builder.llm import client as llm

    if options.backend == "local":
        records = _ask_local(requests, options, ledger)
    else:
        shared = ("base_url", "revision", "temperature", "max_tokens", "concurrency")
        server = llm.Server(model=name(options.judge), **{key: getattr(options, key) for key in shared})
        records = llm.ask(requests, server, ledger, result)
    return [records[key] for key in _keys(requests, options)]


def check_any(records: list[dict], options: Options) -> None:
    """Raises RuntimeError where no reply can be used."""
    if all(record["status"] != "ok" for record in records):
        statuses = ", ".join(f"{n} {status}" for status, n in Counter(r["status"] for r in records).most_common())
        first = next((record["error"] for record in records if record.get("error")), "no reason given")
        raise RuntimeError(f"{options.judge} judged none of {len(records)}: {statuses}; the first: {first}")


def cost(requests: list, options: Options, ledger: Path) -> str:
    """Calls that are left, words of their prompts, and how long they take if they take as long as those before."""
    from dataset_builder.llm.client import answered

    keys = _keys(requests, options)
    known = answered(ledger, keys)
    left = [r for key, r in zip(keys, requests, strict=True) if known.get(key, {}).get("status") != "ok"]
    words = sum(len(request.messages[0]["content"].split()) for request in left)
    text = f"{len(left)} calls with {words} words of prompt (about {round(words * _TOKENS_PER_WORD)} tokens)"
    seen = [record["latency_s"] for record in known.values() if record["status"] == "ok"]
    latency_s = statistics.median(seen) if seen else _ASSUMED_LATENCY_S
    at_once = options.concurrency if options.backend == "openai" else 1
    minutes = len(left) * latency_s / at_once / 60
    source = f"as {len(seen)} calls before" if seen else "assumed"
    return f"{text}; about {minutes:.0f} min with {at_once} at once and {latency_s:.1f} s a call ({source})"


def family(model: str) -> str | None:
    """The family that a model belongs to, by the first word of its name that tells; None where none does."""
    found = [(match.start(), known) for known, word in _FAMILIES.items() if (match := re.search(word, model.lower()))]
    return min(found)[1] if found else None


def family_warning(judge: str, manifest: dict) -> list[str]:
    """One line where a teacher of the references is of the judge's family, none otherwise."""
    shared = [teacher for teacher in manifest.get("teachers") or {} if family(teacher) == family(judge) is not None]
    if not shared:
        return []
    return [
        f"Warning: the judge {judge} and the teacher {', '.join(sorted(shared))}, who wrote the references, are of one "
        f"family ({family(judge)}): judges favour their own kind; add a judge of another"
    ]


def read_score(answer: str, reply: str) -> float:
    """The score in a judge's reply to `answer`; raises ValueError where there is none.

    A judge may quote the answer. Where that speaks of a score itself, only the reply's last line counts, or the reply
    as one JSON object.
    """
    from evaluation.metrics.judge.judge_core import parse_score

    last = reply.strip().splitlines()[-1] if reply.strip() else ""
    if "score" not in answer.lower() or reply.lstrip().startswith(("{", "```")):
        return parse_score(reply)
    if not re.match(r"\W*score\b", last, re.I):
        raise ValueError("the answer speaks of a score, and the reply's last line is no `SCORE: n`")
    return parse_score(last)


def load_rubric(task: str, options: Options):
    """The rubric file of a task, the project's own or the user's."""
    from evaluation.judging import rubric

    return rubric.load(task, Path(options.rubrics) if options.rubrics else rubric.FOLDER)


def _requests(options: Options) -> Iterator:
    """A request for every answer, then those of the controls."""
    from dataset_builder.files.jsonfiles import read_jsonl
    from dataset_builder.llm.client import Request
    from evaluation.judging.panel import answer_sha256
    from evaluation.score import EVIDENCE

    judged = answers(Path(options.run), options)
    evidence = {row["figure_id"]: row for row in read_jsonl(Path(options.run) / EVIDENCE)}
    rubrics = {task: load_rubric(task, options) for task in sorted({record["task"] for record in judged})}
    for record, control, answer in _with_controls(judged, options.controls):
        used = rubrics[record["task"]]
        about = describe(record, options, used.sha256) | {"answer_sha256": answer_sha256(answer), "control": control}
        messages = used.messages(record, evidence.get(record["figure_id"]), answer=answer)
        yield Request(messages, about, partial(read_score, answer))


def _with_controls(judged: list[dict], n: int) -> Iterator[tuple[dict, str | None, str]]:
    """(prediction, control or None, the answer to judge); controls are the first `n` of the first image condition."""
    yield from ((record, None, record["prediction"]) for record in judged)
    of_first = [record for record in judged if record["image_condition"] == judged[0]["image_condition"]]
    for i, record in enumerate(of_first[:n]):
        yield record, "reference", record["reference"]
        yield record, "empty", ""
        yield record, "retest", record["prediction"]
        shuffled = next((other for other in of_first[i + 1 :] + of_first[:i] if _is_another(other, record)), None)
        if shuffled:
            yield record, "shuffled", shuffled["reference"]


def _is_another(other: dict, record: dict) -> bool:
    """Whether the reference of `other` is a wrong answer to the question of `record`, of the right kind."""
    differs = all(other[key] != record[key] for key in ("article_id", "reference"))
    return differs and other["task"] == record["task"]


@cache
def _revision(judge: str, revision: str | None, backend: str) -> str | None:
    """What the record says: for a local judge the Hub commit or the hash of its files."""
    if backend != "local":
        return revision
    from evaluation.answering import checkpoints

    return checkpoints.find(judge, revision).revision


def _keys(requests: list, options: Options) -> list[str]:
    """The ledger's key of each request; a local judge does not sample."""
    temperature = options.temperature if options.backend == "openai" else 0.0
    revision = _revision(options.judge, options.revision, options.backend)
    return [request.key(name(options.judge), revision, temperature) for request in requests]


def _ask_local(requests: list, options: Options, ledger: Path) -> dict[str, dict]:
    """key -> record: the likelihood of each score under a model that is loaded here."""
    from dataset_builder.files.jsonfiles import append_jsonl
    from dataset_builder.files.progress import progress
    from dataset_builder.llm.client import answered

    wanted = dict(zip(_keys(requests, options), requests, strict=True))
    records = answered(ledger, wanted)
    todo = [key for key in wanted if records.get(key, {}).get("status") != "ok"]
    if not todo:
        return records
    from evaluation.judging import likelihood

    judge = likelihood.load(options.judge, options.revision, options.device, batch_size=options.batch_size)
    with progress(len(todo), "scores", name(options.judge)) as bar:
        for start in range(0, len(todo), _LOCAL_CHUNK):
            keys = todo[start : start + _LOCAL_CHUNK]
            scored = judge.score([wanted[key].messages for key in keys])
            served = {"model": name(options.judge)}
            rows = [{"key": k, **wanted[k].about, **served, **found} for k, found in zip(keys, scored, strict=True)]
            append_jsonl(ledger, rows)
            records |= {row["key"]: row for row in rows}
            bar.update(len(rows))
    return records


def _summary(options: Options, manifest: dict, ledger: Path) -> str:
    """Mean scores by image condition and task, then what `ldrt score` will say of this judge."""
    from dataset_builder.files.jsonfiles import read_jsonl
    from evaluation.judging.panel import counted, describe_judges, panel_text
    from evaluation.score import PREDICTIONS, latest

    predictions = latest(read_jsonl(Path(options.run) / PREDICTIONS))
    judge = name(options.judge)
    records = [r for r in counted(list(read_jsonl(ledger)), predictions) if r["judge"] == judge]
    scores: dict[tuple[str, str], list[float]] = {}
    for record in records:
        if record["control"] is None and record["status"] == "ok":
            scores.setdefault((record["image_condition"], record["task"]), []).append(record["score"])
    lines = [
        f"{judge}: mean score {statistics.fmean(of_it):.2f} ({task}, image condition {condition}, n {len(of_it)})"
        for (condition, task), of_it in sorted(scores.items())
    ]
    items = [
        {"image_condition": r["image_condition"], "scores": {}} for r in predictions if r["prediction"] is not None
    ]
    entries = describe_judges(records, items, {})
    lines += [*panel_text(entries, None), *_retest_text(entries[0]), *family_warning(options.judge, manifest)]
    return "\n".join([*lines, f"{ledger}; `ldrt score {options.run}` puts it into the scores"])


def _retest_text(entry: dict) -> list[str]:
    retest = entry["retest"]
    return [f"asked twice: {retest['mean_abs_difference']:.2f} points apart (n {retest['n']})"] if retest else []
