"""Formulae in the text of an article: powers of ten, MathML and TeX as something that can be read in a line."""

import re
from collections.abc import Mapping

from lxml import etree

from dataset_builder.readers.jats.xml import set_text, string_of
from dataset_builder.text.clean import clean

MATHML = "{http://www.w3.org/1998/Math/MathML}"
FORMULA_TAGS = ("sup", "tex-math", f"{MATHML}math")

_TEX_BODY = re.compile(r"\\begin\{document\}(.*)\\end\{document\}", re.DOTALL)
_TEN = re.compile(r"(?<!\d)10$")
_EXPONENT = re.compile(r"[-+−–]?\d+")


def prepare_formulas(elements: Mapping[str, list[etree._Element]]) -> None:
    """Turn the formulae into text where they stand; `elements` are those of `FORMULA_TAGS` by their tag.

    Powers of ten become "10^6", MathML its characters without spaces; the TeX beside MathML goes, other TeX stays.
    """
    for sup in elements.get("sup", ()):
        _mark_exponent(sup)
    for tex in reversed(elements.get("tex-math", ())):  # inner ones first, should they be nested
        beside_mathml = tex.getparent().find(f"{MATHML}math") is not None
        set_text(tex, None if beside_mathml else _tex_body(string_of(tex)))
    for math in reversed(elements.get(f"{MATHML}math", ())):
        for annotation in [*math.iter(f"{MATHML}annotation", f"{MATHML}annotation-xml")]:
            set_text(annotation, None)
        set_text(math, "".join(map(clean, math.itertext())))


def _mark_exponent(sup: etree._Element) -> None:
    """`10<sup>6</sup>` -> `10<sup>^6</sup>`; other raised text stays."""
    if not sup.text or len(sup) or not _EXPONENT.fullmatch(sup.text):
        return
    before = sup.getprevious()
    base = sup.getparent().text if before is None else before.tail
    if base and _TEN.search(base):
        sup.text = f"^{sup.text}"


def _tex_body(document: str) -> str | None:
    body = _TEX_BODY.search(document)
    return body[1].replace("$", "").strip() if body else None
