"""How much personal data `ldrt screen` finds in drawn figures, and how often it is wrong; needs the extra `ocr`.

LDRT_SCREEN_FIGURES is how many of each kind are drawn (200).
"""

import os
import time
from collections import defaultdict

from scipy.stats import binomtest

from dataset_builder.files.errors import UsageError
from dataset_builder.screening.ocr import TextReader, engine_version
from dataset_builder.screening.rules import Found, personal
from tests.benchmarks.screened_figures import DrawnFigure, Planted, with_identifiers, without_identifiers

FIGURES = int(os.environ.get("LDRT_SCREEN_FIGURES", "200"))
COVERED = 0.5  # of a planted identifier's box, by findings: what a blur would overwrite


def main() -> dict[str, float]:
    """Recall of figures and identifiers, precision of figures, each with a 95 % interval (Wilson)."""
    try:
        engine_version()
    except UsageError:
        return {}  # `make bench` measures what it can
    reader, start = TextReader(), time.process_time()
    positive = [(figure, personal(reader.lines(figure.picture))) for figure in map(with_identifiers, range(FIGURES))]
    negative = [(figure, personal(reader.lines(figure.picture))) for figure in map(without_identifiers, range(FIGURES))]
    seconds = time.process_time() - start
    flagged = sum(bool(found) for _, found in positive)
    wrong = sum(bool(found) for _, found in negative)
    rows = share("figures with personal data, flagged (recall)", flagged, len(positive))
    rows |= share("figures flagged that hold some (precision)", flagged, flagged + wrong)
    rows |= share("figures without personal data, flagged", wrong, len(negative))
    for kind, outcomes in sorted(identifiers(positive).items()):
        rows |= share(f"planted: {kind}, box covered (recall)", sum(outcomes), len(outcomes))
    return rows | {"time a figure, s": seconds / (2 * FIGURES)}


def identifiers(results: list[tuple[DrawnFigure, list[Found]]]) -> dict[str, list[bool]]:
    """Kind -> of each planted identifier whether a finding, of whatever kind, covers it; and `all` of them."""
    outcomes: dict[str, list[bool]] = defaultdict(list)
    for figure, found in results:
        for planted in figure.planted:
            outcomes[planted.kind].append(is_covered(planted, found))
            outcomes["all"].append(outcomes[planted.kind][-1])
    return outcomes


def is_covered(planted: Planted, found: list[Found]) -> bool:
    x0, y0, x1, y1 = planted.box
    area = (x1 - x0) * (y1 - y0)
    shared = [
        max(0, min(x1, one.box[2]) - max(x0, one.box[0])) * max(0, min(y1, one.box[3]) - max(y0, one.box[1]))
        for one in found
    ]
    return max(shared, default=0) >= COVERED * area


def share(what: str, right: int, total: int) -> dict[str, float]:
    interval = binomtest(right, total).proportion_ci(method="wilson") if total else (0.0, 1.0)
    low, high = interval
    return {f"{what}, of {total}": right / max(1, total), f"{what}: from": low, f"{what}: to": high}
