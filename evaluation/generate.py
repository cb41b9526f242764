"""checkpoint -> RUN/predictions.jsonl: the answers of a LLaVA checkpoint to a dataset's held-out questions.

    ldrt generate --model tuned --dataset dataset --split test --output runs/tuned
    ldrt generate --model tuned --dataset dataset --output runs/tuned --image_condition shuffled
    ldrt generate --model NAME --base_url http://localhost:8000/v1 --dataset dataset --output runs/served

The checkpoint is loaded here, or it is served elsewhere (vLLM or any OpenAI-compatible server that takes pictures). One
run folder is one checkpoint on one split; each image condition adds its answers to it. Run it again after any
interruption: what is answered is kept.
"""

import importlib.metadata
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from evaluation.answering.answers import Question
    from evaluation.answering.local import Checkpoint
    from evaluation.answering.questions import Items
    from evaluation.answering.served import Endpoint

# A run folder is refused when one of these differs. Names, packages and hardware may: the revisions say what counts.
IDENTITY = (
    *("backend", "revision", "adapter_of", "processor", "chat_template_sha256", "dataset_revision", "split", "tasks"),
    *("generation", "wording", "seed"),
)
OF_CHECKPOINTS = ("batch_size", "device", "dtype", "processor", "chat_template_path")  # options; a server has its own


@dataclass
class Options:
    model: str = field(
        metadata={
            "help": "checkpoint: Hub id or folder; full LLaVA / LLaVA-NeXT weights or an adapter. With --base_url the "
            "name under which the server has it"
        }
    )
    dataset: str = field(metadata={"help": "dataset: Hub id or dataset repo folder"})
    output: str = field(metadata={"help": "run folder to write, or to continue"})
    base_url: str | None = field(
        default=None,
        metadata={
            "help": "ask the OpenAI-compatible server there, such as vLLM; its key in the environment: OPENAI_API_KEY"
        },
    )
    revision: str | None = field(
        default=None, metadata={"help": "Hub commit of the model; with --base_url the one that the server runs"}
    )
    dataset_revision: str | None = field(default=None, metadata={"help": "Hub commit of the dataset"})
    split: str = field(default="test", metadata={"help": "split of the dataset"})
    tasks: list[str] = field(
        default_factory=lambda: ["detail", "reasoning"], metadata={"help": "configs of the dataset to answer"}
    )
    image_condition: Literal["true", "blank", "shuffled", "none"] = field(
        default="true",
        metadata={
            "help": "which picture: the true one, an empty one, another article's, or none (the caption as text)"
        },
    )
    max_new_tokens: int = field(default=256, metadata={"help": "longest answer, in tokens"})
    length_hint: int | None = field(default=None, metadata={"help": "ask for an answer of about so many words"})
    batch_size: int = field(
        default=8,
        metadata={"help": "questions answered at once; the answers are the same, in bfloat16 but for rounding"},
    )
    concurrency: int = field(default=16, metadata={"help": "with --base_url: requests at once"})
    limit: int | None = field(default=None, metadata={"help": "answer only the first so many questions of each task"})
    seed: int = field(default=0, metadata={"help": "of the shuffled pictures; answers are greedy"})
    device: str = field(default="auto", metadata={"help": "auto, cpu, cuda, cuda:1, mps"})
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = field(
        default="auto", metadata={"help": "of the weights; auto: bfloat16 on a GPU, float32 on a CPU"}
    )
    processor: str | None = field(
        default=None, metadata={"help": "Hub id or folder whose chat template and image preparation to use instead"}
    )
    chat_template_path: str | None = field(default=None, metadata={"help": "jinja chat template to use instead"})


def run(options: Options) -> str:
    """Answer what is not answered yet; returns how many answers there are and where.

    Raises ValueError for a run folder made with other settings, for a dataset without the config or split, and for a
    checkpoint that is no LLaVA; FileNotFoundError for a checkpoint or dataset that is not there; ConnectionError,
    PermissionError or RuntimeError for a server that does not answer, wants another key or does not know the model.
    """
    from evaluation.answering import answers
    from evaluation.answering.questions import load_evidence, load_items

    _check(options)
    items = load_items(options.dataset, options.split, options.tasks, options.dataset_revision)
    evidence = load_evidence(options.dataset, options.split, options.dataset_revision)
    answerer = _answerer(options)
    asked = answers.ask(items.rows, options.image_condition, evidence, options.seed, options.length_hint)
    asked = _first_of_each_task(asked, options.limit)
    manifest = _open_run(Path(options.output), _manifest(options, items, answerer, len(asked)))
    _write_evidence(Path(options.output), items, evidence)

    path = Path(options.output) / "predictions.jsonl"
    todo = answers.missing(asked, path, options.image_condition)
    constants = {key: manifest[key] for key in ("model", "revision", "generation")}
    constants["image_condition"] = options.image_condition
    n_failed = answers.answer(todo, items.rows, answerer, path, constants) if todo else 0
    failed = f"; {n_failed} failed, `error` in their records says why; run again to ask them again" if n_failed else ""
    condition = f"image condition {options.image_condition}"
    return f"{len(asked) - n_failed} answers of {manifest['model']} ({condition}) in {path}{failed}"


def _check(options: Options) -> None:
    for name in ("batch_size", "concurrency", "max_new_tokens", "length_hint", "limit"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if options.revision and not options.base_url and Path(options.model).is_dir():
        raise ValueError(f"{options.model} is a folder, which has no commits: leave out --revision")
    if options.dataset_revision and Path(options.dataset).is_dir():
        raise ValueError(f"{options.dataset} is a folder, which has no commits: leave out --dataset_revision")
    given = [f.name for f in fields(Options) if f.name in OF_CHECKPOINTS and getattr(options, f.name) != f.default]
    if options.base_url and given:
        raise ValueError(f"with --base_url the server decides: leave out --{' --'.join(given)}")


def _answerer(options: Options) -> "Checkpoint | Endpoint":
    if options.base_url:
        from evaluation.answering.served import Endpoint

        return Endpoint(options)
    from evaluation.answering.local import Checkpoint

    return Checkpoint(options)


def _first_of_each_task(asked: list["Question"], limit: int | None) -> list["Question"]:
    of_task: dict[str, int] = {}
    kept = []
    for question in asked:
        task = question.row["task"]
        of_task[task] = of_task.get(task, 0) + 1
        if limit is None or of_task[task] <= limit:
            kept.append(question)
    return kept


def _manifest(options: Options, items: "Items", answerer: "Checkpoint | Endpoint", n_items: int) -> dict:
    from evaluation.answering.answers import CAPTION_ONLY, LENGTH_HINT
    from evaluation.answering.questions import public_name

    return {
        **answerer.facts,
        "dataset": public_name(items.dataset),
        "dataset_revision": items.revision,
        "split": options.split,
        "tasks": options.tasks,
        "data_licenses": items.licenses,
        "teachers": items.teachers,
        "generation": {
            "max_new_tokens": options.max_new_tokens,
            "length_hint": options.length_hint,
            "do_sample": False,
            "num_beams": 1,
            "dtype": answerer.dtype_name,
        },
        "wording": {"length_hint": LENGTH_HINT, "none": CAPTION_ONLY},  # what was asked besides the dataset's question
        "seed": options.seed,
        "image_conditions": {options.image_condition: {"items": n_items}},
        "versions": {package: importlib.metadata.version(package) for package in answerer.packages},
    }


def _open_run(output: Path, manifest: dict) -> dict:
    """Make the run folder, or check that it was made with these settings, and add the image condition; its manifest.

    A folder without predictions is free: a mistyped name that answered nothing does not block it.
    """
    from dataset_builder.files.jsonfiles import read_json, write_json

    output.mkdir(parents=True, exist_ok=True)
    path = output / "manifest.json"
    if (output / "predictions.jsonl").exists():
        if not path.exists():
            raise ValueError(f"{output} has predictions but no manifest.json: give another --output")
        old = read_json(path, "ldrt generate")
        for key in IDENTITY if manifest["revision"] else ("model", *IDENTITY):
            if old.get(key) != manifest[key]:
                raise ValueError(
                    f"{output} was made with {key} {old.get(key)!r}, not {manifest[key]!r}: give another --output"
                )
        manifest = {**manifest, **old, "image_conditions": {**old["image_conditions"], **manifest["image_conditions"]}}
    write_json(path, manifest)
    return manifest


def _write_evidence(output: Path, items: "Items", evidence: dict[str, dict]) -> None:
    """Caption and context of the figures asked about, for metrics and judges; nothing where there is no `pairs`."""
    from dataset_builder.files.jsonfiles import write_jsonl

    figures = set(items.rows["figure_id"])
    if evidence:
        write_jsonl(output / "evidence.jsonl", [row for figure, row in evidence.items() if figure in figures])
