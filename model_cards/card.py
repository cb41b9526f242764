"""RUN/*.json -> RUN/README.md, the model card, and RUN/plots/*.png.

    ldrt card runs/tuned
    ldrt card runs/tuned --repo_id my-org/my-model --dataset_id my-org/my-dataset

Written from the run's files only: manifest.json and scores.json, and comparison.json, human.json, predictions.jsonl,
evidence.jsonl where they are there. Same files, same card.
"""

from dataclasses import dataclass, field
from pathlib import Path

import yaml


@dataclass
class Options:
    """Options of `ldrt card`."""

    run: str = field(
        metadata={"help": "run folder with scores.json, and comparison.json for a tuned model", "positional": True}
    )
    repo_id: str | None = field(
        default=None, metadata={"help": "ORG/NAME under which the model is published, or its folder"}
    )
    dataset_id: str | None = field(
        default=None, metadata={"help": "ORG/NAME of the dataset (default: as the run names it)"}
    )
    base_model: str | None = field(
        default=None, metadata={"help": "Hub id of the base model (default: from the lineage)"}
    )
    license: str | None = field(
        default=None,
        metadata={
            "help": "licence of the weights, as the Hub names it (default: the base model's where it is known, "
            "see recipes/families/licenses.yaml; else the card names none)"
        },
    )
    domain: str | None = field(
        default=None, metadata={"help": "YAML file of a domain whose tags go onto the card, beside the datasets' own"}
    )


def run(options: Options) -> str:
    """Write card and plots; returns their paths, and which licence the card names and the training rows allow.

    Raises FileNotFoundError for a run without manifest or scores, ValueError for a licence that the Hub has no name of.
    """
    # here, as matplotlib and the Hub's client take seconds and `ldrt card --help` needs neither
    from model_cards.cards.evaluated_run import read_run
    from model_cards.cards.front_matter import Stated, describe_licenses, model_facts
    from model_cards.cards.model_card import render_card
    from model_cards.cards.plots import write_plots
    from model_cards.files import write_text

    folder = Path(options.run)
    evaluated = read_run(folder)
    stated = Stated(
        options.repo_id, options.dataset_id, options.base_model, options.license, _domain_tags(options.domain)
    )
    facts = model_facts(evaluated.manifest, stated)
    plots = write_plots(evaluated)
    card = folder / "README.md"
    write_text(card, render_card(evaluated, facts, [plot.stem for plot in plots]))
    return "\n".join([*map(str, [card, *plots]), describe_licenses(facts)])


def _domain_tags(path: str | None) -> tuple[str, ...]:
    """The `tags` of a domain file; () without one. Raises ValueError for a file that is none."""
    if path is None:
        return ()
    try:
        domain = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        tags = domain.get("tags") or []
    except (OSError, ValueError, yaml.YAMLError, AttributeError) as error:
        raise ValueError(f"--domain {path}: no domain file; see recipes/domains") from error
    return tuple(str(tag) for tag in tags)
