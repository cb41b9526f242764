"""An article's text: blocks in reading order -> paragraphs, and these with its captions -> Markdown."""

import re
from collections.abc import Mapping

from dataset_builder.readers.pdf.layout.blocks import Block
from dataset_builder.readers.pdf.layout.figures import ArticleLayout
from dataset_builder.readers.pdf.layout.lines import ends_sentence, join_lines, printed_words
from dataset_builder.readers.pdf.layout.pages import Table
from dataset_builder.text.addresses import without_addresses
from dataset_builder.text.clean import clean

TABLE_SHARE = 0.7  # of a block's area in a table that docling has read: it is of its cells
LOOK_BACK_BLOCKS = 6  # how far back a paragraph is looked for that goes on in another column or page
SAME_PARAGRAPH_SIZE_PT = 0.4  # sizes of its two halves differ by less
_COPYRIGHT = re.compile(r"(?:^|(?<=[Cc]opyright ))[&\u24d2\u24b8] ?(?=(?:19|20)\d\d\b)", re.MULTILINE)


def join_paragraphs(blocks: list[Block]) -> list[tuple[Block, str]]:
    """Blocks in reading order as texts, each with its first block; joined where one goes on in the next column or page.

    Between the two halves may stand blocks of another kind: a footnote, a table, a caption.
    """
    words = printed_words(line.text for block in blocks for line in block.lines)
    paragraphs: list[tuple[Block, list[str]]] = []
    for block in blocks:
        texts = [line.text for line in block.lines]
        unfinished = _unfinished(paragraphs[-LOOK_BACK_BLOCKS:], block)
        if unfinished is None:
            paragraphs.append((block, texts))
        else:
            unfinished.extend(texts)
    return [(block, clean(join_lines(lines, words))) for block, lines in paragraphs]


def _unfinished(before: list[tuple[Block, list[str]]], block: Block) -> list[str] | None:
    """The lines of the last running text in the block's size and font, if its last sentence has not ended."""
    for previous, lines in reversed(before):
        if previous.is_prose and abs(previous.size - block.size) < SAME_PARAGRAPH_SIZE_PT:
            alike = previous.lines[-1].font == block.lines[0].font
            return lines if alike and not ends_sentence(lines[-1]) else None
    return None


def to_markdown(
    paragraphs: list[tuple[Block, str]], found: ArticleLayout, title: str | None, tables: Mapping[int, list[Table]]
) -> str:
    """Title, headings, paragraphs, tables, rows of loose text and, at the end of its page, each caption.

    `tables` are those that docling has read, by page: they stand in the place of their cells. What stands above the
    title (journal, kind of article, links) and e-mail addresses are left out.
    """
    parts = _text_parts(_below_title(paragraphs, title), found, title, tables) + _caption_parts(found)
    parts.sort(key=lambda part: part[0])
    return without_addresses("\n\n".join(_COPYRIGHT.sub("© ", text) for _, text in parts))


def _below_title(paragraphs: list[tuple[Block, str]], title: str | None) -> list[tuple[Block, str]]:
    """Without what is printed above the title on its page, where that is the first one; running text stays."""
    heading = next((block for block, text in paragraphs if text == title and block.page == 1), None)
    if heading is None:
        return paragraphs
    return [
        (block, text) for block, text in paragraphs if block.page > 1 or block.is_prose or block.box.y1 > heading.box.y0
    ]


def _text_parts(
    paragraphs: list[tuple[Block, str]], found: ArticleLayout, title: str | None, tables: Mapping[int, list[Table]]
) -> list[tuple[int, str]]:
    """The text in reading order, each part with its page; cells that follow each other on a page are one row."""
    parts: list[tuple[int, str]] = []
    printed: set[Table] = set()
    in_row = False
    for block, text in paragraphs:
        heading = block.is_heading(found.style)
        table = _table_around(block, tables)
        cell = not (block.is_prose or heading or table)
        if table:
            if table not in printed:
                parts.append((block.page, table.markdown))
                printed.add(table)
        elif cell and in_row and parts[-1][0] == block.page:
            parts[-1] = (block.page, f"{parts[-1][1]} | {text}")
        elif text == title:
            parts.append((block.page, f"# {text}"))
        else:
            parts.append((block.page, f"## {text}" if heading else text))
        in_row = cell
    return parts


def _table_around(block: Block, tables: Mapping[int, list[Table]]) -> Table | None:
    """The table that prints a block."""
    around = (table for table in tables.get(block.page, ()) if block.box.share_in(table.box) > TABLE_SHARE)
    return next(around, None)


def _caption_parts(found: ArticleLayout) -> list[tuple[int, str]]:
    """The captions of figures and of tables, each with its page."""
    captions = [(figure.page, figure.label, figure.caption) for figure in found.figures]
    captions += [(table.page, table.label, table.text) for table in found.tables]
    return [(page, f"**{label}** {clean(text)}".strip()) for page, label, text in captions]
