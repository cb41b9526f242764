"""`ldrt fetch`: open-access articles with their pictures -> a folder that `ldrt build` reads, and a pinned list.

    ldrt fetch --domain recipes/domains/ldrt.yaml --output articles --contact you@example.org --dry_run
    ldrt fetch --domain recipes/domains/ldrt.yaml --output articles --contact you@example.org
    ldrt fetch --ids ids.txt --output articles --contact you@example.org
    ldrt fetch --zotero "My library.bib" --output articles                          # a collection of one's own
    ldrt fetch --list articles.jsonl --output copy --contact you@example.org        # the same bytes again
    ldrt fetch --refresh articles --contact you@example.org                         # what has changed since

Articles come from PMC's article datasets (a public bucket); what to fetch is searched for in Europe PMC or by NCBI's
ESearch. Of a Zotero export the attached PDFs and XML are copied, and references without any fetched by their ids. Run
it again after an interruption or a failure: only what is missing is asked for.
"""

import asyncio
import datetime
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from dataset_builder.cluster_options import OF_CLUSTERS, TIME, TIME_HELP, check_cluster
from trust.errors import UsageError

if TYPE_CHECKING:
    from dataset_builder.cluster import Cluster
    from dataset_builder.fetching.side_by_side import Failure
    from dataset_builder.fetching.task import Addresses, Fetching

_TASK_MEMORY_GB = 2.0  # of a task on a cluster: the list is read row by row, files go to the disk piece by piece
_PATHS = ("domain", "ids", "list", "zotero", "output")  # options that a job sees from another folder


@dataclass
class Options:
    """Options of `ldrt fetch`."""

    domain: str | None = field(
        default=None, metadata={"help": "YAML file of a domain; its query is searched for", "path": "file"}
    )
    ids: str | None = field(
        default=None,
        metadata={"help": "file with PMCIDs, DOIs and PMIDs, one a line, in place of a search", "path": "file"},
    )
    list: str | None = field(
        default=None, metadata={"help": "articles.jsonl of an earlier fetch: the same bytes again", "path": "file"}
    )
    zotero: str | None = field(
        default=None,
        metadata={
            "help": "Zotero export (BibTeX with files, or CSL JSON): files are copied, the others fetched by id",
            "path": "file",
        },
    )
    refresh: str | None = field(
        default=None,
        metadata={
            "help": "folder of an earlier fetch: note what was changed, retracted or removed since",
            "path": "folder",
        },
    )
    output: str | None = field(
        default=None, metadata={"help": "folder to fetch to; kept and extended if it is there", "path": "new folder"}
    )
    contact: str | None = field(
        default=None, metadata={"help": "your e-mail address, sent to the services: all of them ask for one (required)"}
    )
    source: Literal["europepmc", "esearch"] = field(
        default="europepmc", metadata={"help": "what searches", "group": "what is fetched"}
    )
    dry_run: bool = field(
        default=False, metadata={"help": "only search, count and write OUTPUT/articles.jsonl; fetch no article"}
    )
    search_again: bool = field(
        default=False,
        metadata={
            "help": "search anew in place of the search that OUTPUT has; articles there are kept",
            "group": "what is fetched",
        },
    )
    supplements: bool = field(
        default=False, metadata={"help": "fetch supplementary files, too", "group": "what is fetched"}
    )
    limit: Annotated[int, Ge(0)] = field(default=0, metadata={"help": "most articles, the first by PMCID; 0 for all"})
    concurrency: Annotated[int, Ge(1), Le(256)] = field(
        default=16, metadata={"help": "requests under way at once", "group": "speed and limits"}
    )
    rate: Annotated[float, Gt(0)] = field(
        default=20.0,
        metadata={"help": "most requests a second to the bucket, by all tasks together", "group": "speed and limits"},
    )
    max_file_mb: Annotated[float, Gt(0)] = field(
        default=500.0, metadata={"help": "largest file to fetch, megabytes", "group": "speed and limits"}
    )
    executor: Literal["local", "slurm", "ray"] = field(
        default="local",
        metadata={
            "help": "where articles are fetched: this machine; jobs of `sbatch`; the Ray cluster of RAY_ADDRESS",
            "group": "on a cluster",
        },
    )
    tasks: Annotated[int, Ge(1)] = field(
        default=4, metadata={"help": "SLURM, Ray: jobs that share the list", "group": "on a cluster"}
    )
    partition: str | None = field(
        default=None, metadata={"help": "SLURM: partition; needed there", "group": "on a cluster"}
    )
    time: str = field(default="24:00:00", metadata={"help": TIME_HELP, "pattern": TIME, "group": "on a cluster"})
    sbatch_args: dict[str, str] = field(
        default_factory=dict,
        metadata={"help": "SLURM: more arguments of sbatch, as `--sbatch_args.account NAME`", "group": "on a cluster"},
    )
    tries: Annotated[int, Ge(1)] = field(
        default=6, metadata={"help": "tries a request, with growing waits between them", "group": "speed and limits"}
    )
    bucket_url: str = field(
        default="https://pmc-oa-opendata.s3.amazonaws.com",
        metadata={"help": "PMC's article datasets", "group": "addresses of the services"},
    )
    europepmc_url: str = field(
        default="https://www.ebi.ac.uk/europepmc/webservices/rest",
        metadata={"help": "Europe PMC's REST service", "group": "addresses of the services"},
    )
    eutils_url: str = field(
        default="https://eutils.ncbi.nlm.nih.gov/entrez/eutils",
        metadata={"help": "NCBI's E-utilities", "group": "addresses of the services"},
    )
    converter_url: str = field(
        default="https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/",
        metadata={"help": "NCBI's ID converter", "group": "addresses of the services"},
    )


def run(options: Options) -> str:
    """Fetch; returns what was done as text.

    Raises UsageError for options that do not fit together, ConnectionError where a service cannot be asked,
    RuntimeError when nothing was found or no article came.
    """
    asked = [name for name in ("domain", "ids", "list", "zotero", "refresh") if getattr(options, name)]
    if len(asked) != 1:
        raise UsageError(
            f"give one of --domain, --ids, --list, --zotero and --refresh, not {', '.join(asked) or 'none'}"
        )
    _check(options)
    if options.refresh:
        return _refresh(Path(options.refresh), _task(options))
    assert options.output is not None
    if options.zotero:
        return _fetch_library(Path(options.zotero), Path(options.output), options)
    return _fetch(Path(options.output), _task(options), options)


def _check(options: Options) -> None:
    """Raises UsageError for an option that is missing or has a value that none can have."""
    if not options.refresh and not options.output:
        raise UsageError("missing --output, the folder to fetch to")
    defaults = Options()
    check_cluster(options.executor, [name for name in vars(options) if vars(options)[name] != vars(defaults)[name]])
    if options.contact:
        from dataset_builder.fetching.task import check_contact

        check_contact(options.contact)


def _refresh(articles: Path, task: "Fetching") -> str:
    from dataset_builder.fetching.refresh import refresh
    from dataset_builder.fetching.task import alone_in

    with alone_in(articles):
        return asyncio.run(refresh(articles, task))


def _fetch_library(export: Path, output: Path, options: Options) -> str:
    """Copy the files that the references of a Zotero export have, and fetch those that have none by their ids."""
    from dataset_builder.fetching.library.copies import copy_attached, plan_copies
    from dataset_builder.fetching.library.references import read_references
    from dataset_builder.fetching.task import NothingFoundError, alone_in, failure_lines, next_step, with_ids
    from dataset_builder.files.jsonfiles import write_jsonl

    references, unreadable = read_references(export)
    plan = plan_copies(references, export.parent)
    ids = [reference.id for reference in plan.without if reference.id]
    task = _task(options) if ids else None  # asks for --contact before anything is copied
    (output / ".fetch").mkdir(parents=True, exist_ok=True)
    said = f"{len(plan.copied)} references with files, {len(ids)} to fetch by their ids"
    if not options.dry_run:
        with alone_in(output):
            copied, there = copy_attached(plan, output, _today().isoformat())
        said = f"{copied} references copied, {there} were there, {len(ids)} to fetch by their ids"
    failed = [*unreadable, *plan.failed]
    if task:
        try:
            return f"{said}\n{_fetch(output, with_ids(task, ids, output), options, failed)}"
        except NothingFoundError as error:
            failed += error.failed
    write_jsonl(output / "failed.jsonl", failed)
    if not plan.copied:
        raise RuntimeError(f"no article came of {export}; see {output}/failed.jsonl")
    return "\n".join([said, *failure_lines(failed, output), next_step(output)])


def _fetch(output: Path, task: "Fetching", options: Options, failed: Sequence["Failure"] = ()) -> str:
    """Search, list and download, here or on a cluster; `failed` is what did not come before."""
    from dataset_builder.cluster import Share, run_on_ray
    from dataset_builder.fetching.shares import FetchArticles
    from dataset_builder.fetching.task import alone_in, describe_list, failure_lines, fetch_listed, finish, list_wanted

    with alone_in(output):
        unlisted = [*failed, *asyncio.run(list_wanted(output, task))]
        if options.dry_run:
            more = f"{output}/articles.jsonl; run again without --dry_run to fetch these"
            return "\n".join([describe_list(output), *failure_lines(unlisted, output), more])
        if options.executor == "ray":
            run_on_ray(FetchArticles(output, task), output / ".fetch", _cluster(options), Share(1, _TASK_MEMORY_GB))
        if options.executor != "slurm":
            counts, lost = asyncio.run(fetch_listed(output, task))  # all of them, or what a cluster has left undone
            return finish(output, unlisted, counts, lost)
    return _submit(output, task, options)


def _submit(output: Path, task: "Fetching", options: Options) -> str:
    """Submit the download, and this very command on one machine to follow it; returns what to say to the user."""
    from dataset_builder.cluster import Share, submit_to_slurm
    from dataset_builder.fetching.shares import FetchArticles
    from dataset_builder.files.jsonfiles import write_json

    work = output / ".fetch"
    config = work.absolute() / "slurm.yaml"  # JSON is YAML
    given = {name: str(Path(getattr(options, name)).absolute()) for name in _PATHS if getattr(options, name)}
    again = {name: value for name, value in asdict(options).items() if name not in OF_CLUSTERS}
    write_json(config, again | given | {"search_again": False})
    then = [sys.executable, "-m", "ldrt", "fetch", "--config", str(config)]
    names, share = ("ldrt-fetch", "ldrt-fetch-rest"), Share(1, _TASK_MEMORY_GB)
    first, second = submit_to_slurm(FetchArticles(output, task), work, _cluster(options), share, names, then)
    return (
        f"submitted to SLURM: job {first} fetches in {options.tasks} tasks at {options.rate:g} requests a second "
        f"together, job {second} then brings what is left; logs in {work}/slurm"
    )


def _cluster(options: Options) -> "Cluster":
    from dataset_builder.cluster import Cluster

    return Cluster(options.tasks, options.partition, options.time, options.sbatch_args)


def _task(options: Options) -> "Fetching":
    from dataset_builder.domain import read_domain
    from dataset_builder.fetching.task import Fetching, check_contact

    return Fetching(
        domain=read_domain(Path(options.domain)) if options.domain else None,
        ids=Path(options.ids) if options.ids else None,
        pinned=Path(options.list) if options.list else None,
        source=options.source,
        contact=check_contact(options.contact),
        dry_run=options.dry_run,
        search_again=options.search_again,
        supplements=options.supplements,
        limit=options.limit,
        concurrency=options.concurrency,
        rate=options.rate,
        max_file_bytes=int(options.max_file_mb * 1e6),
        tries=options.tries,
        addresses=_addresses(options),
        today=_today(),
    )


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _addresses(options: Options) -> "Addresses":
    from dataset_builder.fetching.task import Addresses

    return Addresses(options.bucket_url, options.europepmc_url, options.eutils_url, options.converter_url)
