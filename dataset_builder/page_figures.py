"""Figures of an article by rules alone: captions from text lines, pictures from the drawings near them.

    for figure in find_figures(pages, lines): figure.label, figure.caption, figure.parts

1. A line that starts with a figure's label, and stands where a caption may stand, starts a caption; the lines below in
   the same size and pitch belong to it.
2. Drawings (bitmaps, vector shapes) that nearly touch form clusters; rules, frames and logos are left out.
3. A cluster goes to the caption it can see: no running text, no other caption lies in the rectangle around both. Most
   captions of an article stand on the same side of their figures: that side comes first.
4. Further clusters and stray text (axis labels, panel letters) that a figure can see join it: one figure, many images.
"""

import re
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
    Style,
    belongs_below,
    hull,
    join_fragments,
    join_lines,
    joined,
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
TABLE_LABEL = r"(?i:table|tab\.|tabelle|tabla|tabela|tableau|tabella|quadro|cuadro|таблиц\w+|表)\s*\d+\s*[.:|–-]?"
LABEL_GAP_EM = 3.5  # between a label and a caption set apart from it on one row
GUTTER_EM = 6  # between the two columns of one caption
OTHER_KIND = re.compile(r"[A-Z]{3}")  # the key of a scheme, chart, plate: "CHART1"
CONTINUED = re.compile(
    r"[\s(]*\b(?:continued|cont[’']?d?\.|fortsetzung|continuación|continuação|suite)\s*[).]*\s*$", re.I
)
LABEL_REACH_PT = 14  # stray text nearer than this to a figure is part of it
OTHER_SIDE_COST_PT = 60  # a cluster on the unusual side of its caption must be this much nearer
BESIDE_COST_PT = 30


@dataclass(eq=False)
class Caption:
    """A figure's or table's label and caption, in lines on one page."""

    key: str  # as dataset_builder.mentions.label_key has it
    label: str
    is_table: bool
    score: int  # how much it looks like a caption rather than running text
    lines: list[Line]
    page: int

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


def find_captions(lines: list[Line], page: int, style: Style) -> tuple[list[Caption], list[Line]]:
    """Captions of figures and tables among the upright lines of one page, and the lines that are left."""
    captions: list[Caption] = []
    rest = list(lines)
    for line in lines:
        if line not in rest:
            continue
        mates = _label_mates(line, rest)
        whole = _row(line, mates)
        start = _caption_start(whole, [other for other in lines if other not in mates], style)
        if start is None:
            continue
        rest = [other for other in rest if other is not line and other not in mates]
        own, rest = _caption_lines(whole, rest)
        captions.append(Caption(*start, own, page))
    return captions, rest


def _label_mates(line: Line, lines: list[Line]) -> list[Line]:
    """What stands to the right of a label that is set apart from its caption ("Fig. 2.      Liver")."""
    found = split_label(line.text)
    alone = (found is not None and not found[1]) or re.fullmatch(TABLE_LABEL, line.text.strip())
    return _row_mates(line, lines, LABEL_GAP_EM, line.box.x1 + 1000) if alone else []


def _row_mates(line: Line, lines: list[Line], gap_em: float, right_pt: float) -> list[Line]:
    """Further pieces of the same row to the right, each nearer than `gap_em` to the one before, up to `right_pt`."""
    mates: list[Line] = []
    last = line
    for other in sorted(lines, key=lambda other: other.box.x0):
        gap = other.box.x0 - last.box.x1
        level = other.box.y_overlap(line.box) > 0.5 * min(other.box.height, line.box.height)
        fits = level and 0 <= gap < gap_em * line.size and other.box.x1 <= right_pt
        if other is not line and fits and abs(other.size - line.size) <= SAME_SIZE_PT:
            mates.append(other)
            last = other
    return mates


def _row(line: Line, mates: list[Line]) -> Line:
    for mate in mates:
        line = joined(line, mate)
    return line


def _caption_start(line: Line, lines: list[Line], style: Style) -> tuple[str, str, bool, int] | None:
    """Key, label, whether it is a table's, and how sure, where a caption starts; else None."""
    text = line.text.strip()
    if not text[:1].isalpha():
        return None
    found = split_label(text)
    table = None if found else re.match(TABLE_LABEL, text)
    key = label_key(found[0] if found else text) if found or table else None
    if key is None:
        return None
    above = _line_above(line, lines)
    styled = line.bold or line.first_font != style.font or abs(line.size - style.size) > SAME_SIZE_PT
    inside = above is not None and _is_running_on(above, line)
    if inside and not (styled and line.first_font != above.font):
        return None
    return key, found[0] if found else table.group(), table is not None, 2 * styled + (not inside)


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


def _caption_lines(first: Line, rest: list[Line]) -> tuple[list[Line], list[Line]]:
    """The lines of the caption that starts with `first`, and the lines of the page that are left."""
    own, rest = _lines_below(first, rest)
    box = hull(line.box for line in own)
    tops = [line for line in rest if _is_second_column(own, box, line)]
    if len(tops) == 1 and len(own) > 1:
        column, others = _lines_below(tops[0], [line for line in rest if line is not tops[0]])
        if hull(line.box for line in column).y1 <= box.y1 + 2 * first.size:
            return own + column, others
    return own, rest


def _lines_below(first: Line, rest: list[Line]) -> tuple[list[Line], list[Line]]:
    own = [first]
    while following := _next_caption_line(own, rest):
        right = max(line.box.x1 for line in own) + 2
        mates = _row_mates(following, rest, LABEL_GAP_EM, right)
        rest = [line for line in rest if line is not following and line not in mates]
        own.append(_row(following, mates))
    return own, rest


def _next_caption_line(own: list[Line], rest: list[Line]) -> Line | None:
    below = [line for line in rest if _caption_goes_on(own, line) and split_label(line.text) is None]
    return min(below, key=lambda line: (round(line.box.y0), line.box.x0), default=None)


def _caption_goes_on(own: list[Line], line: Line) -> bool:
    step = pitch(own[-1], line)
    found = split_label(own[0].text)
    if len(own) == 1 and found and not found[1]:  # the label stands alone
        near = 0.5 * line.size < step < 2.2 * max(line.size, own[0].size)
        return near and own[0].box.x_overlap(line.box) > 0.5 * min(own[0].box.width, line.box.width)
    return belongs_below(own, line, any_weight=True)


def _is_second_column(own: list[Line], box: Box, line: Line) -> bool:
    """A caption set in two columns goes on to the right, at the height at which it starts."""
    beside = 0 < line.box.x0 - box.x1 < GUTTER_EM * line.size and abs(line.box.y0 - own[0].box.y0) < 0.8 * line.size
    return beside and abs(line.size - own[-1].size) < 0.3 and line.font == own[-1].font and not split_label(line.text)


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


def clusters(page: PageContent, text: list[Line], captions: list[Caption], repeated: set[tuple]) -> list[Box]:
    """Boxes around drawings that nearly touch, without rules, frames around text, underlines and logos."""
    sheet = Box(0, 0, page.width, page.height)
    labels = [caption.lines[0].box for caption in captions]
    boxes = [_cut(box, sheet) for box in (*page.images, *page.shapes) if _rounded(box) not in repeated]
    boxes = [box for box in boxes if box and not any(label.share_in(box) > 0.9 for label in labels)]
    boxes = [box for box in boxes if not _is_background(box, page, text) and not _is_text_mark(box, text)]
    boxes = _without_frames(boxes, page, labels)
    return [box for box, parts in _connected(boxes, page) if _is_drawing(box, parts, text)]


def _cut(box: Box, sheet: Box) -> Box | None:
    """The part of a box on the sheet, or None."""
    inside = Box(max(box.x0, sheet.x0), max(box.y0, sheet.y0), min(box.x1, sheet.x1), min(box.y1, sheet.y1))
    return inside if inside.width >= 0 and inside.height >= 0 else None


def _without_frames(boxes: list[Box], page: PageContent, labels: list[Box]) -> list[Box]:
    """Without the rules that frame a figure together with its caption."""
    frames: set[Box] = set()
    for box, parts in _connected(boxes, page):
        if any(label.share_in(box) > 0.9 for label in labels):
            frames.update(part for part in parts if _is_edge(part, box))
    return [box for box in boxes if box not in frames]


def _is_edge(part: Box, around: Box) -> bool:
    """A thin line along one side of a box, or along part of it."""
    if part.height <= RULE_THICKNESS_PT and part.width > 0.3 * around.width:
        return min(part.y0 - around.y0, around.y1 - part.y1) < RULE_THICKNESS_PT
    if part.width <= RULE_THICKNESS_PT and part.height > 0.3 * around.height:
        return min(part.x0 - around.x0, around.x1 - part.x1) < RULE_THICKNESS_PT
    return False


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
        cv2.rectangle(mask, (x0 - half, y0 - half), (x1 + half, y1 + half), 1, -1)
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    groups: dict[int, list[Box]] = defaultdict(list)
    for box in boxes:
        groups[int(labels[round(box.y0), round(box.x0)])].append(box)
    return [(hull(parts), parts) for parts in groups.values()]


def _is_drawing(box: Box, parts: list[Box], text: list[Line]) -> bool:
    if box.width < MIN_CLUSTER_SIDE_PT or box.height < MIN_CLUSTER_SIDE_PT:
        return False
    if all(part.height <= RULE_THICKNESS_PT for part in parts):  # horizontal rules only
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
    style = Style.of(pages)
    repeated = repeated_drawings(pages)
    page_lines = without_running_heads(pages)
    sheets = [_Sheet(page, lines, style, repeated) for page, lines in zip(pages, page_lines, strict=True)]
    side = _usual_side(sheets)
    for sheet in sheets:
        sheet.place(side)
    figures = _figures(sheets)
    blocks = [block for sheet in sheets for block in reading_order(sheet.blocks(figures))]
    return ArticleLayout(figures, blocks)


class _Sheet:
    """One page while its figures are looked for."""

    def __init__(self, page: PageContent, lines: list[Line], style: Style, repeated: set[tuple]):
        self.page = page
        upright = join_fragments(lines)
        self.turned = [line for line in lines if line.turn]
        self.captions, self.rest = find_captions(upright, page.number, style)
        self.drawings = clusters(page, upright, self.captions, repeated)
        self.walls = [line.box for block in make_blocks(self.rest, page.number) for line in self._wall(block, style)]
        self.found: dict[Caption, Box] = {}

    def _wall(self, block: Block, style: Style) -> list[Line]:
        """The lines of a block that no figure may reach across: running text outside of drawings."""
        if not block.is_prose and not any(style.is_body(line) for line in block.lines):
            return []
        return [line for line in block.lines if not any(line.box.share_in(drawing) > 0.9 for drawing in self.drawings)]

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
            region = with_stray_text(hull(boxes), stray, barred)
            self.found[caption] = beside_caption(region, caption.box)

    def blocks(self, figures: list[FoundFigure]) -> list[Block]:
        """The running text and headings of the page."""
        regions = [part.box for figure in figures for part in figure.parts if part.page == self.page.number]
        used = {id(line) for figure in figures for line in figure.lines}
        used |= {id(line) for caption in self.captions if caption.is_table for line in caption.lines}
        lines = [*self.rest, *(line for caption in self.captions for line in caption.lines)]
        lines = [line for line in lines if id(line) not in used]
        lines = [line for line in lines if not any(line.box.share_in(region) > 0.7 for region in regions)]
        return make_blocks(lines, self.page.number)


def beside_caption(region: Box, caption: Box) -> Box:
    """The region without the strip in which it overlaps its caption."""
    if region.overlap(caption) == 0:
        return region
    cuts = [
        Box(region.x0, region.y0, region.x1, min(region.y1, caption.y0)),
        Box(region.x0, max(region.y0, caption.y1), region.x1, region.y1),
        Box(region.x0, region.y0, min(region.x1, caption.x0), region.y1),
        Box(max(region.x0, caption.x1), region.y0, region.x1, region.y1),
    ]
    return max(cuts, key=lambda box: box.area if box.width > 0 and box.height > 0 else 0)


def _usual_side(sheets: list[_Sheet]) -> int:
    """-1 where figures stand above their captions (the usual way), 1 where they stand below."""
    votes = Counter({-1: 0.1})
    for sheet in sheets:
        for caption in sheet.captions:
            if not caption.is_table:
                sides = _sides_seen(caption, sheet)
                for side in sides:
                    votes[side] += 1 / len(sides)
    return 1 if votes[1] > votes[-1] else -1


def _sides_seen(caption: Caption, sheet: _Sheet) -> set[int]:
    return {
        -1 if box.y0 + box.y1 < caption.box.y0 + caption.box.y1 else 1
        for box in sheet.drawings
        if caption.box.x_overlap(box) > 0
        and caption.box.gap(box) < 0.15 * sheet.page.height
        and _sees(caption.box, box, caption, sheet.captions, sheet.walls)
    }


def _figures(sheets: list[_Sheet]) -> list[FoundFigure]:
    """One figure for each label: its best caption, and every region found under that label."""
    by_key: dict[str, list[tuple[Caption, Box | None]]] = defaultdict(list)
    for sheet in sheets:
        for caption in sheet.captions:
            if not caption.is_table:
                by_key[caption.key].append((caption, sheet.found.get(caption)))
    return [figure for key, entries in by_key.items() if (figure := _figure(key, entries))]


def _figure(key: str, entries: list[tuple[Caption, Box | None]]) -> FoundFigure | None:
    best = max(entries, key=lambda e: (e[0].score, e[1] is not None, len(e[0].text)))[0]
    chosen = [e for e in entries if e[1] is not None or e[0] is best]
    parts = [Region(caption.page, box) for caption, box in chosen if box is not None]
    if not parts and OTHER_KIND.match(key):
        return None  # a "Chart 1" or "Scheme 2" without a picture is set text
    text = best.text
    if any(CONTINUED.search(caption.text) for caption, _ in entries):
        texts = [CONTINUED.sub("", caption.text).strip() for caption, _ in entries]
        text = " ".join(dict.fromkeys(entry for entry in texts if entry))
    return FoundFigure(
        best.label, key, text, parts, best.page, [line for caption, _ in chosen for line in caption.lines]
    )
