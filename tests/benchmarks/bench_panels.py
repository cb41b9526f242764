"""How well and how fast compound figures are split, on the sample corpus, whose truth has the panels' boxes, and on
figures drawn in many styles."""

import time

from dataset_builder.readers.pictures.panels import split_panels
from dataset_builder.sample.articles import make_articles
from tests.benchmarks.compound_figures import compound_figure, is_right

ARTICLES = 72  # of the sample corpus
DRAWN = 300  # figures of many styles; one of twelve is a single picture
SAME_BOX = 0.8  # intersection over union from which two boxes are one


def main() -> dict[str, float]:
    """Precision and recall of boxes, of boxes with their letter and caption, and the time a compound figure takes."""
    figures = [figure for article in make_articles(ARTICLES, seed=0) for figure in article.figures]
    found = right = captioned = 0
    seconds = []
    for figure in figures:
        start = time.process_time()
        panels = split_panels(figure.picture, figure.caption)
        if figure.panels:
            seconds.append(time.process_time() - start)
        found += len(panels)
        for panel in panels:
            true = next((p for p in figure.panels if overlap(p["bbox"], panel.bbox) >= SAME_BOX), {})
            right += bool(true)
            captioned += (panel.label, panel.caption) == (true.get("label"), true.get("caption"))
    total = sum(len(figure.panels) for figure in figures)
    return {
        "panels of the sample corpus": total,
        f"panels, boxes of IoU >= {SAME_BOX}: precision": right / found,
        f"panels, boxes of IoU >= {SAME_BOX}: recall": right / total,
        "panels, boxes with the right letter and caption: precision": captioned / found,
        "panels, boxes with the right letter and caption: recall": captioned / total,
        "panels, time a compound figure, ms": 1e3 * sorted(seconds)[len(seconds) // 2],
    } | drawn_in_many_styles()


def drawn_in_many_styles() -> dict[str, float]:
    """The share of figures that are split, and how many wrongly."""
    figures = [compound_figure(seed) for seed in range(DRAWN)]
    results = [(figure, split_panels(figure.picture, figure.caption)) for figure in figures]
    compound = [bool(panels) for figure, panels in results if figure.panels]
    return {
        "compound figures of many styles": len(compound),
        "compound figures of many styles: split": sum(compound) / len(compound),
        "compound figures of many styles: wrong": sum(
            bool(panels) and not is_right(figure, panels) for figure, panels in results
        ),
    }


def overlap(one: list[float], other: list[float]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)
