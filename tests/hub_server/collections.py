"""Collections of the test Hub: listed, made, and added to, as huggingface_hub asks for it."""

import hashlib
import json
import re
from typing import Any

from tests.hub_server.answers import Answer, json_answer
from tests.hub_server.store import HubError, now

_SHOWN_ITEMS = 4  # of each collection in a list, as on the Hub
_MAX_TITLE_CHARS = 59


class Collections:
    """Routes of the handler; `hub`, `user`, `query`, `body` and `_may…` are its own."""

    hub: Any
    user: dict | None
    query: dict
    body: bytes
    _may: Any
    _may_write: Any

    def list_collections(self) -> Answer:
        """Those of `owner` that the caller may see, without `position`, and of each only the first items."""
        owner = self.query.get("owner")
        seen = [c for c in self.hub.store.collections.values() if owner in (None, c["owner"]["name"])]
        shown = [c | {"owner": c["owner"]["name"], "items": c["items"][:_SHOWN_ITEMS]} for c in seen if self._sees(c)]
        return json_answer([{key: value for key, value in c.items() if key != "position"} for c in shown])

    def create_collection(self) -> Answer:
        data = json.loads(self.body)
        namespace, title = data["namespace"], data["title"]
        if not self._may_write(namespace):
            raise HubError(403, f"no collections of {namespace} for this token")
        if len(title) > _MAX_TITLE_CHARS:
            raise HubError(400, "title too long")
        digest = hashlib.sha1(f"{namespace}/{title}".encode()).hexdigest()[:24]
        slug = f"{namespace}/{re.sub(r'[^a-z0-9]+', '-', title.lower())}-{digest}"
        if slug in self.hub.store.collections:
            raise HubError(409, "This collection already exists", slug=slug)
        made = {"slug": slug, "title": title, "owner": {"name": namespace}, "items": [], "lastUpdated": now()}
        made |= {"position": 0, "private": data.get("private", False), "theme": "blue", "upvotes": 0}
        self.hub.store.collections[slug] = made
        return self._shown(made)

    def get_collection(self, slug: str) -> Answer:
        return self._shown(self._collection(slug))

    def add_collection_item(self, slug: str) -> Answer:
        collection, data = self._collection(slug), json.loads(self.body)
        if not self._may_write(collection["owner"]["name"]):
            raise HubError(403, "not yours")
        item = data["item"]
        if (item["type"], item["id"]) not in {(kind, repo_id) for kind, repo_id in self.hub.store.repos}:
            raise HubError(404, f"no {item['type']} {item['id']}")
        if any((one["type"], one["id"]) == (item["type"], item["id"]) for one in collection["items"]):
            raise HubError(409, "already in the collection")
        number = len(collection["items"])
        note = {"text": data["note"]} if data.get("note") else None
        collection["items"].append({"_id": f"{number:024x}", **item, "position": number, "note": note})
        return self._shown(collection)

    def _shown(self, collection: dict) -> Answer:
        return json_answer(collection | {"owner": collection["owner"]["name"]})

    def _collection(self, slug: str) -> dict:
        collection = self.hub.store.collections.get(slug)
        if collection is None or not self._sees(collection):
            raise HubError(404, "Collection not found")
        return collection

    def _sees(self, collection: dict) -> bool:
        return not collection["private"] or self._may(collection["owner"]["name"])
