"""Duplicates and splits: what shares a picture or a caption shares a split, and the certificate that proves it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dataset_builder.schema import SPLITS

MAX_PHASH_DISTANCE = 4  # of 64 bits; up to here two pictures count as the same (re-encoded, scaled)
_BANDS = MAX_PHASH_DISTANCE + 1  # hashes at distance <= d agree in at least one of d + 1 bands
_BLOCK = 1024


@dataclass(frozen=True)
class Splitting:
    """How large the held-out splits are, and the seed that draws them.

    A size below 1 is a share of the figures, from 1 on their number (the paper: 1574); in either case at least
    `min_articles` articles are held out where there are enough.
    """

    test_size: float = 0.03
    validation_size: float = 0.03
    min_articles: int = 10
    seed: int = 0


@dataclass(frozen=True)
class FigureKey:
    """What duplicate detection needs of a figure; a few hundred bytes, so that millions fit into memory."""

    figure_id: str
    article_id: str
    image_sha256: str
    phash: str  # 64 bits as hex
    aspect: float  # width / height
    caption_sha256: str | None  # of the caption in lower case with white space collapsed


def caption_sha256(caption: str | None) -> str | None:
    """The hash two captions share when they differ in case and white space only; None without a caption."""
    return hashlib.sha256(" ".join(caption.lower().split()).encode()).hexdigest() if caption else None


class _Groups:
    """Disjoint sets of strings (union-find with path halving)."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def find(self, item: str) -> str:
        parent = self.parent
        parent.setdefault(item, item)
        while parent[item] != item:
            parent[item] = item = parent[parent[item]]
        return item

    def join(self, a: str, b: str) -> None:
        low, high = sorted((self.find(a), self.find(b)))
        self.parent[high] = low  # the smallest name leads: the result does not depend on the order of joins

    def join_all(self, members: Iterable[str]) -> None:
        first, *others = members
        for other in others:
            self.join(first, other)


def duplicate_groups(figures: list[FigureKey]) -> dict[str, str]:
    """figure_id -> the group it shares with its exact and near duplicates; figures without duplicates are left out.

    Two pictures are duplicates when their bytes are equal or when their perceptual hashes differ in at most
    `MAX_PHASH_DISTANCE` bits and their aspect ratios by at most 10 %.
    """
    groups = _Groups()
    for same in (lambda f: f.image_sha256, lambda f: (f.phash, f.aspect)):
        for bucket in _buckets(figures, same).values():
            groups.join_all(figure.figure_id for figure in bucket)
    distinct = list({(figure.phash, figure.aspect): figure for figure in figures}.values())
    hashes = np.array([int(figure.phash, 16) for figure in distinct], dtype=np.uint64)
    aspects = np.array([figure.aspect for figure in distinct])
    for i, j in _near_pairs(hashes, aspects):
        groups.join(distinct[i].figure_id, distinct[j].figure_id)
    sizes = Counter(groups.find(figure.figure_id) for figure in figures)
    return {f.figure_id: groups.find(f.figure_id) for f in figures if sizes[groups.find(f.figure_id)] > 1}


def _near_pairs(hashes: np.ndarray, aspects: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of places that link all whose hashes (n,) uint64 are near and whose aspect ratios (n,) are alike."""
    width = -(-64 // _BANDS)
    for band in range(_BANDS):
        keys = hashes >> np.uint64(band * width) & np.uint64((1 << width) - 1)
        order = np.argsort(keys, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
            for start in range(0, len(places) if len(places) > 1 else 0, _BLOCK):  # bounds the memory for a huge bucket
                block = places[start : start + _BLOCK, None]
                near = np.bitwise_count(hashes[block] ^ hashes[places]) <= MAX_PHASH_DISTANCE  # (block, bucket)
                near &= np.abs(np.log(aspects[block] / aspects[places])) <= np.log(1.1)
                yield from _links(near, start, places)


def _links(near: np.ndarray, start: int, places: np.ndarray) -> Iterator[tuple[int, int]]:
    """Few pairs that link what the matrix `near` links: rows are the places from `start` on, columns all of them."""
    rows, columns = np.nonzero(near)
    graph = coo_array((np.ones(len(rows), bool), (rows + start, columns)), shape=(len(places), len(places)))
    _, labels = connected_components(graph, directed=False)
    first = np.unique(labels, return_index=True)[1][labels]  # of each place the first that it is linked with
    for i in np.flatnonzero(first != np.arange(len(places))):
        yield int(places[first[i]]), int(places[i])


def _buckets(figures: Iterable[FigureKey], key: Callable) -> dict:
    buckets = defaultdict(list)
    for figure in figures:
        if key(figure) is not None:
            buckets[key(figure)].append(figure)
    return buckets


def assign(
    figures: list[FigureKey],
    duplicates: dict[str, str],
    splitting: Splitting,
    published: dict[str, str],
) -> dict[str, str]:
    """article_id -> split. Articles that share a duplicate group or a caption go together.

    Of a first build `test` and `validation` get the figures asked for, at most one group more, and at least
    `min_articles` articles (or a fifth of all, if that is less); the rest is `train`. `published`, the assignment of
    an earlier build, is kept; newcomers join the split they are linked to, else `train`, and those that would link two
    splits are left out of the result. The order is drawn from the seed and the names alone.
    """
    linked = _Groups()
    members = [*_buckets(figures, lambda f: duplicates.get(f.figure_id)).values()]
    members += _buckets(figures, lambda f: f.caption_sha256).values()
    for bucket in members:
        linked.join_all(figure.article_id for figure in bucket)
    sizes = Counter(figure.article_id for figure in figures)
    components = defaultdict(list)
    for article in sizes:
        components[linked.find(article)].append(article)
    splits, free = {}, []
    for name, articles in components.items():
        known = {published[a] for a in articles if a in published}
        splits.update({a: published[a] for a in articles if a in published})
        newcomers = [a for a in articles if a not in published]
        if not known:
            free.append(name)
        elif len(known) == 1:
            splits.update(dict.fromkeys(newcomers, known.pop()))
    if published:  # a later build: what is new and unlinked only adds to the training data
        return splits | {a: "train" for name in free for a in components[name]}
    free.sort(key=lambda name: hashlib.sha256(f"{splitting.seed}/{name}".encode()).digest())
    floor = min(splitting.min_articles, len(sizes) // 5)
    for split, size in (("test", splitting.test_size), ("validation", splitting.validation_size)):
        wanted = round(size * len(figures)) if size < 1 else round(size)
        free = _fill(split, free, components, sizes, wanted, floor, splits)
    return splits | {a: "train" for name in free for a in components[name]}


def _fill(split, free, components, sizes, figures_wanted, articles_wanted, splits) -> list[str]:
    """Move components from `free` into `split` until both wishes are met; returns those left over."""
    figures = articles = 0
    left = []
    for name in free:
        size = sum(sizes[article] for article in components[name])
        enough = figures >= figures_wanted and articles >= articles_wanted
        if enough or size > max(figures_wanted, 10 * articles_wanted):  # one huge component would swallow a split
            left.append(name)
            continue
        splits.update(dict.fromkeys(components[name], split))
        figures, articles = figures + size, articles + len(components[name])
    return left


def certificate(figures: list[FigureKey], duplicates: dict[str, str], splits: dict[str, str], seed: int) -> dict:
    """`provenance/splits.json`: sizes, every article's split, and the collisions (none, if all is well).

    A collision is an article, image, near-duplicate group or caption that stands in more than one split.
    """
    kinds = {
        "image": lambda f: f.image_sha256,
        "near_duplicate": lambda f: duplicates.get(f.figure_id),
        "caption": lambda f: f.caption_sha256,
    }
    collisions = [
        {"kind": kind, "figures": sorted(f.figure_id for f in bucket)}
        for kind, key in kinds.items()
        for bucket in _buckets(figures, key).values()
        if len({splits[f.article_id] for f in bucket}) > 1
    ]
    counts = {}
    for split in SPLITS:
        inside = [f for f in figures if splits[f.article_id] == split]
        counts[split] = {
            "articles": len({f.article_id for f in inside}),
            "figures": len(inside),
            "groups": len({duplicates.get(f.figure_id, f.figure_id) for f in inside}),
        }
    return {
        "seed": seed,
        "max_phash_distance": MAX_PHASH_DISTANCE,
        "splits": counts,
        "collisions": sorted(collisions, key=lambda c: (c["kind"], c["figures"])),
        "assignments": dict(sorted(splits.items())),
    }
