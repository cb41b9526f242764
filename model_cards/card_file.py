"""card.json and made.json: what `ldrt card` and a study's publication put on a card, for whoever writes it again."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from trust.handovers import Kind


class ShownExample(TypedDict):
    """An answer that stands on the card"""

    example_id: str
    picture: str | None  # path from the card


class Card(TypedDict):
    """card.json: what `ldrt card` was told and drew, so that the same files give the same card elsewhere"""

    repo_id: str | None
    dataset_id: str | None
    base_model: str | None
    license: str | None
    license_name: NotRequired[str | None]  # absent in files of before it could be given
    license_link: NotRequired[str | None]
    tags: list[str]
    plots: list[str]
    examples: list[ShownExample]


class Made(TypedDict):
    """A repository that was published with the model"""

    what: str
    id: str  # ORG/NAME
    type: Literal["dataset", "model"]
    commit: str | None  # None in a plan


class AllMade(TypedDict):
    """made.json: the other repositories of a study, each at the commit that the model's card names"""

    made: list[Made]


CARD = Kind(Card, "ldrt card {folder}")
MADE = Kind(AllMade, "ldrt publish --study FOLDER")
MADE_NAME = "made.json"
