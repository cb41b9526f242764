"""The extractive teacher: it picks sentences of the article by rules, offline, and says so (`teacher: extractive`).

Fewer and better: a sentence that needs the article around it is left out, and a figure of which too little is left to
say has no example.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from dataset_builder.teaching.alone import (
    MAX_REPEATED,
    MAX_REPEATED_IN_CAPTION,
    capitalised,
    has_main_verb,
    has_verb,
    is_key,
    is_note,
    is_opened,
    is_whole,
    leans_on_another,
    may_be_whole,
    only_points,
    points_back,
    repeats,
    speaks_of_several,
    starts_with_a_noun,
    states_a_purpose,
    without_addition,
    without_scale_bars,
)
from dataset_builder.teaching.citations import cites, may_cite, may_cite_in_running_text
from dataset_builder.teaching.evidence import Answer, Evidence, evidence_sentences
from dataset_builder.teaching.faults import fault, says_it_twice
from dataset_builder.teaching.glued import closed, lists_plates, pieces, runs_on, starts_again
from dataset_builder.teaching.references import refers
from dataset_builder.teaching.the_figure import beside_the_figure
from dataset_builder.teaching.wording import GENERAL, Wording, question_language
from dataset_builder.text.mentions import all_mentions, mentioned_keys
from dataset_builder.text.vocabulary import LANGUAGES, any_spaced, any_unspaced

MAX_ANSWER_CHARS = 1500  # about 400 tokens: with 576 image tokens well within LLaVA's 2,048
MIN_TITLE_CHARS = 100  # of a description of one sentence: a shorter title describes nothing "in detail"
MIN_TITLE_CHARS_UNSPACED = 40  # the same in Chinese and Japanese
MIN_WORDS_OF_A_PANEL = 6  # of one without a verb, its letter counted, where the list it stands in is not whole
_LETTER = "[A-Za-zА-Яа-яІі]"
_LETTERS = rf"{_LETTER}(?:\s?[,–-]\s?{_LETTER})*"
_PLACES = any_spaced(lambda it: it.teaching.panel_places)
_PLACE = (  # "Left: ", "(Top; A–D) ", "（左）"
    rf"(?i:\(?(?:{_PLACES})(?:;\s?{_LETTERS})?(?:\)[.:,]?|[.:,])\s"
    rf"|[(（]?(?:{any_unspaced(lambda it: it.teaching.panel_places)})(?:[)）]|[:：、，]))"
)
_PANEL = re.compile(  # "(A) ", "b: ", "C Dose", "b Dose", "e–h Dose", "（A）"
    rf"\(?{_LETTERS}(?:\)[.:,]?|[.:,])\s|（{_LETTERS}）\s?|{_PLACE}"
    r"|\(?[A-Z](?:\s?[,–-]\s?[A-Z])*\)?\s(?=[A-Z][a-z])|[a-h](?:\s?[,–-]\s?[a-h])*\s(?=[A-Z])"
)
_PANELS_WITHIN = re.compile(  # "(A) ", "; b) ", "C, ", at the start of a clause
    rf"(?:^|(?<=[.;:,]\s)|(?<=[；。，]))(?:[(（]?{_LETTERS}[)）]|[A-Z][.:,]|[a-h](?=\s[A-Z]))"
)
_PANEL_BEHIND = re.compile(r"(?<=\w)\s\([A-Ha-h](?:\s?[,–-]\s?[A-Ha-h])*\)")  # "Map of the dose (b)."
_SMALL_WORD = re.compile(r"(?<![\w-])[^\W\d_A-ZА-ЯЁІЇЄҐÀ-Þ]{3,}(?![\w-])")
_PANEL_ALONE = re.compile(  # "(A)." and "(A) Left." that splitting left
    rf"(?P<letter>\(?{_LETTERS}(?:\)[.:]?|[.:]))(?:\s(?P<place>(?i:{_PLACES}))[.:])?|(?P<alone>(?i:{_PLACES}))\."
)


class Said(NamedTuple):
    """A sentence of the evidence as the answer has it."""

    source: str  # caption | context
    number: int  # of the sentence in that source, from 0
    text: str


def extractive(row: dict[str, Any], task: str, wording: Wording = GENERAL) -> Answer | None:
    """Question, answer and evidence for `task`, made of the article's own sentences; None where they do not suffice.

    `detail` takes the caption and what the context describes, `reasoning` the sentences of the context that give
    reasons. Sentences that mention several figures, cite other works, lean on sentences that are not there or only
    point to the figure are left out; figure numbers are removed. Question and answer are in the article's language.
    """
    language = row["language"]
    chosen = _description(row) if task == "detail" else _within_length(_reasons(row), language)
    answer = _joined(chosen, language)
    if not answer or fault(answer, language):
        return None
    evidence = [
        Evidence(source=source, sentence=number) for source, number in dict.fromkeys(said[:2] for said in chosen)
    ]
    return {"question": _question(row, task, wording), "answer": answer, "evidence": evidence}


def _description(row: dict[str, Any]) -> list[Said]:
    """The caption, from its first sentence on, and what the context adds; nothing where the first one is unfit."""
    caption = _of_caption(row)
    context = [said for said in _of_context(row) if not _gives_reasons(said.text, row["language"])]
    if not caption or caption[0].number > 0:
        return []
    chosen = _within_length(caption + context, row["language"])
    return chosen if _describes(chosen, row["language"]) else []


def _reasons(row: dict[str, Any]) -> list[Said]:
    return [said for said in _of_context(row) if _gives_reasons(said.text, row["language"])]


def _of_caption(row: dict[str, Any]) -> list[Said]:
    """The sentences of the caption that describe; one that starts with "However" or "It" needs the one before it."""
    language = row["language"]
    kept: list[Said] = []
    ordinary = _ordinary_words(row)
    follows = panel_is_lost = list_is_broken = False
    for place, (number, piece) in enumerate(_pieces_of_caption(row)):
        if place and _starts_a_supplement(piece):
            break
        panel_is_lost = panel_is_lost and not _PANEL.match(piece)
        is_unfit = panel_is_lost or all_mentions(piece) or runs_on(piece, ordinary, language) or lists_plates(piece)
        is_unfit = is_unfit or (list_is_broken and _only_names_a_panel(piece, language))
        text = "" if is_unfit else _clean(piece, language, is_first=place == 0)
        follows = bool(text) and (follows or not _needs_the_one_before(piece, text, language))
        if follows:
            kept.append(Said("caption", number, text))
        panel_is_lost = panel_is_lost or (not follows and _names_a_panel(piece))
        list_is_broken = list_is_broken or panel_is_lost
    return kept


def _only_names_a_panel(piece: str, language: str | None) -> bool:
    """Whether it is an item of a list, "(b) Path length.", that says little where the items before it are left out."""
    is_short = len(piece.split()) < MIN_WORDS_OF_A_PANEL
    return is_short and bool(_PANEL.match(piece)) and not has_verb(piece, language)


def _names_a_panel(piece: str) -> bool:
    """Whether the description of a panel starts in it; not "Bars: (a) 5 µm, (b) 9 µm"."""
    return bool(_PANEL.match(piece)) or (bool(_PANELS_WITHIN.search(piece)) and not is_note(piece))


def _needs_the_one_before(piece: str, text: str, language: str | None) -> bool:
    """Whether a sentence of a caption, `text` in the answer, goes on from the one before: "For example, it rose"."""
    adds = without_addition(piece, language) != piece
    return adds or leans_on_another(text, language) or points_back(text, language)


def _starts_a_supplement(piece: str) -> bool:
    """Whether the title of a file starts here, "Figure 1—source data 1.": what follows describes that."""
    mention = next(iter(sorted(all_mentions(piece))), None)
    return mention is not None and mention.start == 0 and refers(piece)


def _clean(piece: str, language: str | None, is_first: bool) -> str:
    """The sentence of a caption as the answer has it; "" for one that does not describe."""
    said = without_scale_bars(beside_the_figure(piece, language))
    text = without_addition(_opened(said, language, is_first), language)
    is_title = is_first or bool(_PANEL.match(text)) or _names_what_a_panel_shows(text, language)
    describes = is_title or is_key(text) or (has_verb(text, language) and not only_points(text, language))
    is_note_of_panel = is_note(_without_panel(text))
    is_clean = text and describes and not is_note_of_panel and not may_cite(text) and fault(text, language) is None
    return text if is_clean else ""


def _names_what_a_panel_shows(text: str, language: str | None) -> bool:
    """Whether a panel's letter stands behind a noun, "Map of the dose (b)."; not "For the other arm (b)."."""
    own = LANGUAGES[question_language(language)]
    first_word = text.split(" ", 1)[0].lower()
    is_noun = first_word in own.teaching.the_figure.determiners or first_word not in own.sentences.starters
    return is_noun and bool(_PANEL_BEHIND.search(text))


def _without_panel(text: str) -> str:
    """The sentence without the letter of its panel: "(A) Scale bar" is a note, too."""
    panel = _PANEL.match(text)
    return text[panel.end() :] if panel else text


def _ordinary_words(row: dict[str, Any]) -> frozenset[str]:
    """The words that the figure's texts have with a small letter."""
    return frozenset(_SMALL_WORD.findall(" ".join([row["caption"] or "", *row["context"]])))


def _pieces_of_caption(row: dict[str, Any]) -> list[tuple[int, str]]:
    """(number of the caption's sentence, sentence), with those apart that lack a full stop between them."""
    found: list[tuple[int, str]] = []
    letter = ""
    for source, number, sentence in evidence_sentences(row):
        for piece in pieces(sentence, row["language"]) if source == "caption" else ():
            if alone := _PANEL_ALONE.fullmatch(piece):
                letter += f"{piece.rstrip('.:')}{' ' if alone['letter'] and not alone['place'] else ': '}"
            else:
                found.append((number, letter + piece))
                letter = ""
    return found


def _opened(text: str, language: str | None, is_first: bool) -> str:
    """The sentence with a capital at the start of the caption; "" for one that starts in its middle."""
    if not is_first or is_opened(text):
        return text if is_opened(text) or _PANEL.match(text) else ""
    return capitalised(text) if starts_with_a_noun(text, language) else ""


def _of_context(row: dict[str, Any]) -> list[Said]:
    """The sentences of the running text that can be understood beside the figure alone."""
    language = row["language"]
    kept: list[Said] = []
    for source, number, sentence in evidence_sentences(row):
        if source == "context" and _is_of_the_figure(sentence, language):
            text = without_addition(beside_the_figure(sentence, language), language)
            if _stands_alone(text, language):
                kept.append(Said(source, number, text))
    return kept


def _is_of_the_figure(sentence: str, language: str | None) -> bool:
    """Whether it speaks of one figure, and of no other work: what that one found cannot be seen here."""
    others = any(mention.elsewhere for mention in all_mentions(sentence))
    from_elsewhere = (
        others or refers(sentence) or cites(sentence) or may_cite(sentence) or may_cite_in_running_text(sentence)
    )
    is_one = len(pieces(sentence, language)) == 1 and not starts_again(sentence, language)
    return not from_elsewhere and len(mentioned_keys(sentence)) <= 1 and is_one


def _stands_alone(text: str, language: str | None) -> bool:
    unfit = (
        not is_whole(text, language)
        or not may_be_whole(text, language)
        or only_points(text, language)
        or is_note(text)
        or leans_on_another(text, language)
        or points_back(text, language)
        or speaks_of_several(text, language)
        or says_it_twice(text)
        or states_a_purpose(text, language)
    )
    return not unfit and fault(text, language) is None


def _gives_reasons(text: str, language: str | None) -> bool:
    return bool(_reason_words(question_language(language)).search(text))


@cache
def _reason_words(language: str) -> re.Pattern:
    own = LANGUAGES[language]
    words = "|".join(own.teaching.reasons) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)" if own.spaces else words, re.IGNORECASE)


def _describes(chosen: Sequence[Said], language: str | None) -> bool:
    """Whether there is more than a title: a sentence beside it, two panels, or one long sentence with a verb."""
    spaces = LANGUAGES[question_language(language)].spaces
    long_enough = len(chosen) > 1 or len(chosen[0].text) >= (MIN_TITLE_CHARS if spaces else MIN_TITLE_CHARS_UNSPACED)
    from_context = any(said.source == "context" for said in chosen)
    n_panels = sum(_number_of_panels(said.text) for said in chosen)
    says = from_context or n_panels > 1 or has_main_verb(chosen[0].text, language)
    says = says or any(has_verb(said.text, language) or is_key(said.text) for said in chosen[1:])
    return long_enough and says


def _number_of_panels(text: str) -> int:
    """How many panels a sentence of an answer tells of, with their letters ahead of it, within or behind."""
    behind = len(_PANEL_BEHIND.findall(text))
    return max(len(_PANELS_WITHIN.findall(text)), behind, bool(_PANEL.match(text)))


def _within_length(chosen: Sequence[Said], language: str | None) -> list[Said]:
    """As many of the sentences, from the first on, as an answer may have; none twice."""
    kept: list[Said] = []
    for said in chosen:
        if len(_joined([*kept, said], language)) > MAX_ANSWER_CHARS:
            break
        share = MAX_REPEATED_IN_CAPTION if said.source == "caption" else MAX_REPEATED
        if not any(repeats(said.text, other.text, share) for other in kept):
            kept.append(said)
    return kept


def _joined(chosen: Sequence[Said], language: str | None) -> str:
    """The sentences as one text, each with a full stop."""
    answer = ""
    for said in chosen:
        answer += _gap(answer, language) + closed(said.text)
    return answer


def _gap(before: str, language: str | None) -> str:
    """What stands between two sentences: nothing behind one in a language that puts no spaces between words."""
    spaces = LANGUAGES[question_language(language)].spaces
    return " " if before and (spaces or before[-1].isascii()) else ""


def _question(row: dict[str, Any], task: str, wording: Wording) -> str:
    """One of the questions of the article's language, drawn by the figure's id."""
    choices = wording.choices(row["language"], task)
    drawn = int(hashlib.sha256(f"{row['figure_id']}/{task}".encode()).hexdigest(), 16)
    return choices[drawn % len(choices)]
