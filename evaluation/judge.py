"""RUN/predictions.jsonl -> RUN/judgements.jsonl: a language model grades every answer from 0 to 10, and its controls.

    ldrt judge runs/tuned --judge Qwen/Qwen2-72B-Instruct --base_url http://localhost:8000/v1 --revision 1af63c6
    ldrt judge runs/tuned --judge Qwen/Qwen2-7B-Instruct --backend local       # no server: likelihood of each score
    ldrt judge runs/tuned --judge gpt-4o --price_in 2.5 --price_out 10 --dry_run      # calls, tokens, time, money
    ldrt judge runs/tuned --judge gpt-4o --batch                                         # half the price, within a day
    ldrt judge runs/tuned --judge Qwen/Qwen2-72B-Instruct --against runs/base  # which of two answers is better

A panel is the command once for each judge. The judge reads question, reference, caption, context and answer, never the
picture. Every reply is on the disk before it counts; run the command again after any interruption, and only what failed
is asked again; a reply that was paid for and has no score, only with --retry_unparsable.
"""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

from annotated_types import Ge

from dataset_builder.llm.options import OF_SERVERS, AskingOptions
from evaluation import run_folder
from evaluation.answering.options import DEVICE
from trust.errors import UsageError

if TYPE_CHECKING:
    from evaluation.judgements import Verdict
    from evaluation.judging.asking import Judge


@dataclass
class Options(AskingOptions):
    """Options of `ldrt judge`."""

    run: str = field(metadata={"help": "run folder made by `ldrt generate`", "positional": True, "path": "run folder"})
    judge: str = field(metadata={"help": "the judge's name at the server; with backend `local` a Hub id or folder"})
    backend: Literal["openai", "local"] = field(
        default="openai",
        metadata={"help": "openai: any OpenAI-compatible server; local: likelihood of the scores, computed here"},
    )
    max_tokens: Annotated[int, Ge(1)] = field(
        default=512,
        kw_only=True,
        metadata={"help": "longest reply, tokens; judges that think aloud need more", "group": "the server of the LLM"},
    )
    image_conditions: list[Literal["true", "blank", "shuffled", "none"]] = field(
        default_factory=lambda: ["true"], metadata={"help": "judge the answers to these pictures"}
    )
    controls: Annotated[int, Ge(0)] = field(
        default=50,
        metadata={
            "help": "so many times each: the reference, another article's reference and nothing as the answer, the "
            "same question again, and the answer with an injection, which must change nothing"
        },
    )
    limit: Annotated[int, Ge(1)] | None = field(
        default=None, metadata={"help": "judge so many answers of each image condition, in a fixed random order"}
    )
    against: str | None = field(
        default=None,
        metadata={
            "help": "another run folder: which of the two answers is better, in both orders",
            "path": "run folder",
        },
    )
    rubrics: str | None = field(
        default=None, metadata={"help": "folder of other rubric files: TASK.md, pairwise.md", "path": "folder"}
    )
    device: str = field(
        default="auto",
        metadata={
            "help": "backend local: auto, cpu, cuda, cuda:1",
            "pattern": DEVICE,
            "group": "a judge that is computed here",
        },
    )
    batch_size: Annotated[int, Ge(1)] = field(
        default=4, metadata={"help": "backend local: answers at once", "group": "a judge that is computed here"}
    )


def run(options: Options) -> str:
    """Judge what is not judged yet; returns what came of it, with warnings about the judge.

    Raises FileNotFoundError without a run or a rubric, ValueError for options that do not fit, ConnectionError or
    PermissionError when the server cannot be used, RuntimeError when nothing was scored.
    """
    _check(options)  # before what takes seconds to import
    from dataset_builder.llm.families import family_warning
    from evaluation.judgements import counted, read_judgements
    from evaluation.judging import asking, rubric
    from evaluation.judging.summary import summary_lines

    folder, judge = Path(options.run), _judge(options)
    rubrics = Path(options.rubrics) if options.rubrics else rubric.FOLDER
    manifest = run_folder.read_manifest(folder)
    warning = family_warning(options.judge, manifest.get("teachers") or {})
    if options.against:
        return _compare(options, options.against, judge, rubrics, manifest, warning)
    predictions = run_folder.read_predictions(folder)
    answers = asking.answers_to_judge(predictions, options.image_conditions, options.limit, folder)
    evidence = run_folder.read_evidence(folder)
    asked = asking.score_requests(answers, evidence, judge, rubrics, options.controls)
    ledger = folder / run_folder.JUDGEMENTS
    if options.dry_run:
        return "\n".join([*warning, str(asking.estimate(asked, judge, ledger))])
    asking.check_any(asking.ask(asked, judge, ledger, "score"), judge)
    lines = summary_lines(judge.name, counted(read_judgements(folder), predictions), predictions)
    return "\n".join([*lines, *warning, f"{ledger}; `ldrt score {shlex.quote(options.run)}` puts it into the scores"])


def _check(options: Options) -> None:
    """Raises UsageError for options that do not fit."""
    options.check_asking()
    unused = options.given(OF_SERVERS)
    if options.backend == "local" and unused:
        raise UsageError(f"{', '.join(unused)}: only for a judge behind a server; the backend local asks nobody")
    if options.backend == "local" and options.against:
        raise UsageError("--against needs a server: the backend local computes scores, not verdicts")
    if options.backend == "local":
        from trust.places import is_checkpoint_folder

        try:
            is_checkpoint_folder(options.judge, "judge")
        except FileNotFoundError as error:
            raise UsageError(error) from error


def _judge(options: Options) -> "Judge":
    from evaluation.judging.asking import Judge

    return Judge(
        server=options.server(options.judge),
        backend=options.backend,
        in_batches=options.batch,
        device=options.device,
        batch_size=options.batch_size,
    )


def _compare(options: Options, other: str, judge: "Judge", rubrics: Path, manifest: dict, warning: list[str]) -> str:
    """Compare with the other run what is not compared yet; returns wins, ties and how far the order decides."""
    from evaluation.judging import asking, pairwise

    folder = Path(options.run)
    other_manifest = run_folder.read_manifest(Path(other))
    for key in ("dataset_revision", "split"):
        if manifest[key] != other_manifest[key]:
            raise ValueError(f"{options.run} and {other} differ in {key}: they answer other questions")
    predictions = run_folder.read_predictions(folder)
    answers = asking.answers_to_judge(predictions, options.image_conditions, options.limit, folder)
    pairs = pairwise.pair_answers(answers, run_folder.read_predictions(Path(other)), options.run, other)
    asked = pairwise.verdict_requests(pairs, run_folder.read_evidence(folder), judge, rubrics)
    ledger = folder / run_folder.PAIRWISE
    if options.dry_run:
        return "\n".join([*warning, str(asking.estimate(asked, judge, ledger))])
    records = asking.ask(asked, judge, ledger, "verdict")
    asking.check_any(records, judge)
    found = pairwise.tally(cast("list[Verdict]", records))
    text = pairwise.tally_text(found, judge.name, options.run, other)
    return "\n".join([text, *warning, str(ledger)])
