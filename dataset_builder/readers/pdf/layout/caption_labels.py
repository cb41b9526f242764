"""Labels of figures and tables at the start of a line, as the layout rules look for them."""

import re

from dataset_builder.text.labels import split_label
from dataset_builder.text.vocabulary import any_of

TABLE_WORD = re.compile(rf"(?:{any_of(lambda it: it.not_figures.table)})\.?(?=\s*(?:\d|[IVX]+\b))", re.I)
UNNUMBERED = ""  # the key of an article's only figure where its label has no number
_FIGURE_WORD = rf"(?:{any_of(lambda it: it.figure.unnumbered)})"
UNNUMBERED_LABEL = re.compile(rf"({_FIGURE_WORD})\s?[.:|–—]\s*(?=[^\W\d_]{{2}})", re.I)
UNNUMBERED_MENTION = re.compile(rf"(?<!\w){_FIGURE_WORD}(?!\w)(?!\.?\s*(?:S?\d|(?-i:[IVX]+)\b))", re.I)
_LETTER_SPACED = re.compile(r"(?:[A-Z] ){3,}[A-Z]\b")  # "F I G U R E 1"


def split_any_label(text: str) -> tuple[str, str] | None:
    """Label and caption of a figure or a table; a table's label must stand as a figure's would have to."""
    if spaced := _LETTER_SPACED.match(text):
        text = spaced.group().replace(" ", "") + text[spaced.end() :]
    if alone := UNNUMBERED_LABEL.match(text):
        return alone[1], text[alone.end() :]
    table = TABLE_WORD.match(text)
    if not table:
        return split_label(text)
    found = split_label("Figure" + text[table.end() :])
    if not found:
        return None
    label, caption = found
    return table.group() + label.removeprefix("Figure"), caption


def is_label_alone(text: str) -> bool:
    """Whether a line is a label without its caption."""
    found = split_any_label(text)
    return found is not None and not found[1]
