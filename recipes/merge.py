"""`ldrt merge ADAPTER --output DIR`: adapter -> full checkpoint that plain Transformers and vLLM load.

vLLM does not read adapters that carry a trained projector (`modules_to_save`), and a wrong name prefix makes a server
answer with the base model in silence. So the merged checkpoint is loaded again from disk and compared: its logits
must be the adapter's, and must not be the base model's.
"""

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trust.errors import UsageError
from trust.places import ADAPTER_CONFIG


@dataclass
class Options:
    """Options of `ldrt merge`."""

    adapter: str = field(
        metadata={"help": "folder or Hub id of a phase 2 result", "positional": True, "path": "checkpoint or Hub id"}
    )
    output: str = field(metadata={"help": "folder for the merged checkpoint", "path": "new folder"})
    base: str | None = field(
        default=None,
        metadata={
            "help": "checkpoint to merge into, where not the one that the adapter names",
            "path": "checkpoint or Hub id",
        },
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = field(
        default="auto", metadata={"help": "of the weights; auto: the base checkpoint's"}
    )


def run(options: Options) -> str:
    """Merge, save, load again and compare; a merged checkpoint of the same adapter is left alone.

    Raises RuntimeError when the saved checkpoint is not the tuned model, ValueError when `output` holds something else,
    the adapter does not fit the base or is not as its run left it, FileNotFoundError or RefusedError for an adapter or
    a base that is not there or not to be trusted.
    """
    if os.path.isdir(options.adapter) and not os.path.isfile(os.path.join(options.adapter, ADAPTER_CONFIG)):
        raise UsageError(f"{options.adapter} is a whole checkpoint, no adapter: there is nothing to merge")
    from recipes.merging.adapter import check_family, hash_adapter, is_merged, is_own_base
    from recipes.merging.checkpoint import finish, merge_draft
    from recipes.merging.parity import TOLERANCE
    from recipes.training.checkpoints import check_saved
    from trust.checkpoints import open_base, open_checkpoint

    output, adapter = Path(options.output), open_checkpoint(options.adapter)
    given = None if options.base is None else open_base(adapter, options.base)
    if is_merged(output, hash_adapter(adapter), given, options.dtype):
        return f"{output} holds {options.adapter}, merged already"
    check_saved(adapter.folder)
    base = given or open_base(adapter)
    check_family(adapter, base)
    own = given is None or is_own_base(adapter, given)
    draft = output.with_name(output.name + ".partial")
    parity = merge_draft(adapter, base, own, options.dtype, draft)
    fault = parity.fault()
    if fault is not None:
        raise RuntimeError(f"{draft}: {fault}")
    finish(draft, output, adapter, base, own, parity)
    return (
        f"merged {options.adapter} and {base.name} into {output} ({parity.dtype}); largest difference of a logit: "
        f"{parity.error_std:.2g} std to the adapter (at most {TOLERANCE[parity.dtype]}), {parity.change_std:.2g} std "
        f"to the base model\nnext: ldrt generate --model {shlex.quote(str(output))} --dataset DATASET --output RUN"
    )
