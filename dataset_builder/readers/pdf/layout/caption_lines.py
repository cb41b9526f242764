"""Labels at the start of a line, and which lines of a page belong to a caption whose first line is known."""

import re

from dataset_builder.readers.pdf.layout.blocks import MAX_ANY_PITCH_EM, MIN_PITCH_EM, belongs_below
from dataset_builder.readers.pdf.layout.boxes import Box, hull
from dataset_builder.readers.pdf.layout.lines import Line, ends_sentence, joined, pitch, same_size
from dataset_builder.readers.pdf.layout.pages import Style
from dataset_builder.text.labels import label_key, split_label
from dataset_builder.text.vocabulary import any_of, any_spaced, any_unspaced

TABLE_WORD = re.compile(rf"(?:{any_of(lambda it: it.not_figures.table)})\.?(?=\s*(?:\d|[IVX]+\b))", re.I)
UNNUMBERED = ""  # the key of an article's only figure where its label has no number
_FIGURE_WORD = rf"(?:{any_of(lambda it: it.figure.unnumbered)})"
UNNUMBERED_LABEL = re.compile(rf"({_FIGURE_WORD})\s?[.:|–—]\s*(?=[^\W\d_]{{2}})(?!(?-i:[IVX]+)\b)", re.I)
UNNUMBERED_MENTION = re.compile(rf"(?<!\w){_FIGURE_WORD}(?!\w)(?!\.?\s*(?:S?\d|(?-i:[IVX]+)\b))", re.I)
_LETTER_SPACED = re.compile(r"(?:[A-Z] ){3,}[A-Z]\b")  # "F I G U R E 1"
_ORNAMENT = re.compile(r"[■□▪▫●○◆◇►▶▸▲△▼▽◄◀★☆•]\s*")  # before a label
_BRACKETED = re.compile(r"\[([^\[\]]{4,40})\]|\(([^()]{4,40})\)")  # "[Figure 1] Dose"
LABEL_GAP_EM = 3.5  # between a label and a caption set apart from it on one row
MARGIN_GAP_EM, MARGIN_PITCH_EM = 12, 3  # from a label in the margin to its caption; nothing is so near below it
LABEL_ROW_PT = 1000  # how far to the right of a label its caption goes on: over the widest page but for posters
LABEL_PITCH_EM = 2.2  # from a label that stands alone to its caption below
GUTTER_EM = 6  # between the two columns of one caption
LEVEL_EM = 0.8  # the two columns start at heights that differ by less
COLUMN_LONGER_EM = 2  # by which the second column reaches below the first at most
SAME_COLUMN_SIZE_PT = 0.3  # sizes of the two columns differ by less
ROW_END_PT = 2  # pieces of a caption's row end this far beyond its widest line at most
# what publishers print below captions: who made the picture, the picture's own DOI
NOT_CAPTION = re.compile(
    rf"(?:{any_of(lambda it: it.captions.source)})\s?:|(?:https?://)?(?:dx\.)?doi(?:\.org/|:\s?)\S*10\.", re.I
)
SERIES_WORDS = 2  # at the end of a line, as of a label that starts there: "Extended Data"
SAME_EDGE_EM = 2  # by which the left edges of a caption's lines differ at most where little else tells
FULL_LINE_SHARE = 0.85  # of the widest line's width: a shorter line is the last of its paragraph
SAME_STEP = 0.85  # of one step from line to line to the next in a widely set caption
LARGER_STEP = 1.1  # times a caption's usual step: the text of the column stands farther below it
INDENT_EM = 0.5  # by which the first line of a paragraph is set in at least
NOTE_PITCH_EM = 2.4  # from a caption's last line to a note of it
CREDIT_LINES = 3  # right below a caption, or above it, that may credit the picture: a credit is short
NOTE_SMALLER_PT = 2.5  # by which a note is set smaller at most
_MARK = re.compile(r"[©ⓒⒸ]|\([cC]\)\s?(?:19|20)\d\d|copyright\b", re.I)
TITLED_MIN_CHARS = 40  # of the first line below a caption's title: a shorter one may be a label in the next picture
_MORE = any_spaced(lambda it: (*it.running.others, *it.lists.and_words, *it.lists.or_words, *it.teaching.see))
_UNFINISHED = re.compile(rf"(?<!\w)(?:{_MORE})$")  # no caption ends so
_P_VALUE = re.compile(r"\b[pP]\s?[<>=≤]\s?0?[.,]\d")
NOTE_SIGNS = "*∗†‡§¶#"  # before what explains one that the caption prints
_NOTE = re.compile(
    r"n\s?=\s?\d"
    r"|\([A-Ha-h]\)\s\S"  # a panel, below a caption's title
    r"|[a-d](?:,\s?[a-d])*\s[A-Z]"  # raised letters
    r"|[A-Z][\w./-]{0,9}(?:[,:]|\s?=)\s[^;]{3,60};"  # "CI, confidence interval; ..."
    rf"|(?i:{any_spaced(lambda it: it.captions.notes)})(?!\w)|{any_unspaced(lambda it: it.captions.notes)}"
)

# ---- labels ----


def split_any_label(text: str) -> tuple[str, str] | None:
    """Label and caption of a figure or a table; a table's label must stand as a figure's would have to."""
    if spaced := _LETTER_SPACED.match(text):
        text = spaced.group().replace(" ", "") + text[spaced.end() :]
    text = bare_label(text)
    if alone := UNNUMBERED_LABEL.match(text):
        return alone[1], text[alone.end() :]
    table = TABLE_WORD.match(text)
    if not table:
        return split_label(text)
    found = split_label("Figure" + text[table.end() :])
    if not found:
        return None
    label, caption = found
    return table.group() + label.removeprefix("Figure"), caption


def bare_label(text: str) -> str:
    """A line without what decorates the label at its start: "■ Figure 1", "[Figure 1]"."""
    if ornament := _ORNAMENT.match(text):
        text = text[ornament.end() :]
    bracketed = _BRACKETED.match(text)
    label = next(filter(None, bracketed.groups()), "") if bracketed else ""
    if bracketed is None or not split_label(label) or split_label(label) != (label, ""):
        return text
    rest = text[bracketed.end() :].lstrip(" .:")
    return text if rest[:1].islower() or rest[:1] in ",;)" else f"{label}. {rest}"


def is_label_alone(text: str) -> bool:
    """Whether a line is a label without its caption."""
    found = split_any_label(text)
    return found is not None and not found[1]


# ---- rows ----


def label_mates(line: Line, lines: list[Line], style: Style) -> list[Line]:
    """What stands to the right of a label that is set apart from its caption ("Fig. 2.      Liver").

    Far to the right, from a label in the margin with nothing below it, unless that is running text.
    """
    if not is_label_alone(line.text.strip()):
        return []
    right_pt = line.box.x1 + LABEL_ROW_PT
    mates = _row_mates(line, lines, right_pt)
    if mates or any(_is_right_below(other, line) for other in lines):
        return mates
    return _row_mates(line, [other for other in lines if not style.matches(other)], right_pt, MARGIN_GAP_EM)


def _is_right_below(other: Line, label: Line) -> bool:
    near = MIN_PITCH_EM * label.size < pitch(label, other) < MARGIN_PITCH_EM * label.size
    return near and other.box.x_overlap(label.box) > 0


def _row_mates(line: Line, lines: list[Line], right_pt: float, gap_em: float = LABEL_GAP_EM) -> list[Line]:
    """Further pieces of the same row to the right, each near the one before, up to `right_pt`."""
    mates: list[Line] = []
    last = line
    for other in sorted(lines, key=lambda other: other.box.x0):
        gap = other.box.x0 - last.box.x1
        near = 0 <= gap < gap_em * line.size and other.box.x1 <= right_pt
        if near and _is_of_one_row(other, line):
            mates.append(other)
            last = other
    return mates


def _is_of_one_row(other: Line, line: Line) -> bool:
    return other is not line and same_size(other, line) and other.box.is_level_with(line.box)


def row(line: Line, mates: list[Line]) -> Line:
    for mate in mates:
        line = joined(line, mate)
    return line


# ---- how a caption goes on ----


def lines_below(first: Line, rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    """The lines of the caption that starts with `first`, and the lines that are left."""
    own = [first]
    while following := _next_caption_line(own, rest, style):
        right = max(line.box.x1 for line in own) + ROW_END_PT
        mates = _row_mates(following, rest, right)
        rest = [line for line in rest if line is not following and line not in mates]
        own.append(row(following, mates))
    return own, rest


def _next_caption_line(own: list[Line], rest: list[Line], style: Style) -> Line | None:
    below = [line for line in rest if _caption_goes_on(own, line, rest, style)]
    return min(below, key=lambda line: (round(line.box.y0), line.box.x0), default=None)


def _caption_goes_on(own: list[Line], line: Line, rest: list[Line], style: Style) -> bool:
    step = pitch(own[-1], line)
    if not MIN_PITCH_EM * line.size < step < MAX_ANY_PITCH_EM * line.size:
        return False
    if NOT_CAPTION.match(line.text.strip()) or _starts_another(own, line):
        return False
    if len(own) == 1 and is_label_alone(own[0].text):
        most = max(LABEL_PITCH_EM, style.max_pitch_em) * max(line.size, own[0].size)
        return step < most and own[0].box.is_in_column_with(line.box)
    if _is_column_text(own, line, style):
        return False
    if belongs_below(own, line, style.max_pitch_em, any_weight=True, any_width=not style.matches(line)):
        return True
    apart = _is_widely_set(own, line, rest) or _is_note(own, line, style) or _is_below_title(own, line, style)
    return apart and _is_next(own[-1], line, rest)


def _starts_another(own: list[Line], line: Line) -> bool:
    """Whether a line starts a caption of its own, and is no mention with which the caption's sentence goes on."""
    found = split_any_label(line.text.strip())
    if found is None or line.text.strip()[0] in "[(":
        return False
    text = " ".join(entry.text.strip() for entry in own)
    if ends_sentence(text):
        return True
    of_series = not TABLE_WORD.match(found[0]) and _is_of_series(text, found[0])
    return not (of_series or text.count("(") > text.count(")") or _UNFINISHED.search(text))


def _is_of_series(text: str, label: str) -> bool:
    """Whether a label begins at the end of the text before it: "shown in Supplementary / Figures 5, 7 and 9."."""
    series = " ".join(text.split()[-SERIES_WORDS:])
    return label_key(f"{series} {label}") != label_key(label)


def _is_column_text(own: list[Line], line: Line, style: Style) -> bool:
    """Whether the running text of the column starts with a line, below a caption that is set much like it."""
    if not style.is_body(line):
        return False
    if len(own) > 1 and all(_differs(entry, line) for entry in own):
        return True
    widest = max(entry.box.width for entry in (*own, line))
    if not ends_sentence(own[-1].text) or own[-1].box.width > FULL_LINE_SHARE * widest:
        return False
    indented = line.box.x0 > min(entry.box.x0 for entry in own) + INDENT_EM * line.size
    usual = pitch(own[-2], own[-1]) if len(own) > 1 else style.pitch_em * line.size
    return indented or line.font != own[-1].font or pitch(own[-1], line) > LARGER_STEP * usual


def _differs(one: Line, other: Line) -> bool:
    return abs(one.size - other.size) >= SAME_COLUMN_SIZE_PT


def _is_widely_set(own: list[Line], line: Line, rest: list[Line]) -> bool:
    """Whether a line is the second of a figure's caption with wide leading: the line below it is as far away again."""
    first = own[0]
    if len(own) > 1 or TABLE_WORD.match(bare_label(first.text.strip())) or ends_sentence(first.text):
        return False
    if line.font != first.font or _differs(first, line):
        return False
    level = abs(line.box.x0 - first.box.x0) < SAME_EDGE_EM * line.size
    if not level or first.box.width < FULL_LINE_SHARE * line.box.width:
        return False
    step = pitch(first, line)
    return not any(
        MIN_PITCH_EM * line.size < pitch(line, other) < SAME_STEP * step and line.box.is_in_column_with(other.box)
        for other in rest
    )


def _is_note(own: list[Line], line: Line, style: Style) -> bool:
    """Whether a line below a caption explains its signs, though it is set smaller or a little apart."""
    text = line.text.strip()
    explains = text[0] in NOTE_SIGNS and any(text[0] in entry.text for entry in own)
    if not (explains or _NOTE.match(text) or _P_VALUE.search(text)) or style.is_body(line):
        return False
    last = own[-1]
    level = abs(line.box.x0 - min(entry.box.x0 for entry in own)) < SAME_EDGE_EM * line.size
    near = pitch(last, line) < NOTE_PITCH_EM * last.size
    return level and near and _is_smaller(line, last)


def _is_below_title(own: list[Line], line: Line, style: Style) -> bool:
    """Whether a line starts the text below a caption's bold title, which is set larger."""
    titled = all(entry.bold for entry in own) and not line.bold and ends_sentence(own[-1].text)
    if not titled or style.matches(line) or TABLE_WORD.match(bare_label(own[0].text.strip())):
        return False
    long = len(line.text) >= TITLED_MIN_CHARS
    level = abs(line.box.x0 - own[0].box.x0) < SAME_EDGE_EM * line.size
    return long and level and pitch(own[-1], line) < NOTE_PITCH_EM * line.size and _is_smaller(line, own[-1])


def _is_smaller(line: Line, than: Line) -> bool:
    """Whether a line is set as large as another one, or a little smaller."""
    return -SAME_COLUMN_SIZE_PT < than.size - line.size < NOTE_SMALLER_PT


def _is_next(upper: Line, lower: Line, rest: list[Line]) -> bool:
    """Whether two lines stand in one column, and nothing between them."""
    if not upper.box.is_in_column_with(lower.box):
        return False
    below = [line for line in rest if pitch(upper, line) > 0 and line.box.x_overlap(lower.box) > 0]
    return not any(pitch(line, lower) > MIN_PITCH_EM * lower.size for line in below)


def credit_lines(own: list[Line], rest: list[Line], style: Style) -> list[Line]:
    """What stands right above and below a caption, from the top: it may say whose the picture is."""
    highest = min(own, key=lambda line: line.box.y0)
    lowest = max(own, key=lambda line: line.box.y1)
    above = _near_lines(highest, rest, style, -1)
    return [*reversed(above), *_near_lines(lowest, rest, style, 1)]


def _near_lines(start: Line, rest: list[Line], style: Style, side: int) -> list[Line]:
    """Up to `CREDIT_LINES` lines in a row on one side of a caption's line, 1 below and -1 above."""
    found: list[Line] = []
    last = start
    for line in sorted(rest, key=lambda line: side * line.box.y0):
        step = pitch(last, line) if side > 0 else pitch(line, last)
        if step < MIN_PITCH_EM * line.size or not line.box.is_in_column_with(last.box):
            continue
        if step > NOTE_PITCH_EM * line.size or len(found) == CREDIT_LINES or not may_credit(line, style):
            break
        found.append(line)
        last = line
    return found


def may_credit(line: Line, style: Style) -> bool:
    """Whether a line is set unlike running text, or starts as no running text does."""
    text = line.text.strip()
    return not style.matches(line) or bool(NOT_CAPTION.match(text) or _MARK.match(text))


def with_second_column(own: list[Line], rest: list[Line], style: Style) -> tuple[list[Line], list[Line]]:
    """The lines of a caption with those of its second column, if it has one, and the lines that are left."""
    box = hull(line.box for line in own)
    tops = [line for line in rest if _is_second_column(own, box, line)]
    if len(tops) != 1 or len(own) < 2 or style.matches(tops[0]):
        return own, rest
    column, others = lines_below(tops[0], [line for line in rest if line is not tops[0]], style)
    if hull(line.box for line in column).y1 > box.y1 + COLUMN_LONGER_EM * own[0].size:
        return own, rest
    return own + column, others


def _is_second_column(own: list[Line], box: Box, line: Line) -> bool:
    """A caption set in two columns goes on to the right, at the height at which it starts."""
    beside = 0 < line.box.x0 - box.x1 < GUTTER_EM * line.size
    level = abs(line.box.y0 - own[0].box.y0) < LEVEL_EM * line.size
    alike = abs(line.size - own[-1].size) < SAME_COLUMN_SIZE_PT and line.font == own[-1].font
    return beside and level and alike and not split_label(line.text)
