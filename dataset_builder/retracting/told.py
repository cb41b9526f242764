"""What the folder says of itself once rows are gone: changelogs, the certificate of its splits, the manifest."""

import datetime
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as parquet

from dataset_builder.assembly.duplicates import figure_key
from dataset_builder.assembly.splits import CERTIFICATE_FILE, certificate
from dataset_builder.files.jsonfiles import read_jsonl, write_json, write_jsonl, write_lines
from dataset_builder.manifest import MANIFEST_FILE
from dataset_builder.retracted import Retracted, Retraction
from dataset_builder.schema import CONFIGS, SPLITS
from trust.handovers import stamped
from trust.markup import code, markdown

if TYPE_CHECKING:
    from dataset_builder.assembly.changelog import RemovedRow

REASON = "taken_down"  # in changelog.jsonl
CHANGELOG = "CHANGELOG.md"
_TITLE = "# Changelog\n"
_OF_KEY = ("figure_id", "article_id", "image_sha256", "phash", "width", "height", "caption", "duplicate_group")
_NO_FIGURE = "not_a_caption"  # the filter of what is in rejected.jsonl and no figure
_CHOSEN = "chosen"  # of the counts of `ldrt prefer`: the pairs that are rows


def today() -> datetime.date:
    """The day, UTC; of SOURCE_DATE_EPOCH (seconds since 1970) where that is set. Raises ValueError where it is none."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.datetime.now(datetime.UTC).date()
    try:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"SOURCE_DATE_EPOCH={epoch} is no number of seconds since 1970: unset it") from error


# ---- changelogs


def write_changelogs(dataset: Path, entries: Sequence[Retraction]) -> None:
    """Add what goes to CHANGELOG.md, newest on top, and to provenance/changelog.jsonl; what is there is not said again.

    In a CHANGELOG.md that others have written, their lines stay.
    """
    _add_to_markdown(dataset / CHANGELOG, [_line(entry) for entry in entries])
    path = dataset / "provenance" / "changelog.jsonl"
    known = list(read_jsonl(path))
    said = {row["figure_id"] for row in known if row["reason"] == REASON}
    new: list[RemovedRow] = [
        {"day": entry["day"], "figure_id": figure_id, "reason": REASON}
        for entry in entries
        for figure_id in entry["figure_ids"]
        if figure_id not in said
    ]
    if new:
        write_jsonl(path, [*known, *new])


def _add_to_markdown(path: Path, lines: Iterable[str]) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else _TITLE
    new = [line for line in lines if line not in before.splitlines()]
    if not new:
        return
    has_title = before.startswith("# ")
    title, _, rest = before.partition("\n") if has_title else (_TITLE.strip(), "", before)
    write_lines(path, [f"{title}\n\n", *(f"{line}\n" for line in new), rest if rest.startswith("\n") else f"\n{rest}"])


def _line(entry: Retraction) -> str:
    """ "- 2026-11-28: article `PMC1` taken down (the authors asked for it). Rows: pairs 3, align 3." """
    kind, name = ("article", entry["article_id"]) if entry["article_id"] else ("figure", entry["figure_id"])
    rows = ", ".join(f"{config} {n}" for config, n in entry["rows"].items()) or "none"
    return f"- {entry['day']}: {kind} {code(name)} taken down ({markdown(entry['why'])}). Rows: {rows}."


# ---- certificate and manifest


def rewrite_certificate(dataset: Path, retracted: Retracted) -> None:
    """The certificate of the splits as they are now; the split of every article that stays is what it was."""
    path = dataset / "provenance" / "splits.json"
    before = CERTIFICATE_FILE.read_if_there(path)
    if before is None:
        return
    assignments = {a: split for a, split in before["assignments"].items() if a not in retracted.articles}
    rows = list(_figures(dataset))
    figures = [figure_key(row) for row in rows]
    groups = {row["figure_id"]: row["duplicate_group"] for row in rows if row["duplicate_group"]}
    now = certificate(figures, groups, assignments, before["seed"])
    write_json(path, stamped({**before, **now}))


def _figures(dataset: Path) -> Iterator[dict[str, Any]]:
    """The rows of `pairs`, without their pictures and texts but the caption."""
    for split in SPLITS:
        for path in sorted((dataset / "pairs").glob(f"{split}-*.parquet")):
            yield from parquet.read_table(path, columns=list(_OF_KEY)).to_pylist()


def rewrite_manifest(dataset: Path, retracted: Retracted) -> None:
    """The counts of every stage as a run without what is gone would have them."""
    path = dataset / "provenance" / "manifest.json"
    manifest = MANIFEST_FILE.read_if_there(path)
    if manifest is None:
        return
    rows = {config: _n_rows(dataset, config) for config in CONFIGS}
    stages = manifest["stages"]
    if "counts" in stages.get("build", {}):
        stages["build"]["counts"] |= _build_counts(dataset, stages["build"]["counts"], rows["pairs"], retracted)
    if "counts" in stages.get("instruct", {}):
        stages["instruct"]["counts"] = {task: rows[task] for task in stages["instruct"]["counts"]}
        path_of_rejected = dataset / "provenance" / "rejected_examples.jsonl"
        stages["instruct"]["rejected"] = _counts(path_of_rejected, "reason", ())
    if _CHOSEN in stages.get("prefer", {}).get("counts", {}):
        stages["prefer"]["counts"][_CHOSEN] = rows["preference"]
    write_json(path, stamped(manifest))


def _build_counts(dataset: Path, before: dict[str, Any], kept: int, retracted: Retracted) -> dict[str, Any]:
    """What changes of the counts of `ldrt build` (`assembly.assemble.Counts`)."""
    rejected = _counts(dataset / "provenance" / "rejected.jsonl", "filter", before.get("rejected", ()))
    not_captions = rejected.pop(_NO_FIGURE, 0)
    figures = kept + sum(rejected.values())
    gone_before = before.get("retracted_articles", 0)
    changed = {
        "figures": figures,
        "kept": kept,
        "rejected": rejected,
        "not_captions": not_captions,
        "supplementary": sum(1 for _ in read_jsonl(dataset / "provenance" / "supplementary.jsonl")),
        "retracted_articles": len(retracted.articles),
        "retracted_figures": len(retracted.single_figures),
    }
    if "articles" in before:
        changed["articles"] = before["articles"] + gone_before - len(retracted.articles)
    certificate_now = CERTIFICATE_FILE.read_if_there(dataset / "provenance" / "splits.json")
    return changed | ({"splits": certificate_now["splits"]} if certificate_now else {})


def _counts(path: Path, column: str, order: Iterable[str]) -> dict[str, int]:
    """value of the column -> rows; first those in `order`, then others by name."""
    counts = Counter(row[column] for row in read_jsonl(path))
    return {name: counts[name] for name in dict.fromkeys([*order, *sorted(counts)]) if counts[name]}


def _n_rows(dataset: Path, config: str) -> int:
    return sum(parquet.read_metadata(path).num_rows for path in (dataset / config).glob("*.parquet"))
