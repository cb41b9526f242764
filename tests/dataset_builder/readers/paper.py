"""A small press for tests: pages with columns, charts, pictures and captions, measured from the top left in points."""

import random
from pathlib import Path

import matplotlib
from PIL import Image
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from dataset_builder.readers.article import Figure
from trust.pictures.opener import open_picture

WIDTH, HEIGHT = 595.0, 842.0  # A4
SENTENCES = (
    "The joints were treated with low doses on three days of every week.",
    "Pain was scored by the patients themselves before each visit to the clinic.",
    "No change of the skin was seen in either group until the end of the study.",
    "The dose in the joint was measured with small films behind the collimator.",
    "All values are given with their standard error unless stated otherwise.",
)


def prose(seed: int, sentences: int) -> str:
    """Running text that mentions no figure."""
    return " ".join(random.Random(seed).choices(SENTENCES, k=sentences))


CJK_FONTS = ("STSong-Light", "HeiseiMin-W3", "HeiseiKakuGo-W5")  # Chinese, Japanese; not embedded in the file


def register_font(name: str) -> None:
    """Make one of the CJK fonts, or "DejaVuSans" (which has Cyrillic), known to reportlab."""
    if name in CJK_FONTS:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    elif name.startswith("DejaVu"):
        pdfmetrics.registerFont(TTFont(name, Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")))


def image_of(figure: Figure) -> Image.Image:
    """The picture that a reader kept of a figure, decoded."""
    assert figure.picture is not None, figure.image_error
    return open_picture(figure.picture.encoded)


class Paper:
    """One PDF file in the making; `top` is the distance of a thing's upper edge from the top of the page."""

    def __init__(self, path: Path, width: float = WIDTH, height: float = HEIGHT, **canvas):
        self.path, self.width, self.height = path, width, height
        self.canvas = Canvas(str(path), pagesize=(width, height), invariant=1, **canvas)

    def text(
        self, x: float, top: float, width: float, text: str, font="Times-Roman", size=10.0, leading: float | None = None
    ) -> float:
        """A paragraph; returns where it ends. A line break in `text` is kept."""
        leading = leading or 1.2 * size
        register_font(font)
        if font in CJK_FONTS:  # every character is as wide as high; without spaces there is no place to break else
            lines = [text[k : k + int(width // size)] for k in range(0, len(text), int(width // size))]
        else:
            lines = [line for part in text.split("\n") for line in simpleSplit(part, font, size, width)]
        self.canvas.setFont(font, size)
        for k, line in enumerate(lines):
            self.canvas.drawString(x, self.height - top - size - k * leading, line)
        return top + len(lines) * leading

    def caption(self, x: float, top: float, width: float, text: str) -> float:
        return self.text(x, top, width, text, font="Helvetica", size=8)

    def chart(self, x: float, top: float, width: float, height: float) -> None:
        """A vector plot: axes, a curve, tick labels and a turned axis title, within the box given."""
        bottom = self.height - top - height
        c = self.canvas
        c.saveState()
        c.setLineWidth(0.8)
        c.line(x + 30, bottom + 20, x + width, bottom + 20)
        c.line(x + 30, bottom + 20, x + 30, bottom + height)
        for k in range(8):
            left, step = x + 30 + k * (width - 30) / 8, (width - 30) / 8
            c.line(left, bottom + 20 + (k % 3) * height / 4, left + step, bottom + 20 + ((k + 1) % 3) * height / 4)
            c.line(left, bottom + 17, left, bottom + 20)
        c.setFont("Helvetica", 7)
        c.drawString(x + width / 2, bottom + 3, "Dose (Gy)")
        c.rotate(90)
        c.drawString(bottom + height / 2, -(x + 6), "Pain")
        c.restoreState()

    def photo(self, x: float, top: float, width: float, height: float, seed: int = 0) -> None:
        """A bitmap."""
        noise = Image.frombytes("L", (32, 32), random.Random(seed).randbytes(1024)).convert("RGB")
        self.canvas.drawImage(ImageReader(noise), x, self.height - top - height, width, height)

    def rule(self, x0: float, top: float, x1: float) -> None:
        self.canvas.line(x0, self.height - top, x1, self.height - top)

    def frame(self, x: float, top: float, width: float, height: float) -> None:
        self.canvas.rect(x, self.height - top - height, width, height)

    def page(self) -> None:
        self.canvas.showPage()

    def save(self) -> Path:
        self.canvas.showPage()
        self.canvas.save()
        return self.path
