"""The trainer of both phases: SFTTrainer, a learning rate for the projector, and checkpoints that are whole."""

from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from safetensors import safe_open
from transformers import PreTrainedConfig, PreTrainedModel, TrainerCallback
from trl import ModelConfig, SFTConfig, SFTTrainer

from recipes.families.family import Family
from recipes.training.examples import ExampleCollator

COMPLETE = "complete"  # empty file in a checkpoint folder that every process has finished writing


class PhaseTrainer(SFTTrainer):
    """SFTTrainer with a learning rate for the projector, checkpoints of phase 1 that load, and no card by TRL."""

    def __init__(self, *, family: Family, projector_learning_rate: float | None, **options):
        self.family = family
        self.projector_learning_rate = projector_learning_rate
        super().__init__(**options)

    def create_optimizer(self, *model) -> torch.optim.Optimizer:
        optimizer = super().create_optimizer(*model)
        if self.projector_learning_rate is not None:
            projector = [p for name, p in self.model.named_parameters() if self.family.is_projector(name)]
            split_group(optimizer, projector, self.projector_learning_rate)
        return optimizer

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        if self.saves_hub_names():
            load_projector(self.model, self.family, Path(resume_from_checkpoint))
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def _load_best_model(self) -> None:
        if self.saves_hub_names():
            load_projector(self.model, self.family, Path(self.state.best_model_checkpoint))
        else:
            super()._load_best_model()

    def saves_hub_names(self) -> bool:
        """Whether a checkpoint holds the model itself: neither an adapter nor DeepSpeed's or FSDP's own files."""
        return not (isinstance(self.model, PeftModel) or self.is_deepspeed_enabled or self.is_fsdp_enabled)

    def create_model_card(self, *_, **__):
        """The card is rendered by `ldrt card` from result files; TRL's default would overwrite it."""


def build_trainer(
    model: PreTrainedModel,
    collator: ExampleCollator,
    rows: Dataset,
    held_out: Dataset | None,
    args: SFTConfig,
    adapter: LoraConfig | None,
    projector_learning_rate: float | None,
) -> PhaseTrainer:
    """The trainer of `rows`, with trainable weights in fp32 unless DeepSpeed keeps fp32 copies of its own.

    `rows` and `held_out` have been through `scan_lengths`. `adapter` is phase 2's LoRA, None for phase 1.
    """
    args.max_length = None  # scan_lengths has dropped what is longer; TRL would cut it, the answer silently
    args.chat_template_path = None  # set in load_processor
    trainer = PhaseTrainer(
        family=collator.family,
        projector_learning_rate=projector_learning_rate,
        model=model,
        args=args,
        data_collator=collator,
        train_dataset=rows,
        eval_dataset=held_out,
        processing_class=collator.processor,
        peft_config=adapter,
        callbacks=[MarkComplete()],
    )
    if not trainer.is_deepspeed_enabled:
        upcast_trainable(trainer.model)
    if adapter is not None:
        trainer.model.create_or_update_model_card = lambda _: None  # PEFT's card, for the same reason as TRL's
    return trainer


def lora_config(model_args: ModelConfig, family: Family, config: PreTrainedConfig) -> LoraConfig:
    """LoRA on the language model; the projector is trained beside it and saved with it. `config` is the model's."""
    return LoraConfig(
        r=model_args.lora_r,
        lora_alpha=model_args.lora_alpha,
        lora_dropout=model_args.lora_dropout,
        target_modules=model_args.lora_target_modules or family.lora_modules,
        modules_to_save=family.projector_modules(family, config),
        use_rslora=model_args.use_rslora,
        use_dora=model_args.use_dora,
        task_type="CAUSAL_LM",
    )


def upcast_trainable(model: torch.nn.Module) -> None:
    """At 2e-5 about 70 % of bf16 projector weights would not change in a step: the change is below their precision."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def split_group(optimizer: torch.optim.Optimizer, parameters: list[torch.nn.Parameter], learning_rate: float) -> None:
    """Move parameters into groups with a learning rate of their own (LLaVA's mm_projector_lr)."""
    moved = {id(parameter) for parameter in parameters}
    groups = []
    for group in optimizer.param_groups:
        inside = [p for p in group["params"] if id(p) in moved]
        outside = [p for p in group["params"] if id(p) not in moved]
        if outside:
            groups.append({**group, "params": outside})
        if inside:
            groups.append({**group, "params": inside, "lr": learning_rate})
    optimizer.param_groups[:] = groups


# --- checkpoints -----------------------------------------------------------------------------------------------------


class MarkComplete(TrainerCallback):
    """Marks a checkpoint as complete once every process has written its part; kill -9 leaves unmarked ones behind."""

    def on_save(self, args, state, control, **_):
        args.distributed_state.wait_for_everyone()
        if args.process_index == 0:
            Path(args.output_dir, f"checkpoint-{state.global_step}", COMPLETE).touch()


def load_projector(model: PreTrainedModel, family: Family, checkpoint: Path) -> None:
    """Read the projector, all that phase 1 trains, from a checkpoint folder.

    Trainer's own way reads a checkpoint by the names that modules have in memory and skips what it does not find.
    `save_pretrained` writes the Hub's names, so that it would load nothing and say so in a warning
    (transformers 5.23, `_load_from_checkpoint`). Can go once Trainer loads as `from_pretrained` does. Raises
    RuntimeError when a tensor of the projector is not in the checkpoint.
    """
    tensors: dict[str, dict[str, torch.Tensor]] = {path: {} for path in family.projector}
    for path in checkpoint.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            for name in sorted(filter(family.is_projector, file.keys())):
                part = next(part for part in family.projector if f"{part}." in name)
                tensors[part][name.rpartition(f"{part}.")[2]] = file.get_tensor(name)
    for part, found in tensors.items():
        family.part(model, part).load_state_dict(found)


def last_complete_checkpoint(output: Path) -> str | None:
    """The newest checkpoint folder that was written to its end."""
    complete = [path.parent for path in output.glob(f"checkpoint-*/{COMPLETE}")]
    return str(max(complete, key=lambda path: int(path.name.split("-")[1]))) if complete else None
