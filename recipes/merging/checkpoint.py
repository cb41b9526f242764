"""The merged checkpoint: saved as a draft, loaded again and compared, and only then given its name."""

import shutil
from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForImageTextToText, AutoProcessor

from dataset_builder.files.jsonfiles import write_json
from recipes.merging.adapter import CHECK, check_fit, hash_adapter, lineage_on_other
from recipes.merging.parity import Parity, logits, measure_parity, sample_batch
from trust.checkpoints import LOADING, Checkpoint
from trust.handovers import stamped
from trust.templates import check_template, check_tokenizer
from trust.weights.checkpoint_files import LINEAGE


def merge_draft(adapter: Checkpoint, base: Checkpoint, own: bool, dtype: str, draft: Path) -> Parity:
    """Save the adapter merged into `base` in the folder `draft`; returns how far it is from both once loaded again.

    `own`: `base` is the adapter's own, not another one. `dtype` is that of the weights, or `auto` for the base
    checkpoint's.
    """
    loading = {"dtype": dtype, "use_safetensors": True, **LOADING}
    check_tokenizer(adapter.folder, adapter.name)
    processor = AutoProcessor.from_pretrained(adapter.folder, **LOADING)
    check_template(processor.chat_template, processor.tokenizer.special_tokens_map, adapter.name)
    batch = sample_batch(processor)
    model = AutoModelForImageTextToText.from_pretrained(base.folder, **loading).eval()
    check_fit(adapter, model, base.name)
    of_base = logits(model, batch)
    tuned = PeftModel.from_pretrained(model, adapter.folder, local_files_only=True).eval()
    of_adapter = logits(tuned, batch)

    shutil.rmtree(draft, ignore_errors=True)
    merged = tuned.merge_and_unload()
    merged.save_pretrained(draft)
    merged_dtype = str(merged.dtype).removeprefix("torch.")
    del model, tuned, merged  # before it is loaded again: memory holds one model
    processor.save_pretrained(draft)
    history = adapter.lineage if own else lineage_on_other(adapter, base)
    if history is not None:
        noted = {"merge": {"dtype": dtype, "adapter_sha256": hash_adapter(adapter)}}
        write_json(draft / LINEAGE, stamped(history | noted))

    saved = AutoModelForImageTextToText.from_pretrained(draft, **loading).eval()
    return measure_parity(logits(saved, batch), of_adapter, of_base, merged_dtype)


def finish(draft: Path, output: Path, adapter: Checkpoint, base: Checkpoint, own: bool, parity: Parity) -> None:
    """Give the draft its name, with the check beside the weights. `output` may be an empty folder."""
    check = {
        "adapter_sha256": hash_adapter(adapter),
        "base": base.name if base.commit else base.folder.resolve().name,
        "base_revision": base.revision,
        "own_base": own,
        "dtype": parity.dtype,
        "error_std": parity.error_std,
        "change_std": parity.change_std,
    }
    write_json(draft / CHECK, stamped(check))
    if output.exists():
        output.rmdir()
    draft.rename(output)
