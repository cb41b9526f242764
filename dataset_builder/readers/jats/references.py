"""Lists of references leave an article's XML before it is parsed: half of its elements, and nothing of them is read."""

import re

_START, _END, _EMPTY = b"<ref-list", b"</ref-list>", b"<ref-list/>"
_MORE = re.compile(  # what a list may hold that is read; and comments, CDATA, which may hide where a list ends
    rb"<(?:!|fig|graphic|ref-list|related-article|response|sub-article|supplementary-material)"
)


def without_references(data: bytes) -> bytes:
    """XML (in an encoding that shares ASCII) with `<ref-list/>` for each list of references that holds nothing else.

    What is no XML in such a list is no matter then: it needs no repair.
    """
    kept, position = [], 0
    start = data.find(_START)
    while start >= 0 and (end := data.find(_END, start)) >= 0:
        end += len(_END)
        if not _MORE.search(data, start + len(_START), end):
            kept += [data[position:start], _EMPTY]
            position = end
        start = data.find(_START, end)
    return b"".join([*kept, data[position:]]) if kept else data
