"""`ldrt fetch` against a loopback server that answers after 50 ms: share of the rate limit reached, and memory.

The server runs in a process of its own. What is counted are requests a second while articles are fetched, against the
lower of the rate limit and what so many requests at once can reach at that latency.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

LATENCY_S = 0.05
CASES = ((4, 60), (16, 240), (64, 480))  # requests at once, requests a second
ARTICLES = 400
FILES = 3  # of an article: requests to fetch it
MEMORY_ARTICLES = (1_000, 4_000)
_DOMAIN = "name: bench\ntitle: bench\neuropepmc: x\n"


@contextlib.contextmanager
def _server(articles: int, latency_s: float) -> Iterator[int]:
    words = ["--articles", str(articles), "--latency_s", str(latency_s), "--picture_bytes", "50000"]
    command = [sys.executable, "-m", "tests.pmc_server", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


def _command(port: int, domain: Path, output: Path, *words: str) -> list[str]:
    address = f"http://127.0.0.1:{port}"
    urls = [f"--bucket_url={address}/bucket", f"--europepmc_url={address}/europepmc"]
    asked = ["--domain", str(domain), "--output", str(output), "--contact=bench@example.org"]
    return [sys.executable, "-m", "ldrt", "fetch", *asked, *urls, *words]


def main() -> dict[str, float]:
    """Share of what the rate limit allows; megabytes of the process at 1,000 and at 4,000 articles."""
    rows: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        domain = Path(folder) / "domain.yaml"
        domain.write_text(_DOMAIN)
        with _server(ARTICLES, LATENCY_S) as port:
            for concurrency, rate in CASES:
                seconds = _fetch_seconds(_command(port, domain, Path(folder) / str(concurrency)), concurrency, rate)
                possible = min(rate, concurrency / LATENCY_S)
                rows[f"fetch, {concurrency} at once: share of {possible:.0f} requests/s"] = (
                    ARTICLES * FILES / seconds / possible
                )
        for articles in MEMORY_ARTICLES:
            with _server(articles, 0) as port:
                command = _command(port, domain, Path(folder) / f"memory{articles}", "--rate=5000", "--concurrency=16")
                rows[f"fetch, {articles} articles: memory, MB"] = _peak_mb(command)
    return rows


def _fetch_seconds(command: list[str], concurrency: int, rate: int) -> float:
    """Seconds that the download takes once the list is there, the start of Python left out."""
    pace = [f"--concurrency={concurrency}", f"--rate={rate}"]
    subprocess.run([*command, *pace, "--dry_run=true"], check=True, capture_output=True)
    both = [_seconds([*command, *pace]), _seconds([*command, *pace])]  # with the articles, and with none left
    return both[0] - both[1]


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _peak_mb(command: list[str]) -> float:
    """The largest memory of the command's process."""
    script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True); "
    script += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", script, *command], check=True, capture_output=True, text=True)
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * unit / 1e6
