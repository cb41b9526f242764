"""Lists of references and tables leave an article's XML before it is parsed: most of its elements, and none is read."""

import re

_REFERENCES, _TABLE = b"ref-list", b"table-wrap"
_COUNT = b"<fig-count"  # in the metadata: no figure
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
    start = data.find(start_tag)
    while start >= 0 and (end := data.find(end_tag, start)) >= 0:
        inside = start + len(start_tag)
        found = data[inside : inside + 1].strip() in (b"", b">")  # and not `<table-wrap-group>`
        is_read = _MORE.search(data, inside, end) or tag == _TABLE and _is_in_figure(data, position, start)
        if found and not is_read:
            kept += [data[position:start], empty]
            position = end + len(end_tag)
        start = data.find(start_tag, end if found else inside)
    return b"".join([*kept, data[position:]]) if kept else data


def _is_in_figure(data: bytes, outside: int, place: int) -> bool:
    """Whether the last tag of a figure ahead of the place is no end tag; `outside` is a place before it in none."""
    end_tag = data.rfind(b"</fig", outside, place)
    start_tag = data.rfind(b"<fig", max(outside, end_tag), place)
    return start_tag >= 0 and not data.startswith(_COUNT, start_tag)
