"""`ldrt push DATASET ORG/NAME --policy commercial|noncommercial|all`: dataset repo folder -> Hub.

    ldrt push dataset my-org/my-dataset                        # private, rows that permit commercial use
    ldrt push dataset my-org/my-dataset --withheld        # and ids of the figures that are left out
    ldrt push dataset my-org/my-dataset --policy all --dry_run

The policy decides row by row, by the columns `license`, `licenses` and `rights` (trust/licenses.py): of the licences
of all that a row is made of, the strictest counts, and two that cannot be joined leave none. What it does not permit is
left out of every config, with its picture, and so are its caption, context and article text under `provenance/`. What
is published gets a card and pages of its own, made from what is left. Sent are README.md, preview.html, examples.html,
the configs' Parquet files, eval.yaml, and of `provenance/` manifest.json, splits.json, audit.json, the JSONL files, the
articles' Markdown (as one file, `provenance/markdown.parquet`) and hashes of all that, for `ldrt verify`; nothing else,
and nothing that a link out of the dataset's folder leads to. Remote files of these names that are no longer part of it
are deleted, other files in the repository stay.

With `--withheld` the config `withheld` lists the figures that are left out: article, file, page and box, hashes,
and no word or pixel of them. Who has the articles makes the rows again with `ldrt rehydrate`. It is not the default, as
names of files are among that.

Figures in whose pictures `ldrt screen` found what looks like personal data are held back until somebody has decided on
it in review.html; what was decided (keep, blur, drop) is done in every config. What was found is never sent.

Rows that an earlier push under a wider policy made readable, or that `ldrt retract` has taken down since, stay so under
older commits and tags: the command lists these, and which models on the Hub were trained on what was taken down;
`--squash` removes them.

One atomic commit; run it again after an interruption, and only what is missing is sent. When nothing changed no commit
is made.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from trust.errors import UsageError
from trust.licenses import Policy, refuse_unsaid

if TYPE_CHECKING:
    from model_cards.hub.repo import Repo


@dataclass
class Options:
    """Options of `ldrt push`."""

    dataset: str = field(
        metadata={"help": "dataset repo folder made by `ldrt build`", "positional": True, "path": "dataset folder"}
    )
    repo_id: str = field(
        metadata={"help": "ORG/NAME or USER/NAME on the Hub", "positional": True, "pattern": r"[\w.-]+/[\w.-]+"}
    )
    policy: Policy = field(
        default="commercial",
        metadata={
            "help": "rows to publish: `commercial` (CC-BY, CC-BY-SA, public domain), `noncommercial` (and CC-BY-NC, "
            "CC-BY-NC-SA), `all` (whatever the licence: only when you may), which leaves out reprinted figures, too"
        },
    )
    withheld: bool = field(
        default=False,
        metadata={
            "help": "list the figures that are left out, as ids, file names and hashes (config `withheld`), so that "
            "who has the articles can make them again: `ldrt rehydrate`"
        },
    )
    private: bool = field(default=True, metadata={"help": "visibility of the repository"})
    i_may_publish_all: bool = field(
        default=False,
        metadata={"help": "with --policy all --private false: every row may be public, whatever its licence"},
    )
    tag: str | None = field(
        default=None,
        metadata={
            "help": "name for the published state, such as v1",
            "pattern": r"\w[\w./-]*",
            "group": "states of the repository",
        },
    )
    squash: bool = field(
        default=False,
        metadata={
            "help": "make the published state the only commit of `main`: older ones are gone for good",
            "group": "states of the repository",
        },
    )
    delete_tags: list[str] = field(
        default_factory=list,
        metadata={
            "help": "with --squash: tags to delete, such as v1 v2; each that holds rows now left out",
            "group": "states of the repository",
        },
    )
    dry_run: bool = field(
        default=False, metadata={"help": "do everything but talk to the Hub; list what would be sent"}
    )
    limit_s: Annotated[float, Gt(0)] = field(
        default=6 * 3600.0, metadata={"help": "give up after this time, seconds", "group": "states of the repository"}
    )


def run(options: Options) -> str:
    """Publish the dataset; returns what was sent and what was left out.

    Raises FileNotFoundError for a folder that is no dataset, ValueError for a leaking split, a wrong repository id or a
    bad card, RuntimeError when no row may be published or the Hub refuses.
    """
    # here, as the Hub's client and pyarrow take a second and `ldrt push --help` needs neither
    from model_cards.cards.dataset_card import render_dataset_card
    from model_cards.hub.commit import commit
    from model_cards.hub.history import title
    from model_cards.hub.older_states import refuse_tags
    from model_cards.hub.preflight import preflight
    from model_cards.hub.repo import Repo
    from model_cards.hub.session import session
    from model_cards.staging.dataset import MANAGED, refuse_collisions, refuse_links, refuse_nothing, stage_dataset
    from model_cards.staging.own_folder import own_folder

    dataset, policy = Path(options.dataset), options.policy
    _check(options)
    repo = Repo(options.repo_id, "dataset", options.private)
    refuse_links(dataset)
    card = render_dataset_card(dataset, repo.id)
    refuse_collisions(dataset)
    refuse_nothing(dataset, policy)
    with own_folder(dataset / ".work", "push") as folder:
        if options.dry_run:
            staged = stage_dataset(dataset, folder, policy, repo.id, options.withheld)
            return "\n".join([staged.describe(), f"would send to {repo.url}:", *(f"  {path}" for path in staged.files)])
        with session(repo, options.limit_s):
            preflight(repo, card)
            if options.squash:
                refuse_tags(repo, dataset, policy, options.delete_tags)
            staged = stage_dataset(dataset, folder, policy, repo.id, options.withheld)
            new_tag = None if options.tag in options.delete_tags else options.tag
            done = commit(repo, staged.files, MANAGED, title(policy), new_tag)
            lines = [staged.describe(), done.describe(repo), *_after(repo, done.sha, options)]
            lines.append(f"next: ldrt verify datasets/{repo.id}")
    return "\n".join(lines)


def _after(repo: "Repo", sha: str, options: Options) -> list[str]:
    """Squash and tag as asked, and look for what older states hold; returns what to say of it."""
    from model_cards.hub.commit import tag
    from model_cards.hub.history import squash, title
    from model_cards.hub.older_states import older_states
    from model_cards.hub.session import after_commit

    lines = []
    if options.squash:
        with after_commit(repo, sha, "older states are still there: run this again"):
            sha = squash(repo, sha, title(options.policy), options.delete_tags)
        lines.append(f"squashed: commit {sha} is the only one of main")
    if options.tag:
        lines.append(f"tag {tag(repo, sha, options.tag)}")
    with after_commit(repo, sha, "what older states hold is not known: run this again"):
        return [*lines, *older_states(repo, Path(options.dataset), options.policy)]


def _check(options: Options) -> None:
    refuse_unsaid(options.policy, options.private, options.i_may_publish_all)
    if options.delete_tags and not options.squash:
        raise UsageError("--delete_tags goes with --squash: without it older commits keep what the tags held")
