"""A sample article as PDF: one or two columns, raster and vector figures, captions below or above them."""

import io

from PIL import ImageOps
from reportlab import rl_config
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
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

from dataset_builder.sample.articles import SampleArticle, SampleFigure
from dataset_builder.sample.figures import to_pdf
from dataset_builder.sample.jats import LICENSE_URLS, RESULTS
from dataset_builder.sample.text import NOTE, plain

rl_config.useA85 = 0  # pictures as binary streams: reportlab's pure-Python ASCII-85 takes half the corpus' time

POINTS_PER_PX = 72 / 160  # pictures are placed at 160 dots per inch
PAGE_WIDTH, PAGE_HEIGHT = A4
# Points, as all lengths here.
MARGIN = 54
GUTTER = 18
TITLE_HEIGHT = 140
FOOT_GAP = 14  # between the columns and the wide figure below them
# Where long words may be broken at the end of a line.
BREAKS = ["inflam-mation", "radia-tion", "Macro-phages", "treat-ment", "con-sistent", "behav-iour", "condi-tions"]
BREAKS += ["photo-graphed", "pneu-monia", "osteo-arthritis", "Bestrah-lung", "Behand-lung", "Entzün-dung"]

Styles = dict[str, ParagraphStyle]


class _Picture(Flowable):
    """A figure's picture; writes page and box (points, origin top left) into the figure when it is drawn."""

    def __init__(self, figure: SampleFigure):
        super().__init__()
        self.figure = figure
        self.width, self.height = figure.width * POINTS_PER_PX, figure.height * POINTS_PER_PX
        self.hAlign = "CENTER"

    def draw(self) -> None:
        x, y = self.canv.absolutePosition(0, 0)
        top = PAGE_HEIGHT - y - self.height
        x0, y0, x1, y1 = (value * POINTS_PER_PX for value in visible_box(self.figure))
        self.figure.page = self.canv.getPageNumber()
        self.figure.bbox = [round(value, 2) for value in (x + x0, top + y0, x + x1, top + y1)]
        if self.figure.vector:
            to_pdf(self.figure.drawing, self.canv, self.figure.height, POINTS_PER_PX)
        else:
            self.canv.drawImage(ImageReader(self.figure.picture), 0, 0, self.width, self.height)


def visible_box(figure: SampleFigure) -> tuple[int, int, int, int]:
    """What can be seen of a figure on white paper, pixels x0, y0, x1, y1: all of a bitmap, the ink of vector shapes."""
    if figure.vector:
        box = ImageOps.invert(figure.picture.convert("L")).getbbox()
        assert box is not None  # no picture is blank
        return box
    return 0, 0, figure.width, figure.height


def write_pdf(article: SampleArticle, password: str | None = None) -> bytes:
    """The PDF of a `SampleArticle`, encrypted with a user `password`; sets its figures' page and bbox.

    In two columns, the first compound figure stands across both at the foot of page 1, outside the flow of the text.
    """
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
    styles = _styles(article)
    wide = next((figure for figure in article.figures if figure.panels and article.columns == 2), None)
    document.addPageTemplates(_page_templates(article, wide, styles))
    document.build(_story(article, wide, styles))
    return buffer.getvalue()


def _styles(article: SampleArticle) -> Styles:
    font, bold = ("Times-Roman", "Times-Bold") if article.columns == 2 else ("Helvetica", "Helvetica-Bold")
    text = {"fontName": font, "alignment": TA_JUSTIFY, "embeddedHyphenation": 1}
    return {
        "title": ParagraphStyle("title", fontName=bold, fontSize=17, leading=21, spaceAfter=8),
        "heading": ParagraphStyle(
            "heading", fontName=bold, fontSize=12, leading=15, spaceBefore=6, spaceAfter=4, keepWithNext=1
        ),
        "note": ParagraphStyle("note", fontName=bold, fontSize=10, leading=13),
        "body": ParagraphStyle("body", fontSize=10, leading=12.5, spaceAfter=6, **text),
        "small": ParagraphStyle("small", fontSize=8.5, leading=10.5, spaceAfter=4, **text),
    }


def _page_templates(article: SampleArticle, wide: SampleFigure | None, styles: Styles) -> list[PageTemplate]:
    """Title and columns on the first page, with the figure `wide` at its foot; columns alone on the later ones."""
    width, height = PAGE_WIDTH - 2 * MARGIN, PAGE_HEIGHT - 2 * MARGIN
    column = (width - GUTTER * (article.columns - 1)) / article.columns
    lefts = [MARGIN + i * (column + GUTTER) for i in range(article.columns)]
    parts = _figure_parts(article, wide, styles) if wide else []
    foot = sum(part.wrap(width, height)[1] for part in parts) + (FOOT_GAP if wide else 0)
    plain_frame = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}
    title = Frame(MARGIN, MARGIN + height - TITLE_HEIGHT, width, TITLE_HEIGHT, **plain_frame)
    first = [Frame(x, MARGIN + foot, column, height - TITLE_HEIGHT - foot, **plain_frame) for x in lefts]
    later = [Frame(x, MARGIN, column, height, **plain_frame) for x in lefts]

    def draw_margins(canvas, document) -> None:
        _draw_margins(canvas, article, document.page)

    def draw_first_page(canvas, document) -> None:
        _draw_margins(canvas, article, document.page)
        _draw_upwards(canvas, parts, width, height)

    return [
        PageTemplate("first", [title, *first], onPage=draw_first_page),
        PageTemplate("later", later, onPage=draw_margins),
    ]


def _draw_margins(canvas, article: SampleArticle, page: int) -> None:
    """Header, note and page number."""
    canvas.saveState()
    canvas.setFont("Helvetica", 8)
    header = f"{article.journal} · {article.year} · cohort {article.facts['cohort']}"
    canvas.drawString(MARGIN, PAGE_HEIGHT - 34, header)
    canvas.drawString(MARGIN, 30, NOTE["en"])
    canvas.drawRightString(PAGE_WIDTH - MARGIN, 30, str(page))
    canvas.restoreState()


def _draw_upwards(canvas, parts: list[Flowable], width: float, height: float) -> None:
    """Draw the parts, given from top to bottom, from the lower margin up, each in the middle of the `width`."""
    y = MARGIN
    for part in reversed(parts):
        part_width, part_height = part.wrap(width, height)
        part.drawOn(canvas, MARGIN + (width - part_width) / 2, y)
        y += part_height


def _story(article: SampleArticle, wide: SampleFigure | None, styles: Styles) -> list[Flowable]:
    license_text = f"{article.license.replace('-', ' ', 1)} {LICENSE_URLS[article.license]}"
    story = [
        NextPageTemplate("later"),
        Paragraph(article.title, styles["title"]),
        Paragraph("Sam Sample", styles["body"]),
        Paragraph(f"https://doi.org/{article.doi}", styles["small"]),
        Paragraph(f"This is an open access article under the licence {license_text}", styles["small"]),
        Paragraph(NOTE[article.language], styles["note"]),
        FrameBreak(),
    ]
    for i, (name, paragraphs) in enumerate(article.sections):
        story.append(Paragraph(name, styles["heading"]))
        for j, paragraph in enumerate(paragraphs):
            sentences = " ".join(plain(sentence) for sentence in paragraph)
            story.append(Paragraph(_markup(sentences), styles["body"]))
            if i == RESULTS and article.figures[j] is not wide:
                parts = _figure_parts(article, article.figures[j], styles)
                story.append(KeepTogether([Spacer(1, 6), *parts, Spacer(1, 10)]))
    return story


def _figure_parts(article: SampleArticle, figure: SampleFigure, styles: Styles) -> list[Flowable]:
    """Picture and caption, from top to bottom."""
    stop = (":", ".", "")[article.index % 3]
    label = f'<font name="{styles["note"].fontName}">{figure.label}{stop}</font>'
    caption = Paragraph(f"{label} {_markup(figure.caption)}", styles["small"])
    parts = [_Picture(figure), Spacer(1, 6), caption]
    return parts[::-1] if article.caption_above else parts


def _markup(sentences: str) -> str:
    """Text for a reportlab paragraph, with soft hyphens in a few words, so that here and there a line ends in one."""
    for word in BREAKS:
        sentences = sentences.replace(word.replace("-", ""), word.replace("-", "\u00ad"))
    return sentences.replace("&", "&amp;").replace("<", "&lt;")
