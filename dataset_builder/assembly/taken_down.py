"""What is on the list of `ldrt retract` and whose files are still there, or there again: records are emptied."""

from collections.abc import Iterable, Sequence
from pathlib import Path

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


def remove_pictures(dataset: Path, image_paths: Iterable[str | None]) -> None:
    """Remove the pictures of single figures, their thumbnails and pages; the records that name them stay."""
    for image_path in filter(None, image_paths):
        picture = dataset / image_path
        for path in picture.parent.glob(f"{picture.stem}.*"):
            path.unlink()
