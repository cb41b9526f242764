"""The labels of figures: their keys, and where a label ends and its caption begins.

    label_key("Abb. 3")                              -> "3"
    split_label("FIGURE 1 | Dose response.")         -> ("FIGURE 1", "Dose response.")

A figure's key is its number without words, panel letters and leading zeros, so that a label and a mention meet:

| printed | key |
| --- | --- |
| Figure 2, Fig. 2A, Abb. 2, Рис. 2, 图2, Fig. II | 2 |
| Figure 3.1 | 3.1 |
| Figure S1, S1 Fig, Supplementary Fig. 1, Figura suplementaria 1, 补充图1 | S1 |
| Figure 2—figure supplement 1 | 2-S1 |
| Figure A1, Appendix Figure 1 | A1 |
| Appendix 1—figure 2 | A1-2 |
| Extended Data Fig. 4, Figure EV1 | ED4, EV1 |
| Box 1—figure 2 | BX1-2 |
| Scheme 2, Chart 1, Gráfico 1, Plate 3, Exhibit 1 | SCHEME2, CHART1, CHART1, PLATE3, EXHIBIT1 |
| Table 2, Box 1, Video 1 (labels only: such words are never mentions of a figure) | TABLE2, BOX1, VIDEO1 |
"""

import re
from functools import lru_cache

from dataset_builder.text.clean import clean, normalise
from dataset_builder.text.numbering import (
    DASH,
    JOIN,
    NUMBER,
    NUMBER_FIRST,
    ORDINAL,
    PANEL,
    PANELS,
    SUPPLEMENT_OF,
    heads,
    in_series,
    number_key,
    number_list,
    several_numbers,
)
from dataset_builder.text.sentences import MIXED_CASE, is_caseless
from dataset_builder.text.vocabulary import any_of, any_spaced, any_unspaced

_LABEL_ONLY_KINDS = {
    "TABLE": any_of(lambda it: it.not_figures.table),
    "BOX": any_of(lambda it: it.not_figures.box),
    "VIDEO": any_of(lambda it: it.not_figures.video),
}
_LABEL_ONLY = re.compile(
    r"\s*(?:" + "|".join(rf"(?P<{kind}>(?:{words})(?![^\W\d_]))" for kind, words in _LABEL_ONLY_KINDS.items()) + r")",
    re.IGNORECASE,
)
_COMPOUND = re.compile(rf"{DASH}(?=\d)")  # "Figure 2-1" as a label
_IN_BOX = re.compile(rf"\s*box\s\d\s?{DASH}\s?fig", re.IGNORECASE)  # "Box 1—figure 2"
_LETTER = r"[A-Za-zА-Еа-е]"
_LABEL_PANEL = re.compile(rf"\d[\s(]*({_LETTER}(?:\s?(?:{DASH}|[,/&+])\s?{_LETTER})*)[\s).:]*$")
_LONGEST_HEAD_CHARS = 120  # "Supplementary online figure no. 1": the prefixes and the word of a label, with its number
_NUMERAL = re.compile(r"[\dIVX]")  # in each number of `NUMBER`
_LABELS_KEPT = 4096  # "Figure 1" and its like come again and again


@lru_cache(_LABELS_KEPT)
def label_keys(label: str | None) -> tuple[str, ...]:
    """The keys of a label of several figures ("Figures 1–3" -> 1, 2, 3), else its one key, if it has one."""
    text = normalise(label or "")
    head = next(heads(text), None)
    if head and (several := several_numbers(text, head)):
        return tuple(in_series(head.series, key) for key in several[0])
    key = label_key(label)
    return (key,) if key else ()


@lru_cache(_LABELS_KEPT)
def label_key(label: str | None) -> str | None:
    """The key of a label ("Figure 2" -> "2"; the table above has all forms); None for a label without a number.

    A label of several figures ("Figures 1–3") has the key of the first.
    """
    text = normalise(label or "")
    if not text:
        return None
    if (other := _LABEL_ONLY.match(text)) and not _IN_BOX.match(text):
        number = NUMBER.match(text, _skip(text, other.end()))
        return f"{other.lastgroup}{number_key(number)}" if number else None
    if behind := NUMBER_FIRST.match(text):
        return behind["items"].split()[0].upper()
    if ordinal := ORDINAL.match(text):
        return number_list(ordinal["items"], 0, plural=True)[0][0]
    head = next(heads(text), None)  # not always first: "Additional file 2: Figure S1"
    number = NUMBER.match(text, head.end if head else 0)
    if not number:
        return None
    key = in_series(head.series, number_key(number)) if head else number_key(number)
    if head and several_numbers(text, head):
        return key
    supplement, part = _part(text, number.end())
    if not part:
        return key
    return f"{key}-S{number_key(part)}" if supplement else f"{key}-{number_key(part)}"


def label_panel(label: str | None) -> str:
    """The letters of panels that a label ends with, capital: "Figure 2a" -> "A", "Fig. 2 A–C" -> "A–C"; "" for none."""
    found = _LABEL_PANEL.search(normalise(label or ""))
    return "".join(found[1].split()).upper() if found else ""


def _part(text: str, position: int) -> tuple[bool, re.Match[str] | None]:
    """Whether a figure supplement is named behind a figure's number, and its number or the second of "Figure 2-1"."""
    supplement = SUPPLEMENT_OF.match(text, position)
    tail = supplement or _COMPOUND.match(text, position)
    return supplement is not None, NUMBER.match(text, tail.end()) if tail else None


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in ". ":
        position += 1
    return position


# ---- captions ----

_FIRM_MARKS = ":|：︱丨∣│┃¦‖❘ǀ◂◄◀△▲▼▽▶►▸•●■▪·∙"  # close a label and nothing else; the arrows point to the picture
_MARKS = rf"[.。．{_FIRM_MARKS}]"  # after a label
_AFTER_LABEL = re.compile(
    rf"(?P<space>\s*)(?P<close>(?:{_MARKS}|\)(?=:|\s[^\W_a-zа-яё])|{DASH}{{1,2}}(?=\s)|[–—](?!\d)|-(?=[^\W\d_]{{2}})|\s(?={DASH}\s))+)?\s*"
)
_OWN_PANELS = re.compile(  # "Fig. 3A,B.", "Fig. 3a and b", "Рис. 2, а."
    rf"{PANEL}(?:\s?(?:[,/&+]|{DASH}|(?:{JOIN})\s)\s?{PANEL})*(?=\s|{_MARKS}|\)\s)|,\s?[a-hа-е](?=[.:])"
)
_RUNNING = re.compile(  # what follows a mention in running text, never a label in front of a caption
    rf"(?:{any_spaced(lambda it: (*it.running.verbs, *it.running.others))})\b"
    rf"|{any_unspaced(lambda it: (*it.running.verbs, *it.running.others))}"
)
_VERB = re.compile(  # what may follow a mention even behind its full stop ("Fig. 2. shows")
    rf"(?:{any_spaced(lambda it: it.running.verbs)})\b"
    rf"|{any_unspaced(lambda it: (*it.running.verbs, *it.running.others))}"
)
_STARTS = re.compile(rf"(?:{any_of(lambda it: it.captions.starts)})(?!\w)")  # "A plot of"
_STOP = re.compile(r"[.。．]\s*$")  # closes a label, or ends a sentence
_FIRM = re.compile(rf"[{_FIRM_MARKS}]")
MAX_ASIDE_CHARS = 5  # "(a–d)": longer brackets behind a label must say what a label's may
_PARENTHESIS = re.compile(r"\((?P<inside>[^()]{1,40})\)\s*")
_ASIDE_OF_LABEL = re.compile(any_of(lambda it: (*it.captions.continued, *it.captions.label_asides)), re.IGNORECASE)
_CONTINUED = re.compile(rf"(?i:{any_of(lambda it: it.captions.continued)})(?!\w)[\s.:]*(?=$|[^\Wa-z])")


def split_label(text: str) -> tuple[str, str] | None:
    """A caption's text -> (label as printed, the rest without leading punctuation); None when it is no figure caption.

    "Figure 1. Dose", "Fig 1 Dose", "FIGURE 1 | Dose", "Abb. 1: Dosis", "图1 剂量" and a label alone ("Figure 1", the
    caption being on the next line: the rest is "") start a caption; "Figure 1 shows", "Fig. 2A and B were",
    "Figure 1, the", "图1显示" are running text, "Table 1." is no figure. The end of a sentence at the start of a line
    ("... see / Figure 1. The dose") reads like a caption: only the page's layout can tell.
    """
    text = clean(text)
    end = _label_end(text)
    if end is None:
        return None
    panels = _OWN_PANELS.match(text, end)
    label_end = panels.end() if panels else end
    after = _AFTER_LABEL.match(text, label_end)
    assert after is not None  # the pattern matches nothing, too
    rest, close = text[after.end() :], after["close"] or ""
    if rest and not _starts_caption(rest, close, spaced=after["space"] != ""):
        return None
    if not rest and panels and not close:  # "Fig. 2a" is the end of a sentence's line
        return None
    return text[:label_end], rest.lstrip(f".。．{_FIRM_MARKS}–— ")


def starting_label(text: str) -> str | None:
    """The label of a figure with which a text starts, whatever follows it: "Figure 2" of "Figure 2 shows"."""
    text = clean(text)
    end = _label_end(text)
    return text[:end] if end is not None else None


@lru_cache(_LABELS_KEPT)  # the lines of a page are asked about more than once
def _label_end(text: str) -> int | None:
    """Where the label at the start of a text ends; None without one."""
    if not _NUMERAL.search(text):  # most lines of running text, quickly
        return None
    if behind := NUMBER_FIRST.match(text) or ORDINAL.match(text):
        return behind.end()
    head = next(heads(text[:_LONGEST_HEAD_CHARS]), None)
    if head is None or head.start > 0:
        return None
    number = NUMBER.match(text, head.end)
    if not number:
        return None
    if several := several_numbers(text, head):
        return several[1]
    _, part = _part(text, number.end())
    return (part or number).end() + (text[head.end - 1] == "(")


def _starts_caption(rest: str, close: str, spaced: bool) -> bool:
    """Whether the text after a label is a caption; `close`: the punctuation between, `spaced`: white space stood there.

    Behind a label that is closed a caption is the rule, running text the exception. The first rule that fits decides.
    """
    if _CONTINUED.match(rest):  # "Figure 1 continued"
        return True
    if _FIRM.search(close):  # "Figure 1: (a) and (b) Dose"
        return _is_no_sequel(rest)
    if _STOP.search(close):  # "Figure 1. A plot", but not "Figure 1. shows"
        return _is_no_sequel(rest) and not _VERB.match(rest)
    if spaced and _STARTS.match(rest):  # "Figure 1 A plot of"
        return True
    behind = _behind_panels(rest)
    if _RUNNING.match(rest) or (_RUNNING.match(behind) and not _STARTS.match(rest)):  # "Figure 1 A–C show"
        return False
    if spaced and _is_title(behind):  # "Fig. 2 a–d Dose"
        return True
    if aside := _PARENTHESIS.match(rest):  # "Figure 1 (colour online) Dose", "Figure 1 (left) shows"
        return _starts_behind_aside(aside["inside"], rest[aside.end() :], close)
    if close:  # "Figure 1 – Dose"
        return _is_no_sequel(rest)
    if not spaced:  # "图1剂量": Chinese and Japanese need no space
        return "\u3040" <= rest[0] <= "\u9fff"
    return _may_begin(rest)


def _is_no_sequel(rest: str) -> bool:
    """Whether a text goes not on with what only running text has there: "Figure 1.) and"."""
    return rest[0] not in ",;)]"


def _behind_panels(text: str) -> str:
    """The text without the letters of panels that it starts with."""
    panels = PANELS.match(text)
    return text[panels.end() :].lstrip() if panels else ""


def _is_title(text: str) -> bool:
    return text != "" and (text[0].isupper() or re.match(_MARKS, text) is not None)


def _starts_behind_aside(inside: str, after: str, close: str) -> bool:
    """Whether a caption starts behind brackets; `inside` is what stands in them: short, or said of the figure."""
    if not close and len(inside) > MAX_ASIDE_CHARS and not _ASIDE_OF_LABEL.match(inside):
        return False
    if closing := re.match(rf"{_MARKS}+\s*", after):
        after, close = after[closing.end() :], closing.group()
    return after == "" or _starts_caption(after, close, spaced=True)


def _may_begin(rest: str) -> bool:
    """Whether a caption may begin so without punctuation before it: "Dose", "5 Gy", "“Dose”", "pH", not "dose"."""
    first = rest[0]
    if first.isupper() or first.isdigit() or first in "\"“‘'«[":
        return True
    return is_caseless(first) or MIXED_CASE.match(rest) is not None
