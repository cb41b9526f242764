"""Command lines that a file tells, for somebody to type: which words of one are let onto a card.

A checkpoint's lineage says how it was trained, and may be a stranger's. What may stand there are settings of the
training: no other place to write to, nothing of the Hub or of a tracker, no file outside the working folder.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from trust.markup import is_relative_path

# Options of `accelerate launch` that say how many processes train how; addresses and ranks are one machine's affair.
LAUNCH = (
    *("config_file", "num_processes", "num_machines", "mixed_precision", "num_cpu_threads_per_process", "zero_stage"),
    *("cpu", "multi_gpu", "use_deepspeed", "use_fsdp"),
)
# Of the training script: said elsewhere (model, dataset), or without weight for the result (where files and curves go).
NOT_SETTINGS = (
    *("config", "model_name_or_path", "model_revision", "dataset_name", "dataset_revision", "output_dir"),
    *(
        "report_to",
        "run_name",
        "project",
        "logging_dir",
        "push_to_hub",
        "hub_model_id",
        "hub_token",
        "trackio_space_id",
    ),
    *("resume_from_checkpoint", "trust_remote_code", "debug"),
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")

Given = tuple[str, list[str]]  # an option's name and its values


def options_of(words: Sequence[str]) -> Iterator[Given]:
    """["--seed", "1", "--bf16=false"] -> ("seed", ["1"]), ("bf16", ["false"]); words before an option have no name."""
    name: str = ""
    values: list[str] = []
    for word in words:
        if not word.startswith("--"):
            values.append(word)
            continue
        if name or values:
            yield name, values
        name, _, value = word.removeprefix("--").partition("=")
        values = [value] if value else []
    if name or values:
        yield name, values


def is_launch(words: Sequence[str]) -> bool:
    """Whether the words are options of `accelerate launch` that a card may tell to type."""
    return all(name in LAUNCH and _are_plain(values) for name, values in options_of(words))


def is_settings(words: Sequence[str]) -> bool:
    """Whether the words are settings of a training."""
    return all(
        _NAME.fullmatch(name) and name not in NOT_SETTINGS and _are_plain(values) for name, values in options_of(words)
    )


def is_recipe(words: Sequence[str]) -> bool:
    """Whether the words are nothing, or name one of the project's recipes."""
    if not words:
        return True
    path = words[-1]
    return len(words) == 2 and words[0] == "--config" and path.startswith("recipes/") and _are_plain([path])


def _are_plain(values: Iterable[str]) -> bool:
    """Whether none is an option, or a path out of the working folder."""
    return all((not word.startswith("-") or _NUMBER.fullmatch(word)) and is_relative_path(word) for word in values)
