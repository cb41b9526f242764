"""A sample article as PDF: one or two columns, raster and vector figures, captions below or above them."""

import io

from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBreak,
    KeepTogether,
    NextPageTemplate,
    PageTemplate,
    Paragraph,
    Spacer,
)

from dataset_builder.sample_figures import to_pdf
from dataset_builder.sample_jats import LICENSE_URLS
from dataset_builder.sample_text import NOTE, plain

POINTS_PER_PX = 72 / 160  # pictures are placed at 160 dots per inch
MARGIN = 54
GUTTER = 18
TITLE_HEIGHT = 170
# Where the words that a narrow column breaks may be broken.
BREAKS = ("inflam-mation", "radia-tion", "macro-phages", "treat-ment", "obser-ver", "con-sistent", "Bestrah-lung")


class _Picture(Flowable):
    """A figure's picture; writes page and box (points, origin top left) into the figure when it is drawn."""

    def __init__(self, figure):
        super().__init__()
        self.figure = figure
        self.width, self.height = figure.width * POINTS_PER_PX, figure.height * POINTS_PER_PX
        self.hAlign = "CENTER"

    def draw(self):
        x, y = self.canv.absolutePosition(0, 0)
        self.figure.page = self.canv.getPageNumber()
        bottom = A4[1] - y
        box = [x, bottom - self.height, x + self.width, bottom]
        self.figure.bbox = [round(value, 2) for value in box]
        if self.figure.vector:
            to_pdf(self.figure.drawing, self.canv, self.figure.height, POINTS_PER_PX)
        else:
            self.canv.drawInlineImage(self.figure.picture, 0, 0, self.width, self.height)


def write_pdf(article, password: str | None = None) -> bytes:
    """The PDF of a `sample_corpus.SampleArticle`; sets `page` and `bbox` of its figures."""
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=A4,
        invariant=1,
        pageCompression=1,
        title=article.title,
        author="Sam Sample",
        subject=NOTE["en"],
        lang=article.language,
        encrypt=StandardEncryption(password, ownerPassword=password) if password else None,
    )
    document.addPageTemplates(_page_templates(article))
    document.build(_story(article))
    return buffer.getvalue()


def _page_templates(article) -> list[PageTemplate]:
    width, height = A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN
    column = (width - GUTTER * (article.columns - 1)) / article.columns
    lefts = [MARGIN + i * (column + GUTTER) for i in range(article.columns)]
    plain = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}
    title = Frame(MARGIN, MARGIN + height - TITLE_HEIGHT, width, TITLE_HEIGHT, **plain)
    first = [title, *(Frame(x, MARGIN, column, height - TITLE_HEIGHT, **plain) for x in lefts)]
    later = [Frame(x, MARGIN, column, height, **plain) for x in lefts]

    def furniture(canvas, document):
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.drawString(MARGIN, A4[1] - 34, f"{article.journal} · {article.year} · cohort {article.facts['cohort']}")
        canvas.drawString(MARGIN, 30, NOTE["en"])
        canvas.drawRightString(A4[0] - MARGIN, 30, str(document.page))
        canvas.restoreState()

    return [PageTemplate("first", first, onPage=furniture), PageTemplate("later", later, onPage=furniture)]


def _story(article) -> list[Flowable]:
    font, bold = ("Times-Roman", "Times-Bold") if article.columns == 2 else ("Helvetica", "Helvetica-Bold")
    body = ParagraphStyle(
        "body",
        fontName=font,
        fontSize=10,
        leading=12.5,
        alignment=TA_JUSTIFY,
        spaceAfter=6,
        embeddedHyphenation=1,
    )
    heading = ParagraphStyle("heading", fontName=bold, fontSize=12, leading=15, spaceBefore=6, spaceAfter=4)
    title = ParagraphStyle("title", fontName=bold, fontSize=17, leading=21, spaceAfter=8)
    small = ParagraphStyle("small", parent=body, fontSize=8.5, leading=10.5)
    license_text = f"{article.license.replace('-', ' ', 1)} {LICENSE_URLS[article.license]}"
    story = [
        NextPageTemplate("later"),
        Paragraph(article.title, title),
        Paragraph("Sam Sample", body),
        Paragraph(f"https://doi.org/{article.doi}", small),
        Paragraph(f"This is an open access article under the licence {license_text}", small),
        Paragraph(NOTE[article.language], ParagraphStyle("note", parent=body, fontName=bold)),
        FrameBreak(),
    ]
    for i, (name, paragraphs) in enumerate(article.sections):
        story.append(Paragraph(name, heading))
        for j, paragraph in enumerate(paragraphs):
            story.append(Paragraph(_hyphenated(" ".join(map(_plain, paragraph))), body))
            if i == 2:
                story.append(_figure(article, article.figures[j], small, bold))
    return story


def _figure(article, figure, style: ParagraphStyle, bold: str) -> Flowable:
    stop = (":", ".", "")[article.index % 3]
    caption = Paragraph(f'<font name="{bold}">{figure.label}{stop}</font> {_hyphenated(figure.caption)}', style)
    parts = [_Picture(figure), Spacer(1, 5), caption]
    if article.caption_above:
        parts.reverse()
    return KeepTogether([Spacer(1, 6), *parts, Spacer(1, 8)])


def _plain(sentence: str) -> str:
    return plain(sentence).replace("&", "&amp;").replace("<", "&lt;")


def _hyphenated(paragraph: str) -> str:
    """Soft hyphens in a few words, so that here and there a line ends in the middle of one."""
    for word in BREAKS:
        paragraph = paragraph.replace(word.replace("-", ""), word.replace("-", "\u00ad"))
    return paragraph
