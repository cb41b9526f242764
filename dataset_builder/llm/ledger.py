"""The ledger of an LLM's replies: an append-only JSONL file, one line a reply, on the disk before it counts."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from dataset_builder.files.compact import CompactMap
from dataset_builder.llm.requests import Server
from dataset_builder.llm.tokens import used_tokens
from trust.handovers import Kind


class Reply(TypedDict):
    """What every line has; the rest is up to whoever asked."""

    key: str  # of the request
    status: str  # ok | refused | unparsable | truncated | error
    reply: NotRequired[str | None]


LEDGER = Kind(Reply, "ldrt instruct")  # DATASET/.work/teacher.jsonl
_OF_RUNS = {  # file of a run folder -> its ledger
    "replies.jsonl": Kind(Reply, "ldrt generate --output {folder}"),
    "judgements.jsonl": Kind(Reply, "ldrt judge {folder}"),
    "pairwise.jsonl": Kind(Reply, "ldrt judge {folder} --against RUN"),
}
_OK = 2**62  # added to the place of a line with an answer, so that it counts before others


def answered(ledger: Path, wanted: Iterable[str]) -> dict[str, dict]:
    """key -> its record in the ledger, for the keys `wanted` that have one: the newest, an `ok` one before others."""
    keys = set(wanted)
    records: dict[str, dict] = {}
    for record in _kind(ledger).rows(ledger):
        key = record["key"]
        if key in keys and (record["status"] == "ok" or not is_ok(records, key)):
            records[key] = dict(record)
    return records


def is_ok(records: dict[str, dict], key: str) -> bool:
    """Whether the request with this key has its answer."""
    return key in records and records[key]["status"] == "ok"


def is_settled(record: Mapping[str, Any] | None, server: Server) -> bool:
    """Whether the request of this record (None: there is none) need not be asked again.

    It has its answer; or its reply was paid for and the same would be paid for again: one that cannot be read, unless
    the server's `retry_unparsable` asks for another, or one that was cut where it would be cut again.
    """
    if record is None:
        return False
    if record["status"] == "unparsable":
        return not server.retry_unparsable
    if record["status"] == "truncated":
        return not server.retry_unparsable and used_tokens(record.get("usage"))[1] >= server.longest_reply
    return record["status"] == "ok"


class Index:
    """Where in a ledger the newest reply to each request stands, an `ok` one before others; 16 bytes a key."""

    def __init__(self, ledger: Path):
        """Reads the ledger once; it may be absent. Raises ValueError naming a line that is none of a ledger."""
        self._ledger = ledger
        lines = _kind(ledger).placed_rows(ledger)
        self._places = CompactMap(
            (bytes.fromhex(line["key"]), offset + _OK * (line["status"] == "ok")) for offset, line in lines
        )

    def is_ok(self, key: str) -> bool:
        """Whether the request with this key has its answer."""
        place = self._places.get(bytes.fromhex(key))
        return place is not None and place >= _OK

    def is_settled(self, key: str, server: Server) -> bool:
        """Whether the request with this key need not be asked again; see the function of that name."""
        return self.is_ok(key) or is_settled(self.record(key), server)

    def record(self, key: str) -> dict | None:
        """What the ledger says of the request with this key; None where it was not asked."""
        place = self.place(key)
        record = None if place is None else self.at(place)
        return record if record and record["key"] == key else None

    def place(self, key: str) -> int | None:
        """Where its line begins, in bytes."""
        place = self._places.get(bytes.fromhex(key))
        return None if place is None else place % _OK

    def at(self, place: int) -> dict:
        """The record whose line begins there."""
        with self._ledger.open("rb") as file:
            file.seek(place)
            return json.loads(file.readline())


def _kind(ledger: Path) -> Kind[Reply]:
    return _OF_RUNS.get(ledger.name, LEDGER)
