"""A small dataset repo folder with the training configs, and tiny checkpoints of both families, made on the spot."""

import hashlib
import importlib.util
import io
import json
import random
from pathlib import Path

import pytest
from datasets import Dataset
from PIL import Image, ImageDraw

from dataset_builder.schema import EXAMPLES, PAIRS

ROOT = Path(__file__).parents[2]
COLOURS = {"red": (225, 25, 30), "green": (20, 175, 50), "blue": (35, 60, 235), "yellow": (250, 215, 20)}
SIZES = [(96, 72), (60, 90), (200, 50), (64, 64)]
QUESTION = {"align": "", "detail": "What does this figure show?", "reasoning": "What follows from it, and why?"}
PROJECTOR = [f"multi_modal_projector.linear_{i}.{kind}" for i in (1, 2) for kind in ("bias", "weight")]
SPLIT_ROWS = {"train": 32, "validation": 4, "test": 4}


def picture(colour: str, side: str, size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", size, (90, 90, 90))
    width, height = size
    x = width * (0.25 if side == "left" else 0.75)
    radius = min(size) / 4
    ImageDraw.Draw(image).ellipse([x - radius, height / 2 - radius, x + radius, height / 2 + radius], COLOURS[colour])
    return image.convert(mode)


def example(number: int, task: str) -> dict:
    chance = random.Random(number)
    colour, side = chance.choice(sorted(COLOURS)), chance.choice(["left", "right"])
    file = io.BytesIO()
    picture(colour, side, SIZES[number % len(SIZES)]).save(file, "PNG")
    answer = f"The map shows a {colour} hot spot on the {side} side."
    if task == "reasoning":
        answer = f"The {side} side took up most of the dose, because the {colour} signal is highest there."
    row = {
        "images": [{"bytes": file.getvalue(), "path": None}],
        "prompt": [{"role": "user", "content": QUESTION[task]}],
        "completion": [{"role": "assistant", "content": answer}],
        "task": task,
        "example_id": f"{number}/{task}",
        "figure_id": str(number),
        "article_id": str(number),
    }
    return {column: row.get(column) for column in EXAMPLES}


def write_dataset(folder: Path) -> Path:
    first = 0
    for split, count in SPLIT_ROWS.items():
        numbers = range(first, first + count)
        first += count
        rows = {task: [example(number, task) for number in numbers] for task in QUESTION}
        for task, examples in rows.items():
            _write(Dataset.from_list(examples, features=EXAMPLES), folder / task / f"{split}-00000-of-00001.parquet")
        pairs = [
            {
                "image": row["images"][0],
                "figure_id": row["figure_id"],
                "article_id": row["article_id"],
                "caption": row["completion"][0]["content"],
                "context": ["It is seen in Figure 1."],
            }
            for row in rows["align"]
        ]
        pairs = [{column: row.get(column) for column in PAIRS} for row in pairs]
        _write(Dataset.from_list(pairs, features=PAIRS), folder / "pairs" / f"{split}-00000-of-00001.parquet")
    configs = {task: [task] for task in (*QUESTION, "pairs")} | {"instruct": ["detail", "reasoning"]}
    # `datasets` (5.2) caches a local folder by its name and card: without this, rows of an earlier fixture come back.
    content = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*/*.parquet")))).hexdigest()
    lines = ["---", "configs:"]
    for config, folders in configs.items():
        files = [{"split": s, "path": [f"{name}/{s}-*.parquet" for name in folders]} for s in SPLIT_ROWS]
        lines += [f"- config_name: {config}", f"  description: content {content}", f"  data_files: {json.dumps(files)}"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]), encoding="utf-8")
    return folder


def _write(dataset: Dataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_parquet(path)


def load_make_model():
    """recipes/tiny-llava/make_model.py, whose folder is no Python package."""
    spec = importlib.util.spec_from_file_location("make_model", ROOT / "recipes" / "tiny-llava" / "make_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "sample")


@pytest.fixture(scope="session")
def base(tmp_path_factory, dataset) -> Path:
    """A tiny LLaVA after a few steps of pre-training."""
    return _make(tmp_path_factory.mktemp("models") / "tiny-llava", dataset, "llava")


@pytest.fixture(scope="session")
def base_next(tmp_path_factory, dataset) -> Path:
    """A tiny LLaVA-NeXT."""
    return _make(tmp_path_factory.mktemp("models") / "tiny-llava-next", dataset, "llava_next")


def _make(folder: Path, dataset: Path, family: str) -> Path:
    load_make_model().main(["--dataset", str(dataset), "--output", str(folder), "--family", family, "--steps", "5"])
    return folder


def options(phase: int, model: Path, dataset: Path, output: Path, **changes) -> list[str]:
    """The tiny recipe's command line for two steps of global batch 4, with changes."""
    changes = {
        "model_name_or_path": model,
        "dataset_name": dataset,
        "output_dir": output,
        "max_steps": 2,
        "per_device_train_batch_size": 4,
        "logging_steps": 1,
        "save_strategy": "no",
        **changes,
    }
    words = ["--config", str(ROOT / "recipes" / "tiny-llava" / f"phase{phase}.yaml")]
    return words + [word for key, value in changes.items() for word in (f"--{key}", str(value))]


@pytest.fixture(scope="session")
def phase1(tmp_path_factory, base, dataset) -> Path:
    """A finished phase 1."""
    from recipes import sft

    output = tmp_path_factory.mktemp("runs") / "phase1"
    assert sft.main(options(1, base, dataset, output)) == 0
    return output


@pytest.fixture(scope="session")
def phase2(tmp_path_factory, phase1, dataset) -> Path:
    """A finished phase 2."""
    from recipes import sft

    output = tmp_path_factory.mktemp("runs") / "phase2"
    assert sft.main(options(2, phase1, dataset, output)) == 0
    return output


def tensors(folder: Path) -> dict:
    """name -> tensor of a checkpoint or adapter folder."""
    from safetensors.torch import load_file

    (file,) = folder.glob("*.safetensors")
    return load_file(file)


def moved_share(before, after) -> float:
    """Share of the numbers of a tensor that training has changed."""
    return (before.float() != after.float()).float().mean().item()
