"""The model and processor that a phase trains, and the audit of what is trained."""

import re
from collections.abc import Callable, Collection
from typing import TypedDict

import torch
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    BitsAndBytesConfig,
    PreTrainedConfig,
    PreTrainedModel,
    ProcessorMixin,
)
from transformers.utils import is_bitsandbytes_available, is_flash_attn_2_available
from trl import ModelConfig, SFTConfig, get_quantization_config

from recipes.families.family import Family, Limits
from recipes.families.find import find_family
from recipes.keys.recipe import Recipe
from recipes.project_files import read_template
from trust.checkpoints import LOADING, Checkpoint
from trust.templates import check_template, check_tokenizer

# phase -> what it trains. After SFT the projector is as good as it gets: preference pairs are few, and tell of words.
TRAINED = {
    "projector": ("projector",),
    "lora": ("projector", "LoRA"),
    "full-vision": ("vision tower", "projector", "LoRA"),
    "preference": ("LoRA",),
}
_ANSWER = "A dose curve."  # of a conversation that is rendered to see how the template ends an answer


def read_family(start: Checkpoint) -> Family:
    """The family of a checkpoint, by its config.json.

    Raises ValueError for an adapter and for a model of no known family.
    """
    if start.is_adapter:
        raise ValueError(f"{start.name} is an adapter: run `ldrt merge` on it first")
    return find_family(str((start.read("config.json") or {}).get("model_type")), start.name)


def choose_templates(recipe: Recipe, args: SFTConfig, family: Family) -> None:
    """Fill in the templates that the recipe does not name: the family's, where it has some of its own."""
    args.chat_template_path = args.chat_template_path or family.chat_template
    if recipe.trainable == "projector":
        recipe.train_template_path = recipe.train_template_path or family.align_template


def load_model(
    start: Checkpoint,
    model_args: ModelConfig,
    family: Family,
    trainable: str,
    announce: Callable[[str], None] = print,
) -> PreTrainedModel:
    """The checkpoint with everything frozen but what the phase trains without an adapter.

    Raises ValueError where it lacks weights.
    """
    model, report = AutoModelForImageTextToText.from_pretrained(
        start.folder,
        dtype=model_args.dtype,
        attn_implementation=choose_attention(model_args.attn_implementation, announce),
        quantization_config=quantization(model_args, family),
        use_safetensors=True,
        output_loading_info=True,
        **LOADING,
    )
    check_whole(report["missing_keys"], start.name)
    keep_used_renamings(model)
    model.requires_grad_(False)
    if trainable == "projector":
        for projector in family.projectors(model):
            projector.requires_grad_(True)
    if "vision tower" not in TRAINED[trainable]:
        for tower in family.towers(model):
            keep_out_of_autograd(tower)
    return model


def check_whole(missing: Collection[str], owner: str) -> None:
    """Raises ValueError where a checkpoint has no value for some weights: transformers draws them and warns."""
    if missing:
        first = ", ".join(sorted(missing)[:3])
        raise ValueError(f"{owner} lacks {len(missing)} of its model's weights ({first}): it is no whole checkpoint")


def choose_attention(asked: str | None, announce: Callable[[str], None]) -> str | None:
    """FlashAttention where it is installed, else PyTorch's SDPA, which is said."""
    if asked == "flash_attention_2" and not is_flash_attn_2_available():
        announce("flash-attn is not installed (`pip install ldrt-vlm[gpu]`); using PyTorch's SDPA")
        return "sdpa"
    return asked


def keep_used_renamings(model: PreTrainedModel) -> None:
    """Saving undoes the renamings of loading, and must undo only those that renamed something.

    Loading under ZeRO-3 also keeps the others, and the model would be saved as `language_model.model.model.…`, which
    nothing loads (transformers 5.23, `integrations/deepspeed.py`; no issue there yet). Can go once that file keeps
    only the used ones, as `core_model_loading.py` does.
    """
    model._weight_conversions = [renaming for renaming in model._weight_conversions if renaming.was_used()]


def quantization(model_args: ModelConfig, family: Family) -> BitsAndBytesConfig | None:
    """4-bit weights for the language model's linears alone: the vision tower is small, the projector is trained."""
    if not model_args.load_in_4bit:
        return None
    if not is_bitsandbytes_available():
        raise RuntimeError("load_in_4bit needs bitsandbytes: pip install 'ldrt-vlm[gpu]'")
    config = get_quantization_config(model_args)
    # by full path
    whole = [f"model.{path}" for path in (*family.vision_tower, *family.projector)]
    config.llm_int8_skip_modules = [*whole, family.lm_head]
    return config


def keep_out_of_autograd(tower: torch.nn.Module) -> None:
    """Run a part of the frozen vision tower under no_grad, always.

    With gradient checkpointing transformers makes the output of every embedding require a gradient, CLIP's patch
    embedding included, and the tower is back-propagated in vain (huggingface/transformers#46559). Can go once
    `enable_input_require_grads` leaves frozen encoders alone.
    """
    for part in tower if isinstance(tower, torch.nn.ModuleList) else [tower]:  # a list is never called itself
        part.forward = torch.no_grad()(part.forward)


def load_processor(
    start: Checkpoint, config: PreTrainedConfig, template_path: str | None, limits: Limits
) -> ProcessorMixin:
    """The checkpoint's processor with its chat template, and pictures handled as its family was trained.

    The template is that of `template_path`, else the checkpoint's own.

    All of it is in the processor's own configuration, so the saved and published processor does the same wherever it
    is loaded. `config`, the model's, is changed where `limits` drops image grids. Raises OSError where there
    is no processor or no template, ValueError for a template that does not come to an end.
    """
    check_tokenizer(start.folder, start.name)
    family = find_family(config.model_type, start.name)
    processor = AutoProcessor.from_pretrained(start.folder, **LOADING)
    if template_path is not None:
        processor.chat_template = read_template(template_path)
    owner = template_path or start.name
    check_template(processor.chat_template, processor.tokenizer.special_tokens_map, owner)
    check_end_of_answer(processor, _stop_tokens(start, processor), owner)
    family.set_up_processor(processor, config, limits)
    return processor


def _stop_tokens(start: Checkpoint, processor: ProcessorMixin) -> set[str]:
    """The tokens that end an answer when the checkpoint generates."""
    configured = (start.read("generation_config.json") or {}).get("eos_token_id")
    numbers = configured if isinstance(configured, list) else [configured]
    numbers = [*numbers, processor.tokenizer.eos_token_id]
    tokens = processor.tokenizer.convert_ids_to_tokens([n for n in numbers if isinstance(n, int)])
    return {token for token in tokens if token is not None}  # a configuration may name numbers that nobody has


def check_end_of_answer(processor: ProcessorMixin, stop_tokens: set[str], owner: str) -> None:
    """Raises ValueError where the chat template ends no answer with a token that ends generation: a model tuned so
    never learns to stop (the templates of the llava-hf checkpoints are such)."""
    if not processor.chat_template:
        raise ValueError(f"{owner} has no chat template: give chat_template_path")
    conversation = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is shown?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": _ANSWER}]},
    ]
    tail = processor.apply_chat_template(conversation, tokenize=False).rpartition(_ANSWER)[2]
    if not any(token in tail for token in stop_tokens):
        ends = " or ".join(sorted(stop_tokens)) or "anything: its tokenizer has no end token"
        raise ValueError(f"{owner}: its chat template does not end an answer with {ends}: give chat_template_path")


# --- freeze audit ----------------------------------------------------------------------------------------------------


class TrainedTensor(TypedDict):
    """One tensor that training changes."""

    name: str
    shape: list[int]  # in full, also where a process holds a part of it
    dtype: str


class Audit(TypedDict):
    """What a phase trains: trainable.json."""

    trainable: str
    parameters: int  # numbers trained
    of: int  # numbers in all
    tensors: list[TrainedTensor]


def audit_trainable(model: torch.nn.Module, family: Family, trainable: str) -> Audit:
    """Every tensor that requires a gradient.

    Raises ValueError when a tensor is trained that this phase must not train, or what it must train is not.
    """
    tensors: list[TrainedTensor] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            dtype = str(parameter.dtype).removeprefix("torch.")
            tensors.append({"name": name, "shape": _full_shape(parameter), "dtype": dtype})
    check_trained([tensor["name"] for tensor in tensors], family, trainable)
    check_whole_copies(model, family, trainable)
    return {
        "trainable": trainable,
        "parameters": sum(torch.Size(tensor["shape"]).numel() for tensor in tensors),
        "of": sum(torch.Size(_full_shape(parameter)).numel() for parameter in model.parameters()),
        "tensors": tensors,
    }


def check_trained(names: list[str], family: Family, trainable: str) -> None:
    """Raises ValueError unless the tensors of these names are those of `TRAINED`, and some of each kind."""
    adapted = re.compile(rf"\b{family.language_model}\..*\.lora_")
    kinds: dict[str, Callable[[str], object]] = {
        "vision tower": lambda name: family.is_vision_tower(name) and ".lora_" not in name,
        "projector": lambda name: family.is_projector(name) and ".lora_" not in name,
        "LoRA": adapted.search,
    }
    wanted = [kinds[kind] for kind in TRAINED[trainable]]
    wrong = [name for name in names if not any(is_kind(name) for is_kind in wanted)]
    absent = [kind for kind in TRAINED[trainable] if not any(map(kinds[kind], names))]
    if wrong or absent:
        what = wrong[:3] or f"no {absent[0]}"
        raise ValueError(
            f"phase `{trainable}` would train {what}: where lora_target_modules is given, let it name modules of the "
            "language model alone; else it is a fault of this script"
        )


def check_whole_copies(model: torch.nn.Module, family: Family, trainable: str) -> None:
    """Raises ValueError where the whole tower is to be trained and something of it that is read is not, or the other
    way round."""
    if "vision tower" not in TRAINED[trainable]:
        return
    of_tower = [(n, p.requires_grad) for n, p in model.named_parameters() if family.is_vision_tower(n)]
    for name, is_trained in of_tower:
        wanted = ".original_module." not in name and not family.is_unread(name, model.config)
        if wanted != is_trained:
            said = "leave out" if wanted else "train"
            raise ValueError(f"phase `{trainable}` would {said} {name}: recipes/families/ does not fit this checkpoint")


def _full_shape(parameter: torch.nn.Parameter) -> list[int]:
    """ZeRO-3 leaves an empty tensor on each process and keeps the true shape in `ds_shape`; 4-bit ones are packed."""
    if hasattr(parameter, "ds_shape"):
        return list(parameter.ds_shape)
    return list(parameter.quant_state.shape if hasattr(parameter, "quant_state") else parameter.shape)


def describe_audit(audit: Audit, family: Family) -> str:
    """The audit in one line."""
    names = [tensor["name"] for tensor in audit["tensors"]]
    adapted = sum("lora_A" in name for name in names)
    projector, tower = (sum(map(is_part, names)) for is_part in (family.is_projector, family.is_vision_tower))
    frozen = "the vision tower is frozen" if projector else "projector and vision tower are frozen"
    dtypes = ", ".join(sorted({tensor["dtype"] for tensor in audit["tensors"]}))
    return (
        f"training {audit['parameters']:,} of {audit['of']:,} parameters in {dtypes}: {projector} projector "
        f"tensors, LoRA on {adapted} modules; {f'{tower} tensors of the vision tower, too' if tower else frozen}"
    )
