"""Whether the checkpoint is the one that was evaluated, and says of its training what the results say."""

from collections.abc import Iterator
from typing import Any

from model_cards.result_files import Lineage
from model_cards.staging.checkpoint import is_other_adapter
from trust.checkpoints import open_checkpoint
from trust.handovers import Kind
from trust.weights.checkpoint_files import ADAPTER_CONFIG, CONFIG, LINEAGE, content_hash
from trust.weights.safetensors_files import ADAPTER
from verification.differences import differences
from verification.models.published import Published
from verification.report import Check, judged, not_checked
from verification.repository import Repository

_FILE = Kind(Lineage, "ldrt train")
_WEIGHTS = "checkpoint: the one that was evaluated"
_LINEAGE = "lineage.json: what the results say of the training"
_ANSWERS = "predictions: of this model at this revision"


def check_checkpoint(repository: Repository, published: Published) -> list[Check]:
    """Weights and configuration by their hash, lineage.json field by field, and which model the answers are of."""
    return [_check_weights(repository, published), _check_lineage(repository, published), _check_answers(published)]


def _check_weights(repository: Repository, published: Published) -> Check:
    evaluated = published.manifest["revision"]
    if not isinstance(evaluated, str) or not evaluated.startswith("sha256:"):
        return not_checked(_WEIGHTS, f"the results name no hash but {evaluated!r}, where the model was evaluated")
    found = content_hash(repository.folder)
    if found != evaluated and _is_of_adapter(repository, evaluated):
        why = "evaluated was adapter/, which holds; whether these weights have it merged in only --regenerate tells"
        return not_checked(_WEIGHTS, why)
    wrong = f"weights, configuration or tokenizer have {found[:19]}…, those that were evaluated {evaluated[:19]}…"
    return judged(_WEIGHTS, [] if found == evaluated else [wrong])


def _is_of_adapter(repository: Repository, evaluated: str) -> bool:
    """Whether adapter/ was evaluated; no whole checkpoint, which would say nothing of the weights that people load."""
    folder = repository.folder / "adapter"
    is_adapter = (folder / ADAPTER_CONFIG).is_file() and not (folder / CONFIG).exists()
    return is_adapter and content_hash(folder) == evaluated


def _check_lineage(repository: Repository, published: Published) -> Check:
    folder = repository.folder
    noted = published.manifest["lineage"]
    lineage = open_checkpoint(str(folder), with_weights=False).lineage
    if lineage is None and noted is None:
        return not_checked(_LINEAGE, "neither the checkpoint nor the results have one: how it was trained is not known")
    if (folder / "adapter" / ADAPTER_CONFIG).is_file() and lineage != noted:
        adapter = _of_adapter(repository)
        lineage = adapter if adapter == noted else lineage
    return judged(_LINEAGE, [*_wrong_fields(lineage, noted), *_wrong_of_adapter(repository, noted)])


def _wrong_fields(lineage: dict[str, Any] | None, noted: dict[str, Any] | None) -> Iterator[str]:
    """In both directions: a field may be on one side alone."""
    yield from differences(lineage, noted)
    if isinstance(lineage, dict) and isinstance(noted, dict):
        yield from (f"{key}: is in lineage.json alone" for key in sorted(lineage.keys() - noted.keys()))


def _of_adapter(repository: Repository) -> dict[str, Any] | None:
    """Its file lies in the Hub's cache two folders above its blobs, where the gate for checkpoints looks one above."""
    lineage = _FILE.read_if_there(repository.path(f"adapter/{LINEAGE}"))
    return None if lineage is None else dict(lineage)


def _wrong_of_adapter(repository: Repository, noted: dict[str, Any] | None) -> Iterator[str]:
    """What is sent as adapter/ has the training of the model that was evaluated."""
    if noted is None or not (repository.folder / "adapter" / ADAPTER_CONFIG).is_file():
        return
    lineage = _of_adapter(repository) or {}
    for key in ("base_model", "base_revision", "phases"):
        yield from differences(lineage.get(key), noted.get(key), f"adapter {key}")
    if is_other_adapter(noted, repository.path(f"adapter/{ADAPTER}").parent):
        yield f"adapter/{ADAPTER}: not the weights that were merged into the model (merge adapter_sha256)"


def _check_answers(published: Published) -> Check:
    return judged(_ANSWERS, _wrong_answers(published))


def _wrong_answers(published: Published) -> Iterator[str]:
    for row in published.predictions:
        said: dict[str, Any] = dict(row)
        for key in ("model", "revision", "generation"):
            if key in said and said[key] != published.manifest[key]:
                yield f"{row['example_id']}: {key} is {said[key]!r}, not {published.manifest[key]!r}"
