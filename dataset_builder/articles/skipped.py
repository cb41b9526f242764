"""What is passed over: how many files by reason, and which ones."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypedDict

from dataset_builder.files.jsonfiles import read_jsonl, write_jsonl

MAX_NAMES = 1000  # of one reason; the others are only counted
HIDDEN_FILES, HIDDEN_FOLDERS, LINKS = "hidden files", "hidden folders", "links"

_TAR = ".tar"  # in front of the suffix of its compression


class SkippedRow(TypedDict):
    """A row of `provenance/skipped.jsonl`."""

    file: str  # relative to the articles folder; `x.zip!name` in an archive
    reason: str
    detail: str | None  # of another file of an article that is there: which one was taken, and why


class _Named(NamedTuple):
    file: str
    detail: str | None


class Skipped:
    """Files that are no article, and files of articles that are there already."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # reason -> files
        self._named: dict[str, list[_Named]] = defaultdict(list)

    def add(self, file: str, reason: str, detail: str | None = None) -> None:
        """Count a file; of each reason the first `MAX_NAMES` are remembered by name."""
        self.counts[reason] += 1
        if len(self._named[reason]) < MAX_NAMES:
            self._named[reason].append(_Named(file, detail))

    def rows(self) -> Iterator[SkippedRow]:
        """The files that are remembered, reason by reason."""
        for reason, files in self._named.items():
            for file, detail in files:
                yield {"file": file, "reason": reason, "detail": detail}

    def write(self, path: Path) -> None:
        """Write a line with the counts, then the rows, for `add_written`."""
        write_jsonl(path, [self.counts, *self.rows()])

    def add_written(self, path: Path, prefix: str) -> None:
        """Add what `write` has written, with `prefix` before each name."""
        counts, *rows = read_jsonl(path)
        self.counts.update(counts)
        for row in rows:
            names = self._named[row["reason"]]
            if len(names) < MAX_NAMES:
                names.append(_Named(prefix + row["file"], row["detail"]))


def suffix_of(name: str) -> str:
    """ "Data.XLSX" -> ".xlsx", "x.tar.xz" -> ".tar.xz"; "no suffix"."""
    path = PurePosixPath(name.lower())
    whole = path.suffixes[-2:-1] == [_TAR]
    return (_TAR if whole else "") + path.suffix or "no suffix"
