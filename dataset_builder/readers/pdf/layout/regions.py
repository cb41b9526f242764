"""Captions and clusters of drawings of one page -> which clusters belong to which caption, and the region they fill.

Two boxes see each other when the rectangle around both holds no barrier: neither running text nor a caption.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.captions import Caption
from dataset_builder.readers.pdf.layout.lines import Line

OTHER_SIDE_COST_PT = 60  # a cluster on the unusual side of its caption must be this much nearer
BESIDE_COST_PT = 30
PAST_TEXT_COST_PT = 30  # more for one beside its caption where running text stands above or below the caption
BESIDE_REACH_PT = 40  # across a gutter: a caption is no farther from the tall figure beside it
FORBIDDEN_PT = 1e9
GROWTH_PT = 12  # clusters up to this far from a figure join it together, those farther away one after the other
CROSSING_SHARE = 0.15  # of a barrier's area in the rectangle between two boxes: it parts them
RIVAL_SHARE = 0.1  # of the smaller one that a figure grown by a cluster may share with another figure
LABEL_REACH_PT = 14  # stray text nearer than this to a figure is part of it
TURNED_LABEL_REACH_PT = 30  # turned text is hardly ever anything else than the title of an axis
LETTER_REACH_PT = 30  # nor is a letter alone, in brackets or not, anything else than a panel's
DRAWING_MARGIN_PT = 0.25  # around drawings, whose boxes hold their strokes: what a pixel is too many
TEXT_MARGIN_PT = 1  # around text of a figure
STACK_GAP_EM = 1.5  # between captions one below the other, under figures side by side
_NAMES_PANELS = re.compile(r"\([A-Da-d](?:[,–-]\s?[A-Ha-h])?\)|(?<!\w)[A-Da-d][.,:]\s")  # "(A)", "A, dose"
GLYPH_OVERHANG_PT = 2.5  # letters reach this far out of the box of their line

ABOVE, BELOW = -1, 1  # the side of its caption on which a figure stands


class _Option(NamedTuple):
    """A figure that has clusters, and a further one that may join it."""

    distance: float  # points
    cluster: int  # its place in the list
    caption: Caption


def match(
    captions: list[Caption],
    drawings: list[Box],
    walls: list[Box],
    cells: list[Box],
    max_cost_pt: float,
    sides: Mapping[Caption, int],
) -> dict[Caption, list[Box]]:
    """For each caption of a page its clusters, by the assignment that costs least in all.

    `walls` are the lines of running text, `cells` those of all other text but captions, `sides` tell where most figures
    of a kind stand: ABOVE their captions or BELOW. A caption without a cluster costs `max_cost_pt`.
    """
    costs = _costs(captions, drawings, walls, cells, sides)
    alone = np.full((len(captions), len(captions)), max_cost_pt)
    rows, columns = linear_sum_assignment(np.hstack([costs, alone]))
    pairs = {int(k): int(c) for c, k in zip(rows, columns, strict=True) if k < len(drawings)}
    used = {k: c for k, c in pairs.items() if costs[c, k] < max_cost_pt}
    found = {captions[c]: [drawings[k]] for k, c in used.items()}
    free = [box for k, box in enumerate(drawings) if k not in used]
    _grow(found, free, [*walls, *_lines_of(captions)])
    _share_rows(found, captions)
    return found


def _costs(
    captions: list[Caption], drawings: list[Box], walls: list[Box], cells: list[Box], sides: Mapping[Caption, int]
) -> np.ndarray:
    """What each cluster costs each caption, points: (captions, drawings).

    One that no caption of a figure sees may stand across a gutter from its caption.
    """
    costs = np.full((len(captions), len(drawings)), FORBIDDEN_PT)
    for c, caption in enumerate(captions):
        barriers = _barriers(caption, captions, walls)
        for k, drawing in enumerate(drawings):
            if sees(caption.box, drawing, barriers) and not _is_past_table(caption, drawing, cells):
                costs[c, k] = _cost(caption, drawing, sides[caption])
    figures = [c for c, caption in enumerate(captions) if not caption.is_table]
    for k in np.flatnonzero((costs[figures] >= FORBIDDEN_PT).all(axis=0)).tolist():
        for c in figures:
            if _stands_across(captions[c], drawings[k], _barriers(captions[c], captions, walls)):
                costs[c, k] = _cost(captions[c], drawings[k], sides[captions[c]]) + PAST_TEXT_COST_PT
    return costs


def _barriers(caption: Caption, captions: list[Caption], walls: list[Box]) -> list[Box]:
    """What no figure of a caption reaches across."""
    return [*walls, *_lines_of(other for other in captions if other is not caption)]


def _is_past_table(caption: Caption, drawing: Box, cells: list[Box]) -> bool:
    """Whether a drawing without text stands behind the rows of the table that a caption heads: it is no part of it."""
    if not caption.is_table or any(cell.is_in(drawing) for cell in cells):
        return False
    return not sees(caption.box, drawing, cells)


def _stands_across(caption: Caption, drawing: Box, barriers: list[Box]) -> bool:
    """Whether a caption stands beside a drawing across a gutter, whatever stands above and below the caption."""
    own = caption.box
    if own.x_overlap(drawing) > 0 or own.y_overlap(drawing) <= 0 or own.gap(drawing) > BESIDE_REACH_PT:
        return False
    left, right = sorted((own, drawing))
    between = Box(left.x1, own.y0, right.x0, own.y1)
    return not any(_parts(barrier, between) for barrier in barriers)


def _lines_of(captions: Iterable[Caption]) -> list[Box]:
    return [line.box for caption in captions for line in caption.lines]


def _nearest_first(option: _Option) -> tuple[float, int]:
    return option.distance, option.cluster


def _cost(caption: Caption, drawing: Box, side: int) -> float:
    """Distance in points, plus what an unusual place costs."""
    gap = caption.box.gap(drawing)
    if caption.box.is_level_with(drawing):
        return gap + BESIDE_COST_PT
    above = drawing.is_above(caption.box)
    usual = not above if caption.is_table else above == (side == ABOVE)
    return gap + (0 if usual else OTHER_SIDE_COST_PT)


def sees(start: Box, target: Box, barriers: list[Box]) -> bool:
    """Whether the rectangle around both holds no barrier, but for those that stand in one of them."""
    around = start.hull(target)
    return not any(
        _parts(barrier, around) and not barrier.is_in(target) and not barrier.is_in(start) for barrier in barriers
    )


def _parts(barrier: Box, around: Box) -> bool:
    common = barrier.overlap(around)
    return common > 0 and common > CROSSING_SHARE * barrier.area


# ---- further clusters ----


def _grow(found: dict[Caption, list[Box]], free: list[Box], barriers: list[Box]) -> None:
    """Gives each free cluster to the nearest figure that sees it, nearest first."""
    while options := sorted(_options(found, free, barriers), key=_nearest_first):
        reach = max(options[0].distance, GROWTH_PT)
        taken: set[int] = set()
        for gap, k, caption in options:
            if gap <= reach and k not in taken and _may_join(caption, hull(found[caption]), free[k], barriers):
                found[caption].append(free[k])
                taken.add(k)
        free = [box for k, box in enumerate(free) if k not in taken]


def _options(found: dict[Caption, list[Box]], free: list[Box], barriers: list[Box]) -> Iterator[_Option]:
    """The figures and the free clusters that may join them."""
    regions = {caption: hull(boxes) for caption, boxes in found.items()}
    for caption, region in regions.items():
        rivals = [other for key, other in regions.items() if key is not caption]
        for k, box in enumerate(free):
            around = region.hull(box)
            if not any(_collide(rival, around) for rival in rivals) and _may_join(caption, region, box, barriers):
                yield _Option(region.gap(box), k, caption)


def _may_join(caption: Caption, region: Box, box: Box, barriers: list[Box]) -> bool:
    """Whether a figure sees a further cluster; its own caption parts them not where it stands between the two."""
    if sees(region, box, barriers):
        return True
    own = caption.box
    if not (own.is_beside(region) and own.is_beside(box)):
        return False
    return sees(region, box, [barrier for barrier in barriers if not barrier.is_in(own)])


def _collide(rival: Box, around: Box) -> bool:
    return rival.overlap(around) > RIVAL_SHARE * min(rival.area, around.area)


# ---- several captions below one row of figures ----


def _share_rows(found: dict[Caption, list[Box]], captions: list[Caption]) -> None:
    """Of figures side by side, over captions one below the other, each gets its own, from the left.

    Where the one caption that has clusters names panels, they are its own.
    """
    for stack in _stacks(captions):
        owners = [caption for caption in stack if caption in found]
        if len(owners) != 1 or _NAMES_PANELS.search(owners[0].text):
            continue
        row = sorted(found[owners[0]])
        if len(row) == len(stack) and all(one.is_beside(other) for one, other in pairwise(row)):
            found.update({caption: [box] for caption, box in zip(stack, row, strict=True)})


def _stacks(captions: list[Caption]) -> list[list[Caption]]:
    """The captions of different figures that stand directly one below the other."""
    stacks: list[list[Caption]] = []
    for caption in sorted((caption for caption in captions if not caption.is_table), key=lambda own: own.box.y0):
        above = stacks[-1][-1] if stacks else None
        near = STACK_GAP_EM * caption.lines[0].size
        together = above is not None and caption.key not in {own.key for own in stacks[-1]}
        if above and together and caption.box.gap(above.box) < near and caption.box.x_overlap(above.box) > 0:
            stacks[-1].append(caption)
        else:
            stacks.append([caption])
    return [stack for stack in stacks if len(stack) > 1]


# ---- the region of a figure ----


def with_stray_text(core: Box, stray: list[Line], barriers: list[Box]) -> Box:
    """The drawings' box widened by axis labels, legends and panel letters that stand in or near it, with margins."""
    region = core
    loose, joined = list(stray), []
    while near := [line for line in loose if _joins(line, region, barriers)]:
        region = hull([region, *(line.box for line in near)])
        joined += near
        loose = [line for line in loose if line not in near]
    return hull([core.grow(DRAWING_MARGIN_PT), *(line.box.grow(TEXT_MARGIN_PT) for line in joined)])


def _joins(line: Line, region: Box, barriers: list[Box]) -> bool:
    if line.box.gap(region) >= _reach(line):
        return False
    around = region.hull(line.box)
    return not any(_parts(barrier, around) and not barrier.is_in(region) for barrier in barriers)


def _reach(line: Line) -> float:
    if line.turn:
        return TURNED_LABEL_REACH_PT
    return LETTER_REACH_PT if line.panel_letter else LABEL_REACH_PT


def clear_of(region: Box, texts: list[Box], core: Box) -> Box:
    """The region cut back on the side where it reaches into a line of text that is not part of its core."""
    for line in texts:
        text = Box(line.x0, line.y0 - GLYPH_OVERHANG_PT, line.x1, line.y1 + GLYPH_OVERHANG_PT)
        if region.overlap(text) > 0 and not text.is_in(core):
            region = _cut_back(region, text)
    return region


def _cut_back(region: Box, text: Box) -> Box:
    """The largest part of the region above, below, left or right of the text."""
    cuts = [
        Box(region.x0, region.y0, region.x1, min(region.y1, text.y0)),
        Box(region.x0, max(region.y0, text.y1), region.x1, region.y1),
        Box(region.x0, region.y0, min(region.x1, text.x0), region.y1),
        Box(max(region.x0, text.x1), region.y0, region.x1, region.y1),
    ]
    return max(cuts, key=lambda cut: cut.area)
