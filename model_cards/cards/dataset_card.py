"""The dataset card: `README.md` of a dataset repo folder, written from the folder's files only.

    write_dataset_card(Path("dataset"))

Nothing in it depends on the time or the machine: same files, same card. What a file would tell is left out when the
file is absent, so that a folder made with `datasets` alone gets a card, too.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as parquet
from markupsafe import Markup

from model_cards.cards.text import GENERAL_TAGS, TEST_DOI, environment, yaml_file
from model_cards.dataset_folder import (
    CONFIGS,
    INSTRUCT,
    SPLITS,
    WITHHELD,
    Splits,
    all_files,
    column_counts,
    config_files,
    split_files,
    terms_counts,
)
from model_cards.files import write_text
from model_cards.provenance_files import AUDIT, CERTIFICATE, DATASET_MANIFEST, PROVENANCE, DatasetManifest
from model_cards.reviewing.review import read_review
from trust.ids import LANGUAGES, is_tag
from trust.licenses import card_fields, combined, use_of
from trust.markup import block, code, front_matter

DOMAINS = Path(__file__).parents[2] / "recipes" / "domains"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_SHOWN_CHANGES = 500  # ids of rows that are gone; all of them are in provenance/changelog.jsonl


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
    template = environment().get_template("dataset_card.md.jinja")
    provenance = _provenance_facts(dataset / "provenance")
    domain = provenance["stages"]["build"]["domain"]
    withheld = split_files(dataset / WITHHELD)
    rows = _rows_facts(configs, withheld, domain["tags"] if domain else [])
    review = read_review(dataset)
    screening = review.counts() if review else provenance["stages"]["push"]["screening"]
    return template.render(**rows, **provenance, screening=screening, repo_id=repo_id or "ORG/NAME")


def _rows_facts(configs: dict[str, Splits], withheld: Splits, tags: list[str]) -> dict:
    """What the Parquet files say, as the template's variables; `tags` are the domain's."""
    first = configs.get("pairs") or next(iter(configs.values()))
    figures = all_files(first)
    licenses = _licenses(figures)
    languages = column_counts(figures, "language")
    counts = {config: {split: _rows(paths) for split, paths in splits.items()} for config, splits in configs.items()}
    return {
        "front": _front_matter(configs, withheld, languages, tags),
        "configs": _with_instruct(counts),
        "megabytes": {config: _bytes(splits) / 1e6 for config, splits in configs.items()},
        "licenses": [(names, n, use_of(combined(names))) for names, n in licenses],
        "n_own_rights": sum(n for rights, n in column_counts(figures, "rights").items() if rights),
        "languages": _by_count(languages),
        "sources": _by_count(column_counts(figures, "source")),
        "n_synthetic": _synthetic(column_counts(figures, "doi")),
        "columns": {title: _columns(path) for title, path in _shapes(configs, withheld).items()},
        "withheld": {split: _rows(paths) for split, paths in withheld.items()},
        "withheld_licenses": _by_count(column_counts(all_files(withheld), "license")),
    }


def _licenses(paths: list[Path]) -> list[tuple[tuple[str | None, ...], int]]:
    """The licences that a figure's row is made of, and how many rows have just these; the most frequent first."""
    counts: Counter[tuple[str | None, ...]] = Counter()
    for (licenses, _), n in terms_counts(paths).items():
        counts[licenses] += n
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))


def _synthetic(dois: Counter[str | None]) -> int:
    """How many figures come from made-up articles."""
    return sum(n for doi, n in dois.items() if doi and doi.startswith(TEST_DOI))


def _provenance_facts(folder: Path) -> dict:
    """What `provenance/` says, as the template's variables."""
    stages = _stages(DATASET_MANIFEST.read_if_there(folder / "manifest.json") or {"stages": {}})
    failed = stages["build"]["counts"].get("failed") or _jsonl_counts(folder / "failed.jsonl", "stage")
    return {
        "stages": stages,
        "remake": _remake(stages),
        "failed": _by_count(failed),
        "rejected": _by_count(_jsonl_counts(folder / "rejected.jsonl", "filter")),
        "certificate": {"splits": {}, "collisions": []} | (CERTIFICATE.read_if_there(folder / "splits.json") or {}),
        "gone": _gone(folder / "changelog.jsonl"),
        "audit": {"articles": 0} | (AUDIT.read_if_there(folder / "audit.json") or {}),
    }


def _front_matter(
    configs: dict[str, Splits], withheld: Splits, languages: Counter[str | None], tags: list[str]
) -> Markup:
    """The card's YAML block: the licences of all rows, the languages that ISO 639-1 knows, the domain's `tags`."""
    files = [path for splits in configs.values() for path in all_files(splits)]
    licenses = {license for licenses, _ in terms_counts(files) for license in licenses}
    named = sorted(name for name in languages if name in LANGUAGES)
    front = {
        **card_fields(licenses),
        **({"language": named} if named else {}),
        "task_categories": ["image-to-text", "visual-question-answering"],
        "tags": [*GENERAL_TAGS, *filter(is_tag, tags)],
        "size_categories": [_size_category(languages.total())],
        "configs": [*_config_yaml(configs), *([_config_block(WITHHELD, {WITHHELD: withheld})] if withheld else [])],
    }
    return front_matter(front)


def _stages(manifest: DatasetManifest) -> dict[str, dict]:
    """The manifest's entry of each stage, with an empty field for what it does not say."""
    empty: dict = {"versions": {}, "options": {}, "counts": {}, "inputs_sha256": None, "disarmed": {}}
    empty |= {"domain": None, "archives": None, "rejected": {}, "verdicts": {}, "left_as_before": []}
    empty |= {"judges": [], "runs": [], "screening": None}
    stages = dict.fromkeys(("build", "instruct", "prefer", "push"), empty)
    for name, entry in manifest["stages"].items():
        stages[name] = empty | entry
    return stages


def _remake(stages: dict[str, dict]) -> Markup:
    """The commands of the stages that made the dataset, with files of their options."""
    build, instruct = stages["build"]["options"], dict(stages["instruct"]["options"])
    own = instruct.pop("context_file", None)  # of which the manifest has the hash
    lines = yaml_file("build.yaml", build) if build else []
    lines.append(
        f"ldrt build articles --output dataset{' --config build.yaml' * bool(build)}{_domain(stages['build'])}"
    )
    if stages["instruct"]["versions"]:
        lines += yaml_file("instruct.yaml", instruct) if instruct else []
        server = " --base_url http://localhost:8000/v1" * (instruct.get("teacher") == "openai")
        context = " --context_file contexts.jsonl" * (own is not None)
        lines.append(f"ldrt instruct dataset{' --config instruct.yaml' * bool(instruct)}{server}{context}")
    return block("\n".join(lines), "bash")


def _domain(build: dict) -> str:
    """The option for a domain that the project ships."""
    shipped = {path.stem for path in DOMAINS.glob("*.yaml")}
    name = (build["domain"] or {}).get("name")
    return f" --domain recipes/domains/{name}.yaml" if name in shipped else ""


def _gone(changelog: Path) -> list[dict]:
    """The newest rows of the changelog, by day and reason: {"day", "reason", "figure_ids"}, the newest first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in list(PROVENANCE["changelog.jsonl"].rows(changelog))[-_SHOWN_CHANGES:]:
        groups.setdefault((row["day"], row["reason"]), []).append(row["figure_id"])
    newest_first = sorted(groups.items(), reverse=True)
    return [{"day": day, "reason": reason, "figure_ids": ids} for (day, reason), ids in newest_first]


def _jsonl_counts(path: Path, key: str) -> Counter:
    return Counter(row.get(key) for row in PROVENANCE[path.name].rows(path))


def _by_count(counts: Mapping[str | None, int]) -> list[tuple[str | None, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))


def _rows(paths: list[Path]) -> int:
    return sum(parquet.read_metadata(path).num_rows for path in paths)


def _bytes(splits: Splits) -> int:
    return sum(path.stat().st_size for path in all_files(splits))


def _size_category(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), _LARGEST)


def _with_instruct(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Add the row counts of `instruct`, the sum of its parts."""
    total: Counter[str] = Counter()
    for config in INSTRUCT:
        total.update(counts.get(config, {}))
    return counts | {"instruct": dict(total)} if total else counts


def _config_yaml(configs: dict[str, Splits]) -> list[dict]:
    """The `configs:` block that tells the Hub and `datasets` which files make which config and split."""
    blocks = []
    for name in (*CONFIGS, "instruct"):
        parts = INSTRUCT if name == "instruct" else (name,)
        present = {part: configs[part] for part in parts if part in configs}
        if not present:
            continue
        blocks.append(_config_block(name, present))
    return blocks


def _config_block(name: str, parts: dict[str, Splits]) -> dict:
    return {
        "config_name": name,
        **({"default": True} if name == "pairs" else {}),
        "description": f"content {_content_sha256(parts)[:16]}",
        "data_files": _data_files(parts),
    }


def _data_files(parts: dict[str, Splits]) -> list[dict]:
    """[{"split": "train", "path": ["detail/train-*.parquet", "reasoning/train-*.parquet"]}, …]."""
    files = []
    for split in SPLITS:
        paths = [f"{part}/{split}-*.parquet" for part, splits in parts.items() if split in splits]
        if paths:
            files.append({"split": split, "path": paths})
    return files


def _content_sha256(parts: dict[str, Splits]) -> str:
    """A hash of the Parquet files. `datasets` (5.2) caches a local folder by its card's `configs:` alone: without
    it, `load_dataset` returns the old rows after a folder was built anew.
    """
    total = hashlib.sha256()
    for splits in parts.values():
        for path in all_files(splits):
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _shapes(configs: dict[str, Splits], withheld: Splits) -> dict[str, Path]:
    """Title -> one file for each shape of row: `pairs`, `preference`, `withheld`, and one of the others, which share
    theirs.
    """
    of_their_own = [config for config in ("pairs", "preference") if config in configs]
    shapes: dict[str, Path] = {code(config): all_files(configs[config])[0] for config in of_their_own}
    examples = [config for config in configs if config not in of_their_own]
    if examples:
        title = Markup(", ").join(code(config) for config in (*examples, "instruct"))
        shapes[title] = all_files(configs[examples[0]])[0]
    if withheld:
        shapes[code(WITHHELD)] = all_files(withheld)[0]
    return shapes


def _columns(path: Path) -> list[tuple[str, str]]:
    """(column, type) as `datasets` calls it, from the metadata it leaves in a Parquet file."""
    schema = parquet.read_schema(path)
    metadata = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = metadata.get("info", {}).get("features", {})
    columns = []
    for column in schema:
        known = column.name in features
        columns.append((column.name, _type_name(features[column.name]) if known else str(column.type)))
    return columns


def _type_name(feature: dict) -> str:
    """{"dtype": "string", "_type": "Value"} -> "string"; lists and structs by what is in them."""
    kind = feature.get("_type")
    if kind == "Value":
        return feature["dtype"]
    if kind == "List":
        return f"list[{_type_name(feature['feature'])}]"
    if isinstance(kind, str):
        return kind
    return "{" + ", ".join(f"{name}: {_type_name(inner)}" for name, inner in feature.items()) + "}"
