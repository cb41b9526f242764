"""The merged checkpoint: saved as a draft, loaded again and compared, and only then given its name."""

import shutil
from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForImageTextToText, AutoProcessor

from dataset_builder.files.jsonfiles import write_json
from recipes.merging.adapter import CHECK, copy_lineage
from recipes.merging.parity import Parity, logits, measure_parity, sample_batch
from trust.templates import check_template


def merge_draft(adapter: str, base: str, revision: str | None, dtype: str, draft: Path) -> Parity:
    """Save the adapter merged into `base` in the folder `draft`; returns how far it is from both once loaded again.

    `dtype` is that of the weights, or `auto` for the base checkpoint's.
    """
    processor = AutoProcessor.from_pretrained(adapter)
    check_template(processor.chat_template, processor.tokenizer.special_tokens_map, adapter)
    batch = sample_batch(processor)
    model = AutoModelForImageTextToText.from_pretrained(base, revision=revision, dtype=dtype).eval()
    of_base = logits(model, batch)
    tuned = PeftModel.from_pretrained(model, adapter).eval()
    of_adapter = logits(tuned, batch)

    shutil.rmtree(draft, ignore_errors=True)
    merged = tuned.merge_and_unload()
    merged.save_pretrained(draft)
    merged_dtype = str(merged.dtype).removeprefix("torch.")
    del model, tuned, merged  # before it is loaded again: memory holds one model
    processor.save_pretrained(draft)
    copy_lineage(adapter, draft)

    saved = AutoModelForImageTextToText.from_pretrained(draft, dtype=dtype).eval()
    return measure_parity(logits(saved, batch), of_adapter, of_base, merged_dtype)


def finish(draft: Path, output: Path, adapter_sha256: str, parity: Parity) -> None:
    """Give the draft its name, with the check beside the weights. `output` may be an empty folder."""
    check = {
        "adapter_sha256": adapter_sha256,
        "dtype": parity.dtype,
        "error_std": parity.error_std,
        "change_std": parity.change_std,
    }
    write_json(draft / CHECK, check)
    if output.exists():
        output.rmdir()
    draft.rename(output)
