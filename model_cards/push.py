"""`ldrt push DATASET ORG/NAME --policy commercial|noncommercial|all`: dataset repo folder -> Hub.

    ldrt push dataset my-org/my-dataset                        # private, rows that permit commercial use
    ldrt push dataset my-org/my-dataset --policy all --dry_run true

The policy decides row by row, by the columns `license` and `rights` (see model_cards/licenses.py): what it does not
permit is left out of every config, with its picture, and so are its caption, context and article text under
`provenance/`. What is published gets a card and a preview of its own, made from what is left. Sent are README.md,
preview.html, the configs' Parquet files, eval.yaml, and of `provenance/` manifest.json, splits.json, audit.json, the
JSONL files and the articles' Markdown (as one file, `provenance/markdown.parquet`); nothing else. Remote files of these
names that are no longer part of it are deleted, other files in the repository stay.

One atomic commit; run it again after an interruption, and only what is missing is sent. When nothing changed no commit
is made.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from model_cards.licenses import Policy


@dataclass
class Options:
    """Options of `ldrt push`."""

    dataset: str = field(metadata={"help": "dataset repo folder made by `ldrt build`", "positional": True})
    repo_id: str = field(metadata={"help": "ORG/NAME or USER/NAME on the Hub", "positional": True})
    policy: Policy = field(
        default="commercial",
        metadata={
            "help": "rows to publish: `commercial` (CC-BY, CC-BY-SA, public domain), `noncommercial` (and CC-BY-NC, "
            "CC-BY-NC-SA), `all` (whatever the licence: only when you may), which leaves out reprinted figures, too"
        },
    )
    private: bool = field(default=True, metadata={"help": "visibility of the repository"})
    tag: str | None = field(default=None, metadata={"help": "name for the published state, such as v1"})
    dry_run: bool = field(
        default=False, metadata={"help": "do everything but talk to the Hub; list what would be sent"}
    )
    limit_s: float = field(default=6 * 3600.0, metadata={"help": "give up after this time, seconds"})


def run(options: Options) -> str:
    """Publish the dataset; returns what was sent and what was left out.

    Raises FileNotFoundError for a folder that is no dataset, ValueError for a leaking split, a wrong repository id or a
    bad card, RuntimeError when no row may be published or the Hub refuses.
    """
    # here, as the Hub's client and pyarrow take a second and `ldrt push --help` needs neither
    from model_cards.cards.dataset_card import render_dataset_card
    from model_cards.hub.commit import commit, tag
    from model_cards.hub.preflight import preflight
    from model_cards.hub.repo import Repo
    from model_cards.hub.session import session
    from model_cards.staging.dataset import MANAGED, refuse_collisions, refuse_nothing, stage_dataset

    dataset, policy = Path(options.dataset), options.policy
    repo = Repo(options.repo_id, "dataset", options.private)
    card = render_dataset_card(dataset, repo.id)
    refuse_collisions(dataset)
    refuse_nothing(dataset, policy)
    folder = dataset / ".work" / f"push-{policy}"
    try:
        if options.dry_run:
            staged = stage_dataset(dataset, folder, policy, repo.id)
            return "\n".join([staged.describe(), f"would send to {repo.url}:", *(f"  {path}" for path in staged.files)])
        with session(repo, options.limit_s):
            preflight(repo, card)
            staged = stage_dataset(dataset, folder, policy, repo.id)
            done = commit(repo, staged.files, MANAGED, f"Push rows under policy {policy}", options.tag)
            tagged = f", tag {tag(repo, done.sha, options.tag)}" if options.tag else ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return f"{staged.describe()}\n{done.describe(repo)}{tagged}"
