"""From records to rows: join the files of one article, filter, group duplicates, split, and say what was left out.

The rows of the dataset go to a JSONL file that names each picture's file; `ldrt.py` writes the Parquet from it.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

from dataset_builder.assembly.filters import Rejection, Thresholds, rejection
from dataset_builder.assembly.leakage import benchmark_keys, benchmark_of
from dataset_builder.assembly.splits import (
    MAX_PHASH_DISTANCE,
    FigureKey,
    Splitting,
    assign,
    caption_sha256,
    certificate,
    duplicate_groups,
)
from dataset_builder.extraction.records import read_record
from dataset_builder.extraction.units import Unit
from dataset_builder.files.jsonfiles import read_jsonl, to_line, write_json, write_jsonl
from dataset_builder.readers.article import Panel
from dataset_builder.readers.pictures.panels import with_captions
from dataset_builder.text.labels import label_key
from dataset_builder.text.licenses import attribution
from dataset_builder.text.mentions import mentions_in
from dataset_builder.text.notices import gravest

_MEASURES = ("width", "height", "sharpness", "contrast", "text_share", "image_sha256", "phash")
_NO_PICTURE = dict.fromkeys(("image_path", *_MEASURES, "duplicate_group"))
_ONLY_FOR_FILTERS = ("contrast", "text_share", "rejection")
_ARTICLE_COLUMNS = ("pmcid", "doi", "title", "journal", "year", "language", "license", "article_type")


@dataclass(frozen=True)
class Head:
    """What joining articles needs of a record: a few hundred bytes, so that all of them fit into memory."""

    record: Path
    source: str
    package: str  # its main file
    source_file: str
    digest: str
    error: str | None
    names: tuple[str, ...]  # PMCID and DOI, lower case
    notices: dict[str, str]  # what this article says of others: DOI or PMCID, lower case -> status


def read_heads(units: list[Unit]) -> list[Head]:
    """One pass over the records of all files."""
    heads = []
    for unit in units:
        record = read_record(unit.record)
        names = tuple(record[key].lower() for key in ("pmcid", "doi") if record.get(key))
        notices = {name.lower(): status for name, status in record.get("notices", {}).items()}
        about = {key: record[key] for key in ("source", "digest", "error")}
        package = unit.package.source_file
        heads.append(
            Head(unit.record, package=package, source_file=unit.source_file, names=names, notices=notices, **about)
        )
    return heads


def inputs_sha256(heads: list[Head]) -> str:
    """One hash over what was read: every file's path and the hash of its package's content."""
    lines = sorted(f"{head.source_file} {head.digest}" for head in heads)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


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


def join_articles(heads: list[Head]) -> list[list[Head]]:
    """The records of each article: files of one package, or with the same PMCID or DOI; XML first, then by path."""
    owner: dict[str, int] = {}
    groups: dict[int, list[Head]] = defaultdict(list)
    for i, head in sorted(enumerate(heads), key=lambda item: (item[1].source != "jats", item[0])):
        names = [f"package:{head.package}", *head.names]
        known = next((owner[name] for name in names if name in owner), i)
        owner.update(dict.fromkeys(names, known))
        groups[known].append(head)
    return [groups[i] for i in sorted(groups)]


def article_rows(heads: list[Head], notices: dict[str, str]) -> tuple[dict | None, list[dict], list[dict], str]:
    """One article: its columns (None when no file could be read), candidate rows, supplementary figures, Markdown.

    A row is a dict with the columns of `pairs` but the image, plus `image_path`, `image_error` and what else the
    filters look at. The text comes from the most complete file, XML before PDF; a picture the XML lacks is taken from
    the PDF's figure of the same label. `notices` is what other articles say of articles: DOI or PMCID -> status.
    """
    loaded = [(head.record, read_record(head.record)) for head in heads if not head.error]
    if not loaded:
        return None, [], [], ""
    folder, main = max(loaded, key=lambda pair: _completeness(pair[1]))  # of equals the first
    article = {c: next((r[c] for _, r in loaded if r[c] is not None), None) for c in _ARTICLE_COLUMNS}
    article["article_id"] = article["pmcid"] or article["doi"] or f"sha256:{main['digest'][:16]}"
    article["status"] = gravest([*(r["status"] for _, r in loaded), *(notices.get(n) for h in heads for n in h.names)])
    authors = next((r["authors"] for _, r in loaded if r["authors"]), [])
    about = {c: article[c] for c in ("title", "journal", "year", "doi", "pmcid", "license")}
    article["attribution"] = attribution(authors, **about)
    article |= {"source": main["source"], "source_file": main["source_file"]}
    pictures = _pdf_pictures(loaded) if main["source"] == "jats" else {}
    rows, taken = [], set()
    for figure in main["figures"]:
        picture = _own_picture(folder, figure)
        if not picture and (from_pdf := pictures.get(label_key(figure["label"]))):
            panels = with_captions([Panel(**panel) for panel in from_pdf["panels"]], figure["caption"])
            picture = from_pdf | {"panels": [asdict(panel) for panel in panels]}
        row = _NO_PICTURE | article | figure | (picture or {})
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
    if not figure["image_file"]:
        return None
    dataset = folder.parents[3]  # of a record DATASET/.work/records/ab/abcd: the folder may be moved
    return {"image_path": (folder / figure["image_file"]).relative_to(dataset).as_posix()}


def _pdf_pictures(loaded: list[tuple[Path, dict]]) -> dict[str, dict]:
    """label key -> the columns that come with a picture cut from the PDF of the same article."""
    text = ("label", "caption", "context")
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


def assemble(
    heads: list[Head], dataset: Path, limits: Thresholds, splitting: Splitting, benchmarks: list[Path]
) -> Counts:
    """Write `.work/verdicts.jsonl`, `.work/rows.jsonl` and `provenance/`; returns the counts.

    `verdicts.jsonl` has every figure, in reading order: the columns of `pairs` but the image, `image_path` (relative
    to `dataset`), `image_error`, `mentions` (for each sentence of the context, [start, end] in characters of where it
    mentions the figure), and `split` when it is kept or `filter`, `value`, `threshold` when not; `rows.jsonl` has the
    kept. Memory grows by a few hundred bytes a file and a figure.
    """
    provenance, work = dataset / "provenance", dataset / ".work"
    provenance.mkdir(exist_ok=True)
    counts = Counts(files=len(heads))
    write_jsonl(provenance / "failed.jsonl", _failures(heads, counts.failed))
    supplementary = provenance / "supplementary.jsonl"
    with supplementary.open("w", encoding="utf-8") as file:
        candidates = _candidates(heads, limits, provenance / "markdown", file, counts)
        counts.figures = write_jsonl(work / "candidates.jsonl", candidates)
    known = benchmark_keys(benchmarks, work / "benchmarks")
    grouping = _split(work / "candidates.jsonl", provenance / "splits.json", splitting, known)
    write_jsonl(work / "verdicts.jsonl", _verdicts(work / "candidates.jsonl", *grouping))
    (work / "candidates.jsonl").unlink()
    write_jsonl(provenance / "rejected.jsonl", _rejected(work / "verdicts.jsonl", counts.rejected))
    kept = (row for row in read_jsonl(work / "verdicts.jsonl") if "filter" not in row)
    counts.kept = write_jsonl(work / "rows.jsonl", kept)
    return counts


def _failures(heads: list[Head], by_reason: Counter) -> Iterator[dict]:
    """The rows of `failed.jsonl`; an error reads "file: reason, details", and the reason is counted."""
    for head in heads:
        if head.error:
            reason = head.error.removeprefix(f"{Path(head.source_file).name}: ")
            by_reason[re.split(r"[,;(]", reason)[0].strip()[:80]] += 1
            yield {"article": head.source_file, "stage": f"read {head.source}", "error": head.error}


def _candidates(heads: list[Head], limits, markdown: Path, supplementary, counts: Counts) -> Iterator[dict]:
    """Every figure with its filter's verdict; on the way, write each article's Markdown and supplementary figures."""
    markdown.mkdir(parents=True, exist_ok=True)
    notices = _notices(heads)
    for records in join_articles(heads):
        about, rows, extra, text = article_rows(records, notices)
        if about is None:
            continue
        counts.articles += 1
        counts.supplementary += len(extra)
        supplementary.writelines(to_line(row) for row in extra)
        _write_changed(markdown / f"{quote(about['article_id'], safe='')}.md", text)
        for row in rows:
            yield row | {"rejection": rejection(row, limits)}


def _write_changed(path: Path, text: str) -> None:
    """Write the text where the file does not hold it: of 10,000 articles few are new."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _notices(heads: list[Head]) -> dict[str, str]:
    """DOI or PMCID -> the gravest that any article says of it."""
    said = defaultdict(list)
    for head in heads:
        for name, status in head.notices.items():
            said[name].append(status)
    return {name: gravest(statuses) for name, statuses in said.items()}


def _split(
    candidates: Path, splits_file: Path, splitting: Splitting, known: list[FigureKey]
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Write the certificate; returns article_id -> split, figure_id -> duplicate group, figure_id -> `known` picture.

    Figures that are duplicates of a `known` picture, of a benchmark, are left out of the splits.
    """
    figures = [_key(row) for row in read_jsonl(candidates) if not row["rejection"]]
    duplicates = duplicate_groups([*figures, *known])
    leaders = {duplicates[key.figure_id]: benchmark_of(key.figure_id) for key in known if key.figure_id in duplicates}
    leaked = {f.figure_id: leaders[g] for f in figures if (g := duplicates.get(f.figure_id)) in leaders}
    figures = [figure for figure in figures if figure.figure_id not in leaked]
    published = json.loads(splits_file.read_text(encoding="utf-8"))["assignments"] if splits_file.exists() else {}
    splits = assign(figures, duplicates, splitting, published)
    inside = [figure for figure in figures if figure.article_id in splits]
    proof = certificate(inside, duplicates, published | splits, splitting.seed)
    write_json(splits_file, proof | {"benchmarks": _benchmarks(known, leaked)})
    return splits, duplicates, leaked


def _benchmarks(known: list[FigureKey], leaked: dict[str, str]) -> dict[str, dict[str, int]]:
    """benchmark -> how many pictures it has and how many figures were left out for them."""
    pictures = Counter(benchmark_of(key.article_id) for key in known)
    left_out = Counter(picture.split("/")[0] for picture in leaked.values())
    return {name: {"pictures": n, "figures_left_out": left_out[name]} for name, n in sorted(pictures.items())}


def _key(row: dict) -> FigureKey:
    columns = {key: row[key] for key in ("figure_id", "article_id", "image_sha256", "phash")}
    aspect = row["width"] / row["height"]
    return FigureKey(**columns, aspect=aspect, caption_sha256=caption_sha256(row["caption"]))


def _verdicts(
    candidates: Path, splits: dict[str, str], duplicates: dict[str, str], leaked: dict[str, str]
) -> Iterator[dict]:
    """The candidates, with `split` and `duplicate_group` when kept and `filter`, `value`, `threshold` when not."""
    for row in read_jsonl(candidates):
        verdict, split = row["rejection"], splits.get(row["article_id"])
        if not verdict and row["figure_id"] in leaked:
            verdict = Rejection("benchmark", leaked[row["figure_id"]], MAX_PHASH_DISTANCE)
        elif not verdict and split is None:  # a newcomer that is like articles of two published splits
            verdict = Rejection("links_splits", None, None)
        row = {key: value for key, value in row.items() if key not in _ONLY_FOR_FILTERS}
        row["mentions"] = mentions_in(row["context"], row["label"])
        if verdict:
            yield row | Rejection(*verdict)._asdict()
        else:
            yield row | {"split": split, "duplicate_group": duplicates.get(row["figure_id"])}


def _rejected(verdicts: Path, by_reason: Counter) -> Iterator[dict]:
    """The rows of `rejected.jsonl`."""
    for row in read_jsonl(verdicts):
        if "filter" in row:
            by_reason[row["filter"]] += 1
            yield {key: value for key, value in row.items() if key not in ("image_path", "image_error", "mentions")}
