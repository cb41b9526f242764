"""What a run leaves behind: its entry in lineage.json, timing, checkpoint or adapter; and whether it has run before."""

from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Len
from peft import LoraConfig
from transformers import ProcessorMixin
from transformers.trainer_utils import TrainOutput
from trl import ModelConfig, SFTConfig
from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import write_json
from recipes.project_files import name_in_project
from recipes.training import lineage
from recipes.training.examples import Scan, describe_unreadable
from recipes.training.options import LORA_KEYS, Recipe, recipe_path
from recipes.training.trainer import PhaseTrainer
from trust.checkpoints import Checkpoint
from trust.handovers import Kind, stamped

# Settings of a run that change its result: compared when a run continues, recorded in lineage.json.
SETTINGS = (
    *("learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "max_grad_norm", "num_train_epochs"),
    *("max_steps", "max_length", "optim", "adam_beta1", "adam_beta2", "adam_epsilon", "seed", "data_seed", "bf16"),
    *("train_sampling_strategy", "load_best_model_at_end"),
)


class Phase(TypedDict):
    """An entry of lineage.json, and recipe.json: what a run is compared by when it goes on."""

    trainable: str
    settings: dict[str, Any]


class Finished(TypedDict):
    """lineage.json of a finished run."""

    phases: Annotated[list[Phase], Len(min_length=1)]


STARTED_FILE = Kind(Phase, "recipes/sft.py --output_dir {folder}")
FINISHED_FILE = Kind(Finished, "recipes/sft.py --output_dir {folder}")


def describe_phase(recipe: Recipe, args: SFTConfig, model_args: ModelConfig, source: dict) -> dict:
    """The phase's entry in lineage.json, before training."""
    settings = {key: getattr(args, key) for key in SETTINGS}
    settings["lr_scheduler_type"], settings["optim"] = args.lr_scheduler_type.value, args.optim.value
    settings["dtype"] = model_args.dtype
    settings["global_batch_size"] = (
        args.world_size * args.per_device_train_batch_size * args.gradient_accumulation_steps
    )
    settings["projector_learning_rate"] = recipe.projector_learning_rate
    settings["max_grid_tiles"] = recipe.max_grid_tiles
    settings["max_image_tokens"] = recipe.max_image_tokens
    settings["train_template"] = Path(recipe.train_template_path or args.chat_template_path).name
    if recipe.trainable == "lora":
        settings |= {key: getattr(model_args, key) for key in LORA_KEYS}
    return {"trainable": recipe.trainable, **source, "settings": settings, "versions": lineage.versions()}


def recipe_file(argv: list[str]) -> str | None:
    """The YAML given by `--config`, as a path within the project where it is one of its recipes."""
    path = recipe_path(argv)
    return None if path is None else name_in_project(Path(path))


def is_finished(output: Path, entry: dict) -> bool:
    """Whether `output` holds this very run, finished. Raises ValueError when it holds a run with other settings."""
    finished = (output / lineage.FILE).is_file()
    started = output / lineage.STARTED
    if finished:
        old = FINISHED_FILE.read(output / lineage.FILE)["phases"][-1]
    elif started.is_file():
        old = STARTED_FILE.read(started)
    else:
        return False
    if (change := lineage.difference(old, entry)) is not None:
        raise ValueError(f"{output} holds another run ({change}): choose another output_dir or remove it")
    return finished


def results(trainer: PhaseTrainer) -> dict:
    """{"steps", "train_loss": mean of the losses logged over the whole run, resumed or not, "best_step": of the
    checkpoint that was kept, None for the last one, "launch"}."""
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    return {
        "steps": trainer.state.global_step,
        "train_loss": round(sum(losses) / len(losses), 6) if losses else None,
        "best_step": trainer.state.best_global_step if trainer.args.load_best_model_at_end else None,
        "launch": launch(trainer),
    }


def launch(trainer: PhaseTrainer) -> dict:
    """{"processes", "distributed": what accelerate made of its configuration, "backend": gloo, nccl, None for one}.

    It is not always what was asked for: FSDP on a CPU comes out as MULTI_CPU, that is DDP.
    """
    state = trainer.accelerator.state
    stage = f" ZeRO-{state.deepspeed_plugin.zero_stage}" if trainer.is_deepspeed_enabled else ""
    backend = torch.distributed.get_backend() if torch.distributed.is_initialized() else None
    return {"processes": state.num_processes, "distributed": state.distributed_type.value + stage, "backend": backend}


def timing(trained: TrainOutput, checkpoint: str | None, world_size: int) -> dict:
    """How long a step took since the last start; apart from lineage.json, which is the same for the same run.

    {"steps": of the whole run, "seconds_per_step": None where nothing was left to train, "world_size"}.
    """
    steps = trained.global_step - (int(checkpoint.rpartition("-")[2]) if checkpoint else 0)
    seconds = trained.metrics["train_runtime"]
    return {
        "steps": trained.global_step,
        "seconds_per_step": round(seconds / steps, 4) if steps else None,
        "world_size": world_size,
    }


def save(trainer: PhaseTrainer, processor: ProcessorMixin, trainable: str, history: dict, start: Checkpoint) -> None:
    """Checkpoint (phase 1) or adapter with the projector (phase 2), processor, and lineage.json last."""
    args, model = trainer.args, trainer.model
    output = Path(args.output_dir)
    if trainable == "lora":
        point_at_base(model.peft_config["default"], history, start)
    elif trainer.saves_hub_names():
        family = trainer.family
        for projector in family.projectors(model):
            projector.to(model.get_submodule(family.lm_head).weight.dtype)
    trainer.save_model()
    if args.process_index == 0:
        (output / "training_args.bin").unlink(missing_ok=True)  # a pickle: not part of what is published
        processor.save_pretrained(output)
        write_json(output / lineage.FILE, stamped(history))
    args.distributed_state.wait_for_everyone()


def point_at_base(adapter: LoraConfig, history: dict, start: Checkpoint) -> None:
    """Name the adapter's base: what it was trained on, or the released checkpoint where phase 1 started from one.

    Phase 1 changed the projector alone, and the adapter carries the whole projector: on the released checkpoint it
    gives the same model, and nobody needs phase 1's folder to load it.
    """
    only_projector = all(phase["trainable"] == "projector" for phase in history["phases"][:-1])
    adapter.base_model_name_or_path, adapter.revision = start.name, start.commit
    if history["base_revision"] is not None and only_projector:
        adapter.base_model_name_or_path, adapter.revision = history["base_model"], history["base_revision"]


def describe_error(error: Exception) -> str:
    """What went wrong, in one line: of a process that loads rows PyTorch gives the traceback, whose end says it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if "in DataLoader worker process" in lines[0]:
        lines = [lines[-1].partition(": ")[2]]  # without the class's name
    return " ".join(" ".join(lines).split())


def describe_scan(scan: Scan) -> str:
    """The report of `scan_lengths` in one line."""
    dropped = "".join(f"; {count} dropped: {reason}" for reason, count in scan["dropped"].items())
    dropped += describe_unreadable(scan["unreadable"])
    disarmed = f"; {scan['disarmed']} with special tokens in their text, read as ordinary text" * bool(scan["disarmed"])
    low, middle, high, top = scan["tokens"].values()
    tokens = f"tokens min / median / 95 % / max: {low} / {middle} / {high} / {top}"
    return f"{scan['kept']} of {scan['rows']} rows{dropped}{disarmed}; {tokens}"
