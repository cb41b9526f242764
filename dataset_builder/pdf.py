"""An article as PDF → `Article`: its figures with captions, context and pictures cut from the rendered pages.

read_pdf(Path("article.pdf"))                      # rules alone, on the CPU, no model weights
read_pdf(Path("article.pdf"), layout="heron")      # docling's own layout model
"""

import re
from pathlib import Path
from typing import Literal

import pypdfium2

from dataset_builder.article import Article, Figure
from dataset_builder.mentions import context_for, split_sentences
from dataset_builder.page_content import crop, read_page
from dataset_builder.page_figures import FoundFigure, lay_out
from dataset_builder.page_layout import TERMINAL, Block, PageContent, join_lines

MAX_PAGES = 500
CROP_DPI = 200
MAX_SIDE_PX = 4000


def read_pdf(
    path: Path,
    layout: Literal["geometric", "heron"] = "geometric",
    password: str | None = None,
    max_pages: int = MAX_PAGES,
) -> Article:
    document = _open(path, password)
    try:
        pages = [read_page(page, number) for number, page in enumerate(document, 1)]
        found = lay_out(pages)
        paragraphs = _paragraphs(found.blocks)
        sentences = [s for p in paragraphs for s in split_sentences(p)]
        context = context_for(sentences, [f.key for f in found.figures])
        figures = [_figure(document, pages, f, context[f.key]) for f in found.figures]
    finally:
        document.close()
    return Article(source="pdf", figures=figures, markdown="\n\n".join(paragraphs))


def _open(path: Path, password: str | None) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path, password=password)
    except pypdfium2.PdfiumError as error:
        raise ValueError(f"{path}: no readable PDF ({error})") from error


def _paragraphs(blocks: list[Block]) -> list[str]:
    """Blocks joined where a sentence goes on in the next column or page."""
    words = frozenset(
        w.lower() for b in blocks for line in b.lines for w in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text)
    )
    result: list[tuple[Block, list[str]]] = []
    for block in blocks:
        texts = [line.text for line in block.lines]
        for previous, lines in reversed(result[-6:]):
            if abs(previous.size - block.size) < 0.4 and previous.is_prose:
                if not TERMINAL.search(lines[-1].strip()) and previous.lines[0].font == block.lines[0].font:
                    lines.extend(texts)
                    texts = []
                break
        if texts:
            result.append((block, texts))
    return [join_lines(lines, words) for _, lines in result]


def _figure(document, pages: list[PageContent], found: FoundFigure, context: list[str]) -> Figure:
    figure = Figure(found.label, found.caption or None, context)
    if not found.parts:
        figure.image_error = "no picture found near the caption"
        return figure
    part = found.parts[0]
    page = pages[part.page - 1]
    box = page.display_box(part.box.grow(2))
    figure.image = crop(document[part.page - 1], box, page.turn, CROP_DPI, MAX_SIDE_PX)
    figure.page, figure.bbox = part.page, [round(v, 2) for v in box]
    return figure
