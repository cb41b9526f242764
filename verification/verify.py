"""`ldrt verify ORG/NAME`: whether what was published holds, every number on its card made again.

    ldrt verify my-org/my-model                                        # at its newest commit
    ldrt verify my-org/my-model --revision v1 --regenerate 20          # its checkpoint answers 20 questions again
    ldrt verify my-org/my-model --dataset dataset                      # the dataset is a folder here
    ldrt verify datasets/my-org/my-dataset --output report.json

Downloads a repository that `ldrt publish` or `ldrt push` made, anybody's, or reads a folder of the same layout. Nothing
of it is run. Of a model every measurement, score, interval and difference is made again from the published answers and
judgements, the card is written again and compared, checkpoint, lineage and files are held against their hashes, and the
training rows against the test questions; of a dataset card, pictures, splits and counts against its rows.

What cannot be checked is said, with the reason, and never counted as holding. Exit status: 0 where all that was checked
holds, 1 where something does not.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from evaluation.answering.options import DEVICE
from trust.errors import UsageError
from trust.places import is_folder


@dataclass
class Options:
    """Options of `ldrt verify`."""

    repo: str = field(
        metadata={"help": "ORG/NAME of a model, datasets/ORG/NAME, or a folder of either", "positional": True}
    )
    revision: str | None = field(default=None, metadata={"help": "Hub commit, tag or branch (default: the newest)"})
    dataset: str | None = field(
        default=None,
        metadata={
            "help": "of a model: ORG/NAME or folder of the dataset (default: as the card, the results name it)",
            "path": "dataset or Hub id",
        },
    )
    regenerate: Annotated[int, Ge(0)] = field(
        default=0, metadata={"help": "have the checkpoint answer the first so many questions again"}
    )
    device: str = field(
        default="auto",
        metadata={
            "help": "with --regenerate: auto, cpu, cuda, cuda:1, mps",
            "pattern": DEVICE,
        },
    )
    output: str | None = field(default=None, metadata={"help": "JSON file for the report", "path": "new file"})


def run(options: Options) -> str:
    """Verify; returns the report.

    Raises FileNotFoundError where there is no such repository, RefusedError for one that is not to be trusted,
    ValueError for files that are not those of this project, RuntimeError, after printing the report, where something
    does not hold.
    """
    _check(options)
    # here, as the Hub's client and pyarrow take a second and `ldrt verify --help` needs neither
    from verification.dataset import check_dataset_folder
    from verification.hashes import check_hashes
    from verification.json_files import check_json
    from verification.models.checks import check_model
    from verification.report import as_json, as_text, failures
    from verification.repository import open_repository

    repository = open_repository(options.repo, options.revision)
    if repository.type == "model":
        checks = [check_json(repository), *check_model(repository, options.dataset, options.regenerate, options.device)]
    else:
        checks = [check_json(repository), check_hashes(repository), *check_dataset_folder(repository)]
    if options.output:
        content = json.dumps(as_json(options.repo, repository.commit, checks), indent=1, ensure_ascii=False)
        Path(options.output).write_text(content + "\n", encoding="utf-8")
    name = options.repo if repository.commit is None else f"{options.repo} at {repository.commit}"
    report = as_text(name, checks)
    if wrong := failures(checks):
        print(report)
        named = dict.fromkeys(check.what.partition(":")[0] for check in wrong)
        raise RuntimeError(f"{options.repo} does not hold: {', '.join(named)}")
    return report


def _check(options: Options) -> None:
    """Raises UsageError for a name that is neither a folder here nor one of the Hub."""
    try:
        if not options.repo.startswith("datasets/"):
            is_folder(options.repo, "repository")
    except FileNotFoundError as error:
        raise UsageError(f"{error}; a dataset is named datasets/ORG/NAME") from error
