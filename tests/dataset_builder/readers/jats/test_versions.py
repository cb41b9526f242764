"""Which version of an article an XML says that it is."""

import pytest

from tests.dataset_builder.readers.jats.articles import article, fig

DATE = "<pub-date{}><day>{}</day><month>{}</month><year>{}</year></pub-date>"
SAID = {
    "nothing": ("", False, [], None),
    "a number": ("<article-version>2</article-version>", False, [2], None),
    "v and a number": ("<article-version>v1.3</article-version>", False, [1, 3], None),
    "several": (
        '<article-version-alternatives><article-version vocab-term="Version of Record">VoR</article-version>'
        "<article-version>10</article-version></article-version-alternatives>",
        False,
        [10],
        None,
    ),
    "of the identifier": ('<article-id pub-id-type="pmcid">PMC1234567.2</article-id>', False, [2], None),
    "no version of the identifier": ('<article-id pub-id-type="pmcid">PMC1234567</article-id>', False, [], None),
    "DOI": ('<article-id pub-id-type="doi">10.5555/1.2</article-id>', False, [], None),
    "accepted, by its term": ('<article-version vocab-term="AM">x</article-version>', True, [], None),
    "accepted, by its name": ("<article-version>Accepted Manuscript</article-version>", True, [], None),
    "of PMC's manuscripts": (DATE.format(' pub-type="nihms-submitted"', 1, 2, 2020), True, [], None),
    "printed": (DATE.format(' pub-type="p-pub"', 1, 2, 2020), False, [], "2020-02-01"),
    "dates": (
        DATE.format(' pub-type="epub"', 1, 2, 2020)
        + DATE.format(' pub-type="ppub"', 11, 12, 2020)
        + DATE.format(' pub-type="pmc-release"', 1, 1, 2022),
        False,
        [],
        "2020-12-11",
    ),
    "a year": ("<pub-date><year>2020</year></pub-date>", False, [], "2020-00-00"),
    "words": ("<article-version>Version of Record</article-version>", False, [], None),
}


@pytest.mark.parametrize(("meta", "manuscript", "number", "date"), SAID.values(), ids=SAID)
def test_what_the_metadata_say(read, meta, manuscript, number, date):
    assert read(article(fig(1), meta)).version == {"manuscript": manuscript, "number": number, "date": date}


def test_preprints(read):
    xml = article(fig(1)).replace("<article ", '<article article-type="preprint" ')
    assert read(xml).version["manuscript"]
