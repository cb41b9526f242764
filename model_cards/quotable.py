"""Which questions and pictures of a run may be shown to others: what they quote is an article's."""

from collections.abc import Iterator
from pathlib import Path

from model_cards.dataset_folder import NO_TERMS, row_terms
from model_cards.result_files import EVIDENCE, PREDICTIONS, Prediction
from trust.licenses import Policy, of_row, permits


def permitted_predictions(folder: Path, policy: Policy) -> Iterator[tuple[Prediction, bool]]:
    """Each row of RUN/predictions.jsonl, and whether the policy permits to quote it and to show its picture.

    By the licences of the prediction, and those and the rights of its figure in evidence.jsonl, which must know it.
    """
    of_figure = {row["figure_id"]: row_terms(row) for row in EVIDENCE.rows(folder / "evidence.jsonl")}
    for row in PREDICTIONS.rows(folder / "predictions.jsonl"):
        licenses, rights = of_figure.get(row["figure_id"], NO_TERMS)
        own = of_row(row) if "licenses" in row else ()  # a run of before there were any: its figures' alone
        yield row, permits(policy, (*licenses, *own), rights)
