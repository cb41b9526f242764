"""Files of a folder that somebody hands over: which of them may be opened and sent on, and how much is read of one."""

from pathlib import Path

from trust.errors import RefusedError

MAX_JSON_BYTES = 64 * 1024 * 1024  # the index of a model of 100,000 tensors has ten million; more is no configuration


def inside(folder: Path, path: Path, blobs: Path | None = None) -> Path:
    """`path`, a regular file of `folder` or of a folder in it.

    A link passes that leads to a file beside it; any other could be any file of whoever opens or publishes the folder.
    `blobs` is a folder that links may lead into: the Hub's cache keeps `snapshots/COMMIT/NAME` as links to
    `blobs/HASH` of the same repository. Raises RefusedError, in one line, for anything else; nothing is opened.
    """
    try:
        home, target = folder.resolve(strict=True), path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # a link to nothing, or in a circle
        raise RefusedError(
            f"{path} is no regular file but a link to nothing ({error}): put the file itself there, or remove it"
        ) from error
    beside = (home / path.relative_to(folder)).parent
    if target.parent not in (beside, blobs):
        raise RefusedError(f"{path} is a link out of its folder, to {target}: put the file itself there, or remove it")
    if not target.is_file():
        raise RefusedError(f"{path} is no regular file: put the file itself there, or remove it")
    return path


def read_limited(path: Path, limit_bytes: int = MAX_JSON_BYTES) -> bytes:
    """The bytes of a regular file. Raises RefusedError where there are more than the limit, or where it is none."""
    if not path.is_file():
        raise RefusedError(f"{path} is no regular file: put the file itself there, or remove it")
    with path.open("rb") as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        size = path.stat().st_size
        raise RefusedError(f"{path} has {size:,} bytes, at most {limit_bytes:,} are read: no such file has so many")
    return content
