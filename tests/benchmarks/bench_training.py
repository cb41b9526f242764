"""What training costs beside the model, on one CPU core: a step over stock SFTTrainer's (goal: at most 5 % more), and
the collator's samples a second on decoded pictures of 336 x 336 pixels (goal: at least 400).

In CPU seconds of this process, so that other work on the machine does not count.
"""

import time

import torch
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

from recipes.families.llava import LLAVA
from recipes.training.examples import ExampleCollator
from tests.benchmarks.training_cases import SIZES, Case, decoded, make_processor, make_rows, measure

BATCH = 8
STEPS = 20  # of each of ROUNDS trainings
ROUNDS = 3  # ours and stock in turn
SECONDS = 5.0  # of collating


def main() -> dict[str, float]:
    """Overhead of both phases in percent, and collator rates."""
    torch.set_num_threads(1)
    rows = {}
    for phase in (1, 2):
        ours, stock = _steps(phase)
        rows |= {
            f"training, phase {phase}, tiny model, our step, CPU ms": ours * 1e3,
            f"training, phase {phase}, tiny model, stock SFTTrainer's step, CPU ms": stock * 1e3,
            f"training, phase {phase}, our step over stock SFTTrainer's, %": (ours / stock - 1) * 100,
        }
    processor = make_processor(SIZES["13b"])
    dataset = make_rows(SIZES["13b"], processor)
    stock = DataCollatorForVisionLanguageModeling(processor, completion_only_loss=True)
    return rows | {
        "collator, ours, 336 x 336 pixels and 300 text tokens, samples/s/core": _rate(
            ExampleCollator(processor, LLAVA), dataset
        ),
        "collator, stock TRL, the same, samples/s/core": _rate(stock, decoded(dataset)),
    }


def _steps(phase: int) -> tuple[float, float]:
    """CPU seconds of our step and of stock TRL's, by turns on the same rows with the same settings.

    Each training gives its median step; the least of them is taken, since a busy machine only ever adds.
    """
    common = {"shape": "tiny", "batch": BATCH, "steps": STEPS, "checkpointing": False, "device": "cpu", "workers": 0}
    taken = {"ours": [], "stock": []}
    for _ in range(ROUNDS):
        for trainer, seconds in taken.items():
            row = measure(Case(trainer, phase, **common, dtype="float32", bf16=False))
            seconds.append(row["cpu_s_per_step"])
    return min(taken["ours"]), min(taken["stock"])


def _rate(collator, dataset) -> float:
    """Samples a CPU second, in batches of BATCH, the pictures read and decoded with each."""
    done, start = 0, None
    while start is None or time.process_time() - start < SECONDS:
        collator([dataset[index] for index in range(BATCH)])
        done += BATCH if start is not None else 0
        start = start or time.process_time()  # the first batch is the warm-up
    return done / (time.process_time() - start)
