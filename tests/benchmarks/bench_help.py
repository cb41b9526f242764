"""How long `ldrt --help` takes (goal: under 0.5 s)."""

import subprocess
import sys
import time

RUNS = 10


def main() -> None:
    """Print the median and the slowest of `RUNS` fresh processes, in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ldrt", "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    print(f"ldrt --help: median {sorted(times)[RUNS // 2]:.3f} s, slowest {max(times):.3f} s")
