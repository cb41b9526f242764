"""JATS articles: where figures are found, any tree, and real articles."""

import csv
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_builder.articles.packages import find_packages
from dataset_builder.readers.jats.reader import read_jats
from tests.dataset_builder.readers.jats.articles import article, context, fig, xref


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


@pytest.mark.parametrize(
    ("inside", "figures", "supplementary"),
    [
        ("<ref><mixed-citation>{}</mixed-citation></ref>", ["Figure 1"], []),
        ("<p>{}</p>" + fig(2), ["Figure 1", "Figure 2"], []),
        ('<p>{}</p><graphic xlink:href="g.png"><label>Figure 3</label></graphic>', ["Figure 1", "Figure 3"], []),
        (f"<p>{{}}</p><supplementary-material>{fig(4)}</supplementary-material>", ["Figure 1"], ["Figure 4"]),
    ],
)
def test_references_hold_no_text_but_their_figures_count(read, inside, figures, supplementary):
    references = f"<back><ref-list>{inside.format(f'See {xref(1)}.')}</ref-list><ack><p>In {xref(1)}.</p></ack></back>"
    found = read(article(fig(1), rest=references))
    assert [one.label for one in found.figures] == figures
    assert [one.label for one in found.supplementary] == supplementary
    assert context(found) == ["In Figure 1."]


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


@pytest.mark.corpus
@pytest.mark.skipif("LDRT_ARTICLES" not in os.environ, reason="LDRT_ARTICLES names no folder of real articles")
def test_real_articles(tmp_path):
    """Every XML is read or fails with one line; nearly every figure of the manifest is found; text is clean."""
    folder = Path(os.environ["LDRT_ARTICLES"])
    counted = {
        r["path"]: int(r["n_fig"] or 0) for r in csv.DictReader((folder / "MANIFEST.csv").open()) if r["kind"] == "jats"
    }
    read, expected, found = 0, 0, 0
    errors = []
    for package in find_packages(folder, tmp_path / "unpacked"):
        if not package.xml:
            continue
        try:
            article = read_jats(package.xml)
        except ValueError as error:
            errors.append(str(error))
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
    assert not any("\n" in error for error in errors)
    assert read > 100
    assert found >= 0.99 * expected
