"""Lists of references and tables leave an article's XML before it is parsed: most of its elements, and none is read."""

import re

_REFERENCES, _TABLE = b"ref-list", b"table-wrap"
_FIGURE = re.compile(rb"fig(?:-group)?(?=[\s/>])[^<>]*>")  # begins with letters: faster to find than each "<"
_MORE = re.compile(  # what they may hold that is read; and comments, CDATA, which may hide where they end
    rb"<(?:!|fig|graphic|ref-list|related-article|response|sub-article|supplementary-material|table-wrap[\s>])"
)


def without_unread(data: bytes) -> bytes:
    """XML (in an encoding that shares ASCII) with `<ref-list/>` for each list of references that holds nothing else.

    So with `<table-wrap>`, but for those in figures, whose rights they may state. What is no XML in there is no matter
    then: it needs no repair.
    """
    return _emptied(_emptied(data, _REFERENCES), _TABLE)


def _emptied(data: bytes, tag: bytes) -> bytes:
    """The same for the elements of one tag."""
    start_tag, end_tag, empty = b"<" + tag, b"</%s>" % tag, b"<%s/>" % tag
    kept, position = [], 0
    figures = _figures(data) if tag == _TABLE else []
    start = data.find(start_tag)
    while start >= 0 and (end := data.find(end_tag, start)) >= 0:
        inside = start + len(start_tag)
        found = data[inside : inside + 1].strip() in (b"", b">")  # and not `<table-wrap-group>`
        is_read = _MORE.search(data, inside, end) or any(first < start < last for first, last in figures)
        if found and not is_read:
            kept += [data[position:start], empty]
            position = end + len(end_tag)
        start = data.find(start_tag, end if found else inside)
    return b"".join([*kept, data[position:]]) if kept else data


def _figures(data: bytes) -> list[tuple[int, int]]:
    """(start, end) of each figure and group of figures that stands in no other one, up to the last table."""
    figures: list[tuple[int, int]] = []
    depth, first = 0, 0
    for tag in _FIGURE.finditer(data, 0, data.rfind(b"<" + _TABLE)):
        before = data[max(0, tag.start() - 2) : tag.start()]
        is_end = before == b"</"
        if not (is_end or before.endswith(b"<")) or tag.group().endswith(b"/>"):
            continue
        first = tag.start() if depth == 0 else first
        depth = max(0, depth - 1) if is_end else depth + 1
        if depth == 0:
            figures.append((first, tag.start()))
    return [*figures, (first, len(data))] if depth else figures
