"""The rows that the steps of the assembly hand on, one a figure: JSON objects with the columns of `pairs`.

`candidates.jsonl` holds `Candidate`s; `verdicts.jsonl` holds of each candidate a `Kept` or a `Rejected`.
"""

from typing import NamedTuple, TypedDict

from dataset_builder.extraction.records import PanelRecord
from dataset_builder.readers.article import PictureFile, Question


class Rejection(NamedTuple):
    """Why a figure was left out: the filter's name, the value it saw and the threshold it compared with."""

    filter: str
    value: float | str | None
    threshold: float | None


class ArticleColumns(TypedDict):
    """What all figures of an article have in common."""

    pmcid: str | None
    doi: str | None
    title: str | None
    journal: str | None
    year: int | None
    language: str | None  # ISO 639-1
    license: str | None  # SPDX id
    article_type: str | None
    article_id: str  # PMCID, else DOI, else `TABLE!ID` of a table of figures, else `sha256:` and 16 hex digits
    status: str | None  # removed | retracted | concern | corrected
    notes: list[str]  # what a reader had to do to the article's files
    attribution: str  # the line that a Creative Commons licence asks for
    source: str  # jats | pdf | jats+pdf | csv
    source_file: str  # relative to the articles folder


class RightsColumns(TypedDict):
    """What a figure may have of its own, where its text or markup states it."""

    rights: str | None  # holder and words as found; None: the article's are the figure's
    license: str | None  # SPDX id
    licenses: list[str | None]  # of the figure, and of the article that its caption and context come from
    attribution: str


class OriginColumns(TypedDict):
    """What a figure was made of: not in `pairs`, but what `rebuild.jsonl` says of it."""

    source_sha256: str | None  # of the file that the text comes from
    article_version: int | None  # in PMC, where that is known
    picture_files: list[PictureFile]
    dpi: float | None  # pixels an inch of the page, PDF only


class FigureRow(ArticleColumns, OriginColumns):
    """The columns of `pairs` but the image, and where that is; the picture's are None where there is none."""

    image_path: str | None  # relative to the dataset's folder
    width: int | None  # pixels
    height: int | None  # pixels
    sharpness: float | None  # variance of the Laplacian
    image_sha256: str | None
    pixels_sha256: str | None  # whatever has compressed them; in `rebuild.jsonl` alone
    phash: str | None  # 64 bits as hex
    duplicate_group: str | None
    label: str | None
    caption: str | None
    context: list[str]
    image_error: str | None  # why there is no picture
    page: int | None  # 1-based, PDF only
    bbox: list[float] | None  # PDF points, origin top left: x0, y0, x1, y1
    panels: list[PanelRecord]
    questions: list[Question]  # that came with it
    figure_id: str
    rights: str | None  # of its own, with their holder; `license` and `attribution` are then the figure's, too
    licenses: list[str | None]  # of all that the row is made of


class Unjudged(FigureRow):
    """A figure as it comes from its article, with what only the filters look at."""

    image_fault: str | None  # why there is no picture, in one word: the filter's name
    contrast: float | None  # standard deviation of 8-bit grey
    text_share: float | None  # of the picture's ink, 0 to 1


class Candidate(Unjudged):
    """A figure, and what the filters said: None when they keep it."""

    rejection: Rejection | None


class Judged(FigureRow):
    """A figure with a verdict, and what the preview marks."""

    mentions: list[list[tuple[int, int]]]  # of each sentence of the context: start and end, in characters


class Kept(Judged):
    """A row of `pairs`."""

    split: str


class Rejected(Judged):
    """A figure that was left out: `Rejection`, as columns."""

    filter: str
    value: float | str | None
    threshold: float | None


class CaptionLikeRow(FigureRow):
    """What reads like a caption and is believed to be none: in `rejected.jsonl`, but no figure, without label, caption.

    `filter` is `not_a_caption`, `value` the reason, see `readers.article.CaptionLike`.
    """

    text: str
    confidence: float  # 0–1, that a figure was missed
    filter: str
    value: str
    threshold: None


class SupplementaryRow(ArticleColumns):
    """A figure of a supplement or a sub-article; its picture is not kept."""

    label: str | None
    caption: str | None
    rights: str | None
    licenses: list[str | None]


class Failure(TypedDict):
    """A file that could not be read: a row of `failed.jsonl`."""

    article: str  # the file, relative to the articles folder
    stage: str
    error: str
