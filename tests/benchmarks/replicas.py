"""As many JATS articles as one wants: copies of the sample corpus with identifiers, captions and pictures of their own.

python -m tests.benchmarks.replicas FOLDER 10000
"""

import re
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from dataset_builder.sample.corpus import write_corpus

SIDE_PX = 384


def write_replicas(folder: Path, count: int, start: int = 0) -> None:
    """Write `count` packages (XML and its JPEG pictures) below `folder`, numbered from `start`; same arguments, same
    bytes."""
    with tempfile.TemporaryDirectory() as sample:
        write_corpus(Path(sample), articles=20)
        originals = sorted(path.parent for path in Path(sample).glob("jats-0*/article.*"))
        texts = [next(original.glob("article.*")).read_text(encoding="utf-8") for original in originals]
    for number in range(start, start + count):
        _write(folder / f"{number // 1000:03}" / f"article-{number:06}", texts[number % len(texts)], number)


def _write(folder: Path, text: str, number: int) -> None:
    folder.mkdir(parents=True)
    text = re.sub(r'(pub-id-type="pmc">)[^<]*', rf"\g<1>{20_000_000 + number}", text)
    text = re.sub(r'(pub-id-type="doi">)[^<]*', rf"\g<1>10.5555/replica.{number}", text)
    text = re.sub(r"(<caption>(?:<title>.*?</title>)?<p>)", rf"\g<1>Replica {number}. ", text)
    text = re.sub(r"(fig\d+)\.\w+", r"\1.jpg", text)
    (folder / "article.xml").write_text(text, encoding="utf-8")
    for i, name in enumerate(sorted(set(re.findall(r"fig\d+\.jpg", text)))):
        cells = np.random.default_rng([number, i]).integers(0, 256, (12, 12, 3), np.uint8)
        picture = cv2.resize(cells, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_NEAREST)  # (height, width, channel)
        (folder / name).write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())


if __name__ == "__main__":
    write_replicas(Path(sys.argv[1]), int(sys.argv[2]))
