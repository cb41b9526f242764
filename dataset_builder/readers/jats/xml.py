"""JATS XML as a tree: read without entities, DTD or network; repaired where single characters are no XML; and the text
of its elements.
"""

import codecs
import functools
import re
from collections import defaultdict
from collections.abc import Iterable

from lxml import etree

from dataset_builder.readers.jats.entities import without_entities
from dataset_builder.readers.jats.unread import without_unread
from dataset_builder.text.clean import clean

Elements = dict[str, list[etree._Element]]  # elements by their tag; no list is missing, see `elements_by_tag`
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_HREF = "{http://www.w3.org/1999/xlink}href"
_DECLARATION = re.compile(r"^<\?xml[^>]*>")
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)")
_DECLARATION_BYTES = 200  # a declaration is not longer
_LATIN_1 = (b"iso-8859-1", b"latin1", b"latin-1", b"iso_8859-1", b"us-ascii")
_CONTROL_BYTES = re.compile(rb"[\x80-\x9f]")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # characters that XML 1.0 does not allow
_REFERENCE = re.compile(r"&#(\d{1,9}|[xX][0-9A-Fa-f]{1,8});")
_LONE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_LONE_ANGLE = re.compile(r"<(?![A-Za-z_/!?])")
_START_TAG = re.compile(r"<[A-Za-z_]")
_END_TAG = re.compile(r"</[\w:.-]+\s*>\s*(?:<!--(?:[^-]|-[^-])*-->\s*)?$")
_LOST_TAGS = 0.01  # share of a file's elements that a repair may lose: more is another file, or one cut off
_PREFIXES = (
    (b"xlink", b"http://www.w3.org/1999/xlink"),
    (b"mml", b"http://www.w3.org/1998/Math/MathML"),
    (b"ali", b"http://www.niso.org/schemas/ali/1.0/"),
    (b"xsi", b"http://www.w3.org/2001/XMLSchema-instance"),
)
ALTERNATIVES = ("alternatives", "block-alternatives")
_ARTICLE_TAG = re.compile(rb"<article(?=[\s>])")


def parse_article(data: bytes, name: str) -> tuple[etree._Element, bool]:
    """The one `<article>` of a file, JATS namespace removed, and whether its XML had to be repaired.

    `name` is the file's, for errors. Raises ValueError when it is no XML that can be repaired or holds no or several
    articles.
    """
    data = _utf8(data)
    try:
        root, repaired = _parse(without_unread(data), name)
    except ValueError:  # once more, to name the line of the file
        root, repaired = _parse(data, name)
    return _article_element(root, name), repaired


def elements_by_tag(part: etree._Element, *tags: str) -> Elements:
    """What stands in a part and has one of the tags, all in one walk: a walk costs a sixth of the parsing."""
    found: Elements = defaultdict(list)
    for element in part.iter(*tags):
        found[element.tag].append(element)
    return found


def outside(elements: Elements, parts: Iterable[etree._Element]) -> Elements:
    """Those of the elements that stand in none of the parts; these, too, are left out."""
    inside = {element for part in parts for element in part.iter(*elements)}
    found: Elements = defaultdict(list)
    for tag, all_of_tag in elements.items():
        found[tag] = [element for element in all_of_tag if element not in inside]
    return found


def set_line_ends(breaks: Iterable[etree._Element]) -> None:
    """`<break/>` is a space."""
    for line_end in breaks:
        line_end.text = " "


def keep_one_language(article: etree._Element, holders: Iterable[etree._Element]) -> bool:
    """Of alternatives in several languages, or several of one kind of block, keep that in the article's language.

    `holders` are its elements `ALTERNATIVES`. Where none says that it is in that language, the first one stays. What is
    an alternative in another way (a graphic beside a video, TeX beside MathML) stays, too. Returns whether any went.
    """
    language, gone = _language(article), False
    for holder in holders:
        tongues = [one for one in holder if one.get(_LANG) or holder.tag == "block-alternatives"]
        for kept in [one for one in tongues if _language(one) == language][:1] or tongues[:1]:
            for one in tongues:
                if one is not kept and (one.get(_LANG) or one.tag == kept.tag):
                    holder.remove(one)
                    gone = True
    return gone


def _language(element: etree._Element) -> str:
    return (element.get(_LANG) or "").strip().lower()[:2]


def _parse(data: bytes, name: str) -> tuple[etree._Element, bool]:
    """The root element, without comments and processing instructions; named entities are characters or gone."""
    data = without_entities(data, name)
    try:
        return _tree(data), False
    except etree.XMLSyntaxError:
        data = _declare_prefixes(data)  # looked for only now: it takes as long as a third of the parsing
    try:
        return _tree(data), False
    except etree.XMLSyntaxError as error:
        root = _repaired(data)
        if root is None:
            raise ValueError(f"{name}: no well-formed XML ({error.msg})") from error
    return root, True


def _tree(data: bytes, recover: bool = False) -> etree._Element:
    return etree.fromstring(data.lstrip(), _parser(recover))


@functools.cache
def _parser(recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def _repaired(data: bytes) -> etree._Element | None:
    """The tree of a file with characters or tags that are no XML; None when more than `_LOST_TAGS` of it is lost."""
    text = _DECLARATION.sub("", _as_utf8(data).lstrip())
    text = _ILLEGAL.sub("", _REFERENCE.sub(_legal_reference, text))
    text = _LONE_ANGLE.sub("&lt;", _LONE_AMPERSAND.sub("&amp;", text))
    tags = len(_START_TAG.findall(text))
    if not tags or not _END_TAG.search(text):  # no XML at all, or cut off
        return None
    try:
        return _tree(text.encode())
    except etree.XMLSyntaxError:
        root = _tree(text.encode(), recover=True)
    if root is None or sum(1 for _ in root.iter()) < (1 - _LOST_TAGS) * tags:
        return None
    return root


def _as_utf8(data: bytes) -> str:
    """Text whose declaration is not true: what is no UTF-8 is a byte of cp1252."""
    declared = _ENCODING.match(data.lstrip()[:_DECLARATION_BYTES])
    if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii", b"ascii"):
        try:
            return data.decode(declared[1].decode())
        except (LookupError, UnicodeDecodeError):
            pass
    return data.decode("utf-8", "cp1252_byte")


def _cp1252_byte(error: UnicodeError) -> tuple[str, int]:
    """An error handler of `bytes.decode`."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "ignore"), error.end


codecs.register_error("cp1252_byte", _cp1252_byte)


def _legal_reference(match: re.Match) -> str:
    """A reference to a character that XML allows, else nothing."""
    digits = match[1]
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    legal = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return f"&#{code};" if legal else ""


def _utf8(data: bytes) -> bytes:
    """UTF-16 as UTF-8, so that the patterns for bytes see it; other encodings share ASCII with UTF-8 and stay.

    What says that it is ISO-8859-1 is cp1252 where it has bytes that are controls there (as browsers read it).
    """
    if b"\0" not in data[:4]:
        declared = _ENCODING.match(data[:_DECLARATION_BYTES])
        if declared and declared[1].lower() in _LATIN_1 and _CONTROL_BYTES.search(data):
            return _DECLARATION.sub("", data.decode("cp1252", "ignore")).encode()
        return data
    encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-16-be"
    encoding = "utf-16-le" if data[:2] == b"<\0" else encoding
    return _DECLARATION.sub("", data.decode(encoding, "replace").lstrip("\ufeff")).encode()


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
        prefix = len(f"{{{namespace}}}")
        for element in article.iter(f"{{{namespace}}}*"):
            element.tag = element.tag[prefix:]
    if article.find("front") is None and article.find("body") is None:
        raise ValueError(f"{name}: <article> without <front> and <body>, this is not JATS")
    return article


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def child_of(element: etree._Element, tag: str) -> etree._Element | None:
    """The first child of that tag: `find`, which reads its argument as a path, takes four times as long."""
    return next(element.iterchildren(tag), None)


def text_of(element: etree._Element | None) -> str | None:
    """All text inside, cleaned; None when there is none."""
    if element is None:
        return None
    return clean(string_of(element)) or None


def href_of(element: etree._Element) -> str:
    """`xlink:href`, or `href` where the prefix was forgotten; "" without one."""
    return element.get(_HREF) or element.get("href") or ""


def string_of(element: etree._Element) -> str:
    """All text inside, as it stands in the XML."""
    if not len(element):  # many elements: their text is at hand
        return element.text or ""
    return etree.tostring(element, method="text", encoding="unicode", with_tail=False)


def set_text(element: etree._Element, text: str | None) -> None:
    """Make `text` all that the element holds; what stands behind it stays."""
    element.clear(keep_tail=True)
    element.text = text
