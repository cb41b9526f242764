"""Splits: what shares a picture or a caption shares a split, and the certificate that proves it."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import chain

from typing_extensions import TypedDict

from dataset_builder.assembly.duplicates import MAX_PHASH_DISTANCE, FigureKey, alike, leaders
from dataset_builder.assembly.settings import MOST_HELD_OUT, Splitting
from dataset_builder.schema import SPLITS
from trust.handovers import Kind

_ARTICLES_A_HELD_OUT_ONE = 5  # `min_articles` asks for one in so many at most: a small dataset is to train with, too
_FAR_SHARE = 0.05  # of all figures: a split further from what was asked than this …
_FAR_FACTOR = 1.5  # … and by this factor is worth a warning
_MOST_FIGURES_AN_ARTICLE = 10  # a component with more, for each article that a split asks for, would fill it alone


@dataclass(frozen=True)
class Component:
    """Articles that must share a split, as their figures or captions do; named by the smallest of them."""

    name: str
    articles: list[str]
    figures: int  # of all its articles


def assign(
    figures: list[FigureKey], duplicates: dict[str, str], splitting: Splitting, published: dict[str, str]
) -> dict[str, str]:
    """article_id -> split. Articles that share a duplicate group or a caption go together.

    `published` is the assignment of an earlier build, {} for none: what is published stays where it is (`extend`);
    the first build draws (`draw`).
    """
    components = components_of(figures, duplicates)
    return extend(published, components) if published else draw(components, splitting)


def extend(published: dict[str, str], components: list[Component]) -> dict[str, str]:
    """The published assignment of these articles, and the newcomers' splits.

    Newcomers join the split that they are linked to, else `train`: what is new only adds to the training data. Those
    that would link two splits are left out of the result.
    """
    splits: dict[str, str] = {}
    for component in components:
        known = {article: published[article] for article in component.articles if article in published}
        linked_to = set(known.values()) or {"train"}
        if len(linked_to) == 1:
            splits.update(dict.fromkeys(component.articles, linked_to.pop()))
        else:
            splits.update(known)
    return splits


def draw(components: list[Component], splitting: Splitting) -> dict[str, str]:
    """The splits of a first build, in an order that is drawn from the seed and the names alone.

    `test` and `validation` get the figures asked for, at most one component more, and at least `min_articles` articles
    (or a fifth of all, if that is less), but together no more than half of the figures (`MOST_HELD_OUT`); the rest is
    `train`.
    """
    figures = sum(component.figures for component in components)
    articles = sum(len(component.articles) for component in components)
    min_articles = min(splitting.min_articles, articles // _ARTICLES_A_HELD_OUT_ONE)
    free = sorted(components, key=lambda c: hashlib.sha256(f"{splitting.seed}/{c.name}".encode()).digest())
    splits: dict[str, str] = {}
    left = int(MOST_HELD_OUT * figures)
    wanted = {split: n for split, n in splitting.bounded(figures).items() if splitting.sizes()[split] > 0}
    for number, split in enumerate(wanted, 1):
        for_others = sum([*wanted.values()][number:])
        taken = _fill(free, wanted[split], min_articles, left - for_others)
        left -= sum(component.figures for component in taken)
        for component in taken:
            splits.update(dict.fromkeys(component.articles, split))
        free = [component for component in free if component.name not in splits]
    for component in free:
        splits.update(dict.fromkeys(component.articles, "train"))
    return splits


def _fill(free: list[Component], min_figures: int, min_articles: int, max_figures: int) -> list[Component]:
    """The components that a held-out split takes, in their order, until it has the figures and articles asked for.

    One that alone holds more than either wish is passed over, as it would swallow the split; and so is one that would
    make it larger than `max_figures`.
    """
    largest = max(min_figures, _MOST_FIGURES_AN_ARTICLE * min_articles)  # figures
    taken: list[Component] = []
    figures = articles = 0
    for component in free:
        if figures >= min_figures and articles >= min_articles:
            break
        if component.figures > largest or figures + component.figures > max_figures:
            continue
        taken.append(component)
        figures += component.figures
        articles += len(component.articles)
    return taken


def far_from_asked(drawn: dict[str, dict[str, int]], splitting: Splitting, components: list[Component]) -> list[str]:
    """A warning for each held-out split of a first build that is empty, or far from the size asked for.

    `drawn` are the sizes in a `Certificate`, `components` what they were drawn from.
    """
    total = sum(sizes["figures"] for sizes in drawn.values())
    warnings = []
    for split in ("validation", "test"):
        size, wanted, got = splitting.sizes()[split], splitting.asked(total)[split], drawn[split]["figures"]
        low, high = sorted((wanted, got))
        is_far = high - low > _FAR_SHARE * total and high > _FAR_FACTOR * low
        if is_far or (size > 0 and got == 0 and total > 0):
            asked = f"{wanted} were asked for (--{split}_size {size:g})"
            why = _why(wanted, got, total, components)
            warnings.append(f"{split} has {got} of {total} figures, {asked}: {why}")
    return warnings


def _why(wanted: int, got: int, total: int, components: list[Component]) -> str:
    if got > wanted:
        return "articles stay whole, and --min_articles are held out where there are enough"
    if wanted == 0:
        return "that share of them is less than one; a whole number asks for so many"
    smallest = min(components, key=lambda component: component.figures)
    if got == 0 and smallest.figures > min(wanted, MOST_HELD_OUT * total):
        one = "article" if len(smallest.articles) == 1 else "group of articles that share figures"
        return f"articles stay whole, and each {one} has {smallest.figures} figures or more"
    if wanted > MOST_HELD_OUT * total - got:
        return "at least half of the figures are left to train with"
    return "articles stay whole, those that share figures stay together, and those left are too large"


def components_of(figures: list[FigureKey], duplicates: dict[str, str]) -> list[Component]:
    """The articles of the figures, those together that share a duplicate group or a caption."""
    sizes = Counter(figure.article_id for figure in figures)
    same_picture = alike(figures, lambda figure: duplicates.get(figure.figure_id))
    same_caption = alike(figures, lambda figure: figure.caption_sha256)
    linked = ([figure.article_id for figure in bucket] for bucket in chain(same_picture, same_caption))
    members: dict[str, list[str]] = defaultdict(list)
    for article, leader in leaders(sizes, linked).items():
        members[leader].append(article)
    return [Component(name, articles, sum(sizes[a] for a in articles)) for name, articles in members.items()]


class Collision(TypedDict):
    """Figures (ids) that share an image, a near-duplicate group or a caption and stand in more than one split."""

    kind: str  # image | near_duplicate | caption
    figures: list[str]


class Certificate(TypedDict):
    """`provenance/splits.json`: sizes, every article's split, and the collisions (none, if all is well)."""

    seed: int
    max_phash_distance: int  # bits
    splits: dict[str, dict[str, int]]  # split -> numbers of articles, figures, groups of duplicates
    collisions: list[Collision]
    assignments: dict[str, str]  # article_id -> split


CERTIFICATE_FILE = Kind(Certificate, "ldrt build")


def certificate(figures: list[FigureKey], duplicates: dict[str, str], splits: dict[str, str], seed: int) -> Certificate:
    """What the splits of these figures are like; `splits` may name more articles than have figures here."""
    return {
        "seed": seed,
        "max_phash_distance": MAX_PHASH_DISTANCE,
        "splits": {split: _sizes(figures, duplicates, splits, split) for split in SPLITS},
        "collisions": _collisions(figures, duplicates, splits),
        "assignments": dict(sorted(splits.items())),
    }


def _sizes(figures: list[FigureKey], duplicates: dict[str, str], splits: dict[str, str], split: str) -> dict[str, int]:
    inside = [figure for figure in figures if splits[figure.article_id] == split]
    groups = {duplicates.get(figure.figure_id, figure.figure_id) for figure in inside}
    articles = {figure.article_id for figure in inside}
    return {"articles": len(articles), "figures": len(inside), "groups": len(groups)}


def _collisions(figures: list[FigureKey], duplicates: dict[str, str], splits: dict[str, str]) -> list[Collision]:
    shared = {
        "image": alike(figures, lambda figure: figure.image_sha256),
        "near_duplicate": alike(figures, lambda figure: duplicates.get(figure.figure_id)),
        "caption": alike(figures, lambda figure: figure.caption_sha256),
    }
    found: list[Collision] = []
    for kind, buckets in shared.items():
        crossing = (bucket for bucket in buckets if len({splits[figure.article_id] for figure in bucket}) > 1)
        found += [{"kind": kind, "figures": sorted(figure.figure_id for figure in bucket)} for bucket in crossing]
    return sorted(found, key=lambda collision: (collision["kind"], collision["figures"]))
