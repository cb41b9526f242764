"""The batches of a run, on disk: what was submitted, where it stands, what came back. Nothing is submitted twice."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from dataset_builder.files.jsonfiles import write_json


@dataclass
class Batch:
    """One batch of the OpenAI Batch API; its files in `folder` are NAME.requests.jsonl, NAME.json and NAME.K.jsonl."""

    name: str  # start of the sha256 of its requests
    base_url: str
    file_id: str | None = None  # of the requests at the server
    is_creating: bool = False  # the server may have been told to create it, and its answer not have come
    batch_id: str | None = None
    n_replies: int | None = None  # files of replies that are here; None: it has not ended

    def save(self, folder: Path) -> None:
        """Keep where it stands, whole after a crash."""
        write_json(folder / f"{self.name}.json", asdict(self))

    def requests(self, folder: Path) -> Path:
        """The file that is sent."""
        return folder / f"{self.name}.requests.jsonl"

    def replies(self, folder: Path, number: int) -> Path:
        """A file that came back: the replies, or the errors."""
        return folder / f"{self.name}.{number}.jsonl"

    def forget(self, folder: Path) -> None:
        """Away with its files: the replies are in the ledger."""
        for path in folder.glob(f"{self.name}.*"):
            path.unlink()


def saved(folder: Path, base_url: str) -> list[Batch]:
    """The batches of earlier runs at this server, oldest first."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    batches = [Batch(**json.loads(path.read_text(encoding="utf-8"))) for path in files]
    return [batch for batch in batches if batch.base_url == base_url]


def keys_of(requests: Path) -> Iterator[str]:
    """The keys of the requests in a batch's file."""
    with requests.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["custom_id"]


class Replies:
    """The lines of a batch's files that came back, by key."""

    def __init__(self, paths: list[Path]):
        self._places: dict[str, tuple[Path, int]] = {}
        for path in paths:
            offset = 0
            with path.open("rb") as file:
                for line in file:
                    if line.strip():
                        self._places[json.loads(line)["custom_id"]] = path, offset
                    offset += len(line)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def read(self, key: str) -> dict:
        """The line about the request with this key."""
        path, offset = self._places[key]
        with path.open("rb") as file:
            file.seek(offset)
            return json.loads(file.readline())


class Part:
    """The requests of a batch, one or more, as they are written; `close` gives the batch."""

    def __init__(self, folder: Path):
        self._path = folder / "requests.partial"
        self._file = self._path.open("wb")
        self.n = self.n_bytes = 0

    def add(self, line: bytes) -> None:
        """One request."""
        self._file.write(line)
        self.n, self.n_bytes = self.n + 1, self.n_bytes + len(line)

    def close(self, name: str, base_url: str) -> Batch:
        """The requests are on the disk before anything is said of them."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        batch = Batch(name, base_url)
        os.replace(self._path, batch.requests(self._path.parent))
        batch.save(self._path.parent)
        return batch
