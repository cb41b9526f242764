"""LLaVA-1.5-13B at its true dimensions with random weights, bf16, on one CUDA device: ours against stock TRL.

    python -m tests.benchmarks.bench_training_gpu                                  # about ten minutes on an H200
    python -m tests.benchmarks.bench_training_gpu --phases 2 --trainers ours
    python -m tests.benchmarks.bench_training_gpu --shape tiny --device cpu --steps 2 --batch 2    # tries the script

Stock TRL is SFTTrainer with SFTConfig's and ModelConfig's defaults (weights in fp32 under bf16 autocast, gradient
checkpointing, its own collator, the tower in autograd), and again with bf16 weights. Every case runs in a process of
its own; one that does not fit is tried again with half the batch. Goals: phase 2 6.6 samples/s with checkpointing and
9.7 without (60 % of 790 TFLOP/s), and 1.3 times stock TRL at equal batch.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import torch
from transformers.utils import is_flash_attn_2_available

from tests.benchmarks.training_cases import SIZES, Case, measure


def main() -> dict[str, float]:
    """Every case on the CUDA device; nothing without one."""
    if not torch.cuda.is_available():
        print("training_gpu: no CUDA device here, skipped", file=sys.stderr)
        return {}
    return dict(line for row in measure_all(cases(Case("ours", 1), [1, 2], ["ours", "stock"])) for line in report(row))


def cases(first: Case, phases: list[int], trainers: list[str]) -> list[Case]:
    """Ours with and without checkpointing, by attention; stock TRL at its defaults, and with bf16 weights."""
    attentions = ["sdpa", "flash_attention_2"] if first.device == "cuda" and is_flash_attn_2_available() else ["sdpa"]
    found = []
    for phase in phases:
        of_phase = replace(first, phase=phase)
        if "ours" in trainers:
            found += [
                replace(of_phase, trainer="ours", checkpointing=checkpointing, attention=attention)
                for checkpointing in (True, False)
                for attention in attentions
            ]
        if "stock" in trainers:
            found += [replace(of_phase, trainer="stock", dtype=dtype) for dtype in ("float32", "bfloat16")]
    return found


def measure_all(chosen: list[Case]) -> Iterator[dict]:
    """One row a case, each in a fresh process; the batch is halved until it fits."""
    for case in chosen:
        while True:
            try:
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                    yield process.submit(measure, case).result()
                break
            except torch.OutOfMemoryError:
                if case.batch == 1:
                    print(f"does not fit: {case}", file=sys.stderr)
                    break
                case = replace(case, batch=case.batch // 2)


def report(row: dict) -> list[tuple[str, float]]:
    """The row as lines of the benchmarks' table."""
    name = f"{row['shape']}, phase {row['phase']}, {row['trainer']}"
    name += f", {'' if row['checkpointing'] else 'no '}checkpointing, {row['attention']}, {row['dtype']}"
    name += f", batch {row['batch']}"
    lines = [(f"{name}, samples/s", row["samples_per_s"]), (f"{name}, TFLOP/s", row["tflop_per_s"])]
    return lines + ([(f"{name}, peak GiB", row["peak_gib"])] if row["peak_gib"] is not None else [])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", choices=list(SIZES), default="13b")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--phases", type=int, nargs="+", choices=[1, 2], default=[1, 2])
    parser.add_argument("--trainers", nargs="+", choices=["ours", "stock"], default=["ours", "stock"])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--workers", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    options = _options()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("no CUDA device here; --shape tiny --device cpu tries the script")
    print(torch.cuda.get_device_name() if options.device == "cuda" else "CPU", f"torch {torch.__version__}")
    sizes = {"shape": options.shape, "device": options.device, "batch": options.batch, "steps": options.steps}
    first = Case("ours", 1, **sizes, workers=options.workers)
    for row in measure_all(cases(first, options.phases, options.trainers)):
        print(json.dumps(row), flush=True)
        for what, value in report(row):
            print(f"| {what:<90} | {value:>8.4g} |", flush=True)
