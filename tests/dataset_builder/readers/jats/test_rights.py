"""Rights of single figures in JATS: markup, groups, captions; and the article's own, repeated at every figure."""

import pytest

from dataset_builder.readers.jats.reader import read_jats

BY = "https://creativecommons.org/licenses/by/4.0/"
NC = "https://creativecommons.org/licenses/by-nc/4.0/"
OWN = f"""<copyright-statement>© 2020 The Publisher Ltd.</copyright-statement><copyright-year>2020</copyright-year>
<copyright-holder>The Publisher Ltd.</copyright-holder>
<license xlink:href="{BY}"><license-p>Open access under CC BY 4.0.</license-p></license>"""


def permissions(inside):
    return f"<permissions>{inside}</permissions>"


def licensed(address, text="Open."):
    return f'<license xlink:href="{address}"><license-p>{text}</license-p></license>'


def figure(inside="", caption="The knee of a mouse.", behind=""):
    return f"""<fig id="f1"><label>Figure 1</label><caption><p>{caption}</p>{inside}</caption>{behind}
    <graphic xlink:href="f1"/></fig>"""


def read(tmp_path, body, own=OWN):
    path = tmp_path / "a.xml"
    names = (
        "<contrib contrib-type='author'><name><surname>Smith</surname><given-names>Jane</given-names></name></contrib>"
    )
    path.write_text(f"""<article xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta>
    <contrib-group>{names}</contrib-group>{permissions(own)}</article-meta></front><body>{body}</body></article>""")
    return [(figure.license, figure.rights) for figure in read_jats(path).figures]


OTHERS = {
    figure(behind="<attrib>Reprinted with permission of Elsevier</attrib>"): (
        None,
        "Reprinted with permission of Elsevier",
    ),
    figure("<attrib>Photo courtesy of the museum</attrib>"): (None, "Photo courtesy of the museum"),
    figure(behind=permissions(licensed(NC, "CC BY-NC"))): ("CC-BY-NC-4.0", "CC BY-NC"),
    figure(
        behind=permissions(f"<license><license-p>Under <ext-link xlink:href='{NC}'>CC</ext-link></license-p></license>")
    ): (
        "CC-BY-NC-4.0",
        "Under CC",
    ),
    figure(behind=permissions("<copyright-statement>© 2011 A House.</copyright-statement>")): (None, "© 2011 A House."),
    figure(behind=permissions("<copyright-holder>A House</copyright-holder>")): (None, "A House"),
    figure(behind=permissions(f"<copyright-holder>A House</copyright-holder>{licensed(BY)}")): (
        "CC-BY-4.0",
        "A House Open.",
    ),
    figure(behind=permissions("<license><license-p>All rights reserved.</license-p></license>")): (
        None,
        "All rights reserved.",
    ),
    figure(
        behind=permissions("<license><license-p>Not covered by the licence of the article.</license-p></license>")
    ): (
        None,
        "Not covered by the licence of the article.",
    ),
    figure(caption="The knee. Reprinted from [12]."): (None, "Reprinted from [12]."),
    figure(caption="The knee. Reprinted from [12].", behind=permissions(OWN)): (None, "Reprinted from [12]."),
    figure(caption="The knee. Adapted from [12] under CC BY-NC 4.0."): (
        "CC-BY-NC-4.0",
        "Adapted from [12] under CC BY-NC 4.0.",
    ),
    f"<fig-group>{permissions('<copyright-statement>© 2011 A House.</copyright-statement>')}{figure()}</fig-group>": (
        None,
        "© 2011 A House.",
    ),
    f"<fig-group><caption><title>All</title></caption>{figure()}<attrib>Reprinted from [3].</attrib></fig-group>": (
        None,
        "Reprinted from [3].",
    ),
    """<fig id="f1"><label>Figure 1</label><caption><p>The knee.</p></caption><graphic xlink:href="f1"><permissions>
    <copyright-statement>© 2011 A House.</copyright-statement></permissions></graphic></fig>""": (
        None,
        "© 2011 A House.",
    ),
}
ARTICLES = [
    figure(),
    figure(behind=permissions(OWN)),
    figure(behind=permissions(licensed(BY))),
    figure(behind=permissions(f"<copyright-statement>© 2020 The Authors.</copyright-statement>{licensed(BY)}")),
    figure(behind=permissions("<copyright-statement>© 2020 The Author(s)</copyright-statement>")),
    figure(behind=permissions("<copyright-statement>Copyright © 2020 Smith.</copyright-statement>")),
    figure(behind=permissions("<copyright-statement>© 2020 The Publisher Ltd.</copyright-statement>")),
    figure(behind="<attrib>Fonte: os autores (2020).</attrib>"),
    figure(behind="<attrib>Abbreviations: Gy, gray; adapted doses.</attrib>"),
    figure(behind=permissions("")),
    figure(caption="The knee. © 2020 The Publisher Ltd."),
]


UNKNOWN = "https://publisher.example.org/terms"
MINING = f"<license specific-use='textmining' xlink:href='{BY}'/>"
ELSEWHERE = {  # behind or in the caption: words
    "<attrib>Wiley</attrib>": "Wiley",
    "<attrib>Source: Getty Images</attrib>": "Source: Getty Images",
    "<attrib>Reuters/Tom Jones</attrib>": "Reuters/Tom Jones",
    "<attrib>Photo: Tom Jones.</attrib>": "Photo: Tom Jones.",
    "<attrib>National Museum of Health</attrib>": "National Museum of Health",
    "<alt-text>The knee. Reprinted with permission of A House.</alt-text>": "Reprinted with permission of A House.",
    "<long-desc>Reprinted from [12].</long-desc>": "Reprinted from [12].",
    "<fn><p>Scale bar, 5 mm.</p><p>Reprinted from [12].</p></fn>": "Reprinted from [12].",
    "<p>Reprinted from [<xref>12</xref>].</p>": "Reprinted from [12].",
    "<notes><p>© 2011 A House.</p></notes>": "© 2011 A House.",
    "<subtitle>Reprinted from [12].</subtitle>": "Reprinted from [12].",
    "<ext-link>Reproduced with permission of A House</ext-link>": "Reproduced with permission of A House",
    "<graphic xlink:href='f1'><alt-text>© 2011 A House.</alt-text></graphic>": "© 2011 A House.",
    "<unheard-of>Reprinted from [12].</unheard-of>": "Reprinted from [12].",
    permissions("<license license-type='all-rights-reserved'/>"): "all-rights-reserved",
    permissions("<license license-type='restricted'/>"): "restricted",
    permissions(f"<license xlink:href='{UNKNOWN}'/>"): "publisher.example.org/terms",
    permissions(f"<license xlink:href='{UNKNOWN}'><license-p>Terms.</license-p></license>"): "Terms.",
    permissions(f"<license license-type='restricted'/>{licensed(BY)}"): "Open.",
    permissions(f"<copyright-holder>A House</copyright-holder>{MINING}"): "A House",
}
NOTHING = [
    "<attrib>Jane Smith</attrib>",
    "<attrib>The authors</attrib>",
    "<attrib>Source: own elaboration.</attrib>",
    "<attrib>* p &lt; 0.05</attrib>",
    "<alt-text>Photograph of the knee of a mouse; Image: left, before.</alt-text>",
    "<fn><p>Values are means; adapted mice.</p></fn>",
    "<object-id>10.1/Elsevier</object-id>",
    permissions("<license license-type='open-access'/>"),
    permissions("<license license-type='CC-BY'/>"),
    permissions(f"<license specific-use='textmining' xlink:href='{NC}'/>"),
]


@pytest.mark.parametrize(("part", "words"), ELSEWHERE.items())
def test_rights_wherever_a_figure_states_them(part, words, tmp_path):
    assert read(tmp_path, figure(behind=part)) == [(None, words)]


@pytest.mark.parametrize("part", NOTHING)
def test_what_else_a_figure_holds_says_nothing_of_rights(part, tmp_path):
    assert read(tmp_path, figure(behind=part)) == [(None, None)]


def test_a_licence_behind_a_link_of_the_caption(tmp_path):
    link = f"<ext-link xlink:href='{NC}'>the licence</ext-link>"
    [(license, words)] = read(tmp_path, figure(caption=f"The knee. Adapted from [12] under {link}."))
    assert license == "CC-BY-NC-4.0"
    assert words.startswith("Adapted from [12] under the licence")


def test_a_note_in_the_caption(tmp_path):
    note = "<fn><p>From Miller et al. [3].</p></fn>"
    assert read(tmp_path, figure(caption=f"The knee, by week.{note}")) == [(None, "From Miller et al. [3].")]


def test_a_panel_that_states_rights(tmp_path):
    panels = "".join(
        f"<fig-panel><label>{letter}</label><caption><p>{text}</p></caption></fig-panel>"
        for letter, text in (("A", "Before."), ("B", "Reprinted from [12]."))
    )
    assert read(tmp_path, figure(behind=panels)) == [(None, "Reprinted from [12].")]


@pytest.mark.parametrize(
    "part",
    [
        "<caption><p>All. Reprinted from [12].</p></caption>",
        "<notes><p>Reprinted from [12].</p></notes>",
        "<label>Figure 1</label><caption><p>All. Reprinted from [12].</p></caption>",
    ],
)
def test_what_a_group_says_holds_for_each_of_its_figures(part, tmp_path):
    other = figure().replace("f1", "f2").replace("Figure 1", "Figure 2")
    found = read(tmp_path, f"<fig-group>{part}{figure()}{other}</fig-group>")
    assert set(found) == {(None, "Reprinted from [12].")}


def test_the_articles_own_terms_repeated(tmp_path):
    own = f"<license license-type='house' xlink:href='{UNKNOWN}'><license-p>Terms.</license-p></license>"
    assert read(tmp_path, figure(behind=permissions(own)), own) == [(None, None)]
    other = own.replace("terms", "other")
    assert read(tmp_path, figure(behind=permissions(other)), own) == [(None, "Terms.")]


def test_a_licence_for_text_mining_is_not_the_articles(tmp_path):
    path = tmp_path / "a.xml"
    mining = f"<license specific-use='text-mining' xlink:href='{BY}'/>"
    path.write_text(f"""<article xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta>
    {permissions(mining)}</article-meta></front><body>{figure()}</body></article>""")
    assert read_jats(path).license is None


@pytest.mark.parametrize(("body", "stated"), OTHERS.items())
def test_a_figure_with_rights_of_its_own(body, stated, tmp_path):
    assert read(tmp_path, body) == [stated]


@pytest.mark.parametrize("body", ARTICLES)
def test_the_articles_own_rights_repeated(body, tmp_path):
    assert read(tmp_path, body) == [(None, None)]


def test_the_articles_reserved_rights_repeated(tmp_path):
    reserved = "<copyright-statement>© 2020 A House. All rights reserved.</copyright-statement>"
    assert read(tmp_path, figure(behind=permissions(reserved)), reserved) == [(None, None)]


def test_only_the_figure_that_states_rights_has_them(tmp_path):
    other = figure().replace("f1", "f2").replace("Figure 1", "Figure 2")
    assert read(tmp_path, figure(caption="Reprinted from [3].") + other) == [
        (None, "Reprinted from [3]."),
        (None, None),
    ]


HOUSE = permissions("<copyright-statement>© 2011 A House.</copyright-statement>")
SECOND = figure().replace("f1", "f2").replace("Figure 1", "Figure 2")


@pytest.mark.parametrize(
    "around",
    [
        f"<table-wrap><label>Table 1</label>{HOUSE}<table><td>{{}}</td></table></table-wrap>",
        f"<table-wrap><table><td>{{}}</td></table><table-wrap-foot>{HOUSE}</table-wrap-foot></table-wrap>",
        f"<boxed-text>{HOUSE}<p>{{}}</p></boxed-text>",
        f"<fig><label>Figure 3</label><fig><label>Table 1</label>{HOUSE}{{}}</fig></fig>",
    ],
)
def test_rights_of_a_table_or_a_box_around_a_figure(around, tmp_path):
    found = read(tmp_path, around.replace("{}", figure()) + SECOND)
    assert (None, "© 2011 A House.") in found
    assert found[-1] == (None, None)


@pytest.mark.parametrize("table", [f"<table-wrap>{HOUSE}<table/></table-wrap>", f"<fig>{HOUSE}</fig>"])
def test_rights_of_a_table_behind_a_figure_in_a_figure(table, tmp_path):
    inside = figure(behind=f"{SECOND}{table}")
    assert read(tmp_path, inside) == [(None, "© 2011 A House."), (None, None)]
