"""Lists of references leave the XML ahead of the parser, but for those in which anything is read."""

import pytest

from dataset_builder.readers.article import REPAIRED
from dataset_builder.readers.jats.references import without_references
from tests.dataset_builder.readers.jats.articles import article, context, fig, xref

LEAVES = {
    "references": "<ref-list><ref><mixed-citation>Smith, 2010</mixed-citation></ref></ref-list>",
    "with attributes and a title": '<ref-list id="r" specific-use="x">\n<title>References</title></ref-list>',
    "processing instructions": "<ref-list><?page 3?><ref/></ref-list>",
}
STAYS = {
    "a figure": "<ref-list><fig/></ref-list>",
    "a graphic": "<ref-list><p><graphic/></p></ref-list>",
    "a list in a list": "<ref-list><ref-list><ref/></ref-list></ref-list>",
    "a supplement": "<ref-list><supplementary-material/></ref-list>",
    "a related article": '<ref-list><related-article related-article-type="retracted-article"/></ref-list>',
    "a comment": "<ref-list><!-- </ref-list> --><ref/></ref-list>",
    "CDATA": "<ref-list><![CDATA[</ref-list>]]></ref-list>",
    "comments around text": "<p><!-- <ref-list> -->text<!-- </ref-list> --></p>",
    "no end": "<ref-list><ref/>",
    "another element": "<ref-lists><ref/></ref-lists>",
}


@pytest.mark.parametrize("references", LEAVES.values(), ids=LEAVES)
def test_leaves(references):
    xml = f"<back>{references} <ack/>{references}</back>".encode()
    assert without_references(xml) == b"<back><ref-list/> <ack/><ref-list/></back>"


@pytest.mark.parametrize("references", STAYS.values(), ids=STAYS)
def test_stays(references):
    xml = f"<back>{references}<ack/></back>".encode()
    assert without_references(xml) == xml


def test_a_list_that_stays_keeps_no_other_from_leaving():
    xml = b"<back><ref-list><fig/></ref-list><ref-list><ref/></ref-list></back>"
    assert without_references(xml) == b"<back><ref-list><fig/></ref-list><ref-list/></back>"


@pytest.mark.parametrize(("inside", "notes"), [("R&D <5", []), ("R&D <!-- x --> <5", [REPAIRED])])
def test_what_is_no_xml_in_a_list_that_leaves_needs_no_repair(read, inside, notes):
    references = f"<back><ref-list><ref>{inside}</ref></ref-list><ack><p>In {xref(1)}.</p></ack></back>"
    found = read(article(fig(1), rest=references))
    assert context(found) == ["In Figure 1."]
    assert found.notes == notes
