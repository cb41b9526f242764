"""Lines of text: what one is, how pieces of one baseline become one line, and how lines become one text.

Sizes of type are in points; what is given in em is in sizes of the line's own type.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from dataset_builder.readers.pdf.layout.boxes import Box

SAME_SIZE_PT = 0.7  # sizes of one paragraph differ by less
DOUBLED_MIN_CHARS = 8  # shorter text printed twice does no harm, and marks in plots are many
DOUBLED_SHARE = 0.2  # of a line's area on which the same text stands: it was printed twice
BAND_PT = 20  # lines of one row have their middles in the same or in neighbouring bands of the page
FRAGMENT_GAP_EM = 0.7  # pieces of one baseline nearer than this are one line
FRAGMENT_OVERLAP_EM = 0.5  # by which they may overlap: italics, kerning
SPACE_EM = 0.15  # a wider gap between two pieces is a space
BOLD_FONT = re.compile(r"bold|black|heavy|demi|[-,.]b(?:i|d)?$", re.I)
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")  # Chinese and Japanese know no spaces
_PANEL_LETTER = re.compile(r"\s*[(\[]?([A-Za-zА-Яа-я])[)\].:]?\s*")  # "A", "(a)", "b)", "C."
_TERMINAL = re.compile(r"[.!?。！？:][\"'”’)\]\d,\-–]*$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST_WORD, _FIRST_WORD = re.compile(r"[\w-]*$"), re.compile(r"[\w-]*")
HEAD_MIN_CHARS, TAIL_MIN_CHARS = 3, 4  # of the halves of a compound that both are words: "in-formation" is none
GREEK_MIN_CHARS = 4  # of a Greek letter's name: "eta", "pi" and "nu" end many words
GREEK = range(0x3B1, 0x3CA)  # α to ω
_GREEK_NAMES = {unicodedata.name(chr(code)).rsplit(maxsplit=1)[-1].lower() for code in GREEK} | {"lambda"}  # LAMDA
GREEK_NAMES = frozenset(name for name in _GREEK_NAMES if len(name) >= GREEK_MIN_CHARS)


@dataclass(eq=False)
class Line:
    """Text of one line of one column; `size` (points) and `font` are those of its middle character."""

    text: str
    box: Box
    size: float
    first_font: str = ""  # of its first character
    font: str = ""
    turn: int = 0  # quarters counter-clockwise by which it stands turned on the upright page

    @cached_property
    def bold(self) -> bool:
        """Whether it starts in bold, as far as the font's name tells."""
        return bool(BOLD_FONT.search(self.first_font))

    @property
    def panel_letter(self) -> str:
        """The letter, where it is one alone, in brackets or not, as above the panels of a figure; "" for other text."""
        found = _PANEL_LETTER.fullmatch(self.text)
        return found[1] if found else ""


def pitch(upper: Line, lower: Line) -> float:
    """Distance from one line to the next, points."""
    _, upper_top, _, upper_bottom = upper.box
    _, lower_top, _, lower_bottom = lower.box
    return min(lower_top - upper_top, lower_bottom - upper_bottom)


def same_size(one: Line, other: Line) -> bool:
    """Whether two lines may be of one paragraph by the size of their type."""
    return abs(one.size - other.size) <= SAME_SIZE_PT


# ---- pieces of lines ----


def without_doubles(lines: list[Line]) -> list[Line]:
    """Without text printed twice nearly on one spot, as imitated bold or by two layers of a file."""
    kept: dict[str, list[Line]] = {}  # text without spaces -> its lines
    short = [line for line in lines if len(line.text) < DOUBLED_MIN_CHARS]
    for line in lines:
        if len(line.text) >= DOUBLED_MIN_CHARS:
            alike = kept.setdefault("".join(line.text.split()), [])
            if not any(line.box.overlap(other.box) > DOUBLED_SHARE * line.box.area for other in alike):
                alike.append(line)
    return short + [line for alike in kept.values() for line in alike]


def join_fragments(lines: list[Line]) -> list[Line]:
    """Upright pieces of one baseline that nearly touch become one line, whatever their order in the file."""
    bands: dict[int, list[Line]] = defaultdict(list)  # by height on the page, so that few pairs are compared
    upright = [line for line in lines if line.turn == 0]
    for line in sorted(upright, key=lambda line: line.box.x0):
        band = int((line.box.y0 + line.box.y1) / 2 // BAND_PT)
        near = [bands[band], bands[band - 1], bands[band + 1]]
        if not any(_join_to_one(rows, line) for rows in near):
            bands[band].append(line)
    whole = [row for rows in bands.values() for row in rows]
    return sorted(whole, key=lambda line: (line.box.y0, line.box.x0))


def _join_to_one(rows: list[Line], line: Line) -> bool:
    """Join the line to the last of the rows that it continues, in place, and say whether there was one."""
    for k in reversed(range(len(rows))):
        if _continues(rows[k], line):
            rows[k] = joined(rows[k], line)
            return True
    return False


def _continues(left: Line, right: Line) -> bool:
    gap = right.box.x0 - left.box.x1
    if not -FRAGMENT_OVERLAP_EM * right.size <= gap <= FRAGMENT_GAP_EM * max(left.size, right.size):
        return False
    return left.box.is_level_with(right.box)


def joined(left: Line, right: Line) -> Line:
    """Two pieces of one baseline as one line; the longer one gives it size, font and height."""
    main = left if len(left.text) >= len(right.text) else right
    gap = right.box.x0 - left.box.x1
    space = " " if gap > SPACE_EM * main.size else ""
    box = Box(left.box.x0, main.box.y0, max(left.box.x1, right.box.x1), main.box.y1)
    return Line(left.text + space + right.text, box, main.size, left.first_font, main.font)


# ---- lines as text ----


def join_lines(texts: Iterable[str], words: frozenset[str] = frozenset()) -> str:
    """Lines of a paragraph as one text; a word broken by a hyphen is mended, a compound keeps its own.

    `words` are those of the article, from `printed_words`: they tell the one from the other.
    """
    result = ""
    for text in texts:
        result = _with_next(result, text.strip(), words) if result else text.strip()
    return result


def _with_next(text: str, following: str, words: frozenset[str]) -> str:
    if text.endswith("-") and text[-2:-1].isalpha() and following[:1].islower():
        return text + following if _is_compound(text[:-1], following, words) else text[:-1] + following
    after_dash = text.endswith(("-", "–", "/")) and following[:1].isalnum()
    without_spaces = _CJK.match(text[-1]) and _CJK.match(following)
    return text + ("" if after_dash or without_spaces else " ") + following


def _is_compound(left: str, right: str, words: frozenset[str]) -> bool:
    """Whether the hyphen between the end of a line and the start of the next belongs to the word."""
    last, first = _LAST_WORD.search(left), _FIRST_WORD.match(right)
    assert last is not None, "the pattern matches anything"
    assert first is not None, "the pattern matches anything"
    whole_head, whole_tail = last[0].lower(), first[0].lower()
    head, tail = last[0].rsplit("-", 1)[-1], whole_tail.split("-", 1)[0]
    if _is_symbol(head):
        return True
    head = head.lower()
    if whole_head + whole_tail in words or head + tail in words:
        return False
    if f"{whole_head}-{whole_tail}" in words or not GREEK_NAMES.isdisjoint((head, tail)):
        return True
    long = len(head) >= HEAD_MIN_CHARS and len(tail) >= TAIL_MIN_CHARS
    return long and not words.isdisjoint((head, f"{head}-")) and not words.isdisjoint((tail, f"-{tail}"))


def _is_symbol(head: str) -> bool:
    """Whether what stands before a hyphen is no first half of a word but a name or a symbol: DNA, T, p53b, mTOR, β."""
    capital = head.isupper() if len(head) == 1 else any(map(str.isupper, head[1:]))
    return capital or ord(head[-1:] or " ") in GREEK or any(map(str.isdigit, head))


def printed_words(texts: Iterable[str]) -> frozenset[str]:
    """The words printed whole within lines, lower case, and the ends of compounds: "low-dose", "low-", "-dose".

    Halves of words that are broken between two of the lines, which follow each other as printed, are none.
    """
    words: set[str] = set()
    broken = False
    for text in texts:
        found = _WORD.findall(text.lower())
        start, broken = broken, text.rstrip().endswith("-")
        words.update(found[start : len(found) - broken])
    for compound in [word for word in words if "-" in word]:
        head, *inner, tail = compound.split("-")
        words.update((f"{head}-", f"-{tail}", *(f"-{part}" for part in inner), *(f"{part}-" for part in inner)))
    return frozenset(words)


def ends_sentence(text: str) -> bool:
    """Whether a line ends with the end of a sentence, as far as its last characters tell."""
    return bool(_TERMINAL.search(text.strip()))
