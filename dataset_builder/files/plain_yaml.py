"""A YAML of `key: value` lines: each value as the word that stands there, and as YAML understands it.

`split: on` is the word "on" where an option takes text, and true where it is a flag.
"""

from pathlib import Path
from typing import Any

import yaml

from trust.errors import UsageError


def read_entries(path: str) -> list[tuple[str, Any, Any]]:
    """(key, its value with every scalar as a word, its value as YAML understands it) of each line.

    Raises UsageError where it cannot be read, for what is no YAML, no such lines, or has a key twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        plain, typed = yaml.load(text, yaml.BaseLoader) or {}, yaml.safe_load(text) or {}
        root = yaml.compose(text, yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path!r}: {error.strerror}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the configuration {path!r}: {error}") from error
    if not isinstance(plain, dict):
        raise UsageError(f"{path}: expected `key: value` lines")
    if "<<" in plain:
        raise UsageError(f"{path}: lines of another mapping (<<) are not taken over: write them out")
    _refuse_twice(path, root)
    return [(str(key), *both) for key, *both in zip(plain, plain.values(), typed.values(), strict=True)]


def _refuse_twice(path: str, root: Any) -> None:
    """Raises UsageError for a key that stands twice in the YAML's node `root`: the first would be lost in silence."""
    seen: dict[str, int] = {}
    for key, _ in root.value if root else []:
        name, line = str(key.value).replace("-", "_"), key.start_mark.line + 1
        if name in seen:
            raise UsageError(f"{path}: {name!r} stands there twice, in lines {seen[name]} and {line}")
        seen[name] = line
