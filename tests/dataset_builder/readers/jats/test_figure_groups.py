"""Which elements are one figure: groups, nested figures, graphics that stand alone."""

import pytest
from PIL import Image

from tests.dataset_builder.readers.jats.articles import article, context, fig, xref

FIGURE_1 = "<label>Figure 1</label><caption><p>Dose and survival.</p></caption>"
GROUP_1 = f'<fig-group id="F1">{FIGURE_1}'
SAID = f"<p>Both ({xref(1)}). Survival ({xref('1b', 'Figure 1b')}).</p>"


def sub(letter: str, label: str | None, caption: str | None) -> str:
    inside = f"<label>{label}</label>" if label else ""
    inside += f"<caption><p>{caption}</p></caption>" if caption else ""
    return f'<fig id="F1{letter}">{inside}<graphic xlink:href="{letter}"/></fig>'


@pytest.fixture
def pictures(tmp_path):
    for i, name in enumerate(("a", "b")):
        Image.new("RGB", (40, 30 + 10 * i), (200, i, 0)).save(tmp_path / f"{name}.png")
    return {f"{name}.png": tmp_path / f"{name}.png" for name in ("a", "b")}


ONE_FIGURE = {  # XML -> labels and captions of its panels
    "a group of (a) and (b)": (
        f"{GROUP_1}{sub('a', '(a)', 'Dose.')}{sub('b', '(b)', 'Survival.')}</fig-group>",
        [("a", "Dose."), ("b", "Survival.")],
    ),
    "a group of A and B with letters in the captions": (
        f"{GROUP_1}{sub('a', None, '(A) Dose.')}{sub('b', None, '(B) Survival.')}</fig-group>",
        [("A", "Dose."), ("B", "Survival.")],
    ),
    "a group of 1A and 1B": (
        f"{GROUP_1}{sub('a', 'Figure 1A', 'Dose.')}{sub('b', 'Figure 1B', 'Survival.')}</fig-group>",
        [("A", "Dose."), ("B", "Survival.")],
    ),
    "a group of I and II": (
        f"{GROUP_1}{sub('a', 'I', 'Dose.')}{sub('b', 'II', 'Survival.')}</fig-group>",
        [("I", "Dose."), ("II", "Survival.")],
    ),
    "a group without a number": (
        f'<fig-group id="F1"><caption><p>Dose and survival.</p></caption>{sub("a", "Figure 1(a)", "Dose.")}'
        f"{sub('b', 'Figure 1(b)', 'Survival.')}</fig-group>",
        [("a", "Dose."), ("b", "Survival.")],
    ),
    "nested, no labels": (
        f'<fig id="F1">{FIGURE_1}{sub("a", None, "Dose.")}{sub("b", None, "Survival.")}</fig>',
        [("1", "Dose."), ("2", "Survival.")],
    ),
    "nested, (a) and (b) without captions": (
        f'<fig id="F1">{FIGURE_1}<p>{sub("a", "(a)", None)}{sub("b", "b)", None)}</p></fig>',
        [("a", None), ("b", None)],
    ),
    "a group in a figure": (
        f'<fig id="F1">{FIGURE_1}<fig-group>{sub("a", "(a)", "Dose.")}{sub("b", "(b)", "Survival.")}</fig-group></fig>',
        [("a", "Dose."), ("b", "Survival.")],
    ),
}


@pytest.mark.parametrize(("xml", "panels"), ONE_FIGURE.values(), ids=ONE_FIGURE)
def test_parts_without_a_number_are_panels(read, pictures, xml, panels):
    (found,) = read(article(SAID + xml), pictures).figures
    assert (found.label, found.caption) == ("Figure 1", "Dose and survival.")
    assert found.context == ["Both (Figure 1).", "Survival (Figure 1b)."]
    assert [(panel.label, panel.caption) for panel in found.panels] == panels
    assert [panel.bbox for panel in found.panels] == [[0, 0, 40, 30], [0, 30, 40, 70]]


def test_a_figure_without_a_caption_has_those_of_its_panels(read, pictures):
    group = f"<fig-group><label>Figure 1</label>{sub('a', '(a)', 'Dose.')}{sub('b', '(b)', 'Survival.')}</fig-group>"
    (found,) = read(article(group), pictures).figures
    assert (found.label, found.caption) == ("Figure 1", "(a) Dose. (b) Survival.")


OWN_FIGURES = {
    "a group of numbers": (f"<fig-group>{fig(1)}{fig(2)}</fig-group>", ["Figure 1", "Figure 2"]),
    "a group of numbers with a title": (
        f"<fig-group><caption><p>All.</p></caption>{fig(1)}{fig(2)}</fig-group>",
        ["Figure 1", "Figure 2"],
    ),
    "a numbered group of other numbers": (
        f"<fig-group>{FIGURE_1}{fig(2)}{fig(3)}</fig-group>",
        ["Figure 2", "Figure 3"],
    ),
    "figure supplements in a group": (
        f"<fig-group>{fig(1)}{fig(2, label='Figure 1—figure supplement 1.')}</fig-group>",
        ["Figure 1", "Figure 1—figure supplement 1"],
    ),
    "figure supplements in a figure": (
        fig(1, inside=fig(2, label="Figure 1—figure supplement 1")),
        ["Figure 1", "Figure 1—figure supplement 1"],
    ),
    "1A and 1B in a group that says nothing": (
        f"<fig-group>{fig(1, label='Figure 1A')}{fig(2, label='Figure 1B')}</fig-group>",
        ["Figure 1A", "Figure 1B"],
    ),
    "a wrapper that says nothing": (f"<fig>{fig(1)}{fig(2)}</fig>", ["Figure 1", "Figure 2"]),
}


@pytest.mark.parametrize(("xml", "labels"), OWN_FIGURES.values(), ids=OWN_FIGURES)
def test_parts_with_numbers_are_figures_of_their_own(read, xml, labels):
    assert [figure.label for figure in read(article(xml)).figures] == labels


GRAPHIC = '<graphic id="F1" position="float" xlink:href="a">{}</graphic>'


PLACES = [
    "{}",
    "<sec>{}</sec>",
    "<p>Text {} goes on.</p>",
    "<boxed-text>{}</boxed-text>",
    "<fig-group>{}</fig-group>",
    "</body><floats-group>{}</floats-group><body>",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_graphic_with_the_label_of_a_figure_is_one(read, pictures, place):
    found = read(article(f"<p>Steep ({xref(1)}).</p>" + place.format(GRAPHIC.format(FIGURE_1))), pictures)
    (figure,) = found.figures
    assert (figure.label, figure.caption, figure.image_error) == ("Figure 1", "Dose and survival.", None)
    assert context(found) == ["Steep (Figure 1)."]
    assert "**Figure 1.** Dose and survival." in found.markdown


def test_a_graphic_with_its_label_in_the_caption(read, pictures):
    (found,) = read(article(GRAPHIC.format("<caption><p>Fig. 1. Dose.</p></caption>")), pictures).figures
    assert (found.label, found.caption) == ("Fig. 1", "Dose.")


@pytest.mark.parametrize(
    "xml",
    [
        GRAPHIC.format(""),
        GRAPHIC.format("<alt-text>Figure 1</alt-text>"),
        GRAPHIC.format("<caption><p>The author in 2020.</p></caption>"),
        GRAPHIC.format("<label>Table 1</label><caption><p>Doses.</p></caption>"),
        GRAPHIC.format("<label>(3)</label>"),
        f"<table-wrap>{GRAPHIC.format(FIGURE_1)}</table-wrap>",
        f"<disp-formula>{GRAPHIC.format('<label>1</label>')}</disp-formula>",
    ],
)
def test_other_graphics_are_no_figures(read, pictures, xml):
    assert read(article(xml), pictures).figures == []


def test_a_graphic_of_a_figure_stays_part_of_it(read, pictures):
    inside = GRAPHIC.format("<label>Figure 1a</label>")
    (found,) = read(article(f"<fig>{FIGURE_1}{inside}</fig>"), pictures).figures
    assert (found.label, found.caption) == ("Figure 1", "Dose and survival.")


@pytest.mark.parametrize("label", ["Figure 1<sup>2</sup>", "Figure 1<sup><xref ref-type='bibr'>2</xref></sup>"])
def test_a_citation_behind_a_label_is_no_part_of_it(read, label):
    found = read(article(fig(1, label=label) + fig(12) + f"<p>Steep ({xref(1)}).</p>"))
    assert [(figure.label, figure.context) for figure in found.figures] == [
        ("Figure 1", ["Steep (Figure 1)."]),
        ("Figure 12", []),
    ]


def test_line_breaks_in_captions_and_labels_are_spaces(read):
    found = read(article(fig(1, "<p>Dose.<break/>Bars: deviation<break/>of <bold>three<break/>runs</bold>.</p>")))
    assert found.figures[0].caption == "Dose. Bars: deviation of three runs."


def test_two_pictures_of_one_name_in_a_figure(read, tmp_path):
    for i, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (40, 30 + i), "red").save(tmp_path / name / "f1.png")
    files = {f"{name}/f1.png": tmp_path / name / "f1.png" for name in "ab"}
    graphics = '<graphic xlink:href="a/f1"/><graphic xlink:href="b/f1"/>'
    (found,) = read(article(f"<fig>{FIGURE_1}{graphics}</fig>"), files).figures
    assert [panel.bbox for panel in found.panels] == [[0, 0, 40, 30], [0, 30, 40, 61]]
