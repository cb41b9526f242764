"""The language of an article, where it does not say so itself."""

from functools import cache

MIN_CHARS = 200  # below it the detector guesses
MIN_PROBABILITY = 0.9
MAX_CHARS = 5000  # enough to be sure, and quick


@cache
def _identifier():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_language(text: str, min_chars: int = MIN_CHARS) -> str | None:
    """ISO 639-1 code of `text` by py3langid (97 languages, offline); None for unsure cases and shorter text."""
    if len(text) < min_chars:
        return None
    language, probability = _identifier().classify(text[:MAX_CHARS])
    return str(language) if probability >= MIN_PROBABILITY else None
