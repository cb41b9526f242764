"""Whether the checkpoint gives its published answers again."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from verification.models.published import Published
from verification.models.questions import Asked
from verification.report import Check, judged, not_checked
from verification.repository import Repository

if TYPE_CHECKING:
    from evaluation.run_folder import Prediction

_CONDITION = "true"  # the figure's own picture
_BATCH = 4  # questions at once: the answers do not depend on it, but for rounding in bfloat16


def check_regenerated(repository: Repository, published: Published, asked: Asked, n: int, device: str) -> Check:
    """The first `n` questions, in the dataset's order, that have an answer to the true picture, answered again."""
    what = f"predictions: the first {n} given again by the checkpoint"
    why = _cannot(published, asked)
    if why:
        return not_checked(what, why)
    answered = {
        row["example_id"]: row
        for row in published.predictions
        if row["image_condition"] == _CONDITION and row["prediction"] is not None
    }
    again = _answers(repository, published, asked, answered, n, device)
    return judged(what, _others(answered, again))


def _cannot(published: Published, asked: Asked) -> str | None:
    if asked.items is None:
        return f"the questions' pictures are not at hand ({asked.why_not})"
    if published.manifest["backend"] != "local":
        return "the answers are those of a server"
    options = published.manifest["image_conditions"].get(_CONDITION, {}).get("options", {})
    given = [name for name in ("processor", "chat_template_path") if name in options]
    return f"the answers were made with a --{given[0]} of its own" if given else None


def _answers(
    repository: Repository, published: Published, asked: Asked, answered: dict, n: int, device: str
) -> "dict[str, Prediction]":
    """example -> the record that the checkpoint gives now."""
    from evaluation.answering import answers
    from evaluation.answering.local import Checkpoint
    from evaluation.run_folder import PREDICTION_FILE

    assert asked.items is not None
    generation, items = published.manifest["generation"], asked.items
    answerer = Checkpoint(
        str(repository.folder),
        None,
        processor=None,
        chat_template_path=None,
        device=device,
        dtype=generation["dtype"],
        batch_size=_BATCH,
        max_new_tokens=generation["max_new_tokens"],
    )
    questions = answers.ask(items.rows, _CONDITION, asked.evidence, 0, generation["length_hint"])
    chosen = [one for one in questions if one.row["example_id"] in answered][:n]
    chosen, _ = answers.disarm(chosen, answerer)
    constants = answers.Constants(repository.name, None, generation, _CONDITION)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "predictions.jsonl"
        answers.answer(chosen, items.rows, answerer, path, constants)
        return {row["example_id"]: row for row in PREDICTION_FILE.rows(path)}


def _others(answered: "dict[str, Prediction]", again: "dict[str, Prediction]") -> Iterator[str]:
    for example, row in again.items():
        if row["prediction"] != answered[example]["prediction"]:
            yield f"{example}: {_short(answered[example]['prediction'])} is published, {_short(row['prediction'])} now"


def _short(text: str | None) -> str:
    flat = repr(text)
    return flat if len(flat) <= 80 else f"{flat[:80]}…"
