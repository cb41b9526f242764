"""Whether the checkpoint is the one that was evaluated, and says of its training what the results say."""

from collections.abc import Iterator
from typing import Any

from trust.checkpoints import open_checkpoint
from trust.weights.checkpoint_files import ADAPTER_CONFIG, content_hash
from verification.differences import differences
from verification.models.published import Published
from verification.report import Check, judged, not_checked
from verification.repository import Repository

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
    folders = [repository.folder, repository.folder / "adapter"]
    hashes = [content_hash(folder) for folder in folders if folder.is_dir()]
    wrong = f"weights, configuration or tokenizer have {hashes[0][:19]}…, those that were evaluated {evaluated[:19]}…"
    return judged(_WEIGHTS, [] if evaluated in hashes else [wrong])


def _check_lineage(repository: Repository, published: Published) -> Check:
    folder = repository.folder
    noted = published.manifest["lineage"]
    lineage = open_checkpoint(str(folder), with_weights=False).lineage
    if lineage is None and noted is None:
        return not_checked(_LINEAGE, "neither the checkpoint nor the results have one: how it was trained is not known")
    if (folder / "adapter" / ADAPTER_CONFIG).is_file() and lineage != noted:
        adapter = open_checkpoint(str(folder / "adapter"), with_weights=False).lineage
        lineage = adapter if adapter == noted else lineage
    return judged(_LINEAGE, _wrong_fields(lineage, noted))


def _wrong_fields(lineage: dict[str, Any] | None, noted: dict[str, Any] | None) -> Iterator[str]:
    """In both directions: a field may be on one side alone."""
    yield from differences(lineage, noted)
    if isinstance(lineage, dict) and isinstance(noted, dict):
        yield from (f"{key}: is in lineage.json alone" for key in sorted(lineage.keys() - noted.keys()))


def _check_answers(published: Published) -> Check:
    return judged(_ANSWERS, _wrong_answers(published))


def _wrong_answers(published: Published) -> Iterator[str]:
    for row in published.predictions:
        said: dict[str, Any] = dict(row)
        for key in ("model", "revision", "generation"):
            if key in said and said[key] != published.manifest[key]:
                yield f"{row['example_id']}: {key} is {said[key]!r}, not {published.manifest[key]!r}"
