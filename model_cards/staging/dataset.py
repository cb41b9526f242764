"""What `ldrt push` sends: the part of a dataset repo folder that a policy permits, with its own card and preview."""

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from model_cards.cards.dataset_card import write_dataset_card
from model_cards.dataset_folder import Splits, all_files, column_counts, config_files, terms_counts
from model_cards.files import to_json
from model_cards.preview.examples import write_examples_preview
from model_cards.preview.page import write_preview
from model_cards.preview.parts import has_examples
from model_cards.provenance_files import CERTIFICATE, DATASET_MANIFEST, EVAL, REBUILD_NAME, DatasetManifest
from model_cards.reviewing.files import REVIEW, SCREENED
from model_cards.reviewing.review import Review, read_review, said_of
from model_cards.staging.hashes import NAME, write_hashes
from model_cards.staging.pictures import refuse_more_than_pixels
from model_cards.staging.provenance import stage_provenance
from model_cards.staging.rows import RowCounts, stage_split
from model_cards.staging.withheld import WithheldCounts, stage_withheld
from trust.files import inside
from trust.licenses import Policy, permits

MANAGED = (  # of the repository's files, those that a push may delete
    *("README.md", "CHANGELOG.md", "eval.yaml", "preview.html", "examples.html", "provenance/**"),
    *("pairs/*.parquet", "align/*.parquet", "detail/*.parquet", "reasoning/*.parquet", "instruct/*.parquet"),
    *("preference/*.parquet", "withheld/*.parquet"),
)
CHANGELOG = "CHANGELOG.md"  # `ldrt retract` writes it
PREVIEW_ROWS = 500  # figures, and examples, of the published pages, some ten megabytes each


@dataclass(frozen=True)
class StagedDataset:
    """What is to be sent, and how much of the dataset that is."""

    files: dict[str, Path]  # path in the repository -> local file
    counts: dict[str, RowCounts]  # by config
    withheld: WithheldCounts | None = None  # where it was asked for
    notes: list[str] = field(default_factory=list)  # what who publishes should know

    def describe(self) -> str:
        """One line a config, for a command's summary, and the notes."""
        lines = [f"{config:<10} {n.published:>7} rows, {_not_published(n)}" for config, n in self.counts.items()]
        if self.withheld:
            lines.append(f"{'withheld':<10} {self.withheld.listed:>7} rows, ids and hashes of figures left out")
        if self.withheld and self.withheld.unlisted:
            why = f"not in provenance/{REBUILD_NAME}, or with personal data"
            lines.append(f"{'':<10} {self.withheld.unlisted:>7} more are not listed ({why})")
        return "\n".join([*lines, *self.notes])


def _not_published(counts: RowCounts) -> str:
    return f"{counts.left_out} left out" + f", {counts.held} held back" * bool(counts.held)


def refuse_links(dataset: Path) -> None:
    """Raises RefusedError for a file that a push would read and that is not the dataset folder's own."""
    for path in _read_by_push(dataset):
        inside(dataset, path)


def _read_by_push(dataset: Path) -> Iterator[Path]:
    for splits in config_files(dataset).values():
        yield from all_files(splits)
    for pattern in ("[!.]*.json", "[!.]*.jsonl", "markdown/[!.]*.md"):
        yield from sorted((dataset / "provenance").glob(pattern))
    yield from filter(
        os.path.lexists, (dataset / "eval.yaml", dataset / CHANGELOG, dataset / ".work" / "verdicts.jsonl")
    )
    yield from filter(os.path.lexists, (dataset / SCREENED, dataset / REVIEW))


def refuse_collisions(dataset: Path) -> None:
    """Raises ValueError where the leakage certificate names collisions between splits, or is none."""
    path = dataset / "provenance" / "splits.json"
    certificate = CERTIFICATE.read_if_there(path)
    collisions = certificate["collisions"] if certificate else []
    if collisions:
        raise ValueError(
            f"{path} reports {len(collisions)} collisions between splits, first {json.dumps(collisions[0])}: "
            "not published; mend the articles and run `ldrt build` again"
        )


def refuse_nothing(dataset: Path, policy: Policy) -> None:
    """Raises RuntimeError when the policy leaves no row."""
    configs = config_files(dataset)
    paths = [path for splits in configs.values() for path in all_files(splits)]
    if any(permits(policy, licenses, rights) for licenses, rights in terms_counts(paths)):
        return
    licenses = column_counts(paths, "license")
    stated = ", ".join(f"{name or 'not stated'}: {n}" for name, n in sorted(licenses.items(), key=str))
    raise RuntimeError(f"no row may be published under the policy {policy}; the rows' licences are {stated or 'none'}")


def stage_dataset(
    dataset: Path, folder: Path, policy: Policy, repo_id: str, with_withheld: bool = False
) -> StagedDataset:
    """Lay out what `policy` permits in `folder`, made anew (links where nothing is left out).

    `with_withheld`: of the figures that it does not permit the ids and hashes, as a config of their own. What people
    decided of personal data in the pictures is done.

    Raises ValueError for a picture that is more than its pixels, RuntimeError where nothing is left.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    configs = config_files(dataset)
    review = read_review(dataset)
    counts = {config: _stage_config(splits, folder / config, policy, review) for config, splits in configs.items()}
    _refuse_all_held(counts, dataset)
    refuse_more_than_pixels(folder)
    withheld = stage_withheld(dataset, configs.get("pairs", {}), folder, policy, review) if with_withheld else None
    stage_provenance(dataset, folder, policy, review.held if review else set())
    _stage_eval(dataset, folder)
    if (dataset / CHANGELOG).is_file():
        (folder / CHANGELOG).symlink_to((dataset / CHANGELOG).resolve())
    _record(folder / "provenance" / "manifest.json", policy, counts, review)
    write_dataset_card(folder, repo_id)
    if has_examples(folder):
        write_examples_preview(folder, PREVIEW_ROWS, build=dataset)
    if "pairs" in configs:
        write_preview(folder, PREVIEW_ROWS, build=dataset)
    write_hashes(_files_of(folder), folder / "provenance" / NAME)
    return StagedDataset(_files_of(folder), counts, withheld, said_of(review, dataset))


def _refuse_all_held(counts: dict[str, RowCounts], dataset: Path) -> None:
    if not any(of_config.published for of_config in counts.values()):
        raise RuntimeError(
            f"no row may be published: all are dropped or held back until decided in {dataset}/review.html"
        )


def _files_of(folder: Path) -> dict[str, Path]:
    """Path in the repository -> file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in files}


def _stage_config(splits: Splits, folder: Path, policy: Policy, review: Review | None) -> RowCounts:
    counts = RowCounts()
    for split, paths in splits.items():
        counts.add(stage_split(paths, folder, split, policy, review))
    return counts


def _stage_eval(dataset: Path, folder: Path) -> None:
    """Link eval.yaml when every config it names is there."""
    tasks = dataset / "eval.yaml"
    declared = EVAL.read_if_there(tasks)
    if declared is None:
        return
    configs = {task["config"] for task in declared["tasks"] if "config" in task}
    if configs <= {path.name for path in folder.iterdir() if path.is_dir()}:
        (folder / tasks.name).symlink_to(tasks.resolve())


def _record(path: Path, policy: Policy, counts: dict[str, RowCounts], review: Review | None) -> None:
    """Note in the published manifest what the policy left out and what was screened, in numbers; the card says it."""
    manifest: DatasetManifest = DATASET_MANIFEST.read_if_there(path) or {"stages": {}}
    by_config = {config: dataclasses.asdict(n) for config, n in counts.items()}
    screening = review.counts() if review else None
    manifest["stages"]["push"] = {"options": {"policy": policy}, "counts": by_config, "screening": screening}
    path.write_text(to_json(manifest, str(path), indent=1) + "\n", encoding="utf-8")
