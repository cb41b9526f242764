"""How many JATS articles a core reads a second, without decoding pictures.

On the sample corpus, or on the XML files of the folder that the environment variable LDRT_ARTICLES names.
"""

import os
import tempfile
import time
from pathlib import Path

from dataset_builder.readers.jats.reader import read_jats
from dataset_builder.sample.corpus import write_corpus

ARTICLES_A_SECOND = "JATS without pictures, one process, articles/s"
SECONDS = 5.0  # at least this long, over and over the same files


def main() -> dict[str, float]:
    """Articles and megabytes a second of one process."""
    with tempfile.TemporaryDirectory() as folder:
        articles = Path(os.environ.get("LDRT_ARTICLES", folder))
        if str(articles) == folder:
            write_corpus(articles)
        paths = _readable(articles)
        megabytes = sum(path.stat().st_size for path in paths) / len(paths) / 1e6
        start, n = time.perf_counter(), 0
        while time.perf_counter() - start < SECONDS:
            for path in paths:
                read_jats(path)
            n += len(paths)
        rate = n / (time.perf_counter() - start)
    return {ARTICLES_A_SECOND: rate, "JATS without pictures, one process, MB/s": rate * megabytes}


def _readable(articles: Path) -> list[Path]:
    """The JATS files that can be read; broken ones would be timed for their error."""
    found = []
    for path in sorted([*articles.rglob("*.xml"), *articles.rglob("*.nxml")]):
        try:
            read_jats(path)
            found.append(path)
        except ValueError:
            continue
    return found
