"""Two steps of a recipe on a model cut to two layers a tower, on the longest rows: `ldrt plan … --check`.

The model, processor, trainer and freeze audit are those of recipes/sft.py. Widths are the true ones on a GPU and where
a CPU can take them, else tiny; vocabulary, pictures and rows stay the true ones, so tokens and labels are too.
"""

import contextlib
import copy
import itertools
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

import torch
from datasets import Dataset
from transformers import AutoModelForImageTextToText, PreTrainedConfig, ProcessorMixin

from recipes.families.family import Family
from recipes.planning.activations import LiveBytes, activation_bytes, batch_of
from recipes.planning.arithmetic import Shape, build_on_meta, count_parameters
from recipes.planning.launches import Launch
from recipes.planning.memory import state_bytes
from recipes.planning.setting import Setting, find_processor, read_setting
from recipes.project_files import read_template
from recipes.training.examples import IGNORED, ExampleCollator
from recipes.training.model import Audit, audit_trainable, describe_audit, load_model, load_processor
from recipes.training.trainer import StrictTrainer, build_trainer, lora_config
from trust.checkpoints import open_checkpoint

STEPS = 2
LAYERS = 2  # of each tower: a vision tower may be read at its last layer but one
CPU_PARAMETERS = 50e6  # more than these take minutes for two steps on a CPU
TINY_WIDTH, TINY_FEED_FORWARD, TINY_HEADS = 128, 384, 4
TINY_LORA_RANK = 8
SHOWN_CHARACTERS = 300  # of a stretch of the label mask
MIB = 2**20
PEAK = "gradients, optimizer and activations, peak"  # a key of `memory_bytes`


class Stretch(TypedDict):
    """Tokens of a row that are all trained, or all not."""

    trained: bool
    tokens: int
    text: str


class Check(TypedDict):
    """What two steps have shown."""

    widths: str  # "true" or "tiny"
    device: str
    batch: dict[str, list[int]]  # name of an input -> shape
    label_mask: list[Stretch]  # of the longest row
    trainable: Audit
    losses: list[float]
    # {"expected": what the plan says of this cut model on one device, "measured"}: part -> bytes
    memory_bytes: dict[str, dict[str, int]]


def dry_run(setting: Setting, dataset: Dataset) -> Check:
    """Train two steps on the longest rows of `dataset`, which has a column `length` in tokens."""
    batch = setting.args.per_device_train_batch_size
    rows = longest_rows(dataset, STEPS * batch)
    with tempfile.TemporaryDirectory() as folder:
        small, widths = cut(setting, Path(folder))
        trainer, collator = make_trainer(small, rows)
        audit = audit_trainable(trainer.model, small.shape.family, small.recipe.trainable)
        inputs = collator([rows[index] for index in range(batch)])
        mask = label_mask(collator([rows[0]]), collator.processor)
        with LiveBytes() as live, contextlib.redirect_stdout(sys.stderr):  # the trainer prints its log
            trainer.train()
        measured = measure(trainer, live)
    return {
        "widths": widths,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "batch": {name: list(tensor.shape) for name, tensor in inputs.items()},
        "label_mask": mask,
        "trainable": audit,
        "losses": [log["loss"] for log in trainer.state.log_history if "loss" in log],
        "memory_bytes": {"expected": expect(small, rows["length"][0]), "measured": measured},
    }


def longest_rows(dataset: Dataset, count: int) -> Dataset:
    """`count` rows, the longest first, and all over again where there are fewer."""
    lengths = list(dataset["length"])
    order = sorted(range(len(dataset)), key=lambda index: -lengths[index])
    return dataset.select([order[place % len(order)] for place in range(count)])


# --- the cut model ---------------------------------------------------------------------------------------------------


def cut(setting: Setting, folder: Path) -> tuple[Setting, str]:
    """The setting of two steps of a cut model, saved in `folder` with random weights; and "true" or "tiny" widths."""
    processor = find_processor(setting)  # before the configuration is copied: it may drop image grids
    config, widths = cut_config(setting.shape)
    torch.manual_seed(setting.args.seed)
    model = AutoModelForImageTextToText.from_config(config, dtype=setting.precision.weights)
    model.save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    changes = {
        "model_name_or_path": folder / "model",
        "output_dir": folder / "run",
        "max_steps": STEPS,
        "gradient_accumulation_steps": 1,
        "global_batch_size": setting.args.per_device_train_batch_size,
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
        "logging_steps": 1,
        "dataloader_num_workers": 0,
        "disable_tqdm": "true",
    }
    if widths == "tiny" and setting.recipe.trainable == "lora":
        changes |= {"lora_r": TINY_LORA_RANK, "lora_alpha": 2 * TINY_LORA_RANK}
    overrides = list(setting.overrides)
    for key, value in changes.items():
        overrides += [f"--{key}", str(value)]
    launch = Launch("check", "single", processes=1, on_cpu=not torch.cuda.is_available())
    return read_setting(setting.recipe_path, overrides, launch, setting.device), widths


def cut_config(shape: Shape) -> tuple[PreTrainedConfig, str]:
    """(configuration of two layers a tower, "true" or "tiny")."""
    family, config = shape.family, copy.deepcopy(shape.config)
    text, vision = config.text_config, config.vision_config
    text.num_hidden_layers = LAYERS
    setattr(vision, family.vision_layers, LAYERS)
    family.refit(config)
    model = build_on_meta(Shape(family, config, "projector", adapter=None))
    if torch.cuda.is_available() or count_parameters(model, family).total <= CPU_PARAMETERS:
        return config, "true"
    for part, heads in ((text, "num_attention_heads"), (vision, family.vision_heads)):
        part.hidden_size, part.intermediate_size = TINY_WIDTH, TINY_FEED_FORWARD
        setattr(part, heads, TINY_HEADS)
    text.num_key_value_heads = TINY_HEADS
    text.head_dim = TINY_WIDTH // TINY_HEADS
    family.refit(config)
    return config, "tiny"


def make_trainer(setting: Setting, rows: Dataset) -> tuple[StrictTrainer, ExampleCollator]:
    """The trainer as recipes/sft.py makes it."""
    recipe, args, family = setting.recipe, setting.args, setting.shape.family
    start = open_checkpoint(setting.start.model)
    model = load_model(start, setting.model_args, family, recipe.trainable)
    processor = load_processor(start, model.config, args.chat_template_path, recipe.limits)
    template = read_template(recipe.train_template_path)
    collator = ExampleCollator(processor, family, template, recipe.train_earlier_answers)
    adapter = lora_config(setting.model_args, family, model.config) if recipe.trainable == "lora" else None
    trainer = build_trainer(model, collator, rows, None, args, adapter, recipe.projector_learning_rate)
    return trainer, collator


# --- what it shows ---------------------------------------------------------------------------------------------------


def label_mask(batch: dict[str, torch.Tensor], processor: ProcessorMixin) -> list[Stretch]:
    """Stretches of one row's tokens, image tokens counted and not written out."""
    ids = batch["input_ids"][0].tolist()
    trained = (batch["labels"][0] != IGNORED).tolist()
    kinds = [(on, token == processor.image_token_id) for on, token in zip(trained, ids, strict=True)]
    stretches: list[Stretch] = []
    first = 0
    for (on, is_image), run in itertools.groupby(kinds):
        count = len(list(run))
        text = processor.tokenizer.decode(ids[first : first + count])
        if is_image:
            text = f"{count} × {processor.image_token}"
        stretches.append({"trained": on, "tokens": count, "text": text})
        first += count
    return stretches


def measure(trainer: StrictTrainer, live: LiveBytes) -> dict[str, int]:
    """Bytes of the tensors that training holds, summed; and the peak of what two steps made beside the weights."""
    parameters = list(trainer.model.parameters())
    frozen = sum(parameter.nbytes for parameter in parameters if not parameter.requires_grad)
    trained = sum(parameter.nbytes for parameter in parameters if parameter.requires_grad)
    peak = live.peak
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated() - frozen - trained
    moments = optimizer_bytes(trainer)
    return {"frozen weights": frozen, "trained weights": trained, "optimizer": moments, PEAK: peak}


def optimizer_bytes(trainer: StrictTrainer) -> int:
    """Bytes of the optimizer's moments, its counters left out."""
    optimizer = trainer.optimizer.optimizer  # accelerate wraps it
    values = [value for state in optimizer.state.values() for value in state.values()]
    return sum(value.nbytes for value in values if torch.is_tensor(value) and value.dim())


def expect(setting: Setting, tokens: int) -> dict[str, int]:
    """The plan's numbers for the cut model on one device, under the names of `measure`."""
    state = state_bytes(setting.parameters, setting.precision, setting.launch, LAYERS)
    args = setting.args
    batch = batch_of(setting.shape, args.per_device_train_batch_size, tokens, args.gradient_checkpointing)
    activations = activation_bytes(setting.shape, batch, setting.precision, setting.launch.on_cpu)
    expected = {name: state[name] for name in ("frozen weights", "trained weights", "optimizer")}
    return expected | {PEAK: state["gradients"] + state["optimizer"] + activations}


def describe_check(check: Check, family: Family) -> list[str]:
    """The check as lines: batch, label mask, trained parameters, losses, memory expected and measured."""
    shapes = ", ".join(f"{name} {tuple(shape)}" for name, shape in check["batch"].items())
    lines = [
        f"check: two steps on {check['device']}, {LAYERS} layers a tower, {check['widths']} widths",
        f"longest batch: {shapes}",
        describe_audit(check["trainable"], family),
        f"losses: {', '.join(f'{loss:.4g}' for loss in check['losses'])}",
        "labels of the longest row:",
    ]
    for stretch in check["label_mask"]:
        mark = "TRAINED" if stretch["trained"] else "   -   "
        lines.append(f"  {mark} {stretch['tokens']:>5} tokens  {_shortened(stretch['text'])}")
    lines.append("memory of the cut model in MiB, expected / measured:")
    expected, measured = check["memory_bytes"]["expected"], check["memory_bytes"]["measured"]
    return lines + [f"  {name:<44} {expected[name] / MIB:9.2f} / {measured[name] / MIB:9.2f}" for name in expected]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
