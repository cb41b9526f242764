"""`ldrt build ARTICLES --output DATASET`: folder of PDFs and JATS packages -> dataset repo folder, config `pairs`.

    ldrt build articles --output dataset

Run it again after an interruption, or when articles were added: only what is new or changed is read. The output is
laid out like a dataset repo on the Hub: `load_dataset("dataset", "pairs")`.
"""

from __future__ import annotations

import datetime
import os
import shlex
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from dataset_builder.articles.skipped import Skipped
from dataset_builder.assembly.settings import Splitting, Thresholds
from dataset_builder.cluster_options import OF_CLUSTERS, TIME, TIME_HELP, check_cluster
from trust.errors import UsageError

if TYPE_CHECKING:
    from collections import Counter

    from dataset_builder.cluster import Cluster
    from dataset_builder.extraction.executors import ReadArticles
    from dataset_builder.extraction.units import Layout, Unit

_PACKAGES = ("ldrt-vlm", "datasets", "docling", "imagehash", "lxml", "opencv-python-headless", "pillow", "pypdfium2")
_NOT_IN_MANIFEST = (  # they do not change the result
    "articles",
    "output",
    "domain",
    "workers",
    "retry_failed",
    *OF_CLUSTERS,
)

_MARK = "made-by-ldrt-build"  # in .work: the folder is ours to write to


@dataclass
class Options:
    """Options of `ldrt build`."""

    articles: str = field(
        metadata={
            "help": "folder of PDFs, JATS packages and tables of figures (figures.csv), nested at will",
            "positional": True,
            "path": "folder",
        }
    )
    output: str = field(
        metadata={"help": "dataset repo folder to write; kept and extended if it is there", "path": "new folder"}
    )
    layout: Literal["geometric", "heron"] = field(
        default="geometric",
        metadata={"help": "PDF layout: `geometric` needs no weights, `heron`: docling's models, tables too"},
    )
    min_sharpness: Annotated[float, Ge(0)] = field(
        default=Thresholds.min_sharpness,
        metadata={"help": "variance of the Laplacian that a picture must exceed", "group": "which figures are kept"},
    )
    min_side_px: Annotated[int, Ge(1)] = field(
        default=Thresholds.min_side_px,
        metadata={"help": "least shorter side, pixels", "group": "which figures are kept"},
    )
    max_aspect: Annotated[float, Ge(1)] = field(
        default=Thresholds.max_aspect,
        metadata={"help": "most longer side / shorter side", "group": "which figures are kept"},
    )
    min_contrast: Annotated[float, Ge(0)] = field(
        default=Thresholds.min_contrast,
        metadata={"help": "least standard deviation of grey", "group": "which figures are kept"},
    )
    max_text_share: Annotated[float, Ge(0), Le(1)] = field(
        default=Thresholds.max_text_share,
        metadata={"help": "most print in a picture's ink, 0 to 1; more is a text", "group": "which figures are kept"},
    )
    min_text_chars: Annotated[int, Ge(0)] = field(
        default=Thresholds.min_text_chars,
        metadata={"help": "least caption + context + questions, characters", "group": "which figures are kept"},
    )
    max_caption_chars: Annotated[int, Ge(1)] = field(
        default=Thresholds.max_caption_chars, metadata={"help": "longest caption", "group": "which figures are kept"}
    )
    test_size: Annotated[float, Ge(0)] = field(
        default=Splitting.test_size,
        metadata={
            "help": "figures for `test`: a share below 1, else their number, 0 for none; half stay in `train`",
            "group": "held-out splits",
        },
    )
    validation_size: Annotated[float, Ge(0)] = field(
        default=Splitting.validation_size, metadata={"help": "the same for `validation`", "group": "held-out splits"}
    )
    min_articles: Annotated[int, Ge(1)] = field(
        default=Splitting.min_articles,
        metadata={"help": "least articles in each held-out split, where there are enough", "group": "held-out splits"},
    )
    benchmarks: list[str] = field(
        default_factory=list,
        metadata={
            "help": "test sets that no figure may be like: names (vqa-rad, slake, path-vqa, …), Hub ids ORG/NAME, or "
            "folders of pictures"
        },
    )
    seed: Annotated[int, Ge(0)] = field(default=0, metadata={"help": "draws the splits", "group": "held-out splits"})
    domain: str | None = field(
        default=None,
        metadata={
            "help": "YAML file of the domain: its tags go onto the card, its benchmarks are kept out",
            "path": "file",
        },
    )
    audit: bool = field(
        default=False, metadata={"help": "measure the PDF reader against the XML of the articles that have both"}
    )
    workers: Annotated[int, Ge(1), Le(1024)] = field(
        default=os.cpu_count() or 1,
        metadata={"help": "processes that read articles; on SLURM and Ray of each task", "group": "speed and limits"},
    )
    timeout_s: Annotated[float, Gt(0)] = field(
        default=300.0, metadata={"help": "longest time for one file, seconds", "group": "speed and limits"}
    )
    memory_gb: Annotated[float, Gt(0)] = field(
        default=4.0, metadata={"help": "most memory of one process, gigabytes (on Linux)", "group": "speed and limits"}
    )
    retry_failed: bool = field(
        default=False,
        metadata={"help": "read again the files that failed in an earlier run", "group": "speed and limits"},
    )
    executor: Literal["local", "slurm", "ray"] = field(
        default="local",
        metadata={
            "help": "where articles are read: this machine; jobs of `sbatch`; the Ray cluster of RAY_ADDRESS",
            "group": "on a cluster",
        },
    )
    tasks: Annotated[int, Ge(1)] = field(
        default=16, metadata={"help": "SLURM, Ray: jobs that share the files", "group": "on a cluster"}
    )
    partition: str | None = field(
        default=None, metadata={"help": "SLURM: partition; needed there", "group": "on a cluster"}
    )
    time: str = field(default="04:00:00", metadata={"help": TIME_HELP, "pattern": TIME, "group": "on a cluster"})
    sbatch_args: dict[str, str] = field(
        default_factory=dict,
        metadata={"help": "SLURM: more arguments of sbatch, as `--sbatch_args.account NAME`", "group": "on a cluster"},
    )


def run(options: Options) -> str:
    """Build or extend the dataset repo folder; returns the funnel as text.

    Raises FileNotFoundError, UsageError, PermissionError or RuntimeError when there is nothing to read, something
    of others or nowhere to write, or no figure left.
    """
    dataset = Path(options.output)
    skipped = Skipped()
    check_cluster(options.executor, _given(options))
    _check_sizes(options)
    _check_benchmarks(options)
    files = _files(Path(options.articles), dataset / ".work", options.layout, skipped)
    submitted = _read(files, dataset / ".work", options)
    return submitted or _assemble(files, dataset, options, skipped)


def _given(options: Options) -> set[str]:
    """The options that are not the defaults."""
    defaults = Options(options.articles, options.output)
    return {name for name, value in vars(options).items() if value != getattr(defaults, name)}


def _check_sizes(options: Options) -> None:
    """Raises UsageError for a number of figures that is none."""
    for name in ("test_size", "validation_size"):
        size = getattr(options, name)
        if size >= 1 and size % 1:
            raise UsageError(f"--{name} '{size:g}': give a share below 1, or a whole number of figures")


def _files(articles: Path, work: Path, layout: Layout, skipped: Skipped) -> list[Unit]:
    """The files to read; archives are unpacked to the folder `work`, what is no article is added to `skipped`."""
    from dataset_builder.articles.packages import find_packages
    from dataset_builder.extraction.units import units

    if not articles.is_dir():
        raise FileNotFoundError(f"no folder {articles}; give the folder that holds your PDFs and JATS packages")
    _check_ours(work.parent, articles)
    _make_writable(work)
    packages = list(find_packages(articles, work / "unpacked", skipped))
    if not packages:
        kinds = "no PDF (.pdf), JATS XML (.xml, .nxml, .xml.gz), package (.tar.gz, .zip, .meca) or figures.csv"
        others = f"; it has {_counted(skipped.counts)}" if skipped.counts else ""
        raise RuntimeError(f"{articles} holds no article: {kinds}{others}")
    return list(units(packages, work / "records", layout))


def _counted(names: Counter[str]) -> str:
    """ "3 .docx, 1 .txt" """
    return ", ".join(f"{n} {name}" for name, n in names.most_common())


def _check_benchmarks(options: Options) -> None:
    """Raises UsageError for a test set that is none: not when all articles have been read, where it is first used."""
    from dataset_builder.benchmarks.benchmark import names
    from dataset_builder.domain import read_domain
    from dataset_builder.files.nearest import nearest
    from trust.places import is_folder

    domain = read_domain(Path(options.domain)) if options.domain else None
    for name in [*options.benchmarks, *(domain.benchmarks if domain else ())]:
        try:
            name in names() or is_folder(name, "benchmark")
        except FileNotFoundError as error:
            known = f"; names are {', '.join(names())}"
            raise UsageError(f"--benchmarks: {error}{nearest(name, names())}{known}") from error


def _check_ours(dataset: Path, articles: Path) -> None:
    """Refuse to write where something of somebody else lies, or where the articles are. Raises UsageError."""
    output, read = dataset.resolve(), articles.resolve()
    if output == read or output in read.parents:
        raise UsageError(f"--output {dataset} is or holds the articles' folder {articles}; choose another folder")
    work = dataset / ".work"
    ours = (work / _MARK).is_file() or (work / "records").is_dir()  # the latter: of a build before there was the mark
    if not ours and dataset.is_dir() and any(dataset.iterdir()):
        raise UsageError(
            f"--output {dataset} is not empty and was not made here (it has no .work/{_MARK}); choose a new folder"
        )


def _make_writable(work: Path) -> None:
    try:
        work.mkdir(parents=True, exist_ok=True)
        (work / _MARK).touch()
    except OSError as error:
        raise PermissionError(f"cannot write to {work.parent}: {error.strerror}; choose another --output") from error


def _read(files: list[Unit], work: Path, options: Options) -> str | None:
    """Give every file a record; a message when that was left to SLURM instead."""
    from dataset_builder.cluster import Cluster, run_on_ray
    from dataset_builder.extraction.executors import ReadArticles, missing_records, share_of
    from dataset_builder.extraction.isolation import Limits
    from dataset_builder.extraction.units import forget_failures

    if options.retry_failed:
        forget_failures(files)
    limits = Limits(options.workers, options.timeout_s, options.memory_gb)
    cluster = Cluster(options.tasks, options.partition, options.time, options.sbatch_args)

    def reading(missing: list[Unit]) -> ReadArticles:
        return ReadArticles(missing, work / "todo.jsonl", options.layout, limits)

    if options.executor == "slurm" and (missing := missing_records(files)):
        return _submit(reading(missing), work, cluster, options)
    if options.executor == "ray" and (missing := missing_records(files)):
        run_on_ray(reading(missing), work, cluster, share_of(limits))
    if missing := missing_records(files):  # all of them, or what a cluster has left undone
        reading(missing).run()
    return None


def _submit(reading: ReadArticles, work: Path, cluster: Cluster, options: Options) -> str:
    """Submit the reading, and this very command on one machine to follow it; returns what to say to the user."""
    from dataset_builder.cluster import submit_to_slurm
    from dataset_builder.extraction.executors import share_of
    from dataset_builder.files.jsonfiles import write_json

    config = work.absolute() / "slurm.yaml"  # JSON is YAML
    paths = {"articles": str(Path(options.articles).absolute()), "output": str(Path(options.output).absolute())}
    again = {name: value for name, value in asdict(options).items() if name not in OF_CLUSTERS}
    write_json(config, again | paths | {"retry_failed": False})
    then = [sys.executable, "-m", "ldrt", "build", "--config", str(config)]
    names = ("ldrt-read", "ldrt-build")
    reading_job, building_job = submit_to_slurm(reading, work, cluster, share_of(reading.limits), names, then)
    return (
        f"submitted to SLURM: job {reading_job} reads {reading.total} files in {cluster.tasks} tasks, job "
        f"{building_job} then builds {options.output}; logs in {work}/slurm; run the same command again after a failure"
    )


def _assemble(files: list[Unit], dataset: Path, options: Options, skipped: Skipped) -> str:
    """Records -> dataset; returns the funnel as text. Raises RuntimeError when no figure is left."""
    from dataset_builder.assembly.archive import archives_of
    from dataset_builder.assembly.articles import inputs_sha256, join_articles, read_heads
    from dataset_builder.assembly.assemble import assemble
    from dataset_builder.assembly.changelog import note_removed
    from dataset_builder.assembly.leakage import public_name
    from dataset_builder.assembly.rebuild import NAME as REBUILD
    from dataset_builder.assembly.rebuild import write_rebuild
    from dataset_builder.domain import read_domain, told
    from dataset_builder.files.jsonfiles import read_jsonl, write_json
    from dataset_builder.ldrt import write_config
    from dataset_builder.manifest import write_stage

    domain = read_domain(Path(options.domain)) if options.domain else None
    heads = read_heads(files)
    benchmarks = [*options.benchmarks, *(domain.benchmarks if domain else ())]
    counts = assemble(heads, dataset, _thresholds(options), _splitting(options), benchmarks, skipped)
    if not counts.kept:
        raise RuntimeError(f"no figure left to publish; see {dataset}/provenance/rejected.jsonl and failed.jsonl")
    counts.gone = note_removed(
        dataset, dataset / ".work" / "verdicts.jsonl", datetime.datetime.now(datetime.UTC).date()
    )
    write_config(dataset, "pairs", dataset / ".work" / "rows.jsonl")
    write_rebuild(dataset / ".work" / "rows.jsonl", dataset / "provenance" / REBUILD)
    audited = dataset / "provenance" / "audit.json"
    audited.unlink(missing_ok=True)  # of an earlier build: the card would print it as this one's
    if options.audit:
        from dataset_builder.assembly.audit import audit
        from trust.handovers import stamped

        write_json(audited, stamped(audit(join_articles(heads))))
    settings = {name: value for name, value in asdict(options).items() if name not in _NOT_IN_MANIFEST}
    settings["benchmarks"] = list(map(public_name, benchmarks))
    entry: dict = {"options": settings, "inputs_sha256": inputs_sha256(heads), "counts": vars(counts)}
    left = {row["source_file"] for row in read_jsonl(dataset / ".work" / "rows.jsonl")}
    archives = archives_of(head.archive for head in heads if head.archive and head.source_file in left)
    entry |= {"domain": told(domain), "archives": archives}
    write_stage(dataset, "build", _PACKAGES, **entry)
    opened = f"open: {dataset}/preview.html (every figure, in a browser), {dataset}/README.md (the card)"
    return "\n".join([counts.summary(), opened, f"next: ldrt instruct {shlex.quote(str(dataset))}"])


def _thresholds(options: Options) -> Thresholds:
    return Thresholds(
        min_sharpness=options.min_sharpness,
        min_side_px=options.min_side_px,
        max_aspect=options.max_aspect,
        min_contrast=options.min_contrast,
        max_text_share=options.max_text_share,
        min_text_chars=options.min_text_chars,
        max_caption_chars=options.max_caption_chars,
    )


def _splitting(options: Options) -> Splitting:
    return Splitting(options.test_size, options.validation_size, options.min_articles, options.seed)
