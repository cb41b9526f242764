"""Options of the training scripts, in a YAML or on the command line, and what is refused before anything loads."""

import dataclasses
import importlib.util
import math
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml
from trl import DPOConfig, ModelConfig, SFTConfig, TrlParser

from dataset_builder.files.errors import UsageError
from dataset_builder.files.nearest import nearest
from recipes.families.family import Limits

LORA_KEYS = (
    *("lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "use_rslora", "use_dora"),
    *("load_in_4bit", "bnb_4bit_quant_type", "use_bnb_nested_quant"),
)
MODEL_KEYS = ("model_name_or_path", "model_revision", "dtype", "attn_implementation", *LORA_KEYS)
TRACKERS = ("tensorboard", "trackio", "wandb")
# What transformers calls anew: from 5.23 `activation_checkpointing`, before it `gradient_checkpointing`. Recipes may
# have either, with any version; can go once transformers 5.22 is out of use.
NEW_NAMES = {
    "gradient_checkpointing": "activation_checkpointing",
    "gradient_checkpointing_kwargs": "activation_checkpointing_kwargs",
}
REFUSED = {
    "use_peft": "`trainable: lora` switches it on",
    "lora_modules_to_save": "the projector is always tuned and saved in phase 2",
    "model_init_kwargs": "use dtype, attn_implementation and model_revision",
    "trust_remote_code": "code from a model's repository is never run",
    "chat_template": "use chat_template_path",
    "push_to_hub": "use `ldrt publish`, which sends the card and the predictions too",
    "packing": "rows with pictures cannot be packed",
    "padding_free": "rows with pictures cannot be flattened",
    "assistant_only_loss": "prompt/completion rows are trained on the completion only",
    "completion_only_loss": "always on",
    "warmup_ratio": "use warmup_steps, a share when below 1 (warmup_steps: 0.03)",
    "torch_dtype": "use dtype",
    "max_seq_length": "use max_length",
    "resume_from_checkpoint": "the same command goes on by itself; to begin anew, remove output_dir or choose another",
    "save_only_model": "a checkpoint without the optimizer cannot be gone on from",
    "ignore_data_skip": "a run that goes on would train rows twice",
}
# Of the vision tower, by default: `mm_vision_tower_lr` of LLaVA-NeXT's and LLaVA-OneVision's scripts
VISION_LEARNING_RATE = 2e-6
# key -> what it must be; checked before anything loads
AT_LEAST_ONE = ("per_device_train_batch_size", "gradient_accumulation_steps", "per_device_eval_batch_size")
NOT_NEGATIVE = ("learning_rate", "warmup_steps", "weight_decay", "max_grad_norm", "dataloader_num_workers")


@dataclass(kw_only=True)
class Recipe:
    """The keys that TRL and Transformers do not have."""

    trainable: str = field(
        metadata={
            "help": "`projector`: phase 1, the projector alone. `lora`: phase 2, LoRA on the language model and the "
            "projector; the vision tower is frozen. `full-vision`: phase 2 with the whole vision tower, too.",
            "choices": ["projector", "lora", "full-vision"],
        }
    )
    dataset_name: str = field(metadata={"help": "Hub id or local dataset repo folder."})
    dataset_config: str = field(metadata={"help": "Config of the dataset: align, detail, reasoning or instruct."})
    dataset_revision: str | None = field(default=None, metadata={"help": "Branch, tag or commit of a Hub dataset."})
    dataset_train_split: str = field(default="train", metadata={"help": "Split, slices allowed: train[:10%%]."})
    train_article_share: float | None = field(
        default=None,
        metadata={"help": "Train on the rows of this share of the articles (0.1: a tenth, the same ones every time)."},
    )
    dataset_test_split: str = field(
        default="validation", metadata={"help": "Split for the loss during training, where eval_strategy asks for it."}
    )
    eval_questions: int = field(
        default=8,
        metadata={
            "help": "Held-out questions, always the same ones, that each evaluation (eval_strategy) answers, with "
            "their picture and with another's; 0 for none."
        },
    )
    train_template_path: str | None = field(
        default=None,
        metadata={
            "help": "Template of the training rows where it is not the chat template saved with the model. Phase 1 of "
            "LLaVA has its own by default: recipes/templates/plain.jinja."
        },
    )
    train_earlier_answers: bool = field(
        default=False,
        metadata={"help": "Train the answers that stand in a prompt of several turns, too, as LLaVA does."},
    )
    global_batch_size: int | None = field(
        default=None,
        metadata={
            "help": "Rows of an optimizer step, of all processes together: gradient_accumulation_steps follows from "
            "it, from per_device_train_batch_size and from the number of processes; where these alone are more, "
            "per_device_train_batch_size is lowered."
        },
    )
    projector_learning_rate: float | None = field(
        default=None, metadata={"help": "Learning rate of the projector where it differs from learning_rate."}
    )
    vision_learning_rate: float | None = field(
        default=None,
        metadata={
            "help": "Learning rate of the vision tower under `trainable: full-vision`; by default "
            f"{VISION_LEARNING_RATE:g}, far below that of LoRA: the tower has learned from far more pictures."
        },
    )
    max_grid_tiles: int | None = field(
        default=None,
        metadata={
            "help": "Families that cut a picture into tiles: no grid of more tiles than this, in training and in the "
            "saved model."
        },
    )
    max_image_tokens: int | None = field(
        default=None,
        metadata={
            "help": "Families that take a picture in its own size (Qwen): shrink it to at most so many tokens, in "
            "training and in the saved model."
        },
    )

    @property
    def limits(self) -> Limits:
        return Limits(self.max_grid_tiles, self.max_image_tokens)

    @property
    def with_lora(self) -> bool:
        """Whether an adapter is trained: all but phase 1, which trains the projector in place."""
        return self.trainable != "projector"


class Script(NamedTuple):
    """A training script's options."""

    recipe: type[Recipe]
    args: type  # TRL's
    refused: dict[str, str]  # key -> why it is not for this script


SFT = Script(Recipe, SFTConfig, REFUSED)


@dataclass(kw_only=True)
class PreferenceRecipe(Recipe):
    """What is another for recipes/dpo.py."""

    trainable: str = field(
        default="preference",
        metadata={
            "help": "`preference`: LoRA on the language model. Projector and vision tower are frozen.",
            "choices": ["preference"],
        },
    )
    dataset_config: str = field(default="preference", metadata={"help": "Config of the dataset: preference."})


@dataclass
class PreferenceArguments(DPOConfig):
    """TRL's, with a key of SFTConfig's."""

    chat_template_path: str | None = field(
        default=None, metadata={"help": "Chat template in place of the checkpoint's; saved with the model."}
    )


REFUSED_PAIRS = REFUSED | {
    "train_template_path": "pairs are answers to a question: the chat template is theirs",
    "train_earlier_answers": "of a pair only the two answers are compared",
    "projector_learning_rate": "the projector is not trained here",
    "vision_learning_rate": "the vision tower is not trained here",
    "truncation_mode": "rows longer than max_length are dropped, never cut",
    "precompute_ref_log_probs": "TRL has none for rows with pictures; the reference costs a forward pass, no memory",
    "precompute_ref_batch_size": "see precompute_ref_log_probs, which is not for this script either",
    "sync_ref_model": "the reference is the model that the run starts from, its adapter switched off",
    "ref_model_mixup_alpha": "the reference stays as it is",
    "ref_model_sync_steps": "the reference stays as it is",
}
DPO = Script(PreferenceRecipe, PreferenceArguments, REFUSED_PAIRS)


class _Parser(TrlParser):
    def __init__(self, script: Script):
        self._trainer_options = script.args
        super().__init__((script.recipe, script.args, ModelConfig))

    def set_defaults_with_config(self, **config) -> list[str]:
        return super().set_defaults_with_config(**rename(config, _options_of(self._trainer_options)))

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def parse(argv: list[str], processes: int | None = None, script: Script = SFT) -> tuple[Any, Any, ModelConfig]:
    """Options from `--config FILE.yaml`, then the command line, for `processes` (None: as they were launched).

    Returns (`script.recipe`, `script.args`, the model's).

    Raises UsageError for what cannot be read, is not known (naming the nearest known key) or cannot work.
    """
    check_keys(argv, script)
    check_deepspeed()
    try:
        parser = _Parser(script)
        parser.set_defaults_with_config(**_checkpointing_of_trl(script.args))
        words = rename_options(argv, _options_of(script.args))
        recipe, args, model_args = parser.parse_args_and_config(words)
    except (ValueError, TypeError, OSError, yaml.YAMLError) as error:
        raise UsageError(error) from error
    check_needed(args, model_args)
    check_numbers(args, recipe)
    if recipe.eval_questions < 0:
        raise UsageError(f"eval_questions {recipe.eval_questions}: give a number of questions, or 0 for none")
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


def recipe_path(argv: list[str]) -> str | None:
    """FILE of `--config FILE`, None where there is none."""
    return argv[argv.index("--config") + 1] if "--config" in argv[:-1] else None


def check_keys(argv: list[str], script: Script = SFT) -> None:
    """Raises UsageError for a key or option that nothing reads."""
    keys = [word[2:].split("=")[0] for word in argv if word.startswith("--")]
    path = recipe_path(argv)
    if path is not None:
        keys += read_keys(path)
    fields = [f.name for options in script[:2] for f in dataclasses.fields(options)]
    known = [key for key in (*fields, *MODEL_KEYS, *NEW_NAMES.values(), "config") if key not in script.refused]
    for key in keys:
        if key in script.refused:
            raise UsageError(f"{key} is not for this script: {script.refused[key]}")
        if key not in known:
            raise UsageError(f"no key {key!r}{nearest(key, known)}")


def read_keys(path: str) -> list[str]:
    """The keys of a recipe's YAML. Raises UsageError where it cannot be read."""
    try:
        config = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the recipe {path!r}: {error}") from error
    if not isinstance(config, dict):
        raise UsageError(f"{path}: expected `key: value` lines")
    return [str(key) for key in config]


def check_needed(args: SFTConfig, model_args: ModelConfig) -> None:
    """Raises UsageError where a key is missing that has no default, or dtype and bf16 do not go together."""
    if args.output_dir is None or model_args.model_name_or_path is None:
        raise UsageError("model_name_or_path and output_dir are needed, in the YAML or as options")
    is_known = model_args.dtype in ("float32", "bfloat16")
    if not is_known or (model_args.dtype == "bfloat16" and not args.bf16):
        raise UsageError(f"dtype {model_args.dtype} with bf16 {args.bf16}: use float32, or bfloat16 and bf16: true")


def check_numbers(args: SFTConfig, recipe: Recipe) -> None:
    """Raises UsageError for a run of no steps, and for numbers with which nothing can be trained."""
    if args.max_steps == 0 or args.max_steps < -1:
        raise UsageError(f"max_steps {args.max_steps} trains nothing: give 1 or more, or -1 for num_train_epochs")
    if not 0 < args.num_train_epochs < math.inf:
        raise UsageError(f"num_train_epochs {args.num_train_epochs} trains nothing: give a number above 0")
    given = {key: getattr(args, key) for key in (*AT_LEAST_ONE, *NOT_NEGATIVE)}
    given["projector_learning_rate"] = recipe.projector_learning_rate or 0.0
    given["vision_learning_rate"] = recipe.vision_learning_rate or 0.0
    for key, value in given.items():
        least = 1 if key in AT_LEAST_ONE else 0
        if not least <= value < math.inf:
            raise UsageError(f"{key} {value}: give a number that is at least {least}")
    if args.max_length is not None and args.max_length < 1:
        raise UsageError(f"max_length {args.max_length} drops every row: give a number of tokens, or null for no limit")
    for key, limit in recipe.limits._asdict().items():
        if limit is not None and limit < 1:
            raise UsageError(f"{key} {limit} leaves nothing of a picture: give a number that is at least 1")


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
