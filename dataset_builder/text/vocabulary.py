"""The words of every language that is read: one file a language in `languages/`, checked when it is loaded.

    LANGUAGES["de"].figure.words                     -> ("abb(?:ildung(?:en)?)?", "bild(?:er)?", ...)
    any_of(lambda language: language.figure.words)   -> one pattern of all languages' words

A file is named by the language's code (ISO 639-1). What its keys mean stands in `languages/README.md`; the dataclasses
here give them their types. `Words` are regular expressions, compared without regard to case unless the key says else.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "languages"
NO_MATCH = r"(?!)"

Words = tuple[str, ...]


@dataclass(frozen=True)
class FigureWords:
    """ "figure" in front of a number."""

    words: Words
    plural_endings: Words
    not_after: str
    unnumbered: Words


@dataclass(frozen=True)
class Kinds:
    """Pictures that are counted for themselves: "Scheme 2" is not figure 2."""

    scheme: Words
    chart: Words
    graph: Words
    plate: Words
    map: Words
    photo: Words
    image: Words

    def __iter__(self) -> Iterator[Words]:
        return iter((self.scheme, self.chart, self.graph, self.plate, self.map, self.photo, self.image))


@dataclass(frozen=True)
class NotFigures:
    """What has labels and captions too, but is no figure."""

    table: Words
    box: Words
    video: Words


@dataclass(frozen=True)
class Series:
    """What stands before a figure word and starts a series of its own."""

    supplement: Words
    appendix: Words


@dataclass(frozen=True)
class Lists:
    """What stands in and behind a list of figures."""

    and_words: Words
    or_words: Words
    to_words: Words
    from_words: Words
    number: Words
    places: Words
    panels: Words
    counted: Words


@dataclass(frozen=True)
class Running:
    """What follows a mention in running text."""

    verbs: Words
    others: Words


@dataclass(frozen=True)
class Elsewhere:
    """How a text says that a figure is another paper's."""

    of_words: Words
    references: Words
    files: Words
    their: Words


@dataclass(frozen=True)
class CaptionWords:
    """What stands in and around captions."""

    continued: Words
    from_previous_page: Words
    on_next_page: Words
    label_asides: Words
    source: Words


@dataclass(frozen=True)
class SentenceWords:
    """Where a full stop ends a sentence and where not; plain words in small letters, no patterns."""

    never_last: Words
    before_number: Words
    sometimes_last: Words
    starters: Words
    before_ordinal: Words
    after_ordinal: Words


@dataclass(frozen=True)
class NoticeWords:
    """Retractions, corrections and expressions of concern."""

    article: Words
    retracted: Words
    retraction: Words
    concern: Words
    correction: Words
    to_words: Words
    own_retracted: Words
    own_concern: Words
    own_corrected: Words
    original: Words
    notice_to: Words


@dataclass(frozen=True)
class LicenseWords:
    """Creative Commons licences as texts name them."""

    commons: Words
    by: Words
    nc: Words
    nd: Words
    sa: Words
    license: Words
    version: Words
    own_article: Words


@dataclass(frozen=True)
class ImprintWords:
    """What a PDF's first page and its running heads print about the article."""

    months: Words
    published: Words
    between_names: Words
    not_names: Words
    not_journal: Words
    title_words: Words


@dataclass(frozen=True)
class TheFigure:
    """How an answer of the extractive teacher says "the figure" where the article named it by its number."""

    noun: Words
    abbreviations: dict[str, str]
    determiners: Words
    forms: dict[str, Words]


@dataclass(frozen=True)
class Questions:
    """The questions of the extractive teacher; none may hint at an answer."""

    detail: Words
    reasoning: Words


@dataclass(frozen=True)
class TeachingWords:
    """What the extractive teacher needs to pick sentences, to ask and to answer."""

    see: Words
    reasons: Words
    units: Words
    the_figure: TheFigure
    questions: Questions


@dataclass(frozen=True)
class Language:
    """All that is known of a language."""

    name: str
    spaces: bool
    figure: FigureWords
    kinds: Kinds
    not_figures: NotFigures
    series: Series
    lists: Lists
    running: Running
    elsewhere: Elsewhere
    captions: CaptionWords
    sentences: SentenceWords
    notices: NoticeWords
    license: LicenseWords
    imprint: ImprintWords
    teaching: TeachingWords


def load(folder: Path = FOLDER) -> dict[str, Language]:
    """code -> language, of every file in the folder.

    Raises ValueError that names file and key where one is missing, unknown, or of another type than it should be.
    """
    return {path.stem: _language(path) for path in sorted(folder.glob("*.yaml"))}


def _language(path: Path) -> Language:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: no YAML ({' '.join(str(error).split())})") from error
    return _typed(Language, content, f"{path}: ", "")


def _typed(kind: Any, value: object, file: str, key: str) -> Any:
    """The YAML value as the type that its key has."""
    if is_dataclass(kind):
        return _dataclass(kind, value, file, key)
    if kind == Words:
        return _words(value, file, key)
    if kind in (str, bool) and isinstance(value, kind):
        return value
    if kind == dict[str, str] and _is_mapping(value, str):
        return value
    if kind == dict[str, Words] and isinstance(value, dict):
        return {name: _words(words, file, f"{key}.{name}") for name, words in value.items()}
    raise ValueError(f"{file}`{key}` is {value!r}, which is no {getattr(kind, '__name__', kind)}")


def _dataclass(kind: Any, value: object, file: str, key: str) -> Any:
    inside = f"{key}." if key else ""
    types = {field.name: field.type for field in fields(kind)}
    if not isinstance(value, dict):
        raise ValueError(f"{file}`{key}` must hold the keys {', '.join(types)}")
    if unknown := value.keys() - types.keys():
        raise ValueError(f"{file}key `{inside}{min(map(str, unknown))}` is unknown")
    if missing := types.keys() - value.keys():
        raise ValueError(f"{file}key `{inside}{min(missing)}` is missing")
    return kind(**{name: _typed(types[name], value[name], file, f"{inside}{name}") for name in types})


def _words(value: object, file: str, key: str) -> Words:
    """Words with white space between them, or a list where one has a space within."""
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise ValueError(f"{file}`{key}` is {value!r}: neither words nor a list of texts (on, off, yes and no need quotes)")


def _is_mapping(value: object, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(item, kind) for item in value.values())


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
    found = {_stem(word) for word in words}
    return tuple(sorted(stem for stem in found if not any(stem != other and stem.startswith(other) for other in found)))


def _stem(word: str) -> str:
    letters = re.match(r"[^\W\d_]*", word).group()
    return letters[:-1] if word[len(letters) :].startswith(("?", "*")) else letters


def _union(languages: Iterable[Language], words_of: WordsOf) -> Words:
    return tuple(dict.fromkeys(word for language in languages for word in words_of(language)))


def _pattern(words: Words) -> str:
    return "|".join(words) or NO_MATCH
