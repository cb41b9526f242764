r"""A recipe before it costs money: memory of each GPU, hours, and which launch config to take.

    ldrt plan --config recipes/llava-v1.5-13b/phase2.yaml --accelerate accelerate_configs/zero2.yaml
    ldrt plan --config recipes/llava-v1.5-13b/phase2.yaml --accelerate accelerate_configs/ddp.yaml --gpu H200 \
        --per_device_train_batch_size 8 --output plan.json
    ldrt plan --config recipes/tiny-llava/phase1.yaml --accelerate accelerate_configs/cpu.yaml --check
    ldrt plan --config recipes/llava-v1.5-13b/dpo.yaml --accelerate accelerate_configs/ddp.yaml --gpu H100

Options that are not listed here are the recipe's own and change it for the plan, as on the command line of
recipes/sft.py, or of recipes/dpo.py where it is a recipe of that. Reads the model's config.json, its tokenizer and the
dataset; no weights. `--check` also runs two steps, on the longest rows, of a model of two layers a tower: which
tokens are trained, which parameters, how much memory.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt

from dataset_builder.files.errors import UsageError
from dataset_builder.files.jsonfiles import write_json
from recipes.keys.check import all_fields, check_launch


@dataclass
class Options:
    config: str = field(metadata={"help": "recipe: the YAML of a phase", "path": "recipe"})
    accelerate: str = field(metadata={"help": "launch config: a file of accelerate_configs/", "path": "launch config"})
    overrides: list[str] = field(
        default_factory=list, metadata={"help": "options of recipes/sft.py; give them as they are", "rest": all_fields}
    )
    processes: Annotated[int, Ge(1)] | None = field(
        default=None, metadata={"help": "GPUs, where not the launch config's num_processes"}
    )
    gpu: str = field(
        default="A40",
        metadata={
            "help": "GPU, in any case: A40, A100, H100, H200, B200, MI300X, L40S, L4, RTX5090, RTX4090, V100, T4"
        },
    )
    gpu_memory: Annotated[float, Gt(0)] | None = field(
        default=None,
        metadata={"help": "GiB of a GPU, where not the named one's", "group": "in place of a GPU's datasheet"},
    )
    tflops: Annotated[float, Gt(0)] | None = field(
        default=None,
        metadata={
            "help": "TFLOP/s that a GPU achieves in training; by default half of its dense peak",
            "group": "in place of a GPU's datasheet",
        },
    )
    link_gb_s: Annotated[float, Gt(0)] | None = field(
        default=None,
        metadata={
            "help": "nominal GB/s one way between GPUs, where not the named one's",
            "group": "in place of a GPU's datasheet",
        },
    )
    price_per_gpu_hour: Annotated[float, Ge(0)] | None = field(
        default=None, metadata={"help": "price of a GPU's hour, in any currency: the table then has the run's"}
    )
    rows: Annotated[int, Ge(1)] | None = field(
        default=None, metadata={"help": "plan for so many rows; with --tokens no dataset is read"}
    )
    tokens: Annotated[int, Ge(1)] | None = field(
        default=None, metadata={"help": "plan for rows of so many tokens, picture included"}
    )
    check: bool = field(default=False, metadata={"help": "run two steps on a model cut to two layers a tower"})
    output: str | None = field(default=None, metadata={"help": "JSON file for the plan", "path": "new file"})


def _check(options: Options) -> None:
    """Raises UsageError for options that contradict each other."""
    if options.tokens is not None and (options.rows is None or options.check):
        raise UsageError("--tokens needs --rows, and a check needs the dataset itself")


def run(options: Options) -> str:
    """The plan as text; written to `output` as JSON too.

    Raises UsageError for options that contradict each other, ValueError for a recipe or launch config that cannot
    be planned, FileNotFoundError for an absent one, and OSError where the model's configuration or tokenizer is not
    within reach.
    """
    from recipes.launching.start import check_dataset
    from recipes.planning.devices import find_gpu
    from recipes.planning.launches import read_launch
    from recipes.project_files import find_file

    _check(options)
    find_gpu(options.gpu)
    recipe = find_file(options.config)
    check_launch(recipe, options.overrides)
    if options.tokens is None:
        check_dataset(recipe, options.overrides)
    launch = read_launch(find_file(options.accelerate), options.processes)  # before what takes seconds to import
    from recipes.planning.compare import compare
    from recipes.planning.devices import choose_device
    from recipes.planning.dry_run import describe_check, dry_run
    from recipes.planning.report import describe, summarise
    from recipes.planning.rows import given_rows, measure_rows
    from recipes.planning.setting import read_setting
    from trust.handovers import stamped

    device = choose_device(options.gpu, launch.on_cpu, options.gpu_memory, options.tflops, options.link_gb_s)
    setting = read_setting(str(recipe), options.overrides, launch, device)
    if options.check and setting.recipe.trainable == "preference":
        raise UsageError("--check is for phases 1 and 2: leave it out for a preference phase")
    if options.tokens is not None and options.rows is not None:
        rows = given_rows(options.rows, options.tokens)
    else:
        rows = measure_rows(setting, options.rows)

    result = summarise(setting, rows, compare(setting, rows), options.price_per_gpu_hour)
    text = describe(result)
    if options.check:
        assert rows.dataset is not None  # measured, not given
        result["check"] = dry_run(setting, rows.dataset)
        text += "\n\n" + "\n".join(describe_check(result["check"], setting.shape.family))
    if options.output is not None:
        write_json(Path(options.output), stamped(result))
    return text
