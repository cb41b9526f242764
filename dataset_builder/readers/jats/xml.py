"""JATS XML as a tree: read without entities, DTD or network; and the text of its elements."""

import codecs
import html.entities
import re

from lxml import etree

from dataset_builder.text.clean import clean

_HREF = "{http://www.w3.org/1999/xlink}href"
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][\w.-]*);")
_DECLARATION = re.compile(r"^<\?xml[^>]*>")
_PREFIXES = (
    (b"xlink", b"http://www.w3.org/1999/xlink"),
    (b"mml", b"http://www.w3.org/1998/Math/MathML"),
    (b"ali", b"http://www.niso.org/schemas/ali/1.0/"),
    (b"xsi", b"http://www.w3.org/2001/XMLSchema-instance"),
)
_ARTICLE_TAG = re.compile(rb"<article(?=[\s>])")


def parse_article(data: bytes, name: str) -> etree._Element:
    """The one `<article>` of a file, JATS namespace removed; `name` is the file's, for errors.

    Raises ValueError when it is no well-formed XML or holds no or several articles.
    """
    article = _article_element(_parse(data, name), name)
    if b"break" in data:  # not in UTF-16
        for line_end in article.iter("break"):
            line_end.text = " "
    return article


def _parse(data: bytes, name: str) -> etree._Element:
    """The root element, without comments and processing instructions; named entities are characters or gone."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    data = _utf8(data)
    if _ENTITY.search(data):
        data = _ENTITY.sub(_character_reference, data)
    try:
        return etree.fromstring(data.lstrip(), parser)
    except etree.XMLSyntaxError:
        data = _declare_prefixes(data)  # looked for only now: it takes as long as a third of the parsing
    try:
        return etree.fromstring(data.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"{name}: no well-formed XML ({error.msg})") from error


def _utf8(data: bytes) -> bytes:
    """UTF-16 as UTF-8, so that the patterns for bytes see it; other encodings share ASCII with UTF-8 and stay."""
    if b"\0" not in data[:4]:
        return data
    encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-16-be"
    encoding = "utf-16-le" if data[:2] == b"<\0" else encoding
    return _DECLARATION.sub("", data.decode(encoding, "replace").lstrip("\ufeff")).encode()


def _character_reference(match: re.Match) -> bytes:
    """`&alpha;` -> `&#945;`, whatever the file declares it to be; an unknown entity -> nothing."""
    characters = html.entities.html5.get(match[1].decode() + ";", "")
    return "".join(f"&#{ord(character)};" for character in characters).encode()


def _declare_prefixes(data: bytes) -> bytes:
    """Declare the namespace prefixes that files leave to the JATS DTD, which is not read."""
    missing = b"".join(
        b' xmlns:%s="%s"' % (prefix, uri)
        for prefix, uri in _PREFIXES
        if b"%s:" % prefix in data and b"xmlns:%s" % prefix not in data
    )
    return _ARTICLE_TAG.sub(rb"\g<0>" + missing, data, count=1) if missing else data


def _article_element(root: etree._Element, name: str) -> etree._Element:
    """The one `<article>` at or below the root, JATS namespace removed. Raises ValueError for none or several."""
    articles = [root] if _local(root) == "article" else [*root.iter("{*}article")]
    if len(articles) != 1:
        raise ValueError(f"{name}: {len(articles)} JATS articles in the file, expected one (root <{_local(root)}>)")
    article = articles[0]
    namespace = etree.QName(article).namespace
    if namespace:
        for element in article.iter(f"{{{namespace}}}*"):
            element.tag = _local(element)
    if article.find("front") is None and article.find("body") is None:
        raise ValueError(f"{name}: <article> without <front> and <body>, this is not JATS")
    return article


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def text_of(element: etree._Element | None) -> str | None:
    """All text inside, cleaned; None when there is none."""
    if element is None:
        return None
    return clean(string_of(element)) or None


def href_of(element: etree._Element) -> str:
    """`xlink:href`, or `href` where the prefix was forgotten; "" without one."""
    return element.get(_HREF) or element.get("href") or ""


def string_of(element: etree._Element) -> str:
    return etree.tostring(element, method="text", encoding="unicode", with_tail=False)


def set_text(element: etree._Element, text: str | None) -> None:
    """Make `text` all that the element holds; what stands behind it stays."""
    element.clear(keep_tail=True)
    element.text = text
