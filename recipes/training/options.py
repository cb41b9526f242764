"""Options of the training scripts, in a YAML or on the command line, and what is refused before anything loads."""

import dataclasses
import importlib.util
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml
from trl import DPOConfig, ModelConfig, SFTConfig, TrlParser

from dataset_builder.files.errors import UsageError
from recipes.keys.check import check_recipe
from recipes.keys.recipe import DPO_KEYS, NEW_NAMES, SFT_KEYS, TRACKERS, VISION_LEARNING_RATE, Keys, Recipe


class Script(NamedTuple):
    """A training script's options."""

    keys: Keys
    args: type  # TRL's


SFT = Script(SFT_KEYS, SFTConfig)


@dataclass
class PreferenceArguments(DPOConfig):
    """TRL's, with a key of SFTConfig's."""

    chat_template_path: str | None = field(
        default=None, metadata={"help": "Chat template in place of the checkpoint's; saved with the model."}
    )


DPO = Script(DPO_KEYS, PreferenceArguments)


class _Parser(TrlParser):
    def __init__(self, script: Script):
        self._trainer_options = script.args
        super().__init__((script.keys.recipe, script.args, ModelConfig))

    def set_defaults_with_config(self, **config) -> list[str]:
        return super().set_defaults_with_config(**rename(config, _options_of(self._trainer_options)))

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def parse(argv: list[str], processes: int | None = None, script: Script = SFT) -> tuple[Any, Any, ModelConfig]:
    """Options from `--config FILE.yaml`, then the command line, for `processes` (None: as they were launched).

    Returns (the script's `Recipe`, `script.args`, the model's).

    Raises UsageError for what cannot be read, is not known (naming the nearest known key) or cannot work.
    """
    check_recipe(argv, script.keys)
    check_deepspeed()
    try:
        parser = _Parser(script)
        parser.set_defaults_with_config(**_checkpointing_of_trl(script.args))
        words = rename_options(argv, _options_of(script.args))
        recipe, args, model_args = parser.parse_args_and_config(words)
    except (ValueError, TypeError, OSError, yaml.YAMLError) as error:
        raise UsageError(error) from error
    check_precision(args, model_args)
    set_vision_learning_rate(recipe)
    set_accumulation(recipe, args, processes or args.world_size)
    check_quantization(recipe, args, model_args)
    check_trackers(args.report_to)
    check_launch(args)
    args.mixed_precision = precision_of(args)
    args.remove_unused_columns = False  # examples.py has chosen them, and `length` is for the sampler
    return recipe, args, model_args


def rename(config: dict, known: Collection[str]) -> dict:
    """The keys of a YAML by the names (`NEW_NAMES`) in a transformers that has the options `known`.

    Raises UsageError where a key stands there by both names, with different values.
    """
    renamed: dict = {}
    for key, value in config.items():
        name = name_here(key, known)
        if name in renamed and renamed[name] != value:
            raise UsageError(f"{key} and {name} are the same key by two names: give one of them")
        renamed[name] = value
    return renamed


def rename_options(argv: list[str], known: Collection[str]) -> list[str]:
    """The words of a command line, its options by the names in a transformers that has the options `known`."""
    words = []
    for word in argv:
        name, equals, value = word.removeprefix("--").partition("=")
        words.append(f"--{name_here(name, known)}{equals}{value}" if word.startswith("--") else word)
    return words


def name_here(key: str, known: Collection[str]) -> str:
    """The name of an option in a transformers that has the options `known`."""
    old_names = {new: old for old, new in NEW_NAMES.items()}
    if NEW_NAMES.get(key) in known:
        return NEW_NAMES[key]
    return key if key in known else old_names.get(key, key)


def _options_of(trainer_options: type) -> set[str]:
    return {option.name for option in dataclasses.fields(trainer_options)}


def _checkpointing_of_trl(trainer_options: type) -> dict[str, bool]:
    """TRL's default, by the name that does not warn; TRL (1.16) sets the old one."""
    (old,) = (option for option in dataclasses.fields(trainer_options) if option.name == "gradient_checkpointing")
    return {} if old.default is None else {"gradient_checkpointing": bool(old.default)}


def precision_of(args: SFTConfig) -> str:
    """What accelerate is to compute in: the recipe says it, where a launch config says something else, too."""
    return "fp16" if args.fp16 else "bf16" if args.bf16 else "no"


def check_precision(args: SFTConfig, model_args: ModelConfig) -> None:
    """Raises UsageError where dtype and bf16 do not go together."""
    if model_args.dtype is None or (model_args.dtype == "bfloat16" and not args.bf16):
        raise UsageError(f"dtype {model_args.dtype} with bf16 {args.bf16}: use float32, or bfloat16 and bf16: true")


def set_vision_learning_rate(recipe: Recipe) -> None:
    """Fill in the learning rate of a vision tower that is trained. Raises UsageError where none is and it is given."""
    if recipe.trainable == "full-vision":
        if recipe.vision_learning_rate is None:
            recipe.vision_learning_rate = VISION_LEARNING_RATE
    elif recipe.vision_learning_rate is not None:
        raise UsageError(
            f"vision_learning_rate is for `trainable: full-vision`: under `{recipe.trainable}` the tower is frozen"
        )


def set_accumulation(recipe: Recipe, args: SFTConfig, processes: int) -> None:
    """Rows at once and micro-steps of a step, from `global_batch_size`: of many processes each takes fewer rows.

    Raises UsageError where it does not divide.
    """
    wanted = recipe.global_batch_size
    if wanted is None:
        return
    if wanted % processes == 0 and wanted < processes * args.per_device_train_batch_size:
        args.per_device_train_batch_size = wanted // processes
    steps, rest = divmod(wanted, processes * args.per_device_train_batch_size)
    if rest or steps < 1:
        raise UsageError(
            f"global_batch_size {wanted} is no multiple of {processes} process(es) × per_device_train_batch_size "
            f"{args.per_device_train_batch_size}: change one of the three"
        )
    if args.gradient_accumulation_steps not in (1, steps):
        raise UsageError(
            f"gradient_accumulation_steps {args.gradient_accumulation_steps} with global_batch_size {wanted}, which "
            f"makes it {steps}: give one of the two"
        )
    args.gradient_accumulation_steps = steps


def check_deepspeed() -> None:
    """Raises UsageError where the launch config asks for ZeRO and DeepSpeed, which runs on Linux only, is absent."""
    wanted = os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true"
    if wanted and not is_installed("deepspeed"):
        raise UsageError("ZeRO needs DeepSpeed, which is not installed (Linux only): use fsdp2.yaml, ddp or single_gpu")


def check_quantization(recipe: Recipe, args: SFTConfig, model_args: ModelConfig) -> None:
    """Raises UsageError where 4-bit weights cannot be trained on."""
    if not model_args.load_in_4bit:
        return
    if not recipe.with_lora:
        raise UsageError("load_in_4bit is for phase 2: phase 1 saves the whole model")
    if args.deepspeed_plugin is not None and args.deepspeed_plugin.zero_stage == 3:
        raise UsageError("load_in_4bit: ZeRO-3 cannot share out 4-bit weights; use single_gpu.yaml, ddp or zero2")


def check_trackers(report_to: list[str]) -> None:
    """Raises UsageError before the model is loaded, not after."""
    for name in report_to:
        if name not in TRACKERS:
            raise UsageError(f"report_to {name}: use none or some of {', '.join(TRACKERS)}")
        if not is_installed(name):
            raise UsageError(f"report_to: {name} is not installed: pip install 'ldrt-vlm[trackers]'")


def is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def check_launch(args: SFTConfig) -> None:
    """Raises UsageError where checkpoints or processes would not work together as asked."""
    if args.save_total_limit == 1:
        raise UsageError("save_total_limit 1 deletes the last checkpoint before the next one is complete: use 2")
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if args.world_size != launched:
        raise UsageError(f"{launched} processes were launched, each would train alone; on CPUs set use_cpu: true")
