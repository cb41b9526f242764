"""What is printed in a picture and along its sides, and may say whose it is: "Source: …", "© …" up its edge."""

from collections.abc import Iterable, Iterator

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.caption_lines import CREDIT_LINES, may_credit
from dataset_builder.readers.pdf.layout.figures import ArticleLayout, FoundFigure
from dataset_builder.readers.pdf.layout.lines import Line, ends_sentence, join_fragments, join_lines, pitch, same_size
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.text.rights import has_sign

BESIDE_EM = 1.5  # from a picture to a credit along its side, or below it
MAX_PITCH_EM = 1.5  # from one line of a credit to the next


def picture_credits(found: ArticleLayout, figure: FoundFigure, pages: list[PageContent]) -> list[str]:
    """The texts that stand in the parts of a figure's picture or right beside them, unlike running text.

    Captions, running heads and feet are none.
    """
    texts: list[str] = []
    heads = {id(line) for _, line in found.heads}
    for part in figure.parts:
        captions = [caption.box for other in found.figures for caption in other.captions if caption.page == part.page]
        lines = [line for line in pages[part.page - 1].lines if _is_beside(line, part.box) and id(line) not in heads]
        own = [line for line in _joined(lines) if may_credit(line, found.style) and not _is_in(line.box, captions)]
        texts += _texts(own)
    return texts


def _is_beside(line: Line, picture: Box) -> bool:
    """Whether a line stands in a picture, along its left or right side, or below it."""
    near = BESIDE_EM * line.size
    return line.box.gap(picture) < near and line.box.y1 > picture.y0


def _joined(lines: list[Line]) -> list[Line]:
    """The lines with upright pieces of one row joined, from the top."""
    upright = join_fragments([line for line in lines if line.turn == 0])
    return sorted([*upright, *(line for line in lines if line.turn)], key=lambda line: line.box.y0)


def _is_in(box: Box, captions: Iterable[Box]) -> bool:
    return any(box.is_in(caption) for caption in captions)


def _texts(lines: list[Line]) -> Iterator[str]:
    """Each line that may speak of rights, with the lines right below it as far as its sentence goes."""
    used: set[int] = set()
    for line in lines:
        if id(line) in used or not has_sign(line.text):
            continue
        group = [line]
        while len(group) < CREDIT_LINES and not ends_sentence(group[-1].text):
            following = next((other for other in lines if _is_next(group[-1], other)), None)
            if following is None:
                break
            group.append(following)
        used.update(map(id, group))
        yield join_lines(one.text for one in group)


def _is_next(upper: Line, lower: Line) -> bool:
    """Whether a line stands right below another one and is set like it."""
    alike = upper.font == lower.font and same_size(upper, lower) and upper.turn == lower.turn == 0
    return alike and 0 < pitch(upper, lower) < MAX_PITCH_EM * upper.size and upper.box.is_in_column_with(lower.box)
