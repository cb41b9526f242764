"""Loading a vision-language checkpoint, full or adapter, and saying exactly which one it is.

Which families there are, Transformers knows: a checkpoint is loaded where its config.json names a model type that
answers pictures and text with text.
"""

import math
from dataclasses import dataclass

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from trust.checkpoints import LOADING, Checkpoint, open_base, open_checkpoint
from trust.templates import check_tokenizer


@dataclass(frozen=True)
class Source:
    """Which checkpoint: as the user named it, checked, and pinned to a commit or a content hash."""

    checkpoint: Checkpoint
    adapter_of: "Source | None"  # the base model, where the checkpoint is an adapter

    @property
    def model(self) -> str:
        return self.checkpoint.name

    @property
    def revision(self) -> str:
        """Hub commit, or "sha256:" and 64 hex digits of a local folder."""
        return self.checkpoint.revision

    @property
    def model_type(self) -> str | None:
        """As config.json names the family; of an adapter its base model's."""
        if self.adapter_of:
            return self.adapter_of.model_type
        return (self.checkpoint.read("config.json") or {}).get("model_type")

    @property
    def lineage(self) -> dict | None:
        """lineage.json of recipes/sft.py, None where there is none."""
        return self.checkpoint.lineage


def find(model: str, revision: str | None = None) -> Source:
    """Resolve a Hub id or a folder, through the gate (`trust/checkpoints.py`), and its base where it is an adapter.

    Raises FileNotFoundError where there is no checkpoint of that name, RefusedError for one that is not to be trusted.
    """
    checkpoint = open_checkpoint(model, revision)
    return Source(checkpoint, Source(open_base(checkpoint), None) if checkpoint.is_adapter else None)


def check_family(source: Source) -> None:
    """Raises ValueError for a checkpoint of a model of another kind."""
    if source.model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise ValueError(
            f"{source.model} is a {source.model_type!r} model: expected one that answers a picture and text with text, "
            "such as LLaVA"
        )


def max_tokens(source: Source) -> float:
    """Of a prompt, that the model was made to read; infinite where its configuration does not say."""
    if source.adapter_of:
        return max_tokens(source.adapter_of)
    config = AutoConfig.from_pretrained(source.checkpoint.folder, **LOADING).get_text_config().to_dict()
    return config.get("max_position_embeddings") or math.inf


def load_processor(source: Source) -> ProcessorMixin:
    """The checkpoint's own processor, or its base model's where an adapter has none."""
    folder = source.checkpoint.folder
    if source.adapter_of and not (folder / "tokenizer_config.json").is_file():
        return load_processor(source.adapter_of)
    check_tokenizer(folder, source.model)
    processor = AutoProcessor.from_pretrained(folder, **LOADING)
    processor.tokenizer.padding_side = "left"
    if processor.tokenizer.pad_token is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def load_model(source: Source, dtype: torch.dtype, device: str) -> PreTrainedModel:
    """The model in evaluation mode on `device`; weights from safetensors only. Raises ValueError for another kind."""
    if source.adapter_of:
        from peft import PeftModel

        base = load_model(source.adapter_of, dtype, device)
        return PeftModel.from_pretrained(base, source.checkpoint.folder, local_files_only=True).eval()
    check_family(source)
    folder = source.checkpoint.folder
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype, use_safetensors=True, **LOADING)
    return model.eval().to(device)


def stop_tokens(model: PreTrainedModel, processor: ProcessorMixin) -> list[int]:
    """The tokens at which generation ends, by the model's generation settings and by the tokenizer."""
    configured = model.generation_config.eos_token_id
    configured = configured if isinstance(configured, list) else [configured]
    return sorted({token for token in [*configured, processor.tokenizer.eos_token_id] if token is not None})
