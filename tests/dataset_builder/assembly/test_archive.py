"""What an archive says of an article: its licence where the article is silent, retraction and removal always."""

import pytest

from dataset_builder.assembly.archive import ArchiveSays, archives_of, license_and_notes


def said(license: str | None, may_redistribute: bool | None = None, status: str | None = None) -> ArchiveSays:
    return ArchiveSays("pmc", "2026-11-27", license, may_redistribute, status)


@pytest.mark.parametrize(
    ("stated", "archive", "license", "notes"),
    [
        ("CC-BY-4.0", None, "CC-BY-4.0", 0),
        ("CC-BY-4.0", said("CC-BY"), "CC-BY-4.0", 0),
        ("CC-BY", said("CC-BY"), "CC-BY", 0),
        ("CC0-1.0", said("CC0-1.0"), "CC0-1.0", 0),
        ("CC-BY-4.0", said(None), "CC-BY-4.0", 0),
        (None, said("CC-BY-NC"), "CC-BY-NC", 1),
        (None, said(None), None, 0),
        ("CC-BY-4.0", said("CC-BY-NC"), "CC-BY-4.0", 1),
        ("CC-BY-NC-4.0", said("CC-BY"), "CC-BY-NC-4.0", 1),
        ("CC-BY-4.0", said(None, may_redistribute=False), None, 1),
        (None, said(None, may_redistribute=False), None, 0),
    ],
)
def test_the_article_goes_first_and_disagreement_is_noted(stated, archive, license, notes):
    found, noted = license_and_notes(stated, archive)
    assert found == license
    assert len(noted) == notes


def test_where_articles_come_from():
    assert archives_of([]) is None
    assert archives_of([ArchiveSays("zotero", "2026-11-27", None, None, None)]) is None
    both = [said("CC-BY"), ArchiveSays("europepmc", "2026-11-01", None, None, None)]
    assert archives_of(both) == {"articles": {"pmc": 1, "europepmc": 1}, "listed": ["2026-11-01", "2026-11-27"]}
