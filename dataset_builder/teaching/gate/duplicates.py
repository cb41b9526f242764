"""Answers that say again what another figure's answer said: the same facts in nearly the same words.

Answers that differ in a number, a name or a direction are about different things, however alike they read.
"""

import sqlite3
from collections.abc import Iterator

import numpy as np
from rapidfuzz import fuzz

from dataset_builder.teaching.facts import unified, words
from dataset_builder.teaching.gate.exam import Exam, Limits, Objection
from dataset_builder.teaching.gate.form import folded

_CACHE_KB = 8_000
_SHINGLE_CHARS = 6
_BANDS, _ROWS = 4, 4  # of minima: answers with 90 % of their shingles in common share a band by 98.6 %
_SEEDS = np.random.default_rng(14).integers(1, 2**63, (_BANDS * _ROWS, 1), dtype=np.uint64) | np.uint64(1)
_POWERS = np.cumprod(np.full(_SHINGLE_CHARS, 0x100000001B3, dtype=np.uint64), dtype=np.uint64)  # FNV's prime


class Seen:
    """The answers so far, by split and task: in a temporary file of SQLite's, of which it keeps a few megabytes."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
        self._db.execute("CREATE TABLE answers (place INTEGER PRIMARY KEY, example_id TEXT, text TEXT)")
        self._db.execute("CREATE TABLE bands (band INTEGER, place INTEGER, PRIMARY KEY (band, place)) WITHOUT ROWID")
        self._db.execute("BEGIN")  # one that never ends: nothing of it is to stay

    def copy_of(self, example_id: str, group: tuple[str, str], exam: Exam, limits: Limits) -> Objection | None:
        """Objects to an answer that copies earlier ones of its `group`, and remembers one that does not."""
        text, said = folded(exam.answer), _facts(exam)
        bands = [hash((group, said, band)) for band in enumerate(_bands(text))]
        copied = [other for other, known in self._alike(bands) if _is_copy(text, known, exam, limits)]
        most = limits.max_figures_a_quotation if exam.is_quotation else limits.max_figures_an_answer
        if len(copied) >= most:
            return Objection("near_duplicate", copied[0], most)
        self._remember(example_id, text, bands)
        return None

    def _alike(self, bands: list[int]) -> Iterator[tuple[str, str]]:
        """(example_id, text) of the answers that share a band, the oldest first."""
        query = "SELECT example_id, text FROM answers WHERE place IN (SELECT place FROM bands WHERE band IN ({}))"
        marks = ",".join("?" * len(bands))
        return self._db.execute(f"{query.format(marks)} ORDER BY place", bands)

    def _remember(self, example_id: str, text: str, bands: list[int]) -> None:
        said = (example_id, text.encode(errors="replace").decode())  # SQLite takes no half of a surrogate pair
        place = self._db.execute("INSERT INTO answers (example_id, text) VALUES (?, ?)", said).lastrowid
        self._db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, place) for band in bands])


def _is_copy(text: str, other: str, exam: Exam, limits: Limits) -> bool:
    """Nearly the same words; one that only this answer has, out of its evidence, makes another statement of it."""
    cutoff = 100 * limits.max_likeness
    if fuzz.ratio(text, other, score_cutoff=cutoff) < cutoff:
        return False
    own = {word.said for word in words(text, exam.language)} - {word.said for word in words(other, exam.language)}
    return not any(exam.known.says(word) for word in own)


def _facts(exam: Exam) -> int:
    """One number for the numbers, names and directions of an answer, in their order."""
    said = words(unified(exam.answer), exam.language)
    return hash(tuple(word.said for word in said if word.number or word.is_name or word.directions))


def _bands(text: str) -> list[int]:
    """MinHash of the text's shingles, in bands; one number a band."""
    codes = np.frombuffer(text.ljust(_SHINGLE_CHARS).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, _SHINGLE_CHARS)  # (shingles, chars)
    shingles = np.unique((windows * _POWERS).sum(axis=1, dtype=np.uint64))  # (different shingles,)
    mixed = (shingles ^ (shingles >> np.uint64(29))) * _SEEDS  # (bands * rows, different shingles)
    minima = (mixed >> np.uint64(16)).min(axis=1)  # (bands * rows,)
    return [hash(band.tobytes()) for band in minima.reshape(_BANDS, _ROWS)]
