"""`ldrt rehydrate ORG/NAME --articles DIR --output DATASET`: figures published without picture and text -> `pairs`.

    ldrt rehydrate my-org/my-dataset --articles articles --output dataset
    ldrt rehydrate my-org/my-dataset --articles articles --output dataset --fetch --contact you@example.org
    ldrt rehydrate published-folder --articles articles --output dataset

What `ldrt push --withheld` lists in the config `withheld` is made again from your own copies of the articles,
found by the hashes of their files, whatever they are called, else by their ids. Every row is checked against the
published hashes; what differs is left out and named, with the reason, in DATASET/provenance/differences.jsonl. The
others are in `pairs`, in the place they had, beside the published rows. Run it again after an interruption, or with
more articles: what is made stays.
"""

import datetime
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

from trust.errors import UsageError

if TYPE_CHECKING:
    from dataset_builder.fetching.task import Fetching
    from dataset_builder.rehydrating.copies import Copy
    from dataset_builder.rehydrating.matching import Outcome
    from dataset_builder.rehydrating.published import Published, Wanted

_MARK = "made-by-ldrt-rehydrate"  # in .work: the folder is ours to write to
_MAX_FILE_BYTES = 500_000_000  # of one to fetch, as `ldrt fetch` has it


@dataclass
class Options:
    """Options of `ldrt rehydrate`."""

    dataset: str = field(
        metadata={
            "help": "ORG/NAME or a folder, pushed with --withheld",
            "positional": True,
            "path": "dataset or Hub id",
        }
    )
    articles: str = field(metadata={"help": "folder of your PDFs and JATS packages, nested and named at will"})
    output: str = field(
        metadata={"help": "dataset folder to write; kept and extended if it is there", "path": "new folder"}
    )
    revision: str | None = field(default=None, metadata={"help": "commit, tag or branch on the Hub"})
    fetch: bool = field(
        default=False,
        metadata={"help": "fetch the articles that are not in ARTICLES by their ids, to ARTICLES/fetched"},
    )
    contact: str | None = field(
        default=None, metadata={"help": "with --fetch: your e-mail address, sent to the services (required there)"}
    )
    workers: Annotated[int, Ge(1)] = field(
        default=os.cpu_count() or 1, metadata={"help": "processes that read articles"}
    )
    timeout_s: Annotated[float, Gt(0)] = field(default=300.0, metadata={"help": "longest time for one file, seconds"})
    memory_gb: Annotated[float, Gt(0)] = field(
        default=4.0, metadata={"help": "most memory of one process, gigabytes (on Linux)"}
    )
    bucket_url: str = field(
        default="https://pmc-oa-opendata.s3.amazonaws.com", metadata={"help": "PMC's article datasets"}
    )
    europepmc_url: str = field(
        default="https://www.ebi.ac.uk/europepmc/webservices/rest", metadata={"help": "Europe PMC's REST service"}
    )
    converter_url: str = field(
        default="https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles/", metadata={"help": "NCBI's ID converter"}
    )


def run(options: Options) -> str:
    """Make the rows again; returns what came out and what did not.

    Raises UsageError for options that do not fit together, FileNotFoundError for a dataset or folder that is not there
    or lists no such figure, UsageError for an output that is somebody else's, RuntimeError when nothing came out.
    """
    if not options.fetch and not Path(options.articles).is_dir():  # before what takes seconds to import
        raise UsageError(f"no folder {options.articles}: --articles names the one with your articles, or --fetch them")
    from dataset_builder.rehydrating.earlier import read_earlier, write_made
    from dataset_builder.rehydrating.published import open_published
    from dataset_builder.rehydrating.taken_down import take_over_lists, without_taken_down
    from dataset_builder.rehydrating.writing import write_dataset, write_differences

    task = _task(options)
    dataset = Path(options.output)
    _check_ours(dataset, Path(options.articles), Path(options.dataset))
    published = open_published(options.dataset, options.revision)
    with _alone_in(dataset):
        retracted = take_over_lists(dataset, published)
        wanted, gone = without_taken_down(published.wanted, retracted)
        earlier = read_earlier(dataset, wanted)
        made, said = _make(published, earlier.left, options, task)
        outcomes = _as_wanted([*earlier.done, *made, *gone], published.wanted)
        write_differences(dataset, outcomes)
        lines = [*said, *_summary(outcomes, published)]
        if not any(outcome.row for outcome in outcomes):
            raise RuntimeError(f"no figure could be made again; {'; '.join(lines)}")
        write_made(dataset, outcomes)
        rows = write_dataset(dataset, published, outcomes, retracted)
    return "\n".join([*lines, f"pairs          {rows:>7}  rows", f"next: ldrt instruct {shlex.quote(str(dataset))}"])


# ---- what is asked


def _task(options: Options) -> "Fetching | None":
    """How articles are fetched; None where none are. Raises UsageError without an address to write to."""
    from dataset_builder.fetching.task import Addresses, Fetching, check_contact

    if not options.fetch:
        return None
    no_search = ""  # E-utilities search, and ids are not searched for
    urls = (options.bucket_url, options.europepmc_url, no_search, options.converter_url)
    return Fetching(
        domain=None,
        ids=None,
        pinned=None,
        source="europepmc",
        contact=check_contact(options.contact),
        dry_run=False,
        search_again=False,
        supplements=False,
        limit=0,
        concurrency=16,
        rate=20.0,
        max_file_bytes=_MAX_FILE_BYTES,
        tries=6,
        addresses=Addresses(*urls),
        today=datetime.datetime.now(datetime.UTC).date(),
    )


def _check_ours(dataset: Path, articles: Path, published: Path) -> None:
    """Refuse to write where something of somebody else lies, or where the articles or the published rows are."""
    output = dataset.resolve()
    for name, folder in (("articles", articles), ("dataset", published)):
        if folder.is_dir() and (output == folder.resolve() or output in folder.resolve().parents):
            raise UsageError(f"--output {dataset} is or holds the {name}' folder {folder}; choose another folder")
    if dataset.is_dir() and any(dataset.iterdir()) and not (dataset / ".work" / _MARK).is_file():
        raise UsageError(
            f"--output {dataset} is not empty and was not made here (it has no .work/{_MARK}); choose a new folder"
        )


@contextmanager
def _alone_in(dataset: Path) -> Iterator[None]:
    """While it lasts nobody else rehydrates to the folder. Raises UsageError, PermissionError."""
    import filelock

    work = dataset / ".work"
    try:
        work.mkdir(parents=True, exist_ok=True)
        (work / _MARK).touch()
    except OSError as error:
        raise PermissionError(f"cannot write to {dataset}: {error.strerror}; choose another --output") from error
    try:
        with filelock.FileLock(work / "rehydrate.lock").acquire(0):
            yield
    except filelock.Timeout as error:
        raise UsageError(
            f"another `ldrt rehydrate` works in {dataset}; wait for it, or choose another folder"
        ) from error


# ---- making


def _make(
    published: "Published", wanted: "Sequence[Wanted]", options: Options, task: "Fetching | None"
) -> tuple[list["Outcome"], list[str]]:
    """The outcome of each figure that is left, and what is to be said of the fetching."""
    from dataset_builder.extraction.isolation import Limits
    from dataset_builder.rehydrating.copies import find, read
    from dataset_builder.rehydrating.fetching import fetch_articles, ids_of
    from dataset_builder.rehydrating.matching import match

    if not wanted:
        return [], []
    articles, work, said = Path(options.articles), Path(options.output) / ".work", []
    if task:
        articles.mkdir(parents=True, exist_ok=True)
    found = find(articles, work / "unpacked", wanted)
    if task and (ids := ids_of(found.missing)):
        said = [fetch_articles(ids, articles, task)]
        found = find(articles, work / "unpacked", wanted)
    limits = Limits(options.workers, options.timeout_s, options.memory_gb)
    copies = [read(packages, work, published.layout, limits) for packages in (found.same, found.perhaps)]
    return match(wanted, *copies), said + _unreadable(copies[1])


def _unreadable(copies: "Sequence[Copy]") -> list[str]:
    """A line on files that nobody can say of whether they are wanted; none where there are none."""
    errors = [copy.error for copy in copies if copy.article is None]
    return [f"not readable   {len(errors):>7}  articles that may be among the wanted: {errors[0]}"] if errors else []


def _as_wanted(outcomes: "Iterable[Outcome]", wanted: "Sequence[Wanted]") -> list["Outcome"]:
    """The outcomes in the order in which their figures are listed."""
    by_figure = {(outcome.wanted.split, outcome.wanted.row["figure_id"]): outcome for outcome in outcomes}
    return [by_figure[one.split, one.row["figure_id"]] for one in wanted]


def _summary(outcomes: "Sequence[Outcome]", published: "Published") -> list[str]:
    """How many were listed, made and left out, and why."""
    made = sum(outcome.row is not None for outcome in outcomes)
    left_out = Counter(outcome.reason for outcome in outcomes if outcome.row is None)
    noted = sum(outcome.row is not None and outcome.reason is not None for outcome in outcomes)
    lines = [
        f"listed         {len(outcomes):>7}  figures without pictures in {published.name}",
        f"made again     {made:>7}",
    ]
    if noted:
        lines.append(f"  of these     {noted:>7}  whose title, licence or the like differs")
    if left_out:
        lines.append(f"left out       {left_out.total():>7}  (provenance/differences.jsonl)")
        lines += [f"  {n:>7}  {reason}" for reason, n in left_out.most_common()]
    return lines
