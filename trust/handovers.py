"""Hand-over files: JSON that one command writes and another reads, perhaps years later, perhaps changed by hand.

    PREDICTIONS = Kind(Prediction, "ldrt generate --output {folder}")
    append_jsonl(path, map(stamped, rows))
    for row in PREDICTIONS.rows(path): ...

Each file says its format (a JSONL file in every row), and what is read has the keys and types of its TypedDict or is
refused with one line: which file, which line, what is wrong, what to do. Files of before formats were written down have
no `format`; they are read where their keys are right.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Generic, NoReturn, TypeVar

import yaml

from trust.errors import RefusedError
from trust.files import read_limited

FORMAT = 1  # raised when a file changes so that older code would misread it
KEY = "format"
MAX_BYTES = 1024**3  # the certificate of ten million articles has half of it
MAX_LINE_BYTES = 256 * 1024**2  # of a JSONL file; an article's whole text has a hundredth of it

Shape = TypeVar("Shape")


def stamped(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a JSON file, or of a line of a JSONL file, with its format."""
    return {KEY: FORMAT, **content} | {KEY: FORMAT}


@dataclass(frozen=True)
class Kind(Generic[Shape]):
    """One kind of hand-over file."""

    shape: type[Shape]  # a TypedDict (of typing_extensions, as pydantic asks on Python 3.11); further keys are let be
    made_by: str  # the command that makes it; "{folder}" stands for the folder that it lies in
    max_bytes: int = MAX_BYTES  # of a file that is read whole
    is_edited: bool = False  # by people, and written whole: a last line that is no JSON is a slip, which no kill made

    def read(self, path: Path) -> Shape:
        """The object of a JSON or YAML file. Raises FileNotFoundError, or ValueError in one line."""
        if not path.exists():
            raise FileNotFoundError(f"{path} is absent: run `{self._command(path)}` first")
        cure = f"remove it and run `{self._command(path)}` again"
        written = read_limited(path, self.max_bytes)
        try:
            content = _parse_yaml(written) if path.suffix == ".yaml" else _parse(written)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not {path.suffix[1:].upper()} ({error}): {cure}") from error
        return self._check(content, str(path), path, cure)

    def read_if_there(self, path: Path) -> Shape | None:
        """As `read`; None where the file is absent."""
        return self.read(path) if path.exists() else None

    def rows(self, path: Path) -> Iterator[Shape]:
        """The objects of a JSONL file, without a last line that a kill has torn; none when the file is absent.

        Of a file that people edit the last line counts as any other. Raises ValueError, in one line, for any other line
        that is not what it should be.
        """
        for _, row in self.placed_rows(path):
            yield row

    def placed_rows(self, path: Path) -> Iterator[tuple[int, Shape]]:
        """As `rows`, each with the place in the file, in bytes, where its line begins."""
        if not path.exists():
            return
        if not path.is_file():
            raise RefusedError(f"{path} is no regular file: put the file itself there, or remove it")
        cure = f"take the line out and run `{self._command(path)}` again"
        place = 0
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file), 1):
                where = f"{path}, line {number}"
                if len(line) > MAX_LINE_BYTES:
                    raise ValueError(f"{where} has more than {MAX_LINE_BYTES:,} bytes: {cure}")
                try:
                    content = _parse(line)
                except (ValueError, RecursionError) as error:
                    if not line.endswith(b"\n") and not self.is_edited:
                        return  # torn: who appends next will cut it off
                    raise ValueError(f"{where}: not JSON ({error}): {cure}") from error
                yield place, self._check(content, where, path, cure)
                place += len(line)

    def _command(self, path: Path) -> str:
        return self.made_by.format(folder=path.parent)

    def _check(self, content: object, where: str, path: Path, cure: str) -> Shape:
        from pydantic import ValidationError  # takes a tenth of a second, and `--help` needs none of it

        if not isinstance(content, dict):
            raise ValueError(f"{where}: no JSON object: {cure}")
        version = content.get(KEY, 0)
        if isinstance(version, int) and version > FORMAT:
            raise ValueError(
                f"{where} was made by a newer ldrt (format {version}, this one knows {FORMAT}): update ldrt"
            )
        if version != FORMAT:
            cure = f"made by an older ldrt, or changed by hand: make it anew with `{self._command(path)}`"
        try:
            self._adapter.validate_python(content, strict=True)
        except ValidationError as error:
            raise ValueError(f"{where}: {_fault(error.errors(include_url=False)[0])}: {cure}") from error
        return content  # type: ignore[return-value]  # it has the shape, and keys that the shape does not name

    @cached_property
    def _adapter(self) -> Any:
        from pydantic import TypeAdapter

        return TypeAdapter(self.shape)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, of one that is too long a part that still is."""
    return iter(lambda: file.readline(MAX_LINE_BYTES + 1), b"")


def _parse(content: bytes) -> object:
    return json.loads(content.decode("utf-8"), parse_constant=_refuse)


def _parse_yaml(content: bytes) -> object:
    try:
        return yaml.safe_load(content.decode("utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _fault(error: Mapping[str, Any]) -> str:
    """What is wrong, in the words of the file: no `task`; `rows.3.value`: input should be a valid number, not str."""
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return f"no `{key}`"
    return f"`{key}`: {error['msg'][:1].lower()}{error['msg'][1:]}, not {type(error['input']).__name__}"
