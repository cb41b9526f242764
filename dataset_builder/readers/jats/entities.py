"""Entities of an XML file: names become characters, whatever the file declares them to be; bombs are refused."""

import html
import html.entities
import re

MAX_EXPANDED_CHARS = 1_000_000  # of all entities that a file declares, where it uses them: an article's text has 0.1
MAX_NESTING = 16  # of entities in entities; more, or a circle, is a bomb

_ENTITY = re.compile(  # and references to the controls from 128 on, which are meant as characters of cp1252
    rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][\w.-]*|#(?:1[2-5]\d|x[89][0-9A-Fa-f]));"
)
_DECLARED = re.compile(rb"<!ENTITY\s+(?P<name>[\w.:-]+)\s+(?:\"(?P<text>[^\"]*)\"|'(?P<quoted>[^']*)')\s*>")
_REFERENCE = re.compile(rb"&([\w.:-]+);")


def without_entities(data: bytes, name: str) -> bytes:
    """XML with characters for its named entities: `&alpha;` -> `&#945;`; unknown ones are gone.

    `name` is the file's, for errors. Raises ValueError where the entities that it declares would expand to more than
    `MAX_EXPANDED_CHARS`.
    """
    if b"<!ENTITY" in data[: data.find(b"<article")]:  # declared ahead of the root element
        _check_size(data, name)
    return _ENTITY.sub(_character_reference, data) if _ENTITY.search(data) else data


def _check_size(data: bytes, name: str) -> None:
    texts = {match["name"]: match["text"] or match["quoted"] or b"" for match in _DECLARED.finditer(data)}
    sizes = _sizes(texts)
    used = _REFERENCE.findall(_DECLARED.sub(b"", data))
    if sum(sizes.get(entity, 0) for entity in used) > MAX_EXPANDED_CHARS:
        raise ValueError(f"{name}: its entities would expand to more than {MAX_EXPANDED_CHARS} characters, like a bomb")


def _sizes(texts: dict[bytes, bytes]) -> dict[bytes, int]:
    """The characters that each entity expands to; too many for one nested deeper than `MAX_NESTING`."""
    inside = {name: [one for one in _REFERENCE.findall(text) if one in texts] for name, text in texts.items()}
    sizes = {name: len(text) for name, text in texts.items()}
    for _ in range(MAX_NESTING):
        grown = {name: len(texts[name]) + sum(sizes[one] for one in inside[name]) for name in texts}
        if grown == sizes:
            return sizes
        sizes = grown
    return {name: size + (MAX_EXPANDED_CHARS + 1) * bool(inside[name]) for name, size in sizes.items()}


def _character_reference(match: re.Match) -> bytes:
    name = match[1].decode()
    characters = html.unescape(f"&{name};") if name[0] == "#" else html.entities.html5.get(name + ";", "")
    return "".join(f"&#{ord(character)};" for character in characters).encode()
