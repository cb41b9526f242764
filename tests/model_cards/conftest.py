"""A small dataset repo folder, and the test Hub's fixtures."""

import hashlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.hub_server.fixtures import hub, hub_process, ldrt_client, run_client  # noqa: F401 - fixtures

LICENSES = ("CC-BY-4.0", "CC0-1.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0", None, "CC-BY-SA-4.0")
SPLIT_ROWS = {"train": 12, "validation": 6, "test": 6}
EVAL_YAML = "name: sample\ntasks:\n- {id: detail, config: detail, split: test}\n"


def _picture(number: int) -> dict:
    file = io.BytesIO()
    Image.new("RGB", (32, 24), (number * 9 % 256, 40, 90)).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def _sha256(number: int) -> str:
    return hashlib.sha256(_picture(number)["bytes"]).hexdigest()


def _pair(number: int) -> dict:
    article = f"PMC{number}"
    row = {"image": _picture(number), "caption": f"Dose curve {number}.", "context": [f"Figure 1 shows dose {number}."]}
    row["questions"] = []
    row |= {"label": "Figure 1", "figure_id": f"{article}/fig1", "panels": [], "article_id": article, "pmcid": article}
    row |= {"doi": f"10.5555/{number}", "title": f"Article {number}", "journal": "J", "year": 2020, "language": "en"}
    row |= {
        "license": LICENSES[number % len(LICENSES)],
        "source": "jats",
        "source_file": f"{article}.xml",
        "page": None,
    }
    row |= {"bbox": None, "width": 32, "height": 24, "sharpness": 200.0, "image_sha256": _sha256(number)}
    row |= {"attribution": "A. Author et al.", "article_type": "research-article", "status": None, "rights": None}
    row["licenses"] = [row["license"]]
    return row | {"notes": [], "phash": f"{number:016x}", "duplicate_group": None}


def _example(number: int, task: str) -> dict:
    pair = _pair(number)
    row = {"images": [pair["image"]], "prompt": [{"role": "user", "content": f"What is shown in {number}?"}]}
    row |= {"completion": [{"role": "assistant", "content": pair["caption"]}], "task": task, "teacher": "extractive"}
    row |= {key: pair[key] for key in ("figure_id", "article_id", "license", "licenses", "rights")}
    row |= {"example_id": f"{pair['figure_id']}/{task}", "prompt_sha256": None, "support": 1.0}
    return row | {"context_of": None, "panel": None, "kind": None, "evidence": [{"source": "caption", "sentence": 0}]}


def make_dataset(folder: Path, tasks: tuple[str, ...] = ("align", "detail", "reasoning")) -> Path:
    """A dataset repo folder as `ldrt build` and `ldrt instruct` lay it out: 24 figures, four a licence."""
    import datasets

    from dataset_builder.schema import features

    for config in ("pairs", *tasks):
        (folder / config).mkdir(parents=True)
        start = 0
        for split, n in SPLIT_ROWS.items():
            numbers = range(start, start + n)
            rows = [_pair(i) if config == "pairs" else _example(i, config) for i in numbers]
            table = datasets.Dataset.from_list(rows, features=features(config))
            table.to_parquet(folder / config / f"{split}-00000-of-00001.parquet")
            start += n
    _write_provenance(folder / "provenance")
    (folder / "eval.yaml").write_text(EVAL_YAML)
    (folder / "preview.html").write_text("<p>all figures</p>")
    (folder / ".work").mkdir()
    (folder / ".work" / "rows.jsonl").write_text("{}\n")
    return folder


def _write_provenance(folder: Path) -> None:
    (folder / "markdown").mkdir(parents=True)
    for number in range(sum(SPLIT_ROWS.values())):
        (folder / "markdown" / f"PMC{number}.md").write_text(f"# Article {number}\n\nText of PMC{number}.\n")
    rejected = [{k: v for k, v in _pair(n).items() if k != "image"} for n in range(100, 106)]
    rejected = [row | {"filter": "sharpness", "value": 12.5, "threshold": 100.0} for row in rejected]
    (folder / "rejected.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rejected))
    failed = {"article": "broken.pdf", "stage": "read pdf", "error": "no PDF"}
    (folder / "failed.jsonl").write_text(json.dumps(failed) + "\n" + '{"article": "cut of')
    splits = {name: {"articles": n, "figures": n, "groups": n} for name, n in SPLIT_ROWS.items()}
    certificate = {"seed": 0, "splits": splits, "collisions": []}
    (folder / "splits.json").write_text(json.dumps(certificate))
    counts = {"articles": 30, "failed": {"damaged PDF": 1}, "figures": 30, "kept": 24, "rejected": {"sharpness": 6}}
    build = {"versions": {"python": "3.11"}, "options": {"seed": 0}, "inputs_sha256": "ab" * 32, "counts": counts}
    (folder / "manifest.json").write_text(json.dumps({"stages": {"build": build}}))


@pytest.fixture(scope="session")
def dataset_template(tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("template") / "dataset")


@pytest.fixture
def dataset(dataset_template, tmp_path) -> Path:
    """A copy of the sample dataset folder that a test may change."""
    import shutil

    return shutil.copytree(dataset_template, tmp_path / "dataset")
