"""How much of a judge's time is used: a loopback server with 2 s latency and room for N requests (goal: 95 %)."""

import tempfile
import time
from pathlib import Path

from dataset_builder.files.jsonfiles import read_jsonl
from dataset_builder.llm.client import ask
from dataset_builder.llm.requests import Request, Server
from evaluation.judging.asking import read_score
from tests.benchmarks.judge_server import serve

LATENCY_S = 2.0
ROUNDS = 10  # requests / N: the start of the client is part of the time, as it is in a real run
CAPACITIES = (1, 16, 128)
WORDS = "the dose in the left lung rises with the distance from the isocentre " * 60  # a prompt of about 700 words


def main() -> dict[str, float]:
    """Share of the ideal throughput, ledger and start of the client included, and CPU time a request."""
    rows = {}
    for capacity in CAPACITIES:
        seconds, cpu_s = _measure(capacity)
        share = ROUNDS * LATENCY_S / seconds
        rows[f"judge, {LATENCY_S:.0f} s latency, {capacity} at once, % of ideal throughput"] = 100 * share
        rows[f"judge, {capacity} at once, ms of CPU a request"] = cpu_s / (ROUNDS * capacity) * 1e3
    return rows


def _measure(capacity: int) -> tuple[float, float]:
    """(seconds, CPU seconds) for `ROUNDS * capacity` requests."""
    requests = [
        Request(
            [{"role": "user", "content": f"{i} {WORDS}"}], {"example_id": str(i)}, lambda reply: read_score("", reply)
        )
        for i in range(ROUNDS * capacity)
    ]
    with tempfile.TemporaryDirectory() as folder, serve(capacity, LATENCY_S) as url:
        ledger = Path(folder, "judgements.jsonl")
        start, cpu = time.perf_counter(), time.process_time()
        records = ask(requests, Server(url, "judge", concurrency=capacity), ledger, "score")
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        if {record["score"] for record in records.values()} != {7} or len(list(read_jsonl(ledger))) != len(requests):
            raise RuntimeError("not every request has its score in the ledger")
    return seconds, cpu_s
