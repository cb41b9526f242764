"""`ldrt merge ADAPTER --output DIR`: adapter -> full checkpoint that plain Transformers and vLLM load.

vLLM does not read adapters that carry a trained projector (`modules_to_save`), and a wrong name prefix makes a server
answer with the base model in silence. So the merged checkpoint is loaded again from disk and compared: its logits
must be the adapter's, and must not be the base model's.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json

CHECK = "merge.json"  # what was merged and how far the logits are apart; where it is, the checkpoint is whole

# Largest difference of a logit, in standard deviations of the logits: rounding of the merged weights, no more.
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.2, "float16": 0.05}
MIN_CHANGE = 10  # the tuned model must differ from the base this many times more than merged from adapter


@dataclass
class Options:
    """Options of `ldrt merge`."""

    adapter: str = field(metadata={"help": "folder or Hub id of a phase 2 result", "positional": True})
    output: str = field(metadata={"help": "folder for the merged checkpoint"})
    base: str | None = field(
        default=None, metadata={"help": "checkpoint to merge into, where not the one that the adapter names"}
    )
    dtype: str = field(default="auto", metadata={"help": "auto (the base checkpoint's), float32, bfloat16 or float16"})


def run(options: Options) -> str:
    """Merge, save, load again and compare; a merged checkpoint of the same adapter is left alone.

    Raises RuntimeError when the saved checkpoint is not the tuned model, ValueError when `output` holds something else.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText, AutoProcessor

    output, adapter_sha256 = Path(options.output), hash_adapter(options.adapter)
    if is_merged(output, adapter_sha256):
        return f"{output} holds {options.adapter}, merged already"
    base_name, revision = find_base(options)
    processor = AutoProcessor.from_pretrained(options.adapter)
    batch = sample_batch(processor)
    model = AutoModelForImageTextToText.from_pretrained(base_name, revision=revision, dtype=options.dtype).eval()
    of_base = logits(model, batch)
    tuned = PeftModel.from_pretrained(model, options.adapter).eval()
    of_adapter = logits(tuned, batch)

    draft = output.with_name(output.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    merged = tuned.merge_and_unload()
    merged.save_pretrained(draft)
    dtype = str(merged.dtype).removeprefix("torch.")
    del model, tuned, merged
    processor.save_pretrained(draft)
    copy_lineage(options.adapter, draft)

    of_merged = logits(AutoModelForImageTextToText.from_pretrained(draft, dtype=options.dtype).eval(), batch)
    scale = of_adapter.std()
    error, change = ((of_merged - other).abs().max().item() / scale.item() for other in (of_adapter, of_base))
    if not torch.isfinite(of_merged).all() or error > TOLERANCE[dtype]:
        raise RuntimeError(f"{draft}: the merged model is not the adapter's: logits differ by {error:.2g} std")
    if change <= MIN_CHANGE * error:
        raise RuntimeError(f"{draft}: the merged model is the base model: logits differ by {change:.2g} std only")
    write_json(
        draft / CHECK, {"adapter_sha256": adapter_sha256, "dtype": dtype, "error_std": error, "change_std": change}
    )
    if output.exists():
        output.rmdir()
    draft.rename(output)
    return (
        f"merged {options.adapter} into {output} ({dtype}); largest difference of a logit: {error:.2g} std to the "
        f"adapter (at most {TOLERANCE[dtype]}), {change:.2g} std to the base model"
    )


def hash_adapter(adapter: str) -> str:
    """SHA-256 of the adapter's weights. Raises OSError when there is no adapter."""
    from transformers.utils import cached_file

    with open(cached_file(adapter, "adapter_model.safetensors"), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_merged(output: Path, adapter_sha256: str) -> bool:
    """Whether `output` is this adapter, merged. Raises ValueError when it holds something else."""
    if not output.exists() or not any(output.iterdir()):
        return False
    check = output / CHECK
    if not check.exists() or json.loads(check.read_text(encoding="utf-8"))["adapter_sha256"] != adapter_sha256:
        raise ValueError(f"{output} is not empty: choose another --output or remove it")
    return True


def find_base(options: Options) -> tuple[str, str | None]:
    """(checkpoint, revision) that the adapter was trained on, as the adapter names it or as `--base` says."""
    from peft import PeftConfig

    config = PeftConfig.from_pretrained(options.adapter)
    if options.base is not None:
        return options.base, None
    name = config.base_model_name_or_path
    if Path(name).is_absolute() and not Path(name).exists():
        raise FileNotFoundError(f"{options.adapter} was trained on {name}, which is not here: give it with --base")
    return name, config.revision


def sample_batch(processor) -> dict:
    """One question about a picture with something to see, as generation would ask it."""
    import numpy as np
    from PIL import Image

    rows, columns = np.mgrid[:300, :400]
    picture = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    question = [{"type": "image"}, {"type": "text", "text": "Describe this figure in detail."}]
    text = processor.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True)
    return processor(images=[Image.fromarray(picture)], text=[text], add_special_tokens=False, return_tensors="pt")


def logits(model, batch: dict):
    """(tokens, vocabulary), float32, on the CPU."""
    import torch

    with torch.no_grad():
        return model(**batch.to(model.device)).logits[0].float().cpu()


def copy_lineage(adapter: str, folder: Path) -> None:
    from transformers.utils import cached_file

    from recipes.training.lineage import FILE

    path = cached_file(adapter, FILE, _raise_exceptions_for_missing_entries=False)
    if path is not None:
        shutil.copyfile(path, folder / FILE)
