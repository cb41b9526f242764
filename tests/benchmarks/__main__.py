"""`make bench`: run every benchmark of this folder and print one table; `python -m tests.benchmarks pdf` runs one.

A benchmark is a module `bench_NAME` whose `main()` returns what it measured: name with unit -> number. LDRT_ARTICLES
may name a folder of real articles; without it the sample corpus is measured.
"""

import datetime
import importlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import projection

PACKAGES = (
    "docling",
    "docling-parse",
    "pypdfium2",
    "lxml",
    "opencv-python-headless",
    "pillow",
    "datatrove",
    "pebble",
    "torch",
    "transformers",
    "trl",
    "peft",
)


def main(names: list[str]) -> None:
    """Print the table, and the projection when everything it needs was measured."""
    today = datetime.datetime.now().astimezone().date()
    print(f"{today}, {os.cpu_count()} cores, {_cpu()}, Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    print("real articles" if "LDRT_ARTICLES" in os.environ else "sample corpus", end="\n\n")
    measured: dict[str, float] = {}
    print(f"| {'measured':<72} | {'':>10} |\n| {'-' * 72} | {'-' * 9}: |", flush=True)
    for name in names or sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")):
        rows = importlib.import_module(f"tests.benchmarks.bench_{name}").main()
        for what, value in rows.items():
            print(f"| {what:<72} | {value:>10.4g} |", flush=True)
        measured |= rows
    if measured.keys() >= projection.NEEDED:
        print("\n" + projection.table(measured))


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main(sys.argv[1:])
