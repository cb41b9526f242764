"""What a reader (`jats.py`, `pdf.py`) hands to the build: one `Article` with its `Figure`s."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time `images` would cost a reader of text alone the start of OpenCV
    from PIL import Image

    from dataset_builder.readers.pictures.images import Picture


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
    order, without duplicates. `picture` is None when it is absent or unreadable, and `image_error` then says why; it is
    set by `images.keep_picture`. `page` (1-based), `bbox` (PDF points, origin top left) and `page_thumbnail` (the page
    as JPEG) are set for pictures cut from a PDF.
    """

    label: str | None
    caption: str | None
    context: list[str] = field(default_factory=list)
    picture: Picture | None = None
    image_error: str | None = None
    page: int | None = None
    bbox: list[float] | None = None
    page_thumbnail: bytes | None = None
    panels: list[Panel] = field(default_factory=list)

    @property
    def image(self) -> Image.Image | None:
        """The picture, decoded."""
        from dataset_builder.readers.pictures.images import open_image

        return open_image(self.picture.encoded) if self.picture else None


@dataclass
class Article:
    """One article. `figures` belong to `pairs`; `supplementary` are figures of sub-articles and supplements.

    `article_type` is JATS's word for it (research-article, correction, retraction, ...). `status` is what the article
    says has become of itself: retracted, concern or corrected; `notices` is what it says of others: DOI or PMCID ->
    status.
    """

    source: str  # jats | pdf | jats+pdf
    figures: list[Figure] = field(default_factory=list)
    supplementary: list[Figure] = field(default_factory=list)
    markdown: str = ""
    pmcid: str | None = None
    doi: str | None = None
    title: str | None = None
    authors: list[str] = field(default_factory=list)
    journal: str | None = None
    year: int | None = None
    language: str | None = None
    license: str | None = None
    article_type: str | None = None
    status: str | None = None
    notices: dict[str, str] = field(default_factory=dict)
