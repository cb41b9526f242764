"""`ldrt instruct DATASET`: `pairs` -> configs `align`, `detail`, `reasoning`, `instruct` of the same folder.

    ldrt instruct dataset                                     # offline, sentences of the article
    ldrt instruct dataset --teacher openai --base_url http://localhost:8000/v1 --model Qwen/Qwen2-72B-Instruct
    ldrt instruct dataset --teacher openai --model gpt-4o --price_in 2.5 --price_out 10 --dry_run   # what is left
    ldrt instruct dataset --teacher openai --model gpt-4o --batch        # half the price, within a day
    ldrt instruct dataset --teacher openai --model o4-mini --request '{"max_completion_tokens": 4096, "temperature":
        null}'                                                # a model that refuses `max_tokens` and `temperature`
    ldrt instruct dataset --teacher given                     # only the questions that came with the pictures
    ldrt instruct dataset-without --context none              # an ablation: a copy of `dataset`, training rows changed

Every reply of an LLM is kept in `DATASET/.work/teacher.jsonl` before it is used: run again after an interruption, and
only what is missing is asked for; what was paid for and cannot be read, only with --retry_unparsable. The configs
are written when all is answered: a teacher that fails changes nothing, and a task of which all that an LLM gave is
rejected keeps the config that it has. Figures that came with questions (a `figures.csv`) keep these, whatever the
teacher.
"""

import hashlib
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from dataset_builder.llm.options import OF_SERVERS, AskingOptions
from trust.errors import UsageError

if TYPE_CHECKING:
    from dataset_builder.llm.requests import Request, Server
    from dataset_builder.teaching.asking.asking import Asking
    from dataset_builder.teaching.context import GivenRows
    from dataset_builder.teaching.examples import Teacher
    from dataset_builder.teaching.gate.gate import Gate, RejectedExample
    from dataset_builder.teaching.gate.verifier import Verifier
    from dataset_builder.teaching.making.outcome import Outcome
    from dataset_builder.teaching.wording import Wording

_PACKAGES = ("ldrt-vlm", "datasets", "aiohttp")
_REJECTED = "rejected_examples.jsonl"


@dataclass
class Options(AskingOptions):
    """Options of `ldrt instruct`."""

    dataset: str = field(
        metadata={"help": "dataset repo folder made by `ldrt build`", "positional": True, "path": "dataset folder"}
    )
    teacher: Literal["extractive", "openai", "given"] = field(
        default="extractive",
        metadata={
            "help": "`extractive`: offline, picks sentences; `openai`: an LLM behind an OpenAI-compatible server; "
            "`given`: nobody, only the questions that came with figures (they are kept with every teacher)"
        },
    )
    model: str | None = field(default=None, metadata={"help": "the LLM's name at the server (teacher `openai`)"})
    context: Literal["own", "none", "shuffled"] = field(
        default="own",
        metadata={
            "help": "the sentences that the teacher sees beside a caption, in the training split: the figure's own, "
            "none, or those of a figure of another article (ablations; the held-out splits always have their own)",
            "group": "context and prompts",
        },
    )
    context_file: str | None = field(
        default=None,
        metadata={
            "help": 'a curator\'s context, lines {"figure_id": "…", "context": ["a sentence", …]}: in training rows '
            "these sentences take the place of a figure's own; figures without a line keep theirs",
            "path": "file",
            "group": "context and prompts",
        },
    )
    domain: str | None = field(
        default=None,
        metadata={
            "help": "YAML file of a domain with prompts or questions of its own",
            "path": "file",
            "group": "context and prompts",
        },
    )
    prompts: str | None = field(
        default=None,
        metadata={
            "help": "folder with prompts of an LLM in place of the domain's or the general ones: detail.md, "
            "detail.kinds.yaml, detail.examples.jsonl, and the same of reasoning; what it lacks is the general one",
            "path": "folder",
            "group": "context and prompts",
        },
    )
    examples_per_figure: Annotated[int, Ge(1)] = field(
        default=1,
        metadata={
            "help": "questions of each task about a figure, each of another kind (TASK.kinds.yaml)",
            "group": "what is asked",
        },
    )
    panels: bool = field(
        default=False,
        metadata={
            "help": "also ask about each panel that has a caption: its part of the picture, its caption alone",
            "group": "what is asked",
        },
    )
    see_picture: bool = field(
        default=False, metadata={"help": "send the picture, too: for LLMs that see", "group": "what is asked"}
    )
    picture_tokens: Annotated[float, Gt(0)] | None = field(
        default=None,
        metadata={
            "help": "tokens of one picture, for --dry_run, --max_cost and --tokens_per_minute until the server has "
            "counted some; without it by the rule of OpenAI or Qwen-VL, by the model's name (of others: OpenAI's)",
            "group": "what is asked",
        },
    )
    answer_language: Literal["own", "en"] = field(
        default="own",
        metadata={
            "help": "what an LLM writes in: `own`, the language of the caption, or `en`, English",
            "group": "what is asked",
        },
    )
    min_support: Annotated[float, Ge(0), Le(1)] = field(
        default=0.7,
        metadata={
            "help": "least share of an answer's numbers, terms and names that its evidence must have",
            "group": "which answers are kept",
        },
    )
    tokenizer: str | None = field(
        default=None,
        metadata={
            "help": "Hub id or folder whose tokenizer counts an example's tokens; without it they are estimated",
            "path": "checkpoint or Hub id",
            "group": "which answers are kept",
        },
    )
    max_example_tokens: Annotated[int, Ge(1)] = field(
        default=1400,
        metadata={
            "help": "longest question and answer, tokens: the recipe's `max_length` less those of the picture",
            "group": "which answers are kept",
        },
    )
    verifier: str | None = field(
        default=None,
        metadata={
            "help": "a second LLM, of another family than the teacher, that checks every answer by its evidence; the "
            "limits and prices are its, too, and --max_cost is for both",
            "group": "which answers are kept",
        },
    )
    verifier_url: str | None = field(
        default=None,
        metadata={
            "help": "address of the verifier's server, where it is not `base_url`; there, --batch asks one by one",
            "pattern": r"https?://\S+",
            "group": "which answers are kept",
        },
    )


def run(options: Options) -> str:
    """Write the instruction configs; returns how many examples each has, and why figures have none.

    Raises FileNotFoundError without config `pairs`, ValueError without a model, without given questions or for options
    that contradict each other, ConnectionError or PermissionError when the LLM server cannot be used, RuntimeError when
    it refuses, when no reply of a task can be used, or when no example came out. Whatever is raised, the configs are as
    they were.
    """
    _check(options)
    asking = _asking(options, _rows(options), _wording(options))
    if options.dry_run:
        return _costs(options, asking)
    teacher, replies, spent = _taught(options, asking)
    outcome = _outcome(options, teacher, replies)
    _make(options, asking, teacher, outcome, spent)
    _publish(options, outcome)
    dataset = shlex.quote(options.dataset)
    opened = f"open: {options.dataset}/examples.html (questions and answers with their evidence, in a browser)"
    return "\n".join([*outcome.lines(), opened, f"next: ldrt train --config RECIPE --dataset_name {dataset}"])


# ---- what there is to ask, and whether it can be


def _check(options: Options) -> None:
    """Raises UsageError for a teacher that cannot teach, and for options that contradict each other."""
    if options.teacher == "openai" and not options.model:
        raise UsageError("the teacher `openai` needs --model, the LLM's name at the server")
    if unused := _only_for_an_llm(options):
        raise UsageError(f"{', '.join(unused)}: only for --teacher openai; the teacher `{options.teacher}` asks nobody")
    if options.context_file and options.context != "own":
        raise UsageError(f"--context_file gives a curator's context, --context {options.context} another: choose one")
    options.check_asking()
    if options.verifier:
        from dataset_builder.teaching.gate.verifier import refuse_kin

        refuse_kin(options.verifier, (options.model or "") if options.teacher == "openai" else options.teacher)


def _only_for_an_llm(options: Options) -> list[str]:
    """The options that change nothing with this teacher; a dry run says what an LLM would cost."""
    if options.teacher == "openai" or options.dry_run:
        return []
    names = ("model", "examples_per_figure", "see_picture", "answer_language", "prompts")
    return options.given(names if options.verifier else (*names, *OF_SERVERS))  # a verifier is asked in the same way


def _rows(options: Options) -> "GivenRows":
    """The figures as the teacher is given them.

    Raises FileNotFoundError where there are none, ValueError where the teacher has nothing to say of them.
    """
    from dataset_builder.teaching.context import GivenRows, check_curated, read_curated, read_pairs

    dataset = Path(options.dataset)
    curated = read_curated(Path(options.context_file)) if options.context_file else {}
    if options.context_file:
        check_curated(Path(options.context_file), curated, read_pairs(dataset))
    rows = GivenRows(dataset, options.context, curated, options.panels)
    _check_rows(options, rows)
    return rows


def _check_rows(options: Options, rows: Iterable[dict]) -> None:
    has_question = (bool(row["questions"]) for row in rows)
    first = next(has_question, False)
    if options.teacher == "given" and not (first or any(has_question)):
        raise ValueError(
            f"no figure of {options.dataset} came with questions; the teacher `given` needs a figures.csv with the "
            "columns picture, question and answer among the articles that `ldrt build` read"
        )


def _wording(options: Options) -> "Wording":
    from dataset_builder.domain import read_domain
    from dataset_builder.teaching.wording import wording_of

    domain = read_domain(Path(options.domain)) if options.domain else None
    general = wording_of(domain, Path(options.prompts) if options.prompts else None)
    wording = replace(general, answer_language=options.answer_language, sees_picture=options.see_picture)
    if options.teacher == "openai" or options.dry_run:
        wording.check(options.examples_per_figure)
    return wording


def _asking(options: Options, rows: "GivenRows", wording: "Wording") -> "Asking":
    """What an LLM is asked, or would be; a dry run may come before the choice of a model."""
    from dataset_builder.teaching.asking.asking import Asking

    server = options.server(options.model or "", options.picture_tokens)
    pictures_of = Path(options.dataset) if options.see_picture else None
    return Asking(rows, wording, server, options.examples_per_figure, pictures_of)


def _costs(options: Options, asking: "Asking") -> str:
    """What is left to ask an LLM; with the teacher `extractive`, what it would be, unless only a verifier is asked."""
    from dataset_builder.teaching.asking.ledger_answers import LedgerAnswers
    from dataset_builder.teaching.making import costs

    ledger = _work(options) / "teacher.jsonl"
    has_llm = options.teacher == "openai"
    found = {"": costs.of_teacher(asking, ledger)} if has_llm or not options.verifier else {}
    if options.verifier:
        teacher = LedgerAnswers(asking.name, ledger, asking.wanted()) if has_llm else _offline(options, asking.wording)
        gate, unasked = _gate(options, asking.wording), ledger if has_llm else None
        verifier = _verifier(options)
        found[f"verifier {options.verifier}: "] = costs.of_verifier(verifier, teacher, asking, gate, unasked)
    return "\n".join([*(f"{name}{cost}" for name, cost in found.items()), *costs.in_all(found.values())])


# ---- the teacher's answers


def _taught(options: Options, asking: "Asking") -> tuple["Teacher", Counter[str], float]:
    """The teacher, how many replies gave no answer, by status, and the money that the answers cost."""
    from dataset_builder.llm.batch import ask_left
    from dataset_builder.teaching.asking.ledger_answers import LedgerAnswers

    if options.teacher != "openai":
        return _offline(options, asking.wording), Counter(), 0.0
    ledger = _work(options) / "teacher.jsonl"
    spent = ask_left(asking.wanted, asking.server, ledger, options.batch)
    answers = LedgerAnswers(asking.name, ledger, asking.wanted())
    answers.check(f"{options.model} at {options.base_url}")
    return answers, sum(answers.without.values(), Counter()), spent


def _offline(options: Options, wording: "Wording") -> "Teacher":
    """The teacher that asks nobody."""
    from dataset_builder.teaching.examples import Extractive, Nobody

    return Nobody() if options.teacher == "given" else Extractive(wording)


def _outcome(options: Options, teacher: "Teacher", replies: Counter[str]) -> "Outcome":
    from dataset_builder.teaching.making.outcome import Outcome

    return Outcome(teacher.name, replies, is_by_llm=options.teacher == "openai" or options.verifier is not None)


def _make(options: Options, asking: "Asking", teacher: "Teacher", outcome: "Outcome", spent: float) -> None:
    """Write the examples that pass, and those that do not, where they wait for `_publish`.

    Raises RuntimeError where nothing came out.
    """
    from dataset_builder.files.jsonfiles import to_line, write_jsonl
    from dataset_builder.teaching.context import count_pairs
    from dataset_builder.teaching.examples import without_special_tokens

    with (_work(options) / _REJECTED).open("w", encoding="utf-8") as rejects:

        def keep(row: "RejectedExample") -> None:
            rejects.write(to_line(row))
            outcome.reject(row)

        gate = _gate(options, asking.wording, keep)
        passed = _passed(asking, teacher, outcome, gate)
        if options.verifier:
            passed = _verified(options, passed, asking.rows, gate, outcome, spent)
        for task, examples in passed.items():
            harmless = without_special_tokens(outcome.passing(examples), outcome.disarmed)
            outcome.counts[task] = write_jsonl(_made(options, task), harmless)
    outcome.check(count_pairs(Path(options.dataset)))


def _passed(asking: "Asking", teacher: "Teacher", outcome: "Outcome", gate: "Gate") -> dict[str, Iterator[dict]]:
    """The examples of each task that pass the gate."""
    from dataset_builder.teaching.evidence import TASKS
    from dataset_builder.teaching.examples import align_examples, instruction_examples

    rows = asking.rows
    made = {"align": align_examples(rows.without_context())}  # of captions alone: no other figure's licence is its
    for task in TASKS:
        made[task] = instruction_examples(rows, task, teacher, asking.wording, asking.a_figure, outcome.silent)
    return {task: gate.passed(examples, rows) for task, examples in made.items()}


def _verified(
    options: Options,
    passed: Mapping[str, Iterable[dict]],
    rows: "GivenRows",
    gate: "Gate",
    outcome: "Outcome",
    spent: float,
) -> dict[str, Iterator[dict]]:
    """Those of them that the verifier, once it has read all, does not contradict; meanwhile they wait on the disk."""
    from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl

    verifier = _verifier(options, spent)
    waiting = {task: _work(options) / f"{task}.passed.jsonl" for task in passed}
    for task, examples in passed.items():
        write_jsonl(waiting[task], examples)

    def wanted() -> Iterator[tuple[str, "Request"]]:
        return chain.from_iterable(verifier.wanted(read_jsonl(path), rows) for path in waiting.values())

    is_same_server = options.verifier_url in (None, options.base_url)
    verifier.ask(wanted, options.batch and is_same_server)  # another server may have no Batch API
    outcome.verdicts = verifier.verdicts
    return {task: verifier.upheld(read_jsonl(path), rows, gate) for task, path in waiting.items()}


def _gate(
    options: Options,
    wording: "Wording",
    keep: "Callable[[RejectedExample], None]" = lambda _: None,
) -> "Gate":
    """The gate with the limits of the options; it knows the prompts that an LLM is given."""
    from dataset_builder.teaching.evidence import TASKS
    from dataset_builder.teaching.gate.exam import Limits
    from dataset_builder.teaching.gate.gate import Gate
    from dataset_builder.teaching.gate.tokens import counter

    limits = Limits(min_support=options.min_support, max_example_tokens=options.max_example_tokens)
    if options.answer_language != "own":
        limits = replace(limits, answer_language=options.answer_language)
    prompts = {task: wording.prompt(task, evidence="") for task in TASKS} if options.teacher == "openai" else {}
    return Gate(limits, counter(options.tokenizer), prompts, keep)


def _verifier(options: Options, spent: float = 0.0) -> "Verifier":
    """The second model, with what the first has left of the money."""
    from dataset_builder.teaching.gate.verifier import Verifier

    like_the_teacher: Server = options.server(options.verifier or "")
    url = options.verifier_url or options.base_url
    server = replace(like_the_teacher, base_url=url, revision=None, temperature=0.0, spent_before=spent)
    return Verifier(server, _work(options) / "verifier.jsonl")


# ---- the dataset


def _publish(options: Options, outcome: "Outcome") -> None:
    """What waits becomes the configs; a task of which all that an LLM gave was rejected keeps the one that it has."""
    from dataset_builder.files.jsonfiles import write_jsonl
    from dataset_builder.manifest import write_stage
    from dataset_builder.teaching.context import read_pairs
    from dataset_builder.teaching.evidence import TASKS, caption_sentences
    from dataset_builder.teaching.making.configs import count_examples, write_eval_yaml, write_examples

    dataset = Path(options.dataset)
    outcome.spared = [task for task in outcome.all_rejected if count_examples(dataset, task)]
    for task, count in outcome.counts.items():
        if task in outcome.spared:
            outcome.counts[task] = count_examples(dataset, task)
        else:
            write_examples(dataset, task, _made(options, task) if count else None)
    write_eval_yaml(dataset, [task for task in TASKS if any((dataset / task).glob("test-*.parquet"))])
    (dataset / "provenance").mkdir(exist_ok=True)  # a dataset from the Hub may have none
    os.replace(_work(options) / _REJECTED, dataset / "provenance" / _REJECTED)
    write_jsonl(_work(options) / "caption_sentences.jsonl", caption_sentences(read_pairs(dataset)))
    write_stage(dataset, "instruct", _PACKAGES, options=_recorded(options), **outcome.recorded())


def _work(options: Options) -> Path:
    """Where what is made waits, and what LLMs have answered is kept; a dataset from the Hub has none."""
    folder = Path(options.dataset) / ".work"
    folder.mkdir(exist_ok=True)
    return folder


def _made(options: Options, task: str) -> Path:
    return _work(options) / f"{task}.jsonl"


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
