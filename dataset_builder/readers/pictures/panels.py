"""Split a compound figure into its panels.

The caption says how many panels there are and what their letters are; a figure is split only if the picture agrees:

1. Letters of one size that stand in the order of the alphabet are found in the picture (`panel_letters`), or given by
   the caller, from a PDF's text. `panel_choices` picks one for each panel; cuts along empty rows and columns, or along
   straight edges between photographs that touch, part the picture until each piece holds one letter, in the same place
   of each piece (`panel_cuts`).
2. Without letters, pieces of about one size, or photographs, as many as the caption names, with gaps between them that
   are much wider than any other (`panel_grid`).

An unsure figure stays whole.
"""

from collections.abc import Iterator, Sequence

from PIL import Image

from dataset_builder.readers.article import Panel
from dataset_builder.readers.pictures.panel_captions import caption_parts, caption_readings
from dataset_builder.readers.pictures.panel_choices import choices, following_letter
from dataset_builder.readers.pictures.panel_cuts import split_around
from dataset_builder.readers.pictures.panel_grid import split_grid
from dataset_builder.readers.pictures.panel_letters import Letter, find_hidden_letters, find_letters
from dataset_builder.readers.pictures.working_copy import Box, WorkingCopy, working_copy

MIN_PICTURE_PX = 32  # shortest side of a picture that can hold two panels with letters
GIVEN_HEIGHT_SHARE = 0.02  # of the figure's longest side: height of letters of which only the centre is known
MAX_TRIES = 6  # of the ways to pick a letter for each panel


def split_panels(
    image: Image.Image, caption: str | None, letters: Sequence[tuple[str, float, float]] = ()
) -> list[Panel]:
    """The panels of a compound figure in the order of their letters, or an empty list when the picture leaves doubt.

    `letters` are single letters, brackets around them or not, with their centre in pixels of `image`, where a PDF's
    text layer gives them. Boxes are x0, y0, x1, y1 in pixels of `image`, do not overlap and leave out margins; captions
    are the parts of `caption`.
    """
    readings = caption_readings(caption)
    if not readings or min(image.size) < MIN_PICTURE_PX:
        return []
    copy = working_copy(image)
    for parts, boxes in _ways(copy, readings, letters):
        if boxes:
            return [
                Panel(label, _in_picture(box, copy, image), text or None)
                for (label, text), box in zip(parts.items(), boxes, strict=True)
            ]
    return []


def with_captions(panels: list[Panel], caption: str | None) -> list[Panel]:
    """The same panels with what another text of the caption says about them; None where it says nothing."""
    parts = {label.casefold(): text for label, text in caption_parts(caption).items()}
    return [Panel(panel.label, list(panel.bbox), parts.get(panel.label.casefold()) or None) for panel in panels]


def _ways(
    copy: WorkingCopy, readings: list[dict[str, str]], letters: Sequence[tuple[str, float, float]]
) -> Iterator[tuple[dict[str, str], list[Box]]]:
    """A reading of the caption and its boxes, or none, the surest way first: by the letters of the PDF, by those seen
    in the picture, by the gaps alone, and by letters hard to see where no others were seen for all panels.
    """
    given = _as_letters(copy, letters)
    labels = [list(parts) for parts in readings]
    wanted = "".join(dict.fromkeys("".join("".join(names) + following_letter(names) for names in labels)))
    yield from ((parts, _around(copy, given, list(parts))) for parts in readings)
    found = find_letters(copy.grey, wanted)
    yield from ((parts, _around(copy, found, list(parts))) for parts in readings)
    yield readings[0], split_grid(copy, labels[0], given + found)
    if not any(choices(found, names) for names in labels):
        hidden = find_hidden_letters(copy.grey, wanted, found)
        yield from ((parts, _around(copy, hidden, list(parts))) for parts in readings)


def _around(copy: WorkingCopy, places: list[Letter], labels: list[str]) -> list[Box]:
    """One box for each label, or none; of the ways to place the letters, those that line up best are tried first."""
    for choice in choices(places, labels)[:MAX_TRIES]:
        if boxes := split_around(copy, choice):
            return boxes
    return []


def _as_letters(copy: WorkingCopy, given: Sequence[tuple[str, float, float]]) -> list[Letter]:
    """Letters of a PDF's text, of which only the centre is known, in the working copy; sure, and all of one size."""
    height, width = copy.grey.shape
    side = GIVEN_HEIGHT_SHARE * max(width, height)
    half = side / 2
    letters = []
    for text, picture_x, picture_y in given:
        x, y = picture_x * copy.scale, picture_y * copy.scale
        if 0 <= x < width and 0 <= y < height:
            char = text.strip("()[].:, ")
            letters.append(Letter(char, x - half, y - half, x + half, y + half, capital_px=2 * half, score=1.0))
    return letters


def _in_picture(box: Box, copy: WorkingCopy, image: Image.Image) -> list[float]:
    """A box of the working copy in whole pixels of the picture."""
    x0, y0, x1, y1 = (round(value / copy.scale) for value in box)
    return [max(0, x0), max(0, y0), min(image.width, x1), min(image.height, y1)]
