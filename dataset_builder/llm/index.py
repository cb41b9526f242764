"""Where in a ledger the reply to each request stands: replies are read one at a time, however many there are."""

import json
from pathlib import Path


class Index:
    """The lines of a ledger by key: the newest, an `ok` one before others. About 150 bytes of memory a key."""

    def __init__(self, ledger: Path):
        """Reads the ledger once; it may be absent. Raises ValueError naming a line that is no JSON."""
        self._ledger = ledger
        self._ok: dict[bytes, int] = {}  # digest -> offset of its line
        self._other: dict[bytes, int] = {}
        if ledger.exists():
            self._read()

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

    def _read(self) -> None:
        offset = 0
        with self._ledger.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return  # torn: `append_jsonl` will cut it off
                try:
                    record = json.loads(line)
                except ValueError as error:
                    message = f"{self._ledger}, line {number}: not JSON; remove the line and run again"
                    raise ValueError(message) from error
                if key := record.get("key"):
                    of_status = self._ok if record["status"] == "ok" else self._other
                    of_status[bytes.fromhex(key)] = offset
                offset += len(line)
