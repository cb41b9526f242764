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
