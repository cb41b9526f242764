"""XML and PDF of one article: which of the PDF's pictures a figure of the XML gets."""

from pathlib import Path

import pytest

from dataset_builder.articles.packages import Package
from dataset_builder.assembly.articles import join_files, read_heads
from dataset_builder.extraction.units import extract, units
from tests.dataset_builder.readers.paper import Paper, prose

TITLE = "Doses in joints"


def pages(path: Path, labels: list[str]) -> Path:
    """A PDF with one figure a page, in the order of the labels."""
    paper = Paper(path)
    paper.text(60, 40, 475, TITLE, font="Times-Bold", size=16)
    for k, label in enumerate(labels):
        paper.text(60, 80, 475, prose(k, 12))
        paper.photo(150, 300, 280, 200, seed=k)
        paper.caption(60, 520, 475, f"{label}. Dose of group {'KLMN'[k]}.")
        paper.text(60, 560, 475, prose(k + 9, 8))
        paper.page()
    return paper.save()


def markup(path: Path, labels: list[str]) -> Path:
    figures = "".join(
        f"<fig id='f{k}'><label>{label}</label><caption><p>Dose of one group.</p></caption></fig>"
        for k, label in enumerate(labels)
    )
    path.write_text(
        "<article><front><article-meta><title-group><article-title>"
        f"{TITLE}</article-title></title-group></article-meta></front><body><p>The dose.</p>{figures}</body></article>"
    )
    return path


@pytest.mark.parametrize(
    ("in_xml", "in_pdf", "pages_taken"),
    [
        (["Figure 1", "Figure 2"], ["Figure 1", "Figure 2"], [1, 2]),
        (["Figure 2B"], ["Figure 2A", "Figure 2B"], [2]),
        (["Figure 2b"], ["Fig. 2A", "Fig. 2B"], [2]),
        (["Figure 2A", "Figure 2B"], ["Figure 2A", "Figure 2B"], [1, 2]),
        (["Figure 2B"], ["Figure 2A"], [None]),  # no picture rather than that of another panel
        (["Figure 2B"], ["Figure 2"], [None]),  # nor that of all panels
        (["Figure 2"], ["Figure 2A"], [None]),
    ],
)
def test_a_figure_gets_the_picture_of_its_own_panel(tmp_path, in_xml, in_pdf, pages_taken):
    package = Package("a.xml", xml=markup(tmp_path / "a.xml", in_xml), pdf=pages(tmp_path / "a.pdf", in_pdf))
    read = list(units([package], tmp_path / "dataset" / ".work" / "records", "geometric"))
    for unit in read:
        extract(unit, "geometric")
    article = join_files(read_heads(read), {})
    assert [figure["label"] for figure in article.figures] == in_xml
    assert [figure.get("page") if figure["image_path"] else None for figure in article.figures] == pages_taken
