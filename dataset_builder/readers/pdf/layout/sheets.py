"""One page while the figures of its article are looked for: its captions, drawings, running text and loose text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dataset_builder.readers.pdf.layout.blocks import Block, make_blocks
from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.caption_lines import lines_below
from dataset_builder.readers.pdf.layout.captions import (
    Caption,
    Unbelieved,
    breaks_off,
    find_captions,
    may_go_on,
    unbelieved,
)
from dataset_builder.readers.pdf.layout.drawings import Place, clusters
from dataset_builder.readers.pdf.layout.lines import Line, ends_sentence, join_fragments, without_doubles
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from dataset_builder.readers.pdf.layout.regions import (
    ABOVE,
    BELOW,
    clear_of,
    match,
    sees,
    with_stray_text,
)

MIN_FIGURE_AREA_PT2 = 1200  # of all clusters of a figure together
MAX_CAPTION_GAP_SHARE = 0.35  # of the page's height between a caption and its nearest cluster
VOTE_GAP_SHARE = 0.15  # of the page's height: a drawing so near tells on which side figures stand
FIGURE_PAGE_SHARE = 0.08  # of the page: the least that drawings without a caption cover on a figure page
EDGE_PICTURE_SHARE = 0.03  # of the page: the least that drawings at its end cover whose caption is on the next page
FIGURE_PAGE_MAX_LINES = 12  # of running text on such a page
PICTURE_TEXT_SHARE = 0.7  # of a line's area in a figure's region: it is part of the picture
HEADING_MAX_LINES = 2
SMALLER_PT = 0.5  # by which a heading may be set smaller than running text
HEADING_GAP_EM = 2.5  # from a heading to the paragraph below it
INDENT_EM = 1.5  # by which heading and paragraph may start apart


@dataclass(frozen=True)
class Region:
    """Where a figure, or a part of it, stands on one page."""

    page: int  # 1-based
    box: Box
    blank: tuple[Box, ...] = ()  # what stands in it and is not the figure: the caption between two of its pictures


class Sheet:
    """One page; `lines` are those without running heads, `repeated` the places of ornaments."""

    def __init__(self, page: PageContent, lines: list[Line], style: Style, repeated: set[Place]):
        self.page, self.style = page, style
        upright = join_fragments(without_doubles(lines))
        self.captions, self.rest = find_captions(upright, page.number, style)
        labels = [caption.lines[0].box for caption in self.captions]
        self.drawings = clusters(page, upright, labels, repeated)
        running = self._running_text()
        turned = [line for line in lines if line.turn]
        self.walls = [line.box for line in running]  # over which no figure reaches
        self.stray = [line for line in (*self.rest, *turned) if line not in running]
        self.free = list(self.drawings)  # of no figure yet
        self.found: dict[Caption, Region] = {}

    def _running_text(self) -> list[Line]:
        """The lines of running text and of its headings, but for those in drawings."""
        blocks = make_blocks(self.rest, self.page.number, self.style.max_pitch_em)
        lines = [line for block in blocks if _is_wall(block, blocks, self.style) for line in block.lines]
        return [line for line in lines if not _is_in_any(line.box, self.drawings)]

    def end_captions(self, following: "Sheet | None") -> None:
        """Gives captions that break off at the end of a column their last lines, from the next column or page."""
        for caption in filter(breaks_off, self.captions):
            taken = self._taken(caption)
            if any(_is_below(box, caption.box) for box in taken):
                continue
            beside = any(box.x0 > caption.box.x1 for box in taken)
            sheet = self if beside else following
            if sheet is not None:
                caption.tail = self._tail(caption, sheet, caption.box.x1 if beside else 0.0)
                sheet.stray = [line for line in sheet.stray if line not in caption.tail]

    def _tail(self, caption: Caption, sheet: "Sheet", left_pt: float) -> list[Line]:
        """The last lines of a caption: they start the first column of a sheet to the right of `left_pt`."""
        taken = [box for box in sheet._taken(caption) if box.x0 > left_pt]
        top = min(box for box in taken if not any(_is_below(box, other) for other in taken)) if taken else None
        rest = [line for line in sheet.rest if line.box.x0 > left_pt]
        first = next((line for line in rest if line.box == top), None)
        if first is None or not may_go_on(caption, first) or _is_cell(first, rest, caption.box.width):
            return []
        if self.style.matches(first) and (first.text[:1].isupper() or self._text_breaks_off(caption)):
            return []
        return lines_below(first, [line for line in rest if line is not first], self.style)[0]

    def _taken(self, caption: Caption) -> list[Box]:
        """What stands on the page besides a caption: text, other captions, drawings."""
        others = [line.box for other in self.captions if other is not caption for line in other.lines]
        return [*(line.box for line in self.rest), *others, *self.drawings]

    def _text_breaks_off(self, caption: Caption) -> bool:
        """Whether the running text that stands before a caption goes on behind it."""
        own = caption.box
        before = [line for line in self.rest if line.box in self.walls and line.box.x_overlap(own) > 0]
        in_order = sorted(before, key=lambda line: (line.box.x0 > (own.x0 + own.x1) / 2, line.box.y0))
        return in_order != [] and not ends_sentence(in_order[-1].text)

    @property
    def lost(self) -> list[Caption]:
        """Captions of figures that have no region."""
        return [caption for caption in self.captions if not caption.is_table and caption not in self.found]

    def unbelieved(self) -> list[Unbelieved]:
        """What reads like captions of figures among the text of the page, but for that in pictures."""
        regions = [region.box for region in self.found.values()]
        return unbelieved([line for line in self.rest if not _is_in_picture(line, regions)], self.style)

    def sides_seen(self, caption: Caption) -> set[int]:
        """On which sides of a caption, ABOVE or BELOW, a drawing stands near it."""
        others = [line.box for other in self.captions if other is not caption for line in other.lines]
        barriers = [*self.walls, *others]
        reach = VOTE_GAP_SHARE * self.page.height
        sides = set()
        for drawing in self.drawings:
            near = caption.box.gap(drawing) < reach and not caption.box.is_level_with(drawing)
            if near and sees(caption.box, drawing, barriers):
                sides.add(ABOVE if drawing.is_above(caption.box) else BELOW)
        return sides

    def place(self, sides: Mapping[str, int]) -> None:
        """Finds the regions of each caption of a figure; `sides` tell where most figures of its kind stand."""
        max_cost = MAX_CAPTION_GAP_SHARE * self.page.height
        own_sides = {caption: sides.get(caption.kind, sides[""]) for caption in self.captions}
        cells = [line.box for line in self.stray]
        matched = match(self.captions, self.drawings, self.walls, cells, max_cost, own_sides)
        used = {box for boxes in matched.values() for box in boxes}
        self.free = [box for box in self.drawings if box not in used]
        cores = {caption: hull(boxes) for caption, boxes in matched.items()}
        for caption, boxes in matched.items():
            if caption.is_table or sum(box.area for box in boxes) < MIN_FIGURE_AREA_PT2:
                continue
            rivals = [core for key, core in cores.items() if key is not caption]
            region = self._region(cores[caption], rivals)
            own = tuple(line.box for line in caption.lines if line.box.is_in(region.box))
            self.found[caption] = replace(region, blank=own)

    def _region(self, core: Box, rivals: list[Box]) -> Region:
        """The region around the drawings in `core`, clear of captions, running text and other figures."""
        texts = [line.box for caption in self.captions for line in caption.lines]
        region = with_stray_text(core, self.stray, [*self.walls, *texts, *rivals])
        return Region(self.page.number, clear_of(region, [*texts, *self.walls], core))

    def spare_drawings(self) -> list[Box]:
        """The drawings of a page that shows some, but no caption and hardly any running text; else none."""
        if self.captions or len(self.walls) > FIGURE_PAGE_MAX_LINES:
            return []
        return self.free if self._share(self.free) >= FIGURE_PAGE_SHARE else []

    def drawings_at(self, side: int) -> list[Box]:
        """The drawings of no figure at the upper (ABOVE) or lower (BELOW) end of a page that also has running text."""
        found = [box for box in self.free if not self._beyond(box, side)]
        return found if self._share(found) >= EDGE_PICTURE_SHARE else []

    def ends_with(self, caption: Caption, side: int) -> bool:
        """Whether nothing but running heads stands between a caption and the upper or lower end of the page."""
        return not self._beyond(caption.box, side, caption)

    def _beyond(self, box: Box, side: int, own: Caption | None = None) -> bool:
        """Whether running text, a caption or a figure stands between a box and an end of the page."""
        others = [line.box for caption in self.captions if caption is not own for line in caption.lines]
        others += [*self.walls, *(region.box for region in self.found.values())]
        return any(other.x_overlap(box) > 0 and other.is_above(box) == (side == ABOVE) for other in others)

    def _share(self, boxes: list[Box]) -> float:
        return sum(box.area for box in boxes) / (self.page.width * self.page.height)

    def region_of(self, boxes: list[Box]) -> Region:
        """The region around drawings of no caption of this page."""
        return self._region(hull(boxes), [box for box in self.free if box not in boxes])

    def blocks(self, used: Iterable[Line], regions: list[Box]) -> list[Block]:
        """Text of the page but for the lines `used` in captions of figures, tables' captions and the pictures' text."""
        tables = (line for caption in self.captions if caption.is_table for line in caption.lines)
        left_out = {id(line) for line in (*used, *tables)}
        lines = [*self.rest, *(line for caption in self.captions for line in caption.lines)]
        own = [line for line in lines if id(line) not in left_out and not _is_in_picture(line, regions)]
        return make_blocks(own, self.page.number, self.style.max_pitch_em)


def _is_below(box: Box, other: Box) -> bool:
    """Whether a box stands below another one, in its column."""
    return box.y0 >= other.y1 and box.x_overlap(other) > 0


def _is_cell(line: Line, lines: list[Line], width_pt: float) -> bool:
    """Whether something stands to the right of a line on its row, within a column's width: a row of a table."""
    right = line.box.x0 + width_pt
    return any(line.box.x1 < other.box.x0 < right and other.box.is_level_with(line.box) for other in lines)


def _is_in_any(box: Box, others: list[Box]) -> bool:
    return any(box.is_in(other) for other in others)


def _is_in_picture(line: Line, regions: list[Box]) -> bool:
    return any(line.box.share_in(region) > PICTURE_TEXT_SHARE for region in regions)


def _is_wall(block: Block, blocks: list[Block], style: Style) -> bool:
    """Whether no figure may reach across a block: running text, or a heading above it."""
    if block.is_prose or any(style.is_body(line) for line in block.lines):
        return True
    if len(block.lines) > HEADING_MAX_LINES or block.size < style.size - SMALLER_PT:
        return False
    return any(other.is_prose and _heads(block, other) for other in blocks)


def _heads(heading: Block, paragraph: Block) -> bool:
    """Whether a block stands directly above another one, at the same left edge."""
    gap = paragraph.box.y0 - heading.box.y1
    indent = abs(paragraph.box.x0 - heading.box.x0)
    return 0 <= gap < HEADING_GAP_EM * heading.size and indent < INDENT_EM * heading.size
