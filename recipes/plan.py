"""A recipe before it costs money: memory of each GPU, hours, and which launch config to take.

    ldrt plan --config recipes/llava-v1.5-13b/phase2.yaml --accelerate accelerate_configs/zero2.yaml
    ldrt plan --config recipes/llava-v1.5-13b/phase2.yaml --accelerate accelerate_configs/ddp.yaml --gpu H200 \
        --per_device_train_batch_size 8 --output plan.json
    ldrt plan --config recipes/tiny-llava/phase1.yaml --accelerate accelerate_configs/cpu.yaml --check true

Options that are not listed here are the recipe's own and change it for the plan, as on the command line of
recipes/sft.py. Reads the model's config.json, its tokenizer and the dataset; no weights. `--check true` also runs two
steps, on the longest rows, of a model of two layers a tower: which tokens are trained, which parameters,
how much memory.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

SCAN_ROWS = 5000  # rows of which the length is measured; of a larger dataset, so many are drawn
LONG_TAIL = 1.5  # longest row over the median from which grouping by length is advised
HISTOGRAM_BINS = 8
ACHIEVED_SHARE = 0.5  # assumption: of the dense peak; give --tflops once it is measured
USABLE_SHARE = 0.9  # assumption: of a GPU's memory; the allocator's fragments take the rest
ABOUT_AS_FAST = 1.05
CONFIGS = Path(__file__).parents[1] / "accelerate_configs"
# Hub checkpoints whose shape is known without a network: (hidden_size, intermediate_size, layers, heads, model_type).
SHAPES = {
    "llava-hf/llava-1.5-7b-hf": (4096, 11008, 32, 32, "llava"),
    "llava-hf/llava-1.5-13b-hf": (5120, 13824, 40, 40, "llava"),
    "llava-hf/llava-v1.6-vicuna-13b-hf": (5120, 13824, 40, 40, "llava_next"),
}
SHAPES_VOCABULARY = 32064


@dataclass
class Options:
    config: str = field(metadata={"help": "recipe: the YAML of a phase"})
    accelerate: str = field(metadata={"help": "launch config: a file of accelerate_configs/"})
    overrides: list[str] = field(
        default_factory=list, metadata={"help": "options of recipes/sft.py; give them as they are", "rest": True}
    )
    processes: int | None = field(default=None, metadata={"help": "GPUs, where not the launch config's num_processes"})
    gpu: str = field(default="A40", metadata={"help": "GPU: A40, A100-80G, H100, H200, L40S, A6000, RTX4090, …"})
    memory_gib: float | None = field(default=None, metadata={"help": "memory of a GPU, where not the named one's"})
    tflops: float | None = field(
        default=None, metadata={"help": "TFLOP/s that a GPU achieves in training; by default half of its dense peak"}
    )
    link_gb_s: float | None = field(
        default=None, metadata={"help": "nominal GB/s one way between GPUs, where not the named one's"}
    )
    rows: int | None = field(default=None, metadata={"help": "plan for so many rows; with --tokens no dataset is read"})
    tokens: int | None = field(default=None, metadata={"help": "plan for rows of so many tokens, picture included"})
    check: bool = field(default=False, metadata={"help": "run two steps on a model cut to two layers a tower"})
    output: str | None = field(default=None, metadata={"help": "JSON file for the plan"})


def run(options: Options) -> str:
    """The plan as text; written to `output` as JSON too.

    Raises ValueError for a recipe or launch config that cannot be planned, FileNotFoundError for an absent one, and
    OSError where the model's configuration or tokenizer is not within reach.
    """
    from dataset_builder.files.jsonfiles import write_json

    setting = read_setting(options)
    rows = measure_rows(options, setting)
    plans = compare(options, setting, rows)
    result = summarise(options, setting, rows, plans)
    if options.check:
        from recipes.planning.dry_run import dry_run

        result["check"] = dry_run(setting, rows.dataset)
    if options.output is not None:
        write_json(Path(options.output), result)
    return describe(result)


# --- what is planned -------------------------------------------------------------------------------------------------


@dataclass
class Setting:
    """The recipe, its launch and the shape of its model."""

    argv: list[str]
    recipe: object
    args: object
    model_args: object
    config: "PreTrainedConfig"
    shape_of: str
    adapter: object
    counts: dict[str, int]
    precision: object
    launch: object
    gpu: object


def read_setting(options: Options) -> Setting:
    import torch

    from recipes import sft
    from recipes.planning import costs

    argv = ["--config", options.config, *options.overrides]
    # TRL refuses bf16 without a GPU; nothing is trained here but the check, on whatever there is
    argv += [] if torch.cuda.is_available() else ["--use_cpu", "true"]
    recipe, args, model_args = sft.parse(argv)
    launch = costs.read_launch(Path(options.accelerate))
    if options.processes is not None:
        launch = replace(launch, processes=options.processes)
    gpu = costs.find_device(options.gpu, launch.on_cpu)
    model_args.model_name_or_path, model_args.model_revision, config, shape_of = find_shape(
        model_args.model_name_or_path, model_args.model_revision, Path(options.config)
    )
    adapter = sft.lora_config(model_args) if recipe.trainable == "lora" else None
    counts = costs.count_parameters(costs.build_on_meta(config, recipe.trainable, adapter))
    four_bit = (costs.NF4_DOUBLE if model_args.use_bnb_nested_quant else costs.NF4) if model_args.load_in_4bit else None
    moments = 2 if "8bit" in args.optim.value else 2 * costs.FP32
    precision = costs.Precision(getattr(torch, model_args.dtype), args.bf16, four_bit, moments)
    return Setting(argv, recipe, args, model_args, config, shape_of, adapter, counts, precision, launch, gpu)


def find_shape(name: str, revision: str | None, recipe: Path):
    """(model, revision, configuration, where it comes from): its config.json, or the known shape of a Hub checkpoint.

    Phase 2 can be planned before phase 1 has run: the model is then the one that the phase1.yaml beside it
    starts from. Raises OSError when nothing is found.
    """
    import yaml
    from transformers import AutoConfig

    try:
        return name, revision, AutoConfig.from_pretrained(name, revision=revision), f"config.json of {name}"
    except (OSError, ValueError) as error:
        if name in SHAPES:
            return name, revision, known_shape(name), f"known shape of {name}, which is not within reach"
        first = recipe.with_name("phase1.yaml")
        if Path(name).name == "phase1" and recipe.name != first.name and first.is_file():
            start = yaml.safe_load(first.read_text(encoding="utf-8"))
            *found, origin = find_shape(start["model_name_or_path"], start.get("model_revision"), first)
            return *found, f"{origin}; {name} is not there yet"
        raise OSError(
            f"no config.json of {name}: give --model_name_or_path with a folder, or with one of {', '.join(SHAPES)}"
        ) from error


def known_shape(name: str) -> "PreTrainedConfig":
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaNextConfig

    hidden, intermediate, layers, heads, family = SHAPES[name]
    text = LlamaConfig(
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        vocab_size=SHAPES_VOCABULARY,
        max_position_embeddings=4096,
    )
    vision = CLIPVisionConfig(  # CLIP ViT-L/14 at 336 px
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        image_size=336,
        patch_size=14,
        projection_dim=768,
    )
    made = LlavaConfig if family == "llava" else LlavaNextConfig
    return made(text_config=text, vision_config=vision)


# --- rows ------------------------------------------------------------------------------------------------------------


@dataclass
class Rows:
    """`lengths`: tokens of the rows measured; `n_rows`: rows of the split that are trained; `dataset`: those measured,
    or None where lengths were given."""

    lengths: object
    n_rows: int
    dropped: dict[str, int]
    n_scanned: int | None
    dataset: object


def measure_rows(options: Options, setting: Setting) -> Rows:
    import numpy as np

    from recipes.training.examples import load_examples, scan_lengths

    if options.tokens is not None:
        if options.rows is None or options.check:
            raise ValueError("--tokens needs --rows, and a check needs the dataset itself")
        # image tokens of LLaVA-NeXT are not known without pictures: the largest grid that fits is assumed
        return Rows(np.array([options.tokens]), options.rows, {}, None, None)
    recipe = setting.recipe
    dataset, _ = load_examples(
        recipe.dataset_name,
        recipe.dataset_config,
        recipe.dataset_train_split,
        recipe.dataset_revision,
        recipe.train_article_share,
    )
    n_all = len(dataset)
    if n_all > SCAN_ROWS:
        dataset = dataset.shuffle(seed=0).select(range(SCAN_ROWS))
    template, text_only = read_template(setting), recipe.trainable == "lora"
    kept, report = scan_lengths(dataset, load_processor(setting), template, setting.args.max_length, text_only)
    share = report["kept"] / report["rows"]
    n_rows = options.rows or round(n_all * share)
    return Rows(np.array(kept["length"]), n_rows, report["dropped"], report["rows"], kept)


def load_processor(setting: Setting):
    """The processor as sft.py sets it up; drops image grids from the configuration where the recipe says so."""
    from recipes import sft

    name = setting.model_args.model_name_or_path
    model = SimpleNamespace(config=setting.config)
    try:
        return sft.load_processor(
            setting.model_args, setting.args.chat_template_path, model, setting.recipe.max_grid_tiles
        )
    except (OSError, ValueError) as error:
        raise OSError(
            f"no processor of {name} within reach ({error}): give --model_name_or_path, or --rows and --tokens"
        ) from error


def read_template(setting: Setting) -> str | None:
    from recipes import sft

    return sft.read_template(setting.recipe.train_template_path)


# --- plans -----------------------------------------------------------------------------------------------------------


def compare(options: Options, setting: Setting, rows: Rows) -> list[dict]:
    """One plan for each launch config that could take this one's place, with and without checkpointing; the one asked
    for first."""
    from recipes.planning import costs

    asked, checkpointing = setting.launch, setting.args.gradient_checkpointing
    launches = [asked]
    for path in sorted(CONFIGS.glob("*.yaml")):
        launch = costs.read_launch(path)
        offloads = launch.offload_optimizer or launch.offload_parameters
        useful = launch.kind == "single" or offloads if asked.processes == 1 else launch.kind != "single"
        alike = useful and launch.machines == asked.machines and path.name != asked.name
        can = setting.precision.four_bit is None or not launch.shards_weights  # 4-bit weights cannot be shared out
        if alike and can and not launch.on_cpu and not asked.on_cpu:
            launches.append(replace(launch, processes=asked.processes))
    activations = {}
    return [
        plan_one(options, setting, rows, launch, on, activations)
        for launch in launches
        for on in (checkpointing, not checkpointing)
    ]


def plan_one(options, setting: Setting, rows: Rows, launch, checkpointing: bool, activations: dict) -> dict:
    """Memory and hours of one launch config. `activations` keeps what was counted for another launch."""
    from recipes.planning import costs

    precision, args, counts = setting.precision.of(launch), setting.args, setting.counts
    key = (checkpointing, precision.autocast, precision.trained(launch))
    longest = int(rows.lengths.max())
    if key not in activations:
        patches = (setting.config.vision_config.image_size // setting.config.vision_config.patch_size) ** 2
        activations[key] = costs.activation_bytes(
            setting.config,
            setting.recipe.trainable,
            setting.adapter,
            batch=args.per_device_train_batch_size,
            tokens=longest,
            image_tokens=min(longest, costs.tiles(setting.config) * patches),
            checkpointing=checkpointing,
            weights=precision.weights,
            trained=precision.trained(launch),
            autocast=precision.autocast,
            on_cpu=launch.on_cpu,
        )
    memory = costs.state_bytes(counts, precision, launch, setting.config.text_config.num_hidden_layers)
    memory["activations"] = activations[key]
    memory["CUDA context"] = 0 if launch.on_cpu else int(costs.CUDA_CONTEXT_GIB * costs.GIB)
    total_gib = sum(memory.values()) / costs.GIB
    time = _hours(options, setting, rows, launch, checkpointing)
    return {
        "launch": launch.name,
        "kind": f"zero{launch.stage}" if launch.kind == "zero" else launch.kind,
        "processes": launch.processes,
        "gradient_checkpointing": checkpointing,
        "memory_gib": {name: round(value / costs.GIB, 3) for name, value in memory.items()},
        "total_gib": round(total_gib, 2),
        "fits": total_gib <= USABLE_SHARE * (options.memory_gib or setting.gpu.memory_gib),
        "offloads": launch.offload_optimizer or launch.offload_parameters,
        "hours_compute": round(time.compute, 3),
        "hours_transfer": round(time.transfer, 3),
        "hours_low": round(time.low, 3),
        "hours_high": round(time.high, 3),
    }


def _hours(options, setting: Setting, rows: Rows, launch, checkpointing: bool):
    from recipes.planning import costs

    args, gpu = setting.args, setting.gpu
    batch, accumulation = args.per_device_train_batch_size, args.gradient_accumulation_steps
    by_length = args.train_sampling_strategy == "group_by_length"
    padded = costs.padded_lengths(rows.lengths, rows.n_rows, batch, launch.processes, by_length)
    once = costs.hours(
        setting.config,
        setting.counts,
        padded,
        batch=batch,
        accumulation=accumulation,
        checkpointing=checkpointing,
        tflops=options.tflops or ACHIEVED_SHARE * gpu.peak_tflops,
        transfers=costs.transfer_bytes(setting.counts, setting.precision, launch, checkpointing),
        link_gb_s=options.link_gb_s or gpu.link_gb_s,
    )
    passes = args.num_train_epochs
    if args.max_steps > 0:
        passes = args.max_steps * accumulation / len(padded)
    return costs.Hours(once.compute * passes, once.transfer * passes)


def recommend(plans: list[dict]) -> dict | None:
    """Of the plans that fit and are about as fast as the fastest, transfers not hidden, the one of the least memory.

    Offloading is the last resort. None when nothing fits.
    """
    fitting = [plan for plan in plans if plan["fits"]]
    fitting = [plan for plan in fitting if not plan["offloads"]] or fitting
    if not fitting:
        return None
    limit = ABOUT_AS_FAST * min(plan["hours_high"] for plan in fitting)
    return min((plan for plan in fitting if plan["hours_high"] <= limit), key=lambda plan: plan["total_gib"])


# --- result ----------------------------------------------------------------------------------------------------------


def summarise(options: Options, setting: Setting, rows: Rows, plans: list[dict]) -> dict:
    import numpy as np

    from recipes.planning import costs

    gpu, args, launch = setting.gpu, setting.args, setting.launch
    counts, edges = np.histogram(rows.lengths, bins=HISTOGRAM_BINS)
    percentiles = {str(q): int(np.percentile(rows.lengths, q, method="higher")) for q in (0, 50, 95, 100)}
    tflop = costs.tflop_per_row(setting.config, setting.counts, rows.lengths, args.gradient_checkpointing)
    return {
        "recipe": options.config,
        "overrides": options.overrides,
        "model": setting.model_args.model_name_or_path,
        "shape_from": setting.shape_of,
        "trainable": setting.recipe.trainable,
        "parameters": setting.counts,
        "gpu": {
            "name": "CPU" if launch.on_cpu else options.gpu,
            "source": gpu.source,
            "memory_gib": round(options.memory_gib or gpu.memory_gib, 1),
            "tflops": options.tflops or ACHIEVED_SHARE * gpu.peak_tflops,
            "link_gb_s": options.link_gb_s or gpu.link_gb_s,
        },
        "rows": rows.n_rows,
        "rows_scanned": rows.n_scanned,
        "dropped": rows.dropped,
        "tokens": percentiles,
        "histogram": [
            {"from": int(low), "to": int(high), "rows": int(count)}
            for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ],
        "tflop_per_row": round(float(tflop.mean()), 4),
        "global_batch": args.per_device_train_batch_size * args.gradient_accumulation_steps * launch.processes,
        "asked": plans[0],
        "plans": plans,
        "recommended": recommend(plans),
        "warnings": warnings_of(options, setting, rows),
    }


def warnings_of(options: Options, setting: Setting, rows: Rows) -> list[str]:
    import numpy as np

    out = []
    of = "" if rows.n_scanned is None else f" of {rows.n_scanned}"
    for reason, count in rows.dropped.items():
        out.append(f"{count}{of} rows are dropped: {reason}")
    middle, longest = float(np.median(rows.lengths)), int(rows.lengths.max())
    if longest > LONG_TAIL * middle and setting.args.train_sampling_strategy != "group_by_length":
        out.append(
            f"the longest row has {longest} tokens, the median {middle:.0f}: `train_sampling_strategy: "
            "group_by_length` pads less; a lower max_length lowers the peak"
        )
    if setting.launch.machines > 1 and options.link_gb_s is None:
        out.append("the network between the machines is taken to be as fast as the link between GPUs: give --link_gb_s")
    limit = setting.config.text_config.max_position_embeddings
    if longest > limit:
        out.append(f"rows of up to {longest} tokens, the language model was made for {limit}: set max_length")
    return out


def describe(result: dict) -> str:
    """The plan as the command prints it."""
    asked, gpu, parameters = result["asked"], result["gpu"], result["parameters"]
    trained = parameters["lora"] + parameters["projector_trained"]
    tokens = " / ".join(str(value) for value in result["tokens"].values())
    scanned = "given" if result["rows_scanned"] is None else f"{result['rows_scanned']} measured"
    lines = [
        f"plan: {result['recipe']}, {asked['launch']}, {asked['processes']} × {gpu['name']}",
        f"model       {sum(parameters.values()):,} parameters, {trained:,} trained ({result['trainable']}); "
        f"shape: {result['shape_from']}",
        f"rows        {result['rows']:,} ({scanned}); tokens min / median / 95 % / max: {tokens}",
        *_histogram_lines(result["histogram"], result["rows_scanned"]),
        f"arithmetic  {result['tflop_per_row']:.4g} TFLOP a row; {gpu['tflops']:.4g} TFLOP/s a GPU "
        f"({gpu['source']}); global batch {result['global_batch']}",
        "memory      of one GPU in GiB, longest batch: "
        + ", ".join(f"{name} {value:.2f}" for name, value in asked["memory_gib"].items()),
        "",
        *_table(result["plans"], gpu["memory_gib"]),
        "",
        _advice(result),
        *(f"warning: {line}" for line in result["warnings"]),
    ]
    if "check" in result:
        from recipes.planning.dry_run import describe_check

        lines += ["", *describe_check(result["check"])]
    return "\n".join(lines)


def _histogram_lines(histogram: list[dict], scanned: int | None) -> list[str]:
    if scanned is None:
        return []
    most = max(bin_["rows"] for bin_ in histogram)
    return [
        f"            {bin_['from']:>6}–{bin_['to']:<6} {'█' * round(24 * bin_['rows'] / most):<24} {bin_['rows']}"
        for bin_ in histogram
    ]


def _table(plans: list[dict], memory_gib: float) -> list[str]:
    lines = [f"{'launch config':<24} {'checkpointing':<13} {'GiB a GPU':>9}  {f'of {memory_gib:g}':<9} hours"]
    for plan in plans:
        hours = f"{plan['hours_low']:.2f}"
        if plan["hours_high"] > 1.05 * plan["hours_low"]:
            hours += f" to {plan['hours_high']:.2f}"
        lines.append(
            f"{plan['launch']:<24} {'yes' if plan['gradient_checkpointing'] else 'no':<13} {plan['total_gib']:>9.1f}  "
            f"{'fits' if plan['fits'] else 'too much':<9} {hours}{' + offload' if plan['offloads'] else ''}"
        )
    lines.append("hours: transfers between GPUs hidden behind arithmetic, to not hidden; loading data is not counted")
    return lines


def _advice(result: dict) -> str:
    best = result["recommended"]
    if best is None:
        return "nothing fits: lower per_device_train_batch_size or max_length, take more GPUs, offload or 4-bit weights"
    checkpointing = "true" if best["gradient_checkpointing"] else "false"
    same = best["launch"] == result["asked"]["launch"]
    same = same and best["gradient_checkpointing"] == result["asked"]["gradient_checkpointing"]
    return (
        f"recommended: {best['launch']} with gradient_checkpointing: {checkpointing}"
        + (" (as asked)" if same else "")
        + f", {best['total_gib']:.1f} GiB, {best['hours_high']:.2f} h"
    )
