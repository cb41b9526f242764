"""How long `ldrt --help` takes (goal: under 0.5 s)."""

import subprocess
import sys
import time

RUNS = 10


def main() -> dict[str, float]:
    """The median and the slowest of `RUNS` fresh processes."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ldrt", "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    return {"`ldrt --help`, median, s": sorted(times)[RUNS // 2], "`ldrt --help`, slowest, s": max(times)}
