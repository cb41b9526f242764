"""The results of an evaluation run that are published beside its checkpoint."""

import os
from pathlib import Path
from typing import Any

from model_cards.card_file import CARD
from model_cards.cards import evaluated_run
from model_cards.cards.examples import FOLDER
from model_cards.files import to_json, write_text
from model_cards.hub.retractions import read_taken
from model_cards.preview.answers import PAGE, render_answers
from model_cards.quotable import dataset_folders, permitted_predictions, undecided_note
from model_cards.result_files import COMPARISON, EVIDENCE, HUMAN, MANIFEST, PREDICTIONS, SCORES
from model_cards.staging.hashes import file_sha256
from model_cards.staging.measured import MEASURED, write_measured
from trust.files import inside
from trust.handovers import Kind
from trust.licenses import Policy

RESULTS: dict[str, Kind[Any]] = {
    "scores.json": SCORES,
    "comparison.json": COMPARISON,
    "manifest.json": MANIFEST,
    "human.json": HUMAN,
    "card.json": CARD,
}
ANSWERS = "predictions.jsonl"
_READ = (*RESULTS, *MEASURED, "README.md", ANSWERS, "thumbnails.jsonl", PAGE)


def read_run(folder: Path) -> tuple[str, dict]:
    """The card's text and the run's manifest.

    Raises FileNotFoundError, naming the command that makes them, RefusedError for a file of the run that is to be sent
    or read and is not the folder's own, ValueError for a manifest that is none.
    """
    refuse_links(folder)
    for name, command in (("manifest.json", "generate"), ("README.md", "card")):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}: run `ldrt {command}` for it first")
    card = (folder / "README.md").read_text(encoding="utf-8")
    return card, dict(MANIFEST.read(folder / "manifest.json"))


def refuse_links(folder: Path) -> None:
    """Raises RefusedError for a file of the run that is to be sent or read and is not the folder's own."""
    for path in [*(folder / name for name in _READ), *_plots(folder), *_examples(folder)]:
        if os.path.lexists(path):
            inside(folder, path)


def refuse_taken_down(folder: Path, dataset: Path | None = None) -> None:
    """Raises ValueError where a run has answers about what `ldrt retract` has taken out of its dataset since.

    `dataset`: the run's, where it is known; else where `dataset_folders` finds one.
    """
    for taken in filter(None, map(read_taken, dataset_folders(folder, dataset))):
        for row in (*EVIDENCE.rows(folder / "evidence.jsonl"), *PREDICTIONS.rows(folder / ANSWERS)):
            if named := taken.named(row):
                raise ValueError(
                    f"{folder} has answers about {named}, which was taken down: answer the dataset's questions anew, "
                    "in a new folder"
                )


def refuse_stale_scores(folder: Path) -> None:
    """Raises ValueError where answers or judgements have changed since they were scored, as scores.json notes them."""
    scores = dict[str, Any](SCORES.read_if_there(folder / "scores.json") or {})
    for name, sha256 in scores.get("inputs", {}).items():
        path = folder / name
        if sha256 != (file_sha256(path) if path.is_file() else None):
            raise ValueError(
                f"{folder}/scores.json is not of the {name} that is there now: run `ldrt score {folder}` again, then "
                "`ldrt compare` and `ldrt card`"
            )


def refuse_stale_card(folder: Path, dataset: Path | None = None) -> None:
    """Raises ValueError where the card shows an answer, and its picture, that was quotable when it was written and is
    not any more: people have decided otherwise since, or the row has another licence."""
    card = CARD.read_if_there(folder / "card.json")
    shown = {one["example_id"] for one in card["examples"]} if card else set()
    for row, is_permitted in permitted_predictions(folder, "commercial", dataset) if shown else ():
        if row["example_id"] in shown and row["image_condition"] == "true" and not is_permitted:
            raise ValueError(
                f"{folder}/README.md shows {row['example_id']}, which is not to be published any more: run "
                f"`ldrt card {folder}` again"
            )


def _plots(folder: Path) -> list[Path]:
    return sorted((folder / "plots").glob("[!.]*.png"))


def _examples(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).glob("[!.]*.jpg"))


def result_files(
    folder: Path, policy: Policy, temporary: Path, dataset: Path | None = None
) -> tuple[dict[str, Path], list[str]]:
    """Path in the repository -> file of the run's results; and what the user should know about them.

    `dataset`: the run's, where it is known and may have moved.

    The predictions are written anew in the folder `temporary`: without question and reference, which quote the
    article, where `policy` does not permit the row. So is the page of answers, without picture and judges' words too,
    and what was measured and judged (`measured.py`), so that others can check the scores.
    """
    files = {f"results/{name}": folder / name for name, kind in RESULTS.items() if kind.read_if_there(folder / name)}
    files |= {f"plots/{path.name}": path for path in _plots(folder)}
    files |= {f"{FOLDER}/{path.name}": path for path in _examples(folder)}
    if not (folder / ANSWERS).is_file():
        return files, []
    files[f"results/{ANSWERS}"] = temporary / ANSWERS
    if (folder / PAGE).is_file():  # to which the card has a link
        files[PAGE] = temporary / PAGE
        write_text(
            temporary / PAGE, render_answers(evaluated_run.read_run(folder), policy, is_published=True, dataset=dataset)
        )
    n_bare = 0
    with (temporary / ANSWERS).open("w", encoding="utf-8") as file:
        for number, (row, is_permitted) in enumerate(permitted_predictions(folder, policy, dataset), 1):
            bare = {} if is_permitted else {"question": None, "reference": None}
            n_bare += not is_permitted
            file.write(to_json({**row, **bare}, f"{folder / ANSWERS}, line {number}") + "\n")
    files |= {f"results/{path.name}": path for path in write_measured(folder, policy, temporary, dataset)}
    notes = [note] if (note := undecided_note(folder, dataset)) else []
    if n_bare:
        why = f"the rows' licences do not permit it ({policy}), or a decision on their pictures"
        notes.append(f"{n_bare} predictions go without question and reference: {why}")
    return files, notes
