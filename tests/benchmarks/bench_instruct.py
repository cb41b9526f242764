"""Largest memory of `ldrt instruct`, by teacher, for few and for many examples: it should hardly grow.

    python -m tests.benchmarks instruct
    LDRT_EXAMPLES=10000,100000 LDRT_WAYS='LLM|extractive' python -m tests.benchmarks instruct     # half an hour

Figures have a caption, two sentences of context and a picture of one pixel; two examples each. The server is on
loopback, in a process of its own.
"""

import base64
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet

from dataset_builder.schema import PAIRS
from dataset_builder.teaching.evidence import TASKS
from dataset_builder.teaching.making.configs import count_examples

EXAMPLES = (1_000, 10_000)
FIGURES_AN_ARTICLE, FIGURES_A_TEST = 4, 50  # one in so many is held out
_FIGURES_A_GROUP = 1_000
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
_CONTEXT = (
    "The edema of the left paw of animal {n} decreased by {a}.{b} mm because the dose to the joint was low.",
    "Macrophages of culture {n} released {b} pg of the cytokine within {a} hours.",
)
_RUN = """
import resource, sys, ldrt
from dataset_builder import instruct
options = ldrt.parse(instruct.Options, sys.argv[1:], prog="bench")
instruct.run(options)
print("run", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
ldrt._render_card(__import__("pathlib").Path(options.dataset))
print("all", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> dict[str, float]:
    """Megabytes of the process at its largest, when the configs are written and with the card and the pages."""
    sizes = [int(n) for n in os.environ["LDRT_EXAMPLES"].split(",")] if "LDRT_EXAMPLES" in os.environ else EXAMPLES
    rows: dict[str, float] = {}
    with _server() as url:
        llm = ["--teacher=openai", f"--base_url={url}", "--model=teacher", "--concurrency=32"]
        ways = {"LLM": llm, "LLM and verifier": [*llm, "--verifier=other"]}
        ways |= {"LLM, shuffled": [*llm, "--context=shuffled"], "extractive": []}
        ways["LLM, verifier, shuffled"] = [*llm, "--verifier=other", "--context=shuffled"]
        chosen = os.environ.get("LDRT_WAYS", "|".join(ways)).split("|")
        for way, words in ((way, ways[way]) for way in chosen):
            for n in sizes:
                for what, megabytes in _peaks(n, words).items():
                    rows[f"instruct, {way}, {n:,} examples, {what}: memory, MB"] = megabytes
                    print(way, n, what, round(megabytes), file=sys.stderr, flush=True)
    return rows


@contextlib.contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.teacher_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.kill()


def _peaks(n_examples: int, words: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        _write_pairs(dataset, n_examples // 2)
        command = [sys.executable, "-c", _RUN, str(dataset), *words]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        made = sum(count_examples(dataset, task) for task in TASKS)
    if made < 0.9 * n_examples:
        raise RuntimeError(f"only {made} of {n_examples} examples passed: what was measured is something else")
    return {what: float(megabytes) for what, megabytes in map(str.split, said.splitlines()[-2:])}


def _write_pairs(dataset: Path, n_figures: int) -> None:
    (dataset / "pairs").mkdir(parents=True)
    for split in ("train", "test"):
        numbers = [n for n in range(n_figures) if (n // FIGURES_AN_ARTICLE % FIGURES_A_TEST == 0) == (split == "test")]
        path = dataset / "pairs" / f"{split}-00000-of-00001.parquet"
        with parquet.ParquetWriter(path, PAIRS.arrow_schema) as writer:
            for start in range(0, len(numbers), _FIGURES_A_GROUP):
                rows = [_row(n) for n in numbers[start : start + _FIGURES_A_GROUP]]
                writer.write_table(pyarrow.Table.from_pylist(rows, PAIRS.arrow_schema))


def _row(n: int) -> dict:
    said = {"n": n, "a": 2 + n % 7, "b": 11 + n % 83}
    article = f"PMC{n // FIGURES_AN_ARTICLE}"
    caption = (
        "Map of the dose in the left lung of animal {n}, {a} weeks after a single fraction of {b} Gy, drawn from above "
        "with the heart in the middle of the picture."
    )
    return dict.fromkeys(PAIRS) | {
        "image": {"bytes": _PIXEL, "path": None},
        "caption": caption.format(**said),
        "context": [sentence.format(**said) for sentence in _CONTEXT],
        "questions": [],
        "label": "Figure 1",
        "figure_id": f"{article}/fig{n % FIGURES_AN_ARTICLE}",
        "panels": [],
        "article_id": article,
        "language": "en",
        "license": "CC-BY-4.0",
        "licenses": ["CC-BY-4.0"],
        "notes": [],
        "source": "jats",
        "width": 1,
        "height": 1,
        "sharpness": 200.0,
    }
