"""checkpoint -> RUN/predictions.jsonl: the answers of a vision-language checkpoint to a dataset's held-out questions.

    ldrt generate --model tuned --dataset dataset --split test --output runs/tuned
    ldrt generate --model tuned --dataset dataset --output runs/tuned --image_condition shuffled
    ldrt generate --model NAME --base_url http://localhost:8000/v1 --dataset dataset --output runs/served
    ldrt generate --model tuned --benchmark vqa-rad --output runs/tuned-vqa-rad
    ldrt generate --model tuned --dataset ORG/VQA --question_column q --answer_column a --output runs/tuned-vqa

The checkpoint is loaded here, or it is served elsewhere (vLLM or any OpenAI-compatible server that takes pictures). One
run folder is one checkpoint on one split; each image condition adds its answers to it. Run it again after any
interruption: what is answered is kept.
"""

import shlex
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le

from dataset_builder.files.jsonfiles import write_json, write_jsonl
from evaluation import run_folder
from evaluation.answering.options import AnsweringOptions
from trust.errors import UsageError
from trust.places import refuse_commit

if TYPE_CHECKING:
    from evaluation.answering.local import Checkpoint
    from evaluation.answering.questions import Items
    from evaluation.answering.served import Endpoint
    from evaluation.run_folder import Evidence

NOT_GIVEN = (  # to type the command again: said elsewhere in the manifest, or without weight for the answers
    *("model", "dataset", "output", "base_url", "revision", "dataset_revision", "image_condition"),
    *("batch_size", "concurrency", "device"),
)
TASKS = ("detail", "reasoning")
OF_CHECKPOINTS = ("batch_size", "device", "dtype", "processor", "chat_template_path")  # options; a server has its own


@dataclass
class Options(AnsweringOptions):
    model: str = field(
        metadata={
            "help": "checkpoint: Hub id or folder; full weights (LLaVA, LLaVA-NeXT, …) or an adapter. With --base_url "
            "the name under which the server has it"
        }
    )
    output: str = field(metadata={"help": "run folder to write, or to continue", "path": "new folder"})
    dataset: str | None = field(
        default=None,
        metadata={
            "help": "dataset: Hub id or folder; with --benchmark a copy of that one",
            "path": "dataset or Hub id",
        },
    )
    benchmark: str | None = field(
        default=None,
        metadata={
            "help": "a public one by name: vqa-rad, slake, path-vqa, pmc-vqa, medvlthinker-eval, lab-bench-figqa; "
            "fetched from the Hub, its own split alone"
        },
    )
    image_column: str | None = field(
        default=None,
        metadata={
            "help": "any VQA dataset by its columns: the picture (default `image`)",
            "group": "any VQA dataset by its columns",
        },
    )
    question_column: str | None = field(
        default=None,
        metadata={"help": "the same: the question (default `question`)", "group": "any VQA dataset by its columns"},
    )
    answer_column: str | None = field(
        default=None,
        metadata={"help": "the same: the right answer (default `answer`)", "group": "any VQA dataset by its columns"},
    )
    options_column: str | None = field(
        default=None,
        metadata={
            "help": "the same: a list of options, or lines `A. …`; without it none",
            "group": "any VQA dataset by its columns",
        },
    )
    image_id_column: str | None = field(
        default=None,
        metadata={
            "help": "the same: which picture it is, for intervals; without it equal files are one picture",
            "group": "any VQA dataset by its columns",
        },
    )
    base_url: str | None = field(
        default=None,
        metadata={
            "help": "ask the OpenAI-compatible server there, http://…, such as vLLM; its key in the environment: "
            "OPENAI_API_KEY",
            "pattern": r"https?://\S+",
        },
    )
    revision: str | None = field(
        default=None,
        metadata={
            "help": "Hub commit of the model; with --base_url the one that the server runs",
            "group": "how it is run",
        },
    )
    dataset_revision: str | None = field(
        default=None, metadata={"help": "Hub commit of the dataset", "group": "how it is run"}
    )
    split: str | None = field(
        default=None, metadata={"help": "split of the dataset (default `test`, or the benchmark's)"}
    )
    tasks: list[str] = field(
        default_factory=lambda: list(TASKS),
        metadata={"help": "configs of the dataset to answer; of a VQA dataset one, of a benchmark none"},
    )
    image_condition: Literal["true", "blank", "shuffled", "none"] = field(
        default="true",
        metadata={
            "help": "which picture: the true one, an empty one, another article's, or none (the caption as text)"
        },
    )
    length_hint: Annotated[int, Ge(1)] | None = field(
        default=None, metadata={"help": "ask for an answer of about so many words", "group": "how it answers"}
    )
    batch_size: Annotated[int, Ge(1)] = field(
        default=8,
        metadata={
            "help": "questions answered at once; the answers are the same, in bfloat16 but for rounding",
            "group": "how it is run",
        },
    )
    concurrency: Annotated[int, Ge(1), Le(4096)] = field(
        default=16, metadata={"help": "with --base_url: requests at once", "group": "how it is run"}
    )
    limit: Annotated[int, Ge(1)] | None = field(
        default=None, metadata={"help": "answer only the first so many questions of each task"}
    )
    temperature: Annotated[float, Ge(0)] = field(
        default=0.0,
        metadata={
            "help": "0: greedy, the most likely answer; above: sampled, for pairs (`ldrt prefer`)",
            "group": "how it answers",
        },
    )
    seed: Annotated[int, Ge(0)] = field(
        default=0, metadata={"help": "of the shuffled pictures, and of sampled answers", "group": "how it answers"}
    )
    processor: str | None = field(
        default=None,
        metadata={
            "help": "Hub id or folder whose chat template and image preparation to use instead",
            "path": "checkpoint or Hub id",
            "group": "how it is run",
        },
    )


def run(options: Options) -> str:
    """Answer what is not answered yet; returns how many answers there are and where.

    Raises ValueError for a run folder made with other settings, for a dataset without the config or split, and for a
    checkpoint that takes no pictures; FileNotFoundError for a checkpoint or dataset that is not there; ConnectionError,
    PermissionError or RuntimeError for a server that does not answer, wants another key or does not know the model.
    """
    _check(options)  # before what takes seconds to import
    from evaluation.answering import answers, manifest
    from evaluation.answering.thumbnails import keep_thumbnails
    from trust.handovers import stamped

    output = Path(options.output)
    items, evidence = _questions(options)
    answerer, condition = _answerer(options, output), options.image_condition
    asked = answers.ask(items.rows, condition, evidence, options.seed, options.length_hint)
    asked, n_disarmed = answers.disarm(answers.first_of_each_task(asked, options.limit), answerer)
    asking = manifest.Asking(
        split=items.split,
        image_condition=condition,
        max_new_tokens=options.max_new_tokens,
        temperature=options.temperature,
        length_hint=options.length_hint,
        seed=options.seed,
        options=_given(options),
    )
    made = manifest.open_run(output, manifest.make_manifest(answerer, items, asking, len(asked), n_disarmed))
    if options.dataset and Path(options.dataset).is_dir():  # what is decided there of its pictures holds for the run
        here = {"dataset": str(Path(options.dataset).resolve())}
        write_json(output / run_folder.HERE, stamped(here))
    if evidence:  # for metrics and judges
        figures = set(items.rows["figure_id"])
        write_jsonl(output / run_folder.EVIDENCE, [stamped(row) for name, row in evidence.items() if name in figures])

    path = output / run_folder.PREDICTIONS
    todo = answers.missing(asked, path, condition)
    constants = answers.Constants(made["model"], made["revision"], made["generation"], condition)
    n_failed = answers.answer(todo, items.rows, answerer, path, constants) if todo else 0
    keep_thumbnails(items.rows, [one.row["example_id"] for one in asked], output / run_folder.THUMBNAILS)
    failed = f"; {n_failed} failed, `error` in their records says why; run again to ask them again" if n_failed else ""
    left_out = f"; {items.left_out}" if items.left_out else ""
    said = f"{len(asked) - n_failed} answers of {made['model']} (image condition {condition}) in {path}"
    return f"{said}{failed}{left_out}\nnext: ldrt score {shlex.quote(str(output))}"


def _questions(options: Options) -> "tuple[Items, dict[str, Evidence]]":
    """What is asked, and what the articles say of its figures; of a benchmark there are none."""
    from evaluation.answering.questions import load_evidence, load_items

    columns = _columns(options)
    if options.benchmark is None and not any(columns.values()):
        where = str(options.dataset), options.split or "test"
        items = load_items(*where, options.tasks, options.dataset_revision)
        return items, load_evidence(*where, options.dataset_revision)
    from evaluation.answering.benchmark_items import chosen_benchmark, load_benchmark

    config = None if options.tasks == list(TASKS) else options.tasks[0]
    benchmark = chosen_benchmark(options.benchmark, options.dataset, options.split, config, columns)
    return load_benchmark(benchmark, options.dataset_revision), {}


def _columns(options: Options) -> dict[str, str | None]:
    """Field of `Columns` -> the column that the user named for it."""
    return {
        "image": options.image_column,
        "question": options.question_column,
        "answer": options.answer_column,
        "options": options.options_column,
        "image_id": options.image_id_column,
    }


def _given(options: Options) -> dict:
    """The options that are not the defaults and weigh on the answers; folders and files by their name alone."""
    from evaluation.answering.questions import public_name

    values = {option.name: getattr(options, option.name) for option in fields(Options)}
    defaults = Options(options.model, options.output)
    given = {name: value for name, value in values.items() if value != getattr(defaults, name)}
    return {
        name: public_name(value) if isinstance(value, str) else value
        for name, value in given.items()
        if name not in NOT_GIVEN
    }


def _check(options: Options) -> None:
    """Raises UsageError for options that contradict each other."""
    _check_names(options)
    refuse_commit(options.base_url or options.model, options.revision)
    if options.dataset is None and options.benchmark is None:
        raise UsageError("give --dataset, or --benchmark")
    if options.benchmark and options.tasks != list(TASKS):
        raise UsageError("a benchmark has no --tasks: leave them out")
    if any(_columns(options).values()) and options.tasks != list(TASKS) and len(options.tasks) != 1:
        raise UsageError("of a VQA dataset by its columns one config is asked: give one of --tasks, or none")
    refuse_commit(options.dataset or options.benchmark, options.dataset_revision, "dataset_revision")
    changed = {option.name for option in fields(Options) if getattr(options, option.name) != option.default}
    given = [name for name in OF_CHECKPOINTS if name in changed]
    if options.base_url and given:
        raise UsageError(f"with --base_url the server decides: leave out --{' --'.join(given)}")


def _check_names(options: Options) -> None:
    """Raises UsageError for a model, a benchmark, a config or a split that is none, as far as files here say so."""
    from dataset_builder.benchmarks.benchmark import names
    from dataset_builder.files.nearest import nearest
    from trust.places import is_checkpoint_folder

    if not options.base_url:
        try:
            is_checkpoint_folder(options.model, "model")
        except FileNotFoundError as error:
            raise UsageError(error) from error
    if options.benchmark and options.benchmark not in names():
        near = nearest(options.benchmark, names())
        raise UsageError(f"no benchmark {options.benchmark!r}{near}; there are {', '.join(names())}")
    if not (options.benchmark or any(_columns(options).values())):
        for task in options.tasks:
            _check_config(Path(str(options.dataset)), task, options.split or "test")


def _check_config(dataset: Path, config: str, split: str) -> None:
    """Raises UsageError for a config or split that a dataset folder does not have; of the Hub its client says that."""
    from dataset_builder.files.nearest import nearest

    files = [path.relative_to(dataset) for path in dataset.glob("*/*-*.parquet")]
    configs = sorted({path.parts[0] for path in files})
    if configs and config not in configs:
        raise UsageError(f"{dataset}: no config {config!r}{nearest(config, configs)}; it has {', '.join(configs)}")
    splits = sorted({path.name.split("-")[0] for path in files if path.parts[0] == config})
    if splits and split not in splits:
        known = f"{nearest(split, splits)}; it has {', '.join(splits)}"
        raise UsageError(f"{dataset}, config {config}: no split {split!r}{known}")


def _answerer(options: Options, output: Path) -> "Checkpoint | Endpoint":
    if options.base_url:
        from dataset_builder.llm.requests import Server
        from evaluation.answering.served import Endpoint

        server = Server(
            base_url=options.base_url,
            model=options.model,
            revision=options.revision,
            max_tokens=options.max_new_tokens,
            concurrency=options.concurrency,
            temperature=options.temperature,
            request={"seed": options.seed} if options.temperature else {},
        )
        return Endpoint(server, output / run_folder.REPLIES, options.image_condition)
    from evaluation.answering.local import Checkpoint

    return Checkpoint(
        options.model,
        options.revision,
        processor=options.processor,
        chat_template_path=options.chat_template_path,
        device=options.device,
        dtype=options.dtype,
        batch_size=options.batch_size,
        max_new_tokens=options.max_new_tokens,
        temperature=options.temperature,
        seed=options.seed,
    )
