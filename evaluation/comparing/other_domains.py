"""The same two models on other datasets: what tuning cost on general questions, and what it carries over elsewhere."""

from evaluation.comparing.scored_runs import Run, check_comparable, contrast_paired, pair, true_pictures
from evaluation.scoring.measures import QUALITY

DATA = ("dataset", "dataset_revision", "split", "tasks")  # what a domain is, in a manifest


def check_domains(runs: list[Run], base: Run, tuned_runs: list[Run]) -> None:
    """Raises ValueError for a run of a model that is not compared or on the compared runs' own data, and for a dataset
    on which the base model or every tuned one was not run."""
    compared = [_model(run) for run in (base, *tuned_runs)]
    for run in runs:
        if _model(run) not in compared:
            model, revision = run.manifest["model"], run.manifest["revision"]
            raise ValueError(f"{run.folder}: its model {model} ({revision}) is none of those compared")
        if _domain(run) == _domain(base):
            raise ValueError(f"{run.folder} is on the same data as {base.folder}: no other domain")
    for of_domain in _by_domain(runs):
        models = {_model(run) for run in of_domain}
        if _model(base) not in models or len(models) < 2:
            given, dataset = of_domain[0], of_domain[0].manifest["dataset"]
            missing = "a tuned model" if _model(base) in models else f"the base model ({base.manifest['model']})"
            raise ValueError(f"{given.folder} is on {dataset}: give the run of {missing} on the same data, too")


def domain_rows(runs: list[Run], base: Run, tuned: Run) -> list[dict]:
    """Base against tuned on every dataset on which both were run: dataset, dataset_revision, split, tasks, and a row of
    `measures.contrast` (all tasks, true pictures) for each metric of quality and the answers' length.

    Raises ValueError for runs that cannot be compared.
    """
    rows = []
    for of_domain in _by_domain(runs):
        by_model = {_model(run): run for run in of_domain}
        if _model(tuned) in by_model:
            rows += _rows(by_model[_model(base)], by_model[_model(tuned)])
    return rows


def _rows(base: Run, tuned: Run) -> list[dict]:
    check_comparable(base, tuned)
    where = {key: tuned.manifest[key] for key in DATA}
    items = true_pictures(pair(base, tuned))
    found = contrast_paired(items, (*QUALITY, "answer_words"))
    return [{**where, **row} for row in found if row["n"]]


def _by_domain(runs: list[Run]) -> list[list[Run]]:
    """Runs of the same data together, in the order given."""
    domains: dict[tuple, list[Run]] = {}
    for run in runs:
        domains.setdefault(_domain(run), []).append(run)
    return list(domains.values())


def _domain(run: Run) -> tuple[str, ...]:
    return tuple(str(run.manifest[key]) for key in DATA)


def _model(run: Run) -> tuple[str, str | None]:
    """What the weights are: folders may be renamed, revisions name the content (of a served model perhaps unknown)."""
    base = run.manifest["adapter_of"]
    return run.manifest["revision"] or run.manifest["model"], base["revision"] if base else None
