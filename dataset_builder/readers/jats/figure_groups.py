"""Which elements of an article's XML are one figure: groups and nested figures whose parts have no number of their own.

| in the XML | is |
| --- | --- |
| `<fig-group>` "Figure 1" over `<fig>`s "(a)", "Figure 1B" or without label | one figure with panels |
| `<fig-group>` with a caption over `<fig>`s without captions and numbers | one figure with panels |
| `<fig>` "Figure 1" over `<fig>`s "(a)" or without label | one figure with panels |
| `<fig>`s "Figure 2", "Figure 1—figure supplement 1" in either | figures of their own |
| `<graphic>` with the label of a figure, in no figure | a figure |
"""

import copy
import os
from collections.abc import Iterator, Mapping

from lxml import etree

from dataset_builder.readers.jats.xml import child_of, text_of
from dataset_builder.text.labels import label_key, split_label
from dataset_builder.text.numbering import heads

_NO_PLACE_FOR_FIGURES = ("fig", "table-wrap", "disp-formula", "inline-formula", "chem-struct-wrap", "caption")


def join_figures(part: etree._Element, elements: Mapping[str, list[etree._Element]]) -> list[etree._Element]:
    """The `<fig>` elements of a part, one a figure, in reading order; `<fig-panel>`s inside are its sub-figures.

    `elements` are those of the part by tag. Changes the tree.
    """
    labelled = [graphic for graphic in elements["graphic"] if len(graphic) and _is_figure(graphic)]
    for graphic in labelled:
        _wrap(graphic)
    groups = elements["fig-group"]
    for group in groups:
        _merge_group(group)
    figures = [*part.iter("fig")] if labelled or groups else elements["fig"]
    nested = [figure for figure in figures if next(figure.iterdescendants("fig"), None) is not None]
    for figure in nested:
        _merge_nested(figure)
    return [figure for figure in figures if figure.tag == "fig"] if nested else figures


def _is_figure(graphic: etree._Element) -> bool:
    """Whether a graphic has the number of a figure, and stands where a figure may."""
    if next(graphic.iterancestors(*_NO_PLACE_FOR_FIGURES), None) is not None:
        return False
    label = child_of(graphic, "label")
    return _number(graphic) is not None and (
        label is None or _has_word(label) or child_of(graphic, "caption") is not None
    )


def _wrap(graphic: etree._Element) -> None:
    """Put a `<fig>` with its id, label and caption around a graphic."""
    figure = etree.Element("fig", {"id": graphic.get("id")} if graphic.get("id") else {})
    figure.tail, graphic.tail = graphic.tail, None
    graphic.getparent().replace(graphic, figure)
    figure.extend([child for child in graphic if child.tag in ("label", "caption", "attrib", "permissions")])
    figure.append(graphic)


def _merge_group(group: etree._Element) -> None:
    """Make a `<fig-group>` with a label or caption one `<fig>`, or hand these on to its figures that lack them."""
    own = [child for child in (child_of(group, "label"), child_of(group, "caption")) if child is not None]
    if not own or next(group.iterancestors("fig"), None) is not None:
        return
    figures = [*group.iter("fig")]
    number = _number(group) or _shared_number(group, figures)
    one = not _of_their_own(figures, number) if number else not any(map(_stands_alone, figures))
    if one:
        group.tag = "fig"
        _make_panels(figures)
        return
    for figure in figures:
        for child in reversed(own):
            if figure.find(child.tag) is None:
                figure.insert(0, copy.deepcopy(child))


def _stands_alone(figure: etree._Element) -> bool:
    """Whether the figure of a group has a caption or a number of its own."""
    return child_of(figure, "caption") is not None or _number(figure) is not None


def _shared_number(group: etree._Element, figures: list[etree._Element]) -> str | None:
    """The number of "Figure 1A" and "Figure 1B" in a group without one, which gets the label "Figure 1"."""
    labels = [text_of(child_of(figure, "label")) or "" for figure in figures]
    keys = {label_key(label) for label in labels}
    printed = os.path.commonprefix(labels).rstrip(" (")
    if len(set(labels)) < 2 or len(keys) != 1 or label_key(printed) not in keys or child_of(group, "label") is not None:
        return None
    label = etree.Element("label")
    label.text = printed
    group.insert(0, label)
    return label_key(printed)


def _merge_nested(figure: etree._Element) -> None:
    """Make the figures without a number inside a figure its panels; one that holds nothing else is a mere wrapper."""
    if figure.tag != "fig":
        return
    inside = [*figure.iterdescendants("fig")]
    if child_of(figure, "label") is None and child_of(figure, "caption") is None:
        if not any(next(graphic.iterancestors("fig")) is figure for graphic in figure.iter("graphic", "media")):
            figure.tag = "fig-group"
        return
    others = set(_of_their_own(inside, _number(figure)))
    _make_panels(one for one in inside if one not in others)


def _of_their_own(figures: list[etree._Element], number: str | None) -> list[etree._Element]:
    """Those of the figures that have a number other than the `number` of what stands around them.

    Inside a numbered figure "1" or "II" without a word is the name of a panel.
    """
    own = []
    for figure in figures:
        key = _number(figure)
        label = child_of(figure, "label")
        worded = label is None or _has_word(label)
        if key is not None and key != number and (worded or number is None):
            own.append(figure)
    return own


def _make_panels(figures: list[etree._Element] | Iterator[etree._Element]) -> None:
    for figure in figures:
        figure.tag = "fig-panel"


def _number(figure: etree._Element) -> str | None:
    """The key of an element's label or of that at its caption's start."""
    label = child_of(figure, "label")
    if label is not None:
        return label_key(text_of(label))
    caption = child_of(figure, "caption")
    split = split_label(text_of(caption) or "") if caption is not None else None
    return label_key(split[0]) if split else None


def _has_word(label: etree._Element) -> bool:
    return next(heads(text_of(label) or ""), None) is not None
