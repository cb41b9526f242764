"""Whether a dataset's card, provenance and pictures are those of its rows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pyarrow.parquet as parquet

from dataset_builder.assembly.duplicates import duplicate_groups
from dataset_builder.assembly.splits import certificate
from model_cards.cards.dataset_card import render_dataset_card
from model_cards.dataset_folder import SPLITS, WITHHELD, Splits, all_files, config_files, split_files, terms_counts
from model_cards.provenance_files import CERTIFICATE, DATASET_MANIFEST
from model_cards.staging.withheld import SCHEMA
from trust.licenses import Policy, permits
from verification.card import check_card, front_matter, read_card
from verification.pictures import wrong_pictures
from verification.report import Check, judged, not_checked
from verification.repository import Repository
from verification.rows import keys_of, rows_of

_NAMED = re.compile(r"load_dataset\(\"([\w.-]+/[\w.-]+)\"")  # the dataset in the card's example
_NEEDED = ("figure_id", "article_id")


def check_dataset_folder(repository: Repository) -> list[Check]:
    """Card, pictures, splits, examples, licences and counts of a dataset."""
    folder = repository.folder
    if not config_files(folder):
        raise FileNotFoundError(f"{repository.name} has no figures or examples: answers are verified with their model")
    return [
        *_check_card(repository),
        judged("pictures: each has the hashes that its row says, and is its figure's", wrong_pictures(folder)),
        _check_splits(folder),
        judged("examples: each in the split of its figure and article", _wrong_examples(folder)),
        *_check_push(folder),
        *_check_withheld(folder),
    ]


def _check_card(repository: Repository) -> list[Check]:
    path = repository.path("README.md")
    if not path.is_file():
        return [not_checked("card: its numbers", "there is no README.md")]
    card = read_card(path)
    named = _NAMED.search(card)
    again = render_dataset_card(repository.folder, named[1] if named else None)
    return [
        judged("card: `configs` names the Parquet files' content", _wrong_configs(card, again)),
        judged("card: the licence that the rows have", _wrong_license(card, again)),
        *check_card(card, again),
    ]


def _wrong_license(card: str, again: str) -> Iterator[str]:
    published, expected = front_matter(card), front_matter(again)
    for key in ("license", "license_name", "license_link"):
        if published.get(key) != expected.get(key):
            yield f"{key}: {published.get(key)!r} is published, {expected.get(key)!r} by the rows"


def _wrong_configs(card: str, again: str) -> Iterator[str]:
    """The card names a hash of each config's files, by which `datasets` knows them."""
    listed = front_matter(card).get("configs")
    configs = [config for config in listed if isinstance(config, dict)] if isinstance(listed, list) else []
    published = {str(config.get("config_name")): config for config in configs}
    expected = front_matter(again).get("configs", [])
    for name in sorted(published.keys() - {config["config_name"] for config in expected}):
        yield f"config {name}: on the card, and no files of this project are its rows"
    for config in expected:
        name, found = config["config_name"], published.get(config["config_name"])
        if found != config:
            said = found.get("description") if found else "no such config"
            yield f"config {name}: the card says {said!r}, the files give {config['description']!r}"


def _check_splits(folder: Path) -> Check:
    """Articles, pictures, near-duplicates and captions stay in one split, found again from the rows."""
    what = "splits: no article, picture, near-duplicate or caption in two of them"
    pairs = config_files(folder).get("pairs", {})
    if not pairs:
        return not_checked(what, "there is no config `pairs`")
    split_of: dict[str, str] = {}
    twice: list[str] = []
    for split, row in _placed(pairs):
        if split_of.setdefault(row["article_id"], split) != split:
            where = f"{split_of[row['article_id']]} and in {split}"
            twice += [f"{row['figure_id']}: its article is in {where}"]
    figures = list(keys_of(pairs).values())
    found = certificate(figures, duplicate_groups(figures), split_of, 0)["collisions"]
    noted = CERTIFICATE.read_if_there(folder / "provenance" / "splits.json")
    said = [f"splits.json itself names {len(noted['collisions'])}"] if noted and noted["collisions"] else []
    return judged(what, [*twice, *(f"{one['kind']}: {', '.join(one['figures'])}" for one in found), *said])


def _wrong_examples(folder: Path) -> Iterator[str]:
    configs = config_files(folder)
    rows = _placed(configs.get("pairs", {}))
    figures = {row["figure_id"]: (split, row["article_id"]) for split, row in rows}
    for config in configs.keys() - {"pairs"}:
        for split, files in configs[config].items():
            for row in rows_of(files, (*_NEEDED, "example_id")):
                if figures and figures.get(row["figure_id"]) != (split, row["article_id"]):
                    where = figures.get(row["figure_id"], ("no split",))[0]
                    yield f"{config}: {row['example_id']} is in {split}, its figure in {where}"


def _placed(splits: Splits) -> Iterator[tuple[str, dict]]:
    """(split, ids of a row) of each row of a config."""
    for split in SPLITS:
        for row in rows_of(splits.get(split, []), _NEEDED):
            if row["figure_id"] and row["article_id"]:  # one without is named with the pictures
                yield split, row


def _check_withheld(folder: Path) -> list[Check]:
    """Figures that are listed without picture and text: by ids and hashes, and none that is published beside."""
    listed = all_files(split_files(folder / WITHHELD))
    if not listed:
        return []
    return [
        judged("withheld: ids and hashes alone, of figures that are in no other config", _wrong_lists(folder, listed))
    ]


def _wrong_lists(folder: Path, listed: list[Path]) -> Iterator[str]:
    for path in listed:
        if further := sorted(set(parquet.read_schema(path).names) - set(SCHEMA.names)):
            yield f"{WITHHELD}/{path.name} has columns of its own: {', '.join(further)}"
    ids = {row["figure_id"] for row in rows_of(listed, ("figure_id",))}
    for config, splits in config_files(folder).items():
        published = sorted(ids & {row["figure_id"] for row in rows_of(all_files(splits), ("figure_id",))})
        if published:
            yield f"{published[0]} is listed as withheld, and its row is in {config}"


def _check_push(folder: Path) -> list[Check]:
    """What `ldrt push` noted: how many rows went, under which policy."""
    manifest = DATASET_MANIFEST.read_if_there(folder / "provenance" / "manifest.json") or {"stages": {}}
    push = manifest["stages"].get("push")
    what = "rows: as many as were published, each with a licence that the policy permits"
    if not push:
        return [not_checked(what, "provenance/manifest.json does not say how it was published")]
    try:
        policy, published = push["options"]["policy"], {name: of["published"] for name, of in push["counts"].items()}
    except (KeyError, TypeError, AttributeError):
        return [judged(what, ["provenance/manifest.json: `stages.push` is without policy or counts"])]
    if policy not in get_args(Policy):
        return [judged(what, [f"provenance/manifest.json: there is no policy {policy!r}"])]
    return [judged(what, _wrong_rows(folder, policy, published))]


def _wrong_rows(folder: Path, policy: Policy, published: dict[str, int]) -> Iterator[str]:
    configs = config_files(folder)
    for config in sorted(configs.keys() | published.keys()):
        terms = terms_counts(all_files(configs.get(config, {})))
        if terms.total() != published.get(config, 0):
            yield f"{config}: {terms.total()} rows, {published.get(config, 0)} were published"
        refused = sum(n for of_row, n in terms.items() if not permits(policy, *of_row))
        if refused:
            yield f"{config}: {refused} rows whose licence does not permit it ({policy})"
