"""What the first pages of a PDF print about the article: title, DOI, PMCID, licence. What is not printed is None."""

import re

from dataset_builder.licenses import license_id
from dataset_builder.page_layout import (
    Block,
    PageContent,
    Style,
    join_fragments,
    join_lines,
    make_blocks,
    reading_order,
)

DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>|{}]+", re.I)
# Dryad, Zenodo, figshare, Dataverse, OSF, Mendeley Data
DATA_REPOSITORIES = ("10.5061/", "10.5281/", "10.6084/", "10.7910/", "10.17605/", "10.17632/")
PMCID = re.compile(r"\bPMCID:?\s*(PMC\d{5,9})\b")
LICENCE_WORDS = re.compile(r"creative\s?commons|creativecommons|\bcc[\s-]by\b|\bcc0\b", re.I)
OWN_LICENCE = re.compile(
    r"open[\s-]access|(?:this|the) (?:article|work|paper|journal)|authors?\b|©|copyright"
    r"|acesso aberto|acceso abierto|artigo|artículo",
    re.I,
)
LICENCE_REACH_CHARS = 500  # a licence statement ends within this many characters of its first word
TITLE_MIN_LETTERS = 12
TITLE_REGION = 0.62  # of the first page's height: where the title ends at the latest
TITLE_MIN_SIZE = 1.15  # times the size of the running text


def printed_title(pages: list[PageContent], style: Style, metadata_title: str) -> str | None:
    """The article's title: the file's own where the first page prints it, else the largest heading on that page."""
    if not pages:
        return None
    blocks = make_blocks(join_fragments(pages[0].lines), 1)
    declared = " ".join(metadata_title.split())
    printed = _squeezed(" ".join(line.text for block in blocks for line in block.lines))
    if len(_squeezed(declared)) >= TITLE_MIN_LETTERS and " " in declared and _squeezed(declared) in printed:
        return declared
    headings = [block for block in blocks if _may_be_title(block, pages[0], style)]
    best = max(headings, key=lambda block: (round(block.size), -block.box.y0), default=None)
    return join_lines(line.text for line in best.lines) if best else None


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _may_be_title(block: Block, page: PageContent, style: Style) -> bool:
    text = block.text
    enough = sum(c.isalpha() for c in text) >= TITLE_MIN_LETTERS and len(text.split()) >= 3
    return enough and block.size >= TITLE_MIN_SIZE * style.size and block.box.y1 < TITLE_REGION * page.height


def printed_doi(pages: list[PageContent]) -> str | None:
    """The first DOI that the first two pages print, those of data sets left out; lower case."""
    texts = [line.text for page in pages[:2] for line in page.lines]
    found = [match[0].rstrip(".,;:)]}").lower() for text in texts for match in DOI.finditer(text)]
    return next((doi for doi in found if not doi.startswith(DATA_REPOSITORIES)), None)


def printed_pmcid(pages: list[PageContent]) -> str | None:
    """The PMCID printed on the first page."""
    found = [match for page in pages[:1] for line in page.lines if (match := PMCID.search(line.text))]
    return found[0][1] if found else None


def printed_license(pages: list[PageContent]) -> str | None:
    """The licence under which the article says it is published, as `dataset_builder.licenses` writes it."""
    statements = [part for page in pages for part in _licence_statements(join_lines(_texts(page)))]
    # a URL broken over lines is whole again without spaces
    return license_id(["".join(part.split()) for part in statements], " ".join(statements)) if statements else None


def _texts(page: PageContent) -> list[str]:
    """The page's text, column by column."""
    blocks = reading_order(make_blocks(join_fragments(page.lines), page.number))
    return [line.text for block in blocks for line in block.lines]


def _licence_statements(text: str) -> list[str]:
    """Where the article speaks of its own licence: not of a figure's that it reprints, nor of its data's."""
    found = []
    for match in LICENCE_WORDS.finditer(text):
        before = text[max(0, match.start() - LICENCE_REACH_CHARS // 2) : match.start()]
        if OWN_LICENCE.search(before):
            found.append(text[match.start() : match.start() + LICENCE_REACH_CHARS])
    return found
