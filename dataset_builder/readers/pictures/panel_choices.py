"""Letters seen in a picture -> ways to give each panel one of them, the tidiest first."""

import itertools
import math
from collections.abc import Iterator, Sequence

from dataset_builder.readers.pictures.panel_letters import Letter

SURE_SCORE = 0.78  # of a letter; a less sure one counts where it stands in line with a sure one of its size
SIZE_TOLERANCE = 0.13  # of a capital's height: letters of one figure differ less in size
LINE_TOLERANCE = 0.2  # of a capital's height: letters in one row or column stand off by less
PIXEL = 1  # edges of a letter are found to one pixel
LEVEL = 1.5  # of a capital's height: the first letters of two columns stand off by less
MAX_CHOICES = 64  # ways to pick one of several places for each letter; more is a page of text


def choices(places: list[Letter], labels: list[str]) -> list[tuple[Letter, ...]]:
    """Ways to give each label one letter, all of one size and in reading order by rows or columns; tidy ones first."""
    sure = [place for place in places if place.score >= SURE_SCORE]
    following = following_letter(labels).lower()
    further = [place for place in sure if place.char.lower() == following]
    fitting = [
        choice
        for choice in _candidates(_trusted(places, sure), labels)
        if _in_order(choice) and not _continued(choice, further)
    ]
    return sorted(dict.fromkeys(fitting), key=_disorder)


def following_letter(labels: list[str]) -> str:
    """The letter behind the last label: where the picture shows it, there are more panels than the caption says."""
    return chr(ord(labels[-1]) + 1)


def _trusted(places: list[Letter], sure: list[Letter]) -> list[Letter]:
    """The sure letters, and behind them those that stand in line with one of them."""
    unsure = [place for place in places if place.score < SURE_SCORE]
    return sure + [place for place in unsure if _in_line_with_any(place, sure)]


def _candidates(places: list[Letter], labels: list[str]) -> Iterator[tuple[Letter, ...]]:
    """Every way to give each label one letter, all capitals or all small, of the size of the first."""
    for names in ([label.upper() for label in labels], [label.lower() for label in labels]):
        for first in places:
            if first.char != names[0]:
                continue
            alike = _of_one_size(places, first)
            options = [_named(name, alike) for name in names[1:]]
            if math.prod(map(len, options)) <= MAX_CHOICES:
                yield from itertools.product([first], *options)


def _of_one_size(places: list[Letter], like: Letter) -> list[Letter]:
    return [place for place in places if _same_size(place, like)]


def _named(char: str, places: list[Letter]) -> list[Letter]:
    return [place for place in places if place.char == char]


def _same_size(letter: Letter, other: Letter) -> bool:
    return abs(letter.capital_px - other.capital_px) <= SIZE_TOLERANCE * other.capital_px + PIXEL


def _continued(letters: Sequence[Letter], further: list[Letter]) -> bool:
    """Whether one of the further letters stands in line with them: the figure has more panels than the caption says."""
    behind = [other for other in further if _in_order((letters[-1], other))]
    return any(_in_line(other, letter) for other in behind for letter in letters)


def _in_line_with_any(letter: Letter, others: list[Letter]) -> bool:
    return any(_in_line(letter, other) for other in others)


def _in_line(letter: Letter, other: Letter) -> bool:
    """Whether two letters of one size stand exactly below or beside each other."""
    near = LINE_TOLERANCE * other.capital_px + PIXEL
    below = abs(letter.x0 - other.x0) <= near
    beside = abs(letter.y1 - other.y1) <= near
    return (below or beside) and _same_size(letter, other)


def _in_order(letters: Sequence[Letter]) -> bool:
    """Whether each letter stands right of or below the one before it.

    One further up begins a new column: it stands level with a letter before it, or with its neighbour.
    """
    return all(_follows(letters[:k], letters[k]) for k in range(1, len(letters)))


def _follows(before: Sequence[Letter], letter: Letter) -> bool:
    """Whether the letter may come next in reading order."""
    last = before[-1]
    if letter.y0 >= last.y1:
        return True
    if letter.x0 < last.x1:
        return False
    goes_up = letter.y1 <= last.y0
    return not goes_up or any(abs(letter.y0 - other.y0) <= LEVEL * other.capital_px for other in before)


def _disorder(letters: Sequence[Letter]) -> float:
    """How many different rows and columns the letters stand in, less how sure they are."""
    tolerance = max(letter.capital_px for letter in letters)
    columns = _lines([letter.x0 for letter in letters], tolerance)
    rows = _lines([letter.y1 for letter in letters], tolerance)
    return columns + rows - sum(letter.score for letter in letters) / len(letters)


def _lines(values: list[float], tolerance: float) -> int:
    """On how many lines the values lie, when a line is as thick as the tolerance."""
    ordered = sorted(values)
    return 1 + sum(b - a > tolerance for a, b in itertools.pairwise(ordered))
