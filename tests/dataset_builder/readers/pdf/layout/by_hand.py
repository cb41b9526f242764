"""Lines of text written down by hand, for tests of the layout rules."""

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.layout.lines import Line

LONG = "The joints were treated with low doses on three days of every week"


def line(text, x, y, width=None, size=10.0, font="Times", turn=0):
    return Line(text, Box(x, y, x + (width or 5.0 * len(text)), y + size), size, font, font, turn)


def column(x, y, count, width=240, text=LONG):
    return [line(f"{text} {k}", x, y + 12 * k, width) for k in range(count)]
