"""The tuned model's card as it is published with its study: with the repositories' ids, and what else was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from model_cards.card_file import CARD, Card, Made
from model_cards.cards.evaluated_run import read_run
from model_cards.cards.examples import examples_of
from model_cards.cards.front_matter import Stated, model_facts, stated_of
from model_cards.cards.model_card import describe_card, render_card
from model_cards.files import to_json
from model_cards.hub.repo import Repo
from trust.markup import markdown_environment


@dataclass(frozen=True)
class Pin:
    """A repository of the study at the commit that was published; None before it is."""

    repo: Repo
    sha: str | None


def study_card(run: Path, repo_id: str, dataset_id: str | None, folder: Path) -> tuple[dict[str, Path], list[str]]:
    """README.md and results/card.json with the ids under which model and dataset are published, written to `folder`;
    and what the user should know. A card that was changed by hand goes as it is.
    """
    described = CARD.read_if_there(run / "card.json")
    card = run / "README.md"
    if described is None or _render(run, stated_of(described), described) != card.read_text(encoding="utf-8"):
        return {"README.md": card}, ["the card is not as `ldrt card` wrote it: it goes as it is, without the Hub's ids"]
    stated = stated_of(described)
    stated = replace(stated, repo_id=stated.repo_id or repo_id, dataset_id=stated.dataset_id or dataset_id)
    examples = examples_of(run, described["examples"])
    paths = {"README.md": folder / "README.md", "results/card.json": folder / "card.json"}
    paths["README.md"].write_text(_render(run, stated, described), encoding="utf-8")
    content = to_json(describe_card(stated, described["plots"], examples), "card.json", indent=1)
    paths["results/card.json"].write_text(content + "\n", encoding="utf-8")
    return paths, []


def _render(run: Path, stated: Stated, described: Card) -> str:
    evaluated = read_run(run)
    facts = model_facts(evaluated.manifest, stated)
    return render_card(evaluated, facts, described["plots"], examples_of(run, described["examples"]))


def made_of(pins: Mapping[str, Pin]) -> list[Made]:
    """The repositories that were published before the model."""
    return [
        {"what": what, "id": pin.repo.id, "type": "model" if pin.repo.type == "model" else "dataset", "commit": pin.sha}
        for what, pin in pins.items()
    ]


def with_made(card: str, made: Sequence[Made]) -> str:
    """The card, and behind it what else the study has published, each at its commit."""
    if not made:
        return card
    template = markdown_environment(Path(__file__).parent / "templates").get_template("made.md.jinja")
    return card.rstrip("\n") + "\n\n" + template.render(made=made)
