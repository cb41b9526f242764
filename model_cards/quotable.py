"""Which questions and pictures of a run may be shown to others: they are an article's, and some a patient's."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet

from model_cards.dataset_folder import NO_TERMS, all_files, config_files, row_terms
from model_cards.result_files import EVIDENCE, HERE, MANIFEST, PREDICTIONS, Prediction
from model_cards.reviewing.review import HELD, read_review
from trust.licenses import Policy, of_row, permits


def permitted_predictions(
    folder: Path, policy: Policy, dataset: Path | None = None
) -> Iterator[tuple[Prediction, bool]]:
    """Each row of RUN/predictions.jsonl, and whether the policy permits to quote it and to show its picture.

    By the licences of the prediction, and those and the rights of its figure in evidence.jsonl, which must know it; and
    by what was decided of personal data in the figure's picture, where the run's dataset is a folder here: `dataset`,
    or one that `dataset_folders` finds.
    """
    withheld = _with_personal_data(dataset_folders(folder, dataset))
    of_figure = {row["figure_id"]: row_terms(row) for row in EVIDENCE.rows(folder / "evidence.jsonl")}
    for row in PREDICTIONS.rows(folder / "predictions.jsonl"):
        licenses, rights = of_figure.get(row["figure_id"], NO_TERMS)
        own = of_row(row) if "licenses" in row else ()  # a run of before there were any: its figures' alone
        is_clear = withheld.isdisjoint((row["figure_id"], row.get("image_figure_id")))
        yield row, is_clear and permits(policy, (*licenses, *own), rights)


def undecided_note(folder: Path, dataset: Path | None = None) -> str | None:
    """What to say of figures that are shown without knowing what `ldrt screen` found in them, as no dataset here has
    them; None where there are none, or the dataset is the Hub's, which `ldrt push` has sent by its review."""
    manifest = MANIFEST.read(folder / "manifest.json")
    if not str(manifest["dataset_revision"]).startswith("sha256:"):
        return None
    shown = {row["figure_id"] for row in PREDICTIONS.rows(folder / "predictions.jsonl")}
    unknown = shown - {name for path in dataset_folders(folder, dataset) for name in _figures(path)}
    if not unknown:
        return None
    return (
        f"{len(unknown)} of {len(shown)} figures are in no dataset here: what was decided on personal data in their "
        f"pictures, and whether they were taken down, is not known; put {manifest['dataset']} beside {folder} to check"
    )


def _figures(dataset: Path) -> Iterator[str]:
    for path in all_files(config_files(dataset).get("pairs", {})):
        yield from parquet.read_table(path, columns=["figure_id"]).column(0).to_pylist()


def _with_personal_data(datasets: set[Path]) -> set[str]:
    """The figures that are dropped, not decided, or blurred in what is published, which a run's copies are not."""
    reviews = [review for review in map(read_review, datasets) if review]
    return {name for review in reviews for name, fate in review.fates.items() if fate in (*HELD, "blur")}


def dataset_folders(folder: Path, dataset: Path | None = None) -> set[Path]:
    """Where the run's dataset may lie: at `dataset`, as here.json says, and below the folders that the run is in."""
    here, manifest = HERE.read_if_there(folder / "here.json"), MANIFEST.read_if_there(folder / "manifest.json")
    found = [dataset] if dataset else []
    found += [Path(here["dataset"])] if here else []
    if manifest:
        found += [parent / manifest["dataset"] for parent in (Path(), *folder.resolve().parents)]
    return {path.resolve() for path in found if path.is_dir()}
