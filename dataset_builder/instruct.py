"""`ldrt instruct DATASET`: `pairs` -> configs `align`, `detail`, `reasoning`, `instruct` of the same folder.

    ldrt instruct dataset                                     # offline, sentences of the article
    ldrt instruct dataset --teacher openai --base_url http://localhost:8000/v1 --model Qwen/Qwen2-72B-Instruct
    ldrt instruct dataset --teacher openai --model gpt-4o --price_in 2.5 --price_out 10 --dry_run true   # what is left
    ldrt instruct dataset --teacher openai --model gpt-4o --batch true        # half the price, within a day
    ldrt instruct dataset --teacher openai --model o4-mini --request '{"max_completion_tokens": 4096, "temperature":
        null}'                                                # a model that refuses `max_tokens` and `temperature`
    ldrt instruct dataset --teacher given                     # only the questions that came with the pictures
    ldrt instruct dataset-without --context none              # an ablation: a copy of `dataset`, training rows changed

Every reply of an LLM is kept in `DATASET/.work/teacher.jsonl` before it is used: run again after an interruption, and
only what is missing is asked for. The configs are written when all is answered: a teacher that fails changes nothing.
Figures that came with questions (a `figures.csv`) keep these, whatever the teacher.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dataset_builder.llm.requests import Request, Server
    from dataset_builder.teaching.asking.ledger_answers import LedgerAnswers
    from dataset_builder.teaching.examples import Answers
    from dataset_builder.teaching.gate.gate import Gate
    from dataset_builder.teaching.wording import Wording

_PACKAGES = ("ldrt-vlm", "datasets", "aiohttp")


@dataclass
class Options:
    """Options of `ldrt instruct`."""

    dataset: str = field(metadata={"help": "dataset repo folder made by `ldrt build`", "positional": True})
    teacher: Literal["extractive", "openai", "given"] = field(
        default="extractive",
        metadata={
            "help": "`extractive`: offline, picks sentences; `openai`: an LLM behind an OpenAI-compatible server; "
            "`given`: nobody, only the questions that came with figures (they are kept with every teacher)"
        },
    )
    base_url: str = field(default="https://api.openai.com/v1", metadata={"help": "address of the LLM server"})
    model: str | None = field(default=None, metadata={"help": "the LLM's name at the server (teacher `openai`)"})
    revision: str | None = field(default=None, metadata={"help": "the LLM's revision, for the record"})
    temperature: float = field(default=0.0, metadata={"help": "sampling temperature of the LLM"})
    max_tokens: int = field(default=1024, metadata={"help": "longest reply of the LLM, tokens"})
    request: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "help": "JSON: fields of the request that are added or replace ours; null leaves one out, for models that "
            'refuse it: \'{"max_completion_tokens": 2048, "temperature": null}\''
        },
    )
    context: Literal["own", "none", "shuffled"] = field(
        default="own",
        metadata={
            "help": "the sentences that the teacher sees beside a caption, in the training split: the figure's own, "
            "none, or those of a figure of another article (ablations; the held-out splits always have their own)"
        },
    )
    context_file: str | None = field(
        default=None,
        metadata={
            "help": 'a curator\'s context, lines {"figure_id": "…", "context": ["a sentence", …]}: in training rows '
            "these sentences take the place of a figure's own; figures without a line keep theirs"
        },
    )
    domain: str | None = field(
        default=None, metadata={"help": "YAML file of a domain with prompts or questions of its own"}
    )
    prompts: str | None = field(
        default=None,
        metadata={
            "help": "folder with prompts of an LLM in place of the domain's or the general ones: detail.md, "
            "detail.kinds.yaml, detail.examples.jsonl, and the same of reasoning; what it lacks is the general one"
        },
    )
    examples_per_figure: int = field(
        default=1, metadata={"help": "questions of each task about a figure, each of another kind (TASK.kinds.yaml)"}
    )
    panels: bool = field(
        default=False,
        metadata={"help": "also ask about each panel that has a caption: its part of the picture, its caption alone"},
    )
    see_picture: bool = field(
        default=False, metadata={"help": "send the picture, too: for LLMs that see (not counted by --dry_run)"}
    )
    answer_language: Literal["own", "en"] = field(
        default="own", metadata={"help": "what an LLM writes in: `own`, the language of the caption, or `en`, English"}
    )
    min_support: float = field(
        default=0.7,
        metadata={"help": "least share of an answer's numbers, terms and names that its evidence must have"},
    )
    tokenizer: str | None = field(
        default=None,
        metadata={"help": "Hub id or folder whose tokenizer counts an example's tokens; without it they are estimated"},
    )
    max_example_tokens: int = field(
        default=1400,
        metadata={"help": "longest question and answer, tokens: the recipe's `max_length` less those of the picture"},
    )
    verifier: str | None = field(
        default=None,
        metadata={"help": "a second LLM, of another family than the teacher, that checks every answer by its evidence"},
    )
    verifier_url: str | None = field(
        default=None, metadata={"help": "address of the verifier's server, where it is not `base_url`"}
    )
    concurrency: int = field(default=16, metadata={"help": "requests under way at once"})
    requests_per_minute: float | None = field(default=None, metadata={"help": "no more requests than that a minute"})
    tokens_per_minute: float | None = field(
        default=None, metadata={"help": "no more tokens, of prompts and replies, than that a minute"}
    )
    price_in: float = field(
        default=0.0, metadata={"help": "money for a million tokens of prompts (--dry_run, --max_cost)"}
    )
    price_out: float = field(default=0.0, metadata={"help": "money for a million tokens of replies"})
    max_cost: float | None = field(
        default=None, metadata={"help": "stop before this run costs more, at these prices; what was answered is kept"}
    )
    batch: bool = field(
        default=False,
        metadata={"help": "ask through the server's Batch API: cheaper, answers within a day; run again to go on"},
    )
    dry_run: bool = field(
        default=False, metadata={"help": "only say what is left: calls, tokens, time and, with prices, money"}
    )


def run(options: Options) -> str:
    """Write the instruction configs; returns how many examples each has.

    Raises FileNotFoundError without config `pairs`, ValueError without a model, without given questions or for options
    that contradict each other, ConnectionError or PermissionError when the LLM server cannot be used, RuntimeError when
    it refuses, when no reply of a task can be used, or when no example came out. Whatever is raised, the configs are as
    they were.
    """
    from dataset_builder.files.jsonfiles import write_jsonl
    from dataset_builder.manifest import write_stage
    from dataset_builder.teaching.context import check_curated, count_pairs, given_context, read_curated, read_pairs
    from dataset_builder.teaching.evidence import TASKS, caption_sentences
    from dataset_builder.teaching.examples import (
        align_examples,
        instruction_examples,
        without_special_tokens,
    )
    from dataset_builder.teaching.gate.verifier import verified
    from dataset_builder.teaching.panels import with_panels

    dataset = Path(options.dataset)
    curated = read_curated(Path(options.context_file)) if options.context_file else {}

    def rows(context: str = options.context) -> Iterator[dict]:
        pairs = read_pairs(dataset)
        return given_context(with_panels(pairs) if options.panels else pairs, context, curated)

    _check(options, rows())
    if options.context_file:
        check_curated(Path(options.context_file), curated, read_pairs(dataset))
    wording = _wording(options)
    ledger = dataset / ".work" / "teacher.jsonl"
    if options.dry_run:
        return _cost(rows, options, wording, ledger)
    teacher, answers, failed = _taught(rows, options, wording, ledger)
    made = {"align": align_examples(rows("none"))}  # made of captions alone: no other figure's licence is its
    made |= {
        task: instruction_examples(rows(), task, answers, teacher, wording, options.examples_per_figure)
        for task in TASKS
    }
    gate = _gate(options, wording)
    passed: Mapping[str, Iterable[dict]] = {task: gate.passed(of_it, rows()) for task, of_it in made.items()}
    verdicts: Counter[str] = Counter()
    if options.verifier:
        passed, verdicts = verified(passed, gate, rows(), _verifier(options), dataset / ".work" / "verifier.jsonl")
    disarmed: Counter[str] = Counter()
    counts = {task: _make(dataset, task, without_special_tokens(of_it, disarmed)) for task, of_it in passed.items()}
    if not any(counts.values()):
        raise RuntimeError(f"no example came out of {count_pairs(dataset)} figures; replies: {dict(failed) or 'none'}")
    if options.teacher == "openai":
        of_tasks = Counter(row["reason"] for row in gate.rejected if row["task"] in TASKS)
        _check_passed(sum(counts[task] for task in TASKS), of_tasks, teacher)
    for task, count in counts.items():
        _write(dataset, task, count)
    _write_eval_yaml(dataset, [task for task in TASKS if any((dataset / task).glob("test-*.parquet"))])
    (dataset / "provenance").mkdir(exist_ok=True)  # a dataset from the Hub may have none
    write_jsonl(dataset / "provenance" / "rejected_examples.jsonl", gate.rejected)
    write_jsonl(dataset / ".work" / "caption_sentences.jsonl", caption_sentences(read_pairs(dataset)))
    results = {"counts": counts, "replies": dict(failed), "disarmed": dict(+disarmed)}
    results |= {"rejected": gate.counts(), "verdicts": dict(verdicts)}
    write_stage(dataset, "instruct", _PACKAGES, options=_recorded(options), **results)
    lines = [f"{task:<10} {n:>7} examples" for task, n in counts.items()]
    lines += [f"{status:<10} {n:>7} replies without an example" for status, n in sorted(failed.items())]
    lines += [f"{reason:<20} {n:>7} examples rejected" for reason, n in gate.counts().items()]
    lines += [f"{verdict:<20} {n:>7} answers, says the verifier" for verdict, n in sorted(verdicts.items())]
    lines += [
        f"{task:<10} {n:>7} of them had special tokens in their text, made ordinary" for task, n in (+disarmed).items()
    ]
    return "\n".join(lines)


def _check(options: Options, rows: Iterable[dict]) -> None:
    """Raises ValueError for a teacher that cannot teach, and for options that contradict each other."""
    from dataset_builder.teaching.gate.verifier import refuse_kin

    if options.teacher == "openai" and not options.model:
        raise ValueError("the teacher `openai` needs --model, the LLM's name at the server")
    if unused := _only_for_an_llm(options):
        raise ValueError(f"{', '.join(unused)}: only for --teacher openai; the teacher `{options.teacher}` asks nobody")
    if options.examples_per_figure < 1:
        raise ValueError(f"--examples_per_figure {options.examples_per_figure}: needs 1 or more")
    if options.context_file and options.context != "own":
        raise ValueError(f"--context_file gives a curator's context, --context {options.context} another: choose one")
    if options.verifier:
        refuse_kin(options.verifier, (options.model or "") if options.teacher == "openai" else options.teacher)
    if options.max_cost is not None and not (options.price_in or options.price_out):
        raise ValueError("--max_cost needs --price_in and --price_out, the money for a million tokens")
    if options.teacher == "given" and not any(row["questions"] for row in rows):
        raise ValueError(
            f"no figure of {options.dataset} came with questions; the teacher `given` needs a figures.csv with the "
            "columns picture, question and answer among the articles that `ldrt build` read"
        )


def _only_for_an_llm(options: Options) -> list[str]:
    """The options that change nothing with this teacher; a dry run says what an LLM would cost."""
    if options.teacher == "openai" or options.dry_run:
        return []
    asked = {
        "--examples_per_figure": options.examples_per_figure != 1,
        "--see_picture": options.see_picture,
        "--answer_language": options.answer_language != "own",
        "--prompts": options.prompts is not None,
    }
    return [name for name, is_set in asked.items() if is_set]


def _wording(options: Options) -> "Wording":
    from dataset_builder.domain import read_domain
    from dataset_builder.teaching.wording import wording_of

    domain = read_domain(Path(options.domain)) if options.domain else None
    general = wording_of(domain, Path(options.prompts) if options.prompts else None)
    wording = replace(general, answer_language=options.answer_language, sees_picture=options.see_picture)
    if options.teacher == "openai" or options.dry_run:
        wording.check(options.examples_per_figure)
    return wording


def _check_passed(n_examples: int, rejected: Mapping[str, int], teacher: str) -> None:
    """Raises RuntimeError where the gate has rejected all that an LLM wrote: what was there before is better."""
    if rejected and not n_examples:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(rejected.items()))
        raise RuntimeError(
            f"no example of {teacher} passed the gate (rejected: {reasons}): the dataset is left as it was"
        )


def _taught(
    rows: Callable[[], Iterable[dict]], options: Options, wording: "Wording", ledger: Path
) -> tuple[str, "Answers", Counter]:
    """The teacher, as the column has it, its answers, and how many replies gave none, by status."""
    from dataset_builder.teaching.examples import EXTRACTIVE, GIVEN, extractive_answers

    if options.teacher == "given":
        return GIVEN, {}, Counter()
    if options.model is None or options.teacher == "extractive":
        return EXTRACTIVE, extractive_answers(rows(), wording), Counter()
    teacher = f"{options.model}@{options.revision}" if options.revision else options.model
    answers = _ask(rows, options, wording, ledger)
    return teacher, answers, sum(answers.without.values(), Counter())


def _ask(rows: Callable[[], Iterable[dict]], options: Options, wording: "Wording", ledger: Path) -> "LedgerAnswers":
    """The LLM's answers, of which there are some for each task."""
    from dataset_builder.llm.batch import ask_in_batches
    from dataset_builder.llm.client import ask_each
    from dataset_builder.llm.index import Index
    from dataset_builder.teaching.asking.ledger_answers import LedgerAnswers

    server = _server(options)

    def wanted() -> Iterator[tuple[str, "Request"]]:
        return _requests(rows, options, wording)

    if options.batch:
        ask_in_batches(wanted, server, ledger)
    else:
        index = Index(ledger)
        left = sum(not index.is_ok(key) for key, _ in wanted())
        ask_each(((key, request) for key, request in wanted() if not index.is_ok(key)), left, server, ledger)
    answers = LedgerAnswers(ledger, wanted())
    answers.check(f"{server.model} at {server.base_url}")
    return answers


def _requests(
    rows: Callable[[], Iterable[dict]], options: Options, wording: "Wording"
) -> Iterator[tuple[str, "Request"]]:
    """What the LLM is asked, by its key in the ledger."""
    from dataset_builder.teaching.asking.llm_teacher import request
    from dataset_builder.teaching.examples import questions_to_ask
    from dataset_builder.teaching.panels import with_picture_urls

    server = _server(options)
    seen = with_picture_urls(rows(), Path(options.dataset)) if options.see_picture else rows()
    for row, task, number in questions_to_ask(seen, options.examples_per_figure):
        asked = request(row, task, wording, number)
        yield server.key(asked), asked


def _cost(rows: Callable[[], Iterable[dict]], options: Options, wording: "Wording", ledger: Path) -> str:
    """What is left to ask an LLM; with the teacher `extractive`, what it would be."""
    from dataset_builder.llm.cost import estimate

    server = _server(options)
    return str(estimate(_requests(rows, options, wording), ledger, server))


def _gate(options: Options, wording: "Wording") -> "Gate":
    """The gate with the limits of the options; it knows the prompts that an LLM is given."""
    from dataset_builder.teaching.evidence import TASKS
    from dataset_builder.teaching.gate.exam import Limits
    from dataset_builder.teaching.gate.gate import Gate
    from dataset_builder.teaching.gate.tokens import counter

    limits = Limits(min_support=options.min_support, max_example_tokens=options.max_example_tokens)
    if options.answer_language != "own":
        limits = replace(limits, answer_language=options.answer_language)
    prompts = {task: wording.prompt(task, evidence="") for task in TASKS} if options.teacher == "openai" else {}
    return Gate(limits, counter(options.tokenizer), prompts)


def _verifier(options: Options) -> "Server":
    url = options.verifier_url or options.base_url
    return replace(_server(options), base_url=url, model=options.verifier or "", revision=None, temperature=0.0)


def _server(options: Options) -> "Server":
    from dataset_builder.llm.requests import Price, Server

    return Server(
        base_url=options.base_url,
        model=options.model or "",  # a dry run may come before the choice of a model
        revision=options.revision,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        concurrency=options.concurrency,
        request=options.request,
        requests_per_minute=options.requests_per_minute,
        tokens_per_minute=options.tokens_per_minute,
        price=Price(options.price_in, options.price_out),
        max_cost=options.max_cost,
    )


def _make(dataset: Path, task: str, examples: Iterable[dict]) -> int:
    """Write the rows of a task's config where they wait for `_write`; returns their number."""
    from dataset_builder.files.jsonfiles import write_jsonl

    (dataset / ".work").mkdir(exist_ok=True)  # a dataset from the Hub has none
    return write_jsonl(_made(dataset, task), examples)


def _write(dataset: Path, task: str, count: int) -> None:
    """Write the config of a task, or take it away where it would be empty."""
    from dataset_builder.ldrt import write_config

    if count:
        write_config(dataset, task, _made(dataset, task))
    else:
        shutil.rmtree(dataset / task, ignore_errors=True)


def _made(dataset: Path, task: str) -> Path:
    return dataset / ".work" / f"{task}.jsonl"


def _recorded(options: Options) -> dict:
    """The options that the manifest has: those that can change an example."""
    names = ["teacher", "context", "min_support", "max_example_tokens"]
    names += [name for name in ("tokenizer", "verifier") if getattr(options, name)]
    if options.model:
        names[1:1] = ["model", "revision", "temperature", "max_tokens", *(["request"] if options.request else [])]
    defaults = {"examples_per_figure": 1, "panels": False, "see_picture": False, "answer_language": "own"}
    names += [name for name, default in defaults.items() if getattr(options, name) != default]
    recorded = {name: getattr(options, name) for name in names}
    if options.context_file:
        recorded["context_file"] = hashlib.sha256(Path(options.context_file).read_bytes()).hexdigest()
    return recorded


def _write_eval_yaml(dataset: Path, tasks: list[str]) -> None:
    """Declare the test tasks, if there are any, as the Hub does: `eval.yaml` in the root of a dataset repo."""
    import yaml

    if not tasks:
        (dataset / "eval.yaml").unlink(missing_ok=True)
        return

    about = {
        "name": "Biomedical figures: description and reasoning",
        "description": "Questions about figures of articles that are not in the training data.",
        "evaluation_framework": "ldrt-vlm",
        "tasks": [{"id": task, "config": task, "split": "test"} for task in tasks],
    }
    (dataset / "eval.yaml").write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")
