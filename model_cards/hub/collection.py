"""A collection on the Hub that ties the repositories of a study together."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from huggingface_hub.hf_api import Collection, CollectionItemType_T

from model_cards.hub.repo import HubError, api
from model_cards.hub.retry import retried

_MAX_TITLE_CHARS = 59  # the Hub takes below 60


class Item(NamedTuple):
    """What a collection holds."""

    id: str
    type: CollectionItemType_T
    note: str


def tie(name: str, namespace: str, private: bool, items: Sequence[Item]) -> str:
    """Make the namespace's collection of this name hold `items`; returns its address.

    What is in it already stays, and is not added twice. Raises HubError where it is public and was to be private.
    """
    title = name[:_MAX_TITLE_CHARS]
    collection = retried(lambda: _found(title, namespace)) or retried(lambda: _made(title, namespace, private))
    if private and not collection.private:
        raise HubError(
            f"the collection {collection.url} is public: change that in its settings, or pass --private false"
        )
    there = {(item.item_type, item.item_id) for item in collection.items}
    for item in items:
        if (item.type, item.id) not in there:
            retried(partial(_add, collection.slug, item))
    return collection.url


def _found(title: str, namespace: str) -> Collection | None:
    """The whole collection: a list of them has only the first items of each."""
    slugs = [one.slug for one in api().list_collections(owner=namespace) if one.title == title]
    return api().get_collection(slugs[0]) if slugs else None


def _made(title: str, namespace: str, private: bool) -> Collection:
    return api().create_collection(title, namespace=namespace, private=private, exists_ok=True)


def _add(slug: str, item: Item) -> None:
    api().add_collection_item(slug, item.id, item.type, note=item.note, exists_ok=True)
