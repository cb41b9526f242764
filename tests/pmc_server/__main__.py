"""`python -m tests.pmc_server --articles 100 --latency_s 0.05`: a server in a process of its own; prints its port."""

import argparse
import sys

from tests.pmc_server import PmcServer

XML = (
    b'<article xmlns:xlink="http://www.w3.org/1999/xlink"><body><fig>'
    b'<graphic xlink:href="fig1"/></fig></body></article>'
)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--articles", type=int, default=100)
parser.add_argument("--latency_s", type=float, default=0.0)
parser.add_argument("--picture_bytes", type=int, default=50_000)
options = parser.parse_args()
with PmcServer(options.latency_s) as server:
    for i in range(1, options.articles + 1):
        files = {f"PMC{i}.1.xml": XML, f"PMC{i}.1.pdf": b"%PDF" * 1000, "fig1.jpg": b"x" * options.picture_bytes}
        server.add(f"PMC{i}", 1, files)
    print(server.port, flush=True)
    sys.stdin.read()  # until whoever started it goes
