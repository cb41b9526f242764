"""RUN/*.json -> RUN/README.md, the model card, RUN/plots/*.png, and RUN/answers.html, a page to read the answers on.

    ldrt card runs/tuned
    ldrt card runs/tuned --repo_id my-org/my-model --dataset_id my-org/my-dataset
    ldrt card runs/base --policy all                      # of one run alone; every picture, for your own eyes

answers.html opens in a browser, without a network: each question with its picture, the reference, the base model's
answer and the tuned one's (after `ldrt compare`; else the run's own), what each judge said and each metric measured,
sorted by gains and losses. Up to three of them stand on the card, with their pictures (RUN/examples/).

Written from the run's files only: manifest.json and scores.json, and comparison.json, human.json, predictions.jsonl,
evidence.jsonl, thumbnails.jsonl where they are there. Same files, same card: RUN/card.json keeps what the card was told
besides, so that `ldrt verify` can write it again.
"""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from trust.errors import UsageError
from trust.licenses import HubLicense, Policy


@dataclass
class Options:
    """Options of `ldrt card`."""

    run: str = field(
        metadata={
            "help": "run folder with scores.json, and comparison.json for a tuned model",
            "positional": True,
            "path": "scored run folder",
        }
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
    license: HubLicense | None = field(
        default=None,
        metadata={
            "help": "licence of the weights, as the Hub names it (default: the base model's where it is known, "
            "see recipes/families/licenses.yaml; else the card names none)"
        },
    )
    license_name: str | None = field(
        default=None,
        metadata={
            "help": "with --license other: its name, in small letters, as llava-research-1.0",
            "pattern": r"[a-z0-9][a-z0-9.+-]*",
        },
    )
    license_link: str | None = field(
        default=None,
        metadata={"help": "with --license other: where its text is, https://…", "pattern": r"https://\S+"},
    )
    domain: str | None = field(
        default=None,
        metadata={
            "help": "YAML file of a domain whose tags go onto the card, beside the datasets' own",
            "path": "file",
        },
    )
    policy: Policy = field(
        default="commercial",
        metadata={
            "help": "answers.html has the pictures of rows whose licence permits it; all: every one that has no rights "
            "of its own, for your own eyes. `ldrt publish` writes the page anew by its own --policy, and the card "
            "always keeps to commercial"
        },
    )


def run(options: Options) -> str:
    """Write card, plots and the page of answers; returns their paths, which licence the card names, and what those of
    the training rows allow.

    Raises FileNotFoundError for a run without manifest or scores, UsageError for a licence that the Hub cannot show.
    """
    _check_other(options)
    tags = _domain_tags(options.domain)
    # here, as matplotlib and the Hub's client take seconds and `ldrt card --help` needs neither
    from model_cards.cards.evaluated_run import read_run
    from model_cards.cards.examples import write_examples
    from model_cards.cards.front_matter import Stated, describe_licenses, model_facts
    from model_cards.cards.model_card import describe_card, render_card
    from model_cards.cards.plots import write_plots
    from model_cards.files import to_json, write_text
    from model_cards.preview.answers import write_answers

    folder = Path(options.run)
    evaluated = read_run(folder)
    stated = Stated(
        repo_id=options.repo_id,
        dataset_id=options.dataset_id,
        base_model=options.base_model,
        license=options.license,
        license_name=options.license_name,
        license_link=options.license_link,
        tags=tags,
    )
    facts = model_facts(evaluated.manifest, stated)
    plots = write_plots(evaluated)
    page = write_answers(evaluated, options.policy)
    card, examples = folder / "README.md", write_examples(folder)
    names = [plot.stem for plot in plots]
    write_text(card, render_card(evaluated, facts, names, examples))
    described = folder / "card.json"
    write_text(described, to_json(describe_card(stated, names, examples), str(described), indent=1) + "\n")
    opened = f"open: {card} (the card), {page} (each answer, in a browser), {folder}/plots/ ({len(plots)} plots)"
    return "\n".join(
        [describe_licenses(facts), opened, f"next: ldrt publish {shlex.quote(str(folder))} ORG/NAME --dry_run"]
    )


def _check_other(options: Options) -> None:
    """Raises UsageError where the Hub could not show a licence of no id, or would not show what is given."""
    described = options.license_name is not None and options.license_link is not None
    if options.license == "other" and not described:
        raise UsageError("--license other: the Hub shows its name and its text: give --license_name and --license_link")
    if options.license != "other" and (options.license_name or options.license_link):
        raise UsageError("--license_name and --license_link are for --license other")


def _domain_tags(path: str | None) -> tuple[str, ...]:
    """The `tags` of a domain file; () without one. Raises ValueError for a file that is none."""
    if path is None:
        return ()
    try:
        domain = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        tags = domain.get("tags") or []
    except (OSError, ValueError, yaml.YAMLError, AttributeError) as error:
        raise UsageError(f"--domain {path}: no domain file; see recipes/domains") from error
    return tuple(str(tag) for tag in tags)
