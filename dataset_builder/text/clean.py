"""A stranger's text, made plain: white space, control characters, compatibility characters."""

import unicodedata


def normalise(text: str) -> str:
    """`clean`, and compatibility characters folded (full-width digits, ligatures)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return clean(text)


def clean(text: str) -> str:
    """White space to single spaces; control, surrogate and invisible formatting characters removed."""
    if text.isprintable():  # neither those nor any white space but plain spaces
        return " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    text = " ".join(text.split())
    return text if text.isprintable() else " ".join("".join(filter(str.isprintable, text)).split())
