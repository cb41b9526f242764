"""Lists of references and tables leave the XML ahead of the parser, but for those in which anything is read."""

import pytest

from dataset_builder.readers.article import REPAIRED
from dataset_builder.readers.jats.unread import without_unread
from tests.dataset_builder.readers.jats.articles import article, context, fig, xref

LEAVES = {
    "references": "<ref-list><ref><mixed-citation>Smith, 2010</mixed-citation></ref></ref-list>",
    "with attributes and a title": '<ref-list id="r" specific-use="x">\n<title>References</title></ref-list>',
    "processing instructions": "<ref-list><?page 3?><ref/></ref-list>",
    "a sign in an attribute": '<ref-list specific-use="a>b"><ref/></ref-list>',
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
TABLE = "<table-wrap><table><td>1</td></table><table-wrap-foot><p>n</p></table-wrap-foot></table-wrap>"
TABLES_LEAVE = {
    "a table": TABLE,
    "behind a figure": f"<fig><caption/></fig>{TABLE}",
    "behind a group of figures": f'<fig-group><fig id="a"/><fig/></fig-group>{TABLE}{TABLE}',
    "in a group of tables": f"<table-wrap-group><label>1</label>{TABLE}{TABLE}</table-wrap-group>",
    "behind nested figures": f"<fig><fig><p/></fig><fig-group><fig/></fig-group></fig>{TABLE}",
    "behind the count of figures": f'<fig-count count="2"/>{TABLE}',
}
TABLES_STAY = {
    "in a figure": f"<fig>{TABLE}</fig>",
    "in a figure behind a table in none": f"{{}}<fig-group><caption/>{TABLE}</fig-group>",
    "in a figure behind one in it": f"<fig><fig><p/></fig>{TABLE}</fig>",
    "in a figure behind an empty one in it": f"<fig><fig id='a'/>{TABLE}</fig>",
    "in a group behind its figures": f"{{}}<fig-group><fig><p/></fig><fig><p/></fig>{TABLE}{TABLE}</fig-group>",
    "a figure in it": "<table-wrap><td><fig/></td></table-wrap>",
    "a picture in it": '<table-wrap id="t"><graphic/></table-wrap>',
    "a table in it": "<table-wrap><table-wrap><td/></table-wrap></table-wrap>",
}


@pytest.mark.parametrize("references", LEAVES.values(), ids=LEAVES)
def test_leaves(references):
    xml = f"<back>{references} <ack/>{references}</back>".encode()
    assert without_unread(xml) == b"<back><ref-list/> <ack/><ref-list/></back>"


@pytest.mark.parametrize("references", STAYS.values(), ids=STAYS)
def test_stays(references):
    xml = f"<back>{references}<ack/></back>".encode()
    assert without_unread(xml) == xml


@pytest.mark.parametrize("body", TABLES_LEAVE.values(), ids=TABLES_LEAVE)
def test_tables_leave(body):
    assert without_unread(body.encode()).decode() == body.replace(TABLE, "<table-wrap/>")


@pytest.mark.parametrize("body", TABLES_STAY.values(), ids=TABLES_STAY)
def test_tables_stay(body):
    assert without_unread(body.replace("{}", TABLE).encode()).decode() == body.replace("{}", "<table-wrap/>")


def test_a_list_that_stays_keeps_no_other_from_leaving():
    xml = b"<back><ref-list><fig/></ref-list><ref-list><ref/></ref-list></back>"
    assert without_unread(xml) == b"<back><ref-list><fig/></ref-list><ref-list/></back>"


@pytest.mark.parametrize(("inside", "notes"), [("R&D <5", []), ("R&D <!-- x --> <5", [REPAIRED])])
@pytest.mark.parametrize("tag", ["ref-list", "table-wrap"])
def test_what_is_no_xml_in_what_leaves_needs_no_repair(read, tag, inside, notes):
    rest = f"<back><{tag}><td>{inside}</td></{tag}><ack><p>In {xref(1)}.</p></ack></back>"
    found = read(article(fig(1), rest=rest))
    assert context(found) == ["In Figure 1."]
    assert found.notes == notes


def test_an_error_names_the_line_of_the_file(read):
    tables = "<table-wrap>\n\n</table-wrap>\n"
    whole = article(f"{tables}<p>\nText</p>{fig(1)}", rest="<back><ref-list>\n</ref-list></back>")
    cut_off = whole[: whole.index("xt</p>")]
    with pytest.raises(ValueError, match=rf"line {cut_off.count(chr(10)) + 1}\b"):
        read(cut_off)


def test_a_figure_has_the_rights_that_its_table_states(read):
    table = "<table-wrap><caption><p>Reprinted from [12] with permission of Elsevier.</p></caption></table-wrap>"
    inside, behind = read(article(fig(1, inside=table) + fig(2) + table)).figures
    assert "Elsevier" in inside.rights
    assert behind.rights is None
