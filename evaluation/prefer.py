"""Two runs of answers to training questions, judged against each other -> config `preference` of the dataset, for DPO.

    ldrt generate --model M --dataset dataset --split train --temperature 1 --seed 1 --output runs/first
    ldrt generate --model M --dataset dataset --split train --temperature 1 --seed 2 --output runs/second
    ldrt judge runs/first --against runs/second --judge Qwen/Qwen2-72B-Instruct --base_url http://localhost:8000/v1
    ldrt prefer runs/first runs/second dataset

A pair becomes a row where every judge that was asked prefers the same answer in both orders. Ties, disagreements, and
pairs of which an answer is cut at the token limit or empty are counted and left out. Questions of `validation` and
`test` are refused. Run again after more has been judged: the config is written anew.
"""

from dataclasses import dataclass, field
from pathlib import Path

_PACKAGES = ("ldrt-vlm", "datasets")


@dataclass
class Options:
    run: str = field(
        metadata={
            "help": "run folder of `ldrt generate`, judged `--against` the other",
            "positional": True,
            "path": "run folder",
        }
    )
    other: str = field(metadata={"help": "the other run folder", "positional": True, "path": "run folder"})
    dataset: str = field(
        metadata={
            "help": "dataset repo folder whose training questions both have answered",
            "positional": True,
            "path": "dataset folder",
        }
    )


def run(options: Options) -> str:
    """Write DATASET/preference; returns how many pairs it has, and what has become of the others.

    Raises FileNotFoundError without a run or a dataset, ValueError for runs of another split or other questions and for
    a dataset without `pairs`, RuntimeError where no pair is left: then the config is as it was.
    """
    from dataset_builder.files.jsonfiles import write_jsonl
    from dataset_builder.ldrt import write_config
    from dataset_builder.manifest import write_stage
    from evaluation.preferring.outcomes import CHOSEN, describe, sort_out
    from evaluation.preferring.rows import preference_rows, read_figures, read_questions, told_of
    from evaluation.preferring.runs import judged_pairs

    run, other, dataset = Path(options.run), Path(options.other), Path(options.dataset)
    pairs, verdicts, manifests = judged_pairs(run, other)
    questions = read_questions(dataset, manifests)
    figures = read_figures(dataset)
    sorted_out = sort_out(pairs, verdicts)
    if not sorted_out.preferences:
        raise RuntimeError(f"no pair has a preferred answer: {describe(sorted_out.counts)}")
    made = dataset / ".work" / "preference.jsonl"
    made.parent.mkdir(exist_ok=True)  # a dataset from the Hub has none
    write_jsonl(made, preference_rows(sorted_out.preferences, questions, figures))
    write_config(dataset, "preference", made)
    answered_by = [told_of(manifest) for manifest in manifests]
    judges = sorted({judge for preference in sorted_out.preferences for judge in preference.judges})
    told = [dict(zip(("judge", "revision", "prompt_sha256"), judge, strict=True)) for judge in judges]
    write_stage(dataset, "prefer", _PACKAGES, counts=sorted_out.counts, runs=answered_by, judges=told)
    return f"preference {sorted_out.counts[CHOSEN]:>7} pairs; {describe(sorted_out.counts)}"
