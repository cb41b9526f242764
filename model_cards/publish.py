"""`ldrt publish RUN ORG/NAME`: checkpoint, model card and results of an evaluation run -> Hub.

    ldrt publish runs/tuned my-org/my-model --checkpoint checkpoints/tuned
    ldrt publish runs/tuned my-org/my-model --checkpoint checkpoints/merged --adapter checkpoints/phase2 --tag v1
    ldrt publish runs/tuned my-org/my-model --space my-org/ask-my-model

Sent are the checkpoint's weights (safetensors only), configuration, tokenizer and lineage, RUN/README.md as the card,
the run's results under `results/` (with every answer, judgement and measurement, from which `ldrt verify` makes the
card's numbers again) and its plots under `plots/`, where the card shows them; nothing else, and never a pickle or what
a link out of the folder leads to. The checkpoint must be the one that the run evaluated. Predictions of
rows whose licence the policy does not permit are sent without the question and the reference, which quote the article;
so are captions, and what judges replied.

`--space` also sends the page of `ldrt app` as a Space: the published model at its commit, beside it its base model, and
examples of the run's dataset, where these are on the Hub at a commit; the part of this project that the page needs, and
pinned requirements. No token, no path of this machine; a private model needs the Space's secret HF_TOKEN.

One atomic commit, then a tag. Remote files of these kinds that are no longer part of it are deleted, other files in the
repository stay. When nothing changed no commit is made.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from trust.licenses import Policy, refuse_unsaid

if TYPE_CHECKING:
    from model_cards.hub.repo import Repo
    from model_cards.staging.space import Shown


@dataclass
class Options:
    """Options of `ldrt publish`."""

    run: str = field(
        metadata={"help": "run folder with the card that `ldrt card` wrote", "positional": True, "path": "run folder"}
    )
    repo_id: str = field(
        metadata={"help": "ORG/NAME or USER/NAME on the Hub", "positional": True, "pattern": r"[\w.-]+/[\w.-]+"}
    )
    checkpoint: str | None = field(
        default=None,
        metadata={"help": "the checkpoint's folder; default: `model` in RUN/manifest.json", "path": "folder"},
    )
    adapter: str | None = field(
        default=None, metadata={"help": "folder of a LoRA adapter to publish under adapter/", "path": "folder"}
    )
    policy: Policy = field(
        default="commercial",
        metadata={"help": "predictions of rows whose licence it does not permit go without question and reference"},
    )
    private: bool = field(default=True, metadata={"help": "visibility of the repository"})
    i_may_publish_all: bool = field(
        default=False,
        metadata={"help": "with --policy all --private false: every row may be public, whatever its licence"},
    )
    space: str | None = field(
        default=None,
        metadata={"help": "ORG/NAME of a Space to send the page of `ldrt app` to; private as the model is"},
    )
    tag: str | None = field(
        default=None, metadata={"help": "name for the published state; default: the next of v1, v2"}
    )
    dry_run: bool = field(
        default=False, metadata={"help": "do everything but talk to the Hub; list what would be sent"}
    )
    limit_s: Annotated[float, Gt(0)] = field(default=6 * 3600.0, metadata={"help": "give up after this time, seconds"})


def run(options: Options) -> str:
    """Publish the run; returns what was sent and what was left out.

    Raises FileNotFoundError when the card or the checkpoint is absent, ValueError when the weights are broken or not
    the ones that were evaluated, RuntimeError when the Hub refuses.
    """
    # here, as the Hub's client takes a second and `ldrt publish --help` does not need it
    from model_cards.hub.commit import commit, tag
    from model_cards.hub.preflight import front_matter, preflight
    from model_cards.hub.repo import Repo
    from model_cards.hub.session import session
    from model_cards.staging.checkpoint import MANAGED, check_evaluated, find_checkpoint, left_out, model_files
    from model_cards.staging.hashes import NAME, write_hashes
    from model_cards.staging.results import read_run, result_files
    from model_cards.staging.space import shown_of

    refuse_unsaid(options.policy, options.private, options.i_may_publish_all)
    folder = Path(options.run)
    repo = Repo(options.repo_id, "model", options.private)
    space = Repo(options.space, "space", options.private) if options.space else None
    card, manifest = read_run(folder)
    checkpoint = find_checkpoint(options.checkpoint, options.run, manifest)
    adapter = Path(options.adapter) if options.adapter else None
    files = {"README.md": folder / "README.md"} | model_files(checkpoint, adapter)
    check_evaluated(manifest, checkpoint, adapter)
    with tempfile.TemporaryDirectory() as temporary:
        results, notes = result_files(folder, options.policy, Path(temporary))
        files |= results
        write_hashes(files, Path(temporary) / NAME)
        files[f"results/{NAME}"] = Path(temporary) / NAME
        notes += [f"left out: {name}" for name in left_out(checkpoint)]
        if "license" not in front_matter(card):
            notes.append("the card names no licence for the weights: `ldrt card RUN --license NAME` writes one")
        if options.dry_run:
            lines = [*notes, f"would send to {repo.url}:", *(f"  {path}" for path in sorted(files))]
            return "\n".join([*lines, *(_would_send(space, shown_of(manifest, repo.id)) if space else [])])
        if space:
            _prepare(space, shown_of(manifest, repo.id), options.limit_s)
        with session(repo, options.limit_s):
            preflight(repo, card)
            done = commit(repo, files, MANAGED, "Publish checkpoint, card and results", options.tag)
            name = tag(repo, done.sha, options.tag)
    lines = [*notes, f"{done.describe(repo)}, tag {name}"]
    if space:
        lines += _send(space, shown_of(manifest, repo.id, done.sha), options.limit_s)
    return "\n".join([*lines, f"next: ldrt verify {repo.id}"])


def _would_send(space: "Repo", shown: "Shown") -> list[str]:
    from model_cards.staging.space import space_files

    with tempfile.TemporaryDirectory() as temporary:
        files = space_files(shown, Path(temporary))
    return [*_notes(shown), f"would send to {space.url}:", *(f"  {path}" for path in sorted(files))]


def _prepare(space: "Repo", shown: "Shown", limit_s: float) -> None:
    """Make sure that the Space can be sent, before the model is."""
    from model_cards.hub.preflight import preflight
    from model_cards.hub.session import session
    from model_cards.staging.space import space_card

    with session(space, limit_s):
        preflight(space, space_card(shown))


def _send(space: "Repo", shown: "Shown", limit_s: float) -> list[str]:
    """Send the Space; returns what to say of it."""
    from model_cards.hub.commit import commit
    from model_cards.hub.session import session
    from model_cards.staging.space import MANAGED, space_files

    with tempfile.TemporaryDirectory() as temporary, session(space, limit_s):
        files = space_files(shown, Path(temporary))
        done = commit(space, files, MANAGED, f"The page of ldrt app for {shown.model}")
    return [*_notes(shown), done.describe(space)]


def _notes(shown: "Shown") -> list[str]:
    """What the page goes without."""
    notes = []
    if shown.base is None:
        notes.append("Space without the base model: the run does not name one on the Hub at a commit")
    if shown.dataset is None:
        notes.append("Space without examples: the run's dataset is not one on the Hub at a commit")
    return notes
