"""Figures of an article by rules alone: pictures are the drawings near the captions.

    layout = lay_out(pages)
    for figure in layout.figures: figure.label, figure.caption, figure.parts

1. A cluster of drawings goes to the caption it can see: no running text and no other caption lies in the rectangle
   around both. Most captions of an article stand on the same side of their figures: that side comes first.
2. Further clusters and stray text (axis labels, panel letters) that a figure can see join it: one figure, many images.
3. A caption without a picture on its page takes one of a neighbouring page, or of the figure pages at the end.

`sheets` does the first two for one page, by the geometry of `regions`, `facing` the third; here is what concerns the
whole article.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import NamedTuple

from dataset_builder.readers.pdf.layout.blocks import Block, reading_order
from dataset_builder.readers.pdf.layout.caption_lines import UNNUMBERED
from dataset_builder.readers.pdf.layout.captions import STYLED_POINTS, Caption, Unbelieved, is_twin, whole_text
from dataset_builder.readers.pdf.layout.drawings import repeated_drawings
from dataset_builder.readers.pdf.layout.facing import place_lost, rank
from dataset_builder.readers.pdf.layout.issues import article_at, article_starts
from dataset_builder.readers.pdf.layout.lines import Line, printed_words
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from dataset_builder.readers.pdf.layout.regions import ABOVE, BELOW
from dataset_builder.readers.pdf.layout.running_heads import without_running_heads
from dataset_builder.readers.pdf.layout.sheets import Region, Sheet
from dataset_builder.text.labels import label_panel

USUAL_SIDE_VOTES = 0.1  # for figures above their captions: less than any drawing counts, more than none
DUPLICATE, WITHOUT_PICTURE, WITHOUT_NUMBER = 0.2, 0.4, 0.2  # how likely a caption in no figure is one that was missed


@dataclass(eq=False)
class FoundFigure:
    """A caption and the regions of its picture: several where it goes on over pages, none where it was not found."""

    label: str
    key: str
    caption: str
    page: int  # of the caption, 1-based
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
    unbelieved: list[tuple[int, Unbelieved]]  # what reads like captions and is none, with its page
    starts: list[int]  # pages on which articles start: [1] but for files in which the numbering of figures restarts


class _Printed(NamedTuple):
    """A caption as it is printed on one page, and its picture there, if it was found."""

    caption: Caption
    region: Region | None


def lay_out(pages: list[PageContent]) -> ArticleLayout:
    """Figures and text of an article given as its pages."""
    style = Style.of(pages)
    page_lines = without_running_heads(pages, style)
    repeated = repeated_drawings(pages)
    sheets = [Sheet(page, lines, style, repeated) for page, lines in zip(pages, page_lines, strict=True)]
    for sheet, following in zip_longest(sheets, sheets[1:]):
        sheet.end_captions(following)
    words = printed_words(line.text for lines in page_lines for line in lines)
    sides = _usual_sides(sheets)
    for sheet in sheets:
        sheet.place(sides)
        for caption in sheet.captions:
            caption.words = words
    starts = article_starts(sheets)
    place_lost(sheets, starts)
    figures = _figures(sheets, starts)
    return ArticleLayout(
        style,
        figures,
        blocks=_blocks(sheets, figures),
        tables=[caption for sheet in sheets for caption in sheet.captions if caption.is_table],
        heads=_heads(pages, page_lines),
        unbelieved=_unbelieved(sheets, figures),
        starts=starts,
    )


def _usual_sides(sheets: list[Sheet]) -> dict[str, int]:
    """On which side of their captions most figures stand, ABOVE, the usual one, or BELOW; for each kind of figure."""
    votes: dict[str, dict[int, float]] = {"": {ABOVE: USUAL_SIDE_VOTES, BELOW: 0.0}}
    for sheet in sheets:
        for caption in sheet.captions:
            sides = set() if caption.is_table else sheet.sides_seen(caption)
            for side in sides:
                of_kind = votes.setdefault(caption.kind, {ABOVE: 0.0, BELOW: 0.0})
                of_kind[side] += 1 / len(sides)
    usual = _most(votes[""], ABOVE)
    return {kind: _most(of_kind, usual) for kind, of_kind in votes.items()}


def _most(votes: dict[int, float], otherwise: int) -> int:
    """The side with more votes; `otherwise` where both have the same."""
    if votes[ABOVE] == votes[BELOW]:
        return otherwise
    return max(votes, key=lambda side: votes[side])


def _unbelieved(sheets: list[Sheet], figures: list[FoundFigure]) -> list[tuple[int, Unbelieved]]:
    """What reads like captions of figures and is in no figure."""
    used = {caption for figure in figures for caption in figure.captions}
    keys = {figure.key for figure in figures}
    found = []
    for sheet in sheets:
        found += [(sheet.page.number, line) for line in sheet.unbelieved()]
        for caption in sheet.captions:
            if not caption.is_table and caption not in used:
                found.append((sheet.page.number, _unused(caption, keys)))
    return found


def _unused(caption: Caption, keys: set[str]) -> Unbelieved:
    """Why a caption is in no figure."""
    whole = replace(caption.lines[0], text=" ".join(line.text for line in caption.lines))
    if caption.key in keys:
        return Unbelieved(whole, caption.label, "duplicate", DUPLICATE)
    if caption.key == UNNUMBERED:
        return Unbelieved(whole, caption.label, "unnumbered", WITHOUT_NUMBER)
    return Unbelieved(whole, caption.label, "no_picture", WITHOUT_PICTURE)


def _blocks(sheets: list[Sheet], figures: list[FoundFigure]) -> list[Block]:
    """What is neither caption nor picture, in reading order; these hold their places in the columns meanwhile."""
    captions = [caption for figure in figures for caption in figure.captions]
    lines = [line for caption in captions for line in (*caption.lines, *caption.tail)]
    parts = [part for figure in figures for part in figure.parts]
    blocks = []
    for sheet in sheets:
        regions = [part.box for part in parts if part.page == sheet.page.number]
        held = [*regions, *(caption.box for caption in sheet.captions)]
        blocks += reading_order(sheet.blocks(lines, regions), held)
    return blocks


def _heads(pages: list[PageContent], kept: list[list[Line]]) -> list[tuple[int, Line]]:
    """The lines of the pages that were not kept, with their page's number."""
    heads = []
    for page, lines in zip(pages, kept, strict=True):
        own = set(map(id, lines))
        heads += [(page.number, line) for line in page.lines if id(line) not in own]
    return heads


# ---- one figure for each label ----


def _figures(sheets: list[Sheet], starts: list[int]) -> list[FoundFigure]:
    """One figure for each label of each article, in the order of their numbers."""
    by_key: dict[tuple[int, str], list[_Printed]] = defaultdict(list)
    for sheet in sheets:
        article = article_at(sheet.page.number, starts)
        for caption in sheet.captions:
            if not caption.is_table:
                by_key[article, caption.key].append(_Printed(caption, sheet.found.get(caption)))
    if any(key != UNNUMBERED for _, key in by_key):
        by_key = {place: printed for place, printed in by_key.items() if place[1] != UNNUMBERED}
    scores = [printed.caption.score for all_printed in by_key.values() for printed in all_printed]
    sure = max(scores, default=0)
    figures = [
        (article, _figure(key, printed, sure))
        for (article, key), all_printed in by_key.items()
        for printed in _of_own_letters(all_printed)
    ]
    found = [(article, figure) for article, figure in figures if figure is not None]
    return [figure for _, figure in sorted(found, key=lambda pair: (pair[0], _number(pair[1])))]


def _number(figure: FoundFigure) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", figure.key)]


def _of_own_letters(all_printed: list[_Printed]) -> list[list[_Printed]]:
    """The captions of one number, apart by their letters where "Figure 2A" and "Figure 2B" are figures of their own.

    As they would be in XML; all together in one list else, as where both stand below one picture.
    """
    by_panel: dict[str, list[_Printed]] = defaultdict(list)
    for printed in all_printed:
        by_panel[printed.caption.panel].append(printed)
    best = max(printed.caption.score for printed in all_printed)
    placed = [printed.caption for printed in all_printed if printed.region is not None]
    apart = {caption.panel for caption in placed if caption.score == best and caption.text}
    for caption in (printed.caption for printed in all_printed):
        if caption.score == best and caption.text and not any(is_twin(caption, other) for other in placed):
            apart.add(caption.panel)
    lettered = "" not in by_panel and apart == set(by_panel)
    return list(by_panel.values()) if lettered else [all_printed]


def _figure(key: str, all_printed: list[_Printed], sure: int) -> FoundFigure | None:
    """The best caption of a label, what says that it continues it, and their regions.

    None for what has no picture and is set otherwise than the article's captions (`sure` is the best one's score), and
    for a "Chart 1" or "Scheme 2" of set text.
    """
    best = max(all_printed, key=_printed_rank).caption
    same = _same_figure(all_printed, best)
    parts = [printed.region for printed in same if printed.region is not None]
    unlike_captions = best.score <= sure - STYLED_POINTS
    if not parts and (best.kind or unlike_captions):
        return None
    captions = [printed.caption for printed in same]
    others = [printed.caption for printed in all_printed if printed.caption not in captions]
    twins = [caption for caption in others if is_twin(caption, best)]
    panels = [caption for caption in (best, *twins) if caption.panel]
    if len({caption.panel for caption in panels}) > 1:
        return FoundFigure(_without_panel(best), key, _panel_texts(panels), best.page, parts, captions + twins)
    return FoundFigure(best.label, key, whole_text(captions), best.page, parts, captions + twins)


def _without_panel(caption: Caption) -> str:
    """ "Figure 2" of "Figure 2A"."""
    return re.sub(r"(?<=\d)\D+$", "", caption.label)


def _panel_texts(captions: list[Caption]) -> str:
    """The captions of the panels of one picture, each behind its letter: "(A) Dose. (B) Pain."."""
    ordered = sorted(captions, key=lambda caption: caption.panel)
    texts = [f"({caption.panel}) {caption.text}" if label_panel(caption.label) else caption.text for caption in ordered]
    return " ".join(texts)


def _printed_rank(printed: _Printed) -> tuple[bool, int, bool, int]:
    has_text, score, length = rank(printed.caption)
    return has_text, score, printed.region is not None, length


def _same_figure(all_printed: list[_Printed], best: Caption) -> list[_Printed]:
    """The best caption of a label, and those that go on from it or stand at a further part of its picture."""
    if any(printed.caption.goes_on for printed in all_printed):
        return all_printed
    same = []
    for printed in all_printed:
        caption = printed.caption
        if caption is best or caption.goes_on_from or not caption.text:
            same.append(printed)
    return same
