"""The drawings of a page that may be pictures: bitmaps and vector shapes that nearly touch, as boxes.

Left out are rules, running heads' ornaments and logos (they repeat on many pages), underlines and inline symbols, fills
behind running text, and frames around a figure together with its caption.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import cv2
import numpy as np

from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent

CLUSTER_GAP_PT = 6  # drawings nearer than this belong together
MIN_CLUSTER_SIDE_PT = 12  # smaller ones are bullets, logos, inline formulas
MAX_RASTER_SIDE_PX = 3000  # of the raster on which drawings are grouped: posters get a coarser one
RULE_THICKNESS_PT = 3  # a drawing thinner than this is a line
TABLE_MAX_RULES, TABLE_MIN_CHARS = 8, 400  # so few lines, and nothing else, around more text are those of a table
FRAME_BAND_PT = 6  # a frame around figure and caption is no thicker, rounded corners included
BACKGROUND_SHARE = 0.5  # of the page: a larger fill or frame with text on it is a background
BACKGROUND_MIN_CHARS = 300
RUNNING_TEXT_CHARS = 40  # a shorter line may be a label in a picture
MARKED_LINE_CHARS = 20  # an underlined or highlighted line is longer, a label in a picture is not
MARK_MAX_HEIGHT = 1.6  # times the height of the line that is underlined, highlighted or holds an inline symbol
MARK_MARGIN_PT, MARK_SHARE = 2, 0.7  # of a mark's area that lies on its line, widened by the margin
ROW_PT = 20  # height of the rows by which lines are looked up
ORNAMENT_SHARE = 0.02  # of the page's area
EDGE_SHARE = 0.12  # of the page's height
REPEATS_SHARE, MIN_REPEATS = 0.25, 3  # of the pages: a drawing at the same place on so many is an ornament
PLACE_STEP_PT = 3  # to which places are rounded

RULE_MIN_SHARE = 0.25  # of the page's width: a rule of the journal's frame, around figures or tables, is longer
RULE_REPEATS, RULE_PAGES = 3, 2  # such rules from the same left to the same right edge, and the pages they are on
MAX_FRAME_RULES = 2  # in one group of drawings: more are the grid of a plot
TOUCH_PT = 0.5  # what is nearer to a rule touches it: an axis with its ticks, no rule of a frame
WIDER_PT = 4  # a rule longer than all else in its group by more is a frame's, touching or not

Place = tuple[int, ...]  # a box on the displayed page, its sides rounded to PLACE_STEP_PT; of a rule two alone


def repeated_drawings(pages: list[PageContent]) -> set[Place]:
    """Places at which small drawings stand on many pages, and the edges of rules that stand on some anywhere."""
    seen: Counter[Place] = Counter()
    for page in pages:
        seen.update({_place(box, page) for box in (*page.images, *page.shapes) if _may_be_ornament(box, page)})
    needed = max(MIN_REPEATS, REPEATS_SHARE * len(pages))
    return {place for place, count in seen.items() if count >= needed} | _repeated_rules(pages)


def _repeated_rules(pages: list[PageContent]) -> set[Place]:
    """The left and right edges of the journal's own rules, at whatever height."""
    at: dict[Place, set[tuple[int, int]]] = defaultdict(set)  # page and height of each
    for page in pages:
        for box in page.shapes:
            if _is_rule(box, page):
                at[_edges(box)].add((page.number, round(box.y0)))
    often = {edges: places for edges, places in at.items() if len(places) >= RULE_REPEATS}
    return {edges for edges, places in often.items() if len({page for page, _ in places}) >= RULE_PAGES}


def _is_rule(box: Box, page: PageContent) -> bool:
    return box.height <= RULE_THICKNESS_PT and box.width > RULE_MIN_SHARE * page.width


def _edges(box: Box) -> Place:
    return round(box.x0 / PLACE_STEP_PT), round(box.x1 / PLACE_STEP_PT)


def _may_be_ornament(box: Box, page: PageContent) -> bool:
    """Small, or at the upper or lower edge of the page; a larger drawing inside is a figure of a usual format."""
    at_edge = box.y1 < EDGE_SHARE * page.height or box.y0 > (1 - EDGE_SHARE) * page.height
    return at_edge or box.area < ORNAMENT_SHARE * page.width * page.height


def _place(box: Box, page: PageContent) -> Place:
    return tuple(round(v / PLACE_STEP_PT) for v in page.display_box(box))


def clusters(page: PageContent, text: list[Line], labels: list[Box], repeated: set[Place]) -> list[Box]:
    """Boxes around the drawings of a page that may be pictures or their parts.

    `text` are the page's lines, `labels` the boxes of the first lines of captions, `repeated` the places of ornaments.
    """
    prose = _Prose(text)
    boxes = []
    for box in _drawings_on(page, repeated):
        framed = any(label.is_in(box) for label in labels)
        if not (framed or _is_background(box, page, text) or prose.is_marked_by(box)):
            boxes.append(box)
    boxes = _without_rules(_without_frames(boxes, page, labels), page, repeated)
    return [box for box, parts in _connected(boxes, page) if _is_drawing(box, parts, text)]


def _drawings_on(page: PageContent, repeated: set[Place]) -> Iterator[Box]:
    """The parts of bitmaps and shapes that lie on the page, ornaments left out."""
    sheet = Box(0, 0, page.width, page.height)
    for box in (*page.images, *page.shapes):
        inside = _cut(box, sheet)
        if inside is not None and _place(box, page) not in repeated:
            yield inside


def _cut(box: Box, sheet: Box) -> Box | None:
    """The part of a box on the sheet, or None."""
    inside = Box(max(box.x0, sheet.x0), max(box.y0, sheet.y0), min(box.x1, sheet.x1), min(box.y1, sheet.y1))
    return inside if inside.width >= 0 and inside.height >= 0 else None


def _is_background(box: Box, page: PageContent, text: list[Line]) -> bool:
    """A fill or frame as large as the page that lies behind much text."""
    if box.area < BACKGROUND_SHARE * page.width * page.height:
        return False
    long = [line for line in text if len(line.text) >= RUNNING_TEXT_CHARS]
    return _chars_in(box, long) > BACKGROUND_MIN_CHARS


def _chars_in(box: Box, text: list[Line]) -> int:
    """How many characters stand in a box."""
    return sum(len(line.text) for line in text if line.box.is_in(box))


class _Prose:
    """The longer lines of a page, to tell underlines, highlights and inline symbols from drawings."""

    def __init__(self, text: list[Line]):
        self.rows: dict[int, list[Box]] = defaultdict(list)  # by height on the page, so that few pairs are compared
        for box in (line.box for line in text if len(line.text) > MARKED_LINE_CHARS):
            for row in range(int(box.y0 // ROW_PT) - 1, int(box.y1 // ROW_PT) + 2):
                self.rows[row].append(box)

    def is_marked_by(self, box: Box) -> bool:
        """Whether a drawing marks a line of text."""
        middle = (box.y0 + box.y1) / 2
        return any(
            box.height < MARK_MAX_HEIGHT * line.height and box.share_in(line.grow(MARK_MARGIN_PT)) > MARK_SHARE
            for line in self.rows.get(int(middle // ROW_PT), ())
        )


def _without_frames(boxes: list[Box], page: PageContent, labels: list[Box]) -> list[Box]:
    """Without the rules that frame a figure together with its caption."""
    if not labels:
        return boxes
    frames: set[Box] = set()
    for box, parts in _connected(boxes, page):
        if any(label.is_in(box) for label in labels):
            frames.update(part for part in parts if _is_edge(part, box))
    return [box for box in boxes if box not in frames]


def _without_rules(boxes: list[Box], page: PageContent, repeated: set[Place]) -> list[Box]:
    """Without the journal's rules above and below figures."""
    rules = {box for box in boxes if _is_rule(box, page) and _edges(box) in repeated}
    if not rules:
        return boxes
    left_out: set[Box] = set()
    for _, parts in _connected(boxes, page):
        own = [part for part in parts if part in rules]
        others = [part for part in parts if part not in rules]
        if others and len(own) <= MAX_FRAME_RULES:
            left_out.update(rule for rule in own if _is_apart(rule, others, page.images))
    return [box for box in boxes if box not in left_out]


def _is_apart(rule: Box, others: list[Box], images: list[Box]) -> bool:
    """Whether a rule touches nothing, or but bitmaps that it is longer than: an axis touches its ticks."""
    longer = rule.width > hull(others).width + WIDER_PT
    touched = [other for other in others if rule.gap(other) <= TOUCH_PT]
    return not touched or (longer and all(other in images for other in touched))


def _is_edge(part: Box, around: Box) -> bool:
    """Whether a part lies wholly in a narrow band along one side of the box around it."""
    insets = (part.y1 - around.y0, around.y1 - part.y0, part.x1 - around.x0, around.x1 - part.x0)
    return min(insets) < FRAME_BAND_PT


def _connected(boxes: list[Box], page: PageContent) -> list[tuple[Box, list[Box]]]:
    """Groups of boxes nearer than CLUSTER_GAP_PT to each other, found on a raster of one pixel a point, or coarser.

    For each group the box around it, and its boxes.
    """
    if not boxes:
        return []
    scale = min(1.0, MAX_RASTER_SIDE_PX / max(page.width, page.height))  # pixels a point
    half = max(1, round(scale * CLUSTER_GAP_PT / 2))  # boxes grown by half the gap touch
    height, width = (int(scale * side) + 2 * half + 2 for side in (page.height, page.width))
    mask = np.zeros((height, width), np.uint8)
    starts = []  # the upper left corner of each box in the mask
    for box in boxes:
        x0, y0, x1, y1 = (round(scale * v) + half for v in box)
        starts.append((x0, y0))
        cv2.rectangle(mask, (x0 - half, y0 - half), (x1 + half, y1 + half), 1, cv2.FILLED)
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    groups: dict[int, list[Box]] = defaultdict(list)
    for box, (x0, y0) in zip(boxes, starts, strict=True):
        groups[int(labels[y0, x0])].append(box)
    return [(hull(parts), parts) for parts in groups.values()]


def _is_drawing(box: Box, parts: list[Box], text: list[Line]) -> bool:
    """Whether a group of drawings may be a picture rather than a bullet, rules or a table."""
    if box.width < MIN_CLUSTER_SIDE_PT or box.height < MIN_CLUSTER_SIDE_PT:
        return False
    if all(part.height <= RULE_THICKNESS_PT for part in parts):  # horizontal rules only
        return False
    lines_only = all(min(part.width, part.height) <= RULE_THICKNESS_PT for part in parts)
    few = len(parts) <= TABLE_MAX_RULES
    return not (lines_only and few and _chars_in(box, text) > TABLE_MIN_CHARS)
