"""The trainers of all phases: TRL's, with a learning rate for each part, one order of rows, no step on NaN."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from safetensors import safe_open
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedConfig, PreTrainedModel, Trainer
from transformers.integrations import is_deepspeed_zero3_enabled
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import DPOTrainer, ModelConfig, SFTConfig, SFTTrainer

from recipes.families.family import Family
from recipes.training.checkpoints import MarkComplete
from recipes.training.examples import NAME, ExampleCollator
from recipes.training.finite import StepWatch, check_weights
from recipes.training.model import TRAINED

LEAST_SCALE = 1.0  # of fp16's loss; where gradients still overflow, it is not for the scale
NAMES = "example_ids"  # key of a batch: its rows, for whoever has to be told of them


class Rates(NamedTuple):
    """Learning rates of parts of the model, where they are not `learning_rate`."""

    projector: float | None = None
    vision: float | None = None  # of the vision tower, where it is trained


class StrictTrainer(Trainer):
    """What TRL's trainers lack, stands before them: learning rates of projector and vision tower, one order of rows, no
    step on NaN, checkpoints of phase 1 that load, and no card by TRL."""

    def __init__(self, *, family: Family, rates: Rates, **options):
        self.family = family
        self.rates = rates
        self.watch = StepWatch()
        super().__init__(**options)

    def create_optimizer(self, *model) -> torch.optim.Optimizer:
        optimizer = super().create_optimizer(*model)
        parts = [(self.family.is_projector, self.rates.projector), (self.family.is_vision_tower, self.rates.vision)]
        for is_part, rate in parts:
            if rate is not None:
                split_group(optimizer, [p for name, p in self.model.named_parameters() if is_part(name)], rate)
        return optimizer

    # --- rows

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> torch.utils.data.Sampler | None:
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(train_dataset)
        rows = self.train_dataset if train_dataset is None else train_dataset
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return LengthGroups(rows["length"], global_batch_size(self.args), seed)

    def _run_epoch(self, *, train_dataloader: DataLoader, epoch: int, **options) -> None:
        set_epoch(train_dataloader, epoch)
        super()._run_epoch(train_dataloader=train_dataloader, epoch=epoch, **options)

    # --- numbers that are none

    def training_step(self, model: torch.nn.Module, inputs: dict, *options) -> torch.Tensor:
        names = inputs.pop(NAMES)
        loss = super().training_step(model, inputs, *options)
        self.watch.saw(loss, names)
        return loss

    def prediction_step(self, model: torch.nn.Module, inputs: dict, *options, **more) -> tuple:
        return super().prediction_step(model, {key: inputs[key] for key in inputs if key != NAMES}, *options, **more)

    def _get_grad_norm(self, model: torch.nn.Module, grad_norm: torch.Tensor | float | None = None) -> float | None:
        """Trainer asks for it before each step of the optimizer (DeepSpeed's engine has made the step by then)."""
        found = super()._get_grad_norm(model, grad_norm)
        norm = None if found is None else float(found)
        self.watch.check(self.state.global_step + 1, norm, self._may_overflow())
        return norm

    def _may_overflow(self) -> bool:
        """Whether fp16 can still take a smaller scale for the loss; DeepSpeed ends a run itself that has none left."""
        if self.accelerator.mixed_precision != "fp16":
            return False
        scaler = self.accelerator.scaler
        return scaler is None or scaler.get_scale() > LEAST_SCALE

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        check_weights(trained_parameters(self.model), f"step {self.state.global_step}: the model")
        super()._save_checkpoint(model, trial)

    # --- checkpoints

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        if self.saves_hub_names():
            load_projector(self.model, self.family, Path(resume_from_checkpoint))
        else:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
            freeze_unread(self.model, self.family)  # PEFT has made all of the tower's copy trainable again

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        if is_deepspeed_zero3_enabled():
            state_dict = with_frozen_copies(self.model, state_dict)
        super()._save(output_dir, state_dict)

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


def with_frozen_copies(model: torch.nn.Module, gathered: dict | None) -> dict | None:
    """What ZeRO-3 has gathered, and what is frozen of the adapter's copies of modules, which it leaves out.

    Every process takes part, also those for which nothing was gathered.
    """
    import deepspeed  # on Linux only

    found = dict(gathered or {})
    for name, parameter in model.named_parameters():
        if ".modules_to_save." in name and not parameter.requires_grad:
            with deepspeed.zero.GatheredParameters([parameter]):
                found[name] = parameter.detach().cpu().clone()
    return found if gathered is not None else None


class PhaseTrainer(StrictTrainer, SFTTrainer):
    """Trains answers: phases 1 and 2."""


class PreferenceTrainer(StrictTrainer, DPOTrainer):
    """Trains which of two answers is better. The reference is the start model: the adapter switched off."""


def build_trainer(
    model: PreTrainedModel,
    collator: ExampleCollator,
    rows: Dataset,
    held_out: Dataset | None,
    args: SFTConfig,
    adapter: LoraConfig | None,
    rates: Rates,
    kind: type[StrictTrainer] = PhaseTrainer,
) -> StrictTrainer:
    """The trainer of `rows`, with trainable weights in fp32 unless DeepSpeed keeps fp32 copies of its own.

    `rows` and `held_out` have been through `scan_rows`. `adapter` is LoRA's configuration, None for phase 1.
    """
    args.logging_nan_inf_filter = False  # it reports NaN as 0; `StepWatch` ends the run
    args.max_length = None  # scan_rows has dropped what is longer; TRL would cut it, the answer silently
    args.chat_template_path = None  # set in load_processor
    trainer = kind(
        family=collator.family,
        rates=rates,
        model=model,
        args=args,
        data_collator=NamedRows(collator),
        train_dataset=rows,
        eval_dataset=held_out,
        processing_class=collator.processor,
        peft_config=adapter,
        callbacks=[MarkComplete()],
    )
    freeze_unread(trainer.model, trainer.family)
    if not trainer.is_deepspeed_enabled:
        upcast_trainable(trainer.model)
    if adapter is not None:
        trainer.model.create_or_update_model_card = lambda _: None  # PEFT's card, for the same reason as TRL's
    return trainer


@dataclass
class NamedRows:
    """A collator whose batches also say which rows they are of (`NAMES`)."""

    collator: ExampleCollator

    def __call__(self, rows: list[dict]) -> dict:
        return {**self.collator(rows), NAMES: [row[NAME] for row in rows]}


def trained_parameters(model: torch.nn.Module) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]


def lora_config(
    model_args: ModelConfig, family: Family, config: PreTrainedConfig, trainable: str = "lora"
) -> LoraConfig:
    """LoRA on the language model; what else the phase trains is trained whole beside it and saved with it. `config` is
    the model's."""
    whole = []
    if "projector" in TRAINED[trainable]:
        whole += family.projector_modules(family, config)
    if "vision tower" in TRAINED[trainable]:
        whole += family.tower_modules(family, config)
    return LoraConfig(
        r=model_args.lora_r,
        lora_alpha=model_args.lora_alpha,
        lora_dropout=model_args.lora_dropout,
        target_modules=model_args.lora_target_modules or family.lora_modules,
        modules_to_save=whole or None,
        use_rslora=model_args.use_rslora,
        use_dora=model_args.use_dora,
        task_type="CAUSAL_LM",
    )


def freeze_unread(model: torch.nn.Module, family: Family) -> None:
    """Leave alone what lies in a trained vision tower and nothing reads (CLIP's last layer under LLaVA).

    It would get no gradient, which DDP waits for and DeepSpeed takes for zero: weight decay would change it there.
    """
    for name, parameter in model.named_parameters():
        if family.is_vision_tower(name) and family.is_unread(name, model.config):
            parameter.requires_grad_(False)


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


# --- the order of rows -----------------------------------------------------------------------------------------------


class LengthGroups(Sampler):
    """Rows of like length together, in another order each epoch, the same one whenever that epoch is drawn.

    Transformers' own (5.23) draws from PyTorch's global numbers, so that a run that goes on in its second epoch draws
    another order than it would have had (transformers#40691, #48025). Can go once that one has `set_epoch`.
    """

    def __init__(self, lengths: list[int], batch_size: int, seed: int):
        """`batch_size` is that of a step, all processes together."""
        self.lengths, self.batch_size, self.seed = list(lengths), batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=generator))


def set_epoch(loader: DataLoader, epoch: int) -> None:
    """Tell the sampler, below what deals its rows out to the processes and skips those trained before.

    accelerate (1.15) reaches through two layers and no more, so that two processes that go on in the middle of an
    epoch would draw the first one's order. Can go once `DataLoaderShard.set_epoch` reaches all of them.
    """
    drawn = loader.batch_sampler
    while drawn is not None:
        if hasattr(drawn, "set_epoch"):
            drawn.set_epoch(epoch)
        drawn = getattr(drawn, "batch_sampler", None) or getattr(drawn, "sampler", None)


def global_batch_size(args: SFTConfig) -> int:
    return args.world_size * args.per_device_train_batch_size * args.gradient_accumulation_steps


def describe_step(args: SFTConfig) -> str:
    """The rows of an optimizer step, in one line."""
    here = f"{args.per_device_train_batch_size} rows × {args.world_size} process(es)"
    return f"a step: {here} × {args.gradient_accumulation_steps} in turn = {global_batch_size(args)} rows"


def repeats(n_rows: int, args: SFTConfig) -> int:
    """Rows that each epoch trains twice, so that all processes have as many; where it leaves rows out, below 0."""
    together = args.world_size * args.per_device_train_batch_size
    left = n_rows % together
    if args.dataloader_drop_last:
        return -left
    return 0 if args.world_size == 1 or not left else together - left


def describe_repeats(n_rows: int, args: SFTConfig) -> list[str]:
    """What several processes do where their rows do not divide, in one line; nothing where they do."""
    together = args.world_size * args.per_device_train_batch_size
    left = n_rows % together
    if args.world_size == 1 or not left:
        return []
    what = f"{n_rows} rows do not divide by {args.world_size} processes x {args.per_device_train_batch_size} rows"
    if args.dataloader_drop_last:
        return [f"{what}: each epoch leaves out the last {left} of its order (dataloader_drop_last)"]
    return [f"{what}: each epoch trains {together - left} rows of the beginning of its order again at its end"]


# --- checkpoints -----------------------------------------------------------------------------------------------------


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
