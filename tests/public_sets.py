"""Copies of the public benchmarks in the very columns of the originals, a few rows each, made on the spot.

    folder = write_set("vqa-rad", tmp_path)

The pictures are drawn, questions and answers are ours: no row is one of an original's.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
from datasets import Dataset, Features, Image, List, Value
from PIL import Image as PILImage

TEXT = Value("string")
PER_PICTURE, N_PICTURES = 2, 6  # questions a picture


def write_set(name: str, folder: Path) -> Path:
    """The benchmark `name` as a dataset folder, laid out as on the Hub."""
    target = folder / name
    (target / "data").mkdir(parents=True)
    _WRITERS[name](target)
    return target


def picture(i: int) -> PILImage.Image:
    """One of `N_PICTURES` pictures."""
    seed = np.random.default_rng(i // PER_PICTURE)
    return PILImage.fromarray(seed.integers(0, 255, (40, 50, 3), dtype=np.uint8))


def stored_picture(i: int, mode: str = "RGB") -> dict:
    file = io.BytesIO()
    picture(i).convert(mode).save(file, "JPEG")
    return {"bytes": file.getvalue(), "path": f"image_{i}.jpg"}


def _rows() -> range:
    return range(PER_PICTURE * N_PICTURES)


def _write_parquet(folder: Path, split: str, rows: list[dict], features: Features) -> None:
    Dataset.from_list(rows, features=features).to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")


def _write_vqa(folder: Path, mode: str = "RGB") -> None:
    """image, question, answer: every second question is for yes or no. A split `train` that must not be read."""
    rows = []
    for i in _rows():
        answer = ("yes", "No", "left lung", "in the heart")[i % 4]
        rows.append({"image": stored_picture(i, mode), "question": f"the dose of lesion {i} ?", "answer": answer})
    features = Features({"image": Image(), "question": TEXT, "answer": TEXT})
    _write_parquet(folder, "test", rows, features)
    (folder / "data" / "train-00000-of-00001.parquet").write_bytes(b"no Parquet")


def _write_pathology(folder: Path) -> None:
    _write_vqa(folder, "CMYK")


def _write_pmc(folder: Path) -> None:
    """A CSV, one column an option with its letter before it, and the pictures in a ZIP."""
    (folder / "data").rmdir()
    lines = ["Figure_path,Question ,Answer,Choice A ,Choice B ,Choice C ,Choice D ,Answer_label"]
    for i in _rows():
        name = f"PMC{i // PER_PICTURE}_F1.jpg"
        lines.append(f"{name},Where is lesion {i}?,left,A:right,B:left,C:heart,D:liver,B")
    (folder / "test_clean.csv").write_text("\n".join(lines) + "\n")
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for i in _rows()[::PER_PICTURE]:
            archive.writestr(f"images/PMC{i // PER_PICTURE}_F1.jpg", stored_picture(i)["bytes"])


def _write_medvlthinker(folder: Path) -> None:
    """Options as lines of a text; the last question has two pictures."""
    rows = [
        {
            "images": [stored_picture(i)] * (2 if i == _rows()[-1] else 1),
            "question": f"Which organ is lesion {i} in?",
            "options": "A. liver\nB. left lung\nC. right lung",
            "answer_label": "B",
            "answer": "left lung",
            "dataset_name": ("slake", "vqa_rad")[i % 2],
        }
        for i in _rows()
    ]
    texts = ("question", "options", "answer_label", "answer", "dataset_name")
    _write_parquet(folder, "test", rows, Features({"images": List(Image()), **dict.fromkeys(texts, TEXT)}))


def _write_lab_bench(folder: Path) -> None:
    """Config FigQA with the split `train` alone."""
    (folder / "data").rmdir()
    (folder / "FigQA").mkdir()
    rows = [
        {
            "id": f"id-{i}",
            "question": f"Which curve is lowest in panel {i}?",
            "ideal": "red",
            "distractors": ["blue", "green"],
            "canary": "not to be trained on",
            "source": None,
            "figure": stored_picture(i),
            "figure-path": None,
            "subtask": "figqa",
        }
        for i in _rows()
    ]
    features = Features({"id": TEXT, "question": TEXT, "ideal": TEXT, "distractors": List(TEXT), "canary": TEXT})
    features |= {"source": TEXT, "figure": Image(), "figure-path": TEXT, "subtask": TEXT}
    path = folder / "FigQA" / "train-00000-of-00001.parquet"
    Dataset.from_list(rows, features=Features(features)).to_parquet(path)
    card = "---\nconfigs:\n- config_name: FigQA\n  data_files: [{split: train, path: FigQA/train-*}]\n---\n"
    (folder / "README.md").write_text(card)


_WRITERS = {
    "vqa-rad": _write_vqa,
    "slake": _write_vqa,
    "path-vqa": _write_pathology,
    "pmc-vqa": _write_pmc,
    "medvlthinker-eval": _write_medvlthinker,
    "lab-bench-figqa": _write_lab_bench,
}
