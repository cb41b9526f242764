"""Whether an error says that a disk is full, which is no fault of the file that was read."""

import errno
from collections.abc import Iterator

_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
# Of libraries that raise errors of their own (safetensors, torch, SQLite), and of a process that could only say it.
_WORDS = ("No space left on device", "Disk quota exceeded", "failed writing file", "disk is full")


def is_full(error: BaseException) -> bool:
    """Whether the error, or one that it came from, is of a full disk or quota."""
    return any(
        (isinstance(one, OSError) and one.errno in _NUMBERS) or any(words in str(one) for words in _WORDS)
        for one in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
