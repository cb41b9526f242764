"""What a run leaves behind: its entry in lineage.json, timing, checkpoint or adapter; and whether it has run before."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NotRequired

import torch
from annotated_types import Len
from peft import LoraConfig
from transformers import ProcessorMixin
from transformers.trainer_utils import TrainOutput
from trl import ModelConfig, SFTConfig
from typing_extensions import TypedDict

from dataset_builder.files.jsonfiles import write_json
from recipes.keys.check import recipe_path
from recipes.keys.recipe import LORA_KEYS, Recipe
from recipes.project_files import name_in_project, read_template
from recipes.training import lineage
from recipes.training.checkpoints import (
    PATTERN,
    check_saved,
    last_whole_checkpoint,
    mark_saved,
    newest_marked,
    step_of,
)
from recipes.training.finite import NotFiniteError, check_weights
from recipes.training.identity import changed_options, difference, hash_text, rows_made_by
from recipes.training.processes import of_all
from recipes.training.trainer import StrictTrainer, global_batch_size, trained_parameters
from trust.checkpoints import Checkpoint, open_checkpoint
from trust.handovers import Kind, stamped

# Settings that lineage.json has of every run, at their defaults or not.
SETTINGS = (
    *("learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "max_grad_norm", "num_train_epochs"),
    *("max_steps", "max_length", "optim", "adam_beta1", "adam_beta2", "adam_epsilon", "seed", "data_seed", "bf16"),
    *("train_sampling_strategy", "load_best_model_at_end"),
)
PREFERENCE_SETTINGS = ("beta", "loss_type")


class Phase(TypedDict):
    """An entry of lineage.json, and recipe.json: what a run is compared by when it goes on."""

    trainable: str
    settings: dict[str, Any]
    rows: NotRequired[Any]  # {"kept": rows, …}; of before, in recipe.json none
    rows_repeated: NotRequired[int]  # in each epoch, by its number of processes


class Finished(TypedDict):
    """lineage.json of a finished run."""

    phases: Annotated[list[Phase], Len(min_length=1)]


STARTED_FILE = Kind(Phase, "recipes/sft.py --output_dir {folder}")
FINISHED_FILE = Kind(Finished, "recipes/sft.py --output_dir {folder}")


class Held(NamedTuple):
    """What an output folder holds of a run."""

    finished: bool
    checkpoint: str | None  # that it goes on from
    said: list[str]  # of checkpoints that cannot be gone on from
    refused: str | None  # why nothing is done there


def describe_phase(
    recipe: Recipe, args: SFTConfig, model_args: ModelConfig, start: Checkpoint, source: dict, held_out: dict | None
) -> dict:
    """The phase's entry in lineage.json, before training: all that decides what the run comes to (identity.py).

    `source` and `held_out` are as `load_examples` gives them. Reads the weights of a folder that it starts from.
    """
    settings = {key: getattr(args, key) for key in SETTINGS}
    settings["lr_scheduler_type"], settings["optim"] = args.lr_scheduler_type.value, args.optim.value
    settings["dtype"] = model_args.dtype
    settings["global_batch_size"] = global_batch_size(args)
    settings["projector_learning_rate"] = recipe.projector_learning_rate
    settings["max_grid_tiles"] = recipe.max_grid_tiles
    settings["max_image_tokens"] = recipe.max_image_tokens
    if recipe.with_lora:
        settings |= {key: getattr(model_args, key) for key in LORA_KEYS}
    if recipe.trainable == "preference":
        settings |= {key: getattr(args, key) for key in PREFERENCE_SETTINGS}
    settings |= changed_options(recipe, args, model_args)
    template = recipe.train_template_path or args.chat_template_path
    evaluated = {}
    if held_out is not None:
        evaluated = {f"held_out_{key}": held_out[f"dataset_{key}"] for key in ("split", "revision", "sha256")}
    return {
        "trainable": recipe.trainable,
        "start_revision": start.revision,
        **source,
        **evaluated,
        "train_template_sha256": hash_text(read_template(template)),
        "chat_template_sha256": hash_text(read_template(args.chat_template_path)),
        "rows_made_by": rows_made_by(),
        "settings": settings | {"train_template": Path(template).name if template else None},
        "versions": lineage.versions(),
    }


def recipe_file(argv: list[str]) -> str | None:
    """The YAML given by `--config`, as a path within the project where it is one of its recipes."""
    path = recipe_path(argv)
    return None if path is None else name_in_project(Path(path))


def look_at(output: Path, entry: dict, saved_by: str, repeated: Callable[[int], int]) -> Held:
    """What `output` holds: this very run, finished or begun, another one, or nothing.

    `entry` is the run's as `describe_phase` makes it, `saved_by` how its checkpoints are written, `repeated` how many
    of so many rows each epoch trains twice with these processes. Damaged checkpoints are put aside.
    """
    finished, started = output / lineage.FILE, output / lineage.STARTED
    if not finished.is_file() and not started.is_file():
        foreign = next(output.glob(PATTERN), None)
        refused = f"{foreign} is of a run that nothing is known of: choose another output_dir or remove it"
        return Held(False, None, [], None if foreign is None else refused)
    is_finished = finished.is_file()
    old = FINISHED_FILE.read(finished)["phases"][-1] if is_finished else STARTED_FILE.read(started)
    if (change := difference(old, entry) or _other_repeats(old, repeated)) is not None:
        return Held(False, None, [], f"{output} holds another run ({change}): choose another output_dir or remove it")
    if is_finished:
        open_checkpoint(str(output))  # raises where it is none
        check_saved(output)
        return Held(True, None, [], None)
    checkpoint, said = last_whole_checkpoint(output)
    before = old.get("saved_by", saved_by)
    if checkpoint is not None and before != saved_by:
        change = f"its checkpoints are written by {before}, this launch is {saved_by}"
        return Held(False, None, [], f"{output} cannot go on ({change}): launch it as before, or remove the folder")
    return Held(False, None if checkpoint is None else str(checkpoint), said, None)


def _other_repeats(old: Phase, repeated: Callable[[int], int]) -> str | None:
    """How the rows of an epoch are others by the number of processes alone, or None; rows that divide are the same."""
    if "rows_repeated" not in old:
        return None
    there, here = old["rows_repeated"], repeated(old["rows"]["kept"])
    if there == here:
        return None
    return f"each epoch repeats {there} of its rows there, {here} here: start as many processes as before"


def saved_by(args: SFTConfig) -> str:
    """How checkpoints are written: whoever goes on from one must read it in the same way."""
    plugin = args.deepspeed_plugin
    if plugin is not None:
        return f"ZeRO-{plugin.zero_stage} with {args.world_size} processes"
    return "FSDP" if os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true" else "whole models"


def train(trainer: StrictTrainer, checkpoint: str | None) -> TrainOutput:
    """Train, from a checkpoint where there is one. Raises NotFiniteError, which says what is left of the run."""
    try:
        return trainer.train(resume_from_checkpoint=checkpoint)
    except NotFiniteError as error:
        good = newest_marked(Path(trainer.args.output_dir))
        kept = f"the last good checkpoint, {good}, is kept" if good else "there is no checkpoint yet"
        cure = "look at these rows, or begin anew in another output_dir with a smaller learning_rate"
        raise of_all(NotFiniteError(f"{error}: training has stopped, {kept}; {cure}")) from error


def results(trainer: StrictTrainer) -> dict:
    """{"steps", "train_loss": mean of the losses logged over the whole run, resumed or not, "best_step": of the
    checkpoint that was kept, None for the last one, "launch"}, and of a preference phase "rewards": by how much the
    chosen answer was ahead of the rejected one, and in which share of the pairs, as logged first and last."""
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    return {
        "steps": trainer.state.global_step,
        "train_loss": round(sum(losses) / len(losses), 6) if losses else None,
        "best_step": trainer.state.best_global_step if trainer.args.load_best_model_at_end else None,
        "launch": launch(trainer),
        **_rewards(trainer.state.log_history),
    }


def _rewards(logs: list[dict]) -> dict:
    logged = [log for log in logs if "rewards/margins" in log]
    if not logged:
        return {}
    found = {when: logged[at] for when, at in (("first", 0), ("last", -1))}
    values = {
        when: {"margin": log["rewards/margins"], "accuracy": log["rewards/accuracies"]} for when, log in found.items()
    }
    return {"rewards": values}


def launch(trainer: StrictTrainer) -> dict:
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
    steps = trained.global_step - (step_of(checkpoint) if checkpoint else 0)
    seconds = trained.metrics["train_runtime"]
    return {
        "steps": trained.global_step,
        "seconds_per_step": round(seconds / steps, 4) if steps else None,
        "world_size": world_size,
    }


def save(trainer: StrictTrainer, processor: ProcessorMixin, trainable: str, history: dict, start: Checkpoint) -> None:
    """Checkpoint (phase 1) or adapter with what is trained whole beside it (phase 2), processor, and lineage.json
    last."""
    args, model = trainer.args, trainer.model
    output = Path(args.output_dir)
    check_weights(trained_parameters(model), "the trained model, which is not saved,")
    if trainable != "projector":
        point_at_base(model.peft_config["default"], history, start)
    elif trainer.saves_hub_names():
        family = trainer.family
        for projector in family.projectors(model):
            projector.to(model.get_submodule(family.lm_head).weight.dtype)
    trainer.save_model()
    if args.process_index == 0:
        (output / "training_args.bin").unlink(missing_ok=True)  # a pickle: not part of what is published
        processor.save_pretrained(output)
        mark_saved(output)
        write_json(output / lineage.FILE, stamped(history))
    args.distributed_state.wait_for_everyone()


def point_at_base(adapter: LoraConfig, history: dict, start: Checkpoint) -> None:
    """Name the adapter's base: what it was trained on, or the released checkpoint where phase 1 started from one.

    Phase 1 changed the projector alone, and the adapter of phase 2 carries the whole projector: on the released
    checkpoint it gives the same model, and nobody needs phase 1's folder to load it.
    """
    *before, last = (phase["trainable"] for phase in history["phases"])
    only_projector = last in ("lora", "full-vision") and all(trainable == "projector" for trainable in before)
    adapter.base_model_name_or_path, adapter.revision = start.name, start.commit
    if history["base_revision"] is not None and only_projector:
        adapter.base_model_name_or_path, adapter.revision = history["base_model"], history["base_revision"]


def describe_error(error: Exception) -> str:
    """What went wrong, in one line: of a process that loads rows PyTorch gives the traceback, whose end says it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if "in DataLoader worker process" in lines[0]:
        lines = [lines[-1].partition(": ")[2]]  # without the class's name
    return " ".join(" ".join(lines).split())
