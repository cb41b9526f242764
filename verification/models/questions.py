"""The dataset that a model was asked about, found and opened; whether its questions and references were published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.answering.questions import Items, load_evidence, load_items, question, reference
from evaluation.run_folder import Evidence, place
from trust.errors import RefusedError
from trust.places import COMMIT
from verification.models.published import Published
from verification.report import Check, judged, not_checked
from verification.repository import Repository, open_dataset

_REVISION = "dataset: at the revision that was evaluated"
_QUESTIONS = "questions: those of the dataset, with its references"
_ANSWERED = "questions: each that was asked has its answer"


@dataclass(frozen=True)
class Asked:
    """The dataset's rows. `why_not`: why there are none."""

    dataset: Repository | None
    items: Items | None
    evidence: dict[str, Evidence]
    why_not: str


def find_dataset(
    name: str | None, noted: dict[str, Any], stated: str | None, pinned: Mapping[str, str]
) -> Repository | str:
    """The dataset that `noted` (a manifest, a phase) names: as the user says, as the card says, or by its
    Hub id; else why there is none. Of what was a folder, at the commit that its study's card names (`pinned`).

    A name without ORG/ was a folder of whoever ran it: what lies here under that name may be anything.
    """
    revision = noted.get("dataset_revision")
    commit = revision if isinstance(revision, str) and COMMIT.fullmatch(revision) else None
    known = name or stated or (noted["dataset"] if commit else None)
    if known is None:
        return f"it was a folder, {noted['dataset']!r}: say with --dataset where it is"
    try:
        return open_dataset(known, None if Path(known).is_dir() else commit or pinned.get(known))
    except RefusedError:
        raise
    except (OSError, ValueError) as error:
        return " ".join(str(error).split())


def read_asked(published: Published, name: str | None) -> Asked:
    """What the run asked, of the dataset that it names."""
    if published.manifest.get("benchmark"):
        return Asked(None, None, {}, "of public benchmarks the questions are not read again")
    stated = published.card["dataset_id"] if published.card else None
    found = find_dataset(name, published.manifest, stated, published.pinned)
    if isinstance(found, str):
        return Asked(None, None, {}, found)
    where = str(found.folder), published.manifest["split"]
    try:
        items = load_items(*where, published.manifest["tasks"])
    except ValueError as error:
        return Asked(None, None, {}, " ".join(str(error).split()))
    return Asked(found, items, load_evidence(*where), "")


def texts(asked: Asked) -> dict[str, tuple[str, str]]:
    """example -> (question, reference)."""
    if asked.items is None:
        return {}
    rows = asked.items.rows.remove_columns("images")
    return {row["example_id"]: (question(row), reference(row)) for row in rows}


def check_questions(published: Published, asked: Asked) -> list[Check]:
    """Whether the dataset is the one that was evaluated, and every published question and reference is its own."""
    if asked.items is None:
        return [not_checked(_REVISION, asked.why_not), not_checked(_QUESTIONS, asked.why_not)]
    return [_check_revision(published, asked), judged(_QUESTIONS, _wrong_questions(published, texts(asked)))]


def _check_revision(published: Published, asked: Asked) -> Check:
    noted, dataset = published.manifest["dataset_revision"], asked.dataset
    if dataset is not None and noted in (dataset.commit, asked.items.revision if asked.items else None):
        return judged(_REVISION, [])
    name = dataset.name if dataset else "?"
    if not str(noted).startswith("sha256:"):
        why = f"evaluated was commit {noted}, and {name} is a folder, which has no commits"
    else:
        why = f"evaluated was a folder, {str(noted)[:19]}…, and {name} has other files, as a policy leaves rows out"
    return not_checked(_REVISION, f"{why}: the questions are compared one by one")


def _wrong_questions(published: Published, known: dict[str, tuple[str, str]]) -> Iterator[str]:
    for row in published.predictions:
        if place(row) in published.bare or row["example_id"] not in known:
            continue
        for name, is_in_dataset in zip(("question", "reference"), known[row["example_id"]], strict=True):
            if row[name] != is_in_dataset:  # type: ignore[literal-required]
                yield f"{row['example_id']}: its {name} is not the one in the dataset"


def check_all_answered(published: Published, asked: Asked) -> list[Check]:
    """Whether answers were left out: fewer than were asked, or none to a question of the dataset."""
    manifest = published.manifest
    answered = {condition: set[str]() for condition in manifest["image_conditions"]}
    for row in published.predictions:
        answered.setdefault(row["image_condition"], set()).add(row["example_id"])
    counts = {condition: of_run["items"] for condition, of_run in manifest["image_conditions"].items()}
    wrong = [
        f"image condition {condition}: {n} questions were asked, {len(answered[condition])} have an answer"
        for condition, n in counts.items()
        if len(answered[condition]) < n
    ]
    if asked.items is None:
        return [judged(_ANSWERED, wrong)]
    unanswered = {name for known in answered.values() for name in _unanswered(asked.items, known)}
    lines = [f"{name} is in the dataset and has no answer" for name in sorted(unanswered)]
    if manifest["dataset_revision"] in (asked.items.revision, asked.dataset and asked.dataset.commit):
        return [judged(_ANSWERED, [*wrong, *lines])]
    checks = [judged(_ANSWERED, wrong)]
    if lines:
        named = ", ".join(sorted(unanswered)[:5])
        why = f"{len(lines)} of the dataset's have no answer, which may be newer than the answers: {named}"
        checks.append(not_checked("questions: none passed over", why))
    return checks


def _unanswered(items: Items, answered: set[str]) -> list[str]:
    """The questions of a task before its last one that has an answer: `--limit` asks the first of each."""
    found = []
    rows = list(items.rows.select_columns(["example_id", "task"]))
    for task in items.tasks:
        of_task = [row["example_id"] for row in rows if row["task"] == task]
        known = [number for number, name in enumerate(of_task) if name in answered]
        found += [name for name in of_task[: max(known, default=0)] if name not in answered]
    return found


def check_all_there(published: Published, asked: Asked) -> Check:
    """Whether each question that is answered is in the dataset."""
    what = "questions: all of them in the dataset"
    if asked.items is None:
        return not_checked(what, asked.why_not)
    known = set(asked.items.rows["example_id"])
    gone = sorted({row["example_id"] for row in published.predictions} - known)
    if not gone:
        return judged(what, [])
    if published.manifest["dataset_revision"] in (asked.items.revision, asked.dataset and asked.dataset.commit):
        return judged(what, (f"{name} is not in it" for name in gone))
    return not_checked(what, f"{len(gone)} are not, which a policy may have left out of what was published of it")
