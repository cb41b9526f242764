"""A study's repositories, sent one after the other, or shown as a plan; run again after a kill, it goes on.

Each repository is one commit, made only where something differs, and a tag; what is uploaded already is not sent again.
"""

import datetime
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from model_cards.files import write_text
from model_cards.hub.collection import Item, tie
from model_cards.hub.commit import changes, commit, next_tag, refuse_taken_tag, tag
from model_cards.hub.preflight import front_matter, preflight, prepare
from model_cards.hub.repo import download, head
from model_cards.hub.retry import retried
from model_cards.hub.session import session
from model_cards.staging.own_folder import own_folder
from model_cards.study.card import Pin
from model_cards.study.found import Study
from model_cards.study.parts import Files, Part

_CHANGELOG = "CHANGELOG.md"
_MEGABYTE = 1e6


# ---- the plan


def plan(study: Study, parts: Sequence[Part]) -> str:
    """What would go where: files and sizes, licences, who may see it, what is missing. Nothing is sent."""
    lines: list[str] = []
    pins: dict[str, Pin] = {}
    total = 0
    for part in parts:
        with own_folder(study.folder, ".publish") as folder:
            files, notes = part.lay_out(folder, pins)
            lines += _planned(part, files, notes)
            total += _size(files.values())
        pins[part.what] = Pin(part.repo, None)
    items = [f"{item.type} {item.id}" for item in _items(study, pins)]
    lines.append(f"collection {parts[-1].repo.id}: {', '.join(items)}")
    left = [name for name in study.before if name not in pins]
    if left:
        lines.append(f"not sent: the checkpoints {', '.join(left)} (--also {' '.join(left)} sends them)")
    lines += [f"missing: {what}" for what in study.missing]
    return "\n".join([*lines, f"in all {total / _MEGABYTE:.1f} MB; nothing was sent"])


def _planned(part: Part, files: Mapping[str, Path], notes: Sequence[str]) -> list[str]:
    seen_by = "private" if part.repo.private else "public"
    license = _license(files)
    groups = _groups(files)
    return [
        f"{part.what} -> {part.repo.url} ({seen_by}, licence: {license}, {_size(files.values()) / _MEGABYTE:.1f} MB)",
        *(f"  {name:<28} {n:>5} files {size / _MEGABYTE:>10.1f} MB" for name, (n, size) in groups.items()),
        *(f"  {note}" for note in notes),
    ]


def _license(files: Mapping[str, Path]) -> str:
    front = front_matter(files["README.md"].read_text(encoding="utf-8"))
    return str(front.get("license_name") or front.get("license") or "none stated")


def _groups(files: Mapping[str, Path]) -> dict[str, tuple[int, int]]:
    """Top folder, or file, of the repository -> number of files and bytes."""
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for name, path in sorted(files.items()):
        group = f"{name.split('/')[0]}/" if "/" in name else name
        count[group] += 1
        size[group] += path.stat().st_size
    return {group: (count[group], size[group]) for group in count}


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


# ---- the sending


def send(study: Study, parts: Sequence[Part], tag_name: str | None, limit_s: float) -> tuple[list[str], dict[str, Pin]]:
    """Publish all of it; returns what was sent, and where each part is now.

    Before anything is uploaded all of it is laid out, and HubError raised where a repository cannot be written to or
    has the tag for something else, whatever `lay_out` raises where something may not be published.
    """
    for part in parts:
        with session(part.repo, limit_s):
            prepare(part.repo)
    lines: list[str] = []
    pins: dict[str, Pin] = {}
    with own_folder(study.folder, ".publish") as folder:
        laid = _lay_out_all(parts, folder)
        if tag_name:
            _refuse_taken_tags(parts, laid, tag_name, limit_s)
        for part in parts:
            with session(part.repo, limit_s):
                is_last = part is parts[-1]  # its card names the commits of all that came before
                files, notes = part.lay_out(_new(folder / "last"), pins) if is_last else laid[part.what]
                lines += [*(f"{part.what}: {note}" for note in notes), _send(part, files, folder, tag_name, pins)]
                lines += part.after(part.repo)
    return lines, pins


def _lay_out_all(parts: Sequence[Part], folder: Path) -> dict[str, Files]:
    """What goes into each repository; the last one as if the others were not published yet."""
    unpublished: dict[str, Pin] = {}
    laid: dict[str, Files] = {}
    for part in parts:
        laid[part.what] = part.lay_out(_new(folder / part.repo.id.split("/")[1]), unpublished)
        unpublished[part.what] = Pin(part.repo, None)
    return laid


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _refuse_taken_tags(parts: Sequence[Part], laid: Mapping[str, Files], tag_name: str, limit_s: float) -> None:
    """Raises HubError where a repository has the tag for another state than it is to have; the last one changes with
    each of the others."""
    is_any_changing = False
    for part in parts:
        with session(part.repo, limit_s):
            is_changing = is_any_changing
            if part is not parts[-1]:
                is_changing = any(changes(part.repo, laid[part.what][0], part.managed))
                is_any_changing = is_any_changing or is_changing
            refuse_taken_tag(part.repo, tag_name, is_changing)


def _send(part: Part, files: dict[str, Path], folder: Path, tag_name: str | None, pins: dict[str, Pin]) -> str:
    """Make the commit, and its tag; notes the pin."""
    preflight(part.repo, files["README.md"].read_text(encoding="utf-8"))
    if _CHANGELOG not in part.managed:  # a dataset has one of its own
        files |= _with_changelog(part, files, folder, tag_name)
    done = commit(part.repo, files, part.managed, part.title, tag_name)
    name = tag(part.repo, done.sha, tag_name)
    pins[part.what] = Pin(part.repo, done.sha)
    return f"{part.what}: {done.describe(part.repo)}, tag {name}"


def _with_changelog(part: Part, files: Mapping[str, Path], folder: Path, tag_name: str | None) -> dict[str, Path]:
    """CHANGELOG.md as it is published, with an entry for this version where something else changes."""
    published = retried(lambda: download(part.repo, head(part.repo), [_CHANGELOG])) / _CHANGELOG
    before = published.read_text(encoding="utf-8") if published.is_file() else ""
    added, deleted = changes(part.repo, files, part.managed)
    if not added and not deleted:
        return {}
    version = tag_name or next_tag(part.repo)
    changed = sorted({name.split("/")[0] for name in (*added, *deleted)})
    told = f"{len(added)} files new or changed, {len(deleted)} gone: {', '.join(changed)}."
    entry = f"## {version}, {_today().isoformat()}\n\n{told}\n"
    rest = before.removeprefix("# Changelog\n").lstrip("\n")
    path = folder / _CHANGELOG
    write_text(path, f"# Changelog\n\n{entry}\n{rest}".rstrip("\n") + "\n")
    return {_CHANGELOG: path}


def _today() -> datetime.date:
    """The day, UTC, of SOURCE_DATE_EPOCH (seconds since 1970) where that is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.UTC)
    return (datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if epoch else now).date()


def tie_together(study: Study, pins: Mapping[str, Pin], space: str | None, limit_s: float) -> str:
    """Put all of it into a collection, named after the model; returns its address."""
    model = pins["model"].repo
    namespace, name = model.id.split("/")
    items = _items(study, pins)
    if space:
        items.append(Item(space, "space", "a page to try the model on"))
    with session(model, limit_s):
        return tie(name, namespace, model.private, items)


def _items(study: Study, pins: Mapping[str, Pin]) -> list[Item]:
    """The model first."""
    items = [Item(pin.repo.id, pin.repo.type, what) for what, pin in reversed([*pins.items()])]
    if study.hub_dataset:
        items.append(Item(study.hub_dataset[0], "dataset", "the questions"))
    if study.base:
        items.append(Item(study.base, "model", "the base model"))
    return items
