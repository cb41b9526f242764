"""`ldrt retract DATASET --article ID --why TEXT`: an article, or a figure, taken out of a dataset repo folder for good.

    ldrt retract dataset --article PMC1234567 --why "the authors asked for it"
    ldrt retract dataset --article PMC1234567 --article 10.1000/xyz --why "retracted by the journal"
    ldrt retract dataset --figure PMC1234567/fig2 --why "shows a face"

Its rows go from every config, with examples that were written from its text; so do its text and its rejected figures
under `provenance/`, what `.work/` keeps of it (records, pictures, an LLM's replies), and the pages to look at. Files
without a row of it stay as they are, bit for bit; everything else stays in its split. The id goes on the list
`provenance/retracted.jsonl`, and `ldrt build` and `ldrt instruct` leave out what is on it. CHANGELOG.md says what went,
when and why; card, manifest and certificate are written anew.

A kill at any moment does no harm: run the same command again. Then `ldrt push`, which publishes the change and says
which older commits and tags of the repository still hold the rows. Your articles' folder and copies of the dataset are
left to you.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trust.errors import UsageError

if TYPE_CHECKING:
    from dataset_builder.retracted import Retraction
    from dataset_builder.retracting.asked import Known


@dataclass
class Options:
    """Options of `ldrt retract`."""

    dataset: str = field(
        metadata={"help": "dataset folder made by `ldrt build`", "positional": True, "path": "dataset folder"}
    )
    why: str = field(metadata={"help": "the reason, for CHANGELOG.md and the list: both are published"})
    article: list[str] = field(
        default_factory=list,
        metadata={"help": "articles, by PMCID, DOI or the column `article_id`; several times for several"},
    )
    figure: list[str] = field(
        default_factory=list,
        metadata={"help": "single figures, by the column `figure_id`; their article's Markdown goes, too"},
    )


def run(options: Options) -> str:
    """Take them out; returns what went, and what is left to do.

    Raises UsageError where nothing is named, FileNotFoundError for a folder that is no dataset, ValueError for an id
    that nothing has, naming the nearest one, and where no figure would be left: then nothing is changed.
    """
    # here, as pyarrow takes a second and `ldrt retract --help` does not need it
    from dataset_builder.retracting.asked import read_known
    from dataset_builder.retracting.take_out import check, put_on_list, take_out

    dataset = Path(options.dataset)
    if not options.article and not options.figure:
        raise UsageError("nothing to take out: name --article ID or --figure ID")
    if not options.why.strip():
        raise UsageError("--why is empty: the changelog needs the reason")
    known = read_known(dataset)
    check(dataset)
    before, new = _entries(dataset, known, options)
    put_on_list(dataset, new)
    take_out(dataset, known, [*before, *new])
    return "\n".join(_told(known, before, new))


def _entries(dataset: Path, known: "Known", options: Options) -> tuple[list["Retraction"], list["Retraction"]]:
    """What is on the list already of what is asked for, and what is to be put there."""
    from dataset_builder.retracted import FILE, RETRACTED_FILE
    from dataset_builder.retracting.asked import entries_for, refuse_everything, sort_asked
    from dataset_builder.retracting.take_out import with_digests
    from dataset_builder.retracting.told import today

    listed = list(RETRACTED_FILE.rows(dataset / "provenance" / FILE))
    before, articles, figures = sort_asked(listed, options.article, options.figure)
    new = entries_for(dataset, known, articles, figures, options.why.strip(), today())
    refuse_everything(dataset, [*listed, *new])
    return before, [with_digests(dataset, known, entry) for entry in new]


def _told(known: "Known", before: Sequence["Retraction"], new: Sequence["Retraction"]) -> list[str]:
    lines = [f"{_name(entry)} was taken out on {entry['day']}; what was left of it is gone, too" for entry in before]
    for entry in new:
        rows = ", ".join(f"{config} {n}" for config, n in entry["rows"].items()) or "no row of a config"
        lines.append(f"{_name(entry)}: {rows}")
        others = known.shown_elsewhere(entry["figure_ids"])
        if others:
            lines.append(f"  figures of other articles show the same pictures and stay: {', '.join(others)}")
    next_steps = "delete its files among your articles; `ldrt push` publishes the change and says what still has it"
    return [*lines, f"next: {next_steps}"]


def _name(entry: "Retraction") -> str:
    return f"article {entry['article_id']}" if entry["article_id"] else f"figure {entry['figure_id']}"
