"""Captions of figures and tables among the text lines of a page, by rules alone.

A line that starts with a label, and stands where a caption may stand, starts a caption; the lines below in the same
size and pitch belong to it, as do those of a second column and what stands to the right of a label set apart.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.caption_lines import (
    FULL_LINE_SHARE,
    NOT_CAPTION,
    SAME_COLUMN_SIZE_PT,
    TABLE_WORD,
    UNNUMBERED,
    bare_label,
    credit_lines,
    label_mates,
    lines_below,
    row,
    split_any_label,
    with_second_column,
)
from dataset_builder.readers.pdf.layout.lines import SAME_SIZE_PT, Line, ends_sentence, join_lines, pitch, same_size
from dataset_builder.readers.pdf.layout.pages import Style
from dataset_builder.text.labels import label_key, label_panel, starting_label
from dataset_builder.text.vocabulary import any_of

ABOVE_MIN_PITCH_EM = 0.4  # a line that is nearer stands on the same row, not above
ABOVE_PITCH_SLACK = 1.2  # times the largest pitch of running text: a line farther away does not run on
RUNNING_TEXT_MIN_CHARS = 25  # a shorter line above may be a heading or a label: it does not run on
OTHER_KIND = re.compile(r"[A-Z]{3,}")  # the key of a scheme, chart, plate: "CHART1"
STYLED_MENTION, PLAIN_MENTION = 0.3, 0.1  # how likely a line with a label is a caption that was not believed
TWIN_GAP_EM = 1.5  # between the captions of one figure in two languages
STYLED_POINTS, FREE_POINTS = 2, 1  # see `Caption.score`
_PANEL_AT_START = re.compile(r"\([^()]{1,5}\)")
_DOI_URL = r"https?://(?:dx\.)?doi\.org/"
_OWN_DOI = re.compile(rf"\s*(?:{_DOI_URL}|doi:\s?(?:{_DOI_URL})?)10\.\d{{4,}}/\S+$", re.I)
_CONTINUED_WORD = rf"(?:{any_of(lambda it: it.captions.continued)})(?!\w)"
_FROM_PREVIOUS = any_of(lambda it: it.captions.from_previous_page)
_ON_NEXT = any_of(lambda it: it.captions.on_next_page)
STARTS_CONTINUED = re.compile(rf"[\s(\[]*{_CONTINUED_WORD}(?:\s(?:{_FROM_PREVIOUS}))?[\s)\].:]*", re.I)
ENDS_CONTINUED = re.compile(rf"[\s(\[]*\b{_CONTINUED_WORD}(?:\s(?:{_ON_NEXT}))?[\s)\].]*$", re.I)


@dataclass(eq=False)
class Caption:
    """A figure's or table's label and caption, in lines on one page."""

    key: str  # as dataset_builder.text.labels.label_key has it
    label: str
    is_table: bool
    score: int  # STYLED_POINTS if set unlike running text, FREE_POINTS more if no sentence runs into it
    lines: list[Line]
    page: int
    credits: list[Line]  # beside it, which are no part of it but may say whose the picture is
    words: frozenset[str] = frozenset()  # printed in the article, see `join_lines`
    tail: list[Line] = field(default_factory=list)  # its last lines, where they stand in the next column or page

    @property
    def kind(self) -> str:
        """Of what it is the caption: "" for figures, else the letters of another kind's key ("SCHEME")."""
        found = OTHER_KIND.match(self.key)
        return found.group() if found else ""

    @property
    def panel(self) -> str:
        """The panels in its label or right behind it: "A" of "Figure 2A." and of "Figure 2. (A)"; "" for none."""
        letters = _PANEL_AT_START.match(self._text())
        return label_panel(self.label) or (label_panel(f"{self.label}{letters.group()}") if letters else "")

    @property
    def box(self) -> Box:
        return hull(line.box for line in self.lines)

    @property
    def text(self) -> str:
        """Without the label, and without "(continued)"."""
        text = self._text()
        continued = STARTS_CONTINUED.match(text)
        if continued:
            text = text[continued.end() :]
        return _OWN_DOI.sub("", ENDS_CONTINUED.sub("", text))

    @property
    def goes_on_from(self) -> bool:
        """Whether it says that it continues a figure begun before ("Figure 2. (Continued)")."""
        return bool(STARTS_CONTINUED.match(self._text()))

    @property
    def goes_on(self) -> bool:
        """Whether it says that the figure or the caption goes on elsewhere."""
        return bool(ENDS_CONTINUED.search(self._text())) and not self.goes_on_from

    @property
    def credit(self) -> str:
        """What stands beside the caption, as one text."""
        return join_lines((line.text for line in self.credits), self.words)

    def _text(self) -> str:
        """Without the label."""
        found = split_any_label(join_lines((line.text for line in (*self.lines, *self.tail)), self.words))
        return found[1] if found else ""


def whole_text(captions: list[Caption]) -> str:
    """The caption of one figure that is printed in parts: what goes on comes first, then the others in page order."""
    ordered = sorted(captions, key=lambda caption: (not caption.goes_on, caption.page))
    return " ".join(dict.fromkeys(caption.text for caption in ordered if caption.text))


def is_twin(caption: Caption, other: Caption) -> bool:
    """Whether a caption stands directly above or below another one of the same figure: in a second language, or of a
    second panel.
    """
    if caption.page != other.page or caption.key != other.key or caption is other:
        return False
    near = caption.box.gap(other.box) < TWIN_GAP_EM * other.lines[0].size
    return near and caption.box.x_overlap(other.box) > 0


class _Start(NamedTuple):
    """What the line with which a caption starts tells: the first fields of `Caption`."""

    key: str
    label: str
    is_table: bool
    score: int


class Unbelieved(NamedTuple):
    """A line that reads like the start of a caption and was not taken for one."""

    line: Line
    label: str
    reason: str  # see `readers.article.CaptionLike`
    confidence: float  # 0–1, that it is a caption


def find_captions(lines: list[Line], page: int, style: Style) -> tuple[list[Caption], list[Line]]:
    """Captions of figures and tables among the upright lines of one page, and the lines that are left."""
    captions: list[Caption] = []
    rest = list(lines)
    for line in lines:
        if not split_any_label(line.text.strip()) or line not in rest:
            continue
        mates = label_mates(line, rest, style)
        whole = row(line, mates)
        start = _caption_start(whole, [other for other in lines if other not in mates], style)
        if start is None:
            continue
        rest = [other for other in rest if other is not line and other not in mates]
        own, rest = lines_below(whole, rest, style)
        if not start.is_table:
            own, rest = with_second_column(own, rest, style)
        captions.append(Caption(*start, own, page, credit_lines(own, rest, style)))
    return captions, rest


def unbelieved(rest: list[Line], style: Style) -> list[Unbelieved]:
    """Which of the lines that are left of a page read like captions of figures, and why they are none."""
    found = []
    for line in rest:
        text = line.text.strip()
        label = starting_label(text)
        if label is None or TABLE_WORD.match(text):
            continue
        styled = _is_styled(line, style)
        if split_any_label(text) is not None:
            found.append(Unbelieved(line, label, "running_text", STYLED_MENTION if styled else PLAIN_MENTION))
        elif styled:
            found.append(Unbelieved(line, label, "wording", STYLED_MENTION))
    return found


# ---- where a caption starts ----


def _caption_start(line: Line, lines: list[Line], style: Style) -> _Start | None:
    """What a line tells if a caption starts with it; None for one of running text ("Figure 2 shows …")."""
    text = line.text.strip()
    found = split_any_label(text)
    bare = bare_label(text)
    if not found or not bare[0].isalpha():
        return None
    key = label_key(found[0]) or UNNUMBERED
    styled = _is_styled(line, style)
    if not styled and (key == UNNUMBERED or bare != text):
        return None
    above = _line_above(line, lines, style)
    run_into = above is not None and _is_running_on(above, line, style)
    other_font = above is None or line.first_font != above.font
    if run_into and not (styled and other_font):
        return None
    return _Start(key, found[0], bool(TABLE_WORD.match(bare)), STYLED_POINTS * styled + FREE_POINTS * (not run_into))


def _is_styled(line: Line, style: Style) -> bool:
    """Whether a line starts unlike running text."""
    return line.bold or line.first_font != style.font or abs(line.size - style.size) > SAME_SIZE_PT


def _line_above(line: Line, lines: list[Line], style: Style) -> Line | None:
    least = ABOVE_MIN_PITCH_EM * line.size
    most = ABOVE_PITCH_SLACK * style.max_pitch_em * line.size
    near = [
        other
        for other in lines
        if other is not line and least < pitch(other, line) < most and other.box.is_in_column_with(line.box)
    ]
    return max(near, key=lambda other: other.box.y0, default=None)


def _is_running_on(above: Line, line: Line, style: Style) -> bool:
    """Whether `line` continues the sentence of the line above it."""
    alike = same_size(above, line) and pitch(above, line) < style.max_pitch_em * line.size
    return alike and len(above.text) > RUNNING_TEXT_MIN_CHARS and not ends_sentence(above.text)


# ---- where a caption goes on ----


def breaks_off(caption: Caption) -> bool:
    """Whether the last line of a figure's caption is full, and no sentence ends there."""
    last = caption.lines[-1]
    widest = max(line.box.width for line in caption.lines)
    full = len(caption.lines) > 1 and last.box.width > FULL_LINE_SHARE * widest
    return full and not caption.is_table and not ends_sentence(last.text)


def may_go_on(caption: Caption, line: Line) -> bool:
    """Whether a caption may go on elsewhere with a line: set like its last one, and the start of nothing else."""
    last, text = caption.lines[-1], line.text.strip()
    alike = line.font == last.font and abs(line.size - last.size) < SAME_COLUMN_SIZE_PT
    return alike and not split_any_label(text) and not NOT_CAPTION.match(text)
