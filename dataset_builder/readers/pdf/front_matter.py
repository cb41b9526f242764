"""What the first pages of a PDF print about the article: title, authors, journal, year, DOI, PMCID, licence, and
whether it is a notice or was itself retracted or corrected. What is not printed plainly is None, or an empty list.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypedDict

from dataset_builder.readers.pdf.imprint import printed_authors, printed_journal, printed_year
from dataset_builder.readers.pdf.layout.blocks import Block, make_blocks, reading_order
from dataset_builder.readers.pdf.layout.lines import join_fragments, join_lines
from dataset_builder.readers.pdf.layout.pages import PageContent, Style
from dataset_builder.text.licenses import is_denied, license_id
from dataset_builder.text.notices import (
    NOTICE_TYPES,
    RETRACTED,
    dois,
    gravest,
    notice_type,
    own_status,
    split_dois,
    title_status,
)
from dataset_builder.text.vocabulary import any_of

# Dryad, Zenodo, figshare, Dataverse, OSF, Mendeley Data
DATA_REPOSITORIES = ("10.5061/", "10.5281/", "10.6084/", "10.7910/", "10.17605/", "10.17632/")
PMCID = re.compile(r"\bPMCID:?\s*(PMC\d{5,9})\b")
_COMMONS = any_of(lambda it: it.license.commons)
LICENCE_WORDS = re.compile(rf"{_COMMONS}|\bcc[\s-]by\b|\bcc0\b", re.I)
LICENCE_LETTERS = re.compile(rf"{_COMMONS}|ccby|cc0")  # of squeezed text
OWN_LICENCE = re.compile(rf"{any_of(lambda it: it.license.own_article)}|©", re.I)
LICENCE_REACH_CHARS = 500  # a licence statement ends within this many characters of its first word
TITLE_MIN_LETTERS, TITLE_MIN_WORDS = 12, 3
TITLE_REGION = 0.62  # of the first page's height: where the title ends at the latest
TITLE_MIN_SIZE = 1.15  # times the size of the running text
TITLE_WORDS_SHARED = 0.8  # of the printed heading's words stand in the file's title, where a font hides some letters
WATERMARK_MIN_SIZE = 3.0  # times the size of the running text
DOI_PAGES = 2  # the first ones, on which the article's own DOI is looked for


class FrontMatter(TypedDict):
    """The fields of `Article` that tell of the article itself."""

    title: str | None
    authors: list[str]
    journal: str | None
    year: int | None
    doi: str | None
    pmcid: str | None
    license: str | None
    article_type: str | None
    status: str | None
    notices: dict[str, str]


class Fate(NamedTuple):
    """What has become of an article, or what it says of others; and its DOI."""

    article_type: str | None
    status: str | None
    notices: dict[str, str]
    doi: str | None


def front_matter(pages: list[PageContent], style: Style, metadata: Mapping[str, str]) -> FrontMatter:
    """The fields of `Article` about the article itself; `metadata` are the file's Title, Author and Subject."""
    blocks = _first_page_blocks(pages)
    title = printed_title(pages, style, metadata["Title"])
    heading = _title_block(blocks, title, style) if title else None
    authors = printed_authors(blocks, heading, style.size, metadata["Author"]) if heading else []
    journal, year = printed_journal(pages, metadata["Subject"], authors or [metadata["Author"]])
    fate = printed_fate(pages, blocks, title, heading, style)
    return {
        "title": title,
        "authors": authors,
        "journal": journal,
        "year": printed_year(blocks) or year,
        "doi": fate.doi,
        "pmcid": printed_pmcid(pages),
        "license": printed_license(pages),
        "article_type": fate.article_type,
        "status": fate.status,
        "notices": fate.notices,
    }


def _first_page_blocks(pages: list[PageContent]) -> list[Block]:
    return make_blocks(join_fragments(pages[0].lines), 1) if pages else []


# ---- title ----


def printed_title(pages: list[PageContent], style: Style, metadata_title: str) -> str | None:
    """The article's title: the file's own where the first page prints it, else the largest heading on that page."""
    if not pages:
        return None
    blocks = _first_page_blocks(pages)
    declared = " ".join(metadata_title.split())
    printed = _squeezed(" ".join(line.text for block in blocks for line in block.lines))
    whole = len(_squeezed(declared)) >= TITLE_MIN_LETTERS and " " in declared
    if whole and _squeezed(declared) in printed:
        return declared
    headings = [block for block in blocks if _may_be_title(block, pages[0], style)]
    best = max(headings, key=lambda block: (round(block.size), -block.box.y0), default=None)
    if best is None:
        return None
    return declared if _same_title(declared, best.text, printed) else best.text


def _same_title(declared: str, heading: str, printed: str) -> bool:
    """Whether the heading is the file's title but for letters without a Unicode value; `printed` is the whole page."""
    words = [_squeezed(word) for word in heading.split()]
    shared = sum(word in _squeezed(declared) for word in words)
    all_printed = all(_squeezed(word) in printed for word in declared.split())
    return all_printed and len(heading) < len(declared) and shared >= TITLE_WORDS_SHARED * len(words)


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _may_be_title(block: Block, page: PageContent, style: Style) -> bool:
    large = block.size >= TITLE_MIN_SIZE * style.size and block.box.y1 < TITLE_REGION * page.height
    text = block.text
    return large and sum(map(str.isalpha, text)) >= TITLE_MIN_LETTERS and len(text.split()) >= TITLE_MIN_WORDS


def _title_block(blocks: list[Block], title: str, style: Style) -> Block | None:
    """The heading that prints the title, or the longest part of it."""
    large = [block for block in blocks if block.size >= TITLE_MIN_SIZE * style.size]
    printed = [block for block in large if _squeezed(block.text) in _squeezed(title)]
    return max(printed, key=lambda block: len(block.text), default=None)


# ---- notices ----


def printed_fate(
    pages: list[PageContent], blocks: list[Block], title: str | None, heading: Block | None, style: Style
) -> Fate:
    """Type, status and notices of `Article`, and the DOI, which in a notice stands beside that of another article.

    `blocks` are those of the first page, `heading` the one with the title. What stands further down (a flow chart's
    "Withdrawn") says nothing about the article.
    """
    if not pages:
        return Fate(None, None, {}, None)
    above = _single_lines_above(heading.box.y0 if heading else TITLE_REGION * pages[0].height, blocks)
    kinds = [notice_type(text) for text in (title, *above)]
    kind = next(filter(None, kinds), None)
    if kind:
        own, others = split_dois(" ".join(_texts(pages[0])))
        return Fate(kind, None, dict.fromkeys(others, NOTICE_TYPES[kind]), own)
    statuses = [title_status(text) for text in (title, *(above if heading else ()))]
    statuses += [own_status(block.text) for block in blocks]
    if _watermark(pages[0], style):
        statuses.append(RETRACTED)
    return Fate(None, gravest(statuses), {}, printed_doi(pages))


def _single_lines_above(end: float, blocks: list[Block]) -> list[str]:
    """The blocks of one line that end above `end`, in points from the top: there a notice says what it is."""
    return [block.text for block in blocks if len(block.lines) == 1 and block.box.y1 <= end]


def _watermark(page: PageContent, style: Style) -> bool:
    """Whether RETRACTED is written over the page, which its slant breaks into single letters."""
    large = "".join(line.text for line in page.lines if line.size >= WATERMARK_MIN_SIZE * style.size)
    return "RETRACTED" in re.sub(r"\W", "", large)


# ---- numbers and licence ----


def printed_doi(pages: list[PageContent]) -> str | None:
    """The first DOI that the first pages print, those of data sets left out; lower case."""
    for page in pages[:DOI_PAGES]:
        for line in page.lines:
            for doi in dois(line.text):
                if not doi.startswith(DATA_REPOSITORIES):
                    return doi
    return None


def printed_pmcid(pages: list[PageContent]) -> str | None:
    """The PMCID printed on the first page."""
    for page in pages[:1]:
        for line in page.lines:
            if match := PMCID.search(line.text):
                return match[1]
    return None


def printed_license(pages: list[PageContent]) -> str | None:
    """The licence under which the article says it is published, as `dataset_builder.text.licenses` writes it."""
    statements: list[str] = []
    for page in pages:
        if LICENCE_LETTERS.search(_squeezed("".join(line.text for line in page.lines))):
            statements += _licence_statements(join_lines(_texts(page)))
    if not statements:
        return None
    urls = ["".join(part.split()) for part in statements]  # one broken over lines is whole again without spaces
    return license_id(urls, " ".join(statements))


def _texts(page: PageContent) -> list[str]:
    """The page's text, column by column."""
    blocks = reading_order(make_blocks(join_fragments(page.lines), page.number))
    return [line.text for block in blocks for line in block.lines]


def _licence_statements(text: str) -> Iterator[str]:
    """Where the article speaks of its own licence: not of a figure's or its data's, nor of one that it has not."""
    for match in LICENCE_WORDS.finditer(text):
        before = text[max(0, match.start() - LICENCE_REACH_CHARS // 2) : match.start()]
        if OWN_LICENCE.search(before) and not is_denied(text, match.start()):
            yield text[match.start() : match.start() + LICENCE_REACH_CHARS]
