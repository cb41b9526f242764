"""Scored run folders -> comparison.json: base against tuned, paired by example, clustered by article.

    ldrt compare runs/base runs/tuned
    ldrt compare runs/base runs/r32 runs/r64                 # each against the base, and all side by side
    ldrt compare runs/base runs/tuned --general runs/base-general runs/tuned-general         # what tuning cost
    ldrt compare runs/base runs/tuned --train_dataset dataset                # by how often terms were seen in training

`ldrt card runs/tuned` then shows both answers to every question side by side, on a page (answers.html).

All must hold the same examples, references and dataset revision. `paired_items.jsonl` keeps both measurements of every
example, which the plots and any later question need.
"""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json, write_jsonl, write_lines
from evaluation import run_folder
from trust.errors import UsageError
from trust.handovers import stamped


@dataclass
class Options:
    runs: list[str] = field(
        metadata={
            "help": "scored run folders: the base model's, then those of tuned models",
            "positional": True,
            "path": "scored run folder",
        }
    )
    output: str | None = field(
        default=None,
        metadata={
            "help": "folder for comparison.json, of two runs only (default: each tuned run)",
            "path": "new folder",
        },
    )
    general: list[str] = field(
        default_factory=list,
        metadata={
            "help": "scored runs of the same models on a general-domain dataset: what tuning made them forget",
            "path": "scored run folder",
        },
    )
    transfer: list[str] = field(
        default_factory=list,
        metadata={
            "help": "scored runs of the same models on other domains: what carries over",
            "path": "scored run folder",
        },
    )
    train_dataset: str | None = field(
        default=None,
        metadata={
            "help": "Hub id or folder: scores by how often its training split has the terms asked about",
            "path": "dataset or Hub id",
        },
    )


def run(options: Options) -> str:
    """Compare; returns the tables and one sentence for each tuned run.

    Raises FileNotFoundError for a run that is not scored, ValueError for runs that cannot be compared.
    """
    from evaluation.comparing.comparison import Others, breakdowns, compare_two, overview_rows
    from evaluation.comparing.comparison_text import overview_text, sentences, table_text
    from evaluation.comparing.other_domains import check_domains
    from evaluation.comparing.scored_runs import check_comparable, pair, read_run, row_of_pair
    from evaluation.judgements import read_verdicts

    if len(options.runs) < 2 or (options.output and len(options.runs) > 2):
        raise UsageError("compare needs two run folders or more, the base model's first; --output is for two")
    base, *tuned_runs = [read_run(Path(folder)) for folder in options.runs]
    for tuned in tuned_runs:
        check_comparable(base, tuned)
    general = [read_run(Path(folder)) for folder in options.general]
    transfer = [read_run(Path(folder)) for folder in options.transfer]
    check_domains(general + transfer, base, tuned_runs)
    answers = _training_answers(options.train_dataset, base.manifest["tasks"])
    others: Others = {"general": general, "transfer": transfer, "answers": answers}
    overview, texts = overview_rows([base, *tuned_runs]), []
    for tuned in tuned_runs:
        paired = pair(base, tuned)
        comparison = compare_two(base, tuned, paired) | {"overview": overview, "options": _given(options)}
        verdicts = read_verdicts(tuned.folder)
        comparison |= breakdowns(base, tuned, paired, verdicts, others)
        output = Path(options.output) if options.output else tuned.folder
        output.mkdir(parents=True, exist_ok=True)
        write_jsonl(output / run_folder.PAIRED, map(stamped, map(row_of_pair, paired)))
        write_json(output / run_folder.COMPARISON, stamped(comparison))
        full = output / run_folder.COMPARISON_TEXT
        write_lines(full, [table_text(comparison), *sentences(comparison)])
        tables = [table_text(comparison, in_short=True)] if len(tuned_runs) == 1 else []
        opened = f"open: {full} (each task and metric); {output / run_folder.COMPARISON} for programs"
        texts.append(
            "\n".join([*tables, *sentences(comparison), opened, f"next: ldrt card {shlex.quote(str(tuned.folder))}"])
        )
    return "\n\n".join([overview_text(overview), *texts] if len(tuned_runs) > 1 else texts)


def _given(options: Options) -> dict:
    """What was compared besides the runs, so that the command can be typed again; folders by their name alone."""
    from evaluation.answering.questions import public_name

    return {"train_dataset": public_name(options.train_dataset)} if options.train_dataset else {}


def _training_answers(dataset: str | None, tasks: list[str]) -> list[str] | None:
    """The training split's answers; None where not asked for."""
    if dataset is None:
        return None
    from evaluation.answering.questions import load_answers

    return load_answers(dataset, "train", tasks)
