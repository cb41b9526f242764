"""A language's file: its keys with their types, and how it is read and checked.

What the keys mean stands in `languages/README.md`. `Words` are regular expressions, compared without regard to case,
unless it says *plain*.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "languages"

Words = tuple[str, ...]


@dataclass(frozen=True)
class FigureWords:
    """ "figure" in front of a number."""

    words: Words
    plural_endings: Words
    not_after: str
    ordinal: Words
    counters: Words
    unnumbered: Words


@dataclass(frozen=True)
class Kinds:
    """Pictures that are counted for themselves: "Scheme 2" is not figure 2."""

    scheme: Words
    chart: Words
    exhibit: Words
    graph: Words
    plate: Words
    map: Words
    photo: Words
    image: Words


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
    number_suffixes: Words
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

    starts: Words
    continued: Words
    from_previous_page: Words
    on_next_page: Words
    label_asides: Words
    source: Words
    notes: Words


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
    removed: Words
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
    denied: Words
    denied_behind: Words


@dataclass(frozen=True)
class RightsWords:
    """How a figure's text says that the figure is somebody else's."""

    signs: Words
    reprinted: Words
    adapted: Words
    permission: Words
    reserved: Words
    courtesy: Words
    given: Words
    tools: Words
    taken: Words
    changed: Words
    pictures: Words
    not_pictures: Words
    not_owners: Words
    own_work: Words
    own_holder: Words
    not_covered: Words
    photos: Words
    by_words: Words
    from_words: Words
    based: Words
    public_domain: Words
    collectors: Words


@dataclass(frozen=True)
class ImprintWords:
    """What a PDF's first page and its running heads print about the article."""

    months: Words
    published: Words
    between_names: Words
    not_names: Words
    not_journal: Words
    title_words: Words


OPPOSITE_SIDES = {"more": "less", "left": "right", "upper": "lower", "positive": "negative"}
OPPOSITE_SIDES |= {other: side for side, other in OPPOSITE_SIDES.items()}


@dataclass(frozen=True)
class Opposites:
    """Words of directions: the n-th word of one side is the opposite of the n-th of the other, in the same form."""

    more: Words
    less: Words
    left: Words
    right: Words
    upper: Words
    lower: Words
    positive: Words
    negative: Words

    def by_side(self) -> Iterator[tuple[str, Words]]:
        """(side, its words)."""
        return ((side.name, getattr(self, side.name)) for side in fields(self))

    def all_words(self) -> Words:
        """Of all sides, the longest first, without the hyphens behind starts of words."""
        listed = {word.removesuffix("-") for _, words in self.by_side() for word in words}
        return tuple(sorted(listed, key=lambda word: (-len(word), word)))


@dataclass(frozen=True)
class AnswerWords:
    """What the gate looks for in questions and answers."""

    source: Words
    refusals: Words
    nothing: Words
    pointers: Words
    fillers: Words
    numerals: Words
    decimal: str
    opposites: Opposites


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
    parts: Words
    other_parts: Words
    colleagues: Words
    additions: Words
    connectives: Words
    pronouns: Words
    demonstratives: Words
    purposes: Words
    pointing: Words
    notes: Words
    scale_bars: Words
    panel_places: Words
    incomplete: Words
    verbs_of_being: Words
    verbs: Words
    past: Words
    relatives: Words
    the_figure: TheFigure
    questions: Questions


@dataclass(frozen=True)
class PersonalWords:
    """What scanners burn into pictures beside what is known of a person."""

    names: Words
    births: Words
    numbers: Words
    lone_numbers: Words
    titles: Words
    institutions: Words
    generic: Words
    places: Words
    not_names: Words
    given_names: Words


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
    rights: RightsWords
    imprint: ImprintWords
    answers: AnswerWords
    teaching: TeachingWords
    personal: PersonalWords


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
    language = _typed(Language, content, f"{path}: ", "")
    for key, rule in _broken_rules(language):
        raise ValueError(f"{path}: `{key}` {rule}")
    return language


def _broken_rules(language: Language) -> Iterator[tuple[str, str]]:
    """(key, rule) of what a language cannot do without."""
    figure, questions = language.teaching.the_figure, language.teaching.questions
    if not language.figure.words:
        yield "figure.words", "is empty"
    for word in picture_words(language):
        if not stem(word):
            yield "figure.words or kinds", f"has {word!r}, which starts with no plain letter"
    sides = dict(language.answers.opposites.by_side())
    for side, other in OPPOSITE_SIDES.items():
        if len(sides[side]) != len(sides[other]):
            yield f"answers.opposites.{side}", f"must have as many words as `{other}`"
    if not questions.detail or not questions.reasoning:
        yield "teaching.questions", "needs a question a task"
    if len(figure.noun) != 2:
        yield "teaching.the_figure.noun", "must be singular and plural"
    if "default" not in figure.forms or any(len(form) != 2 for form in figure.forms.values()):
        yield "teaching.the_figure.forms", "needs `default`, and singular and plural of each form"
    if not set(figure.abbreviations.values()) <= {"singular", "plural"}:
        yield "teaching.the_figure.abbreviations", "may only hold `singular` and `plural`"


def picture_words(language: Language) -> Words:
    """The words of figures and of the other kinds of pictures."""
    kinds = language.kinds
    others = (getattr(kinds, kind.name) for kind in fields(kinds))
    return language.figure.words + tuple(word for words in others for word in words)


def stem(word: str) -> str:
    """The plain letters that a pattern starts with for sure: "fig(?:ure)?" -> "fig", "maps?" -> "map"."""
    letters = re.split(r"[\W\d_]", word, maxsplit=1)[0]
    may_lack_last = word[len(letters) :].startswith(("?", "*"))
    return letters[:-1] if may_lack_last else letters


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
