"""Captions without a picture on their page, and the pictures of other pages: the figure pages of a manuscript, facing
pages, and what stands at the end of the page before or at the start of the next.

By the assignment that costs least; pairs that no rule allows are forbidden.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.captions import Caption, is_twin
from dataset_builder.readers.pdf.layout.issues import article_at
from dataset_builder.readers.pdf.layout.regions import ABOVE, BELOW, FORBIDDEN_PT
from dataset_builder.readers.pdf.layout.sheets import Sheet

SPLIT_GAP_PT = 24  # an empty strip between two figures on one page is wider, between panels of one it is narrower
PREVIOUS_PAGE_COST_PT = 0  # of a picture at the end of the page before its caption
NEXT_PAGE_COST_PT = 20  # of one at the start of the page behind it
FACING_PAGE_COST_PT = 40  # of one on a page of pictures beside it
ORDER_COST_PT = 1  # for each place by which pictures change their order: among equals the first goes to the first


class _Lost(NamedTuple):
    """A caption without a picture, and its page."""

    sheet: Sheet
    caption: Caption


class _Spare(NamedTuple):
    """A picture without a caption: drawings of one page."""

    sheet: Sheet
    boxes: list[Box]
    end: int  # ABOVE or BELOW at an end of a page with text, 0 on a page of pictures


def place_lost(sheets: list[Sheet], starts: list[int]) -> None:
    """Gives captions without a picture those of other pages: in order where there are as many, else of neighbours."""
    lost = _lost(sheets, starts)
    if not lost:
        return
    edges = [spare for sheet in sheets for spare in _at_ends(sheet)]
    pages = [_Spare(sheet, boxes, 0) for sheet in sheets if (boxes := sheet.spare_drawings())]
    pages = _split(pages, len(lost))
    in_order = len(pages) == len(lost)
    pairs = list(zip(lost, pages, strict=True)) if in_order else _cheapest(lost, [*pages, *edges])
    for (sheet, caption), spare in pairs:
        sheet.found[caption] = spare.sheet.region_of(spare.boxes)


def rank(caption: Caption) -> tuple[bool, int, int]:
    """Which of several captions of one label is the caption."""
    return bool(caption.text), caption.score, len(caption.text)


def _lost(sheets: list[Sheet], starts: list[int]) -> list[_Lost]:
    """For each label that has no picture anywhere its best caption, in the order in which the labels come up."""
    placed = [(article_at(sheet.page.number, starts), caption) for sheet in sheets for caption in sheet.found]
    best: dict[tuple[int, str, str], _Lost] = {}
    for sheet in sheets:
        article = article_at(sheet.page.number, starts)
        for caption in sheet.lost:
            label = article, caption.key, caption.panel
            if any(where == article and _have_one_picture(caption, other) for where, other in placed):
                continue
            if label not in best or rank(best[label].caption) < rank(caption):
                best[label] = _Lost(sheet, caption)
    return list(best.values())


def _have_one_picture(caption: Caption, other: Caption) -> bool:
    """Whether two captions are of one picture: those of "Figure 2A" and "Figure 2B" are where they stand together."""
    of_two = caption.panel and other.panel and caption.panel != other.panel
    return caption.key == other.key and (not of_two or is_twin(caption, other))


def _at_ends(sheet: Sheet) -> list[_Spare]:
    if sheet.spare_drawings():
        return []
    return [_Spare(sheet, boxes, side) for side in (ABOVE, BELOW) if (boxes := sheet.drawings_at(side))]


# ---- several figures on one page ----


def _split(pages: list[_Spare], wanted: int) -> list[_Spare]:
    """The pictures cut at their widest empty strips until there are as many as wanted; uncut where there are not."""
    pieces = list(pages)
    while pieces and len(pieces) < wanted:
        cuts = [_widest_cut(spare.boxes) for spare in pieces]
        k = max(range(len(cuts)), key=lambda k: cuts[k].gap)
        if cuts[k].gap < SPLIT_GAP_PT:
            return pages
        pieces[k : k + 1] = [_Spare(pieces[k].sheet, boxes, 0) for boxes in (cuts[k].first, cuts[k].second)]
    return pieces


class _Cut(NamedTuple):
    """An empty strip, in points, and the boxes on either side of it."""

    gap: float
    first: list[Box]
    second: list[Box]


def _widest_cut(boxes: list[Box]) -> _Cut:
    """The widest empty strip across the page or down the page that parts some boxes."""
    best = _Cut(0.0, boxes, [])
    for axis in (1, 0):
        ordered = sorted(boxes, key=lambda box: box[axis])
        end = ordered[0][axis + 2]
        for k in range(1, len(ordered)):
            gap = ordered[k][axis] - end
            if gap > best.gap:
                best = _Cut(gap, ordered[:k], ordered[k:])
            end = max(end, ordered[k][axis + 2])
    return best


def _cheapest(lost: list[_Lost], spares: list[_Spare]) -> list[tuple[_Lost, _Spare]]:
    """The captions and the pictures of neighbouring pages that cost least together."""
    costs = np.full((len(lost), len(spares)), FORBIDDEN_PT)
    for i, caption in enumerate(lost):
        for k, spare in enumerate(spares):
            costs[i, k] = _cost(caption, spare) + ORDER_COST_PT * abs(i - k)
    rows, columns = linear_sum_assignment(costs)
    return [(lost[i], spares[k]) for i, k in zip(rows, columns, strict=True) if costs[i, k] < FORBIDDEN_PT]


def _cost(lost: _Lost, spare: _Spare) -> float:
    """Points; FORBIDDEN_PT where the picture cannot be the caption's."""
    behind = spare.sheet.page.number - lost.sheet.page.number
    if abs(behind) != 1:
        return FORBIDDEN_PT
    if spare.end == 0:
        return FACING_PAGE_COST_PT
    if spare.end == behind or not lost.sheet.ends_with(lost.caption, behind):
        return FORBIDDEN_PT
    return PREVIOUS_PAGE_COST_PT if behind < 0 else NEXT_PAGE_COST_PT
