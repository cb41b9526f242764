"""The options of every command that loads a checkpoint and lets it answer. Nothing is imported here that takes time."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge

DEVICE = r"auto|cpu|mps|(cuda|xpu)(:\d+)?"


@dataclass(kw_only=True)
class AnsweringOptions:
    """A command's `Options` are these and its own."""

    max_new_tokens: Annotated[int, Ge(1)] = field(
        default=256, metadata={"help": "longest answer, in tokens", "group": "how it answers"}
    )
    device: str = field(
        default="auto",
        metadata={"help": "auto, cpu, cuda, cuda:1, mps", "pattern": DEVICE, "group": "how it is run"},
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = field(
        default="auto",
        metadata={"help": "of the weights; auto: bfloat16 on a GPU, float32 on a CPU", "group": "how it is run"},
    )
    chat_template_path: str | None = field(
        default=None,
        metadata={"help": "jinja chat template to use instead", "path": "file", "group": "how it is run"},
    )
