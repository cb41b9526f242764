"""What the first pages of a PDF print about the article: title, authors, journal, year, DOI, PMCID, licence, and
whether it is a notice or was itself retracted or corrected. What is not printed plainly is None, or an empty list.
"""

import re
from collections import Counter
from collections.abc import Mapping

from dataset_builder.licenses import license_id
from dataset_builder.notices import (
    NOTICE_TYPES,
    RETRACTED,
    dois,
    gravest,
    notice_type,
    own_status,
    split_dois,
    title_status,
)
from dataset_builder.page_layout import (
    Block,
    Line,
    PageContent,
    Style,
    join_fragments,
    join_lines,
    make_blocks,
    reading_order,
)

# Dryad, Zenodo, figshare, Dataverse, OSF, Mendeley Data
DATA_REPOSITORIES = ("10.5061/", "10.5281/", "10.6084/", "10.7910/", "10.17605/", "10.17632/")
PMCID = re.compile(r"\bPMCID:?\s*(PMC\d{5,9})\b")
LICENCE_WORDS = re.compile(
    r"creative[\s-]?commons|\bcc[\s-]by\b|\bcc0\b|知识共享|創用\s?CC|创作共用|クリエイティブ[・\s]?コモンズ", re.I
)
LICENCE_LETTERS = re.compile(
    r"creativecommons|ccby|cc0|知识共享|創用cc|创作共用|クリエイティブコモンズ"
)  # of squeezed text
OWN_LICENCE = re.compile(
    r"open[\s-]access|(?:this|the) (?:article|work|paper|journal)|authors?\b|©|copyright"
    r"|acesso aberto|acceso abierto|artigo|artículo|cet article|article (?:est|publié)|dieser (?:artikel|beitrag)"
    r"|questo articolo|accesso aperto|статья|стаття|работа|робота|本文|本作品|本論文|本刊|この(?:論文|記事|作品)",
    re.I,
)
LICENCE_REACH_CHARS = 500  # a licence statement ends within this many characters of its first word
TITLE_MIN_LETTERS = 12
TITLE_REGION = 0.62  # of the first page's height: where the title ends at the latest
TITLE_MIN_SIZE = 1.15  # times the size of the running text
TITLE_WORDS_SHARED = 0.8  # of the printed heading's words stand in the file's title, where a font hides some letters
WATERMARK_MIN_SIZE = 3.0  # times the size of the running text

EDGE = 0.13  # of the page's height: running heads and feet, imprints
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|janv|févr|mars|avr|mai|juin|juil|août|ene|abr|ago|dic|fev|set"
    r"|out|dez|mär|okt|gen|mag|giu|lug|ott)[^\W\d]*\.?"
)
_NAME = r"(?P<name>[^\W\d_][^\t\d|•–;:()©]{1,120}?)"
_JOURNAL = re.compile(  # the journal's name, then year and volume, volume and year, or an address behind a bar
    rf"(?:^|\t)(?:\d+[ \t]+)?(?:[^\t]{{0,60}}?\bet al\.?[,:]?[ \t]+)?{_NAME}(?:"
    rf"[.,]?\s+\(?{_YEAR}\)?(?: {_MONTH}(?: \d{{1,2}})?)?[\s,;:]+\d{{1,4}}(?=[\s,;:/(]|$)"
    rf"|,?\s+\d{{1,4}}\s?(?:\(\d+\))?\s?\({_YEAR.replace('year', 'year2')}\)\s?\d"
    rf"|,?\s+[Vv]ol\.? ?\d+\b[^\t]{{0,40}}?\b{_YEAR.replace('year', 'year3')}\b"
    rf"|,\s+\d{{1,4}}, \d+[-–]\d+,(?: {_MONTH})? {_YEAR.replace('year', 'year4')}\b"
    rf"|\s+\d{{1,4}}\(\d+\)[,:]?\s+{_YEAR.replace('year', 'year5')}\b"
    rf"|(?:, [^\W\d]+)?, \d{{1,4}}:e?\d+, {_YEAR.replace('year', 'year6')}\b"
    rf"|\s*\|\s*(?:www\.|https?://|\({_YEAR.replace('year', 'year7')}\) \d))",
    re.IGNORECASE,
)
_NO_JOURNAL = re.compile(
    r"\b(?:received|accepted|published|copyright|licen[cs]e|page|volume|vol|issue|article|doi|http|www|january|february"
    r"|march|april|june|july|august|september|october|november|december|cite|registered)\b|@|/",
    re.IGNORECASE,
)
_PUBLISHED = re.compile(  # "Published: 12 May 2019", "Advance Access Publication Date: 3 December 2020"
    r"\b(?:published(?: online)?|publication date|first published|publicado(?: en línea)?|publié(?: en ligne)?"
    r"|veröffentlicht|pubblicato|опубликован[оа]?|опубліковано)\s?:\s?"
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\.?\s+)?(?:{_MONTH}\s+)?(?:\d{{1,2}},\s+)?{_YEAR}\b",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    rf"(?:©|\bcopyright|\(c\))\s?(?:©|\(c\))?\s?(?:the )?(?:authors?(?:\(s\))?)?[.,]?\s?{_YEAR}\b", re.IGNORECASE
)

_MARKS = re.compile(r"\s*(?:\bID\b|[*∗†‡§¶#✉])+|\s*\d[\d,\s*∗†‡§¶#]*")  # of affiliations, after a name
_BETWEEN_NAMES = re.compile(r"\s*(?:[,;|·•&]|\b(?:and|und|et|y)\b)\s*")
_PARTICLES = {"van", "von", "der", "den", "de", "da", "do", "dos", "das", "del", "della", "di", "du", "la", "le", "el"}
_PARTICLES |= {"al", "bin", "ibn", "ten", "ter", "te", "zu", "zur", "e"}
_DEGREE = re.compile(r"(?:[A-Z]{2,5}|Ph\.?D|DPhil|[BM]Sc|MMed|Dr|Prof|PharmD|MBBS|MBChB)\.?")
_NO_NAME = re.compile(
    r"\b(?:abstract|article|background|case|center|centre|clinic|clinical|college|department|editorial|faculty|group"
    r"|hospital|institute|introduction|journal|keywords|laboratory|letter|medical|open|original|paper|protocol|report"
    r"|research|resumen|resumo|review|school|science|study|summary|systematic|trial|universi\w+)\b",
    re.IGNORECASE,
)
_MAX_SUBTITLES = 2  # blocks between the title and the authors
_LOOK_AHEAD = 8  # blocks behind the names: further names there mean that each author has a place of their own
_LETTERED = re.compile(r"\s*[a-e] ?[A-Z][a-z]+")  # "a Department of ...": letters stand behind the names


def front_matter(pages: list[PageContent], style: Style, metadata: Mapping[str, str]) -> dict:
    """The fields of `Article` about the article itself; `metadata` are the file's Title, Author and Subject."""
    blocks = make_blocks(join_fragments(pages[0].lines), 1) if pages else []
    title = printed_title(pages, style, metadata["Title"])
    authors = printed_authors(blocks, title, style)
    journal, year = printed_journal(pages, metadata["Subject"], metadata["Author"], authors)
    kind, status, notices, doi = printed_fate(pages, blocks, title, style)
    return {
        "title": title,
        "authors": authors,
        "journal": journal,
        "year": printed_year(blocks) or year,
        "doi": doi,
        "pmcid": printed_pmcid(pages),
        "license": printed_license(pages),
        "article_type": kind,
        "status": status,
        "notices": notices,
    }


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
    if best is None:
        return None
    heading = join_lines(line.text for line in best.lines)
    return declared if _same_title(declared, heading, printed) else heading


def _same_title(declared: str, heading: str, printed: str) -> bool:
    """Whether the heading is the file's title but for letters without a Unicode value; `printed` is the whole page."""
    words = [_squeezed(word) for word in heading.split()]
    shared = sum(word in _squeezed(declared) for word in words)
    all_printed = all(_squeezed(word) in printed for word in declared.split())
    return all_printed and len(heading) < len(declared) and shared >= TITLE_WORDS_SHARED * len(words)


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _may_be_title(block: Block, page: PageContent, style: Style) -> bool:
    text = block.text
    enough = sum(c.isalpha() for c in text) >= TITLE_MIN_LETTERS and len(text.split()) >= 3
    return enough and block.size >= TITLE_MIN_SIZE * style.size and block.box.y1 < TITLE_REGION * page.height


def printed_authors(blocks: list[Block], title: str | None, style: Style) -> list[str]:
    """The names below the title on the first page, where every one of them is surely read; else none."""
    heading = max(
        (
            b
            for b in blocks
            if title and b.size >= TITLE_MIN_SIZE * style.size and _squeezed(b.text) in _squeezed(title)
        ),
        key=lambda block: len(block.text),
        default=None,
    )
    if heading is None or any(_LETTERED.match(b.text) for b in blocks if b.size < style.size):
        return []
    below = [
        b for b in blocks if b.box.y0 > heading.box.y1 - 3 and b.box.x0 < heading.box.x1 and b.box.x1 > heading.box.x0
    ]
    below.sort(key=lambda block: block.box.y0)
    lists = [_names(block.text) for block in below]
    start = next((k for k, names in enumerate(lists[: _MAX_SUBTITLES + 1]) if names), len(lists))
    end = start + 1
    while end < len(lists) and lists[end] and below[end - 1].text.rstrip().endswith((",", " and", "&")):
        end += 1
    further = any(lists[k] and _MARKS.search(below[k].text) for k in range(end, min(end + _LOOK_AHEAD, len(lists))))
    return [] if further else [name for names in lists[start:end] for name in names]


def _names(text: str) -> list[str]:
    """The names in a list of authors; none where a part of it is no name."""
    parts = [part.strip(" .") for part in _BETWEEN_NAMES.split(_MARKS.sub(",", text))]
    parts = [part for part in parts if part and not _DEGREE.fullmatch(part)]
    return parts if all(map(_is_name, parts)) else []


def _is_name(text: str) -> bool:
    words = text.split()
    if not 2 <= len(words) <= 7 or _NO_NAME.search(text):
        return False
    if any(_DEGREE.fullmatch(word) and len(word) > 1 and not word.isupper() for word in words):
        return False
    plain = all(re.fullmatch(r"[^\W\d_][^\W\d_.'’‐-]*(?:[.'’‐-][^\W\d_]*)*", word) for word in words)
    named = all(word[0].isupper() or word in _PARTICLES for word in words)
    # "BarretoI": a Roman numeral in place of a mark
    return plain and named and len(words[-1]) > 1 and not re.search(r"[a-z][A-Z]+$", words[-1])


def printed_journal(
    pages: list[PageContent], subject: str, author: str, authors: list[str]
) -> tuple[str | None, int | None]:
    """The journal's name, as printed in running heads and imprints beside year and volume, and that year.

    It counts on the first page, or on two pages. `subject` and `author` are the file's own, `authors` those printed:
    they tell the journal from the authors in "Smith J Dose (2019) 3:1".
    """
    found: Counter = Counter()
    years: dict[str, int] = {}
    for page in pages:
        names = set()
        for match in _JOURNAL.finditer("\n".join(_edge_rows(page)).replace("\n", "\t")):
            name = _journal_name(match["name"], subject, [author, *authors])
            if name:
                names.add(name)
                year = next((value for key, value in match.groupdict().items() if key != "name" and value), None)
                if year:
                    years.setdefault(name, int(year))
        found.update(dict.fromkeys(names, 1 + (page.number == 1)))
    best = max(found, key=found.get, default=None)
    return (best, years.get(best)) if best and found[best] > 1 else (None, None)


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
    name = " ".join(text.strip(" ,;\t").split())
    words = name.split()
    if sum(c.isalpha() for c in name) < 3 or len(words) > 14 or _NO_JOURNAL.search(name):
        return None
    known = re.match(r"[^,;]+", subject)
    if known and name.endswith(f" {known[0]}"):
        return known[0]
    families = {author.split()[-1] for author in authors if author}
    while len(words) > 1 and (words[0] in families or words[0] == "and"):
        words = words[1:]
    abbreviated = any(word.endswith(".") for word in words[:-1])
    return " ".join(words) if abbreviated else " ".join(words).rstrip(".")


def printed_year(blocks: list[Block]) -> int | None:
    """The year of publication that the first page names: by a date of publication, else by the copyright."""
    texts = [block.text for block in blocks]
    dates = (match for pattern in (_PUBLISHED, _COPYRIGHT) for text in texts if (match := pattern.search(text)))
    found = next(dates, None)
    return int(found["year"]) if found else None


def printed_fate(
    pages: list[PageContent], blocks: list[Block], title: str | None, style: Style
) -> tuple[str | None, str | None, dict[str, str], str | None]:
    """Type, status and notices of `Article`, and the DOI, which in a notice stands beside that of another article."""
    headings = [
        title or "",
        *(b.text for b in blocks if len(b.lines) == 1 and b.box.y1 < TITLE_REGION * pages[0].height),
    ]
    kind = next((found for heading in headings if (found := notice_type(heading))), None)
    if kind:
        own, others = split_dois(" ".join(_texts(pages[0])))
        return kind, None, dict.fromkeys(others, NOTICE_TYPES[kind]), own
    statuses = [title_status(heading) for heading in headings] + [own_status(block.text) for block in blocks]
    if pages and _watermark(pages[0], style):
        statuses.append(RETRACTED)
    return None, gravest(statuses), {}, printed_doi(pages)


def _watermark(page: PageContent, style: Style) -> bool:
    """Whether RETRACTED is written over the page, which its slant breaks into single letters."""
    large = "".join(line.text for line in page.lines if line.size >= WATERMARK_MIN_SIZE * style.size)
    return "RETRACTED" in re.sub(r"\W", "", large)


def printed_doi(pages: list[PageContent]) -> str | None:
    """The first DOI that the first two pages print, those of data sets left out; lower case."""
    found = (doi for page in pages[:2] for line in page.lines for doi in dois(line.text))
    return next((doi for doi in found if not doi.startswith(DATA_REPOSITORIES)), None)


def printed_pmcid(pages: list[PageContent]) -> str | None:
    """The PMCID printed on the first page."""
    found = [match for page in pages[:1] for line in page.lines if (match := PMCID.search(line.text))]
    return found[0][1] if found else None


def printed_license(pages: list[PageContent]) -> str | None:
    """The licence under which the article says it is published, as `dataset_builder.licenses` writes it."""
    named = (page for page in pages if LICENCE_LETTERS.search(_squeezed("".join(line.text for line in page.lines))))
    statements = [part for page in named for part in _licence_statements(join_lines(_texts(page)))]
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
