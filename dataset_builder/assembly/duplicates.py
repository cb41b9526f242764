"""Duplicates: which figures show the same picture, by the bytes of their files or nearly so by a perceptual hash."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

HASH_BITS = 64  # of a perceptual hash
MAX_PHASH_DISTANCE = 4  # bits that differ; up to here two pictures count as the same (re-encoded, scaled)
MAX_ASPECT_RATIO = 1.1  # of two pictures' aspect ratios, the larger by the smaller; beyond it one is cropped
_BANDS = MAX_PHASH_DISTANCE + 1  # hashes at distance <= d agree in at least one of d + 1 bands
_BAND_BITS = -(-HASH_BITS // _BANDS)
_BLOCK = 1024  # pictures that are compared with all of their bucket at a time: bounds the memory for a huge bucket


@dataclass(frozen=True)
class FigureKey:
    """What duplicate detection needs of a figure; a few hundred bytes, so that millions fit into memory."""

    figure_id: str
    article_id: str
    image_sha256: str
    phash: str  # `HASH_BITS` bits as hex
    aspect: float  # width / height
    caption_sha256: str | None  # of the caption in lower case with white space collapsed


def caption_sha256(caption: str | None) -> str | None:
    """The hash two captions share when they differ in case and white space only; None without a caption."""
    if not caption:
        return None
    words = caption.lower().split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def figure_key(row: Mapping[str, Any]) -> FigureKey:
    """Of a row with the columns of `pairs`, with or without the others."""
    return FigureKey(
        figure_id=row["figure_id"],
        article_id=row["article_id"],
        image_sha256=row["image_sha256"],
        phash=row["phash"],
        aspect=row["width"] / row["height"],
        caption_sha256=caption_sha256(row["caption"]),
    )


def duplicate_groups(figures: list[FigureKey]) -> dict[str, str]:
    """figure_id -> the group it shares with its exact and near duplicates; figures without duplicates are left out.

    Two pictures are duplicates when their bytes are equal or when their perceptual hashes differ in at most
    `MAX_PHASH_DISTANCE` bits and their aspect ratios by at most a factor of `MAX_ASPECT_RATIO`. A group is named by
    its smallest figure_id.
    """
    same_bytes = alike(figures, lambda figure: figure.image_sha256)
    same_hash = alike(figures, lambda figure: (figure.phash, figure.aspect))
    exact = ([figure.figure_id for figure in bucket] for bucket in chain(same_bytes, same_hash))
    group_of = leaders((figure.figure_id for figure in figures), chain(exact, _near(figures)))
    sizes = Counter(group_of[figure.figure_id] for figure in figures)
    groups = {}
    for figure in figures:
        group = group_of[figure.figure_id]
        if sizes[group] > 1:
            groups[figure.figure_id] = group
    return groups


def alike(figures: Iterable[FigureKey], key: Callable[[FigureKey], Hashable]) -> Iterable[list[FigureKey]]:
    """The figures that share a key, bucket by bucket; those whose key is None are in none."""
    buckets: dict[Hashable, list[FigureKey]] = defaultdict(list)
    for figure in figures:
        shared = key(figure)
        if shared is not None:
            buckets[shared].append(figure)
    return buckets.values()


def leaders(names: Iterable[str], linked: Iterable[Iterable[str]]) -> dict[str, str]:
    """name -> the smallest of the names that it is linked with, at first or at second hand (itself, if none).

    Each of `linked` holds one or more of the names. The result does not depend on any order.
    """
    sets = DisjointSet(names)
    for first, *others in linked:
        for other in others:
            sets.merge(first, other)
    smallest: dict[str, str] = {}  # a set's own root -> its smallest name
    for name in sets:
        root = sets[name]
        smallest[root] = min(name, smallest.get(root, name))
    return {name: smallest[sets[name]] for name in sets}


def _near(figures: list[FigureKey]) -> Iterator[tuple[str, str]]:
    """Pairs of figure ids that link all whose pictures are nearly alike."""
    distinct = list({(figure.phash, figure.aspect): figure for figure in figures}.values())
    hashes = np.array([int(figure.phash, 16) for figure in distinct], dtype=np.uint64)  # (pictures,)
    aspects = np.array([figure.aspect for figure in distinct])  # (pictures,)
    for bucket in _buckets_of_bands(hashes):
        for i, j in _near_in_bucket(bucket, hashes, aspects):
            yield distinct[i].figure_id, distinct[j].figure_id


def _buckets_of_bands(hashes: np.ndarray) -> Iterator[np.ndarray]:
    """Places of two and more hashes (n,) uint64 that agree in a band of their bits, for each band."""
    mask = np.uint64((1 << _BAND_BITS) - 1)
    for band in range(_BANDS):
        bits = hashes >> np.uint64(band * _BAND_BITS) & mask  # (n,)
        order = np.argsort(bits, kind="stable")
        starts = np.flatnonzero(np.diff(bits[order])) + 1
        for places in np.split(order, starts):
            if len(places) > 1:
                yield places


def _near_in_bucket(places: np.ndarray, hashes: np.ndarray, aspects: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of the places (bucket,) that link all whose hashes (n,) are near and whose aspect ratios (n,) are alike."""
    for start in range(0, len(places), _BLOCK):
        block = places[start : start + _BLOCK, None]  # (block, 1)
        near = np.bitwise_count(hashes[block] ^ hashes[places]) <= MAX_PHASH_DISTANCE  # (block, bucket)
        near &= np.abs(np.log(aspects[block] / aspects[places])) <= np.log(MAX_ASPECT_RATIO)
        yield from _links(near, start, places)


def _links(near: np.ndarray, start: int, places: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs that link what the matrix `near` links: rows are the places from `start` on, columns all of them."""
    rows, columns = np.nonzero(near)
    rows += start
    once = rows < columns  # every pair stands there twice, and each place with itself
    rows, columns = rows[once], columns[once]
    if len(rows) > len(places):  # pictures that are all alike have pairs by the million
        rows, columns = _fewer_links(rows, columns, len(places))
    yield from zip(places[rows].tolist(), places[columns].tolist(), strict=True)


def _fewer_links(rows: np.ndarray, columns: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Fewer than `n` pairs that link the same of `n` places as the pairs (rows, columns) do."""
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(n, n))
    _, labels = connected_components(graph, directed=False)  # (n,)
    first = np.unique(labels, return_index=True)[1][labels]  # of each place the first that it is linked with
    others = np.flatnonzero(first != np.arange(n))
    return first[others], others
