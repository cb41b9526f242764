"""The files of a published model: checkpoint, adapter, card and results."""

from pathlib import Path

from model_cards.hub.preflight import front_matter
from model_cards.staging.checkpoint import check_evaluated, left_out, model_files
from model_cards.staging.hashes import NAME, write_hashes
from model_cards.staging.results import (
    read_run,
    refuse_stale_card,
    refuse_stale_scores,
    refuse_taken_down,
    result_files,
)
from trust.licenses import Policy


def published_model(
    run: Path, checkpoint: Path, adapter: Path | None, policy: Policy, temporary: Path, dataset: Path | None = None
) -> tuple[dict[str, Path], list[str]]:
    """Path in the repository -> file, some of them written to the folder `temporary`; and what the user should know.

    `dataset`: the run's, where it is known and may have moved. Raises what `model_files` and `result_files` raise, and
    ValueError where the run's numbers are another checkpoint's, or it shows what is not to be published any more.
    """
    card, manifest = read_run(run)
    refuse_taken_down(run, dataset)
    refuse_stale_scores(run)
    refuse_stale_card(run, dataset)
    files = {"README.md": run / "README.md"} | model_files(checkpoint, adapter)
    check_evaluated(manifest, checkpoint, adapter)
    results, notes = result_files(run, policy, temporary, dataset)
    files |= results
    write_hashes(files, temporary / NAME)
    files[f"results/{NAME}"] = temporary / NAME
    notes += [f"left out: {name}" for name in left_out(checkpoint)]
    if "license" not in front_matter(card):
        notes.append("the card names no licence for the weights: `ldrt card RUN --license NAME` writes one")
    return files, notes
