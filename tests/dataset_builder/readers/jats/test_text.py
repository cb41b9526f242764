"""Text: which sentences mention a figure, and the Markdown."""

import pytest

from tests.dataset_builder.readers.jats.articles import article, context, fig, xref

SENTENCES = {
    "by xref": (f"<p>We saw it. It is in {xref(1)}. Done.</p>", "It is in Figure 1."),
    "by words": ("<p>It is in <bold>Fig. 1</bold>B. Done.</p>", "It is in Fig. 1B."),
    "xref without number": (f"<p>It is (see {xref(1, 'the drawing')}).</p>", "It is (see the drawing)."),
    "inside bold": (f"<p>It is <bold>in {xref(1)}</bold>. Done.</p>", "It is in Figure 1."),
    "xref around bold": (f"<p>It is in {xref(1, '<bold>Fig.</bold> 1')}.</p>", "It is in Fig. 1."),
    "several ids": ('<p>Both <xref rid="F9 F1">here</xref> rose.</p>', "Both here rose."),
    "range over xrefs": (f"<p>Figs {xref(0, '0')}–{xref(3, '3')} show it.</p>", "Figs 0–3 show it."),
    "in a list": (f"<p>So:<list><list-item><p>In {xref(1)}.</p></list-item></list></p>", "In Figure 1."),
    "text behind a list": (f"<p><list/>As in {xref(1)}. Then.</p>", "As in Figure 1."),
    "around a floating figure": (f"<p>It is {fig(7)} in {xref(1)} here.</p>", "It is in Figure 1 here."),
    "not cut at an abbreviation": (f"<p>Wu et al. [3] saw ca. 3 in {xref(1, 'Fig. 1')}, e.g. E. coli.</p>", None),
    "in a box": (f"<boxed-text><p>In {xref(1)}.</p></boxed-text>", "In Figure 1."),
    "a citation raised behind the mention": ("<p>It is in Figure 1<sup>2</sup>.</p>", "It is in Figure 1^2."),
    "raised behind the link": (f"<p>In {xref(1)}<sup>3,5</sup>, too.</p>", "In Figure 1^3,5, too."),
    "raised inside a link": ('<p>In Fig. 1<xref ref-type="bibr"><sup>3</sup></xref>.</p>', "In Fig. 1^3."),
    "a link inside what is raised": ('<p>In Fig. 1b<sup><xref ref-type="bibr">3</xref></sup>.</p>', "In Fig. 1b^3."),
    "raised by the style sheet": ('<p>In Fig. 1<xref ref-type="bibr">3</xref>.</p>', "In Fig. 1^3."),
    "a citation with a space before it": ('<p>In Fig. 1 <xref ref-type="bibr">3</xref>.</p>', "In Fig. 1 3."),
    "several citations": (
        f"<p>In {xref(1)}, so<sup>12</sup><sup>13</sup>.</p>",
        "In Figure 1, so1213.",
    ),
    "white space around": (f"<p>\n  One. \n  In \n\t {xref(1)}\u200b \u00a0so.\n Last.</p>", "In Figure 1 so."),
    "at a sentence's start": (f"<p>Before it. {xref(1)} shows it. After.</p>", "Figure 1 shows it."),
    "at the paragraph's start": (f"<p>\n {xref(1, 'So')} it is. After.</p>", "So it is."),
    "in a sentence between two others": (
        f"<p>In {xref(0, 'one')}. <italic>In {xref(1, 'two')}</italic>. In {xref(3, 'three')}.</p>",
        "In two.",
    ),
    "behind the character that marks places": (f"<p>A. In \ufdd0\ufdd0 {xref(1, 'two')}. C.</p>", "In two."),
    "line breaks": (
        f"<p>Seen<break/>in {xref(1)}<break/>and <bold>so<break/>on</bold>.</p>",
        "Seen in Figure 1 and so on.",
    ),
}


@pytest.mark.parametrize(("body", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_context(read, body, sentence):
    sentence = sentence or "Wu et al. [3] saw ca. 3 in Fig. 1, e.g. E. coli."
    assert context(read(article(body + fig(0) + fig(1) + fig(3)))) == [sentence]


@pytest.mark.parametrize(
    "body",
    [
        "<sec><title>About Figure 1</title><p>Nothing.</p></sec>",
        f"<table-wrap><caption><p>See {xref(1)}.</p></caption><table><td>{xref(1)}</td></table></table-wrap>",
        f"<p>Text<fn><p>See {xref(1)}.</p></fn>.</p>",
        "<p>See Fig. 1 in [12].</p>",
        fig(2, f"<p>As in {xref(1)}.</p>"),
    ],
)
def test_no_context(read, body):
    assert context(read(article(body + fig(1)))) == []


EN, ES = f"<p{{}}>In English, {xref(1)}.</p>", f"<p{{}}>En español, {xref(1, 'Figura 1')}.</p>"
LANG_EN, LANG_ES, LANG_GB = ' xml:lang="en"', ' xml:lang="es"', ' xml:lang="en-GB"'
IN_ENGLISH, IN_SPANISH = "In English, Figure 1.", "En español, Figura 1."
ALTERNATIVES = {  # of an article in English -> what is read
    "its language last": (ES.format(LANG_ES) + EN.format(LANG_EN), [IN_ENGLISH]),
    "its language first": (EN.format(LANG_EN) + ES.format(LANG_ES), [IN_ENGLISH]),
    "a kind of its language": (ES.format(LANG_ES) + EN.format(LANG_GB), [IN_ENGLISH]),
    "no language stated": (EN.format("") + ES.format(""), [IN_ENGLISH]),
    "another language stated": (EN.format("") + ES.format(LANG_ES), [IN_ENGLISH]),
    "none of its language": (ES.format(LANG_ES) + ES.format(' xml:lang="ca"'), [IN_SPANISH]),
    "boxes": (
        f"<boxed-text{LANG_ES}>{ES.format('')}</boxed-text><boxed-text{LANG_EN}>{EN.format('')}</boxed-text>",
        [IN_ENGLISH],
    ),
    "one alone": (ES.format(LANG_ES), [IN_SPANISH]),
    "of two kinds": (EN.format("") + f"<media/><boxed-text>{ES.format('')}</boxed-text>", [IN_ENGLISH, IN_SPANISH]),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(("inside", "expected"), ALTERNATIVES.values(), ids=ALTERNATIVES)
def test_of_alternatives_one_is_read(read, inside, expected, encoding):
    xml = article(f"<block-alternatives>{inside}</block-alternatives>" + fig(1))
    found = read(xml.encode(encoding))
    assert context(found) == expected
    assert [sentence in found.markdown for sentence in (IN_ENGLISH, IN_SPANISH)] == [
        sentence in expected for sentence in (IN_ENGLISH, IN_SPANISH)
    ]


WRAPPERS = {  # everything that is not known to hold no running text is read
    "TaxPub": "<tp:taxon-treatment><tp:treatment-sec><title>Habitat</title><p>{}</p></tp:treatment-sec>"
    "</tp:taxon-treatment>",
    "TaxPub, line": "<tp:taxon-treatment><tp:nomenclature><tp:taxon-name>X y</tp:taxon-name> {}"
    "</tp:nomenclature></tp:taxon-treatment>",
    "question": "<question-wrap><question><label>1</label><p>{}</p></question><answer/></question-wrap>",
    "answer": "<question-wrap-group><question-wrap><answer-set><answer><p>{}</p></answer></answer-set></question-wrap>"
    "</question-wrap-group>",
    "alternatives": "<block-alternatives><graphic/><boxed-text><p>{}</p></boxed-text></block-alternatives>",
    "verse": "<verse-group><title>V</title><verse-line>Red.</verse-line><verse-line>{}</verse-line></verse-group>",
    "unknown": "<whatever><more><p>{}</p></more></whatever>",
    "unknown in a paragraph": "<p>Before. <whatever><p>{}</p></whatever> After.</p>",
    "text in no paragraph": "<sec><title>T</title>{}</sec>",
    "definition": "<def-list><def-item><term>T</term><def><p>{}</p></def></def-item></def-list>",
    "quotation": "<disp-quote><p>{}</p><attrib>Somebody</attrib></disp-quote>",
    "notes": "</body><back><notes><title>Added in proof</title><p>{}</p></notes></back><body>",
    "acknowledgements": "</body><back><ack><p>{}</p></ack></back><body>",
    "a box among the floats": "</body><floats-group><boxed-text><p>{}</p></boxed-text></floats-group><body>",
}


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
def test_text_is_read_whatever_is_around_it(read, wrapper):
    xml = article("<p>First.</p>" + wrapper.format(f"The dose is steep ({xref(1)}).") + fig(1))
    found = read(xml.replace("<article ", '<article xmlns:tp="http://www.plazi.org/taxpub" '))
    assert len(context(found)) == 1
    assert context(found)[0].endswith("The dose is steep (Figure 1).")
    assert found.markdown.count("The dose is steep") == 1


def test_words_of_a_line_stay_whole(read):
    """An unknown element may stand inside a word; what stands in a line of its own does not."""
    body = "<p>A <whatever>mono</whatever>clonal <tp:name>Aus</tp:name>.</p><verse-group><verse-line>One</verse-line>"
    body += "<verse-line>two</verse-line></verse-group>"
    xml = article(body).replace("<article ", '<article xmlns:tp="http://www.plazi.org/taxpub" ')
    assert read(xml).markdown == "A monoclonal Aus.\n\nOne two\n"


NO_TEXT = [
    "<ref-list><ref><mixed-citation>{}</mixed-citation></ref></ref-list>",
    "<whatever><mixed-citation>{}</mixed-citation><p>Nothing.</p></whatever>",
    "<fn-group><fn><p>{}</p></fn></fn-group>",
    "<whatever><label>{}</label><p>Nothing.</p></whatever>",
    "<whatever><table-wrap><table><td><p>{}</p></td></table></table-wrap></whatever>",
    "<sec><sec-meta><abstract><p>{}</p></abstract></sec-meta><p>Nothing.</p></sec>",
    "<graphic><alt-text>{}</alt-text></graphic>",
    "<code>{}</code>",
]


@pytest.mark.parametrize("wrapper", NO_TEXT)
def test_what_is_known_to_hold_no_running_text_is_not_read(read, wrapper):
    assert context(read(article(wrapper.format(f"See {xref(1)}.") + fig(1)))) == []


def test_figures_of_a_group_in_a_paragraph_stand_in_the_markdown_once(read):
    found = read(article(f"<p>Before <fig-group>{fig(1)}{fig(2)}</fig-group> and behind.</p>"))
    assert found.markdown == "Before and behind.\n\n**Figure 1.** Dose.\n\n**Figure 2.** Dose.\n"


def test_context_is_in_reading_order_without_duplicates(read):
    body = f"<p>First {xref(1)}. Then {xref(1)}, {xref(1)}.</p>" + fig(1) + f"<p>First {xref(1)}. Last: Fig 1.</p>"
    assert context(read(article(body))) == ["First Figure 1.", "Then Figure 1, Figure 1.", "Last: Fig 1."]


def test_abstracts_are_no_context(read):
    assert context(read(article(fig(1), meta=f"<abstract><p>See {xref(1)}.</p></abstract>"))) == []


def test_series_do_not_mix(read):
    body = "<p>See Chart 1.</p><p>See Scheme 1.</p><p>See Figure S1.</p><p>See Figure 1.</p>"
    body += fig(1) + fig(2, label="Chart 1") + fig(3, label="Scheme 1") + fig(4, label="Fig. S1")
    found = read(article(body))
    assert [f.context for f in found.figures] == [
        ["See Figure 1."],
        ["See Chart 1."],
        ["See Scheme 1."],
        ["See Figure S1."],
    ]


SERIES = {  # label, sentence that mentions it in words alone
    "Figures 1–3": "As Fig. 2 shows.",
    "Figure EV1": "As in Figs 4 and EV1.",
    "Extended Data Fig. 1": "See Extended Data Figs 1–3.",
    "Figure 2—figure supplement 1.": "See Figure 2—figure supplements 1 and 2.",
    "Box 1—figure 2": "See Box 1—figure 2.",
    "Abb. 2": "Das zeigen Abb. 2a und 3.",
    "Figura 3": "Véanse las figs. 2 a 4.",
    "Figura 2": "Como mostram as Figuras 1 e 2.",
    "Fig. 1": "Si vedano le figg. 1 e 2.",
    "Рис. 3": "Это видно на рис. 2, 3.",
    "Мал. 1": "Це видно на малюнку 1.",
    "图2": "如图2A、B所示。",
    "図3": "図2–4に示す。",
    "图1 Fig.1": "见图1和图2。",
}


@pytest.mark.parametrize(("label", "sentence"), SERIES.items())
def test_figures_are_found_by_words_in_every_language_and_series(read, label, sentence):
    found = read(article(f"<p>{sentence}</p>{fig(1, label=label)}{fig(9)}")).figures
    assert [(f.label, f.context) for f in found] == [(label.rstrip("."), [sentence]), ("Figure 9", [])]


def test_markdown(read):
    body = f"<sec><title>Results</title><p>See {xref(1)}.</p>{fig(1)}<sec><title>Dose</title>"
    body += "<list><list-item><p>One</p></list-item></list></sec></sec>"
    meta = "<title-group><article-title>Title</article-title></title-group><abstract><p>Short.</p></abstract>"
    assert read(article(body, meta)).markdown == (
        "# Title\n\n## Abstract\n\nShort.\n\n## Results\n\nSee Figure 1.\n\n**Figure 1.** Dose.\n\n### Dose\n\n- One\n"
    )
