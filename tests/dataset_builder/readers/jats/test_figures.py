"""Figures: captions, labels, and pictures of one or several files."""

from pathlib import Path

import pytest
from PIL import Image

from tests.dataset_builder.readers.jats.articles import article, context, fig, xref
from tests.dataset_builder.readers.paper import image_of
from trust.pictures import opener

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
    '<graphic xlink:href="../../etc/passwd"/>': "picture file named outside of the article's folder: passwd",
    '<graphic xlink:href="file:///etc/passwd"/>': "picture file named outside of the article's folder: passwd",
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
    monkeypatch.setattr(opener, "MAX_PIXELS", 2000)
    files = {name: picture(tmp_path, name) for name in ("a.png", "b.png")}
    found = read(article('<fig><graphic xlink:href="a"/><graphic xlink:href="b"/></fig>'), files).figures[0]
    assert found.picture is None
    assert "40x60 pixels, more than 2000" in found.image_error
