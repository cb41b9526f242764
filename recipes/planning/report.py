"""The plan as JSON and as the command prints it."""

from dataclasses import asdict
from typing import Any

import numpy as np

from recipes.planning.arithmetic import Parameters, tflop_per_row
from recipes.planning.compare import Plan, recommend
from recipes.planning.rows import Rows
from recipes.planning.setting import Setting

LONG_TAIL = 1.5  # longest row over the median from which grouping by length is advised
HISTOGRAM_BINS = 8
BAR_CHARACTERS = 24  # of the histogram's longest bar
HIDDEN_SHARE = 1.05  # hours with transfers over hours without from which both are shown


def summarise(setting: Setting, rows: Rows, plans: list[Plan], price_per_gpu_hour: float | None) -> dict[str, Any]:
    """The whole plan, for JSON; `plans[0]` is the one asked for."""
    args, device = setting.args, setting.device
    tflop = tflop_per_row(setting.shape, setting.parameters, rows.lengths, args.gradient_checkpointing)
    return {
        "recipe": setting.recipe_path,
        "overrides": setting.overrides,
        "model": setting.start.model,
        "shape_from": setting.start.origin,
        "trainable": setting.recipe.trainable,
        "parameters": asdict(setting.parameters),
        "gpu": {
            "name": device.name,
            "source": device.source,
            "memory_gib": round(device.memory_gib, 1),
            "tflops": device.tflops,
            "link_gb_s": device.link_gb_s,
        },
        "price_per_gpu_hour": price_per_gpu_hour,
        "rows": rows.n_rows,
        "rows_scanned": rows.n_scanned,
        "dropped": rows.dropped,
        "tokens": {str(q): int(np.percentile(rows.lengths, q, method="higher")) for q in (0, 50, 95, 100)},
        "histogram": histogram(rows.lengths),
        "tflop_per_row": round(float(tflop.mean()), 4),
        "global_batch": args.per_device_train_batch_size * args.gradient_accumulation_steps * setting.launch.processes,
        "asked": plans[0],
        "plans": plans,
        "recommended": recommend(plans),
        "warnings": warnings_of(setting, rows),
    }


def histogram(lengths: np.ndarray) -> list[dict[str, int]]:
    """[{"from", "to": tokens, "rows"}], bins of equal width."""
    counts, edges = np.histogram(lengths, bins=HISTOGRAM_BINS)
    return [
        {"from": int(low), "to": int(high), "rows": int(count)}
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def warnings_of(setting: Setting, rows: Rows) -> list[str]:
    """What of the rows and the network would surprise."""
    found = []
    of = "" if rows.n_scanned is None else f" of {rows.n_scanned}"
    for reason, count in rows.dropped.items():
        found.append(f"{count}{of} rows are dropped: {reason}")
    middle, longest = float(np.median(rows.lengths)), rows.longest
    if longest > LONG_TAIL * middle and setting.args.train_sampling_strategy != "group_by_length":
        found.append(
            f"the longest row has {longest} tokens, the median {middle:.0f}: `train_sampling_strategy: "
            "group_by_length` pads less; a lower max_length lowers the peak"
        )
    if setting.launch.machines > 1 and not setting.device.link_is_given:
        found.append(
            "the network between the machines is taken to be as fast as the link between GPUs: give --link_gb_s"
        )
    device = setting.device
    if device.taken_for is not None:
        found.append(f"{device.taken_for} is taken as {device.name}: name another of its kind, or give --gpu_memory")
    if not device.has_bf16 and setting.args.bf16:
        found.append(f"{device.name} does not compute in bf16, which this recipe asks for: it will not start there")
    limit = setting.shape.config.text_config.max_position_embeddings
    if longest > limit:
        found.append(f"rows of up to {longest} tokens, the language model was made for {limit}: set max_length")
    return found


def describe(result: dict[str, Any]) -> str:
    """The plan as the command prints it."""
    asked, gpu, parameters = result["asked"], result["gpu"], Parameters(**result["parameters"])
    tokens = " / ".join(str(value) for value in result["tokens"].values())
    scanned = "given" if result["rows_scanned"] is None else f"{result['rows_scanned']} measured"
    memory = ", ".join(f"{name} {value:.2f}" for name, value in asked["memory_gib"].items())
    lines = [
        f"plan: {result['recipe']}, {asked['launch']}, {asked['processes']} × {gpu['name']}",
        f"model       {parameters.total:,} parameters, {parameters.trained:,} trained ({result['trainable']}); "
        f"shape: {result['shape_from']}",
        f"rows        {result['rows']:,} ({scanned}); tokens min / median / 95 % / max: {tokens}",
        *_histogram_lines(result["histogram"], result["rows_scanned"]),
        f"arithmetic  {result['tflop_per_row']:.4g} TFLOP a row; {gpu['tflops']:.4g} TFLOP/s a GPU "
        f"({gpu['source']}); global batch {result['global_batch']}",
        f"memory      of one GPU in GiB, longest batch: {memory}",
        "",
        *_table(result["plans"], gpu["memory_gib"], result["price_per_gpu_hour"]),
        "",
        _advice(result["asked"], result["recommended"]),
    ]
    lines += [f"warning: {line}" for line in result["warnings"]]
    return "\n".join(lines)


def _histogram_lines(bins: list[dict[str, int]], scanned: int | None) -> list[str]:
    if scanned is None:
        return []
    most = max(bin_["rows"] for bin_ in bins)
    lines = []
    for bin_ in bins:
        bar = "█" * round(BAR_CHARACTERS * bin_["rows"] / most)
        lines.append(f"{'':<11} {bin_['from']:>6}–{bin_['to']:<6} {bar:<{BAR_CHARACTERS}} {bin_['rows']}")
    return lines


def _table(plans: list[Plan], memory_gib: float, price_per_gpu_hour: float | None) -> list[str]:
    """One line a plan; with a price, what it costs stands behind the hours."""
    names = f"{'launch config':<24} {'checkpointing':<13} {'GiB a GPU':>9}  {f'of {memory_gib:g}':<9} {'GiB host':>8}  "
    lines = [names + ("hours" if price_per_gpu_hour is None else "hours; price")]
    for plan in plans:
        checkpointing = "yes" if plan["gradient_checkpointing"] else "no"
        fits = "fits" if plan["fits"] else "too much"
        hours = _from_to(plan["hours_low"], plan["hours_high"])
        if plan["offloads"]:
            hours += " + offload"
        if price_per_gpu_hour is not None:
            price = plan["processes"] * price_per_gpu_hour
            hours += f"; {_from_to(price * plan['hours_low'], price * plan['hours_high'])}"
        lines.append(
            f"{plan['launch']:<24} {checkpointing:<13} {plan['total_gib']:>9.1f}  {fits:<9} {plan['host_gib']:>8.0f}  "
            f"{hours}"
        )
    lines.append("hours: transfers between GPUs hidden behind arithmetic, to not hidden; loading data is not counted")
    return lines


def _from_to(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}" if high > HIDDEN_SHARE * low else f"{low:.2f}"


def _advice(asked: Plan, best: Plan | None) -> str:
    if best is None:
        return "nothing fits: lower per_device_train_batch_size or max_length, take more GPUs, offload or 4-bit weights"
    same_launch = best["launch"] == asked["launch"]
    as_asked = same_launch and best["gradient_checkpointing"] == asked["gradient_checkpointing"]
    checkpointing = "true" if best["gradient_checkpointing"] else "false"
    return (
        f"recommended: {best['launch']} with activation_checkpointing: {checkpointing}"
        + (" (as asked)" if as_asked else "")
        + f", {best['total_gib']:.1f} GiB, {_from_to(best['hours_low'], best['hours_high'])} h"
    )
