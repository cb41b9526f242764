"""Where in a ledger the reply to each request stands: replies are read one at a time, however many there are."""

import json
from pathlib import Path

from dataset_builder.llm.ledger import LEDGER


class Index:
    """The lines of a ledger by key: the newest, an `ok` one before others. About 150 bytes of memory a key."""

    def __init__(self, ledger: Path):
        """Reads the ledger once; it may be absent. Raises ValueError naming a line that is none of a ledger."""
        self._ledger = ledger
        self._ok: dict[bytes, int] = {}  # digest -> offset of its line
        self._other: dict[bytes, int] = {}
        for offset, reply in LEDGER.placed_rows(ledger):
            of_status = self._ok if reply["status"] == "ok" else self._other
            of_status[bytes.fromhex(reply["key"])] = offset

    def is_ok(self, key: str) -> bool:
        """Whether the request with this key has its answer."""
        return bytes.fromhex(key) in self._ok

    def record(self, key: str) -> dict | None:
        """What the ledger says of the request with this key; None where it was not asked."""
        digest = bytes.fromhex(key)
        offset = self._ok.get(digest, self._other.get(digest))
        if offset is None:
            return None
        with self._ledger.open("rb") as file:
            file.seek(offset)
            return json.loads(file.readline())
