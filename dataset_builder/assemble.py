"""From records to rows: join the files of one article, filter, group duplicates, split, and say what was left out.

The rows of the dataset go to a JSONL file that names each picture's file; `ldrt.py` writes the Parquet from it.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

from dataset_builder.extract import Unit
from dataset_builder.filters import Thresholds, rejection
from dataset_builder.jsonfiles import read_jsonl, to_line, write_json, write_jsonl
from dataset_builder.mentions import label_key
from dataset_builder.records import read_record
from dataset_builder.splits import FigureKey, Splitting, assign, caption_sha256, certificate, duplicate_groups

_NO_PICTURE = dict.fromkeys(
    ("image_path", "width", "height", "sharpness", "contrast", "image_sha256", "phash", "duplicate_group")
)
_ARTICLE_COLUMNS = ("pmcid", "doi", "title", "journal", "year", "language", "license")


@dataclass
class Counts:
    """The funnel of one build: what was read, found, kept and left out."""

    articles: int = 0
    files: int = 0
    failed: Counter = field(default_factory=Counter)
    figures: int = 0
    kept: int = 0
    supplementary: int = 0
    rejected: Counter = field(default_factory=Counter)

    def summary(self) -> str:
        """The lines `ldrt build` prints."""
        return "\n".join(
            [
                f"articles read  {self.articles:>7}  (of {self.files} files)",
                f"figures found  {self.figures:>7}  (and {self.supplementary} supplementary)",
                f"kept           {self.kept:>7}",
                f"rejected       {self.rejected.total():>7}  (provenance/rejected.jsonl)",
                *_by_reason(self.rejected),
                f"files failed   {self.failed.total():>7}  (provenance/failed.jsonl)",
                *_by_reason(self.failed),
            ]
        )


def _by_reason(reasons: Counter) -> list[str]:
    return [f"  {n:>7}  {reason}" for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))]


def join_articles(units: list[Unit]) -> list[list[Path]]:
    """The records of each article: files of one package, or with the same PMCID or DOI; XML first, then by path."""
    owner: dict[str, int] = {}
    groups: dict[int, list[Path]] = defaultdict(list)
    order = sorted(range(len(units)), key=lambda i: (units[i].source != "jats", i))
    for i in order:
        record = read_record(units[i].record)
        names = [f"package:{units[i].package.source_file}"]
        names += [f"{key}:{record[key].lower()}" for key in ("pmcid", "doi") if record.get(key)]
        known = next((owner[name] for name in names if name in owner), i)
        owner.update(dict.fromkeys(names, known))
        groups[known].append(units[i].record)
    return [groups[i] for i in sorted(groups)]


def article_rows(records: list[Path]) -> tuple[dict | None, list[dict], list[dict], str]:
    """One article: its columns (None when no file could be read), candidate rows, supplementary figures, Markdown.

    A row is a dict with the columns of `pairs` but the image, plus `image_path`, `image_error` and `contrast`. The
    text comes from the most complete file, XML before PDF; a picture the XML lacks is taken from the PDF's figure of
    the same label.
    """
    loaded = [(folder, record) for folder in records if not (record := read_record(folder))["error"]]
    if not loaded:
        return None, [], [], ""
    folder, main = max(loaded, key=lambda pair: _completeness(pair[1]))  # of equals the first
    article = {c: next((r[c] for _, r in loaded if r[c] is not None), None) for c in _ARTICLE_COLUMNS}
    article["article_id"] = article["pmcid"] or article["doi"] or f"sha256:{main['digest'][:16]}"
    article |= {"source": main["source"], "source_file": main["source_file"]}
    pictures = _pdf_pictures(loaded) if main["source"] == "jats" else {}
    rows, taken = [], set()
    for figure in main["figures"]:
        picture = _own_picture(folder, figure) or pictures.get(label_key(figure["label"])) or {}
        row = _NO_PICTURE | article | figure | picture
        del row["image_file"]
        row["figure_id"] = _unique_id(article["article_id"], figure["label"], taken)
        rows.append(row)
    supplementary = [article | {k: f[k] for k in ("label", "caption")} for _, r in loaded for f in r["supplementary"]]
    return article, rows, supplementary, (folder / "article.md").read_text(encoding="utf-8")


def _completeness(record: dict) -> tuple:
    """Which of an article's files its rows come from: XML before PDF, then the one with most figures and pictures."""
    figures = record["figures"]
    pictures = sum(figure["image_file"] is not None for figure in figures)
    return bool(figures), record["source"] == "jats", len(figures), pictures, record["paired"]


def _own_picture(folder: Path, figure: dict) -> dict | None:
    return {"image_path": str(folder / figure["image_file"])} if figure["image_file"] else None


def _pdf_pictures(loaded: list[tuple[Path, dict]]) -> dict[str, dict]:
    """label key -> the columns that come with a picture cut from the PDF of the same article."""
    text = ("label", "caption", "context", "panels")
    found = {}
    for folder, record in loaded:
        for figure in record["figures"] if record["source"] == "pdf" else ():
            key, picture = label_key(figure["label"]), _own_picture(folder, figure)
            if key and picture:
                columns = {name: value for name, value in figure.items() if name not in text}
                found.setdefault(key, columns | picture | {"source": "jats+pdf"})
    return found


def _unique_id(article_id: str, label: str | None, taken: set[str]) -> str:
    """`{article_id}/fig{label key}`, numbered when an article uses a label twice."""
    stem = f"{article_id}/fig{label_key(label) or ''}"
    name = next(n for i in count(1) if (n := stem if i == 1 else f"{stem}-{i}") not in taken)
    taken.add(name)
    return name


def assemble(units: list[Unit], dataset: Path, limits: Thresholds, splitting: Splitting) -> tuple[Path, Counts]:
    """Write `.work/rows.jsonl` (the rows to publish, in reading order) and `provenance/`; returns its path and counts.

    Every line of `rows.jsonl` has the columns of `pairs` but the image, and `image_path`, `split`, `duplicate_group`.
    Memory grows by a few hundred bytes a figure.
    """
    provenance, work, counts = dataset / "provenance", dataset / ".work", Counts(files=len(units))
    provenance.mkdir(exist_ok=True)
    write_jsonl(provenance / "failed.jsonl", _failures(units, counts.failed))
    supplementary = provenance / "supplementary.jsonl"
    with supplementary.open("w", encoding="utf-8") as file:
        candidates = _candidates(join_articles(units), limits, provenance / "markdown", file, counts)
        counts.figures = write_jsonl(work / "candidates.jsonl", candidates)
    splits, duplicates = _split(work / "candidates.jsonl", provenance / "splits.json", splitting)
    rows = _verdicts(work / "candidates.jsonl", splits, duplicates)
    write_jsonl(provenance / "rejected.jsonl", (_count(row, counts.rejected) for row in rows if "filter" in row))
    rows = _verdicts(work / "candidates.jsonl", splits, duplicates)
    counts.kept = write_jsonl(work / "rows.jsonl", (row for row in rows if "filter" not in row))
    return work / "rows.jsonl", counts


def _failures(units: list[Unit], by_reason: Counter) -> Iterator[dict]:
    """The rows of `failed.jsonl`; an error reads "file: reason, details", and the reason is counted."""
    for unit in units:
        error = read_record(unit.record)["error"]
        if error:
            reason = error.removeprefix(f"{Path(unit.source_file).name}: ")
            by_reason[re.split(r"[,;(]", reason)[0].strip()[:80]] += 1
            yield {"article": unit.source_file, "stage": f"read {unit.source}", "error": error}


def _candidates(
    articles: Iterable[list[Path]], limits, markdown: Path, supplementary, counts: Counts
) -> Iterator[dict]:
    """Every figure with its filter's verdict; on the way, write each article's Markdown and supplementary figures."""
    markdown.mkdir(parents=True, exist_ok=True)
    for records in articles:
        about, rows, extra, text = article_rows(records)
        if about is None:
            continue
        counts.articles += 1
        counts.supplementary += len(extra)
        supplementary.writelines(to_line(row) for row in extra)
        (markdown / f"{quote(about['article_id'], safe='')}.md").write_text(text, encoding="utf-8")
        for row in rows:
            yield row | {"rejection": rejection(row, limits)}


def _split(candidates: Path, splits_file: Path, splitting: Splitting) -> tuple[dict[str, str], dict[str, str]]:
    """Write the certificate; returns article_id -> split and figure_id -> duplicate group."""
    figures = [_key(row) for row in read_jsonl(candidates) if not row["rejection"]]
    duplicates = duplicate_groups(figures)
    published = json.loads(splits_file.read_text(encoding="utf-8"))["assignments"] if splits_file.exists() else {}
    splits = assign(figures, duplicates, splitting, published)
    inside = [figure for figure in figures if figure.article_id in splits]
    write_json(splits_file, certificate(inside, duplicates, published | splits, splitting.seed))
    return splits, duplicates


def _key(row: dict) -> FigureKey:
    columns = {key: row[key] for key in ("figure_id", "article_id", "image_sha256", "phash")}
    aspect = row["width"] / row["height"]
    return FigureKey(**columns, aspect=aspect, caption_sha256=caption_sha256(row["caption"]))


def _verdicts(candidates: Path, splits: dict[str, str], duplicates: dict[str, str]) -> Iterator[dict]:
    """The candidates, with `split` and `duplicate_group` when kept and `filter`, `value`, `threshold` when not."""
    for row in read_jsonl(candidates):
        verdict = row.pop("rejection")
        split = splits.get(row["article_id"])
        if not verdict and split is None:
            verdict = ("links_splits", None, None)  # a newcomer that is like articles of two published splits
        del row["contrast"]
        if verdict:
            for key in ("image_path", "image_error"):
                del row[key]
            yield row | dict(zip(("filter", "value", "threshold"), verdict, strict=True))
        else:
            yield row | {"split": split, "duplicate_group": duplicates.get(row["figure_id"])}


def _count(row: dict, rejected: Counter) -> dict:
    rejected[row["filter"]] += 1
    return row
