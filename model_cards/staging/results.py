"""The results of an evaluation run that are published beside its checkpoint."""

import json
from collections.abc import Iterator
from pathlib import Path

from model_cards.dataset_folder import NO_TERMS, row_terms
from model_cards.files import read_json, read_jsonl
from trust.licenses import Policy, of_row, permits

RESULTS = ("scores.json", "comparison.json", "manifest.json", "human.json")
PREDICTIONS = "predictions.jsonl"


def read_run(folder: Path) -> tuple[str, dict]:
    """The card's text and the run's manifest. Raises FileNotFoundError, naming the command that makes them."""
    for name, command in (("manifest.json", "generate"), ("README.md", "card")):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}: run `ldrt {command}` for it first")
    card = (folder / "README.md").read_text(encoding="utf-8")
    manifest = read_json(folder / "manifest.json")
    assert manifest is not None, "it was there a moment ago"
    return card, manifest


def result_files(folder: Path, policy: Policy, temporary: Path) -> tuple[dict[str, Path], list[str]]:
    """Path in the repository -> file of the run's results; and what the user should know about them.

    The predictions are written anew in the folder `temporary`: without question and reference, which quote the
    article, where `policy` does not permit the row.
    """
    files = {f"results/{name}": folder / name for name in RESULTS if (folder / name).is_file()}
    files |= {f"plots/{path.name}": path for path in sorted((folder / "plots").glob("[!.]*.png"))}
    if not (folder / PREDICTIONS).is_file():
        return files, []
    files[f"results/{PREDICTIONS}"] = temporary / PREDICTIONS
    n_bare = 0
    with (temporary / PREDICTIONS).open("w", encoding="utf-8") as file:
        for row, is_permitted in _predictions(folder, policy):
            if not is_permitted:
                row |= {"question": None, "reference": None}
                n_bare += 1
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    if not n_bare:
        return files, []
    return files, [
        f"{n_bare} predictions go without question and reference: the rows' licences do not permit it ({policy})"
    ]


def _predictions(folder: Path, policy: Policy) -> Iterator[tuple[dict, bool]]:
    """Each prediction, and whether the policy permits to quote its row.

    By the licences of the prediction, and those and the rights of its figure in evidence.jsonl, which must know it.
    """
    of_figure = {row["figure_id"]: row_terms(row) for row in read_jsonl(folder / "evidence.jsonl")}
    for row in read_jsonl(folder / PREDICTIONS):
        licenses, rights = of_figure.get(row.get("figure_id"), NO_TERMS)
        own = of_row(row) if "licenses" in row else ()  # a run of before there were any: its figures' alone
        yield row, permits(policy, (*licenses, *own), rights)
