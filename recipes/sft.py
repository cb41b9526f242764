"""Tune LLaVA on one config of the dataset: phase 1 aligns the projector, phase 2 tunes LoRA and the projector.

    accelerate launch --config_file accelerate_configs/cpu.yaml recipes/sft.py --config recipes/tiny-llava/phase1.yaml
    python recipes/sft.py --config recipes/tiny-llava/phase1.yaml --output_dir runs/phase1

Keys of the YAML (and options of the command line, which win) are those of `Recipe` below and TRL's `SFTConfig` and
`ModelConfig`. Run the same command again after any interruption: it continues from the last complete checkpoint, and a
finished run is left alone. Exit status: 0 done, 1 training failed, 2 wrong usage; a traceback only with `--debug`.

`report_to: tensorboard` writes its curves to OUTPUT_DIR/runs (or $TENSORBOARD_LOGGING_DIR), `trackio` to its local
database (`trackio show`), `wandb` to its server; `run_name` names the run, `project` or $WANDB_PROJECT the project.
They are the extra `trackers`.
"""

import dataclasses
import difflib
import importlib.util
import json
import os
import re
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
import yaml
from peft import LoraConfig, PeftModel
from safetensors import safe_open
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    BitsAndBytesConfig,
    PreTrainedModel,
    ProcessorMixin,
    TrainerCallback,
)
from transformers.trainer_utils import TrainOutput
from transformers.utils import is_bitsandbytes_available, is_flash_attn_2_available
from trl import ModelConfig, SFTConfig, SFTTrainer, TrlParser, get_quantization_config

from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import write_json
from recipes.training import lineage
from recipes.training.examples import ExampleCollator, load_examples, scan_lengths

FAMILIES = ("llava", "llava_next")
PROJECTOR = "multi_modal_projector"
# By full path: PEFT's "all-linear" and lists of suffixes would adapt the vision tower's q_proj, k_proj and v_proj too.
LORA_MODULES = r"model\.language_model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj"
COMPLETE = "complete"  # empty file in a checkpoint folder that every process has finished writing
LORA_KEYS = (
    *("lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "use_rslora", "use_dora"),
    *("load_in_4bit", "bnb_4bit_quant_type", "use_bnb_nested_quant"),
)
TRACKERS = ("tensorboard", "trackio", "wandb")
MODEL_KEYS = ("model_name_or_path", "model_revision", "dtype", "attn_implementation", *LORA_KEYS)
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
}
# Settings of a run that change its result: compared when a run continues, recorded in lineage.json.
SETTINGS = (
    *("learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay", "max_grad_norm", "num_train_epochs"),
    *("max_steps", "max_length", "optim", "adam_beta1", "adam_beta2", "adam_epsilon", "seed", "data_seed", "bf16"),
    *("train_sampling_strategy", "load_best_model_at_end"),
)


@dataclass
class Recipe:
    """The keys that TRL and Transformers do not have."""

    trainable: str = field(
        metadata={
            "help": "`projector`: phase 1, the projector alone. `lora`: phase 2, LoRA on the language model and the "
            "projector. The vision tower is always frozen.",
            "choices": ["projector", "lora"],
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
    train_template_path: str | None = field(
        default=None,
        metadata={"help": "Template of the training rows where it is not the chat template saved with the model."},
    )
    projector_learning_rate: float | None = field(
        default=None, metadata={"help": "Learning rate of the projector where it differs from learning_rate."}
    )
    max_grid_tiles: int | None = field(
        default=None,
        metadata={"help": "LLaVA-NeXT: drop image grids of more tiles than this, in training and in the saved model."},
    )


def main(argv: list[str]) -> int:
    recipe, args, model_args = parse(argv)
    output = Path(args.output_dir)
    announce = print if args.process_index == 0 else (lambda *_: None)

    dataset, source = load_examples(
        recipe.dataset_name,
        recipe.dataset_config,
        recipe.dataset_train_split,
        recipe.dataset_revision,
        recipe.train_article_share,
    )
    history = lineage.read(model_args.model_name_or_path, model_args.model_revision)
    entry = describe_phase(recipe, args, model_args, source) | {"recipe": recipe_file(argv)}
    if is_finished(output, entry):
        announce(f"sft: {output} holds this finished run already; remove it to train again")
        return 0

    model = load_model(model_args, recipe.trainable, announce)
    processor = load_processor(model_args, args.chat_template_path, model, recipe.max_grid_tiles)
    template = read_template(recipe.train_template_path)
    dataset, scan = scan_lengths(dataset, processor, template, args.max_length, recipe.trainable == "lora")
    announce(describe_scan(scan))

    trainer = build_trainer(model, processor, template, dataset, recipe, args, model_args)
    audit = audit_trainable(trainer.model, recipe.trainable)
    announce(describe_audit(audit))
    announce("sft: {processes} process(es), {distributed}, backend {backend}".format(**launch(trainer)))
    if args.process_index == 0:
        write_json(output / "trainable.json", audit)
        write_json(output / lineage.STARTED, entry)

    checkpoint = last_complete_checkpoint(output)
    if checkpoint is not None:
        announce(f"sft: continues from {checkpoint}")
    trained = trainer.train(resume_from_checkpoint=checkpoint)
    if args.process_index == 0:
        write_json(output / "timing.json", timing(trained, checkpoint, args.world_size))
    history["phases"].append(entry | {"rows": scan} | results(trainer))
    save(trainer, processor, recipe.trainable, history)
    announce(f"sft: {recipe.trainable} tuned, {trainer.state.global_step} steps, saved in {output}")
    return 0


# --- options ---------------------------------------------------------------------------------------------------------


class _Parser(TrlParser):
    def error(self, message: str):
        raise UsageError(message)


def parse(argv: list[str]) -> tuple[Recipe, SFTConfig, ModelConfig]:
    """Options from `--config FILE.yaml`, then the command line. Raises UsageError, naming the nearest known key."""
    check_keys(argv)
    check_deepspeed()
    try:
        recipe, args, model_args = _Parser((Recipe, SFTConfig, ModelConfig)).parse_args_and_config(argv)
    except (ValueError, TypeError, OSError, yaml.YAMLError) as error:
        raise UsageError(error) from error
    if args.output_dir is None or model_args.model_name_or_path is None:
        raise UsageError("model_name_or_path and output_dir are needed, in the YAML or as options")
    if args.chat_template_path is None:
        raise UsageError("chat_template_path is needed: the template of llava-hf checkpoints trains no end of answer")
    if model_args.dtype not in ("float32", "bfloat16") or (model_args.dtype == "bfloat16" and not args.bf16):
        raise UsageError(f"dtype {model_args.dtype} with bf16 {args.bf16}: use float32, or bfloat16 and bf16: true")
    check_quantization(recipe, args, model_args)
    check_trackers(args.report_to)
    if args.save_total_limit == 1:
        raise UsageError("save_total_limit 1 deletes the last checkpoint before the next one is complete: use 2")
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if args.world_size != launched:
        raise UsageError(f"{launched} processes were launched, each would train alone; on CPUs set use_cpu: true")
    args.remove_unused_columns = False  # examples.py has chosen them, and `length` is for the sampler
    return recipe, args, model_args


def check_keys(argv: list[str]) -> None:
    """Raises UsageError for a key or option that nothing reads."""
    fields = [f.name for cls in (Recipe, SFTConfig) for f in dataclasses.fields(cls)]
    known = [key for key in (*fields, *MODEL_KEYS, "config") if key not in REFUSED]
    keys = [word[2:].split("=")[0] for word in argv if word.startswith("--")]
    if "--config" in argv[:-1]:
        path = argv[argv.index("--config") + 1]
        try:
            config = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise UsageError(f"cannot read the recipe {path!r}: {error}") from error
        if not isinstance(config, dict):
            raise UsageError(f"{path}: expected `key: value` lines")
        keys += [str(key) for key in config]
    for key in keys:
        if key in REFUSED:
            raise UsageError(f"{key} is not for this script: {REFUSED[key]}")
        if key not in known:
            match = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            raise UsageError(f"no key {key!r}" + (f", did you mean {match[0]}?" if match else ""))


def check_deepspeed() -> None:
    """Raises UsageError where the launch config asks for ZeRO and DeepSpeed, which runs on Linux only, is absent."""
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true" and not is_installed("deepspeed"):
        raise UsageError("ZeRO needs DeepSpeed, which is not installed (Linux only): use fsdp2.yaml, ddp or single_gpu")


def check_quantization(recipe: Recipe, args: SFTConfig, model_args: ModelConfig) -> None:
    """Raises UsageError where 4-bit weights cannot be trained on."""
    if not model_args.load_in_4bit:
        return
    if recipe.trainable != "lora":
        raise UsageError("load_in_4bit is for `trainable: lora`: phase 1 saves the whole model")
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


def find_file(path: str) -> Path:
    """A path as given, or below the project's folder where the command runs elsewhere."""
    for candidate in (Path(path), Path(__file__).parents[1] / path):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"no file {path}")


def read_template(path: str | None) -> str | None:
    return None if path is None else find_file(path).read_text(encoding="utf-8")


# --- model and processor ---------------------------------------------------------------------------------------------


def load_model(model_args: ModelConfig, trainable: str, announce=print) -> PreTrainedModel:
    """A LLaVA or LLaVA-NeXT checkpoint with everything frozen but what the phase trains without an adapter."""
    attention = model_args.attn_implementation
    if attention == "flash_attention_2" and not is_flash_attn_2_available():
        announce("sft: flash-attn is not installed (`pip install ldrt-vlm[gpu]`); using PyTorch's SDPA")
        attention = "sdpa"
    model = AutoModelForImageTextToText.from_pretrained(
        model_args.model_name_or_path,
        revision=model_args.model_revision,
        dtype=model_args.dtype,
        attn_implementation=attention,
        quantization_config=quantization(model_args),
        use_safetensors=True,
    )
    if model.config.model_type not in FAMILIES:
        raise ValueError(f"{model_args.model_name_or_path} is a {model.config.model_type}, not one of {FAMILIES}")
    if model._hf_peft_config_loaded:
        raise ValueError(f"{model_args.model_name_or_path} is an adapter: run `ldrt merge` on it first")
    keep_used_renamings(model)
    model.requires_grad_(False)
    if trainable == "projector":
        model.model.multi_modal_projector.requires_grad_(True)
    keep_out_of_autograd(model.model.vision_tower)
    return model


def keep_used_renamings(model: PreTrainedModel) -> None:
    """Saving undoes the renamings of loading, and must undo only those that renamed something.

    Loading under ZeRO-3 also keeps the others, and the model would be saved as `language_model.model.model.…`, which
    nothing loads (transformers 5.23, `integrations/deepspeed.py`; no issue there yet). Can go once that file keeps
    only the used ones, as `core_model_loading.py` does.
    """
    model._weight_conversions = [renaming for renaming in model._weight_conversions if renaming.was_used()]


def quantization(model_args: ModelConfig) -> BitsAndBytesConfig | None:
    """4-bit weights for the language model's linears alone: the vision tower is small, the projector is trained."""
    if not model_args.load_in_4bit:
        return None
    if not is_bitsandbytes_available():
        raise RuntimeError("load_in_4bit needs bitsandbytes: pip install 'ldrt-vlm[gpu]'")
    config = get_quantization_config(model_args)
    config.llm_int8_skip_modules = ["model.vision_tower", f"model.{PROJECTOR}", "lm_head"]  # by full path
    return config


def keep_out_of_autograd(tower: torch.nn.Module) -> None:
    """Run the frozen vision tower under no_grad, always.

    With gradient checkpointing transformers makes the output of every embedding require a gradient, CLIP's patch
    embedding included, and the tower is back-propagated in vain (huggingface/transformers#46559). Can go once
    `enable_input_require_grads` leaves frozen encoders alone.
    """
    tower.forward = torch.no_grad()(tower.forward)


def load_processor(
    model_args: ModelConfig, template_path: str, model: PreTrainedModel, max_grid_tiles: int | None
) -> ProcessorMixin:
    """The checkpoint's processor with our chat template, and pictures handled as LLaVA was trained.

    All of it is in the processor's own configuration, so the saved and published processor does the same wherever it
    is loaded. `model.config` is changed where `max_grid_tiles` drops image grids.
    """
    processor = AutoProcessor.from_pretrained(model_args.model_name_or_path, revision=model_args.model_revision)
    processor.chat_template = read_template(template_path)
    config = model.config
    processor.patch_size = config.vision_config.patch_size
    processor.vision_feature_select_strategy = config.vision_feature_select_strategy
    processor.num_additional_image_tokens = 1  # CLIP's class token
    if config.model_type == "llava":
        # The default centre crop loses the outer parts of a wide figure; LLaVA v1.5 was trained with pictures padded
        # to a square with CLIP's mean colour (haotian-liu/LLaVA, `--image_aspect_ratio pad`).
        processor.image_processor.do_pad = True
    elif max_grid_tiles is not None:
        side = config.vision_config.image_size
        grids = [grid for grid in config.image_grid_pinpoints if grid[0] * grid[1] <= max_grid_tiles * side**2]
        if not grids:
            raise ValueError(f"max_grid_tiles {max_grid_tiles} leaves no image grid of {config.image_grid_pinpoints}")
        config.image_grid_pinpoints = processor.image_processor.image_grid_pinpoints = grids
    return processor


# --- trainer ---------------------------------------------------------------------------------------------------------


class LlavaTrainer(SFTTrainer):
    """SFTTrainer with a learning rate for the projector, checkpoints of phase 1 that load, and no card by TRL."""

    projector_learning_rate: float | None = None

    def create_optimizer(self, *model):
        optimizer = super().create_optimizer(*model)
        if self.projector_learning_rate is not None:
            split_projector_group(optimizer, self.model, self.projector_learning_rate)
        return optimizer

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None):
        if self.saves_hub_names():
            load_projector(self.model, Path(resume_from_checkpoint))
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def _load_best_model(self):
        if self.saves_hub_names():
            load_projector(self.model, Path(self.state.best_model_checkpoint))
        else:
            super()._load_best_model()

    def saves_hub_names(self) -> bool:
        """Whether a checkpoint holds the model itself: neither an adapter nor DeepSpeed's or FSDP's own files."""
        return not (isinstance(self.model, PeftModel) or self.is_deepspeed_enabled or self.is_fsdp_enabled)

    def create_model_card(self, *_, **__):
        """The card is rendered by `ldrt card` from result files; TRL's default would overwrite it."""


def load_projector(model: PreTrainedModel, checkpoint: Path) -> None:
    """Read the projector, all that phase 1 trains, from a checkpoint folder.

    Trainer's own way reads a checkpoint by the names that modules have in memory and skips what it does not find.
    `save_pretrained` writes the Hub's names, so that it would load nothing and say so in a warning
    (transformers 5.23, `_load_from_checkpoint`). Can go once Trainer loads as `from_pretrained` does. Raises
    RuntimeError when a tensor of the projector is not in the checkpoint.
    """
    tensors = {}
    for path in checkpoint.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            names = [name for name in sorted(file.keys()) if PROJECTOR in name]
            tensors |= {name.split(f"{PROJECTOR}.")[1]: file.get_tensor(name) for name in names}
    model.model.multi_modal_projector.load_state_dict(tensors)


def split_projector_group(optimizer: torch.optim.Optimizer, model: torch.nn.Module, learning_rate: float) -> None:
    """Move the projector's parameters into groups with a learning rate of their own (LLaVA's mm_projector_lr)."""
    projector = {id(p) for name, p in model.named_parameters() if PROJECTOR in name}
    groups = []
    for group in optimizer.param_groups:
        inside = [p for p in group["params"] if id(p) in projector]
        outside = [p for p in group["params"] if id(p) not in projector]
        groups += [{**group, "params": outside}] if outside else []
        groups += [{**group, "params": inside, "lr": learning_rate}] if inside else []
    optimizer.param_groups[:] = groups


class _MarkComplete(TrainerCallback):
    """Marks a checkpoint as complete once every process has written its part; kill -9 leaves unmarked ones behind."""

    def on_save(self, args, state, control, **_):
        args.distributed_state.wait_for_everyone()
        if args.process_index == 0:
            Path(args.output_dir, f"checkpoint-{state.global_step}", COMPLETE).touch()


def build_trainer(model, processor, template, dataset, recipe: Recipe, args: SFTConfig, model_args: ModelConfig):
    """The trainer, with trainable weights in fp32 unless DeepSpeed keeps fp32 copies of its own."""
    held_out = None
    if args.eval_strategy != "no":
        rows, _ = load_examples(
            recipe.dataset_name, recipe.dataset_config, recipe.dataset_test_split, recipe.dataset_revision
        )
        held_out, _ = scan_lengths(rows, processor, template, args.max_length, recipe.trainable == "lora")
    args.max_length = None  # scan_lengths has dropped what is longer; TRL would cut it, the answer silently
    args.chat_template_path = None  # set in load_processor
    trainer = LlavaTrainer(
        model=model,
        args=args,
        data_collator=ExampleCollator(processor, template),
        train_dataset=dataset,
        eval_dataset=held_out,
        processing_class=processor,
        peft_config=lora_config(model_args) if recipe.trainable == "lora" else None,
        callbacks=[_MarkComplete()],
    )
    trainer.projector_learning_rate = recipe.projector_learning_rate
    if not trainer.is_deepspeed_enabled:
        upcast_trainable(trainer.model)
    if recipe.trainable == "lora":
        trainer.model.create_or_update_model_card = lambda _: None  # PEFT's card, for the same reason as TRL's
    return trainer


def lora_config(model_args: ModelConfig) -> LoraConfig:
    return LoraConfig(
        r=model_args.lora_r,
        lora_alpha=model_args.lora_alpha,
        lora_dropout=model_args.lora_dropout,
        target_modules=model_args.lora_target_modules or LORA_MODULES,
        modules_to_save=[PROJECTOR],
        use_rslora=model_args.use_rslora,
        use_dora=model_args.use_dora,
        task_type="CAUSAL_LM",
    )


def upcast_trainable(model: torch.nn.Module) -> None:
    """At 2e-5 about 70 % of bf16 projector weights would not change in a step: the change is below their precision."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def audit_trainable(model: torch.nn.Module, trainable: str) -> dict:
    """Every trainable tensor: {"trainable", "parameters", "of", "tensors": [{"name", "shape", "dtype"}]}.

    Raises RuntimeError when a tensor is trained that this phase must not train, or the projector is not.
    """
    tensors = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            tensors.append({"name": name, "shape": _full_shape(parameter), "dtype": str(parameter.dtype)[6:]})
    allowed = PROJECTOR if trainable == "projector" else rf"{PROJECTOR}|language_model\..*\.lora_"
    wrong = [tensor["name"] for tensor in tensors if not re.search(allowed, tensor["name"])]
    wrong += [tensor["name"] for tensor in tensors if "vision_tower" in tensor["name"]]
    if wrong or not any(PROJECTOR in tensor["name"] for tensor in tensors):
        raise RuntimeError(f"phase `{trainable}` would train {wrong[:3] or 'no projector'}: a fault of this script")
    count = sum(torch.Size(tensor["shape"]).numel() for tensor in tensors)
    total = sum(torch.Size(_full_shape(parameter)).numel() for parameter in model.parameters())
    return {"trainable": trainable, "parameters": count, "of": total, "tensors": tensors}


def _full_shape(parameter: torch.nn.Parameter) -> list[int]:
    """ZeRO-3 leaves an empty tensor on each process and keeps the true shape in `ds_shape`; 4-bit ones are packed."""
    if hasattr(parameter, "ds_shape"):
        return list(parameter.ds_shape)
    return list(parameter.quant_state.shape if hasattr(parameter, "quant_state") else parameter.shape)


def last_complete_checkpoint(output: Path) -> str | None:
    """The newest checkpoint folder that was written to its end."""
    complete = [path.parent for path in output.glob(f"checkpoint-*/{COMPLETE}")]
    return str(max(complete, key=lambda path: int(path.name.split("-")[1]))) if complete else None


# --- results ---------------------------------------------------------------------------------------------------------


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
    settings["train_template"] = Path(recipe.train_template_path or args.chat_template_path).name
    if recipe.trainable == "lora":
        settings |= {key: getattr(model_args, key) for key in LORA_KEYS}
    return {"trainable": recipe.trainable, **source, "settings": settings, "versions": lineage.versions()}


def recipe_file(argv: list[str]) -> str | None:
    """The YAML given by `--config`, as a path within the project where it is one of its recipes."""
    if "--config" not in argv[:-1]:
        return None
    path = Path(argv[argv.index("--config") + 1]).resolve()
    root = Path(__file__).resolve().parents[1]
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def is_finished(output: Path, entry: dict) -> bool:
    """Whether `output` holds this very run, finished. Raises ValueError when it holds a run with other settings."""
    finished = (output / lineage.FILE).is_file()
    started = output / lineage.STARTED
    if finished:
        old = json.loads((output / lineage.FILE).read_text(encoding="utf-8"))["phases"][-1]
    elif started.is_file():
        old = json.loads(started.read_text(encoding="utf-8"))
    else:
        return False
    if (change := lineage.difference(old, entry)) is not None:
        raise ValueError(f"{output} holds another run ({change}): choose another output_dir or remove it")
    return finished


def results(trainer: SFTTrainer) -> dict:
    """{"steps", "train_loss": mean of the losses logged over the whole run, resumed or not, "best_step": of the
    checkpoint that was kept, None for the last one, "launch"}."""
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    return {
        "steps": trainer.state.global_step,
        "train_loss": round(sum(losses) / len(losses), 6) if losses else None,
        "best_step": trainer.state.best_global_step if trainer.args.load_best_model_at_end else None,
        "launch": launch(trainer),
    }


def launch(trainer: SFTTrainer) -> dict:
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


def save(trainer: SFTTrainer, processor: ProcessorMixin, trainable: str, history: dict) -> None:
    """Checkpoint (phase 1) or adapter with the projector (phase 2), processor, and lineage.json last."""
    args, model = trainer.args, trainer.model
    output = Path(args.output_dir)
    if trainable == "lora":
        point_at_base(model.peft_config["default"], history)
    elif trainer.saves_hub_names():
        model.model.multi_modal_projector.to(model.lm_head.weight.dtype)
    trainer.save_model()
    if args.process_index == 0:
        (output / "training_args.bin").unlink(missing_ok=True)  # a pickle: not part of what is published
        processor.save_pretrained(output)
        write_json(output / lineage.FILE, history)
    args.distributed_state.wait_for_everyone()


def point_at_base(adapter: LoraConfig, history: dict) -> None:
    """Name the released checkpoint as the adapter's base where phase 1 started from one on the Hub.

    Phase 1 changed the projector alone, and the adapter carries the whole projector: on the released checkpoint it
    gives the same model, and nobody needs phase 1's folder to load it.
    """
    only_projector = all(phase["trainable"] == "projector" for phase in history["phases"][:-1])
    if history["base_revision"] is not None and only_projector:
        adapter.base_model_name_or_path, adapter.revision = history["base_model"], history["base_revision"]


def describe_scan(scan: dict) -> str:
    dropped = "".join(f"; {count} dropped: {reason}" for reason, count in scan["dropped"].items())
    tokens = " / ".join(str(scan["tokens"][key]) for key in ("min", "median", "p95", "max"))
    return f"sft: {scan['kept']} of {scan['rows']} rows{dropped}; tokens min / median / 95 % / max: {tokens}"


def describe_audit(audit: dict) -> str:
    adapted = sum("lora_A" in tensor["name"] for tensor in audit["tensors"])
    projector = sum(PROJECTOR in tensor["name"] for tensor in audit["tensors"])
    dtypes = ", ".join(sorted({tensor["dtype"] for tensor in audit["tensors"]}))
    return (
        f"sft: training {audit['parameters']:,} of {audit['of']:,} parameters in {dtypes}: {projector} projector "
        f"tensors, LoRA on {adapted} modules; the vision tower is frozen"
    )


if __name__ == "__main__":
    debug = "--debug" in sys.argv
    transformers.logging.set_verbosity_warning()
    try:
        sys.exit(main([word for word in sys.argv[1:] if word != "--debug"]))
    except Exception as error:
        if debug:
            traceback.print_exc()
        print(f"sft: {' '.join(str(error).split()) or type(error).__name__}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    finally:
        if torch.distributed.is_initialized() and os.environ.get("WORLD_SIZE"):
            torch.distributed.destroy_process_group()
