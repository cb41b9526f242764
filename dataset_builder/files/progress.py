"""A progress bar on a terminal, a plain line every half minute in a log."""

import sys

from tqdm import tqdm

LOG_INTERVAL_S = 30


def progress(total: int, unit: str, desc: str) -> tqdm:
    """A tqdm bar for `total` items; where stderr is no terminal it writes lines instead of redrawing itself."""
    if sys.stderr.isatty():
        return tqdm(total=total, unit=unit, desc=desc)
    return tqdm(
        total=total,
        unit=unit,
        desc=desc,
        bar_format="{desc}: {n_fmt}/{total_fmt} {unit} in {elapsed}, {remaining} left, {rate_noinv_fmt}{postfix}\n",
        mininterval=LOG_INTERVAL_S,
        miniters=1,  # without it a second thread repeats lines
        disable=False,
    )
