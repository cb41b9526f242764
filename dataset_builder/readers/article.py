"""What a reader hands to the build: one `Article` with its `Figure`s. Data only, no picture decoded."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import TypedDict

REPAIRED = "repaired XML"  # a note: characters or tags of the file were no XML


@dataclass
class Panel:
    """One sub-figure: `bbox` is x0, y0, x1, y1 in pixels of the figure's image."""

    label: str
    bbox: list[float]
    caption: str | None = None


class Question(TypedDict):
    """A question that came with a picture, and its answer."""

    question: str
    answer: str
    task: str  # detail | reasoning: the config that it belongs to


class Measures(TypedDict):
    """What is measured of a picture, see `pictures.images.measure`: columns of the dataset and of its filters."""

    width: int  # pixels
    height: int  # pixels
    sharpness: float  # variance of the Laplacian of 8-bit grey
    contrast: float  # standard deviation of 8-bit grey, 0-127.5
    text_share: float  # of the ink that is print, 0-1
    image_sha256: str  # of the encoded bytes, hex
    pixels_sha256: str  # of the pixels, hex, see `pictures.images.pixels_sha256`
    phash: str  # 64 bits, hex


class PictureFile(TypedDict):
    """A file that a figure's picture was made of."""

    name: str  # without its folder
    sha256: str  # of the whole file, hex


@dataclass(frozen=True)
class Picture:
    """A picture as the dataset keeps it: its encoded bytes (PNG or JPEG), its measures and a JPEG thumbnail."""

    encoded: bytes
    measures: Measures
    thumbnail: bytes


@dataclass
class Figure:
    """One figure as found in an article, before any filter.

    `caption` comes without its label; `context` are the sentences of the body that mention the figure, in reading
    order, without duplicates. `picture` is None when it is absent or unreadable; `image_error` then says why, and
    `image_fault` in one word, which names the filter that leaves the figure out; it is set by
    `pictures.keep.keep_picture`. `page` (1-based), `bbox` (PDF points, origin top left) and `page_thumbnail`
    (the page as JPEG) are set for pictures cut from a PDF. `rights` is what the figure itself says of its rights, with
    their holder, where that is not what the article says; `license` is then the SPDX id of its own licence, if it has
    one. Without `rights` the article's licence is the figure's. `questions` are those that a table of figures has.
    `picture_files` are what the picture was made of, where that is not the article's own file; `dpi` is the resolution
    at which a page was rendered.
    """

    label: str | None
    caption: str | None
    context: list[str] = field(default_factory=list)
    picture: Picture | None = None
    image_error: str | None = None
    image_fault: str | None = None  # image_missing | image_outside | image_too_large | image_unreadable
    page: int | None = None
    bbox: list[float] | None = None
    page_thumbnail: bytes | None = None
    panels: list[Panel] = field(default_factory=list)
    rights: str | None = None
    license: str | None = None
    questions: list[Question] = field(default_factory=list)
    picture_files: list[PictureFile] = field(default_factory=list)
    dpi: float | None = None  # pixels an inch of the page, PDF only


@dataclass(frozen=True)
class CaptionLike:
    """A line of a PDF that reads like the start of a caption and is not believed to be one.

    `reason` is one word of running_text, wording, no_picture, duplicate and unnumbered; `confidence`, 0–1, tells how
    likely it is a figure that was missed: a rank, not a measured share.
    """

    label: str
    text: str  # the whole line or caption, label included
    page: int  # 1-based
    reason: str
    confidence: float


class TextDamage(TypedDict):
    """The pages of a PDF on which glyphs mean nothing, or are printed twice, and how many on the worst."""

    pages: list[int]  # 1-based
    share: float  # of its glyphs, 0-1


class Version(TypedDict):
    """Which version of an article a file is, as it says itself."""

    manuscript: bool  # of the author, or a preprint: not what was published
    number: list[int]  # [1, 2] for 1.2; [] where none is stated
    date: str | None  # the latest of publication, ISO 8601; "2020-05-00" where no day is stated


@dataclass
class Article:
    """One article. `figures` belong to `pairs`; `supplementary` are figures of sub-articles and supplements.
    `rejected_captions` are what else in a PDF reads like captions; `starts` the pages on which an
    article starts: more than one where the numbers of the figures start anew.

    `article_type` is JATS's word for it (research-article, correction, retraction, ...). `status` is what the article
    says has become of itself: retracted, concern or corrected; `notices` is what it says of others: DOI or PMCID ->
    status. `notes` say what the reader had to do to the file: `REPAIRED`.
    """

    source: str  # jats | pdf | jats+pdf | csv
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
    notes: list[str] = field(default_factory=list)
    rejected_captions: list[CaptionLike] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [1])
    text_damage: TextDamage | None = None  # of a PDF; None where its text is sound
    version: Version | None = None  # None for a PDF, which does not say
