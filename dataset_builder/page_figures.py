"""Figures of an article by rules alone: captions from text lines, pictures from the drawings near them.

    for figure in find_figures(pages, lines): figure.label, figure.caption, figure.parts

1. A line that starts with a figure's label, and stands where a caption may stand, starts a caption; the lines below in
   the same size and pitch belong to it.
2. Drawings (bitmaps, vector shapes) that nearly touch form clusters; rules, frames and logos are left out.
3. A cluster goes to the caption it can see: no running text, no other caption lies in the rectangle around both. Most
   captions of an article stand on the same side of their figures: that side comes first.
4. Further clusters and stray text (axis labels, panel letters) that a figure can see join it: one figure, many images.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import cv2
import numpy as np

from dataset_builder.mentions import label_key, split_label
from dataset_builder.page_layout import (
    SAME_SIZE_PT,
    TERMINAL,
    Block,
    Box,
    Line,
    PageContent,
    belongs_below,
    body_size,
    hull,
    join_lines,
    make_blocks,
    pitch,
    reading_order,
    without_running_heads,
)

CLUSTER_GAP_PT = 6  # drawings nearer than this belong together
MIN_CLUSTER_SIDE_PT = 12  # smaller ones are bullets, logos, inline formulas
MIN_FIGURE_AREA_PT2 = 1200  # of all clusters of a figure together
RULE_THICKNESS_PT = 3  # a drawing thinner than this is a line
MAX_CAPTION_GAP_SHARE = 0.35  # of the page's height between a caption and its nearest cluster
LABEL_REACH_PT = 14  # stray text nearer than this to a figure is part of it
OTHER_SIDE_COST_PT = 60  # a cluster on the unusual side of its caption must be this much nearer
BESIDE_COST_PT = 30


@dataclass(eq=False)
class Caption:
    """A figure's or table's label and caption, in lines on one page."""

    key: str  # as dataset_builder.mentions.label_key has it
    label: str
    lines: list[Line]
    page: int
    is_table: bool = False
    score: int = 0  # how much it looks like a caption rather than running text

    @property
    def box(self) -> Box:
        return hull(line.box for line in self.lines)

    @property
    def text(self) -> str:
        """Without the label."""
        whole = join_lines(line.text for line in self.lines)
        found = split_label(whole)
        return found[1] if found else ""


@dataclass(eq=False)
class Region:
    """Where a figure stands on one page."""

    page: int
    box: Box


@dataclass(eq=False)
class FoundFigure:
    """A caption and the regions of its picture; more than one where the figure goes on over pages; none where lost."""

    label: str
    key: str
    caption: str
    parts: list[Region] = field(default_factory=list)
    page: int = 0  # of the caption
    lines: list[Line] = field(default_factory=list)


# --- captions -----------------------------------------------------------------------------------------------------


def find_captions(lines: list[Line], page: int, body_font: str, body_size: float) -> list[Caption]:
    """Captions of figures and tables among the lines of one page."""
    captions: list[Caption] = []
    taken: set[int] = set()
    for line in lines:
        start = _caption_start(line, lines, body_font, body_size)
        if start is None or id(line) in taken:
            continue
        key, label, score, is_table = start
        own = _caption_lines(line, lines, taken)
        taken.update(id(entry) for entry in own)
        captions.append(Caption(key, label, own, page, is_table, score))
    return captions


def _caption_start(
    line: Line, lines: list[Line], body_font: str, body_size: float
) -> tuple[str, str, int, bool] | None:
    text = line.text.strip()
    if text[:1].isdigit() or not text[:1].isalpha():
        return None
    found = split_label(text)
    key = label_key(text)
    is_table = found is None and (key or "").startswith("TABLE")
    if (found is None or key is None) and not is_table:
        return None
    label = found[0] if found else text[:12]
    above = _line_above(line, lines)
    styled = line.bold or line.first_font != body_font or abs(line.size - body_size) > SAME_SIZE_PT
    inside = above is not None and _is_running_on(above, line)
    if inside and not (styled and line.first_font != above.font):
        return None
    return key, label, 2 * styled + (not inside), is_table


def _line_above(line: Line, lines: list[Line]) -> Line | None:
    near = [
        other
        for other in lines
        if other is not line
        and 0.4 * line.size < pitch(other, line) < 2.2 * line.size
        and other.box.x_overlap(line.box) > 0.5 * min(other.box.width, line.box.width)
    ]
    return max(near, key=lambda other: other.box.y0, default=None)


def _is_running_on(above: Line, line: Line) -> bool:
    """Whether `line` continues the sentence of the line above it."""
    same = abs(above.size - line.size) <= SAME_SIZE_PT and pitch(above, line) < 1.7 * line.size
    return same and len(above.text) > 25 and not TERMINAL.search(above.text.strip())


def _caption_lines(first: Line, lines: list[Line], taken: set[int]) -> list[Line]:
    own = [first]
    rest = [line for line in lines if id(line) not in taken and line is not first and line.box.y0 >= first.box.y0 - 2]
    while following := _next_caption_line(own, rest):
        own.append(following)
    return own + _second_column(own, rest)


def _next_caption_line(own: list[Line], rest: list[Line]) -> Line | None:
    last = own[-1]
    below = [
        line
        for line in rest
        if line not in own
        and pitch(last, line) > 0.5 * line.size
        and _caption_goes_on(own, line)
        and split_label(line.text) is None
    ]
    return min(below, key=lambda line: line.box.y0, default=None)


def _caption_goes_on(own: list[Line], line: Line) -> bool:
    if len(own) == 1 and split_label(own[0].text) and not split_label(own[0].text)[1]:  # the label stands alone
        near = pitch(own[0], line) < 2.2 * max(line.size, own[0].size)
        return near and own[0].box.x_overlap(line.box) > 0.5 * min(own[0].box.width, line.box.width)
    plain = [Line(entry.text, entry.box, entry.size, "", entry.font) for entry in own]
    return belongs_below(plain, Line(line.text, line.box, line.size, "", line.font))


def _second_column(own: list[Line], rest: list[Line]) -> list[Line]:
    """A caption set in two columns goes on to the right, at the height at which it starts."""
    box = hull(line.box for line in own)
    tops = [
        line
        for line in rest
        if 0 < line.box.x0 - box.x1 < 4 * line.size
        and abs(line.box.y0 - own[0].box.y0) < 0.8 * line.size
        and abs(line.size - own[-1].size) < 0.3
        and line.font == own[-1].font
        and split_label(line.text) is None
    ]
    if len(tops) != 1 or len(own) < 2:
        return []
    column = [tops[0]]
    while following := _next_caption_line(column, rest):
        column.append(following)
    return column if hull(line.box for line in column).y1 <= box.y1 + 2 * tops[0].size else []


# --- clusters of drawings -----------------------------------------------------------------------------------------


def repeated_drawings(pages: list[PageContent]) -> set[tuple]:
    """Places (rounded boxes) at which drawings stand on many pages: rules of running heads, logos, frames."""
    seen: Counter[tuple] = Counter()
    for page in pages:
        seen.update({_rounded(box) for box in (*page.images, *page.shapes)})
    needed = max(3, 0.25 * len(pages))
    return {place for place, count in seen.items() if count >= needed}


def _rounded(box: Box) -> tuple:
    return tuple(round(v / 3) for v in box)


def clusters(page: PageContent, text: list[Line], repeated: set[tuple]) -> list[Box]:
    """Boxes around drawings that nearly touch, without rules, frames around text, underlines and logos."""
    boxes = [box for box in (*page.images, *page.shapes) if _rounded(box) not in repeated]
    sheet = Box(0, 0, page.width, page.height)
    boxes = [Box(*(np.clip(box, 0, (page.width, page.height) * 2).tolist())) for box in boxes if box.gap(sheet) == 0]
    boxes = [box for box in boxes if not _is_background(box, page, text) and not _is_text_mark(box, text)]
    return [box for box, parts in _connected(boxes, page) if _is_drawing(box, parts, text)]


def _is_background(box: Box, page: PageContent, text: list[Line]) -> bool:
    """A fill or frame as large as the page, or one that lies behind much running text."""
    if box.area < 0.5 * page.width * page.height:
        return False
    return sum(len(line.text) for line in text if line.box.share_in(box) > 0.9) > 300


def _is_text_mark(box: Box, text: list[Line]) -> bool:
    """An underline, highlight or inline symbol of a line of text."""
    return any(
        box.height < 1.6 * line.box.height and box.share_in(line.box.grow(2)) > 0.7 and len(line.text) > 20
        for line in text
        if box.gap(line.box) < 3
    )


def _connected(boxes: list[Box], page: PageContent) -> list[tuple[Box, list[Box]]]:
    """Groups of boxes nearer than CLUSTER_GAP_PT to each other, found on a raster of one pixel a point."""
    if not boxes:
        return []
    half = CLUSTER_GAP_PT // 2
    mask = np.zeros((int(page.height) + 2 * half + 2, int(page.width) + 2 * half + 2), np.uint8)
    for box in boxes:
        x0, y0, x1, y1 = (round(v) + half for v in box)
        cv2.rectangle(mask, (x0 - half, y0 - half), (x1 + half, y1 + half), 1, _outline(box))
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    groups: dict[int, list[Box]] = defaultdict(list)
    for box in boxes:
        groups[int(labels[round(box.y0), round(box.x0)])].append(box)
    return [(hull(parts), parts) for parts in groups.values()]


def _outline(box: Box) -> int:
    del box
    return -1


def _is_drawing(box: Box, parts: list[Box], text: list[Line]) -> bool:
    if box.width < MIN_CLUSTER_SIDE_PT or box.height < MIN_CLUSTER_SIDE_PT:
        return False
    thin = [part for part in parts if part.height <= RULE_THICKNESS_PT]
    if len(thin) == len(parts):  # horizontal rules only
        return False
    lines_only = all(min(part.width, part.height) <= RULE_THICKNESS_PT for part in parts)
    prose = sum(len(line.text) for line in text if line.box.share_in(box) > 0.9)
    return not (lines_only and len(parts) <= 8 and prose > 400)


# --- captions and clusters ----------------------------------------------------------------------------------------


def match(
    captions: list[Caption], drawings: list[Box], walls: list[Box], page: PageContent, side: int
) -> dict[Caption, list[Box]]:
    """For each caption of the page the clusters of its figure. `side`: -1 figures stand above captions, 1 below."""
    pairs = []
    for caption in captions:
        for k, drawing in enumerate(drawings):
            cost = _cost(caption, drawing, side)
            if cost < MAX_CAPTION_GAP_SHARE * page.height and _sees(caption.box, drawing, caption, captions, walls):
                pairs.append((cost, k, caption))
    found: dict[Caption, list[Box]] = {}
    used: set[int] = set()
    for _, k, caption in sorted(pairs, key=lambda pair: pair[:2]):
        if k not in used and caption not in found:
            found[caption] = [drawings[k]]
            used.add(k)
    _grow(found, [box for k, box in enumerate(drawings) if k not in used], captions, walls)
    return found


def _cost(caption: Caption, drawing: Box, side: int) -> float:
    box = caption.box
    gap = box.gap(drawing)
    if box.y_overlap(drawing) > 0.5 * min(box.height, drawing.height):
        return gap + BESIDE_COST_PT
    above = drawing.y0 + drawing.y1 < box.y0 + box.y1
    return gap + (0 if above == (side < 0) else OTHER_SIDE_COST_PT)


def _sees(start: Box, target: Box, own: Caption | None, captions: list[Caption], walls: list[Box]) -> bool:
    """Whether the rectangle around both holds neither running text nor another caption."""
    around = start.hull(target)
    others = [line.box for caption in captions if caption is not own for line in caption.lines]
    return not any(
        wall.overlap(around) > 0.15 * wall.area and wall.share_in(target) < 0.9 and wall.share_in(start) < 0.9
        for wall in (*walls, *others)
    )


def _grow(found: dict[Caption, list[Box]], free: list[Box], captions: list[Caption], walls: list[Box]) -> None:
    """Gives each free cluster to the nearest figure that sees it, nearest first."""
    while free:
        options = []
        for caption, boxes in found.items():
            region = hull(boxes)
            rivals = [hull(other) for key, other in found.items() if key is not caption]
            for k, box in enumerate(free):
                around = region.hull(box)
                blocked = any(rival.overlap(around) > 0.1 * min(rival.area, around.area) for rival in rivals)
                if not blocked and _sees(region, box, None, captions, walls):
                    options.append((region.gap(box), k, caption))
        if not options:
            return
        _, k, caption = min(options, key=lambda option: option[:2])
        found[caption].append(free.pop(k))


def with_stray_text(region: Box, lines: list[Line], barred: list[Box]) -> Box:
    """The region widened by axis labels, legends and panel letters that stand in or near it."""
    loose = [line.box for line in lines]
    while True:
        near = [
            box
            for box in loose
            if box.gap(region) < LABEL_REACH_PT and not any(w.overlap(region.hull(box)) > 0.15 * w.area for w in barred)
        ]
        wider = hull([region, *near])
        loose = [box for box in loose if box not in near]
        if not near:
            return wider
        region = wider


# --- the whole article --------------------------------------------------------------------------------------------


@dataclass
class ArticleLayout:
    """What the rules found in an article."""

    figures: list[FoundFigure]
    blocks: list[Block]  # running text and headings in reading order


def lay_out(pages: list[PageContent]) -> ArticleLayout:
    """Figures and running text of an article given as its pages."""
    size, font = body_size(pages), body_font(pages)
    page_lines = without_running_heads(pages)
    captions = [find_captions(lines, page.number, font, size) for page, lines in zip(pages, page_lines, strict=True)]
    repeated = repeated_drawings(pages)
    sheets = [_Sheet(page, lines, own, repeated) for page, lines, own in zip(pages, page_lines, captions, strict=True)]
    side = _usual_side(sheets)
    for sheet in sheets:
        sheet.place(side)
    figures = _figures(sheets)
    blocks = [block for sheet in sheets for block in reading_order(sheet.blocks(figures))]
    return ArticleLayout(figures, blocks)


class _Sheet:
    """One page while its figures are looked for."""

    def __init__(self, page: PageContent, lines: list[Line], captions: list[Caption], repeated: set[tuple]):
        self.page, self.captions = page, captions
        in_caption = {id(line) for caption in captions for line in caption.lines}
        self.rest = [line for line in lines if id(line) not in in_caption]
        self.turned = [line for line in page.lines if line.turn]
        self.drawings = clusters(page, lines, repeated)
        self.prose = [block for block in make_blocks(self.rest, page.number) if block.is_prose]
        outside = [line for block in self.prose for line in block.lines if not self._is_drawn(line.box)]
        self.walls = [line.box for line in outside]
        self.found: dict[Caption, Box] = {}

    def _is_drawn(self, box: Box) -> bool:
        return any(box.share_in(drawing) > 0.9 for drawing in self.drawings)

    def place(self, side: int) -> None:
        """Finds the region of each caption of a figure."""
        found = match(self.captions, self.drawings, self.walls, self.page, side)
        for caption, boxes in found.items():
            if sum(box.area for box in boxes) < MIN_FIGURE_AREA_PT2 or caption.is_table:
                continue
            barred = [*self.walls, *(line.box for other in self.captions for line in other.lines)]
            barred += [hull(other) for key, other in found.items() if key is not caption]
            wall = set(self.walls)
            stray = [line for line in (*self.rest, *self.turned) if line.box not in wall]
            self.found[caption] = with_stray_text(hull(boxes), stray, barred)

    def blocks(self, figures: list[FoundFigure]) -> list[Block]:
        regions = [part.box for figure in figures for part in figure.parts if part.page == self.page.number]
        used = {id(line) for figure in figures for line in figure.lines}
        used |= {id(line) for caption in self.captions if caption.is_table for line in caption.lines}
        lines = [
            line for line in (*self.rest, *(entry for c in self.captions for entry in c.lines)) if id(line) not in used
        ]
        return make_blocks(
            [line for line in lines if not any(line.box.share_in(r) > 0.7 for r in regions)], self.page.number
        )


def body_font(pages: list[PageContent]) -> str:
    """The font in which most characters of the article stand."""
    fonts: Counter[str] = Counter()
    for page in pages:
        for line in page.lines:
            fonts[line.font] += len(line.text)
    return fonts.most_common(1)[0][0] if fonts else ""


def _usual_side(sheets: list[_Sheet]) -> int:
    """-1 where figures stand above their captions (the usual way), 1 where they stand below."""
    votes = {-1: 0.0, 1: 0.0}
    for sheet in sheets:
        for caption in sheet.captions:
            if caption.is_table:
                continue
            for side in votes:
                seen = [
                    box
                    for box in sheet.drawings
                    if _cost(caption, box, side) < 0.15 * sheet.page.height
                    and caption.box.x_overlap(box) > 0
                    and _sees(caption.box, box, caption, sheet.captions, sheet.walls)
                ]
                votes[side] += bool(seen)
    return 1 if votes[1] > votes[-1] else -1


def _figures(sheets: list[_Sheet]) -> list[FoundFigure]:
    """One figure for each label: its best caption, and every region found under that label."""
    by_key: dict[str, list[tuple[Caption, Box | None]]] = defaultdict(list)
    for sheet in sheets:
        for caption in sheet.captions:
            if not caption.is_table:
                by_key[caption.key].append((caption, sheet.found.get(caption)))
    figures = []
    for key, entries in by_key.items():
        best = max(entries, key=lambda e: (e[1] is not None, e[0].score, len(e[0].text)))[0]
        parts = [Region(c.page, box) for c, box in entries if box is not None]
        figures.append(FoundFigure(best.label, key, best.text, parts, best.page, best.lines))
    return figures
