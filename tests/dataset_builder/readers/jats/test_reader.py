"""JATS articles -> figures, captions, context sentences and metadata."""

import csv
import os
import re
import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dataset_builder.articles.packages import find_packages
from dataset_builder.readers.jats.reader import read_jats
from dataset_builder.readers.pictures import images
from tests.dataset_builder.readers.paper import image_of

NAMESPACES = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML"'


def fig(n, caption="<p>Dose.</p>", href=None, label=None, inside=""):
    label = f"Figure {n}" if label is None else label
    return (
        f'<fig id="F{n}"><label>{label}</label><caption>{caption}</caption>'
        f'<graphic xlink:href="{href or f"f{n}.png"}"/>{inside}</fig>'
    )


def xref(n, text=None):
    return f'<xref ref-type="fig" rid="F{n}">{text or f"Figure {n}"}</xref>'


def article(body="", meta="", prolog="", rest="", journal=""):
    front = f"<front><journal-meta>{journal}</journal-meta><article-meta>{meta}</article-meta></front>"
    return f'{prolog}<article {NAMESPACES} xml:lang="EN">{front}<body>{body}</body>{rest}</article>'


@pytest.fixture
def read(tmp_path):
    def read(xml: str | bytes, pictures=None):
        path = tmp_path / "x.xml"
        path.write_bytes(xml if isinstance(xml, bytes) else xml.encode())
        return read_jats(path, pictures)

    return read


def context(article, label="Figure 1"):
    return next(f.context for f in article.figures if f.label == label)


# ---- where figures are ----


@pytest.mark.parametrize(
    "body",
    [
        "<sec><title>Results</title>{}</sec>",
        "<p>Text {} goes on.</p>",
        "<fig-group>{}</fig-group>",
        "<boxed-text><sec>{}</sec></boxed-text>",
        "<list><list-item><p>{}</p></list-item></list>",
        "</body><back><app-group><app>{}</app></app-group></back><floats-group/><body>",
        "</body><floats-group>{}</floats-group><body>",
    ],
)
def test_figures_are_found_wherever_they_stand(read, body):
    found = read(article(body.format(fig(1) + fig(2)))).figures
    assert [(f.label, f.caption) for f in found] == [("Figure 1", "Dose."), ("Figure 2", "Dose.")]


def test_figures_of_parts_and_supplements_are_supplementary(read):
    parts = f'<supplementary-material id="s">{fig(2)}</supplementary-material>'
    rest = f"<sub-article><body><p>See {xref(3)}.</p>{fig(3)}</body></sub-article><response>{fig(4)}</response>"
    found = read(article(fig(1) + parts, rest=rest))
    assert [f.label for f in found.figures] == ["Figure 1"]
    assert sorted(f.label for f in found.supplementary) == ["Figure 2", "Figure 3", "Figure 4"]
    assert next(f for f in found.supplementary if f.label == "Figure 3").context == ["See Figure 3."]


def test_figure_supplements_nested_in_a_figure_are_figures_of_their_own(read):
    inner = fig(2, "<p>Inner.</p>", label="Figure 1—figure supplement 1.")
    found = read(
        article(f"<p>See Figure 1—figure supplement 1A.</p>{fig(1, '<p>Outer.</p>', inside=f'<p>{inner}</p>')}")
    )
    assert [(f.label, f.caption, len(f.context)) for f in found.figures] == [
        ("Figure 1", "Outer.", 0),
        ("Figure 1—figure supplement 1", "Inner.", 1),
    ]
    assert "f1.png" in found.figures[0].image_error
    assert "f2.png" in found.figures[1].image_error


@pytest.mark.parametrize("label", ["Table 1", "TABLE 1.", "Quadro 1", "Box 2"])
def test_a_table_or_box_is_no_figure(read, label):
    assert read(article(fig(1, label=label))).figures == []


def test_jats_in_a_namespace_and_in_an_oai_envelope(read):
    xml = article(f"<p>See {xref(1)}.</p>" + fig(1))
    xml = xml.replace("<article ", '<article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.3/" ')
    found = read(f"<OAI-PMH><record>{xml}</record></OAI-PMH>")
    assert context(found) == ["See Figure 1."]


# ---- captions ----

CAPTIONS = {
    "<title>Dose.</title><p>(A) Left.</p><p>(B) Right.</p>": "Dose. (A) Left. (B) Right.",
    "<p>At 10<sup>6</sup> cells, H<sub>2</sub>O\n   and <italic>p</italic>&#160;&lt; 0.05</p>": (
        "At 10^6 cells, H2O and p < 0.05"
    ),
    "<p>Figure 1. Dose response.</p>": "Dose response.",
    "<p>Figure 1</p>": None,
    "<p>Figure 2 shows more.</p>": "Figure 2 shows more.",
    "<p>con&#173;trol&#x200b; &#x9d;x</p>": "control x",
    "<object-id>10.1/x</object-id><p>Dose.</p>": "Dose.",
    "<p>Dose <inline-formula><alternatives><mml:math><mml:mi>x</mml:mi> <mml:mo>=</mml:mo></mml:math>"
    "<tex-math>\\begin{document}$y$\\end{document}</tex-math></alternatives></inline-formula> Gy</p>": "Dose x= Gy",
    "<p>Dose <tex-math>\\usepackage{x} \\begin{document}$$y$$\\end{document}</tex-math> Gy</p>": "Dose y Gy",
    "": None,
    "<p> </p>": None,
}


@pytest.mark.parametrize(("caption", "expected"), CAPTIONS.items())
def test_caption(read, caption, expected):
    assert read(article(fig(1, caption))).figures[0].caption == expected


def test_no_caption_is_none_and_no_sentence(read):
    """BIOMEDICA stores "No caption found"."""
    found = read(article('<fig id="F1"><label>Fig 1.</label><graphic xlink:href="f1"/></fig>')).figures[0]
    assert (found.label, found.caption) == ("Fig 1", None)


def test_label_out_of_the_caption(read):
    found = read(article('<fig id="F1"><caption><p>Fig. 1: Dose</p></caption></fig>')).figures[0]
    assert (found.label, found.caption) == ("Fig. 1", "Dose")


# ---- mentions ----

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


GRAPHICS = {
    "in a paragraph": '<p><graphic xlink:href="f1.png"/></p>',
    "alternatives": '<alternatives><graphic xlink:href="f1.tif"/><graphic xlink:href="f1.png"/></alternatives>',
    "thumbnail": '<graphic xlink:href="f1.png"/><graphic xlink:href="f1.gif" content-type="thumbnail"/>',
    "address": '<graphic xlink:href="https://example.org/a/f1.png?size=large"/>',
    "no extension": '<graphic xlink:href="f1"/>',
    "no prefix": '<graphic href="f1.png"/>',
}


@pytest.mark.parametrize("graphics", GRAPHICS.values(), ids=GRAPHICS)
def test_graphics(read, tmp_path, graphics):
    files = {"f1.png": picture(tmp_path, "f1.png")}
    found = read(article(f'<fig id="F1"><label>Figure 1</label>{graphics}</fig>'), files).figures[0]
    assert image_of(found).size == (40, 30)
    assert found.image_error is None


def test_biomedica_defects(read):
    """Mentions in <bold> and in rid="F1 F2" are kept, trailing text once, every graphic of a figure is its own."""
    body = f'<p>A <bold>{xref(1, "Fig. 1")}</bold> rose. B <xref rid="F1 F2">Figs. 1 and 2</xref> fell; so did C.</p>'
    two = fig(2).replace("</fig>", '<graphic xlink:href="f2b.png"/></fig>')
    found = read(article(body + fig(1) + two))
    assert context(found) == ["A Fig. 1 rose.", "B Figs. 1 and 2 fell; so did C."]
    assert context(found, "Figure 2") == ["B Figs. 1 and 2 fell; so did C."]
    assert "f2.png, f2b.png" in found.figures[1].image_error


# ---- pictures ----


def picture(folder: Path, name: str, size=(40, 30), color="red"):
    path = folder / name
    Image.new("RGB", size, color).save(path)
    return path


def pictures(folder: Path, **sizes):
    return {name: picture(folder, name, size) for name, size in sizes.items()}


def test_picture(read, tmp_path):
    files = {"f1.png": picture(tmp_path, "f1.png")}
    found = read(article(fig(1, href="images/F1.tif")), files).figures[0]
    assert (image_of(found).size, found.image_error, found.panels) == ((40, 30), None, [])


@pytest.mark.parametrize(
    "graphics",
    [
        '<graphic xlink:href="f1"/>',
        '<graphic xlink:href="f1.gif"/><graphic xlink:href="f1.jpg"/>',
        '<alternatives><graphic xlink:href="small.png"/><graphic xlink:href="f1.jpg"/></alternatives>',
    ],
)
def test_the_largest_of_several_files_is_taken(read, tmp_path, graphics):
    files = {name: picture(tmp_path, name, size) for name, size in {
        "f1.gif": (10, 8), "small.png": (10, 8), "f1.jpg": (40, 30)}.items()}  # fmt: skip
    found = read(article(f'<fig id="F1">{graphics}</fig>'), files).figures[0]
    assert image_of(found).size == (40, 30)
    assert not found.panels


def test_several_graphics_are_one_picture_with_panels(read, tmp_path):
    files = {"a.png": picture(tmp_path, "a.png"), "b.png": picture(tmp_path, "b.png", (20, 10), "blue")}
    graphics = '<graphic xlink:href="a"/><graphic xlink:href="b"><label>(B)</label></graphic>'
    found = read(article(f"<fig><label>Fig. 1</label>{graphics}</fig>"), files).figures[0]
    assert image_of(found).size == (40, 40)
    assert [(p.label, p.bbox) for p in found.panels] == [("1", [0, 0, 40, 30]), ("B", [0, 30, 20, 40])]
    assert image_of(found).getpixel((5, 35)) == (0, 0, 255)
    assert image_of(found).getpixel((30, 35)) == (255, 255, 255)


def test_a_group_with_one_caption_is_one_figure_with_panels(read, tmp_path):
    files = {name: picture(tmp_path, name) for name in ("a.png", "b.png")}
    inner = "".join(f'<fig id="{n}"><label>({n})</label><graphic xlink:href="{n}"/></fig>' for n in "ab")
    group = f'<fig-group id="G"><label>Figure 1</label><caption><p>Dose.</p></caption>{inner}</fig-group>'
    found = read(article(f'<p>Left, <xref rid="a">(a)</xref>.</p>{group}'), files).figures
    assert [(f.label, f.caption, f.context) for f in found] == [("Figure 1", "Dose.", ["Left, (a)."])]
    assert [p.label for p in found[0].panels] == ["a", "b"]


def test_a_group_of_numbered_figures_stays_apart(read):
    group = f"<fig-group><caption><p>Both.</p></caption>{fig(1, '')}{fig(2)}</fig-group>".replace(
        "<caption></caption>", ""
    )
    found = read(article(group)).figures
    assert [(f.label, f.caption) for f in found] == [("Figure 1", "Both."), ("Figure 2", "Dose.")]


MISSING = {
    '<graphic xlink:href="f9.png"/>': "picture file missing beside the article: f9.png",
    '<graphic xlink:href="../../etc/passwd"/>': "picture file missing beside the article: passwd",
    '<graphic xlink:href="file:///etc/passwd"/>': "picture file missing beside the article: passwd",
    "<graphic/>": "picture file missing beside the article: (no name)",
    '<graphic xlink:href="f1.png"/><graphic xlink:href="f9"/>': "picture file missing beside the article: f9",
    '<media xlink:href="film.mp4"/>': "no picture but the file film.mp4",
    "": "the article names no picture file",
}


@pytest.mark.parametrize(("graphics", "error"), MISSING.items())
def test_missing_picture(read, tmp_path, graphics, error):
    files = {"f1.png": picture(tmp_path, "f1.png")}
    found = read(article(f"<fig><label>Fig. 1</label>{graphics}</fig>"), files).figures[0]
    assert (found.picture, found.image_error) == (None, error)


def test_broken_picture(read, tmp_path):
    (tmp_path / "f1.png").write_bytes(b"not a picture")
    found = read(article(fig(1)), {"f1.png": tmp_path / "f1.png"}).figures[0]
    assert found.picture is None
    assert "f1.png" in found.image_error
    assert "\n" not in found.image_error


def test_composed_picture_is_bounded(read, tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 2000)
    files = {name: picture(tmp_path, name) for name in ("a.png", "b.png")}
    found = read(article('<fig><graphic xlink:href="a"/><graphic xlink:href="b"/></fig>'), files).figures[0]
    assert found.picture is None
    assert "40x60 pixels, more than 2000" in found.image_error


# ---- Markdown ----


def test_markdown(read):
    body = f"<sec><title>Results</title><p>See {xref(1)}.</p>{fig(1)}<sec><title>Dose</title>"
    body += "<list><list-item><p>One</p></list-item></list></sec></sec>"
    meta = "<title-group><article-title>Title</article-title></title-group><abstract><p>Short.</p></abstract>"
    assert read(article(body, meta)).markdown == (
        "# Title\n\n## Abstract\n\nShort.\n\n## Results\n\nSee Figure 1.\n\n**Figure 1.** Dose.\n\n### Dose\n\n- One\n"
    )


# ---- hostile and broken files ----


@pytest.fixture
def listener():
    """A loopback port and the number of connections it has seen."""
    seen = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.1)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    seen.append(server.accept()[0].close())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], seen
        stop.set()
        thread.join()


PROLOGS = {
    "external entity": '<!DOCTYPE article [<!ENTITY x SYSTEM "{url}">]>',
    "external DTD": '<!DOCTYPE article SYSTEM "{url}">',
    "public DTD": '<!DOCTYPE article PUBLIC "-//NLM//DTD JATS//EN" "{url}">',
    "parameter entity": '<!DOCTYPE article [<!ENTITY % p SYSTEM "{url}"> %p;]>',
    "stylesheet": '<?xml-stylesheet href="{url}"?>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("prolog", PROLOGS.values(), ids=PROLOGS)
def test_nothing_is_fetched(read, listener, tmp_path, prolog, encoding):
    port, seen = listener
    secret = tmp_path / "secret.dtd"
    secret.write_text('<!ENTITY x "SECRET">')
    for url in (f"http://127.0.0.1:{port}/x", secret.as_uri()):
        xml = article(f"<p>Dose &x; in {xref(1)}.</p>{fig(1, '<p>&x;Dose.</p>')}", prolog=prolog.format(url=url))
        found = read(xml.encode(encoding))
        assert [(f.caption, f.context) for f in found.figures] == [("Dose.", ["Dose in Figure 1."])]
        assert "SECRET" not in found.markdown
    time.sleep(0.15)  # the listener's time-out
    assert not seen


@pytest.mark.parametrize("place", ["<p>{}</p>", '<p id="{}">x</p>'])
def test_entities_do_not_explode(read, place):
    entities = '<!ENTITY a0 "boom">' + "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
    started = time.process_time()
    found = read(article(place.format("&a9;") + fig(1), prolog=f"<!DOCTYPE article [{entities}]>"))
    assert "boom" not in found.markdown
    assert len(found.figures) == 1
    assert time.process_time() - started < 2


def test_named_entities_are_characters_with_and_without_a_dtd(read):
    for prolog in ("", '<!DOCTYPE article SYSTEM "absent.dtd">'):
        found = read(article(fig(1, "<p>&alpha;&nbsp;&ge; 5 &micro;m &amp; &unknown;more</p>"), prolog=prolog))
        assert found.figures[0].caption == "α ≥ 5 µm & more"


def test_prefixes_left_to_the_dtd(read):
    xml = article(fig(1) + "<p><mml:math/></p>").replace(NAMESPACES, "").replace("<article >", "<article>")
    assert "f1.png" in read(xml).figures[0].image_error


BROKEN = {
    "empty": ("", "no well-formed XML"),
    "text": ("not found", "no well-formed XML"),
    "truncated": (article(fig(1))[:-30], "no well-formed XML"),
    "zeros": ("\0\0\0\0", "no well-formed XML"),
    "html": ("<html><body/></html>", "0 JATS articles"),
    "two articles": (f"<pmc-articleset>{article()}{article()}</pmc-articleset>", "2 JATS articles"),
    "another vocabulary": ("<article><para/></article>", "this is not JATS"),
    "deep": (article("<sec>" * 5000 + "</sec>" * 5000), "no well-formed XML"),
}


@pytest.mark.parametrize(("xml", "error"), BROKEN.values(), ids=BROKEN)
def test_broken_file(read, xml, error):
    with pytest.raises(ValueError, match=error) as raised:
        read(xml)
    assert str(raised.value).startswith("x.xml: ")
    assert "\n" not in str(raised.value)


def test_too_large(read, monkeypatch):
    monkeypatch.setattr("dataset_builder.readers.jats.reader.MAX_XML_BYTES", 100)
    with pytest.raises(ValueError, match="more than 100"):
        read(article())


TAGS = """sec p list list-item fig fig-group caption label title graphic xref sup bold sub-article alternatives tex-math
supplementary-material mml:math inline-formula boxed-text table-wrap fn app body abstract media"""
TREES = st.recursive(
    st.sampled_from(["", "Fig. 1", "See Figs 1–3. ", "10", "图1。", "&x;", "&nbsp;", "<!-- x -->"]),
    lambda inner: st.builds(
        lambda tag, children: f'<{tag} id="F1" rid="F1 F2" n="x" xlink:href="f">{"".join(children)}</{tag}>',
        st.sampled_from(TAGS.split()),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_any_tree_is_survived(tmp_path_factory, tree):
    path = tmp_path_factory.getbasetemp() / "any.xml"
    path.write_text(article(tree, meta=tree, rest=tree))
    for figure in read_jats(path).figures:
        assert all(text is None or text == " ".join(text.split()) for text in (figure.label, figure.caption))


# ---- real articles ----


@pytest.mark.corpus
@pytest.mark.skipif("LDRT_ARTICLES" not in os.environ, reason="LDRT_ARTICLES names no folder of real articles")
def test_real_articles(tmp_path):
    """Every XML is read or fails with one line; nearly every figure of the manifest is found; text is clean."""
    folder = Path(os.environ["LDRT_ARTICLES"])
    counted = {
        r["path"]: int(r["n_fig"] or 0) for r in csv.DictReader((folder / "MANIFEST.csv").open()) if r["kind"] == "jats"
    }
    read, expected, found = 0, 0, 0
    for package in find_packages(folder, tmp_path / "unpacked"):
        if not package.xml:
            continue
        try:
            article = read_jats(package.xml)
        except ValueError as error:
            assert "\n" not in str(error)
            continue
        read += 1
        expected += counted.get(package.source_file, 0)
        found += len(article.figures) + len(article.supplementary)
        for figure in article.figures:
            for text in filter(None, (figure.label, figure.caption, *figure.context)):
                assert text.isprintable()
                assert text == " ".join(text.split())
            assert len(set(figure.context)) == len(figure.context)
            assert not re.search(r"\\documentclass|No caption found", f"{figure.caption} {figure.context}")
    assert read > 100
    assert found >= 0.99 * expected
