"""Authors, journal and year of an article, as its pages print them: below the title, in running heads and imprints.

What is not printed plainly stays out: one name that is no name, and there are no authors at all.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dataset_builder.readers.pdf.layout.blocks import Block
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.text.vocabulary import any_of, every

EDGE = 0.13  # of the page's height: running heads and feet, imprints
ROW_EM = 0.3  # lower edges of the pieces of one row differ by less
APART_EM = 2  # pieces of a row with a wider gap between them are different things
HEADING_OVERLAP_PT = 3  # by which the box of a title reaches into what is printed below it
MAX_SUBTITLES = 2  # blocks between the title and the authors
LOOK_AHEAD = 8  # blocks behind the names: further names there mean that each author has a place of their own
MIN_NAME_WORDS, MAX_NAME_WORDS = 2, 7
SURE_NAMES = 3  # so many names are no title; fewer need a mark of an affiliation, or the name in the file's metadata

_MARKS = re.compile(r"\s*(?:\bID\b|[*∗†‡§¶#✉])+|\s*\d[\d,\s*∗†‡§¶#]*")  # of affiliations, after a name
_BETWEEN_NAMES = re.compile(rf"\s*(?:[,;|·•&]|\b(?:{any_of(lambda it: it.imprint.between_names)})\b)\s*")
_GOES_ON = (",", "&", *(f" {word}" for word in every(lambda it: it.imprint.between_names)))
_LETTERED = re.compile(r"[a-e] ?[A-Z][a-z]+")  # "a Department of ...": letters stand behind the names, unseparably
_NAME_WORD = re.compile(r"[^\W\d_][^\W\d_.'’‐-]*(?:[.'’‐-][^\W\d_]*)*")
_PARTICLES = {
    *("van", "von", "der", "den", "de", "da", "do", "dos", "das", "del", "della", "di", "du", "la", "le", "el", "al"),
    *("bin", "ibn", "ten", "ter", "te", "zu", "zur", "e"),
}
_DEGREES = {
    *("MD", "PhD", "Ph.D", "DPhil", "MSc", "BSc", "MPH", "MS", "BS", "BA", "MA", "MB", "MM", "MBBS", "MBChB", "MMed"),
    *("DDS", "DMD", "DVM", "RN", "RDH", "PharmD", "FRCP", "FRCR", "FACR", "Dr", "Prof"),
}
_NO_NAME = re.compile(rf"\b(?:{any_of(lambda it: it.imprint.not_names)})\b", re.IGNORECASE)

_MONTH = rf"(?:{any_of(lambda it: it.imprint.months)})[^\W\d]*\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_START = r"(?:^|\t)(?:\d+[ \t]+)?(?:[^\t]{0,60}?\bet al\.?[,:]?[ \t]+)?"  # number of the page, authors
_BEHIND = (  # what stands behind a journal's name
    rf"[.,]?\s+\(?{_YEAR}\)?(?: {_MONTH}(?: \d{{1,2}})?)?[\s,;:]+\d{{1,4}}(?=[\s,;:/(]|$)",  # 2019;12:34 · (2019) 12:34
    rf"[.,]?\s+{_YEAR}[,;]?\s+vol(?:ume|\.)? ?\d",  # 2019, Vol. 12
    rf",?\s+volume {_YEAR}, article id",
    rf",?\s+\d{{1,4}}\s?(?:\(\d+\))?\s?\({_YEAR}\)\s?\d",  # 12 (2019) 34-56
    rf",?\s+vol\.? ?\d+\b[^\t]{{0,40}}?\b{_YEAR}\b",  # Vol. 12, No. 3, May 2019
    rf",\s+\d{{1,4}}, \d+[-–]\d+,(?: {_MONTH})? {_YEAR}\b",  # 12, 34-56, May 2019
    rf"\s+\d{{1,4}}\(\d+\)[,:]?\s+{_YEAR}\b",  # 12(3) 2019
    rf"(?:, [^\W\d]+)?, \d{{1,4}}:e?\d+, {_YEAR}\b",  # Campinas, 12:e34, 2019
    rf"\s*\|\s*(?:www\.|https?://|\({_YEAR}\) \d)",  # | www.journal.org
)
_JOURNALS = [
    re.compile(rf"{_START}(?P<name>[^\W\d_][^\t\d|•–;:()©]{{1,120}}?\.?){behind}", re.IGNORECASE) for behind in _BEHIND
]
MAX_JOURNAL_WORDS = 14
_JOURNAL_NAME = re.compile(r"[a-z]?[^\W\d_a-z].*[^\W\d_].*[^\W\d_]", re.DOTALL)  # three letters; "eLife", not "cancer"
_ABBREVIATED = re.compile(
    rf"(?:(?:[^\W\d_]+\.|&|{any_of(lambda it: it.imprint.title_words)}) )+(?:[^\W\d_]+\.?(?: |$))*$"
)  # "J. Dose Res."
_NO_JOURNAL = re.compile(rf"\b(?:{any_of(lambda it: it.imprint.not_journal)})\b|@|/", re.IGNORECASE)
_DATES = (
    re.compile(  # "Published: 12 May 2019", "Advance Access Publication Date: 3 December 2020"
        rf"\b(?:{any_of(lambda it: it.imprint.published)})\s?:\s?"
        rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\.?\s+)?(?:{_MONTH}\s+)?(?:\d{{1,2}},\s+)?{_YEAR}\b",
        re.IGNORECASE,
    ),
    re.compile(  # "© The Author(s) 2019", "Copyright © 2019"
        r"(?:©|\bcopyright|\(c\))\s?(?:©|\(c\))?\s?(?:the )?"
        rf"(?:authors?(?:\(s\))?(?: \(or their employer\(s\)\))?)?[.,]?\s?{_YEAR}\b",
        re.IGNORECASE,
    ),
)


@dataclass
class _Listing:
    """A block below the title, and the names in it: none where a part of it is no name."""

    text: str
    names: list[str]

    @property
    def is_marked(self) -> bool:
        """Whether a mark of an affiliation stands in it."""
        return bool(_MARKS.search(self.text))

    @property
    def goes_on(self) -> bool:
        """Whether it ends with what stands between two names."""
        return self.text.rstrip().endswith(_GOES_ON)


def printed_authors(blocks: list[Block], heading: Block, text_size: float, declared: str) -> list[str]:
    """The names below the title on the first page, where every one of them is surely read; else none.

    `heading` is the title, `text_size` that of the running text in points, `declared` the file's own author.
    """
    if any(_LETTERED.match(block.text) for block in blocks if block.size < text_size):
        return []
    listings = [_Listing(block.text, _names(block.text)) for block in _blocks_below(heading, blocks)]
    leading, further = _leading(listings)
    if any(listing.names and listing.is_marked for listing in further[:LOOK_AHEAD]):
        return []
    names = [name for listing in leading for name in listing.names]
    sure = len(names) >= SURE_NAMES or declared in names or any(listing.is_marked for listing in leading)
    return names if sure else []


def _blocks_below(heading: Block, blocks: list[Block]) -> list[Block]:
    """The blocks under the heading, in its width, from top to bottom."""
    end = heading.box.y1 - HEADING_OVERLAP_PT
    below = [block for block in blocks if block.box.y0 > end and block.box.x_overlap(heading.box) > 0]
    return sorted(below, key=lambda block: block.box.y0)


def _leading(listings: list[_Listing]) -> tuple[list[_Listing], list[_Listing]]:
    """The first listing with names, behind few subtitles, and those that go on with it; and what stands behind them."""
    start = next((k for k, listing in enumerate(listings[: MAX_SUBTITLES + 1]) if listing.names), None)
    if start is None:
        return [], []
    stop = start + 1
    while stop < len(listings) and listings[stop].names and listings[stop - 1].goes_on:
        stop += 1
    return listings[start:stop], listings[stop:]


def _names(text: str) -> list[str]:
    """The names in a list of authors; none where a part of it is no name."""
    parts = [part.strip(" .") for part in _BETWEEN_NAMES.split(_MARKS.sub(",", text))]
    parts = [part for part in parts if part and part not in _DEGREES]
    return parts if all(map(_is_name, parts)) else []


def _is_name(text: str) -> bool:
    words = text.split()
    if not MIN_NAME_WORDS <= len(words) <= MAX_NAME_WORDS or _NO_NAME.search(text) or not _DEGREES.isdisjoint(words):
        return False
    named = all(_NAME_WORD.fullmatch(word) and (word[0].isupper() or word in _PARTICLES) for word in words)
    # "BarretoI": a Roman numeral as the mark of an affiliation
    return named and len(words[-1]) > 1 and not re.search(r"[a-z][A-Z]+$", words[-1])


@dataclass
class _Seen:
    """Where a journal's name is printed."""

    pages: list[int] = field(default_factory=list)  # 1-based, without doubles
    year: int | None = None  # the first one printed beside it


def printed_journal(pages: list[PageContent], subject: str, authors: list[str]) -> tuple[str | None, int | None]:
    """The journal's name where it is printed at the edge of a page beside year and volume, and that year.

    It counts on the first page, or else on two pages. `subject` is the file's own, `authors` are those known: they tell
    the journal from the authors in "Smith J Dose (2019) 3:1".
    """
    journals: dict[str, _Seen] = {}
    for page in pages:
        for printed, year in _imprints("\t".join(_edge_rows(page))):
            name = _journal_name(printed, subject, authors)
            if name is None:
                continue
            seen = journals.setdefault(name, _Seen())
            if page.number not in seen.pages:
                seen.pages.append(page.number)
            seen.year = seen.year or year
    sure = {name: seen for name, seen in journals.items() if seen.pages[0] == 1 or len(seen.pages) > 1}
    if not sure:
        return None, None
    best = min(sure, key=lambda name: (sure[name].pages[0] > 1, -len(sure[name].pages)))
    return best, sure[best].year


def _imprints(text: str) -> Iterator[tuple[str, int | None]]:
    """What may be a journal's name, and the year behind it."""
    for pattern in _JOURNALS:
        for match in pattern.finditer(text):
            yield match["name"], int(match["year"]) if match["year"] else None


def _edge_rows(page: PageContent) -> list[str]:
    """The rows of text at the top and at the foot of a page; a tab between what stands apart."""
    top, foot = EDGE * page.height, (1 - EDGE) * page.height
    upright = [line for line in page.lines if line.turn == 0]
    edge = [line for line in upright if line.box.y1 < top or line.box.y0 > foot]
    rows: list[list[Line]] = []
    for line in sorted(edge, key=lambda line: line.box.y1):
        if rows and line.box.y1 - rows[-1][-1].box.y1 < ROW_EM * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_row_text(sorted(row, key=lambda line: line.box.x0)) for row in rows]


def _row_text(row: list[Line]) -> str:
    text = row[0].text
    for left, right in itertools.pairwise(row):
        together = right.box.x0 - left.box.x1 < APART_EM * right.size
        text += (" " if together else "\t") + right.text
    return text


def _journal_name(text: str, subject: str, authors: list[str]) -> str | None:
    """The name without the authors before it; None for a date, an address and the like.

    Springer writes "BMC Cancer, 2020, doi:..." into the file's subject.
    """
    words = text.strip(" ,;\t").split()
    known = re.match(r"[^,;]+", subject)
    if known and " ".join(words).endswith(f" {known[0]}"):
        return known[0]
    families = {author.split()[-1] for author in authors if author}
    while len(words) > 1 and (words[0] in families or words[0] == "and"):
        words = words[1:]
    name = " ".join(words)
    if not _JOURNAL_NAME.match(name) or len(words) > MAX_JOURNAL_WORDS or _NO_JOURNAL.search(name):
        return None
    if _ABBREVIATED.match(name):
        return name
    return None if "." in name[:-1] else name.rstrip(".")


def printed_year(blocks: list[Block]) -> int | None:
    """The year of publication that the first page names: in a date of publication, else in the copyright."""
    texts = [block.text for block in blocks]
    for pattern in _DATES:
        for text in texts:
            if match := pattern.search(text):
                return int(match["year"])
    return None
