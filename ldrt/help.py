"""What `ldrt COMMAND --help` prints: how it is called, its docstring as it stands, its options by groups."""

import shutil
import textwrap
from typing import Any

from ldrt.options import CONFIG_OPTION, SHORT, Option, options_of

_MIN_COLUMNS, _COLUMNS = 60, 110
_FIRST = "options"  # the heading of those without a group
_LAST = "always"  # of those that every command has
_ALWAYS = {
    "-h, --help": "these lines",
    "--debug": "all that libraries say, and where a failure came from",
}


def help_of(stage: type, description: str | None, prog: str) -> str:
    """The help of a command whose options are the dataclass `stage`."""
    options = options_of(stage)
    own = [option for option in options.values() if option is not CONFIG_OPTION]
    own.sort(key=lambda option: (not option.is_positional, not option.is_required))
    headings = dict.fromkeys([_FIRST, *(option.group or _FIRST for option in own)])
    tables = {heading: _rows([o for o in own if (o.group or _FIRST) == heading]) for heading in headings}
    config = {"--config": f"{CONFIG_OPTION.help} [file]"} if len(own) < len(options) else {}
    tables[_LAST] = config | _ALWAYS
    left = max(len(name) for rows in tables.values() for name in rows) + 4  # characters
    sections = [_table(heading, rows, left) for heading, rows in tables.items() if rows]
    parts = [f"usage: {usage(options, prog)}", (description or "").strip(), *sections]
    return "\n\n".join(filter(None, parts))


def usage(options: dict[str, Option], prog: str) -> str:
    """ "ldrt human ACTION PATHS … --output FOLDER [options]"."""
    words = [prog]
    for option in options.values():
        if option.is_positional:
            name = f"{option.label} …" if option.takes_words else option.label
            words.append(name if option.is_required else f"[{name}]")
        elif option.is_required:
            words.append(f"--{option.name} {option.kind.choices and 'NAME' or option.text.split()[0].upper()}")
    return " ".join([*words, "[options]"])


def _rows(options: list[Option]) -> dict[str, str]:
    return {_name(option): f"{option.help} {_type(option)}" for option in options}


def _name(option: Option) -> str:
    if option.is_positional:
        return option.label
    if option.takes_rest:
        return "--KEY VALUE"
    short = f"-{SHORT[option.name]}, " if option.name in SHORT else ""
    return f"{short}--{option.name}"


def _type(option: Option) -> str:
    """ "[whole number, at least 1; default 16]"."""
    said = option.kind.words(option.text)
    if option.is_required:
        return f"[{said}; required]"
    default = _default(option.default)
    return f"[{said}; default {default}]" if default else f"[{said}]"


def _default(value: Any) -> str:
    """A default as it would be typed; "" for one that says nothing."""
    if value is None or value is False or value in ([], {}, ""):
        return ""
    if value is True:
        return "true"
    if isinstance(value, list):
        return " ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(heading: str, rows: dict[str, str], left: int) -> str:
    """Names at the left, their texts beside them."""
    width = min(max(shutil.get_terminal_size((_COLUMNS, 0)).columns, _MIN_COLUMNS), _COLUMNS)
    lines = [f"{heading}:"]
    for name, text in rows.items():
        first, *others = textwrap.wrap(text, width - left, break_on_hyphens=False)
        lines += [f"  {name}".ljust(left) + first, *(" " * left + line for line in others)]
    return "\n".join(lines)
