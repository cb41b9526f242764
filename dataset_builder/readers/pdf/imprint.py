"""Authors, journal and year of an article, as its pages print them: below the title, in running heads and imprints.

What is not printed plainly stays out: one name that is no name, and there are no authors at all.
"""

import re
from collections import Counter
from collections.abc import Iterator

from dataset_builder.readers.pdf.layout.blocks import Block
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.text.vocabulary import any_of, every

EDGE = 0.13  # of the page's height: running heads and feet, imprints
MAX_SUBTITLES = 2  # blocks between the title and the authors
LOOK_AHEAD = 8  # blocks behind the names: further names there mean that each author has a place of their own
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


def printed_authors(blocks: list[Block], heading: Block, text_size: float, declared: str) -> list[str]:
    """The names below the title on the first page, where every one of them is surely read; else none.

    `heading` is the title, `text_size` that of the running text in points, `declared` the file's own author.
    """
    if any(_LETTERED.match(block.text) for block in blocks if block.size < text_size):
        return []
    box = heading.box
    below = [b for b in blocks if b.box.y0 > box.y1 - 3 and b.box.x0 < box.x1 and b.box.x1 > box.x0]
    below.sort(key=lambda block: block.box.y0)
    lists = [_names(block.text) for block in below]
    start = next((k for k, names in enumerate(lists[: MAX_SUBTITLES + 1]) if names), len(lists))
    end = start + 1
    while end < len(lists) and lists[end] and below[end - 1].text.rstrip().endswith(_GOES_ON):
        end += 1
    if any(lists[k] and _MARKS.search(below[k].text) for k in range(end, min(end + LOOK_AHEAD, len(lists)))):
        return []
    names = [name for found in lists[start:end] for name in found]
    marked = any(_MARKS.search(block.text) for block in below[start:end])
    return names if len(names) >= SURE_NAMES or marked or declared in names else []


def _names(text: str) -> list[str]:
    """The names in a list of authors; none where a part of it is no name."""
    parts = [part.strip(" .") for part in _BETWEEN_NAMES.split(_MARKS.sub(",", text))]
    parts = [part for part in parts if part and part not in _DEGREES]
    return parts if all(map(_is_name, parts)) else []


def _is_name(text: str) -> bool:
    words = text.split()
    if not 2 <= len(words) <= 7 or _NO_NAME.search(text) or not _DEGREES.isdisjoint(words):
        return False
    named = all(_NAME_WORD.fullmatch(word) and (word[0].isupper() or word in _PARTICLES) for word in words)
    # "BarretoI": a Roman numeral as the mark of an affiliation
    return named and len(words[-1]) > 1 and not re.search(r"[a-z][A-Z]+$", words[-1])


def printed_journal(pages: list[PageContent], subject: str, authors: list[str]) -> tuple[str | None, int | None]:
    """The journal's name where it is printed at the edge of a page beside year and volume, and that year.

    It counts on the first page, or else on two pages. `subject` is the file's own, `authors` are those known: they tell
    the journal from the authors in "Smith J Dose (2019) 3:1".
    """
    found: Counter = Counter()  # name -> pages
    first: dict[str, int] = {}  # name -> its first page
    years: dict[str, int] = {}
    for page in pages:
        names = dict.fromkeys(  # without doubles, in order
            (name, year)
            for printed, year in _imprints("\t".join(_edge_rows(page)))
            if (name := _journal_name(printed, subject, authors))
        )
        found.update({name for name, _ in names})
        for name, year in names:
            first.setdefault(name, page.number)
            if year:
                years.setdefault(name, int(year))
    sure = [name for name in first if first[name] == 1 or found[name] > 1]
    best = min(sure, key=lambda name: (first[name] > 1, -found[name]), default=None)
    return best, years.get(best)


def _imprints(text: str) -> Iterator[tuple[str, str | None]]:
    """What may be a journal's name, and the year behind it."""
    return ((match["name"], match["year"]) for pattern in _JOURNALS for match in pattern.finditer(text))


def _edge_rows(page: PageContent) -> list[str]:
    """The rows of text at the top and at the foot of a page; a tab between what stands apart."""
    edge = [line for line in page.lines if line.turn == 0]
    edge = [line for line in edge if line.box.y1 < EDGE * page.height or line.box.y0 > (1 - EDGE) * page.height]
    rows: list[list[Line]] = []
    for line in sorted(edge, key=lambda line: line.box.y1):
        if rows and line.box.y1 - rows[-1][-1].box.y1 < 0.3 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_row_text(sorted(row, key=lambda line: line.box.x0)) for row in rows]


def _row_text(row: list[Line]) -> str:
    text = row[0].text
    for left, right in zip(row, row[1:], strict=False):
        text += (" " if right.box.x0 - left.box.x1 < 2 * right.size else "\t") + right.text
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
    abbreviated = _ABBREVIATED.match(name)
    if not _JOURNAL_NAME.match(name) or len(words) > MAX_JOURNAL_WORDS or _NO_JOURNAL.search(name):
        return None
    return name if abbreviated else name.rstrip(".") if "." not in name[:-1] else None


def printed_year(blocks: list[Block]) -> int | None:
    """The year of publication that the first page names: in a date of publication, else in the copyright."""
    texts = [block.text for block in blocks]
    found = next((match for pattern in _DATES for text in texts if (match := pattern.search(text))), None)
    return int(found["year"]) if found else None
