"""The modules that an adapter names: PEFT takes some of these names for regular expressions of whoever wrote them.

`([a-z0-9_]+\\.?)+!` never comes to an end on the name of a module. Names are let pass, and patterns of a form that has
few ways to match: `.*layers\\.\\d+\\.(self_attn|mlp)\\.[qv]_proj`.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

_NAMES = ("modules_to_save", "layers_pattern", "target_parameters")  # PEFT puts them into patterns of its own
_NAMES_OR_PATTERN = ("target_modules", "exclude_modules")  # a list of names, or one pattern
_PATTERN_KEYS = ("rank_pattern", "alpha_pattern")  # a pattern as each key
_NAME = re.compile(r"[\w.\-]{1,300}", re.ASCII)
MAX_NAMES = 2_000  # a model of 100 layers has 700 linear modules
MAX_PATTERN_CHARS = 2_000
NAME_CHARS = 100  # of a module's full name: so many ways has `.*`, about
MAX_WAYS = 10_000_000  # to match a pattern with a name, at worst: below 0.1 s a module

# One character of a name, or a set of them, perhaps repeated; words to choose from; nothing nested.
_PIECE = re.compile(
    r"(?:[\w\-]|\\[.dw]|\.|\[[\w.\-]+\])(?P<times>[*+?]\??)?"
    r"|\((?:\?:)?(?P<words>(?:[\w\-.]|\\[.d])+(?:\|(?:[\w\-.]|\\[.d])+)*)\)(?P<maybe>\?)?"
    r"|(?P<bar>\|)",
    re.ASCII,
)


def bad_modules(config: dict[str, Any]) -> str | None:
    """The key of an `adapter_config.json` that names modules in a way that is not let pass, None where all are."""
    for key in _NAMES:
        if not _are_names(config.get(key)):
            return key
    for key in _NAMES_OR_PATTERN:
        value = config.get(key)
        if not (_are_safe([value]) if isinstance(value, str) else _are_names(value)):
            return key
    for key in _PATTERN_KEYS:
        if not _are_safe(config.get(key) or {}):
            return key
    return None


def _are_names(value: object) -> bool:
    if value is None:
        return True
    names = value if isinstance(value, list) else [value]
    return len(names) <= MAX_NAMES and all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)


def _are_safe(patterns: Iterable[object]) -> bool:
    """Whether all of them together have few ways to match; False for what is no pattern."""
    found = [pattern for pattern in patterns if isinstance(pattern, str)] if isinstance(patterns, list | dict) else []
    if not isinstance(patterns, list | dict) or len(found) != len(patterns) or len(found) > MAX_NAMES:
        return False
    return sum(map(_ways, found)) <= MAX_WAYS


def _ways(pattern: str) -> float:
    """How many ways there are, at most, to match a pattern with a module's name; infinitely many for another form."""
    if len(pattern) > MAX_PATTERN_CHARS:
        return math.inf
    body, ways, at = pattern.removeprefix("^").removesuffix("$"), 1.0, 0
    while at < len(body):
        piece = _PIECE.match(body, at)
        if piece is None:
            return math.inf
        ways, at = ways * _ways_of(piece), piece.end()
    return ways


def _ways_of(piece: re.Match[str]) -> int:
    if piece["words"]:
        return piece["words"].count("|") + 1 + bool(piece["maybe"])
    if piece["bar"]:
        return 2
    times = piece["times"]
    return 1 if times is None else 2 if times.startswith("?") else NAME_CHARS
