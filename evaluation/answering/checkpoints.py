"""Loading a LLaVA or LLaVA-NeXT checkpoint, full or adapter, and saying exactly which one it is."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin
from transformers.utils import cached_file

ARCHITECTURES = ("llava", "llava_next")
# What decides an answer; not the trainer's state, the card or the plots.
HASHED = (
    "*.safetensors",
    "*config.json",
    "tokenizer*",
    "*.jinja",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
)


@dataclass
class Source:
    """Which checkpoint: as the user named it, pinned to a commit or a content hash."""

    model: str
    revision: str  # Hub commit, or "sha256:" and 64 hex digits of a local folder
    adapter_of: "Source | None"  # the base model, where the checkpoint is an adapter
    lineage: dict | None  # lineage.json of recipes/sft.py, None where there is none

    @property
    def hub_revision(self) -> str | None:
        return None if Path(self.model).is_dir() else self.revision


def find(model: str, revision: str | None = None) -> Source:
    """Resolve a Hub id or a folder. Raises FileNotFoundError or OSError where there is no checkpoint of that name."""
    if Path(model).exists() and not Path(model).is_dir():
        raise FileNotFoundError(f"{model} is a file: give the checkpoint's folder or its Hub id")
    adapter_config = _find_file(model, "adapter_config.json", revision)
    config = adapter_config or _find_file(model, "config.json", revision)
    if config is None:
        raise FileNotFoundError(
            f"{model}: no checkpoint there (config.json or adapter_config.json), or the Hub cannot be reached; "
            "give a checkpoint's folder or its Hub id"
        )
    pinned = _content_hash(Path(model)) if Path(model).is_dir() else _commit(config)
    hub_revision = None if Path(model).is_dir() else pinned
    lineage = _find_file(model, "lineage.json", hub_revision)
    base = _read(adapter_config) if adapter_config else None
    return Source(
        model=model,
        revision=pinned,
        adapter_of=find(base["base_model_name_or_path"], base.get("revision")) if base else None,
        lineage=_read(lineage) if lineage else None,
    )


def load_processor(source: Source) -> ProcessorMixin:
    """The checkpoint's own processor, or its base model's where an adapter has none."""
    if source.adapter_of and not _find_file(source.model, "tokenizer_config.json", source.hub_revision):
        return load_processor(source.adapter_of)
    processor = AutoProcessor.from_pretrained(source.model, revision=source.hub_revision)
    processor.tokenizer.padding_side = "left"
    if processor.tokenizer.pad_token is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def load_model(source: Source, dtype: torch.dtype, device: str) -> PreTrainedModel:
    """The model in evaluation mode on `device`; weights from safetensors only. Raises ValueError for another kind."""
    if source.adapter_of:
        from peft import PeftModel

        base = load_model(source.adapter_of, dtype, device)
        return PeftModel.from_pretrained(base, source.model, revision=source.hub_revision).eval()
    config = _find_file(source.model, "config.json", source.hub_revision)
    kind = _read(config).get("model_type") if config else None
    if kind not in ARCHITECTURES:
        raise ValueError(
            f"{source.model} is a {kind!r} model: expected LLaVA or LLaVA-NeXT ({', '.join(ARCHITECTURES)})"
        )
    model = AutoModelForImageTextToText.from_pretrained(
        source.model, revision=source.hub_revision, dtype=dtype, use_safetensors=True
    )
    return model.eval().to(device)


def _find_file(model: str, name: str, revision: str | None) -> str | None:
    try:
        return cached_file(model, name, revision=revision, _raise_exceptions_for_missing_entries=False)
    except OSError as error:
        message = str(error).split("\n")[0]
        raise FileNotFoundError(
            f"{model}: neither a folder nor a model that the Hub lets you read ({message})"
        ) from error


def _commit(path: str) -> str:
    """.../snapshots/COMMIT/config.json -> COMMIT."""
    parts = Path(path).parts
    return parts[parts.index("snapshots") + 1]


def _content_hash(folder: Path) -> str:
    files = sorted({path for pattern in HASHED for path in folder.glob(pattern) if path.is_file()})
    digest = hashlib.sha256()
    for path in files:
        with open(path, "rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"


def _read(path: str) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))
