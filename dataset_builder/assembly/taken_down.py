"""Articles on the list of `ldrt retract` whose files are still there, or there again: their records are emptied."""

from collections.abc import Sequence

from dataset_builder.assembly.articles import Head
from dataset_builder.extraction.records import empty_record, read_record
from dataset_builder.retracted import TAKEN_DOWN, Retracted


def leave_marks(files: Sequence[Head], article_id: str, retracted: Retracted) -> bool:
    """Whether the article of these files is on the list; if so, of their records only a mark stays."""
    names = {name for head in files for name in head.names}
    digests = {head.digest for head in files if not head.error or head.error == TAKEN_DOWN}
    if not retracted.has_article(article_id, names, digests):
        return False
    for head in files:
        if not head.error:
            empty_record(head.record, read_record(head.record))
    return True
