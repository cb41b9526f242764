"""A sentence of the article as it reads beside the figure alone: without the figure's number.

    beside_the_figure("Fig. 2A shows a peak (Fig. 2B).", "en")  -> "The figure shows a peak."
    beside_the_figure("La Figura 2 lo muestra.", "es")          -> "La figura lo muestra."
    beside_the_figure("На рис. 2 показано.", "uk")              -> "На рисунку показано."

A mention between brackets is left out whole. Elsewhere its number goes and "the figure" stays, in the article's
language: `teaching.the_figure` of the language's file knows the noun, its abbreviations and the words that ask for
another form.
"""

import re

from dataset_builder.teaching.citations import without_citations
from dataset_builder.teaching.references import without_references
from dataset_builder.text.language_files import Language, TheFigure, picture_words
from dataset_builder.text.mentions import Mention, all_mentions
from dataset_builder.text.numbering import PANEL
from dataset_builder.text.vocabulary import LANGUAGES, any_of, every

DEFAULT_LANGUAGE = "en"  # of rows whose language has no file
_DEFAULT_FORM = "default"

_LETTERS_BEHIND = re.compile(  # of panels, which the grammar of mentions leaves alone: "рис. 2, а, б"
    rf"(?:[,、]\s?{PANEL}){{2,}}|[,、]\s?{PANEL}(?=\s*[.;:)。]|$)"
)
_NOUNS = "|".join(every(lambda it: (*it.teaching.the_figure.noun, *it.figure.words)))
_JOINED = any_of(lambda it: (*it.lists.and_words, *it.lists.or_words, *it.lists.to_words, *it.lists.number))
_LEFT_BEHIND = re.compile(  # numbers that the grammar of mentions does not read: "figure e 2"
    rf"(?:(?<!\w)(?:{_NOUNS})\.?|[图圖図])\s*(?:(?:{_JOINED}|n\.)\s*)*(?:[º°]\s*)?S?\d",
    re.IGNORECASE,
)
_SENTENCE_OPENERS = " \"'“„«‘‹([（「『—–-"


def beside_the_figure(sentence: str, language: str | None) -> str:
    """The sentence without the numbers of figures and without citations.

    "" when nothing else stood in it, and when a number would stay behind: better no sentence than half a mention.
    """
    text = without_citations(without_references(sentence))
    text = _tidy(_with_the_figure(text, LANGUAGES.get(language or "", LANGUAGES[DEFAULT_LANGUAGE])))
    if _LEFT_BEHIND.search(text) or not any(character.isalnum() for character in text):
        return ""
    return text


def _tidy(text: str) -> str:
    """Single spaces, and none where type setting puts none: "( A ) , B ." -> "(A), B."."""
    text = re.sub(r"\s+([,.](?=\s|$)|[)\]])", r"\1", re.sub(r"([(\[])\s+", r"\1", text))
    return " ".join(text.split())


def _with_the_figure(text: str, language: Language) -> str:
    """The text with "the figure" for every mention."""
    done, position = "", 0
    for mention in sorted(all_mentions(text)):
        if mention.start < position:
            continue
        own = _language_of(mention.word, language)
        done = _said(done + text[position : mention.start], mention, own)
        position = _end(text, mention, own)
        if not own.spaces and text[position : position + 1] == " ":
            position += 1
    return done + text[position:]


def _end(text: str, mention: Mention, language: Language) -> int:
    """Where a mention and its panels end; a short word behind it only looks like a panel ("Fig. 2 e la tabella").

    "bis" behind the number goes with it.
    """
    suffixes = "|".join(language.lists.number_suffixes)
    if suffixes and (suffix := re.compile(rf"\s?(?:{suffixes})(?!\w)").match(text, mention.end)):
        return suffix.end()
    if letters := _LETTERS_BEHIND.match(text, mention.end):
        return letters.end()
    lists, figure = language.lists, language.teaching.the_figure
    short_words = (*lists.and_words, *lists.or_words, *lists.to_words, *figure.determiners)
    last_word = text[mention.end - 2 : mention.end]
    is_short_word = last_word[:1] == " " and last_word[1:] in short_words
    return mention.end - 2 if is_short_word and re.match(r"\s[^\W\d_]", text[mention.end :]) else mention.end


def _language_of(word: str, language: Language) -> Language:
    """The language whose figure word it is: the article's own, else English, else the first that has it."""
    for candidate in (language, LANGUAGES[DEFAULT_LANGUAGE], *LANGUAGES.values()):
        if re.fullmatch("|".join(picture_words(candidate)), word, re.IGNORECASE):
            return candidate
    return language


def _said(before: str, mention: Mention, language: Language) -> str:
    """The text before a mention with "the figure" behind it, in the form for which that text asks."""
    figure = language.teaching.the_figure
    word = mention.word.lower()
    nouns = [noun.lower() for noun in figure.noun]
    abbreviated = word in figure.abbreviations
    number = _grammatical_number(mention, figure)
    if _ends_with(before, figure.determiners, language.spaces):
        known = abbreviated or word in nouns
        return before + (figure.noun[number] if known else _in_the_case_of(figure.noun[0], mention.word))
    has_articles = figure.forms[_DEFAULT_FORM] != figure.noun
    if not abbreviated and not has_articles:  # "на рисунке": a word in full has its case
        return before + mention.word
    asking = _asking_word(before, figure, language.spaces)
    kept = before.removesuffix(" ")[: -len(asking)] if asking else before
    said = figure.forms[asking.lower() if asking else _DEFAULT_FORM][number]
    starts = not kept.strip(_SENTENCE_OPENERS)
    return kept + (said[0].upper() + said[1:] if starts else said)


def _grammatical_number(mention: Mention, figure: TheFigure) -> int:
    """0: singular, 1: plural."""
    word = mention.word.lower()
    if word in figure.abbreviations:
        return int(figure.abbreviations[word] == "plural")
    singular, plural = (noun.lower() for noun in figure.noun)
    return int(word == plural != singular or (word != singular and mention.plural))


def _in_the_case_of(noun: str, word: str) -> str:
    """The word with a small first letter, unless the language writes its nouns with a capital."""
    return word.capitalize() if noun[0].isupper() else word.lower()


def _asking_word(before: str, figure: TheFigure, spaces: bool) -> str | None:
    """The word, or words, at the end of the text for which "the figure" has a form of its own; as printed."""
    forms = sorted(figure.forms.keys() - {_DEFAULT_FORM}, key=len, reverse=True)
    found = next((form for form in forms if _ends_with(before, (form,), spaces)), None)
    return before.removesuffix(" ")[-len(found) :] if found else None


def _ends_with(text: str, words: tuple[str, ...], spaces: bool) -> bool:
    """Whether the text ends with one of the words, whole words where the language has spaces between them."""
    folded = text.lower().removesuffix(" ")
    if not spaces:
        return folded.endswith(words)
    return text.endswith(" ") and f" {folded}".endswith(tuple(f" {word}" for word in words))
