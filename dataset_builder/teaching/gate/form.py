"""Rules on how a question and its answer are written: each is a pure function that objects or returns None."""

import re
import unicodedata
from collections import Counter
from functools import cache

from rapidfuzz import fuzz

from dataset_builder.teaching.facts import facts
from dataset_builder.teaching.gate.exam import Exam, Limits, Objection
from dataset_builder.text.language import detect_language
from dataset_builder.text.language_files import picture_words
from dataset_builder.text.mentions import all_mentions
from dataset_builder.text.vocabulary import LANGUAGES, NO_MATCH, any_of, any_spaced, any_unspaced
from trust.text import clean

_NOTHING = re.compile(  # null and its like are values of programs, in every language
    rf"(?:null|nil|nan|undefined|n\.?\s?/?\s?a\.?|tbd|todo|{any_of(lambda it: it.answers.nothing)})", re.IGNORECASE
)
_SLOT = re.compile(  # <answer>, {question}, [your answer here]: what a template leaves to be filled in
    r"(?:<[^<>]{1,60}>|\{[^{}]{0,60}\}|\[[^\[\]]{1,60}\])[.\s]*"
)
_REFUSAL = re.compile(
    rf"(?<!\w)(?:{any_spaced(lambda it: it.answers.refusals)})(?!\w)|{any_unspaced(lambda it: it.answers.refusals)}",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    rf"(?<!\w)(?:{any_spaced(lambda it: it.answers.source)})(?!\w)|{any_unspaced(lambda it: it.answers.source)}",
    re.IGNORECASE,
)
_TABLE = re.compile(
    rf"(?<!\w)(?:{any_spaced(lambda it: it.not_figures.table)})\.?\s*[SIVX]?\d"
    rf"|(?:{any_unspaced(lambda it: it.not_figures.table)})\s*\d",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_MIN_LETTERS = 12  # of a text, to say which script it is written in
_SHARED_SCRIPTS = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}


def placeholder(exam: Exam, limits: Limits) -> Objection | None:
    """The prompt's own examples, or a slot that was never filled in."""
    for text in exam.texts:
        if folded(text) in exam.examples or _SLOT.fullmatch(text.strip()):
            return Objection("placeholder", text[:100], None)
    return None


def blank(exam: Exam, limits: Limits) -> Objection | None:
    """No letter at all, or a word that says that there is nothing."""
    for text in exam.texts:
        said = text.strip(" \t\r\n\"'`.。*_-")
        if not any(character.isalnum() for character in said) or _NOTHING.fullmatch(said):
            return Objection("blank", text[:100], None)
    return None


def answer_is_question(exam: Exam, limits: Limits) -> Objection | None:
    """The question said again."""
    alike = fuzz.ratio(folded(exam.question), folded(exam.answer)) / 100
    if alike > limits.max_question_likeness:
        return Objection("answer_is_question", round(alike, 3), limits.max_question_likeness)
    return None


def says_nothing(exam: Exam, limits: Limits) -> Objection | None:
    """ "The image shows the results.", "See the caption.": it points at what it should describe."""
    if any(_only_points(exam.answer, code) for code in LANGUAGES):  # one language at a time: "son" is two words
        return Objection("says_nothing", exam.answer[:100], None)
    return None


def refusal(exam: Exam, limits: Limits) -> Objection | None:
    """ "I cannot", "as an AI": a model that speaks of itself; not where the article says so."""
    return _found_new("refusal", _REFUSAL, exam)


def names_source(exam: Exam, limits: Limits) -> Objection | None:
    """ "The caption says": who looks at the figure does not see what the teacher was given."""
    for text in exam.texts:
        if match := _SOURCE.search(text):
            return Objection("names_source", match.group(), None)
    return None


def figure_number(exam: Exam, limits: Limits) -> Objection | None:
    """ "Fig. 2", "Table 3": beside the picture alone, numbers of figures and tables mean nothing."""
    for text in exam.texts:
        for mention in all_mentions(text):
            return Objection("figure_number", text[mention.start : mention.end], None)
        if match := _TABLE.search(text):
            return Objection("figure_number", match.group(), None)
    return None


def special_tokens(exam: Exam, limits: Limits) -> Objection | None:
    """`<image>`, `</s>` that the teacher brought along; what the article itself prints is made harmless later."""
    evidence = " ".join(exam.sentences.values())
    for text in exam.texts:
        if clean(text) != text and clean(evidence) == evidence:
            return Objection("special_tokens", None, None)
    return None


def gives_away(exam: Exam, limits: Limits) -> Objection | None:
    """A question that holds a number of the answer."""
    asked = {fact for fact in facts(exam.question, exam.language) if fact.is_number}
    if not asked:
        return None
    values = {fact.value for fact in facts(exam.answer, exam.language) if fact.is_number}
    shared = sorted(fact.value for fact in asked if fact.value in values)
    return Objection("gives_away", ", ".join(shared), None) if shared else None


def too_many_chars(exam: Exam, limits: Limits) -> Objection | None:
    """An answer that no reader would read beside a figure."""
    n_chars, most = len(exam.answer), limits.max_answer_chars
    return Objection("max_answer_chars", n_chars, most) if n_chars > most else None


def too_many_tokens(exam: Exam, limits: Limits) -> Objection | None:
    """Question and answer that the recipe has no room for beside the picture: training would drop them."""
    n_tokens, most = exam.n_tokens, limits.max_example_tokens
    return Objection("max_example_tokens", n_tokens, most) if n_tokens > most else None


def wrong_language(exam: Exam, limits: Limits) -> Objection | None:
    """An answer in another script or language than its figure's sentences and the article; short ones are not judged.

    Bilingual articles caption in a language of their own, so either will do. Where the teacher was asked for one, only
    that one.
    """
    if limits.answer_language:
        return _not_asked_for(exam, limits)
    evidence = " ".join(exam.sentences.values())
    script, expected = _script(exam.answer), _script(evidence)
    if script and expected and script != expected:
        return Objection("language", script.lower(), None)
    found = detect_language(exam.answer, limits.min_language_chars)
    if found is None or exam.language is None or found == exam.language:
        return None
    given = detect_language(evidence, limits.min_language_chars)
    return None if given is None or found == given else Objection("language", found, None)


def _not_asked_for(exam: Exam, limits: Limits) -> Objection | None:
    script = _script(exam.answer)
    if limits.answer_language == "en" and script not in (None, "LATIN"):
        return Objection("language", script.lower(), None)
    found = detect_language(exam.answer, limits.min_language_chars)
    is_asked_for = found is None or found == limits.answer_language
    return None if is_asked_for else Objection("language", found, None)


def folded(text: str) -> str:
    """A text as it is compared with others: small letters, no white space or punctuation at its ends."""
    return " ".join(text.casefold().split()).strip(" \"'.…`")


def _only_points(text: str, code: str) -> bool:
    """Whether the text is of pointers, fillers and kinds of pictures alone, at least one of them a pointer."""
    pointers, all_of_them = _empty_words(code)
    if LANGUAGES[code].spaces:
        words = _WORD.findall(text)
        is_empty = all(map(all_of_them.fullmatch, words))
    else:
        words = all_of_them.findall(text)
        is_empty = not _WORD.search(all_of_them.sub(" ", text))
    return is_empty and any(map(pointers.fullmatch, words))


@cache
def _empty_words(code: str) -> tuple[re.Pattern, re.Pattern]:
    """A language's pointers; and all its empty words, the longest first: no spaces may part them."""
    own = LANGUAGES[code]
    pointers = own.answers.pointers
    all_of_them = sorted({*pointers, *own.answers.fillers, *picture_words(own)}, key=lambda word: (-len(word), word))
    patterns = ("|".join(words) or NO_MATCH for words in (pointers, all_of_them))
    some, every = (re.compile(f"(?:{pattern})", re.IGNORECASE) for pattern in patterns)
    return some, every


def _found_new(reason: str, pattern: re.Pattern, exam: Exam) -> Objection | None:
    evidence = " ".join(exam.sentences.values()).casefold()
    for text in exam.texts:
        for match in pattern.finditer(text):
            if match.group().casefold() not in evidence:
                return Objection(reason, match.group(), None)
    return None


def _script(text: str) -> str | None:
    """The script that most letters are in: LATIN, CYRILLIC, CJK; None for few letters."""
    letters = [character for character in text if character.isalpha()]
    if len(letters) < _MIN_LETTERS:
        return None
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in letters)
    scripts: Counter[str] = Counter()
    for name, n in names.items():
        scripts[_SHARED_SCRIPTS.get(name, name)] += n
    return scripts.most_common(1)[0][0]
