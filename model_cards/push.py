"""`ldrt push DATASET ORG/NAME --policy commercial|noncommercial|all`: dataset repo folder -> Hub.

    ldrt push dataset my-org/my-dataset                        # private, rows that permit commercial use
    ldrt push dataset my-org/my-dataset --policy all --dry_run true

The policy decides row by row, by the column `license` (see model_cards/licenses.py): what it does not permit is left
out of every config, with its picture, and so are its caption, context and article text under `provenance/`. What is
published gets a card and a preview of its own, made from what is left. Sent are README.md, preview.html, the configs'
Parquet files, eval.yaml, and of `provenance/` manifest.json, splits.json, audit.json, the JSONL files and the articles'
Markdown (as one file, `provenance/markdown.parquet`); nothing else. Remote files of these names that are no longer part
of it are deleted, other files in the repository stay.

One atomic commit; run it again after an interruption, and only what is missing is sent. When nothing changed no commit
is made.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from model_cards.files import read_json, read_jsonl
from model_cards.licenses import Policy, permits

MANAGED = (
    *("README.md", "eval.yaml", "preview.html", "provenance/**"),
    *("pairs/*.parquet", "align/*.parquet", "detail/*.parquet", "reasoning/*.parquet", "instruct/*.parquet"),
)
PREVIEW_ROWS = 500  # figures of the published preview, some ten megabytes
_ROWS_A_GROUP = 100  # rows with pictures are held in memory by this many
_CDC = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}  # as `datasets` writes, for Xet


@dataclass
class Options:
    """Options of `ldrt push`."""

    dataset: str = field(metadata={"help": "dataset repo folder made by `ldrt build`", "positional": True})
    repo_id: str = field(metadata={"help": "ORG/NAME or USER/NAME on the Hub", "positional": True})
    policy: Policy = field(
        default="commercial",
        metadata={
            "help": "rows to publish: `commercial` (CC-BY, CC-BY-SA, public domain), `noncommercial` (and CC-BY-NC, "
            "CC-BY-NC-SA), `all` (whatever the licence: only when you may)"
        },
    )
    private: bool = field(default=True, metadata={"help": "visibility of the repository"})
    tag: str | None = field(default=None, metadata={"help": "name for the published state, such as v1"})
    dry_run: bool = field(
        default=False, metadata={"help": "do everything but talk to the Hub; list what would be sent"}
    )
    limit_s: float = field(default=6 * 3600.0, metadata={"help": "give up after this time, seconds"})


def run(options: Options) -> str:
    """Publish the dataset; returns what was sent and what was left out.

    Raises FileNotFoundError for a folder that is no dataset, ValueError for a leaking split, a wrong repository id or a
    bad card, RuntimeError when no row may be published or the Hub refuses.
    """
    from model_cards import hub
    from model_cards.cards.dataset_card import config_files, render_dataset_card

    dataset = Path(options.dataset)
    repo = hub.Repo(options.repo_id, "dataset", options.private)
    card = render_dataset_card(dataset, options.repo_id)
    _refuse_collisions(dataset / "provenance" / "splits.json")
    _refuse_nothing(config_files(dataset), options.policy)
    folder = dataset / ".work" / f"push-{options.policy}"
    try:
        if options.dry_run:
            counts, files = stage(dataset, folder, options.policy, options.repo_id)
            return "\n".join([_summary(counts), f"would send to {repo.url}:", *(f"  {path}" for path in files)])
        with hub.session(repo, options.limit_s):
            hub.preflight(repo, card)
            counts, files = stage(dataset, folder, options.policy, options.repo_id)
            done = hub.commit(repo, files, MANAGED, f"Push rows under policy {options.policy}", options.tag)
            tag = options.tag and hub.tag(repo, done.sha, options.tag)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return f"{_summary(counts)}\n{done.describe(repo)}{f', tag {tag}' if tag else ''}"


def _refuse_collisions(path: Path) -> None:
    if not path.exists():
        return
    try:
        collisions = read_json(path)["collisions"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is no leakage certificate ({error!r}): run `ldrt build` again") from error
    if collisions:
        raise ValueError(
            f"{path} reports {len(collisions)} collisions between splits, first {json.dumps(collisions[0])}: "
            "not published; mend the articles and run `ldrt build` again"
        )


def _refuse_nothing(configs: dict, policy: Policy) -> None:
    """Raises RuntimeError when the policy leaves no row."""
    from model_cards.cards.dataset_card import column_counts

    paths = [path for splits in configs.values() for paths in splits.values() for path in paths]
    licenses = column_counts(paths, "license")
    if not any(permits(policy, license) for license in licenses):
        stated = ", ".join(f"{name or 'not stated'}: {n}" for name, n in sorted(licenses.items(), key=str))
        raise RuntimeError(
            f"no row may be published under the policy {policy}; the rows' licences are {stated or 'none'}"
        )


def stage(dataset: Path, folder: Path, policy: Policy, repo_id: str) -> tuple[dict, dict[str, Path]]:
    """Lay out what `policy` permits in `folder` (links where nothing is left out).

    Returns the rows by config ({"published": n, "left_out": m}) and, by path in the repository, the files to send.
    """
    from model_cards.cards.dataset_card import CONFIGS, SPLITS, config_files, write_dataset_card
    from model_cards.preview.page import write_preview

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    configs, counts = config_files(dataset), {}
    for name in CONFIGS:
        parts = [_stage_split(configs.get(name, {}).get(split, []), folder / name, split, policy) for split in SPLITS]
        if name in configs:
            counts[name] = {key: sum(part[key] for part in parts) for key in ("published", "left_out")}
    _stage_provenance(dataset, folder, policy)
    _stage_eval(dataset, folder)
    _record(folder / "provenance" / "manifest.json", policy, counts)
    write_dataset_card(folder, repo_id)
    if "pairs" in configs:
        write_preview(folder, PREVIEW_ROWS, build=dataset)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return counts, {path.relative_to(folder).as_posix(): path for path in files}


def _stage_split(paths: list[Path], folder: Path, split: str, policy: Policy) -> dict[str, int]:
    """Write or link the permitted rows of one split; its files are numbered anew, as some may fall away."""
    from tqdm import tqdm

    from model_cards.cards.dataset_card import column_counts

    counts, kept = Counter(published=0, left_out=0), []
    for path in paths:
        licenses = column_counts([path], "license")
        published = sum(n for license, n in licenses.items() if permits(policy, license))
        counts.update(published=published, left_out=licenses.total() - published)
        if published:
            kept.append((path, published == licenses.total()))
    for i, (path, is_whole) in enumerate(tqdm(kept, desc=f"{folder.name} {split}", unit="file", disable=None)):
        folder.mkdir(exist_ok=True)
        target = folder / f"{split}-{i:05}-of-{len(kept):05}.parquet"
        if is_whole:
            target.symlink_to(path.resolve())
        else:
            write_permitted(path, target, policy)
    return dict(counts)


def write_permitted(source: Path, target: Path, policy: Policy) -> None:
    """Copy the rows of a Parquet file that `policy` permits, in their order; the same rows give the same bytes.

    Schema, metadata and compression are the source's; `_ROWS_A_GROUP` rows are in memory at a time.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(source, pre_buffer=False) as file:
        writer = parquet.ParquetWriter(
            target, file.schema_arrow, write_page_index=True, use_content_defined_chunking=_CDC, **_encoding(file)
        )
        with writer:
            pending = []
            for batch in file.iter_batches(batch_size=_ROWS_A_GROUP):
                mask = [permits(policy, license) for license in batch.column("license").to_pylist()]
                pending.append(pyarrow.Table.from_batches([batch]).filter(pyarrow.array(mask)))
                if sum(map(len, pending)) >= _ROWS_A_GROUP:
                    writer.write_table(pyarrow.concat_tables(pending))
                    pending = []
            if pending:
                writer.write_table(pyarrow.concat_tables(pending))


def _encoding(file) -> dict:
    """Compression and dictionary use of each column of a Parquet file, as `ParquetWriter` takes them."""
    group = file.metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    compression = {column.path_in_schema: column.compression.lower() for column in columns}
    dictionary = [column.path_in_schema for column in columns if column.has_dictionary_page]
    return {
        "compression": {path: "none" if name == "uncompressed" else name for path, name in compression.items()},
        "use_dictionary": dictionary,
    }


def _stage_provenance(dataset: Path, folder: Path, policy: Policy) -> None:
    """Write the permitted part of `provenance/`."""
    source, target = dataset / "provenance", folder / "provenance"
    target.mkdir()
    for name in ("manifest.json", "splits.json", "audit.json"):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    for path in sorted(source.glob("[!.]*.jsonl")):
        with (target / path.name).open("w", encoding="utf-8") as file:
            for row in read_jsonl(path):
                # failed.jsonl has file names and errors; text from an article comes with the article's licence
                if path.name == "failed.jsonl" or permits(policy, row.get("license")):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    _stage_markdown(dataset, target / "markdown.parquet", policy)


def _stage_markdown(dataset: Path, target: Path, policy: Policy) -> None:
    """Pack the permitted articles' Markdown into one Parquet file: tens of thousands of small files, sent singly,
    would make the commit larger than the Hub takes.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    paths = sorted((dataset / "provenance" / "markdown").glob("[!.]*.md"))
    licenses = _article_licenses(dataset)
    kept = [path for path in paths if all(permits(policy, name) for name in licenses.get(unquote(path.stem), {None}))]
    if not kept:
        return
    schema = pyarrow.schema([(name, pyarrow.string()) for name in ("article_id", "license", "markdown")])
    with parquet.ParquetWriter(target, schema, write_page_index=True, use_content_defined_chunking=_CDC) as writer:
        for start in range(0, len(kept), _ROWS_A_GROUP):
            rows = [_markdown_row(path, licenses) for path in kept[start : start + _ROWS_A_GROUP]]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))


def _markdown_row(path: Path, licenses: dict[str, set]) -> dict:
    article_id = unquote(path.stem)
    stated = sorted(name for name in licenses.get(article_id, ()) if name)
    return {
        "article_id": article_id,
        "license": stated[0] if stated else None,
        "markdown": path.read_text(encoding="utf-8"),
    }


def _article_licenses(dataset: Path) -> dict[str, set[str | None]]:
    """article_id -> the licences of its figures, kept, rejected or supplementary."""
    licenses: dict[str, set[str | None]] = {}
    for article_id, license in _stated(dataset):
        licenses.setdefault(article_id, set()).add(license)
    return licenses


def _stated(dataset: Path) -> Iterator[tuple[str, str | None]]:
    import pyarrow.parquet as parquet

    from model_cards.cards.dataset_card import config_files

    for path in (path for paths in config_files(dataset).get("pairs", {}).values() for path in paths):
        for batch in parquet.ParquetFile(path).iter_batches(columns=["article_id", "license"]):
            yield from ((row.get("article_id"), row.get("license")) for row in batch.to_pylist())
    for name in ("rejected.jsonl", "supplementary.jsonl"):
        for row in read_jsonl(dataset / "provenance" / name):
            yield row.get("article_id"), row.get("license")


def _stage_eval(dataset: Path, folder: Path) -> None:
    """Link eval.yaml when every config it names is there."""
    import yaml

    tasks = dataset / "eval.yaml"
    if tasks.exists():
        declared = yaml.safe_load(tasks.read_text(encoding="utf-8")) or {}
        named = {task.get("config") for task in declared.get("tasks", [])}
        if all((folder / name).is_dir() for name in named if name):
            (folder / tasks.name).symlink_to(tasks.resolve())


def _record(path: Path, policy: Policy, counts: dict) -> None:
    """Note in the published manifest what the policy left out; the card says it."""
    manifest = read_json(path) or {"stages": {}}
    manifest["stages"]["push"] = {"options": {"policy": policy}, "counts": counts}
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _summary(counts: dict) -> str:
    lines = [f"{name:<10} {n['published']:>7} rows, {n['left_out']} left out" for name, n in counts.items()]
    return "\n".join(lines)
