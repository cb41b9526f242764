"""A command line and its YAML, read as a stage's dataclass says (ldrt/options.py)."""

import os
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from dataset_builder.files.nearest import nearest
from dataset_builder.files.values import FALSE, TRUE, read_plain, read_words, shown, words_of_object
from ldrt.options import CONFIG, CONFIG_OPTION, SHORT, Option, options_of
from ldrt.paths import near_path
from trust.errors import UsageError

_NUMBER = re.compile(r"-\.?\d|-(inf|nan)", re.I)  # a word that is a value, no option


def parse(stage: type, argv: list[str], prog: str) -> Any:
    """An instance of the dataclass `stage` from defaults, then `--config FILE.yaml`, then the command line.

    `--dry-run` is `--dry_run`; a flag needs no `true`; a list takes the words up to the next option. Fields without a
    default must be given in the YAML or on the command line. Raises `UsageError` for an unknown key or value (naming
    the nearest one), a missing option, a wrong type and a number out of bounds. Paths are not looked at
    (`ldrt.paths.check_paths`).
    """
    options = options_of(stage)
    words = _sorted(argv, options)
    values: dict[str, Any] = {}
    if options[CONFIG] is CONFIG_OPTION:
        for given in words.named.pop(CONFIG, []):
            values |= _read_config(given.words[0], options)
    named, bare = _named(words.named, options, values), _positional(words.bare, options)
    for name in named.keys() & bare.keys():
        both = f"{shown(bare[name])}, and --{name} {shown(named[name])}"
        raise UsageError(f"{options[name].label} is given twice: {both}")
    values |= named | bare
    values |= {name: words.others for name, option in options.items() if option.takes_rest}
    missing = [name for name, option in options.items() if option.is_required and values.get(name) is None]
    if missing:
        raise UsageError(f"missing {', '.join(missing)}; `{prog} --help` explains the options")
    _check_patterns(options, values)
    _check_utf8(options, values)
    return stage(**values)


def _check_patterns(options: dict[str, Option], values: dict[str, Any]) -> None:
    """Raises UsageError for text of another form than its option takes."""
    for name, option in options.items():
        value = values.get(name)
        if option.pattern and value is not None and not re.fullmatch(option.pattern, value):
            words = [word for word in re.findall(r"\w+", option.pattern) if re.fullmatch(option.pattern, word)]
            near = nearest(value, words)
            raise UsageError(f"{option.label} {shown(value)}{near}; it takes: {option.help}")


def _check_utf8(options: dict[str, Option], values: dict[str, Any]) -> None:
    """Raises UsageError for text in another encoding; names of files may have any."""
    for name, option in options.items():
        given = values.get(name)
        for text in given if isinstance(given, list) else [given]:
            if isinstance(text, str) and option.path is None and not option.takes_rest and _is_half(text):
                raise UsageError(f"{option.label} {ascii(text)} is not text in UTF-8: set the terminal to UTF-8")


def _is_half(text: str) -> bool:
    """Whether it holds what Python makes of bytes that are no UTF-8."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


# ---- words of the command line


@dataclass
class _Given:
    """An option as it was given."""

    words: list[str]
    key: str | None = None  # of `--option.key`: the entry of a dict


@dataclass
class _Words:
    """A command line, sorted."""

    named: dict[str, list[_Given]] = field(default_factory=dict)  # by the option's name
    bare: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # what the field `rest` takes


def _sorted(argv: list[str], options: dict[str, Option]) -> _Words:
    """Sort the words. Raises UsageError for an option that is none, or one without its value."""
    words, left = _Words(), deque(argv)
    takes_rest = any(option.takes_rest for option in options.values())
    while left:
        word = left.popleft()
        if not _is_option(word):
            words.bare.append(word)
            continue
        name, key, value = _split(word)
        if name not in options or options[name].takes_rest:
            if not takes_rest:
                raise UsageError(f"no option {word.partition('=')[0]}{_meant(name, options)}")
            words.others += [word, *_until_option(left, len(left))]
            continue
        given = [value] if value is not None else _values(left, options[name], word)
        words.named.setdefault(name, []).append(_Given(given, key))
    _refuse_flag_values(words, argv, options)
    return words


def _meant(name: str, options: dict[str, Option]) -> str:
    """The nearest option; of `--no_audit` the word that other programs have it for."""
    flag = name.removeprefix("no_")
    if flag != name and flag in options and options[flag].kind.type is bool:
        return f", did you mean --{flag} false?"
    return nearest(name, options, "--")


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and not _NUMBER.match(word)


def _split(word: str) -> tuple[str, str | None, str | None]:
    """ "--sbatch-args.account=x" -> ("sbatch_args", "account", "x"); "-o" -> ("output", None, None)."""
    name, sign, value = word.lstrip("-").partition("=")
    name, dot, key = name.partition(".")
    is_short = not word.startswith("--")
    full = next((full for full, letter in SHORT.items() if letter == name), "") if is_short else ""
    return full or name.replace("-", "_"), key if dot else None, value if sign else None


def _until_option(left: deque[str], most: int) -> list[str]:
    """Take the next words, up to an option."""
    taken: list[str] = []
    while left and len(taken) < most and not _is_option(left[0]):
        taken.append(left.popleft())
    return taken


def _values(left: deque[str], option: Option, word: str) -> list[str]:
    """The words after an option that are its own. Raises UsageError where it has none and needs one."""
    if option.kind.type is bool:
        return [left.popleft()] if left and left[0].lower() in (*TRUE, *FALSE) else []
    most = len(left) if option.takes_words else 1
    taken = _until_option(left, most)
    if not taken and option.kind.type is dict:
        raise UsageError(f"{word} needs a value{'' if '.' in word else f': {words_of_object(word)}'}")
    if not taken:
        raise UsageError(f"{word} needs a value: {option.kind.words(option.text)}")
    return taken


def _refuse_flag_values(words: _Words, argv: list[str], options: dict[str, Option]) -> None:
    """Raises UsageError for `--flag maybe`: a word that has no place elsewhere was meant as its value."""
    places = [option for option in options.values() if option.is_positional]
    if len(words.bare) <= len(places) or places[-1:] and places[-1].takes_words:
        return
    for before, word in zip(argv, argv[1:], strict=False):
        name = _split(before)[0] if _is_option(before) else ""
        if name in options and options[name].kind.type is bool and "=" not in before and not _is_option(word):
            read_words([word], options[name].kind, f"--{name}")


def _named(named: dict[str, list[_Given]], options: dict[str, Option], before: dict[str, Any]) -> dict[str, Any]:
    """The values of options that were given by name; what a list or a dict is given in parts is put together."""
    values: dict[str, Any] = {}
    for name, several in named.items():
        option = options[name]
        for given in several:
            label = f"--{name}" if given.key is None else f"--{name}.{given.key}"
            if given.key is not None:
                entry = {given.key: _entry(given.words, option, label)}
                values[name] = values.get(name, before.get(name, {})) | entry
            elif option.kind.type is list and name in values:
                values[name] = values[name] + read_words(given.words, option.kind, label)
            else:
                values[name] = read_words(given.words, option.kind, label)
    return values


def _entry(words: list[str], option: Option, label: str) -> Any:
    """The value of an entry of a dict, as `--request.temperature null`."""
    if option.kind.type is not dict:
        raise UsageError(f"no option {label}{nearest(option.name, [option.name], '--')}")
    if option.kind.items is not None:
        return read_words(words, option.kind.items, label)
    import yaml

    (word,) = words
    try:
        return yaml.safe_load(word)
    except yaml.YAMLError as error:
        raise UsageError(
            f"{label} {shown(word)}: give a number, a text in quotes, true, false, null or JSON"
        ) from error


def _positional(bare: list[str], options: dict[str, Option]) -> dict[str, Any]:
    """The values of the words without a name. Raises UsageError for one too many."""
    places = [option for option in options.values() if option.is_positional]
    values: dict[str, Any] = {}
    for number, option in enumerate(places):
        taken = bare[number:] if option.takes_words else bare[number : number + 1]
        if taken:
            values[option.name] = read_words(taken, option.kind, option.label)
    if len(bare) > len(places) and not (places and places[-1].takes_words):
        expected = ", ".join(option.name for option in places) or "none without a name"
        raise UsageError(f"{shown(bare[len(places)])} is one argument too many; expected {expected}")
    return values


# ---- a YAML with options


def _read_config(path: str, options: dict[str, Option]) -> dict[str, Any]:
    """The options that a YAML gives. Raises `UsageError` for a key or a value that is none."""
    from dataset_builder.files.plain_yaml import read_entries

    try:
        entries = read_entries(path)
    except UsageError as error:
        raise UsageError(f"{error}{'' if os.path.exists(path) else near_path(path)}") from error
    values = {}
    for key, plain, typed in entries:
        name = key.replace("-", "_")
        if name not in options or name == CONFIG:
            known = [option for option in options if option != CONFIG]
            raise UsageError(f"{path}: no option {key!r}{nearest(name, known)}")
        values[name] = read_plain(plain, typed, options[name].kind, f"{path}: {key}")
    return values
