"""Whether the other repositories of a study are there at the commits that the model's card names, and are those that
were verified."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import httpx
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile

from model_cards.card_file import Made
from model_cards.hub.commit import Digests
from model_cards.hub.repo import Repo, tree
from trust.places import COMMIT
from verification.models.published import Published
from verification.models.questions import Asked
from verification.report import Check, judged, not_checked
from verification.repository import Repository

_THERE = "study: each repository on the card is there, at its commit"
_DATASET = "study: the dataset on the card is the one whose questions were compared"
_ANSWERS = "study: the answers are among those of the repository on the card"
_PREDICTIONS = "results/predictions.jsonl"
_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)

Files = dict[str, RepoFile]  # path -> file


def check_made(repository: Repository, published: Published, asked: Asked) -> list[Check]:
    """Of a model that was published with its study; [] of another one."""
    if not published.made:
        return []
    found = [(one, _files(one)) for one in published.made]
    gone = [files for _, files in found if isinstance(files, _Gone)]
    checks = [judged(_THERE, (one.why for one in gone if one.is_sure))]
    checks += [not_checked(_THERE, one.why) for one in gone if not one.is_sure]
    stated = published.card["dataset_id"] if published.card else None
    checks += [_check_dataset(one, asked) for one in published.made if (one["type"], one["id"]) == ("dataset", stated)]
    runs = [(one, files) for one, files in found if isinstance(files, dict) and _runs(files)]
    return checks + [judged(_ANSWERS, _wrong_answers(repository, one, files)) for one, files in runs]


@dataclass(frozen=True)
class _Gone:
    """Why the files of a repository are not known."""

    why: str
    is_sure: bool  # that they are not there


def _files(one: Made) -> Files | _Gone:
    """The repository's files at the commit."""
    commit = one["commit"] or ""
    if not _ID.fullmatch(one["id"]) or not COMMIT.fullmatch(commit):
        return _Gone(f"{one['what']}: {one['id']!r} at {commit!r} is no repository at a commit", is_sure=True)
    where = f"{one['what']}: {one['id']}"
    try:
        return tree(Repo(one["id"], one["type"], private=True), commit)
    except RevisionNotFoundError:
        return _Gone(f"{where} has no commit {commit}", is_sure=True)
    except RepositoryNotFoundError:
        return _Gone(f"{where} is not there, or not for this token", is_sure=False)
    except (HfHubHTTPError, httpx.TransportError, OfflineModeIsEnabled) as error:
        return _Gone(f"{where}: the Hub did not say ({type(error).__name__})", is_sure=False)


# ---- the dataset


def _check_dataset(one: Made, asked: Asked) -> Check:
    if asked.dataset is None:
        return not_checked(_DATASET, asked.why_not)
    if (asked.dataset.name, asked.dataset.commit) == (one["id"], one["commit"]):
        return judged(_DATASET, [])
    compared = asked.dataset.name if asked.dataset.commit is None else f"{asked.dataset.name} at {asked.dataset.commit}"
    return not_checked(_DATASET, f"compared was {compared}, and the card names {one['id']} at {one['commit']}")


# ---- the answers


def _runs(files: Files) -> list[str]:
    return [path for path in files if fnmatchcase(path, "runs/*/predictions.jsonl")]


def _wrong_answers(repository: Repository, one: Made, files: Files) -> Iterator[str]:
    ours = Digests.of(repository.path(_PREDICTIONS))
    if not any(ours.match(files[path]) for path in _runs(files)):
        yield f"no run of {one['id']} at {one['commit']} has the answers of {_PREDICTIONS}"
