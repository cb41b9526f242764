"""Figures of an article by rules alone: pictures are the drawings near the captions.

    layout = lay_out(pages)
    for figure in layout.figures: figure.label, figure.caption, figure.parts

1. A cluster of drawings goes to the caption it can see: no running text and no other caption lies in the rectangle
   around both. Most captions of an article stand on the same side of their figures: that side comes first.
2. Further clusters and stray text (axis labels, panel letters) that a figure can see join it: one figure, many images.
3. A caption without a picture on its page takes the picture of a page without captions: the facing page, or the
   figure pages at the end of a manuscript in the order of its list of captions.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from dataset_builder.readers.pdf.captions import UNNUMBERED, Caption, find_captions, whole_text
from dataset_builder.readers.pdf.drawings import clusters, repeated_drawings
from dataset_builder.readers.pdf.layout import (
    Block,
    Box,
    Line,
    PageContent,
    Style,
    hull,
    join_fragments,
    make_blocks,
    printed_words,
    reading_order,
    without_doubles,
    without_running_heads,
)

MIN_FIGURE_AREA_PT2 = 1200  # of all clusters of a figure together
MAX_CAPTION_GAP_SHARE = 0.35  # of the page's height between a caption and its nearest cluster
OTHER_SIDE_COST_PT = 60  # a cluster on the unusual side of its caption must be this much nearer
BESIDE_COST_PT = 30
GROWTH_PT = 12  # clusters up to this far from a figure join it together, those farther away one after the other
LABEL_REACH_PT = 14  # stray text nearer than this to a figure is part of it
TURNED_LABEL_REACH_PT = 30  # turned text is hardly ever anything else than the title of an axis
PADDING_PT = 2  # around a region: half strokes, shadows
GLYPH_OVERHANG_PT = 2.5  # letters reach this far out of the box of their line
TWIN_GAP_EM = 1.5  # between the captions of one figure in two languages
FIGURE_PAGE_SHARE = 0.08  # of the page: the least that drawings without a caption cover on a figure page
FIGURE_PAGE_MAX_LINES = 12  # of running text on such a page
OTHER_KIND = re.compile(r"[A-Z]{3}")  # the key of a scheme, chart, plate: "CHART1"


@dataclass(frozen=True)
class Region:
    """Where a figure, or a part of it, stands on one page."""

    page: int  # 1-based
    box: Box


@dataclass(eq=False)
class FoundFigure:
    """A caption and the regions of its picture: several where it goes on over pages, none where it was not found."""

    label: str
    key: str
    caption: str
    page: int  # of the caption
    parts: list[Region] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)  # as printed: several if "continued" or in two languages


@dataclass
class ArticleLayout:
    """What the rules found in an article."""

    style: Style
    figures: list[FoundFigure]
    blocks: list[Block]  # running text, headings and cells of tables in reading order
    tables: list[Caption]
    heads: list[tuple[int, Line]]  # running heads and page numbers, with their page


def lay_out(pages: list[PageContent]) -> ArticleLayout:
    """Figures and text of an article given as its pages."""
    style = Style.of(pages)
    repeated = repeated_drawings(pages)
    page_lines = without_running_heads(pages)
    sheets = [_Sheet(page, lines, style, repeated) for page, lines in zip(pages, page_lines, strict=True)]
    side = _usual_side(sheets)
    words = printed_words(line.text for lines in page_lines for line in lines)
    for sheet in sheets:
        sheet.place(side)
        for caption in sheet.captions:
            caption.words = words
    _adopt(sheets)
    figures = _figures(sheets)
    return ArticleLayout(
        style,
        figures,
        blocks=[block for sheet in sheets for block in reading_order(sheet.blocks(figures))],
        tables=[caption for sheet in sheets for caption in sheet.captions if caption.is_table],
        heads=_heads(pages, page_lines),
    )


def _heads(pages: list[PageContent], kept: list[list[Line]]) -> list[tuple[int, Line]]:
    heads = []
    for page, lines in zip(pages, kept, strict=True):
        own = set(map(id, lines))
        heads += [(page.number, line) for line in page.lines if id(line) not in own]
    return heads


class _Sheet:
    """One page while its figures are looked for."""

    def __init__(self, page: PageContent, lines: list[Line], style: Style, repeated: set[tuple]):
        self.page, self.style = page, style
        upright = join_fragments(without_doubles(lines))
        self.captions, self.rest = find_captions(upright, page.number, style)
        labels = [caption.lines[0].box for caption in self.captions]
        self.drawings = clusters(page, upright, labels, repeated)
        self.free = list(self.drawings)
        blocks = make_blocks(self.rest, page.number, style.max_pitch_em)
        walls = [line for block in blocks if _is_wall(block, blocks, style) for line in block.lines]
        walls = [line for line in walls if not any(line.box.share_in(drawing) > 0.9 for drawing in self.drawings)]
        self.walls = [line.box for line in walls]
        turned = [line for line in lines if line.turn]
        self.stray = [line for line in (*self.rest, *turned) if line not in walls]
        self.found: dict[Caption, Region] = {}

    @property
    def lost(self) -> list[Caption]:
        """Captions of figures that have no region."""
        return [caption for caption in self.captions if not caption.is_table and caption not in self.found]

    def place(self, side: int) -> None:
        """Finds the region of each caption of a figure."""
        matched = match(self.captions, self.drawings, self.walls, self.page, side)
        used = {box for boxes in matched.values() for box in boxes}
        self.free = [box for box in self.drawings if box not in used]
        for caption, boxes in matched.items():
            if sum(box.area for box in boxes) >= MIN_FIGURE_AREA_PT2 and not caption.is_table:
                rivals = [hull(other) for key, other in matched.items() if key is not caption]
                self._set(caption, hull(boxes), rivals)

    def _set(self, caption: Caption, core: Box, rivals: list[Box]) -> None:
        texts = [line.box for other in self.captions for line in other.lines]
        region = with_stray_text(core, self.stray, [*self.walls, *texts, *rivals]).grow(PADDING_PT)
        region = clear_of(region, [*texts, *self.walls], core)
        self.found[caption] = Region(self.page.number, region)

    def spare_picture(self) -> Region | None:
        """The picture of a page that shows drawings, but no caption and hardly any running text."""
        share = sum(box.area for box in self.free) / (self.page.width * self.page.height)
        if self.captions or share < FIGURE_PAGE_SHARE or len(self.walls) > FIGURE_PAGE_MAX_LINES:
            return None
        core = hull(self.free)
        region = with_stray_text(core, self.stray, self.walls).grow(PADDING_PT)
        return Region(self.page.number, clear_of(region, self.walls, core))

    def blocks(self, figures: list[FoundFigure]) -> list[Block]:
        """Text of the page that is neither caption of a figure found nor part of its picture."""
        regions = [part.box for figure in figures for part in figure.parts if part.page == self.page.number]
        used = {id(line) for figure in figures for caption in figure.captions for line in caption.lines}
        used |= {id(line) for caption in self.captions if caption.is_table for line in caption.lines}
        lines = [*self.rest, *(line for caption in self.captions for line in caption.lines)]
        lines = [line for line in lines if id(line) not in used]
        lines = [line for line in lines if not any(line.box.share_in(region) > 0.7 for region in regions)]
        return make_blocks(lines, self.page.number, self.style.max_pitch_em)


def _is_wall(block: Block, blocks: list[Block], style: Style) -> bool:
    """Whether no figure may reach across a block: running text, or a heading above it."""
    if block.is_prose or any(style.is_body(line) for line in block.lines):
        return True
    if len(block.lines) > 2 or block.size < style.size - 0.5:
        return False
    return any(
        other.is_prose
        and 0 <= other.box.y0 - block.box.y1 < 2.5 * block.size
        and abs(other.box.x0 - block.box.x0) < 1.5 * block.size
        for other in blocks
    )


# --- captions and clusters ----------------------------------------------------------------------------------------


def match(
    captions: list[Caption], drawings: list[Box], walls: list[Box], page: PageContent, side: int
) -> dict[Caption, list[Box]]:
    """For each caption of a page its clusters. `side`: -1 figures stand above their captions, 1 below."""
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
    """Distance in points, plus what an unusual place costs."""
    box = caption.box
    gap = box.gap(drawing)
    if box.y_overlap(drawing) > 0.5 * min(box.height, drawing.height):
        return gap + BESIDE_COST_PT
    above = drawing.y0 + drawing.y1 < box.y0 + box.y1
    usual = not above if caption.is_table else above == (side < 0)
    return gap + (0 if usual else OTHER_SIDE_COST_PT)


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
    while options := sorted(_options(found, free, captions, walls), key=lambda option: option[:2]):
        nearest = options[0][0]
        taken: set[int] = set()
        for gap, k, caption in options:
            near = gap <= max(nearest, GROWTH_PT) and k not in taken
            if near and _sees(hull(found[caption]), free[k], None, captions, walls):
                found[caption].append(free[k])
                taken.add(k)
        free = [box for k, box in enumerate(free) if k not in taken]


def _options(found: dict[Caption, list[Box]], free: list[Box], captions: list[Caption], walls: list[Box]):
    for caption, boxes in found.items():
        region = hull(boxes)
        rivals = [hull(other) for key, other in found.items() if key is not caption]
        for k, box in enumerate(free):
            around = region.hull(box)
            blocked = any(rival.overlap(around) > 0.1 * min(rival.area, around.area) for rival in rivals)
            if not blocked and _sees(region, box, None, captions, walls):
                yield region.gap(box), k, caption


def with_stray_text(region: Box, stray: list[Line], barred: list[Box]) -> Box:
    """The region widened by axis labels, legends and panel letters that stand in or near it."""
    loose = list(stray)
    while near := [line for line in loose if _joins(line, region, barred)]:
        region = hull([region, *(line.box for line in near)])
        loose = [line for line in loose if line not in near]
    return region


def _joins(line: Line, region: Box, barred: list[Box]) -> bool:
    if line.box.gap(region) >= (TURNED_LABEL_REACH_PT if line.turn else LABEL_REACH_PT):
        return False
    around = region.hull(line.box)
    return not any(wall.overlap(around) > 0.15 * wall.area and wall.share_in(region) < 0.9 for wall in barred)


def clear_of(region: Box, texts: list[Box], core: Box) -> Box:
    """The region cut back on the side where it reaches into a line of text that is not part of its core."""
    for text in texts:
        text = Box(text.x0, text.y0 - GLYPH_OVERHANG_PT, text.x1, text.y1 + GLYPH_OVERHANG_PT)
        if region.overlap(text) > 0 and text.share_in(core) < 0.9:
            region = _cut_back(region, text)
    return region


def _cut_back(region: Box, text: Box) -> Box:
    cuts = [
        Box(region.x0, region.y0, region.x1, min(region.y1, text.y0)),
        Box(region.x0, max(region.y0, text.y1), region.x1, region.y1),
        Box(region.x0, region.y0, min(region.x1, text.x0), region.y1),
        Box(max(region.x0, text.x1), region.y0, region.x1, region.y1),
    ]
    return max(cuts, key=lambda box: box.area if box.width > 0 and box.height > 0 else 0)


# --- the whole article --------------------------------------------------------------------------------------------


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
        if caption.box.y_overlap(box) < 0.5 * min(caption.box.height, box.height)
        and caption.box.gap(box) < 0.15 * sheet.page.height
        and _sees(caption.box, box, caption, sheet.captions, sheet.walls)
    }


def _adopt(sheets: list[_Sheet]) -> None:
    """Gives pictures of pages without captions to captions without pictures: facing page, or all in order."""
    have = {caption.key for sheet in sheets for caption in sheet.found}
    lost: dict[str, tuple[_Sheet, Caption]] = {}
    for sheet in sheets:
        for caption in sheet.lost:
            if caption.key not in have and (caption.key not in lost or _rank(lost[caption.key][1]) < _rank(caption)):
                lost[caption.key] = (sheet, caption)
    spare = [region for sheet in sheets if (region := sheet.spare_picture())]
    in_order = len(lost) == len(spare)
    for sheet, caption in lost.values():
        facing = spare[:1] if in_order else [r for r in spare if abs(r.page - sheet.page.number) == 1]
        if facing:
            sheet.found[caption] = facing[0]
            spare.remove(facing[0])


def _rank(caption: Caption) -> tuple[bool, int, int]:
    """Which of several captions of one label is the caption."""
    return bool(caption.text), caption.score, len(caption.text)


def _figures(sheets: list[_Sheet]) -> list[FoundFigure]:
    """One figure for each label, in the order of their numbers."""
    by_key: dict[str, list[tuple[Caption, Region | None]]] = defaultdict(list)
    for sheet in sheets:
        for caption in sheet.captions:
            if not caption.is_table:
                by_key[caption.key].append((caption, sheet.found.get(caption)))
    if len(by_key) > 1:
        by_key.pop(UNNUMBERED, None)
    sure = max((caption.score for entries in by_key.values() for caption, _ in entries), default=0)
    figures = [figure for key, entries in by_key.items() if (figure := _figure(key, entries, sure))]
    return sorted(figures, key=lambda figure: [int(part) for part in re.findall(r"\d+", figure.key)])


def _figure(key: str, entries: list[tuple[Caption, Region | None]], sure: int) -> FoundFigure | None:
    """The best caption of a label, what says that it continues it, and their regions.

    None for what has no picture and is set otherwise than the article's captions (`sure` is the best one's score), and
    for a "Chart 1" or "Scheme 2" of set text.
    """
    best = max(entries, key=lambda e: (bool(e[0].text), e[0].score, e[1] is not None, len(e[0].text)))[0]
    goes_on = any(caption.goes_on for caption, _ in entries)
    same = [e for e in entries if e[0] is best or e[0].goes_on or e[0].goes_on_from or not e[0].text or goes_on]
    parts = [region for _, region in same if region is not None]
    if not parts and (OTHER_KIND.match(key) or best.score < sure - 1):
        return None
    captions = [caption for caption, _ in same]
    twins = [caption for caption, _ in entries if caption not in captions and _is_twin(caption, best)]
    return FoundFigure(best.label, key, whole_text(captions), best.page, parts, captions + twins)


def _is_twin(caption: Caption, best: Caption) -> bool:
    """Whether a caption stands directly above or below another one of the same figure: in a second language."""
    near = caption.box.gap(best.box) < TWIN_GAP_EM * best.lines[0].size
    return caption.page == best.page and near and caption.box.x_overlap(best.box) > 0
