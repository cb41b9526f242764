"""checkpoint -> RUN/predictions.jsonl: the answers of a LLaVA checkpoint to a dataset's held-out questions.

    ldrt generate --model tuned --dataset dataset --split test --output runs/tuned
    ldrt generate --model tuned --dataset dataset --output runs/tuned --image_condition shuffled

One run folder is one checkpoint on one split; each image condition adds its answers to it. Run it again after any
interruption: what is answered is kept.
"""

import hashlib
import importlib.metadata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from evaluation.checkpoints import Source
    from evaluation.questions import Items

PACKAGES = ("torch", "transformers", "peft", "datasets", "tokenizers", "pillow")
# A run folder is refused when one of these differs. Names, packages and hardware may: the revisions say what counts.
IDENTITY = (
    *("revision", "adapter_of", "processor", "chat_template_sha256", "dataset_revision", "split", "tasks"),
    *("generation", "seed"),
)


@dataclass
class Options:
    model: str = field(metadata={"help": "checkpoint: Hub id or folder; full LLaVA / LLaVA-NeXT weights or an adapter"})
    dataset: str = field(metadata={"help": "dataset: Hub id or dataset repo folder"})
    output: str = field(metadata={"help": "run folder to write, or to continue"})
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
    batch_size: int = field(default=8, metadata={"help": "questions answered at once; no effect on the answers"})
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
    checkpoint that is no LLaVA; FileNotFoundError for a checkpoint or dataset that is not there.
    """
    from transformers.utils import logging

    from evaluation import answers, checkpoints
    from evaluation.questions import load_evidence, load_items

    logging.set_verbosity_error()
    if options.batch_size < 1 or options.max_new_tokens < 1 or (options.limit is not None and options.limit < 1):
        raise ValueError("batch_size, max_new_tokens and limit must be at least 1")
    items = load_items(options.dataset, options.split, options.tasks)
    evidence = load_evidence(options.dataset, options.split)
    source = checkpoints.find(options.model)
    processor = _processor(options, source)
    asked = answers.ask(items.rows, processor, options.image_condition, evidence, options.seed)
    asked = _first_of_each_task(asked, options.limit)
    manifest = _open_run(options, _manifest(options, source, items, processor.chat_template, len(asked)))
    _write_evidence(Path(options.output), items, evidence)

    path = Path(options.output) / "predictions.jsonl"
    todo = answers.missing(asked, path, options.image_condition)
    n_failed = 0
    if todo:
        device = _device(options.device)
        model = checkpoints.load_model(source, _dtype(options.dtype, device), device)
        constants = {key: manifest[key] for key in ("model", "revision", "generation")}
        constants["image_condition"] = options.image_condition
        n_failed = answers.answer(
            todo, items.rows, model, processor, path, constants, options.max_new_tokens, options.batch_size
        )
    failed = f"; {n_failed} not asked, their pictures cannot be read" if n_failed else ""
    condition = f"image condition {options.image_condition}"
    return f"{len(asked) - n_failed} answers of {manifest['model']} ({condition}) in {path}{failed}"


def _processor(options: Options, source: "Source"):
    from evaluation import checkpoints

    processor = checkpoints.load_processor(checkpoints.find(options.processor) if options.processor else source)
    if options.chat_template_path:
        processor.chat_template = Path(options.chat_template_path).read_text(encoding="utf-8")
    if not processor.chat_template:
        raise ValueError(f"{options.processor or options.model} has no chat template: give --chat_template_path")
    return processor


def _first_of_each_task(asked: list, limit: int | None) -> list:
    of_task: dict[str, int] = {}
    kept = []
    for question in asked:
        task = question.row["task"]
        of_task[task] = of_task.get(task, 0) + 1
        if limit is None or of_task[task] <= limit:
            kept.append(question)
    return kept


def _manifest(options: Options, source: "Source", items: "Items", chat_template: str, n_items: int) -> dict:
    device = _device(options.device)
    dtype = str(_dtype(options.dtype, device)).removeprefix("torch.")
    base = source.adapter_of
    return {
        "model": _name(source.model),
        "revision": source.revision,
        "adapter_of": {"model": _name(base.model), "revision": base.revision} if base else None,
        "lineage": source.lineage,
        "processor": _name(options.processor) if options.processor else None,
        "chat_template_sha256": hashlib.sha256(chat_template.encode()).hexdigest(),
        "dataset": _name(items.dataset),
        "dataset_revision": items.revision,
        "split": options.split,
        "tasks": options.tasks,
        "data_licenses": items.licenses,
        "teachers": items.teachers,
        "generation": {
            "max_new_tokens": options.max_new_tokens,
            "do_sample": False,
            "num_beams": 1,
            "dtype": dtype,
        },
        "seed": options.seed,
        "image_conditions": {options.image_condition: {"items": n_items}},
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
        "device": _device_name(device),
    }


def _open_run(options: Options, manifest: dict) -> dict:
    """Make the run folder, or check that it was made with these settings, and add the image condition; its manifest."""
    from dataset_builder.jsonfiles import read_json, write_json

    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    path = output / "manifest.json"
    if path.exists():
        old = read_json(path, "ldrt generate")
        for key in IDENTITY:
            if old.get(key) != manifest[key]:
                raise ValueError(
                    f"{output} was made with {key} {old.get(key)!r}, not {manifest[key]!r}: give another --output"
                )
        manifest = {**manifest, **old, "image_conditions": {**old["image_conditions"], **manifest["image_conditions"]}}
    elif (output / "predictions.jsonl").exists():
        raise ValueError(f"{output} has predictions but no manifest.json: give another --output")
    write_json(path, manifest)
    return manifest


def _write_evidence(output: Path, items: "Items", evidence: dict[str, dict]) -> None:
    """Caption and context of the figures asked about, for metrics and judges; nothing where there is no `pairs`."""
    from dataset_builder.jsonfiles import write_jsonl

    figures = set(items.rows["figure_id"])
    if not (output / "evidence.jsonl").exists() and evidence:
        write_jsonl(output / "evidence.jsonl", [row for figure, row in evidence.items() if figure in figures])


def _name(model: str) -> str:
    """A folder by its name only: run folders are published, and paths of a machine are nobody's business."""
    return Path(model).resolve().name if Path(model).is_dir() else model


def _device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and int(name.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise ValueError(f"device {name}: torch finds {torch.cuda.device_count()} CUDA GPUs here")
    return name


def _device_name(device: str) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def _dtype(name: str, device: str):
    import torch

    if name == "auto":
        return torch.float32 if device == "cpu" else torch.bfloat16
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
