"""Several articles in one file: where the numbers of the figures start anew."""

import re
from bisect import bisect_right
from difflib import SequenceMatcher

from dataset_builder.readers.pdf.layout.captions import Caption
from dataset_builder.readers.pdf.layout.lines import Line
from dataset_builder.readers.pdf.layout.sheets import Sheet

SAME_CAPTION_SHARE = 0.6  # of two captions' text that is alike where they are of one figure, printed twice
COMPARED_CHARS = 200  # of each
TITLE_MIN_CHARS = 10
TITLE_SIZE_SHARE = 0.9  # of the largest type on the first page: that of an article's title


def article_at(page: int, starts: list[int]) -> int:
    """Which of the file's articles a page belongs to, from 0."""
    return max(0, bisect_right(starts, page) - 1)


def article_starts(sheets: list[Sheet]) -> list[int]:
    """The pages on which articles start, the first of them 1.

    One starts where a number comes up again, over a picture and with a caption of its own, behind a larger number or
    behind a title.
    """
    starts = [1]
    titles = _title_pages(sheets)
    seen: dict[str, Caption] = {}
    for sheet in sheets:
        for caption in sheet.found:
            before = seen.get(caption.key)
            if before is not None and _is_another(before, caption):
                title = next((page for page in titles if before.page < page <= caption.page), None)
                if title is not None or any(_number(key) > _number(caption.key) for key in seen):
                    starts.append(title or caption.page)
                    seen = {}
            seen.setdefault(caption.key, caption)
    return starts


def _is_another(before: Caption, caption: Caption) -> bool:
    """Whether two captions with one number are of two figures."""
    if caption.page == before.page or caption.score < before.score or not caption.text or not before.text:
        return False
    if caption.goes_on_from or before.goes_on:
        return False
    texts = before.text[:COMPARED_CHARS], caption.text[:COMPARED_CHARS]
    return SequenceMatcher(None, *texts, autojunk=False).ratio() < SAME_CAPTION_SHARE


def _number(key: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", key)]


def _title_pages(sheets: list[Sheet]) -> list[int]:
    """The pages with a line as large as the title on the first one."""
    if not sheets:
        return []
    largest = max((line.size for line in _long_lines(sheets[0])), default=0.0)
    size = TITLE_SIZE_SHARE * largest
    found = [sheet for sheet in sheets if any(line.size > size for line in _long_lines(sheet))]
    return [sheet.page.number for sheet in found if size > sheet.style.size]


def _long_lines(sheet: Sheet) -> list[Line]:
    return [line for line in sheet.page.lines if len(line.text) >= TITLE_MIN_CHARS]
