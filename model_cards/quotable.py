"""Which questions and pictures of a run may be shown to others: they are an article's, and some a patient's."""

from collections.abc import Iterator
from pathlib import Path

from model_cards.dataset_folder import NO_TERMS, row_terms
from model_cards.result_files import EVIDENCE, MANIFEST, PREDICTIONS, Prediction
from model_cards.reviewing.review import read_review
from trust.licenses import Policy, of_row, permits


def permitted_predictions(folder: Path, policy: Policy) -> Iterator[tuple[Prediction, bool]]:
    """Each row of RUN/predictions.jsonl, and whether the policy permits to quote it and to show its picture.

    By the licences of the prediction, and those and the rights of its figure in evidence.jsonl, which must know it; and
    by what was decided of personal data in the figure's picture, where the run's dataset is a folder here.
    """
    withheld = _with_personal_data(folder)
    of_figure = {row["figure_id"]: row_terms(row) for row in EVIDENCE.rows(folder / "evidence.jsonl")}
    for row in PREDICTIONS.rows(folder / "predictions.jsonl"):
        licenses, rights = of_figure.get(row["figure_id"], NO_TERMS)
        own = of_row(row) if "licenses" in row else ()  # a run of before there were any: its figures' alone
        is_clear = withheld.isdisjoint((row["figure_id"], row.get("image_figure_id")))
        yield row, is_clear and permits(policy, (*licenses, *own), rights)


def _with_personal_data(folder: Path) -> set[str]:
    """The figures that are dropped, not decided, or blurred in what is published, which a run's copies are not."""
    manifest = MANIFEST.read_if_there(folder / "manifest.json")
    review = read_review(Path(manifest["dataset"])) if manifest and Path(manifest["dataset"]).is_dir() else None
    return review.held | {name for name, fate in review.fates.items() if fate == "blur"} if review else set()
