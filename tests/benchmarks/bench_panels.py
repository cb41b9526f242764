"""How well and how fast compound figures are split, on the sample corpus, whose truth has the panels' boxes."""

import time

from dataset_builder.panels import split_panels
from dataset_builder.sample_corpus import make_articles

ARTICLES = 72  # of the sample corpus
SAME_BOX = 0.8  # intersection over union from which two boxes are one


def main() -> None:
    """Print precision and recall of boxes, of boxes with their letter and caption, and the time a figure takes."""
    figures = [figure for article in make_articles(ARTICLES, seed=0) for figure in article.figures]
    found = right = lettered = captioned = 0
    seconds = []
    for figure in figures:
        start = time.process_time()
        panels = split_panels(figure.picture, figure.caption)
        seconds.append(time.process_time() - start)
        found += len(panels)
        for panel in panels:
            if true := next((p for p in figure.panels if overlap(p["bbox"], panel.bbox) >= SAME_BOX), None):
                right += 1
                lettered += panel.label == true["label"]
                captioned += panel.label == true["label"] and panel.caption == true["caption"]
    total = sum(len(figure.panels) for figure in figures)
    compound = sorted(s for s, figure in zip(seconds, figures, strict=True) if figure.panels)
    print(f"panels: {total} in {len(compound)} of {len(figures)} figures; found {found}")
    print(f"boxes (IoU >= {SAME_BOX}): precision {right / found:.3f}, recall {right / total:.3f}")
    print(f"boxes with letter: precision {lettered / found:.3f}, recall {lettered / total:.3f}")
    print(f"boxes with letter and caption: precision {captioned / found:.3f}, recall {captioned / total:.3f}")
    print(f"time a compound figure: median {1e3 * compound[len(compound) // 2]:.1f} ms")


def overlap(one: list[float], other: list[float]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)
