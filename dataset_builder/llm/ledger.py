"""The ledger of an LLM's replies: an append-only JSONL file, one line a reply, on the disk before it counts."""

from collections.abc import Iterable
from pathlib import Path
from typing import NotRequired

from typing_extensions import TypedDict

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


def answered(ledger: Path, wanted: Iterable[str]) -> dict[str, dict]:
    """key -> its record in the ledger, for the keys `wanted` that have one: the newest, an `ok` one before others."""
    keys = set(wanted)
    records: dict[str, dict] = {}
    for record in _OF_RUNS.get(ledger.name, LEDGER).rows(ledger):
        key = record["key"]
        if key in keys and (record["status"] == "ok" or not is_ok(records, key)):
            records[key] = dict(record)
    return records


def is_ok(records: dict[str, dict], key: str) -> bool:
    """Whether the request with this key has its answer: every other status is asked again."""
    return key in records and records[key]["status"] == "ok"
