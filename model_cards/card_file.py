"""card.json: what `ldrt card` was told and drew, for whoever writes the same card again."""

from typing import NotRequired

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


CARD = Kind(Card, "ldrt card {folder}")
