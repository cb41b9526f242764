"""Options that are paths, checked before a stage is imported: there what is read, and writable what is written.

A field says what it is by its metadata `path`, one of KINDS.
"""

import os
import shlex
from pathlib import Path
from typing import Any

from dataset_builder.files.nearest import nearest
from ldrt.options import Option, options_of
from trust.errors import UsageError
from trust.places import check_writable, is_checkpoint_folder, is_dataset_folder

PLACES = {"dataset or Hub id": is_dataset_folder, "checkpoint or Hub id": is_checkpoint_folder}
READ = ("folder", "file", "folder or file", *PLACES)
MADE = {  # folders of the project's own commands -> what they hold, and the command that makes it, its folder as {}
    "dataset folder": ("pairs", "ldrt build ARTICLES --output {}"),
    "run folder": ("manifest.json", "ldrt generate --output {}"),
    "scored run folder": ("scores.json", "ldrt score {}"),
}
OF_PROJECT = ("recipe", "launch config")  # files of one's own, or of the project wherever it is installed
WRITTEN = ("new folder", "new file")
KINDS = (*READ, *MADE, *OF_PROJECT, *WRITTEN)
_ROOT = Path(__file__).parents[1]
_SHOWN_CHARS = 300  # of a path in a message
_LIKE = 0.7  # of a name to one that lies there, 0 to 1, to ask whether that is meant


def check_paths(values: Any) -> None:
    """Raises UsageError for the first path, of a stage's options, that cannot be what its option says."""
    for name, option in options_of(type(values)).items():
        value = getattr(values, name, None)
        for path in value if isinstance(value, list) else [value]:
            if option.path is not None and path is not None:
                _check(option, path)


def _check(option: Option, path: str) -> None:
    if path.startswith("~"):
        raise UsageError(f"{option.label} {path}: write your home folder in full; only a shell knows what ~ is")
    if option.path in WRITTEN:
        _check_written(option, path)
    elif option.path in PLACES:
        _check_place(option, path)
    else:
        _check_read(option, path)


_IS = {"folder": os.path.isdir, "folder or file": os.path.exists} | dict.fromkeys(MADE, os.path.isdir)


def _check_read(option: Option, path: str) -> None:
    """Raises UsageError for a folder or file that is not there, or is the other."""
    wanted = _IS.get(option.path or "", os.path.isfile)
    if option.path in OF_PROJECT and wanted(_ROOT / path):
        return
    if os.path.exists(path) and not wanted(path):
        raise UsageError(f"{path} is a {_what_is(path)}; {_explained(option)}")
    if not wanted(path):
        raise UsageError(f"no {option.path} {_shown(path)}{near_path(path)}; {_explained(option)}")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{option.label} {path} cannot be read: its permissions are another user's")
    if option.path in MADE:
        part, command = MADE[option.path]
        if not os.path.exists(os.path.join(path, part)):
            raise UsageError(f"{os.path.join(path, part)} is absent: run `{command.format(shlex.quote(path))}` first")


def _what_is(path: str) -> str:
    if os.path.isdir(path):
        return "folder"
    return "file" if os.path.isfile(path) else "pipe or a device"


def _shown(path: str) -> str:
    """In quotes; of a very long one the end, which tells it from others."""
    return repr(path if len(path) <= _SHOWN_CHARS else f"…{path[-_SHOWN_CHARS:]}")


def _check_place(option: Option, name: str) -> None:
    try:
        PLACES[str(option.path)](name, "checkpoint" if option.path == "checkpoint or Hub id" else option.name)
    except FileNotFoundError as error:
        raise UsageError(f"{error}{'' if os.path.exists(name) else near_path(name)}") from error


def _check_written(option: Option, path: str) -> None:
    """Raises UsageError where something else lies, or the nearest folder above is not to be written to."""
    is_to_be_file = option.path == "new file"
    if os.path.exists(path) and os.path.isdir(path) is is_to_be_file:
        here, wanted = ("folder", "file") if is_to_be_file else ("file", "folder")
        raise UsageError(f"{option.label} {path} is a {here}; give the name of a {wanted}")
    check_writable(path, option.label)


def near_path(path: str) -> str:
    """ ", did you mean runs/tuned?", of what lies beside it."""
    if os.path.islink(path):
        return f" (a link to {os.readlink(path)}, which is not there)"
    above = os.path.dirname(path)
    try:
        names = sorted(os.listdir((above or ".") if os.path.isdir(above or ".") else _ROOT / above))
    except OSError:
        return ""
    return nearest(os.path.basename(path), names, os.path.join(above, "") if above else "", _LIKE)


def _explained(option: Option) -> str:
    """ "ARTICLES is the folder of PDFs …"."""
    return f"{option.label}: {option.help}"
