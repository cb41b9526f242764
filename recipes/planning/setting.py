"""What is planned: a recipe, the shape of its model, its launch config and the device."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import yaml
from transformers import AutoConfig, PreTrainedConfig, ProcessorMixin
from trl import ModelConfig, SFTConfig

from recipes.families.find import find_family, released_config, released_models
from recipes.keys.recipe import Recipe
from recipes.launching.start import asks_for_pairs
from recipes.methods import ANSWERS, PREFERENCES, Method
from recipes.planning.arithmetic import Parameters, Shape, build_on_meta, count_parameters
from recipes.planning.devices import Device
from recipes.planning.launches import Launch
from recipes.planning.memory import FP32, NF4, NF4_DOUBLE, Precision
from recipes.training.model import choose_templates, load_processor
from recipes.training.options import parse
from recipes.training.trainer import lora_config
from trust.checkpoints import LOADING, open_checkpoint

# folders that the shipped recipes start from: models of the shape that phase 1 starts from
_MADE_OF_PHASE1 = ("phase1", "merged")


@dataclass(frozen=True)
class Start:
    """The checkpoint that training starts from, as far as it is known without its weights."""

    model: str
    revision: str | None
    config: PreTrainedConfig  # image grids go from it where the processor is loaded and max_grid_tiles says so
    origin: str  # where the configuration comes from, in words


@dataclass(frozen=True)
class Setting:
    """All that decides a plan, but the rows."""

    recipe_path: str
    overrides: list[str]
    recipe: Recipe
    args: SFTConfig
    model_args: ModelConfig
    start: Start
    shape: Shape
    parameters: Parameters
    precision: Precision
    launch: Launch
    device: Device
    method: Method


def read_setting(recipe_path: str, overrides: list[str], launch: Launch, device: Device) -> Setting:
    """A recipe with changes, `overrides` as on the command line of recipes/sft.py, or of recipes/dpo.py.

    Raises UsageError for a recipe that the script refuses, ValueError for a model of no known family, OSError where its
    configuration is not within reach.
    """
    argv = ["--config", recipe_path, *overrides]
    # TRL refuses bf16 without a GPU; nothing is trained here but the check, on whatever there is
    argv += [] if torch.cuda.is_available() else ["--use_cpu", "true"]
    method = PREFERENCES if asks_for_pairs(Path(recipe_path)) else ANSWERS
    recipe, args, model_args = parse(argv, launch.processes, method.options)
    start = find_start(model_args.model_name_or_path, model_args.model_revision, Path(recipe_path))
    shape = read_shape(recipe, model_args, start)
    choose_templates(recipe, args, shape.family)
    return Setting(
        recipe_path=recipe_path,
        overrides=overrides,
        recipe=recipe,
        args=args,
        model_args=model_args,
        start=start,
        shape=shape,
        parameters=count_parameters(build_on_meta(shape), shape.family),
        precision=read_precision(args, model_args),
        launch=launch,
        device=device,
        method=method,
    )


def read_shape(recipe: Recipe, model_args: ModelConfig, start: Start) -> Shape:
    """What the recipe trains of the model. Raises ValueError for a model of no known family."""
    family = find_family(start.config.model_type, start.model)
    adapter = lora_config(model_args, family, start.config, recipe.trainable) if recipe.with_lora else None
    return Shape(family, start.config, recipe.trainable, adapter, recipe.limits)


def read_precision(args: SFTConfig, model_args: ModelConfig) -> Precision:
    """How the recipe keeps numbers, where no launch config changes it."""
    four_bit = None
    if model_args.load_in_4bit:
        four_bit = NF4_DOUBLE if model_args.use_bnb_nested_quant else NF4
    moments = 2 if "8bit" in args.optim.value else 2 * FP32
    return Precision(getattr(torch, model_args.dtype), args.bf16, four_bit, moments)


def find_start(name: str, revision: str | None, recipe: Path) -> Start:
    """The checkpoint by its config.json, or by the known shape of a Hub checkpoint.

    Phase 2, and DPO after it, can be planned before phase 1 has run: the model is then the one that the phase1.yaml
    beside it starts from. Raises OSError when nothing is found.
    """
    try:
        checkpoint = open_checkpoint(name, revision, with_weights=False)
        config = AutoConfig.from_pretrained(checkpoint.folder, **LOADING)
        return Start(name, revision, config, f"config.json of {name}")
    except OSError as error:
        if name in released_models():
            origin = f"known shape of {name}, which is not within reach"
            return Start(name, revision, released_config(name), origin)
        first = recipe.with_name("phase1.yaml")
        if Path(name).name in _MADE_OF_PHASE1 and recipe.name != first.name and first.is_file():
            return _start_of_phase1(first, name)
        known = ", ".join(released_models())
        raise OSError(
            f"no config.json of {name}: give --model_name_or_path with a folder, or with one of {known}"
        ) from error


def _start_of_phase1(recipe: Path, missing: str) -> Start:
    """Where phase 1 starts from, in place of its result `missing`."""
    keys = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    found = find_start(keys["model_name_or_path"], keys.get("model_revision"), recipe)
    return replace(found, origin=f"{found.origin}; {missing} is not there yet")


def find_processor(setting: Setting) -> ProcessorMixin:
    """The processor as sft.py sets it up; drops image grids from the configuration where the recipe says so.

    Raises OSError where it is not within reach.
    """
    start = setting.start
    try:
        checkpoint = open_checkpoint(start.model, start.revision, with_weights=False)
        return load_processor(checkpoint, start.config, setting.args.chat_template_path, setting.recipe.limits)
    except (OSError, ValueError) as error:
        raise OSError(
            f"no processor of {start.model} within reach ({error}): give --model_name_or_path, or --rows and --tokens"
        ) from error
