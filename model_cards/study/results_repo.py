"""The answers of a study's models, and what judges said of them, as a dataset repository; the metrics' code beside.

`runs/NAME/` has of each run what `ldrt publish` sends of one; `load_dataset(ID, "predictions", split=NAME)` reads the
answers, `judgements`, `pairwise` and `per_item_scores` what was made of them. `metrics/NAME/` are modules of
`evaluate`.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_cards.dataset_folder import row_terms
from model_cards.result_files import EVIDENCE, PREDICTIONS
from model_cards.staging.hashes import NAME, write_hashes
from model_cards.staging.results import refuse_links, result_files
from model_cards.study.found import Run, Study
from trust.licenses import Policy, card_fields, of_row
from trust.markup import front_matter, markdown_environment

MANAGED = ("README.md", "CITATION.cff", "hashes.json", "runs/**", "metrics/**")
CONFIGS = {  # config -> its file of a run
    "predictions": "predictions.jsonl",
    "judgements": "judgements.jsonl",
    "pairwise": "pairwise.jsonl",
    "per_item_scores": "per_item_scores.jsonl",
}
_METRICS = Path(__file__).parents[2] / "evaluation" / "metrics"
_RESULTS = "results/"


def results_files(study: Study, policy: Policy, repo_id: str, folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Path in the repository -> file, some of them written to `folder`; and what the user should know.

    Text that `policy` does not permit is left out of the rows, as in a published model. Raises ValueError where two
    runs have the same name.
    """
    files: dict[str, Path] = {}
    notes: list[str] = []
    for name, run in named(study.runs).items():
        refuse_links(run.folder)
        (folder / name).mkdir(parents=True)
        of_run, said = result_files(run.folder, policy, folder / name, study.dataset)
        files |= {
            f"runs/{name}/{path.removeprefix(_RESULTS)}": file
            for path, file in of_run.items()
            if path.startswith(_RESULTS)
        }
        notes += [f"{name}: {line}" for line in said]
    files |= _metrics()
    (folder / "README.md").write_text(_card(study, repo_id, files), encoding="utf-8")
    files["README.md"] = folder / "README.md"
    write_hashes(files, folder / NAME)
    return files | {NAME: folder / NAME}, notes


def named(runs: list[Run]) -> dict[str, Run]:
    """Split of the dataset -> run: the folder's name, with what no split may have in its name as `_`."""
    found: dict[str, Run] = {}
    for run in runs:
        name = re.sub(r"\W", "_", run.folder.name, flags=re.ASCII)
        if name in found:
            raise ValueError(f"{found[name].folder} and {run.folder} would both be {name}: rename one of the folders")
        found[name] = run
    return found


def _metrics() -> dict[str, Path]:
    """The metrics' modules and cards, each folder of which is whole in itself."""
    paths = [path for path in sorted(_METRICS.glob("*/*")) if path.suffix in (".py", ".md")]
    return {f"metrics/{path.parent.name}/{path.name}": path for path in paths}


def _card(study: Study, repo_id: str, files: Mapping[str, Path]) -> str:
    runs = named(study.runs)
    licenses = _licenses(study.runs)
    configs = _configs(list(runs), files)
    front: dict[str, Any] = {
        **card_fields(licenses),
        "task_categories": ["visual-question-answering"],
        "tags": ["biomedical", "ldrt-vlm", "predictions"],
        "configs": configs,
    }
    template = markdown_environment(Path(__file__).parent / "templates").get_template("results_card.md.jinja")
    keys = ("model", "revision", "dataset", "split")
    told = {name: {key: run.manifest[key] for key in keys} for name, run in runs.items()}
    return template.render(
        front=front_matter(front),
        repo_id=repo_id,
        runs=told,
        tuned=next(name for name, run in runs.items() if run is study.run),
        configs=[config["config_name"] for config in configs],
        licenses=sorted((name or "not stated", n) for name, n in licenses.items()),
        metrics=sorted({path.split("/")[1] for path in files if path.startswith("metrics/")}),
    )


def _configs(runs: list[str], files: Mapping[str, Path]) -> list[dict]:
    configs = []
    for config, file in CONFIGS.items():
        paths = {name: f"runs/{name}/{file}" for name in runs}
        splits = [{"split": name, "path": path} for name, path in paths.items() if _has_rows(files.get(path))]
        if splits:
            configs.append({"config_name": config, "data_files": splits})
    return configs


def _has_rows(path: Path | None) -> bool:
    return path is not None and path.stat().st_size > 0


def _licenses(runs: list[Run]) -> Counter[str | None]:
    """Licence -> answers to questions that were made from something under it."""
    counts: Counter[str | None] = Counter()
    for run in runs:
        of_figure = {row["figure_id"]: row_terms(row)[0] for row in EVIDENCE.rows(run.folder / "evidence.jsonl")}
        for row in PREDICTIONS.rows(run.folder / "predictions.jsonl"):
            own = of_row(row) if "licenses" in row else ()  # a run of before there were any: its figures' alone
            counts.update({*own, *of_figure.get(row["figure_id"], (None,))})
    return counts
