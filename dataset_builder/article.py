"""What a reader (`jats.py`, `pdf.py`) hands to the build: one `Article` with its `Figure`s."""

from dataclasses import dataclass, field

from PIL import Image


@dataclass
class Panel:
    """One sub-figure: `bbox` is x0, y0, x1, y1 in pixels of the figure's image."""

    label: str
    bbox: list[float]
    caption: str | None = None


@dataclass
class Figure:
    """One figure as found in an article, before any filter.

    `caption` comes without its label; `context` are the sentences of the body that mention the figure, in reading
    order, without duplicates. `image` is None when the picture is absent or unreadable, and `image_error` then says
    why. `page` (1-based) and `bbox` (PDF points, origin top left) are set for pictures cut from a PDF.
    """

    label: str | None
    caption: str | None
    context: list[str] = field(default_factory=list)
    image: Image.Image | None = None
    image_error: str | None = None
    page: int | None = None
    bbox: list[float] | None = None
    panels: list[Panel] = field(default_factory=list)


@dataclass
class Article:
    """One article. `figures` belong to `pairs`; `supplementary` are figures of sub-articles and supplements."""

    source: str  # jats | pdf | jats+pdf
    figures: list[Figure] = field(default_factory=list)
    supplementary: list[Figure] = field(default_factory=list)
    markdown: str = ""
    pmcid: str | None = None
    doi: str | None = None
    title: str | None = None
    journal: str | None = None
    year: int | None = None
    language: str | None = None
    license: str | None = None
