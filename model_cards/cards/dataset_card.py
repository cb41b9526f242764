"""The dataset card: `README.md` of a dataset repo folder, written from the folder's files only.

    write_dataset_card(Path("dataset"))

Nothing in it depends on the time or the machine: same files, same card. What a file would tell is left out when the
file is absent, so that a folder made with `datasets` alone gets a card, too.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as parquet
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model_cards.files import read_json, read_jsonl, write_text
from model_cards.licenses import card_fields, use_of

CONFIGS = ("pairs", "align", "detail", "reasoning")
SPLITS = ("train", "validation", "test")
_INSTRUCT = ("detail", "reasoning")  # config `instruct` lists their files, without a copy
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_TEST_DOI = "10.5555/"  # Crossref's prefix for DOIs of nothing real; the sample corpus uses it


def write_dataset_card(dataset: Path, repo_id: str | None = None) -> Path:
    """Write DATASET/README.md and return its path; `repo_id` (ORG/NAME) is named in the examples where it is known.

    Raises FileNotFoundError when the folder holds no config.
    """
    path = dataset / "README.md"
    write_text(path, render_dataset_card(dataset, repo_id))
    return path


def render_dataset_card(dataset: Path, repo_id: str | None = None) -> str:
    """The card's text; see `write_dataset_card`."""
    configs = config_files(dataset)
    if not configs:
        raise FileNotFoundError(
            f"{dataset} is no dataset repo folder (no pairs/train-*.parquet): run `ldrt build` first"
        )
    template = _environment().get_template("dataset_card.md.jinja")
    return template.render(
        **_rows_facts(configs), **_provenance_facts(dataset / "provenance"), repo_id=repo_id or "ORG/NAME"
    )


def _rows_facts(configs: dict[str, dict[str, list[Path]]]) -> dict:
    """What the Parquet files say, as the template's variables."""
    first = configs.get("pairs") or next(iter(configs.values()))
    figures = [path for paths in first.values() for path in paths]
    licenses, languages, sources, dois = (
        column_counts(figures, name) for name in ("license", "language", "source", "doi")
    )
    counts = {name: {split: _rows(paths) for split, paths in splits.items()} for name, splits in configs.items()}
    return {
        "front": _front_matter(configs, licenses, languages),
        "configs": _with_instruct(counts),
        "megabytes": {name: _bytes(splits) / 1e6 for name, splits in configs.items()},
        "licenses": [(name, n, use_of(name)) for name, n in _by_count(licenses)],
        "languages": _by_count(languages),
        "sources": _by_count(sources),
        "n_synthetic": sum(n for doi, n in dois.items() if (doi or "").startswith(_TEST_DOI)),
        "columns": {name: _columns(path) for name, path in _shapes(configs).items()},
    }


def _provenance_facts(folder: Path) -> dict:
    """What `provenance/` says, as the template's variables."""
    stages = _stages(read_json(folder / "manifest.json") or {})
    failed = stages["build"]["counts"].get("failed") or _jsonl_counts(folder / "failed.jsonl", "stage")
    return {
        "stages": stages,
        "failed": _by_count(failed),
        "rejected": _by_count(_jsonl_counts(folder / "rejected.jsonl", "filter")),
        "certificate": {"splits": {}, "collisions": []} | (read_json(folder / "splits.json") or {}),
        "audit": {"articles": 0} | (read_json(folder / "audit.json") or {}),
    }


def _front_matter(configs: dict[str, dict[str, list[Path]]], licenses: Counter, languages: Counter) -> str:
    """The card's YAML block."""
    named = sorted(name for name in languages if name)
    front = {
        **card_fields(set(licenses)),
        **({"language": named} if named else {}),
        "task_categories": ["image-to-text", "visual-question-answering"],
        "tags": ["biomedical", "figures", "image-caption", "ldrt-vlm"],
        "size_categories": [_size_category(licenses.total())],
        "configs": _config_yaml(configs),
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def config_files(dataset: Path) -> dict[str, dict[str, list[Path]]]:
    """config -> split -> its Parquet files; only what is there, in the order of `CONFIGS` and `SPLITS`."""
    found = {
        name: {split: paths for split in SPLITS if (paths := sorted((dataset / name).glob(f"{split}-*.parquet")))}
        for name in CONFIGS
    }
    return {name: splits for name, splits in found.items() if splits}


def column_counts(paths: Iterable[Path], column: str) -> Counter:
    """How often each value of a column occurs; every row counts as None where the column is absent."""
    counts = Counter()
    for path in paths:
        with parquet.ParquetFile(path) as file:
            if column in file.schema_arrow.names:
                for batch in file.iter_batches(columns=[column]):
                    counts.update(batch.column(0).to_pylist())
            else:
                counts[None] += file.metadata.num_rows
    return counts


def _stages(manifest: dict) -> dict[str, dict]:
    """The manifest's entry of each stage, with an empty field for what it does not say."""
    empty = {"versions": {}, "options": {}, "counts": {}, "inputs_sha256": None}
    made = {name: empty | entry for name, entry in manifest.get("stages", {}).items()}
    return dict.fromkeys(("build", "instruct", "push"), empty) | made


def _jsonl_counts(path: Path, key: str) -> Counter:
    return Counter(row.get(key) for row in read_jsonl(path))


def _by_count(counts: dict[str | None, int]) -> list[tuple[str | None, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))


def _rows(paths: list[Path]) -> int:
    return sum(parquet.read_metadata(path).num_rows for path in paths)


def _bytes(splits: dict[str, list[Path]]) -> int:
    return sum(path.stat().st_size for paths in splits.values() for path in paths)


def _size_category(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), _LARGEST)


def _with_instruct(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Add the row counts of `instruct`, the sum of its parts."""
    parts = Counter()
    for name in _INSTRUCT:
        parts.update(counts.get(name, {}))
    return counts | ({"instruct": dict(parts)} if parts else {})


def _config_yaml(configs: dict[str, dict[str, list[Path]]]) -> list[dict]:
    """The `configs:` block that tells the Hub and `datasets` which files make which config and split."""
    blocks = []
    for name in (*CONFIGS, "instruct"):
        parts = [part for part in (_INSTRUCT if name == "instruct" else (name,)) if part in configs]
        files = [
            {"split": split, "path": [f"{part}/{split}-*.parquet" for part in parts if split in configs[part]]}
            for split in SPLITS
            if any(split in configs[part] for part in parts)
        ]
        if files:
            default = {"default": True} if name == "pairs" else {}
            content = {"description": f"content {_content_sha256([configs[part] for part in parts])[:16]}"}
            blocks.append({"config_name": name, **default, **content, "data_files": files})
    return blocks


def _content_sha256(parts: list[dict[str, list[Path]]]) -> str:
    """A hash of the Parquet files. `datasets` (5.2) caches a local folder by its card's `configs:` alone: without
    it, `load_dataset` returns the old rows after a folder was built anew.
    """
    total = hashlib.sha256()
    for path in [path for splits in parts for paths in splits.values() for path in paths]:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _shapes(configs: dict[str, dict[str, list[Path]]]) -> dict[str, Path]:
    """One file for each shape of row: `pairs`, and one of the training configs, which share theirs."""
    examples = [name for name in configs if name != "pairs"]
    titles = {"`pairs`": "pairs"} if "pairs" in configs else {}
    if examples:
        titles[", ".join(f"`{name}`" for name in (*examples, "instruct"))] = examples[0]
    return {title: next(iter(configs[name].values()))[0] for title, name in titles.items()}


def _columns(path: Path) -> list[tuple[str, str]]:
    """(column, type) as `datasets` calls it, from the metadata it leaves in a Parquet file."""
    schema = parquet.read_schema(path)
    features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    return [(f.name, _type_name(features[f.name]) if f.name in features else str(f.type)) for f in schema]


def _type_name(feature) -> str:
    """{"dtype": "string", "_type": "Value"} -> "string"; lists and structs by what is in them."""
    kind = feature.get("_type")
    if kind == "Value":
        return feature["dtype"]
    if kind == "List":
        return f"list[{_type_name(feature['feature'])}]"
    if isinstance(kind, str):
        return kind
    return "{" + ", ".join(f"{name}: {_type_name(inner)}" for name, inner in feature.items()) + "}"


def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["cell"] = lambda value: " ".join(str(value).split()).replace("|", "\\|")
    environment.filters["yaml"] = lambda value: yaml.safe_dump(value, allow_unicode=True).rstrip()
    return environment
