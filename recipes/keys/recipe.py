"""The keys that a recipe's YAML may have beside TRL's and Transformers', and which of those are refused, and why."""

from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from annotated_types import Ge, Gt, Le, Lt

from dataset_builder.files.values import Bound
from recipes.families.limits import Limits

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
# key of TRL's or Transformers' -> the numbers with which something can be trained
BOUNDS: dict[str, tuple[Bound, ...]] = {
    **dict.fromkeys(("learning_rate", "warmup_steps", "weight_decay", "max_grad_norm"), (Ge(0),)),
    **dict.fromkeys(("dataloader_num_workers", "seed"), (Ge(0),)),
    **dict.fromkeys(("num_train_epochs", "logging_steps", "eval_steps", "save_steps", "beta"), (Gt(0),)),
    **dict.fromkeys(("per_device_train_batch_size", "per_device_eval_batch_size"), (Ge(1),)),
    **dict.fromkeys(("gradient_accumulation_steps", "max_length", "lora_r", "lora_alpha"), (Ge(1),)),
    **dict.fromkeys(("lora_dropout", "adam_beta1", "adam_beta2"), (Ge(0), Lt(1))),
    "max_steps": (Ge(-1),),
}
# key of TRL's or Transformers' -> those of its values that these scripts take
CHOICES = {"dtype": ("float32", "bfloat16"), "report_to": ("none", *TRACKERS)}


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
    train_article_share: Annotated[float, Gt(0), Le(1)] | None = field(
        default=None,
        metadata={"help": "Train on the rows of this share of the articles (0.1: a tenth, the same ones every time)."},
    )
    dataset_test_split: str = field(
        default="validation", metadata={"help": "Split for the loss during training, where eval_strategy asks for it."}
    )
    eval_questions: Annotated[int, Ge(0)] = field(
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
    global_batch_size: Annotated[int, Ge(1)] | None = field(
        default=None,
        metadata={
            "help": "Rows of an optimizer step, of all processes together: gradient_accumulation_steps follows from "
            "it, from per_device_train_batch_size and from the number of processes; where these alone are more, "
            "per_device_train_batch_size is lowered."
        },
    )
    projector_learning_rate: Annotated[float, Ge(0)] | None = field(
        default=None, metadata={"help": "Learning rate of the projector where it differs from learning_rate."}
    )
    vision_learning_rate: Annotated[float, Ge(0)] | None = field(
        default=None,
        metadata={
            "help": "Learning rate of the vision tower under `trainable: full-vision`; by default "
            f"{VISION_LEARNING_RATE:g}, far below that of LoRA: the tower has learned from far more pictures."
        },
    )
    max_grid_tiles: Annotated[int, Ge(1)] | None = field(
        default=None,
        metadata={
            "help": "Families that cut a picture into tiles: no grid of more tiles than this, in training and in the "
            "saved model."
        },
    )
    max_image_tokens: Annotated[int, Ge(1)] | None = field(
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


class Keys(NamedTuple):
    """What the recipes of a training script are made of."""

    recipe: type[Recipe]
    trainer: tuple[str, str]  # module and name of the class of TRL's options
    refused: dict[str, str]  # key -> why it is not for this script


SFT_KEYS = Keys(Recipe, ("trl", "SFTConfig"), REFUSED)
DPO_KEYS = Keys(PreferenceRecipe, ("recipes.training.options", "PreferenceArguments"), REFUSED_PAIRS)
