"""A stranger's text, made plain: white space, control characters, compatibility characters."""

import re
import unicodedata

_SPACES = re.compile("  +")
_COMMON_SPACES = ("\n", "\t", "\xa0", "\u2009")


def normalise(text: str) -> str:
    """`clean`, and compatibility characters folded (full-width digits, ligatures)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return clean(text)


def clean(text: str) -> str:
    """White space to single spaces; control, surrogate and invisible formatting characters removed."""
    if not text.isprintable():
        for space in _COMMON_SPACES:  # mostly they are all that is in the way: no need to take the text apart
            text = text.replace(space, " ")
        if not text.isprintable():
            text = "".join(filter(str.isprintable, " ".join(text.split())))
    text = text.strip(" ")
    return _SPACES.sub(" ", text) if "  " in text else text
