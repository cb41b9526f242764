"""`ldrt publish RUN ORG/NAME`: checkpoint, model card and results of an evaluation run -> Hub.

    ldrt publish runs/tuned my-org/my-model --checkpoint checkpoints/tuned
    ldrt publish runs/tuned my-org/my-model --checkpoint checkpoints/merged --adapter checkpoints/phase2 --tag v1
    ldrt publish runs/tuned my-org/my-model --space my-org/ask-my-model
    ldrt publish --study runs/my-study --dry_run                  # the whole plan
    ldrt publish --study runs/my-study --repo_id my-org/my-model       # all of it

Sent are the checkpoint's weights (safetensors only), configuration, tokenizer and lineage, RUN/README.md as the card,
the run's results under `results/` (with every answer, judgement and measurement, from which `ldrt verify` makes the
card's numbers again) and its plots under `plots/`, where the card shows them; nothing else, and never a pickle or what
a link out of the folder leads to. The checkpoint must be the one that the run evaluated. Predictions of
rows whose licence the policy does not permit are sent without the question and the reference, which quote the article;
so are captions, and what judges replied.

`--study FOLDER` publishes all that a study made, found in its folder by the files themselves: the dataset
(ORG/NAME-data), every run's answers and judgements with the metrics' code (ORG/NAME-results), checkpoints named by
`--also` (ORG/NAME-phase1, ORG/NAME-base), then the tuned model with its adapter, whose card names the commits of the
others, and a collection of all. `--dry_run` shows the whole plan. docs/publish.md has more.

`--space` also sends the page of `ldrt app` as a Space: the published model at its commit, beside it its base model, and
examples of the run's dataset, where these are on the Hub at a commit; the part of this project that the page needs, and
pinned requirements. No token, no path of this machine; a private model needs the Space's secret HF_TOKEN.

One atomic commit, then a tag. Remote files of these kinds that are no longer part of it are deleted, other files in the
repository stay. When nothing changed no commit is made.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from trust.errors import UsageError
from trust.licenses import Policy, refuse_unsaid

if TYPE_CHECKING:
    from model_cards.hub.repo import Repo
    from model_cards.staging.space import Shown
    from model_cards.study.card import Pin


@dataclass
class Options:
    """Options of `ldrt publish`."""

    run: str | None = field(
        default=None,
        metadata={
            "help": "run folder with the card that `ldrt card` wrote; with --study where several have one",
            "positional": True,
            "path": "run folder",
        },
    )
    repo_id: str | None = field(
        default=None,
        metadata={
            "help": "ORG/NAME or USER/NAME of the model on the Hub",
            "positional": True,
            "pattern": r"[\w.-]+/[\w.-]+",
        },
    )
    study: str | None = field(
        default=None,
        metadata={"help": "folder of a study: all that was made is published, see above", "path": "folder"},
    )
    also: list[str] = field(
        default_factory=list,
        metadata={"help": "with --study: earlier checkpoints to publish as well, `phase1` and `base`"},
    )
    eval_results: bool = field(
        default=False,
        metadata={"help": "with --study: the scores as .eval_results/ldrt.yaml, too, for the Hub's leaderboards"},
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
        default=None,
        metadata={
            "help": "name for the published state, such as v1; default: the next of v1, v2",
            "pattern": r"\w[\w./-]*",
        },
    )
    dry_run: bool = field(
        default=False, metadata={"help": "do everything but talk to the Hub; list what would be sent"}
    )
    limit_s: Annotated[float, Gt(0)] = field(default=6 * 3600.0, metadata={"help": "give up after this time, seconds"})


def run(options: Options) -> str:
    """Publish the run, or the study; returns what was sent and what was left out.

    Raises UsageError where RUN and ORG/NAME are not given, FileNotFoundError when the card or the checkpoint is absent,
    ValueError when the weights are broken or not the ones that were evaluated, RuntimeError when the Hub refuses.
    """
    refuse_unsaid(options.policy, options.private, options.i_may_publish_all)
    if options.study:
        return _run_study(options, options.study)
    if not options.run or not options.repo_id:
        raise UsageError("missing RUN or ORG/NAME: `ldrt publish RUN ORG/NAME`, or --study FOLDER --repo_id ORG/NAME")
    if options.also or options.eval_results:
        raise UsageError("--also and --eval_results go with --study FOLDER")
    return _run_one(options, options.run, options.repo_id)


def _run_one(options: Options, run: str, repo_id: str) -> str:
    """One run and its checkpoint."""
    # here, as the Hub's client takes a second and `ldrt publish --help` does not need it
    from model_cards.hub.commit import commit, tag
    from model_cards.hub.preflight import preflight
    from model_cards.hub.repo import Repo
    from model_cards.hub.session import session
    from model_cards.staging.checkpoint import MANAGED, find_checkpoint
    from model_cards.staging.model import published_model
    from model_cards.staging.results import read_run
    from model_cards.staging.space import shown_of

    repo = Repo(repo_id, "model", options.private)
    space = Repo(options.space, "space", options.private) if options.space else None
    card, manifest = read_run(Path(run))
    checkpoint = find_checkpoint(options.checkpoint, run, manifest)
    adapter = Path(options.adapter) if options.adapter else None
    with tempfile.TemporaryDirectory() as temporary:
        files, notes = published_model(Path(run), checkpoint, adapter, options.policy, Path(temporary))
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


def _run_study(options: Options, folder: str) -> str:
    """All that a study made."""
    from model_cards.hub.repo import Repo
    from model_cards.staging.space import shown_of
    from model_cards.study.found import read_study
    from model_cards.study.parts import Wanted, parts_of
    from model_cards.study.send import plan, send, tie_together

    if options.checkpoint or options.adapter:
        raise UsageError("--study finds checkpoint and adapter itself: leave out --checkpoint and --adapter")
    study = read_study(Path(folder), Path(options.run) if options.run else None)
    if not options.repo_id and not options.dry_run:
        raise UsageError("missing --repo_id ORG/NAME: the model is published there, the rest as ORG/NAME-data, …")
    repo_id = options.repo_id or f"ORG/{Path(folder).resolve().name}"
    also = tuple(dict.fromkeys(options.also))
    wanted = Wanted(repo_id, options.policy, options.private, also, options.eval_results)
    parts = parts_of(study, wanted)
    space = Repo(options.space, "space", options.private) if options.space else None
    if options.dry_run:
        would_send = _would_send(space, shown_of(study.run.manifest, repo_id)) if space else []
        return "\n".join([*would_send, plan(study, parts)])
    if space:
        _prepare(space, shown_of(study.run.manifest, repo_id), options.limit_s)
    lines, pins = send(study, parts, options.tag, options.limit_s)
    if space:
        shown = _on_the_hub(shown_of(study.run.manifest, repo_id, pins["model"].sha), pins)
        lines += _send(space, shown, options.limit_s)
    lines.append(f"collection: {tie_together(study, pins, options.space, options.limit_s)}")
    missing = [f"missing: {what}" for what in study.missing]
    return "\n".join([*lines, *missing, f"next: ldrt verify {repo_id}"])


def _on_the_hub(shown: "Shown", pins: "dict[str, Pin]") -> "Shown":
    """What a Space shows, with the dataset and the base model that were published beside the model."""
    if "dataset" in pins:
        shown = replace(shown, dataset=pins["dataset"].repo.id, dataset_revision=pins["dataset"].sha)
    if "base" in pins:
        shown = replace(shown, base=pins["base"].repo.id, base_revision=pins["base"].sha)
    return shown


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
