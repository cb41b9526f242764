"""Where a text mentions the article's own figures.

    mentioned_keys("see Figs 2-4 and S1")            -> {"2", "3", "4", "S1"}

A figure of another paper is no mention: "Fig. 2 in [12]", "Figure 3 of Smith et al.", "their Fig. 1", "[12, Fig. 2]",
"(Smith et al., 2010, Fig. 2)", nor is "Figure 1 in S1 Text". "Fig. 2 (see [12])" and "(Smith 2010; Fig. 2)" are.
"Figure 2—source data 1" counts for figure 2.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import NamedTuple

from dataset_builder.text.labels import label_keys
from dataset_builder.text.numbering import (
    AND,
    NUMBER,
    NUMBER_FIRST,
    ORDINAL,
    SHORT_JOINS,
    SUPPLEMENT_OF,
    Head,
    anchors,
    heads,
    heads_at,
    in_series,
    number_key,
    number_list,
)
from dataset_builder.text.vocabulary import any_of

_NAME = r"[A-ZА-ЯЁ][\w'’-]+"
_REFERENCES = any_of(lambda it: it.elsewhere.references)
_ELSEWHERE = re.compile(
    rf"\s*,?\s*(?:{any_of(lambda it: it.elsewhere.of_words)})\s+(?:"
    rf"(?:(?i:{_REFERENCES})\.?\s*)?(?:[\[(]?\d+[\])]|\[\d)|(?i:{_REFERENCES})\.?\s*\d"
    rf"|{_NAME}\s+(?:et\s+al|(?:{AND}|&)\s+{_NAME}|\(?\d{{4}}|\[\d)"
    rf"|(?i:{any_of(lambda it: it.elsewhere.files)})|S\d+\s+(?:Text|File|Appendix|Protocol))"
)
_AUTHORS = rf"{_NAME}\s+(?:et\s+al\.?|(?:{AND}|&)\s+{_NAME})|[(;]\s*{_NAME}"
_SEE = any_of(lambda it: it.teaching.see)
_THEIR = any_of(lambda it: it.elsewhere.their)
_OF_THEM = re.compile(rf"\b(?:{_THEIR})\s+$")
_OF_THEM_CHARS = 30  # the longest of these words
_CITED_BEFORE = re.compile(
    rf"(?:\[\d+(?:[,–-]\s?\d+)*\s*[,:]\s*(?:(?:{_SEE})\s+)?"
    rf"|(?:{_AUTHORS}),?\s+\d{{4}}[a-z]?\s*[,:]\s*(?:(?:{_SEE}|{_THEIR})\s+)?)$"
)
_JOINING_WORD = re.compile(rf"\s(?:{SHORT_JOINS})$")
_READS_ON = re.compile(r"\s[^\W\d_]")
_ADDRESS = re.compile(r"(?:\b10\.\d{4,}/|://|\bwww\.)\S*$")
_ADDRESS_CHARS = 100  # of an address before a figure word in it
_LIST_CHARS = 300  # the longest list of figures
_SUPPLEMENT_NUMBER = re.compile(r"S\d")


class Mention(NamedTuple):
    """One place where a text names figures: `text[start:end]`, "Figs 2A–C and 3"."""

    start: int
    end: int
    keys: list[str]
    word: str  # the figure word as printed, without its full stop: "Figs"
    plural: bool
    elsewhere: bool  # a figure of another paper


def mentioned_keys(sentence: str) -> set[str]:
    """The keys of the article's own figures that the sentence mentions, ranges filled in."""
    return {key for mention in mentions(sentence) for key in mention.keys}


def mention_spans(sentence: str, keys: Iterable[str]) -> list[tuple[int, int]]:
    """(start, end) of each mention of the figure with these keys, in characters of the sentence, in reading order."""
    own = set(keys)
    spans: list[tuple[int, int]] = []
    for mention in mentions(sentence):
        if not own.isdisjoint(mention.keys):
            spans += _parts_of(sentence, mention, own) or [(mention.start, mention.end)]
    return sorted((start, end - len(_joining_word(sentence, start, end))) for start, end in spans)


def _parts_of(sentence: str, mention: Mention, keys: set[str]) -> list[tuple[int, int]]:
    """Where a list that repeats the figure word ("Figure 2 and Fig. 12") names these figures itself, in no range."""
    listed = sentence[: mention.end]
    starts = [mention.start + head.start for head in heads(listed[mention.start :])]
    spans = []
    for start, end in pairwise([*starts, mention.end]):
        own = [part for part in all_mentions(sentence[start:end]) if not keys.isdisjoint(part.keys)]
        spans += [(start + part.start, start + part.end) for part in own]
    return spans


def _joining_word(sentence: str, start: int, end: int) -> str:
    """ " y" behind a mention that reads on ("figuras 1 a 3 y el texto"): it looks like the letter of a panel."""
    found = _JOINING_WORD.search(sentence, start, end)
    return found.group() if found and _READS_ON.match(sentence, end) else ""


def mentions_in(sentences: Iterable[str], label: str | None) -> list[list[tuple[int, int]]]:
    """For each sentence, (start, end) in characters of where it mentions the figure of this label, in reading order."""
    keys = label_keys(label)
    return [mention_spans(sentence, keys) for sentence in sentences]


def mentions(text: str) -> list[Mention]:
    """The mentions of the article's own figures in a text, whose ligatures are resolved."""
    return [mention for mention in all_mentions(text) if not mention.elsewhere]


def mentions_of_each(texts: list[str], other_kinds: bool = True) -> list[list[Mention]]:
    """`mentions` of each of the texts; figure words are looked for in all at once: few paragraphs have any.

    Without `other_kinds` only figures are looked for, no schemes, charts, plates and so on: four times as fast.
    """
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    joined = "\n".join(texts)
    places: dict[int, list[int]] = {}  # of figure words, by the number of the text
    for place in anchors(joined, other_kinds):
        n = bisect_right(starts, place) - 1
        places.setdefault(n, []).append(place - starts[n])
    for match in _SUPPLEMENT_NUMBER.finditer(joined):
        places.setdefault(bisect_right(starts, match.start()) - 1, [])
    found = {n: _mentions_at(texts[n], inside) for n, inside in places.items()}
    own = {n: [one for one in inside if not one.elsewhere] for n, inside in found.items()}
    return [own.get(n, []) for n in range(len(texts))]


def all_mentions(text: str) -> list[Mention]:
    """The mentions of the article's own figures and of other papers'; those with the number first ("S1 Fig") last."""
    return _mentions_at(text, anchors(text))


def _mentions_at(text: str, places: list[int]) -> list[Mention]:
    """The same, with the places in the text where a figure word may start."""
    found = [] if text.isascii() else [_ordinal(match) for match in ORDINAL.finditer(text)]
    counted = {mention.end - len(mention.word) for mention in found}  # where the words of these stand
    position = 0
    for head in heads_at(text, places):
        if head.start >= position and head.start not in counted and not _is_in_address(text, head.start):
            keys, position = _mention(text, head)
            if keys:
                elsewhere = _is_elsewhere(text, head.start, position)
                end = _without_bracket(text, head.start, position + (text[head.end - 1] == "("))
                found.append(Mention(head.start, end, keys, head.word, head.plural, elsewhere))
    return found + _number_first(text)


def _is_in_address(text: str, start: int) -> bool:
    """Whether a figure word stands in an address: "10.1234/abc/fig-1", "www.example.org/abc.fig1"."""
    return (
        start > 0
        and text[start - 1] in "/._"
        and _ADDRESS.search(text, max(0, start - _ADDRESS_CHARS), start) is not None
    )


def _number_first(text: str) -> list[Mention]:
    """ "S1 Fig": tried where an S and a number stand, many times as fast as a search."""
    found: list[Mention] = []
    for start in _SUPPLEMENT_NUMBER.finditer(text):
        match = NUMBER_FIRST.match(text, start.start())
        if match and not (found and match.start() < found[-1].end):
            keys, _ = number_list(match["items"], 0, plural=True)
            found.append(Mention(match.start(), match.end(), keys, match["word"], len(keys) > 1, False))
    return found


def _ordinal(match: re.Match) -> Mention:
    """第1图: the number stands before the word."""
    keys, _ = number_list(match["items"], 0, plural=True)
    return Mention(match.start(), match.end(), keys, match["word"], False, False)


def _without_bracket(text: str, start: int, end: int) -> int:
    """The end of a mention without the bracket that closes what stands around it: "2A)" of "(Fig. 2A)"."""
    if text[end - 1] != ")":
        return end
    printed = text[start:end]
    return end - 1 if printed.count(")") > printed.count("(") else end


def context_for(sentences: Iterable[str], figures: list[set[str]]) -> list[list[str]]:
    """For each figure, given as its keys, the sentences that mention it, in the order given, without duplicates."""
    context: list[list[str]] = [[] for _ in figures]
    for sentence in dict.fromkeys(sentences):
        named = mentioned_keys(sentence)
        for keys, found in zip(figures, context, strict=True):
            if keys & named:
                found.append(sentence)
    return context


def _mention(text: str, head: Head) -> tuple[list[str], int]:
    """The keys of the list of figures after a figure word, and where the list ends."""
    first = NUMBER.match(text, head.end)
    if not first:
        return [], head.end
    if supplement := SUPPLEMENT_OF.match(text, first.end()):
        parts, end = number_list(_up_to_next_head(text, supplement.end()), supplement.end(), plural=True)
        return [f"{in_series(head.series, number_key(first))}-S{part.lstrip('S')}" for part in parts], end
    if head.series:  # "Supplementary Figure 1 and Figures 4B-E": the next word starts a list of its own
        text = _up_to_next_head(text, first.end())
    keys, end = number_list(text, head.end, head.plural)
    return [in_series(head.series, key) for key in keys], end


def _up_to_next_head(text: str, position: int) -> str:
    window = text[position : position + _LIST_CHARS]
    return text[: position + next((head.start for head in heads(window)), _LIST_CHARS)]


def _is_elsewhere(text: str, start: int, end: int) -> bool:
    """Whether the mention between `start` and `end` is of a figure of another paper or of a supplementary file."""
    if _ELSEWHERE.match(text, end) or _OF_THEM.search(text, max(0, start - _OF_THEM_CHARS), start):
        return True
    near = text[max(0, start - _OF_THEM_CHARS) : start]
    cited = "," in near or ":" in near  # without one the pattern, which is slow, cannot match
    return cited and _CITED_BEFORE.search(text, max(0, start - 80), start) is not None
