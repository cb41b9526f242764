"""An article as PDF → `Article`: its figures with captions, context and pictures cut from the rendered pages.

    article = read_pdf(Path("article.pdf"))                    # rules alone: no model, no network
    article = read_pdf(Path("article.pdf"), layout="heron")    # pictures and tables found by docling's models

pdfium reads the file (`content`), pure rules find the figures (`layout`). docling serves what rules cannot: its layout
model, and OCR of pages without text (`docling_pages`).
"""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pypdfium2
import pypdfium2.raw as pdfium_c
from PIL import Image

from dataset_builder.readers.article import Article, CaptionLike, Figure
from dataset_builder.readers.pdf.credits import picture_credits
from dataset_builder.readers.pdf.front_matter import front_matter
from dataset_builder.readers.pdf.layout.blocks import Block
from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.caption_lines import UNNUMBERED, UNNUMBERED_MENTION
from dataset_builder.readers.pdf.layout.figures import ArticleLayout, FoundFigure, lay_out
from dataset_builder.readers.pdf.layout.issues import article_at
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.readers.pdf.layout.sheets import Region
from dataset_builder.readers.pdf.page.bitmaps import own_pixels
from dataset_builder.readers.pdf.page.content import ShownPages, crop, is_scan, read_page, with_ink
from dataset_builder.readers.pdf.page.damage import reread, text_damage
from dataset_builder.readers.pdf.text import join_paragraphs, to_markdown
from dataset_builder.readers.pictures.keep import keep_picture
from dataset_builder.text.clean import clean
from dataset_builder.text.holders import Owner, names_of
from dataset_builder.text.labels import label_keys
from dataset_builder.text.mentions import context_for
from dataset_builder.text.rights import Rights, joined, stated_rights
from dataset_builder.text.sentences import split_sentences

MAX_PAGES = 500  # more are a book or a bomb
DPI = 200  # of the crops; at least 150 is asked for
POINTS_AN_INCH = 72
MAX_SIDE_PX = 4000  # of a crop; lowers the resolution of posters
MIN_CHARS_PER_PAGE = 20  # a file with fewer is a scan without text
BLANK_MARGIN_PT = 1  # around a line of a caption that is painted over
MAX_PARTS = 4  # pages over which a figure may go on
SUPPLEMENT_KEY = re.compile(r"(?:[A-Z]{3,})?S\d")  # "Figure S1", "Scheme S1"
HEADER_BYTES = 1024  # within which a PDF says that it is one
SHOWN_BYTES = 40  # of a file that is none, in the error


def read_pdf(
    path: Path,
    layout: Literal["geometric", "heron"] = "geometric",
    password: str | None = None,
    max_pages: int = MAX_PAGES,
) -> Article:
    """Read one article.

    Figures come in the order of their captions, "Figure S1" among `supplementary`; `bbox` is in points of the page as
    displayed. A figure whose picture was not found has `image_error`. Raises ValueError, in one line, for a file that
    is no readable PDF, is encrypted (where `password` does not open it), has more than `max_pages` pages, or has no
    text and cannot be recognised; RuntimeError where the weights for `layout="heron"` are missing.
    """
    document = _open(path, password)
    try:
        if len(document) > max_pages:
            raise ValueError(f"{path}: {len(document)} pages, more than the {max_pages} allowed")
        pages = _read_pages(document)
        if _chars(pages) < MIN_CHARS_PER_PAGE * len(pages):
            pages = _recognised(path, pages, password)
        else:
            pages = reread(path, pages, password)
            if layout == "heron":
                pages = _with_model_pictures(path, pages, password)
        return _article(document, pages)
    finally:
        document.close()


# ---- the file's pages ----


def _open(path: Path, password: str | None) -> pypdfium2.PdfDocument:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if not head:
        raise ValueError(f"{path}: empty file")
    if b"%PDF-" not in head:
        start = clean(head[:SHOWN_BYTES].decode("utf-8", "replace"))
        raise ValueError(f"{path}: not a PDF" + (f", it starts with {start!r}" if start else ""))
    try:
        return pypdfium2.PdfDocument(path, password=password)
    except pypdfium2.PdfiumError as error:
        if pdfium_c.FPDF_GetLastError() == pdfium_c.FPDF_ERR_PASSWORD and _says_encrypted(path):
            reason = "the password is wrong" if password else "a password is needed"
            raise ValueError(f"{path}: encrypted PDF, {reason}") from error
        raise ValueError(f"{path}: damaged or truncated PDF") from error


def _says_encrypted(path: Path) -> bool:
    """Whether a PDF's trailer, which is never compressed, names its encryption.

    pdfium's last error alone may be that of another file: some failures leave it as it was.
    """
    return b"/Encrypt" in path.read_bytes()


def _read_pages(document: pypdfium2.PdfDocument) -> list[PageContent]:
    """Every page; one that pdfium cannot load is left empty."""
    pages = []
    for index in range(len(document)):
        try:
            page = document[index]
        except pypdfium2.PdfiumError:
            pages.append(PageContent(index + 1, 1.0, 1.0))
            continue
        content = read_page(page, index + 1)
        pages.append(with_ink(page, content) if is_scan(content) else content)
        page.close()
    return pages


def _chars(pages: list[PageContent]) -> int:
    return sum(len(line.text) for page in pages for line in page.lines)


def _recognised(path: Path, pages: list[PageContent], password: str | None) -> list[PageContent]:
    if not any(page.images or page.shapes for page in pages):
        raise ValueError(f"{path}: a PDF without text, pictures and drawings")
    engine = ocr_engine()
    if engine is None:
        advice = "to have a scan read, install onnxruntime (rapidocr uses it) or tesseract"
        raise ValueError(f"{path}: a PDF without text; {advice}")
    from dataset_builder.readers.pdf.docling_pages import recognise  # docling takes seconds to import

    return recognise(path, pages, password, engine)


def ocr_engine() -> str | None:
    """The OCR engine on this machine that works offline: rapidocr's wheel carries its ONNX models."""
    if find_spec("rapidocr") and find_spec("onnxruntime"):
        return "rapidocr"
    return "tesseract" if shutil.which("tesseract") else None


def _with_model_pictures(path: Path, pages: list[PageContent], password: str | None) -> list[PageContent]:
    from dataset_builder.readers.pdf.docling_pages import with_model_pictures

    return with_model_pictures(path, pages, password)


# ---- the article ----


def _article(document: pypdfium2.PdfDocument, pages: list[PageContent]) -> Article:
    found = lay_out(pages)
    metadata = {key: clean(document.get_metadata_value(key)) for key in ("Title", "Author", "Subject")}
    front = front_matter(pages, found.style, metadata)
    paragraphs = join_paragraphs(found.blocks)
    markdown = to_markdown(paragraphs, found, front["title"], {page.number: page.tables for page in pages})
    article = Article(source="pdf", markdown=markdown, text_damage=text_damage(pages), **front)
    article.starts = found.starts
    article.rejected_captions = [
        CaptionLike(line.label, clean(line.line.text), page, line.reason, line.confidence)
        for page, line in found.unbelieved
    ]
    contexts = _contexts(found, paragraphs)
    shown = ShownPages(document)
    owner = Owner(article.license, names=names_of(article.authors))
    for figure, context in zip(found.figures, contexts, strict=True):
        part = article.supplementary if SUPPLEMENT_KEY.match(figure.key) else article.figures
        part.append(_figure(shown, pages, figure, context))
        rights = _rights(part[-1].caption, figure, picture_credits(found, figure, pages), owner)
        if rights:
            part[-1].rights, part[-1].license = rights.words, rights.license
    return article


def _rights(caption: str | None, found: FoundFigure, credits: list[str], owner: Owner) -> Rights | None:
    """What the caption says of the figure's rights, and what is printed right beside it and in the picture."""
    texts = [caption, *(printed.credit for printed in found.captions), *credits]
    return joined(stated_rights(text, owner) for text in dict.fromkeys(texts))


def _contexts(found: ArticleLayout, paragraphs: list[tuple[Block, str]]) -> list[list[str]]:
    """For each figure the sentences that mention it, of its own article where the file holds several."""
    contexts: list[list[str]] = []
    for article in range(len(found.starts)):
        texts = [text for block, text in paragraphs if article_at(block.page, found.starts) == article]
        sentences = [sentence for text in texts for sentence in split_sentences(text)]
        figures = [figure for figure in found.figures if article_at(figure.page, found.starts) == article]
        contexts += _contexts_of(figures, sentences)
    return contexts


def _contexts_of(figures: list[FoundFigure], sentences: list[str]) -> list[list[str]]:
    contexts = context_for(sentences, [{figure.key, *label_keys(figure.label)} for figure in figures])
    for k, figure in enumerate(figures):
        if figure.key == UNNUMBERED:
            contexts[k] = [sentence for sentence in sentences if UNNUMBERED_MENTION.search(sentence)]
    return contexts


def _figure(shown: ShownPages, pages: list[PageContent], found: FoundFigure, context: list[str]) -> Figure:
    """The figure with its picture, cut from the rendered pages; or with `image_error`."""
    figure = Figure(found.label, clean(found.caption) or None, context)
    if not found.parts:
        figure.image_error = "no picture found near the caption"
        return figure
    parts = found.parts[:MAX_PARTS]
    first, page = parts[0], pages[parts[0].page - 1]
    try:
        crops = [_crop(shown.page(part.page), pages[part.page - 1], part) for part in parts]
    except pypdfium2.PdfiumError as error:
        figure.image_error = f"page {first.page} cannot be rendered ({error})"
        return figure
    if len(crops) == 1:
        keep_picture(figure, crops[0], _letters(page, first.box, crops[0]))
    else:
        keep_picture(figure, stacked(crops))
    figure.page = first.page
    figure.dpi = round(POINTS_AN_INCH * crops[0].width / first.box.width, 1)
    figure.page_thumbnail = shown.thumbnail(first.page)
    figure.bbox = [round(v, 2) for v in page.display_box(first.box)]
    return figure


def _crop(shown: pypdfium2.PdfPage, page: PageContent, part: Region) -> Image.Image:
    """The part's picture: its own pixels where it is a bitmap of less than `DPI`, else rendered."""
    picture = crop(shown, page.display_box(part.box), page.turn, DPI, MAX_SIDE_PX)
    if own := own_pixels(shown, page, part, picture):
        return own
    scale = picture.width / part.box.width  # pixels a point
    for text in part.blank:
        x0, y0, x1, y1 = text.grow(BLANK_MARGIN_PT)
        corner = round((x0 - part.box.x0) * scale), round((y0 - part.box.y0) * scale)
        picture.paste("white", (*corner, round((x1 - part.box.x0) * scale), round((y1 - part.box.y0) * scale)))
    return picture


def _letters(page: PageContent, region: Box, image: Image.Image) -> list[tuple[str, float, float]]:
    """The single letters, also in brackets, that are printed as text in a figure, with their centre in its pixels."""
    scale = image.width / region.width  # pixels a point
    found = []
    for line in page.lines:
        if not line.panel_letter:
            continue
        x = (line.box.x0 + line.box.x1) / 2 - region.x0
        y = (line.box.y0 + line.box.y1) / 2 - region.y0
        if 0 <= x <= region.width and 0 <= y <= region.height:
            found.append((line.panel_letter, x * scale, y * scale))
    return found


def stacked(images: list[Image.Image]) -> Image.Image:
    """The parts of a figure that goes on over pages, one below the other on white."""
    width, height = max(image.width for image in images), sum(image.height for image in images)
    canvas = Image.new("RGB", (width, height), "white")
    top = 0
    for image in images:
        canvas.paste(image, ((width - image.width) // 2, top))
        top += image.height
    return canvas
