"""How fast, and how much on the disk, a whole `ldrt build` is: on copies of the sample's JATS packages with pictures.

Also what it costs to add ten articles, and to be killed half-way and run again.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.replicas import write_replicas

ARTICLES = 400
ADDED = 10
CORES = 2
FIRST = f"build, {CORES} processes, {ARTICLES} JATS articles with pictures, s"
AGAIN = "build again with nothing new, s"
WORK_KB, DATASET_KB = "build, records, KB an article", "build, dataset, KB an article"


def main() -> dict[str, float]:
    """Seconds of builds in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        articles, dataset, second = Path(folder, "articles"), Path(folder, "dataset"), Path(folder, "second")
        write_replicas(articles, ARTICLES)
        first, again = _seconds(articles, dataset), _seconds(articles, dataset)
        sizes = _bytes(dataset / ".work"), _bytes(dataset / "pairs") + _bytes(dataset / "provenance")
        write_replicas(articles, ADDED, start=ARTICLES)
        added = _seconds(articles, dataset)
        shutil.rmtree(articles)
        write_replicas(articles, ARTICLES)
        killed = _until_killed(articles, second) + _seconds(articles, second)
        return {
            FIRST: first,
            f"build, {CORES} processes, articles/s": ARTICLES / first,
            AGAIN: again,
            f"build with {ADDED} articles added, s": added,
            "build, killed half-way and run again, s more than without": killed - first,
            WORK_KB: sizes[0] / ARTICLES / 1e3,
            DATASET_KB: sizes[1] / ARTICLES / 1e3,
        }


def _start(articles: Path, dataset: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "ldrt", "build", str(articles), "--output", str(dataset), "--workers", str(CORES)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, **quiet, start_new_session=True)


def _seconds(articles: Path, dataset: Path) -> float:
    start = time.perf_counter()
    if _start(articles, dataset).wait():
        raise RuntimeError(f"ldrt build {articles} failed; run it by hand to see why")
    return time.perf_counter() - start


def _until_killed(articles: Path, dataset: Path) -> float:
    """Seconds until half of the records are there and the build is killed."""
    start = time.perf_counter()
    process = _start(articles, dataset)
    while sum(1 for _ in (dataset / ".work" / "records").glob("*/*/article.json")) < ARTICLES / 2:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return time.perf_counter() - start


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
