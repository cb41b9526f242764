"""Which family a model is of: its makers, data and habits. Judges favour their own kind."""

import re
from collections.abc import Iterable

# Family -> what tells it in a model's name.
_FAMILIES = {
    "qwen": r"qwen|qwq",
    "llama": r"llama|vicuna|llava|alpaca|tulu|nemotron",
    "gpt": r"gpt|(?<![a-z0-9])o[134](?![a-z0-9])|davinci",
    "claude": r"claude",
    "gemini": r"gemini|palm",
    "gemma": r"gemma",
    "mistral": r"mistral|mixtral|ministral|magistral|zephyr",
    "deepseek": r"deepseek",
    "phi": r"(?<![a-z])phi(?![a-z])",
    "glm": r"glm",
    "command": r"command-?[ra]|aya(?![a-z])|cohere",
    "grok": r"grok",
    "kimi": r"kimi|moonshot",
    "yi": r"(?<![a-z])yi(?![a-z])",
    "internlm": r"intern(?:lm|vl)",
    "falcon": r"falcon",
    "granite": r"granite",
    "olmo": r"olmo",
}


def family(model: str) -> str | None:
    """The family that a model belongs to, by the first word of its name that tells; None where none does."""
    found = []
    for known, word in _FAMILIES.items():
        match = re.search(word, model.lower())
        if match:
            found.append((match.start(), known))
    return min(found)[1] if found else None


def shared_family(judge: str, teachers: Iterable[str]) -> str | None:
    """The family that the judge shares with a teacher, or None."""
    own = family(judge)
    return own if own in {family(teacher) for teacher in teachers} else None


def family_warning(judge: str, teachers: Iterable[str]) -> list[str]:
    """One line where a teacher of the references is of the judge's family, none otherwise."""
    own = family(judge)
    kin = sorted(teacher for teacher in teachers if own is not None and family(teacher) == own)
    if not kin:
        return []
    return [
        f"Warning: the judge {judge} and the teacher {', '.join(kin)}, who wrote the references, are of one "
        f"family ({own}): judges favour their own kind; add a judge of another"
    ]
