"""From records to rows: join the files of one article, filter, group duplicates, split, and say what was left out.

The rows of the dataset go to a JSONL file that names each picture's file; `ldrt.py` writes the Parquet from it. Memory
grows by a few hundred bytes a file and a figure: rows pass through files from step to step.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import cast

from dataset_builder.articles.skipped import Skipped
from dataset_builder.assembly.archive import disagrees
from dataset_builder.assembly.articles import Head, join_articles, join_files, leave_marks, markdown_name, notices_of
from dataset_builder.assembly.duplicates import MAX_PHASH_DISTANCE, FigureKey, duplicate_groups, figure_key
from dataset_builder.assembly.filters import rejection
from dataset_builder.assembly.leakage import benchmark_counts, benchmark_keys, leaked_figures
from dataset_builder.assembly.rows import Candidate, Failure, FigureRow, Kept, Rejected, Rejection
from dataset_builder.assembly.settings import Splitting, Thresholds
from dataset_builder.assembly.splits import (
    CERTIFICATE_FILE,
    assign,
    certificate,
    components_of,
    far_from_asked,
)
from dataset_builder.assembly.versions import OTHER_VERSIONS
from dataset_builder.extraction.records import remove_pictures
from dataset_builder.files.jsonfiles import read_jsonl, to_line, write_json, write_jsonl
from dataset_builder.retracted import TAKEN_DOWN, Retracted, read_retracted
from dataset_builder.text.mentions import mentions_in
from trust.handovers import stamped

_ONLY_FOR_FILTERS = ("contrast", "text_share", "image_fault", "rejection")  # columns of a candidate that no verdict has
_NOT_PUBLISHED = (  # columns of a verdict that `rejected.jsonl` does not have
    *("image_path", "image_error", "mentions"),
    *("source_sha256", "article_version", "picture_files", "pixels_sha256", "dpi"),
)
_DETAILS = re.compile(r"[,;(]")  # begin the details of an error, which differ from file to file
_MAX_REASON_CHARS = 80


@dataclass
class Counts:
    """The funnel of one build: what was read, found, kept and left out."""

    articles: int = 0
    files: int = 0
    failed: Counter[str] = field(default_factory=Counter)  # reason -> files
    figures: int = 0
    kept: int = 0
    supplementary: int = 0
    rejected: Counter[str] = field(default_factory=Counter)  # filter -> figures
    skipped: Counter[str] = field(
        default_factory=Counter
    )  # reason -> files that are no article, or of one that is there
    notes: Counter[str] = field(default_factory=Counter)  # what a reader had to do -> files
    splits: dict[str, dict[str, int]] = field(default_factory=dict)  # split -> articles, figures, groups
    warnings: list[str] = field(default_factory=list)
    gone: int = 0  # rows of an earlier build that this one has not
    not_captions: int = 0  # lines of PDFs that read like captions, not counted as figures
    of_several: int = 0  # PDFs that hold several articles, as the numbers of their figures tell
    licenses_disagree: int = 0  # articles that state another licence than the archive that they come from
    retracted_articles: int = 0  # on the list of `ldrt retract`, and nowhere else in these counts
    retracted_figures: int = 0  # the same, of figures that were taken down alone
    text_damaged: int = 0  # PDFs with pages whose text is damaged: see `readers.article.TextDamage`

    def summary(self) -> str:
        """The lines `ldrt build` prints."""
        return "\n".join(
            [
                f"articles read  {self.articles:>7}  (of {self.files} files)",
                f"figures found  {self.figures:>7}  (and {self.supplementary} supplementary)",
                f"kept           {self.kept:>7}",
                f"rejected       {self.rejected.total():>7}  (provenance/rejected.jsonl)",
                *_by_reason(self.rejected),
                *self._asides(),
                f"files failed   {self.failed.total():>7}  (provenance/failed.jsonl)",
                *_by_reason(self.failed),
                *([f"files skipped  {self.skipped.total():>7}  (provenance/skipped.jsonl)"] if self.skipped else []),
                *_by_reason(self.skipped),
                *(f"{note:<14} {n:>7}  files" for note, n in sorted(self.notes.items())),
                *self._splits(),
                *(f"warning: {warning}" for warning in self.warnings),
            ]
        )

    def _splits(self) -> list[str]:
        """ "split train 90 figures (81.8 %), 9 articles" """
        total = sum(sizes["figures"] for sizes in self.splits.values()) or 1
        return [
            f"{name:<14} {sizes['figures']:>7}  figures ({sizes['figures'] / total:.1%}), {sizes['articles']} articles"
            for name, sizes in self.splits.items()
        ]

    def _asides(self) -> list[str]:
        """What is said where there is any."""
        lines = []
        if self.gone:
            lines.append(f"rows gone      {self.gone:>7}  (provenance/changelog.jsonl)")
        if self.not_captions:
            lines.append(f"like captions  {self.not_captions:>7}  (not_a_caption in provenance/rejected.jsonl)")
        if self.of_several:
            lines.append(f"several in one {self.of_several:>7}  (PDFs whose figures are numbered anew)")
        if self.licenses_disagree:
            lines.append(f"licences       {self.licenses_disagree:>7}  (articles whose archive says another: `notes`)")
        if self.retracted_articles or self.retracted_figures:
            lines.append(f"taken down     {self.retracted_articles:>7}  articles, {self.retracted_figures} figures")
        if self.text_damaged:
            lines.append(
                f"damaged text   {self.text_damaged:>7}  (PDFs with pages whose font does not say what it prints)"
            )
        return lines


def _by_reason(reasons: Counter[str]) -> list[str]:
    """One line a reason, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return [f"  {n:>7}  {reason}" for reason, n in ordered]


@dataclass(frozen=True)
class Grouping:
    """What is known of the figures only when all of them are there."""

    splits: dict[str, str]  # article_id -> split; without newcomers that are like articles of two published splits
    duplicates: dict[str, str]  # figure_id -> the group that it shares with its duplicates
    leaked: dict[str, str]  # figure_id -> the benchmark's picture that it is a duplicate of
    warnings: list[str]  # of splits that are not what was asked for


def assemble(
    heads: list[Head],
    dataset: Path,
    limits: Thresholds,
    splitting: Splitting,
    benchmarks: list[str],
    skipped: Skipped,
) -> Counts:
    """Write `.work/verdicts.jsonl`, `.work/rows.jsonl` and `provenance/`; returns the counts.

    `verdicts.jsonl` has every figure, in reading order, as `rows.Kept` or `rows.Rejected`; `rows.jsonl` has the kept.
    `benchmarks` are names, Hub ids or folders (leakage.py), `skipped` what was passed over so far. Raises
    FileNotFoundError for a benchmark that is not there.
    """
    provenance, work = dataset / "provenance", dataset / ".work"
    provenance.mkdir(exist_ok=True)
    failed = [head for head in heads if head.error and head.error != TAKEN_DOWN]
    write_jsonl(provenance / "failed.jsonl", map(_failure, failed))
    notes = Counter(note for head in heads for note in head.notes)
    counts = Counts(files=len(heads), failed=Counter(map(_reason, failed)), notes=notes)
    counts.text_damaged = sum(head.text_damage is not None for head in heads)

    candidates, verdicts = work / "candidates.jsonl", work / "verdicts.jsonl"
    retracted = read_retracted(dataset)
    counts.retracted_articles, counts.retracted_figures = len(retracted.articles), len(retracted.single_figures)
    _write_articles(heads, limits, candidates, provenance, counts, skipped, retracted)
    write_jsonl(provenance / "skipped.jsonl", skipped.rows())
    counts.skipped = skipped.counts
    known = benchmark_keys(benchmarks, work / "benchmarks")
    grouping = _group(candidates, provenance / "splits.json", splitting, known)
    counts.splits = CERTIFICATE_FILE.read(provenance / "splits.json")["splits"]
    counts.warnings = grouping.warnings
    write_jsonl(verdicts, (_verdict(row, grouping) for row in read_jsonl(candidates)))
    candidates.unlink()

    kept = (row for row in read_jsonl(verdicts) if "filter" not in row)
    counts.kept = write_jsonl(work / "rows.jsonl", kept)
    not_captions = work / "not_captions.jsonl"
    rejected = chain(_rejected(verdicts, counts.rejected), map(_published, read_jsonl(not_captions)))
    write_jsonl(provenance / "rejected.jsonl", rejected)
    not_captions.unlink()
    return counts


def _failure(head: Head) -> Failure:
    assert head.error is not None
    return {"article": head.source_file, "stage": f"read {head.source}", "error": head.error}


def _reason(head: Head) -> str:
    """An error reads "file: reason, details"; the reason alone, to be counted."""
    assert head.error is not None
    error = head.error.removeprefix(f"{Path(head.source_file.rpartition('!')[2]).name}: ")
    return _DETAILS.split(error)[0].strip()[:_MAX_REASON_CHARS]


def _write_articles(
    heads: list[Head],
    limits: Thresholds,
    candidates: Path,
    provenance: Path,
    counts: Counts,
    skipped: Skipped,
    retracted: Retracted,
) -> None:
    """Write every article: its figures with their filter's verdict to `candidates`, the supplementary ones and the
    Markdown to `provenance`; count them. Files that another one of the same article is taken for are `skipped`. What is
    `retracted` is left out, and its records are emptied.
    """
    markdown = provenance / "markdown"
    markdown.mkdir(parents=True, exist_ok=True)
    notices = notices_of(heads)
    with (
        candidates.open("w", encoding="utf-8") as file,
        (provenance / "supplementary.jsonl").open("w", encoding="utf-8") as supplementary,
        candidates.with_name("not_captions.jsonl").open("w", encoding="utf-8") as not_captions,
    ):
        for files in join_articles(heads):
            article = join_files(files, notices)
            if article is None or leave_marks(files, article.columns["article_id"], retracted):
                continue
            article_id = article.columns["article_id"]
            if article_id not in retracted.articles_of_figures:
                _write_changed(markdown / markdown_name(article_id), article.markdown)
            supplementary.writelines(map(to_line, article.supplementary))
            not_captions.writelines(map(to_line, article.not_captions))
            gone = [figure["image_path"] for figure in article.figures if figure["figure_id"] in retracted.figures]
            remove_pictures(provenance.parent, gone)
            figures = [figure for figure in article.figures if figure["figure_id"] not in retracted.figures]
            for figure in figures:
                file.write(to_line({**figure, "rejection": rejection(figure, limits)}))
            for name, why in article.passed_over:
                skipped.add(name, OTHER_VERSIONS, why)
            counts.articles += 1
            counts.figures += len(figures)
            counts.supplementary += len(article.supplementary)
            counts.not_captions += len(article.not_captions)
            counts.of_several += len(article.starts) > 1
            counts.licenses_disagree += disagrees(article.columns["notes"])


def _write_changed(path: Path, text: str) -> None:
    """Write the text where the file does not hold it: of 10,000 articles few are new."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _group(candidates: Path, splits_file: Path, splitting: Splitting, known: list[FigureKey]) -> Grouping:
    """Group and split the figures that no filter left out, and write the certificate to `splits_file`.

    Figures that are duplicates of a `known` picture, of a benchmark, are left out of the splits.
    """
    figures = [figure_key(row) for row in read_jsonl(candidates) if not row["rejection"]]
    duplicates = duplicate_groups([*figures, *known])
    leaked = leaked_figures(figures, known, duplicates)
    figures = [figure for figure in figures if figure.figure_id not in leaked]
    published = _published_splits(splits_file)
    splits = assign(figures, duplicates, splitting, published)
    inside = [figure for figure in figures if figure.article_id in splits]
    proof = certificate(inside, duplicates, published | splits, splitting.seed)
    write_json(splits_file, stamped({**proof, "benchmarks": benchmark_counts(known, leaked)}))
    drawn_now = [] if published else components_of(figures, duplicates)
    warnings = far_from_asked(proof["splits"], splitting, drawn_now) if drawn_now else []
    return Grouping(splits, duplicates, leaked, warnings)


def _published_splits(splits_file: Path) -> dict[str, str]:
    """article_id -> split, as an earlier build has assigned them; {} before the first."""
    earlier = CERTIFICATE_FILE.read_if_there(splits_file)
    return {} if earlier is None else earlier["assignments"]


def _verdict(row: dict, grouping: Grouping) -> Kept | Rejected:
    """What becomes of a `Candidate`: with `split` when it is kept, with `filter`, `value`, `threshold` when not."""
    candidate = cast("Candidate", row)
    figure = cast("FigureRow", {name: value for name, value in row.items() if name not in _ONLY_FOR_FILTERS})
    mentions = mentions_in(figure["context"], figure["label"])
    refused = candidate["rejection"] or _refused_by_others(candidate, grouping)
    if refused:
        name, value, threshold = refused
        return {**figure, "mentions": mentions, "filter": name, "value": value, "threshold": threshold}
    group = grouping.duplicates.get(figure["figure_id"])
    split = grouping.splits[figure["article_id"]]
    return {**figure, "mentions": mentions, "split": split, "duplicate_group": group}


def _refused_by_others(figure: FigureRow, grouping: Grouping) -> Rejection | None:
    """The objection to a figure that only what it is like tells."""
    picture = grouping.leaked.get(figure["figure_id"])
    if picture is not None:
        return Rejection("benchmark", picture, MAX_PHASH_DISTANCE)
    if figure["article_id"] not in grouping.splits:  # a newcomer that is like articles of two published splits
        return Rejection("links_splits", None, None)
    return None


def _rejected(verdicts: Path, by_filter: Counter[str]) -> Iterator[dict]:
    """The rows of `rejected.jsonl`, counted on the way."""
    for row in read_jsonl(verdicts):
        if "filter" in row:
            by_filter[row["filter"]] += 1
            yield _published(row)


def _published(row: dict) -> dict:
    """A row without what only the build needs."""
    return {name: value for name, value in row.items() if name not in _NOT_PUBLISHED}
