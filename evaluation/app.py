"""checkpoint -> a page in the browser: drop a figure, ask, and see the tuned model's answer, beside it the base's.

    ldrt app runs/tuned
    ldrt app runs/tuned llava-hf/llava-1.5-7b-hf --dataset dataset

It needs the extra `app` (Gradio): pip install "ldrt-vlm[app]". The page listens on this machine alone (127.0.0.1)
unless --host says otherwise; nothing is sent elsewhere, and what was dropped is deleted after an hour or two. A
question is put as `ldrt generate` puts those of a dataset. For research only, not for patients.
"""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le

from evaluation.answering.options import AnsweringOptions
from trust.errors import UsageError


@dataclass
class Options(AnsweringOptions):
    """Options of `ldrt app`."""

    model: str = field(
        metadata={
            "help": "checkpoint: Hub id or folder; full weights or an adapter",
            "positional": True,
            "path": "checkpoint or Hub id",
        }
    )
    base: str | None = field(
        default=None,
        metadata={
            "help": "another checkpoint to show beside it, such as its base",
            "positional": True,
            "path": "checkpoint or Hub id",
        },
    )
    dataset: str | None = field(
        default=None,
        metadata={
            "help": "dataset whose test split gives examples to click on: Hub id or folder",
            "path": "dataset or Hub id",
        },
    )
    revision: str | None = field(default=None, metadata={"help": "Hub commit of the model", "group": "how it is run"})
    base_revision: str | None = field(
        default=None, metadata={"help": "Hub commit of the base", "group": "how it is run"}
    )
    dataset_revision: str | None = field(
        default=None, metadata={"help": "Hub commit of the dataset", "group": "how it is run"}
    )
    host: str = field(
        default="127.0.0.1",
        metadata={"help": "address to listen on; 0.0.0.0 lets everybody in who reaches the machine"},
    )
    port: Annotated[int, Ge(0), Le(65535)] = field(default=7860, metadata={"help": "port to listen on"})


def run(options: Options) -> str:
    """Open the page and stay until Ctrl-C.

    Raises ImportError without Gradio, ValueError for options that do not fit, and what loading a checkpoint or a
    dataset raises.
    """
    if importlib.util.find_spec("gradio") is None:
        raise ImportError('the page needs Gradio, the extra `app`: pip install "ldrt-vlm[app]"')
    _check(options)
    from evaluation.trying.page import Tried, open_page

    tried = Tried(
        model=options.model,
        revision=options.revision,
        base=options.base,
        base_revision=options.base_revision,
        dataset=options.dataset,
        dataset_revision=options.dataset_revision,
        chat_template_path=options.chat_template_path,
        device=options.device,
        dtype=options.dtype,
        max_new_tokens=options.max_new_tokens,
    )
    open_page(tried, options.host, options.port)
    return "closed"


def _check(options: Options) -> None:
    for name, value, revision in (
        ("revision", options.model, options.revision),
        ("base_revision", options.base, options.base_revision),
        ("dataset_revision", options.dataset, options.dataset_revision),
    ):
        if revision and (value is None or Path(value).is_dir()):
            raise UsageError(
                f"--{name} is a commit of something on the Hub, and {value or 'nothing'} is none: leave it out"
            )
