"""The repositories that a study is published in, in the order in which they are sent: what each holds, and why."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from model_cards.card_file import MADE_NAME
from model_cards.hub.history import title
from model_cards.hub.older_states import older_states
from model_cards.hub.preflight import front_matter
from model_cards.hub.repo import Repo
from model_cards.staging import checkpoint as staged_checkpoint
from model_cards.staging import dataset as staged_dataset
from model_cards.staging.eval_results import FILE as EVAL_RESULTS
from model_cards.staging.eval_results import write_eval_results
from model_cards.staging.hashes import NAME, write_hashes
from model_cards.staging.model import published_model
from model_cards.study import results_repo
from model_cards.study.card import Pin, made_of, study_card, with_made
from model_cards.study.found import Study
from trust.handovers import stamped
from trust.licenses import Policy
from trust.markup import front_matter as to_front_matter
from trust.markup import markdown_environment

Files = tuple[dict[str, Path], list[str]]  # path in the repository -> file; what the user should know
CITATION = "CITATION.cff"
ALSO = ("phase1", "base")  # checkpoints that are sent where they are wanted
_DATASET, _RESULTS, _MODEL = "dataset", "answers and judgements", "model"


@dataclass(frozen=True)
class Wanted:
    """How a study is to be published."""

    repo_id: str  # of the model; the others are named after it
    policy: Policy
    private: bool
    also: tuple[str, ...] = ()  # of ALSO
    eval_results: bool = False


@dataclass(frozen=True)
class Part:
    """One repository. `lay_out` writes what is to be sent to a folder, given what was published before it."""

    what: str
    repo: Repo
    title: str  # of the commit
    managed: tuple[str, ...]
    lay_out: Callable[[Path, Mapping[str, Pin]], Files]
    after: Callable[[Repo], list[str]] = lambda _: []


def parts_of(study: Study, wanted: Wanted) -> list[Part]:
    """What is published, in order: the model's card names the commits of all that came before it.

    Raises ValueError for a checkpoint that is wanted and not there.
    """
    parts = []
    if study.dataset:
        repo = Repo(f"{wanted.repo_id}-data", "dataset", wanted.private)
        lay_out = partial(_dataset, study.dataset, wanted.policy, repo.id)
        after = partial(older_states, dataset=study.dataset, policy=wanted.policy)
        parts.append(Part(_DATASET, repo, title(wanted.policy), staged_dataset.MANAGED, lay_out, after))
    repo = Repo(f"{wanted.repo_id}-results", "dataset", wanted.private)
    lay_out = partial(_results, study, wanted, repo.id)
    parts.append(Part(_RESULTS, repo, "Publish answers and judgements", results_repo.MANAGED, lay_out))
    parts += [_before(study, wanted, name) for name in wanted.also]
    repo = Repo(wanted.repo_id, "model", wanted.private)
    managed = (*staged_checkpoint.MANAGED, EVAL_RESULTS, CITATION)
    lay_out = partial(_model, study, wanted)
    return [*parts, Part(_MODEL, repo, "Publish checkpoint, card and results", managed, lay_out)]


def _dataset(dataset: Path, policy: Policy, repo_id: str, folder: Path, pins: Mapping[str, Pin]) -> Files:
    staged_dataset.refuse_links(dataset)
    staged_dataset.refuse_collisions(dataset)
    staged_dataset.refuse_nothing(dataset, policy)
    staged = staged_dataset.stage_dataset(dataset, folder, policy, repo_id)
    return staged.files, staged.describe().splitlines()


def _results(study: Study, wanted: Wanted, repo_id: str, folder: Path, pins: Mapping[str, Pin]) -> Files:
    files, notes = results_repo.results_files(study, wanted.policy, repo_id, folder)
    return files | _citation(study), notes


def _before(study: Study, wanted: Wanted, name: str) -> Part:
    """A checkpoint that came before the published one."""
    if name not in study.before:
        where = f"on the Hub, as {study.base}" if name == "base" and study.base else f"not in {study.folder}"
        raise ValueError(f"--also {name}: that checkpoint is {where}; leave it out")
    repo = Repo(f"{wanted.repo_id}-{name}", "model", wanted.private)
    managed = (*staged_checkpoint.MANAGED, CITATION)
    lay_out = partial(_checkpoint, study, wanted.repo_id, name, repo.id)
    return Part(name, repo, f"Publish the checkpoint {name}", managed, lay_out)


def _checkpoint(study: Study, tuned: str, name: str, repo_id: str, folder: Path, pins: Mapping[str, Pin]) -> Files:
    checkpoint = study.before[name]
    n_phases = 0 if name == "base" else int(name.removeprefix("phase"))
    what = "The base model" if name == "base" else f"The checkpoint after phase {n_phases}"
    card = folder / "README.md"
    license = _license(study)
    front: dict[str, Any] = {
        **({"license": license} if license else {}),
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": ["biomedical", "ldrt-vlm"],
    }
    template = markdown_environment(Path(__file__).parent / "templates").get_template("checkpoint_card.md.jinja")
    phases = study.run.phases[:n_phases]
    text = template.render(front=to_front_matter(front), repo_id=repo_id, what=what, tuned=tuned, phases=phases)
    card.write_text(text, encoding="utf-8")
    return {"README.md": card} | staged_checkpoint.checkpoint_files(checkpoint) | _citation(study), []


def _license(study: Study) -> str | None:
    """Of the weights, as the tuned model's card has it."""
    return front_matter((study.run.folder / "README.md").read_text(encoding="utf-8")).get("license")


def _model(study: Study, wanted: Wanted, folder: Path, pins: Mapping[str, Pin]) -> Files:
    run = study.run.folder
    files, notes = published_model(run, study.checkpoint, study.adapter, wanted.policy, folder, study.dataset)
    dataset = pins[_DATASET].repo.id if _DATASET in pins else None
    (folder / "card").mkdir()
    of_card, said = study_card(run, wanted.repo_id, dataset, folder / "card")
    card = folder / "card" / "published.md"
    made = made_of(pins)
    card.write_text(with_made(of_card["README.md"].read_text(encoding="utf-8"), made), encoding="utf-8")
    files |= of_card | {"README.md": card, f"results/{MADE_NAME}": folder / MADE_NAME} | _citation(study)
    (folder / MADE_NAME).write_text(json.dumps(stamped({"made": made}), indent=1) + "\n", encoding="utf-8")
    if wanted.eval_results:
        files[EVAL_RESULTS] = folder / "eval_results.yaml"
        write_eval_results(run, dataset, pins[_DATASET].sha if dataset else None, wanted.repo_id, files[EVAL_RESULTS])
    write_hashes(files, folder / NAME)  # of the card's new results/card.json, too
    return files, [*notes, *said]


def _citation(study: Study) -> dict[str, Path]:
    path = study.folder / CITATION
    return {CITATION: path} if path.is_file() and not path.is_symlink() else {}
