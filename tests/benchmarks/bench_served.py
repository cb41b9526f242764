"""How much of a served model's time `ldrt generate` uses, with pictures of 1200 x 900 pixels: a loopback server of its
own process with 2 s latency and room for N requests (goal: 95 % of ideal at 16, 90 % at 64).

The whole run counts: reading the dataset, the manifest, the first picture, the last line of predictions.jsonl. Two
kinds of pictures: JPEGs as publishers make them, which go as they are, and JPEGs, PNGs, TIFFs and JPEGs with a camera's
turn mixed, half of which must be encoded; every picture is asked about twice, as in the project's datasets.
"""

import io
import tempfile
import time
from pathlib import Path

import numpy as np
from datasets import Dataset
from PIL import Image, ImageDraw, ImageFilter

from dataset_builder import schema
from dataset_builder.files.jsonfiles import read_jsonl
from evaluation.generate import Options, run
from tests.benchmarks.judge_server import serve

LATENCY_S = 2.0
ROUNDS = 12  # questions / N
CAPACITIES = (16, 64)
SIZE = (1200, 900)
N_DRAWN = 16  # different pictures of a kind; each row's bytes differ from all others'
TURNED = 6  # EXIF orientation


def main() -> dict[str, float]:
    """Share of the ideal time, and CPU time a question."""
    rows = {}
    for kind, files in (("JPEG", ["JPEG"]), ("mixed", ["JPEG", "PNG", "TIFF", "turned JPEG"])):
        drawn = [_picture(i, files[i % len(files)]) for i in range(N_DRAWN)]
        for capacity in CAPACITIES:
            with tempfile.TemporaryDirectory() as folder:
                seconds, cpu_s = _measure(Path(folder), drawn, capacity)
            name = f"generate, {kind} {SIZE[0]} x {SIZE[1]}, {capacity} at once"
            rows[f"{name}, % of ideal"] = 100 * ROUNDS * LATENCY_S / seconds
            rows[f"{name}, ms of CPU a question"] = cpu_s / (ROUNDS * capacity) * 1e3
    return rows


def _measure(folder: Path, drawn: list[bytes], capacity: int) -> tuple[float, float]:
    """(seconds, CPU seconds) for `ROUNDS * capacity` questions."""
    n = ROUNDS * capacity
    dataset = _dataset(folder / "dataset", drawn, n)
    options = Options("model", str(folder / "run"), str(dataset), tasks=["detail"], concurrency=capacity)
    with serve(capacity, LATENCY_S) as url:
        options.base_url = url
        start, cpu = time.perf_counter(), time.process_time()
        run(options)
        seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    answers = {row["example_id"]: row["prediction"] for row in read_jsonl(folder / "run" / "predictions.jsonl")}
    if len(answers) != n or None in answers.values():
        raise RuntimeError("not every question has its answer")
    return seconds, cpu_s


def _dataset(folder: Path, drawn: list[bytes], n: int) -> Path:
    (folder / "detail").mkdir(parents=True)
    rows = (_row(i, drawn[i // 2 % len(drawn)]) for i in range(n))
    Dataset.from_list(list(rows), features=schema.EXAMPLES).to_parquet(folder / "detail" / "test-0.parquet")
    (folder / "README.md").write_text(
        "---\nconfigs: [{config_name: detail, data_files: [{split: test, path: detail/test-*}]}]\n---\n"
    )
    return folder


def _row(i: int, picture: bytes) -> dict:
    figure = f"PMC{i // 2}/fig1"
    known = {
        "images": [{"bytes": picture, "path": None}],
        "prompt": [{"role": "user", "content": "What does the figure show?"}],
        "completion": [{"role": "assistant", "content": "A curve that rises."}],
        "task": "detail",
        "example_id": f"{figure}/detail/{i % 2}",
        "figure_id": figure,
        "article_id": f"PMC{i // 2}",
        "license": "CC-BY-4.0",
        "licenses": ["CC-BY-4.0"],
        "teacher": "extractive",
        "evidence": [],
    }
    return {column: known.get(column) for column in schema.EXAMPLES}


def _picture(seed: int, kind: str) -> bytes:
    """A figure of three photographs and a plot: 70 kB as a JPEG, 0.5 MB as a PNG or TIFF."""
    random = np.random.default_rng(seed)
    figure = Image.new("RGB", SIZE, "white")
    for place in ((30, 30), (630, 30), (30, 480)):
        noise = random.integers(0, 255, (390, 540), dtype=np.uint8)
        figure.paste(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)), place)
    curve = [(650 + 5 * x, int(y)) for x, y in enumerate(random.integers(500, 860, 100))]
    ImageDraw.Draw(figure).line(curve, fill="navy", width=3)
    file, exif = io.BytesIO(), Image.Exif()
    if kind == "turned JPEG":
        exif[0x0112] = TURNED
    compression = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
    figure.save(file, kind.split()[-1], exif=exif, **compression)
    return file.getvalue()


if __name__ == "__main__":
    print(main())
