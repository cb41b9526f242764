"""The files of a checkpoint's folder: which may be opened at all, and what its configuration may name.

A checkpoint is data: safetensors, JSON, a tokenizer's vocabulary and a chat template. Whatever else lies beside them
(pickles, Python) is never opened, downloaded or published, and a configuration that names such a thing is refused.
"""

import fnmatch
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from trust.errors import RefusedError
from trust.files import inside, read_limited
from trust.places import ADAPTER_CONFIG, CONFIG
from trust.weights.adapter_modules import bad_modules
from trust.weights.safetensors_files import ADAPTER, INDEX, WEIGHTS, check_index, check_weights, shards, weight_names

LINEAGE = "lineage.json"
ALLOWED = (
    *("*.safetensors", "*.safetensors.index.json", CONFIG, "*_config.json", "*.jinja", "chat_template.json"),
    *("tokenizer*.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt"),
    *("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json"),
    *(LINEAGE, "trainable.json"),
)
_PLAIN_NAME = re.compile(r"[\w.\- ]+")
# What decides an answer; not the trainer's state, the card or the plots.
_HASHED = (
    *("*.safetensors", "*config.json", "tokenizer*", "*.jinja", "special_tokens_map.json", "vocab.json", "merges.txt"),
)

# Keys by which a configuration names code, or weights that are not the folder's own; refused unless empty or false.
_NAMES_OTHERS = {
    "auto_map": "code of its own",
    "custom_pipelines": "code of its own",
    "megatron_config": "a module to import",
    "transformers_weights": "another file of weights",
    "audio_tokenizer": "another checkpoint",
    "use_pretrained_backbone": "another checkpoint",
    "custom_generate": "code of its own",
    "checkpoint_path": "a pickle",
    "cache_file": "a pickle",
    "covariance_file": "a pickle",
}
_ELSEWHERE = re.compile(r"(hf[-_]hub|local-dir):", re.IGNORECASE)  # how timm is sent to the Hub or another folder
_UNSEEN = re.compile(r"[\x00-\x20]")  # timm does not see them there
_IMPLEMENTATION = re.compile(r"_?(attn|experts)_implementation(_internal)?")  # NAME/REPOSITORY is code of the Hub's


def is_allowed(name: str) -> bool:
    """Whether a file of this name, at the top of a checkpoint's folder, may be opened, downloaded and published."""
    return bool(_PLAIN_NAME.fullmatch(name)) and any(fnmatch.fnmatchcase(name, pattern) for pattern in ALLOWED)


def files_of(folder: Path) -> dict[str, Path]:
    """Name -> path of the folder's files that may be opened.

    Raises RefusedError where one of them is no regular file, or a link to somewhere else.
    """
    found = {path.name: path for path in sorted(folder.iterdir()) if is_allowed(path.name)}
    home = folder.resolve()
    blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else None  # the Hub's cache
    for path in found.values():
        inside(folder, path, blobs)
    return found


def check_folder(folder: Path, *, with_weights: bool = True) -> None:
    """Raises FileNotFoundError where `folder` has no configuration, RefusedError where a file of it is refused."""
    files = files_of(folder)
    if CONFIG not in files and ADAPTER_CONFIG not in files:
        raise FileNotFoundError(f"{folder}: no checkpoint there (it has no {CONFIG} or {ADAPTER_CONFIG})")
    for name, path in files.items():
        if name.endswith("config.json"):
            check_config(path)
    if not with_weights:
        return
    if INDEX in files:
        shards(files[INDEX])  # also where Transformers would not read it, as there is one whole file beside it
    weights = weight_names(str(folder), {path.name for path in folder.iterdir()}, folder)
    if weights[0] in (WEIGHTS, ADAPTER):
        check_weights(files[weights[0]])
    else:
        check_index(files[INDEX], set(files))


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object. Raises RefusedError where the file is none."""
    content = read_limited(path)
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{path} is not JSON ({error}): get the checkpoint's file again") from error
    if not isinstance(found, dict):
        raise RefusedError(f"{path} holds no JSON object: get the checkpoint's file again")
    return found


def check_config(path: Path) -> None:
    """Raises RefusedError for a configuration that names code, or weights from elsewhere."""
    config = read_object(path)
    if path.name == CONFIG and _is_known(config):
        config.pop("auto_map", None)  # Transformers has the class itself, and never looks at the repository's
    named = _named_others(config)
    if named is not None:
        key, what = named
        raise RefusedError(
            f"{path} names {what} ({key}), which is never run or read: use a checkpoint that Transformers loads by "
            "itself, or take the key out if it is not needed"
        )
    if path.name == ADAPTER_CONFIG:
        _check_adapter(path, config)


def _check_adapter(path: Path, config: dict[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise RefusedError(f"{path}: an adapter of the kind {config.get('peft_type')!r}, only LORA is loaded")
    if key := bad_modules(config):
        raise RefusedError(
            f"{path}: {key} holds something else than names of modules or a simple pattern of them, such as "
            "`.*layers\\.\\d+\\.(self_attn|mlp)\\.[qv]_proj`: write the names as a list"
        )


def _is_known(config: dict[str, Any]) -> bool:
    if "auto_map" not in config:
        return False  # and Transformers need not be imported to say so
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return config.get("model_type") in CONFIG_MAPPING_NAMES


def _named_others(value: object) -> tuple[str, str] | None:
    """(key, what it names) of the first key, at any depth, that names code or weights from elsewhere."""
    if isinstance(value, list):
        return next(filter(None, map(_named_others, value)), None)
    if not isinstance(value, dict):
        return None
    for key, inner in value.items():
        if key in _NAMES_OTHERS and inner:
            return key, _NAMES_OTHERS[key]
        if _IMPLEMENTATION.fullmatch(key) and "/" in json.dumps(inner):
            return key, "code of the Hub"
        if isinstance(inner, str) and _ELSEWHERE.match(_UNSEEN.sub("", inner[:200])):
            return key, "another checkpoint"
    return next(filter(None, map(_named_others, value.values())), None)


def content_hash(folder: Path) -> str:
    """What identifies a local checkpoint: "sha256:" and 64 hex digits over the files that decide an answer."""
    paths = {path for pattern in _HASHED for path in folder.glob(pattern) if path.is_file()}
    digest = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(path.name.encode() + b"\0" + content)
    return f"sha256:{digest.hexdigest()}"
