"""Days that are written out in a picture: 12.03.1961, 1961-03-12, 12 Mar 1961, 1961年3月12日."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dataset_builder.screening.lines import Line
from dataset_builder.text.vocabulary import any_of

MONTH = rf"(?:{any_of(lambda language: language.imprint.months)})[^\W\d_]*"
_END = r"(?=\d\d:\d\d|\D|$)"  # OCR often reads the time of day without the space before it
_YEAR = r"(?:18[89]|19\d|20[0-4])\d"
_SEPARATOR = r"\s?[./\-–]\s?"
_ANY_SEPARATOR = r"\s?[./\-–,]\s?"  # OCR reads some full stops as commas; without a label these part other numbers
_WRITTEN = (
    rf"(?P<a>\d{{1,2}}){_SEPARATOR}(?P<b>\d{{1,2}}){_SEPARATOR}(?P<y>{_YEAR}){_END}",
    rf"(?P<y>{_YEAR}){_SEPARATOR}(?P<a>\d{{1,2}}){_SEPARATOR}(?P<b>\d{{1,2}}){_END}",
    rf"(?P<a>\d{{1,2}})[\s./\-]?(?i:{MONTH})[\s.,/\-]{{0,2}}(?P<y>{_YEAR}){_END}",
    rf"(?<![^\W\d_])(?i:{MONTH})\.?\s?(?P<a>\d{{1,2}})[\s,]{{1,2}}(?P<y>{_YEAR}){_END}",
    rf"(?P<y>{_YEAR})\s?年\s?(?P<a>\d{{1,2}})\s?月\s?(?P<b>\d{{1,2}})",
)
_SHORT = (  # with a year of two digits: a day only beside a time, or behind "born"
    rf"(?P<a>\d{{1,2}}){_SEPARATOR}(?P<b>\d{{1,2}}){_SEPARATOR}(?P<y>\d\d){_END}",
    rf"(?P<a>\d{{1,2}})[\s./\-]?(?i:{MONTH})[\s.,/\-]{{0,2}}(?P<y>\d\d){_END}",
)
_COMPACT = (rf"(?P<y>{_YEAR})(?P<a>\d\d)(?P<b>\d\d)(?!\d)",)  # as DICOM stores it; only behind "born"
_LONG = [re.compile(rf"(?<!\d){form}") for form in _WRITTEN]
_LABELLED = [
    re.compile(rf"(?<!\d){form.replace(_SEPARATOR, _ANY_SEPARATOR)}") for form in (*_WRITTEN, *_SHORT, *_COMPACT)
]
_TIMED = [re.compile(rf"(?<!\d){form}(?=\D{{0,3}}\d{{1,2}}\s?:\s?\d\d)") for form in _SHORT]
_MIN_AXIS_DAYS = 4  # in one row or column, all different: a time axis
_ALIGNED_HEIGHTS = 0.5  # heights of a line by which its neighbours on the axis may lie off


@dataclass(frozen=True)
class Day:
    """A day in a text."""

    text: str
    start: int
    end: int


def first_day(text: str, is_labelled: bool = False) -> Day | None:
    """The first day in a text; with `is_labelled` short forms count, too, which alone may be anything."""
    forms = _LABELLED if is_labelled else [*_LONG, *_TIMED]
    found = (match for form in forms if (match := form.search(text)) and _is_day(match))
    first = min(found, key=lambda match: match.start(), default=None)
    return Day(first[0], first.start(), first.end()) if first else None


def on_axes(dated: Sequence[tuple[Line, Day]]) -> set[Line]:
    """Of the lines with a day those that are marks of a time axis."""
    marks: set[Line] = set()
    for line, _ in dated:
        for side in (0, 1):  # of one column, of one row
            height = line.box[3] - line.box[1]
            aligned = [other for other in dated if _is_aligned(line, other[0], side, _ALIGNED_HEIGHTS * height)]
            if len({day.text for _, day in aligned}) >= _MIN_AXIS_DAYS:
                marks |= {other for other, _ in aligned}
    return marks


def _is_aligned(one: Line, other: Line, side: int, slack: float) -> bool:
    """Whether two lines start, or end, at the same place: slanted marks of an axis share one end."""
    return any(abs(one.box[edge] - other.box[edge]) <= slack for edge in (side, side + 2))


def _is_day(match: re.Match) -> bool:
    groups = match.groupdict()
    numbers = [int(groups[name]) for name in ("a", "b") if groups.get(name) is not None]
    if len(numbers) == 1:  # the month is a word
        return 1 <= numbers[0] <= 31
    return min(numbers) >= 1 and min(numbers) <= 12 and max(numbers) <= 31
