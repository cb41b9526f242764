"""The words of all languages together: one file a language in `languages/`.

LANGUAGES["de"].figure.words                     -> ("abb(?:ildung(?:en)?)?", "bild(?:er)?", "fig(?:s)?")
any_of(lambda language: language.figure.words)   -> one pattern of all languages' words
"""

from collections.abc import Callable, Iterable

from dataset_builder.text.language_files import Language, Words, load, stem

NO_MATCH = r"(?!)"

LANGUAGES = load()
_SPACED = [language for language in LANGUAGES.values() if language.spaces]
_UNSPACED = [language for language in LANGUAGES.values() if not language.spaces]

WordsOf = Callable[[Language], Iterable[str]]


def every(words_of: WordsOf) -> Words:
    """The words of all languages, each once."""
    return _union(LANGUAGES.values(), words_of)


def any_of(words_of: WordsOf) -> str:
    """A pattern (without its group) of the words of all languages; one that never matches where none has a word."""
    return _pattern(_union(LANGUAGES.values(), words_of))


def any_spaced(words_of: WordsOf) -> str:
    """The same of the languages that put spaces between words: the pattern around it must ask for a word's ends."""
    return _pattern(_union(_SPACED, words_of))


def any_unspaced(words_of: WordsOf) -> str:
    """The same of Chinese, Japanese and their like, whose words stand without spaces."""
    return _pattern(_union(_UNSPACED, words_of))


def stems(words: Iterable[str]) -> tuple[str, ...]:
    """What the words start with: the plain letters ahead of a pattern's first choice, without those that others start.

    ("fig(?:ures?|s)?", "figg", "maps?") -> ("fig", "map")
    """
    found = {stem(word) for word in words}
    return tuple(sorted(stem for stem in found if not any(stem != other and stem.startswith(other) for other in found)))


def _union(languages: Iterable[Language], words_of: WordsOf) -> Words:
    return tuple(dict.fromkeys(word for language in languages for word in words_of(language)))


def _pattern(words: Words) -> str:
    return "|".join(words) or NO_MATCH
