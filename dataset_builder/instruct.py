"""`ldrt instruct DATASET`: `pairs` -> configs `align`, `detail`, `reasoning`, `instruct` of the same folder.

    ldrt instruct dataset                                     # offline, sentences of the article
    ldrt instruct dataset --teacher openai --base_url http://localhost:8000/v1 --model Qwen/Qwen2-72B-Instruct
    ldrt instruct dataset --teacher openai --model gpt-4 --dry_run true        # how many calls, how many words
    ldrt instruct dataset-without --context none              # an ablation: a copy of `dataset`, training rows changed

Every reply of an LLM is kept in `DATASET/.work/teacher.jsonl` before it is used: run again after an interruption, and
only what is missing is asked for.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dataset_builder.llm.requests import Server

_PACKAGES = ("ldrt-vlm", "datasets", "aiohttp")


@dataclass
class Options:
    """Options of `ldrt instruct`."""

    dataset: str = field(metadata={"help": "dataset repo folder made by `ldrt build`", "positional": True})
    teacher: Literal["extractive", "openai"] = field(
        default="extractive",
        metadata={
            "help": "`extractive`: offline, picks sentences; `openai`: an LLM behind an OpenAI-compatible server"
        },
    )
    base_url: str = field(default="https://api.openai.com/v1", metadata={"help": "address of the LLM server"})
    model: str | None = field(default=None, metadata={"help": "the LLM's name at the server (teacher `openai`)"})
    revision: str | None = field(default=None, metadata={"help": "the LLM's revision, for the record"})
    temperature: float = field(default=0.0, metadata={"help": "sampling temperature of the LLM"})
    max_tokens: int = field(default=1024, metadata={"help": "longest reply of the LLM, tokens"})
    context: Literal["own", "none", "shuffled"] = field(
        default="own",
        metadata={
            "help": "the sentences that the teacher sees beside a caption, in the training split: the figure's own, "
            "none, or those of a figure of another article (ablations; the held-out splits always have their own)"
        },
    )
    concurrency: int = field(default=16, metadata={"help": "requests under way at once"})
    dry_run: bool = field(
        default=False, metadata={"help": "only count the calls that are left and their words, and estimate the time"}
    )


def run(options: Options) -> str:
    """Write the instruction configs; returns how many examples each has.

    Raises FileNotFoundError without config `pairs`, ValueError without a model, ConnectionError or PermissionError
    when the LLM server cannot be used, RuntimeError when no example came out.
    """
    from dataset_builder.files.jsonfiles import write_jsonl
    from dataset_builder.ldrt import write_config
    from dataset_builder.manifest import write_stage
    from dataset_builder.teaching.context import given_context, read_pairs

    dataset = Path(options.dataset)
    rows = given_context(read_pairs(dataset), options.context)
    if options.teacher == "openai" and not options.model:
        raise ValueError("the teacher `openai` needs --model, the LLM's name at the server")
    ledger = dataset / ".work" / "teacher.jsonl"
    if options.dry_run:
        return _cost(rows, options, ledger)
    answers, failed = _answers(rows, options, ledger)
    counts = {}
    for task in ("align", "detail", "reasoning"):
        file = dataset / ".work" / f"{task}.jsonl"
        counts[task] = write_jsonl(file, _examples(rows, task, answers, options))
        if counts[task]:
            write_config(dataset, task, file)
        else:
            shutil.rmtree(dataset / task, ignore_errors=True)
    if not any(counts.values()):
        raise RuntimeError(f"no example came out of {len(rows)} figures; replies: {dict(failed) or 'none'}")
    recorded = ("teacher", "model", "revision", "temperature", "max_tokens") if options.model else ("teacher",)
    _write_eval_yaml(dataset, [task for task in ("detail", "reasoning") if counts[task]])
    settings = {name: getattr(options, name) for name in (*recorded, "context")}
    write_stage(dataset, "instruct", _PACKAGES, options=settings, counts=counts, replies=dict(failed))
    lines = [f"{task:<10} {n:>7} examples" for task, n in counts.items()]
    return "\n".join(
        lines + [f"{status:<10} {n:>7} replies without an example" for status, n in sorted(failed.items())]
    )


def _answers(rows: list[dict], options: Options, ledger: Path) -> tuple[dict[tuple[str, str], dict], Counter]:
    """(figure_id, task) -> question, answer, evidence; and the replies that gave none, by status."""
    from dataset_builder.teaching.extractive import extractive

    if options.teacher == "extractive":
        made = {(row["figure_id"], task): extractive(row, task) for row, task in _wanted(rows)}
        return {key: value for key, value in made.items() if value}, Counter()
    records = _ask(rows, options, ledger)
    answers = {(r["figure_id"], r["task"]): r["parsed"] for r in records if r["status"] == "ok"}
    failed = Counter(r["status"] for r in records if r["status"] != "ok")
    failed.update("declined" for answer in answers.values() if answer["answer"] is None)
    return {key: value for key, value in answers.items() if value["answer"] is not None}, failed


def _wanted(rows: list[dict]) -> list[tuple[dict, str]]:
    """(row, task): what a teacher is asked, of the figures that have something to go on."""
    from dataset_builder.teaching.evidence import TASKS

    return [(row, task) for row in rows for task in TASKS if row["caption"] or row["context"]]


def _ask(rows: list[dict], options: Options, ledger: Path) -> list[dict]:
    from dataset_builder.llm.client import ask
    from dataset_builder.teaching.llm_teacher import request

    requests = [request(row, task) for row, task in _wanted(rows)]
    return list(ask(requests, _server(options), ledger).values())


def _cost(rows: list[dict], options: Options, ledger: Path) -> str:
    """What is left to ask an LLM; with the teacher `extractive`, what it would be."""
    from dataset_builder.llm.cost import estimate
    from dataset_builder.llm.requests import by_key
    from dataset_builder.teaching.llm_teacher import request

    server = _server(options)
    requests = [request(row, task) for row, task in _wanted(rows)]
    wanted = by_key(requests, server.model, server.revision, server.temperature)
    return str(estimate(wanted, ledger, server.concurrency))


def _server(options: Options) -> "Server":
    from dataset_builder.llm.requests import Server

    return Server(
        base_url=options.base_url,
        model=options.model or "",  # a dry run may come before the choice of a model
        revision=options.revision,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        concurrency=options.concurrency,
    )


def _examples(rows: list[dict], task: str, answers: dict, options: Options) -> Iterator[dict]:
    from dataset_builder.teaching.evidence import evidence_sentences, support

    teacher = options.model if options.teacher == "openai" else "extractive"
    teacher = f"{teacher}@{options.revision}" if options.revision else teacher
    for row in rows:
        sentences = {(source, i): text for source, i, text in evidence_sentences(row)}
        if task == "align":
            made = row["caption"] and {"question": "", "answer": row["caption"], "evidence": _whole_caption(sentences)}
        else:
            made = answers.get((row["figure_id"], task))
        if made:
            yield {
                "split": row["split"],
                "prompt": [{"role": "user", "content": made["question"]}],
                "completion": [{"role": "assistant", "content": made["answer"]}],
                "task": task,
                "example_id": f"{row['figure_id']}/{task}",
                "figure_id": row["figure_id"],
                "article_id": row["article_id"],
                "license": row["license"],
                "teacher": "extractive" if task == "align" else teacher,
                "prompt_sha256": _prompt_sha256(options.teacher, task, row["language"]),
                "context_of": None if task == "align" else row["context_of"],
                "evidence": [e for e in made["evidence"] if (e["source"], e["sentence"]) in sentences],
                "support": support(made["answer"], sentences.values()),
            }


def _prompt_sha256(teacher: str, task: str, language: str | None) -> str | None:
    """The hash of the file that the question, or the LLM's prompt, comes from; None for `align`, which asks nothing."""
    from dataset_builder.teaching.extractive import questions_sha256
    from dataset_builder.teaching.llm_teacher import prompt_sha256

    if task == "align":
        return None
    return questions_sha256(language) if teacher == "extractive" else prompt_sha256(task)


def _write_eval_yaml(dataset: Path, tasks: list[str]) -> None:
    """Declare the test tasks as the Hub's benchmarks do (`eval.yaml` in the root of a dataset repo)."""
    import yaml

    about = {
        "name": "Biomedical figures: description and reasoning",
        "description": "Questions about figures of articles that are not in the training data.",
        "evaluation_framework": "ldrt-vlm",
        "tasks": [{"id": task, "config": task, "split": "test"} for task in tasks],
    }
    (dataset / "eval.yaml").write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")


def _whole_caption(sentences: dict) -> list[dict]:
    return [{"source": source, "sentence": i} for source, i in sentences if source == "caption"]
