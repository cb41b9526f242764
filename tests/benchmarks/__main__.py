"""`make bench`: run every benchmark of this folder and print its lines; `python -m tests.benchmarks help` runs one."""

import importlib
import sys
from pathlib import Path

names = sys.argv[1:] or sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
for name in names:
    print(f"== {name}", flush=True)
    importlib.import_module(f"tests.benchmarks.bench_{name}").main()
