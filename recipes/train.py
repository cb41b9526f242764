r"""Train one phase of a recipe: phase 1 aligns the projector, phase 2 tunes LoRA and the projector.

    ldrt train --config recipes/tiny-llava/phase1.yaml --dataset_name dataset --output_dir runs/phase1
    ldrt train --config recipes/tiny-llava/phase2.yaml --model_name_or_path runs/phase1 --dataset_name dataset \
        --output_dir runs/phase2
    ldrt train --launch accelerate_configs/zero3.yaml --config recipes/llava-v1.5-13b/phase2.yaml
    ldrt train --launch accelerate_configs/ddp.yaml --num_processes 8 --config recipes/qwen3-vl-8b/phase2.yaml \
        --learning_rate 1e-4

Before it costs money: `ldrt plan` with the same recipe and launch config says what fits and how long it takes. Options
that are not listed here are the recipe's own keys and win over its YAML (recipes/README.md has them). Stop it at
any moment, also by Ctrl-C: the same command goes on from the last checkpoint. A failure is one line, the last one.

It is `accelerate launch --config_file LAUNCH recipes/sft.py --config RECIPE` (dpo.py for preferences), which you may
type instead: on several machines do.
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from dataset_builder.files.errors import UsageError
from dataset_builder.files.quiet import DEBUG
from recipes.keys.check import all_fields, check_launch


@dataclass
class Options:
    """Options of `ldrt train`."""

    config: str = field(metadata={"help": "recipe: the YAML of a phase", "path": "recipe"})
    launch: str | None = field(
        default=None,
        metadata={
            "help": "launch config, a file of accelerate_configs/ or of your own; by default single_gpu.yaml, or "
            "cpu.yaml where there is no GPU",
            "path": "launch config",
        },
    )
    num_processes: Annotated[int, Ge(1)] | None = field(
        default=None, metadata={"help": "processes, one a GPU, where not the launch config's num_processes"}
    )
    overrides: list[str] = field(
        default_factory=list, metadata={"help": "keys of the recipe; give them as they are", "rest": all_fields}
    )


def run(options: Options) -> str:
    """Train, and return how long it took.

    Raises UsageError for wrong usage and RuntimeError for a run that failed, each with the one line of the process that
    failed first.
    """
    from recipes.launching.start import check_places, find_recipe, launch, next_step, script_of

    recipe = find_recipe(options.config)
    check_launch(recipe, options.overrides)
    check_places(recipe, options.overrides)
    config = _launch_config(options, recipe)
    debug = ["--debug"] if DEBUG in os.environ else []
    started = time.monotonic()
    words = ["--config", str(recipe), *options.overrides, *debug]
    launch(config, options.num_processes, script_of(recipe), words)
    return f"done in {time.monotonic() - started:.0f} s\nnext: {next_step(recipe, options.overrides)}"


def _launch_config(options: Options, recipe: Path) -> Path:
    """The launch config that is named, or that fits the machine, which is said. Raises UsageError where it cannot be
    read, or starts one process and several are asked for."""
    from recipes.launching.start import asks_for_cpu, choose, find_launch
    from recipes.planning.launches import read_launch

    path = options.launch
    if path is None:
        import torch

        path, why = choose(torch.cuda.device_count(), asks_for_cpu(recipe, options.overrides))
        print(f"ldrt train: {path} ({why}); --launch names another one", flush=True)
    found = find_launch(path)
    kind = read_launch(found).kind
    number = options.num_processes
    if number is not None and (number < 1 or (kind == "single" and number > 1)):
        hint = "give 1 or more" if number < 1 else f"{path} starts one process: use ddp.yaml, zero2.yaml or zero3.yaml"
        raise UsageError(f"--num_processes {number}: {hint}")
    return found
