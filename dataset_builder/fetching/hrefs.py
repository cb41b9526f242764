"""The pictures that an article's XML names, read before the XML is trusted with anything: no entity, no network."""

import html.entities
import re

from lxml import etree

from dataset_builder.fetching.answers import TransferError, quoted

_GRAPHICS = ("{*}graphic", "{*}inline-graphic")
_SUPPLEMENT = "{*}supplementary-material"
_XML_ENTITIES = ("amp", "lt", "gt", "quot", "apos")
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
_MOST_HREFS = 20_000  # of an article
_MAX_HREF_CHARS = 2_000


def graphic_hrefs(xml: bytes) -> list[str]:
    """The hrefs of an article's `<graphic>`s without those of its supplements; of broken XML as far as it goes."""
    try:
        root = _tree(xml, recover=True)
    except etree.XMLSyntaxError:  # nothing to recover in it
        return []
    found: dict[str, None] = {}
    for graphic in root.iter(*_GRAPHICS) if root is not None else ():
        href = next((value for name, value in graphic.attrib.items() if etree.QName(name).localname == "href"), "")
        is_supplement = next(graphic.iterancestors(_SUPPLEMENT), None) is not None
        if 0 < len(href) <= _MAX_HREF_CHARS and len(found) < _MOST_HREFS and not is_supplement:
            found[str(href)] = None
    return list(found)


def _tree(xml: bytes, recover: bool) -> etree._Element | None:
    """The root; None where nothing could be read. Raises XMLSyntaxError unless it is to `recover`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover, remove_comments=True
    )
    return etree.fromstring(_ENTITY.sub(_character, xml), parser)


def _character(match: re.Match[bytes]) -> bytes:
    """A named character of HTML as XML knows it: "&eacute;" -> "&#233;"."""
    name = match[1].decode()
    characters = html.entities.html5.get(f"{name};")
    if characters is None or name in _XML_ENTITIES:
        return match[0]
    return "".join(f"&#{ord(character)};" for character in characters).encode()


def check_article(xml: bytes, where: str) -> None:
    """Raises TransferError for what is no `<article>`, as a service in maintenance sends it with status 200."""
    try:
        root = _tree(xml, recover=False)
    except etree.XMLSyntaxError as error:
        raise TransferError(f"{where}: no article in XML but {quoted(xml)!r}") from error
    if root is None or etree.QName(root).localname != "article":
        raise TransferError(f"{where}: no article but {quoted(xml)!r}")
