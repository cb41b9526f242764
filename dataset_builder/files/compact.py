"""A map of keys to whole numbers that stays small, however many there are: 16 bytes an entry, not the 200 of a dict."""

from array import array
from collections.abc import Iterable

import numpy as np

_HASH_BYTES = 8  # kept of a key's digest: among a million keys, two share them once in 37 million runs


class CompactMap:
    """Key (32 bytes of a digest, of which the first eight are kept) -> whole number; of one key the largest counts."""

    def __init__(self, entries: Iterable[tuple[bytes, int]]):
        keys, values = array("Q"), array("q")
        for digest, value in entries:
            keys.append(_short(digest))
            values.append(value)
        hashes, numbers = np.array(keys, dtype=np.uint64), np.array(values, dtype=np.int64)  # (entries,)
        order = np.lexsort((numbers, hashes))
        hashes, numbers = hashes[order], numbers[order]
        is_largest = np.append(hashes[1:] != hashes[:-1], True)[: len(hashes)]
        self._keys, self._values = hashes[is_largest], numbers[is_largest]

    def get(self, digest: bytes) -> int | None:
        """The number of the key with this digest; None where there is no such key."""
        key = np.uint64(_short(digest))
        place = int(np.searchsorted(self._keys, key))
        return int(self._values[place]) if place < len(self._keys) and self._keys[place] == key else None

    def __len__(self) -> int:
        return len(self._keys)


def _short(digest: bytes) -> int:
    return int.from_bytes(digest[:_HASH_BYTES], "big")
