"""dataset -> LLaVA JSON, ShareGPT JSON or WebDataset, for trainers that do not read the Hub's Parquet files.

    ldrt export dataset --format llava --output llava            # DATASET/CONFIG-SPLIT.json and images/
    ldrt export ORG/NAME --format sharegpt --output sharegpt     # LLaMA-Factory, ms-swift
    ldrt export dataset --format webdataset --output tars --configs pairs --splits train

Exported are the rows that `ldrt push` would publish under the same policy, and nothing else. A picture keeps the
compressed pixels of its JPEG or PNG, without metadata; its file is named by the hash of its content. What tokenizers
take for special tokens is made plain text in questions, answers and captions. Each row says what it was made from and
under which licences; attribution.jsonl has the credit line of each figure.

Same dataset, same options: same bytes, also after a kill. A row that cannot be exported is named in left_out.jsonl.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trust.licenses import Policy
from trust.places import refuse_commit

Config = Literal["pairs", "align", "detail", "reasoning", "instruct", "preference"]
_LIMIT_S = 6 * 3600.0  # for the download of a dataset from the Hub


@dataclass
class Options:
    """Options of `ldrt export`."""

    dataset: str = field(
        metadata={"help": "dataset repo folder, or its Hub id", "positional": True, "path": "dataset or Hub id"}
    )
    format: Literal["llava", "sharegpt", "webdataset"] = field(
        metadata={"help": "`llava` JSON, `sharegpt` JSON (LLaMA-Factory, ms-swift), or `webdataset` tars"}
    )
    output: str = field(
        metadata={"help": "new folder to write, or the one of an export that was stopped", "path": "new folder"}
    )
    configs: list[Config] = field(
        default_factory=list,
        metadata={"help": "default: all that the format takes; `instruct` is detail and reasoning in one file"},
    )
    splits: list[Literal["train", "validation", "test"]] = field(
        default_factory=list, metadata={"help": "default: all"}
    )
    policy: Policy = field(
        default="commercial",
        metadata={
            "help": "rows to export, as in `ldrt push`: `commercial` (CC-BY, CC-BY-SA, public domain), `noncommercial` "
            "(and CC-BY-NC, CC-BY-NC-SA), `all` (whatever the licence: only when you may)"
        },
    )
    revision: str | None = field(default=None, metadata={"help": "Hub commit of the dataset"})


def run(options: Options) -> str:
    """Export; returns which files have how many rows, and what was left out.

    Raises FileNotFoundError for no dataset, ValueError for a config or split that is not there and for an output folder
    with something else in it, RuntimeError where no row may be exported or the Hub refuses.
    """
    from model_cards.exporting.export import DRAFTS, KNOWN, Export, pairs_of, refuse_other, settings_of
    from model_cards.exporting.rows import chosen_files
    from model_cards.reviewing.review import read_review
    from model_cards.staging.dataset import refuse_nothing
    from model_cards.staging.own_folder import own_folder

    dataset, output = _folder(options), Path(options.output)
    chosen = chosen_files(dataset, options.configs, options.splits, KNOWN[options.format])
    refuse_nothing(dataset, options.policy)
    pairs = pairs_of(dataset)
    review = read_review(dataset)
    settings = settings_of(chosen, pairs, options.format, options.policy, review)
    refuse_other(output, settings)
    with own_folder(output, DRAFTS) as drafts:
        export = Export(output, drafts, options.format, options.policy, review=review)
        export.claim(settings)
        for config, splits in chosen.items():
            for split, paths in splits.items():
                export.write(config, split, paths)
        export.finish(pairs)
    return f"{export.describe()}\nin {output}"


def _folder(options: Options) -> Path:
    """The dataset's folder, of one on the Hub the copy of its Parquet files."""
    from model_cards.staging.dataset import refuse_links

    dataset = Path(options.dataset)
    if dataset.is_dir():
        refuse_commit(options.dataset, options.revision)
        refuse_links(dataset)
        return dataset
    if dataset.exists() or options.dataset.startswith((".", "/")) or options.dataset.count("/") != 1:
        raise FileNotFoundError(f"{dataset}: no such dataset folder")
    from model_cards.hub.repo import Repo, download
    from model_cards.hub.session import session

    repo = Repo(options.dataset, "dataset", private=False)
    with session(repo, _LIMIT_S):
        return download(repo, options.revision, ["*/*.parquet"])
