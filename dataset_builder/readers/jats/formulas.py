"""Formulae in the text of an article: raised numbers, MathML and TeX as something that can be read in a line."""

import re

from lxml import etree

from dataset_builder.readers.jats.xml import set_text, string_of
from dataset_builder.text.clean import clean

MATHML = "{http://www.w3.org/1998/Math/MathML}"
FORMULAS = ("sup", "tex-math", f"{MATHML}math")

_TEX_BODY = re.compile(r"\\begin\{document\}(.*)\\end\{document\}", re.DOTALL)
_NUMBER_BEFORE = re.compile(r"\d[A-Za-z]?$")  # with the letter of a panel: "Figure 1a"
_NUMBER_RAISED = re.compile(r"\s?[-+−–]?\d")


def prepare_formulas(elements: dict[str, list[etree._Element]]) -> None:
    """Turn the formulae into text where they stand; `elements` are `FORMULAS`, which go, and `<xref>`s by their tag.

    An element that nobody holds is gone at once when what it stands in is cleared; others are moved first.

    A number raised behind a number becomes "10^6" and "Figure 1^2" (not figure 12), MathML its characters without
    spaces; the TeX beside MathML goes, other TeX stays.
    """
    for sup in elements.pop("sup", ()):
        _mark_raised(sup)
    for xref in elements.get("xref", ()):
        if xref.get("ref-type") == "bibr":  # many are raised by the style sheet alone
            _mark_raised(xref)
    for tex in reversed(elements.pop("tex-math", ())):  # inner ones first, should they be nested
        beside_mathml = tex.getparent().find(f"{MATHML}math") is not None
        set_text(tex, None if beside_mathml else _tex_body(string_of(tex)))
    for math in reversed(elements.pop(f"{MATHML}math", ())):
        for annotation in [*math.iter(f"{MATHML}annotation", f"{MATHML}annotation-xml")]:
            set_text(annotation, None)
        set_text(math, "".join(map(clean, math.itertext())))


def _mark_raised(element: etree._Element) -> None:
    """`10<sup>6</sup>` -> `10<sup>^6</sup>` where a number follows a number; other raised text stays."""
    first = element.text or (element[0].text if len(element) else None)
    if first and _NUMBER_RAISED.match(first) and _NUMBER_BEFORE.search(_end_before(element)):
        element.text = f"^{(element.text or '').lstrip()}"


def _end_before(element: etree._Element) -> str:
    """The last characters of the text that an inline element directly follows; "" when they are raised themselves."""
    before = element.getprevious()
    if before is not None:
        if tail := before.tail:
            return tail[-2:]
        raised = before.tag == "sup" or before.get("ref-type") == "bibr"
        return "" if raised else string_of(before)[-2:]
    parent = element.getparent()
    if parent.text or parent.tag not in ("sup", "xref"):
        return (parent.text or "")[-2:]
    return _end_before(parent)


def _tex_body(document: str) -> str | None:
    body = _TEX_BODY.search(document)
    return body[1].replace("$", "").strip() if body else None
