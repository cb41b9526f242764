"""A JATS article (XML) with the picture files beside it -> `Article`.

Where a figure is mentioned is known twice: by `<xref rid="F1 F2">` and by the words ("Figs 2-4"), and both count.
Context sentences come from the body, its boxes and lists, and from appendices; not from abstracts, captions, tables,
footnotes or references. `<fig>` elements that hold a table or a box, as their label says, are no figures. Figures of
`<sub-article>`, `<response>` and `<supplementary-material>` are supplementary.
"""

import copy
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree
from PIL import Image

from dataset_builder.articles.pictures import bare_name, find_pictures
from dataset_builder.readers.article import Article, Figure, Panel
from dataset_builder.readers.jats.metadata import read_metadata
from dataset_builder.readers.jats.xml import href_of, parse_article, string_of, text_of
from dataset_builder.text.clean import clean
from dataset_builder.text.labels import label_key, label_keys, split_label
from dataset_builder.text.mentions import mentions
from dataset_builder.text.numbering import OTHER_KINDS
from dataset_builder.text.sentences import sentence_spans

MAX_XML_BYTES = 100 * 1024**2  # bounds the memory for a tree; an ordinary article has 0.1 MB

_MATH = "{http://www.w3.org/1998/Math/MathML}"
_TEX_BODY = re.compile(r"\\begin\{document\}(.*)\\end\{document\}", re.DOTALL)
_TEN = re.compile(r"(?<!\d)10$")
_EXPONENT = re.compile(r"[-+−–]?\d+")
_PARTS = ("sub-article", "response", "supplementary-material")
_NO_TEXT = (  # what is no running text: what it holds is in no context sentence
    *("table-wrap", "table-wrap-group", "fn", "fn-group", "disp-formula", "disp-formula-group"),
    *("ref-list", "array", "code", "glossary", "caption", "object-id"),
    *("supplementary-material", "media", "graphic", "inline-graphic"),
)
_NEEDED = (*_NO_TEXT, "tex-math", f"{_MATH}math", "sup", "fig-group", "fig", "xref")
_CONTAINERS = {  # what holds paragraphs
    *("sec", "app", "app-group", "boxed-text", "list", "list-item", "def-list", "def-item", "def", "disp-quote"),
    *("statement", "speech", "fig-group"),
}
_NO_FIGURE = ("TABLE", "BOX")  # kinds of label, see text/labels.py


def read_jats(path: Path, pictures: Mapping[str, Path] | None = None) -> Article:
    """The article in a JATS file; `pictures` are the files beside it by lower-case bare name (`Package.files`).

    Raises ValueError when the file is no well-formed XML, no JATS, or larger than `MAX_XML_BYTES`; OSError when it
    cannot be read. No entity is expanded, no DTD read, no network used.
    """
    size = path.stat().st_size
    if size > MAX_XML_BYTES:
        raise ValueError(f"{path.name}: {size} bytes of XML, more than {MAX_XML_BYTES}")
    root = parse_article(path.read_bytes(), path.name)
    article = read_metadata(root)
    parts = _detach_parts(root)
    article.figures, article.markdown = _read_part(root, pictures or {}, article.title)
    for part in parts:
        article.supplementary += _read_part(part, pictures or {}, None)[0]
    return article


def _detach_parts(root: etree._Element) -> list[etree._Element]:
    """Take sub-articles, responses and supplements out of the tree; the text behind them stays.

    A supplement listed inside a figure's caption stays part of the caption.
    """
    found = []
    for element in root.iter(*_PARTS):
        if not any(parent.tag in _PARTS or parent.tag == "caption" for parent in element.iterancestors()):
            found.append(element)
    for element in found:
        mark = etree.Element("detached")
        mark.tail, element.tail = element.tail, None
        element.getparent().replace(element, mark)
    return found


# ---- figures ----


def _read_part(part: etree._Element, pictures: Mapping[str, Path], title: str | None) -> tuple[list[Figure], str]:
    """The figures of an article, a sub-article or a supplement, with their context, and its Markdown.

    Takes the tree apart: every `<fig>` becomes an empty mark of the place where it stood.
    """
    elements: dict[str, list[etree._Element]] = {}
    for element in part.iter(*_NEEDED):  # one pass: each pass over a tree costs about 0.1 ms
        elements.setdefault(element.tag, []).append(element)
    _prepare_text(elements)
    if "fig-group" in elements:
        _prepare_groups(part)
        elements["fig"] = [*part.iter("fig")]
    found: dict[int, tuple[Figure, list[str]]] = {}  # place among the part's figures -> figure, its ids
    for n, element in reversed([*enumerate(elements.get("fig", ()))]):  # inner figures before those around them
        marks = " ".join(mark.get("n") for mark in element.iter("fig") if mark is not element)
        if figure := _figure(element, pictures):
            found[n] = figure, _ids(element)
        element.clear(keep_tail=True)
        element.set("n", f"{n} {marks}")
    for tag in _NO_TEXT:
        for element in elements.get(tag, ()):
            element.clear(keep_tail=True)
    found = dict(sorted(found.items()))
    return [figure for figure, _ in found.values()], _read_text(part, elements.get("xref", ()), found, title)


def _prepare_text(elements: Mapping[str, list[etree._Element]]) -> None:
    """Powers of ten to "10^6", formulae to readable text: MathML without its spaces, else the body of the TeX."""
    for sup in elements.get("sup", ()):
        if sup.text and not len(sup) and _EXPONENT.fullmatch(sup.text):
            before = sup.getprevious()
            base = sup.getparent().text if before is None else before.tail
            if base and _TEN.search(base):
                sup.text = f"^{sup.text}"
    for tex in reversed(elements.get("tex-math", ())):  # inner ones first, should they be nested
        body = None if tex.getparent().find(f"{_MATH}math") is not None else _TEX_BODY.search(string_of(tex))
        _set_text(tex, body[1].replace("$", "").strip() if body else None)
    for math in reversed(elements.get(f"{_MATH}math", ())):
        for annotation in [*math.iter(f"{_MATH}annotation", f"{_MATH}annotation-xml")]:
            _set_text(annotation, None)
        _set_text(math, "".join(map(clean, math.itertext())))


def _set_text(element: etree._Element, text: str | None) -> None:
    element.clear(keep_tail=True)
    element.text = text


def _prepare_groups(part: etree._Element) -> None:
    """A `<fig-group>` with a caption of its own over figures without captions and numbers is one figure with panels;
    figures of another group inherit its label or caption where they have none.
    """
    for group in [*part.iter("fig-group")]:
        own = [child for child in (group.find("label"), group.find("caption")) if child is not None]
        if not own or group.getparent().tag == "fig":
            continue
        figures = [*group.iter("fig")]
        if all(f.find("caption") is None and label_key(text_of(f.find("label"))) is None for f in figures):
            group.tag = "fig"
            for figure in figures:
                figure.tag = "fig-panel"
            continue
        for figure in figures:
            for child in reversed(own):
                if figure.find(child.tag) is None:
                    figure.insert(0, copy.deepcopy(child))


def _ids(element: etree._Element) -> list[str]:
    return [e.get("id") for e in (element, *element.iter("fig-panel", "graphic", "alternatives")) if e.get("id")]


def _figure(element: etree._Element, pictures: Mapping[str, Path]) -> Figure | None:
    """One `<fig>` (figures inside it are marks already); None for a table or a box."""
    label = text_of(element.find("label"))
    caption = _caption(element.find("caption"))
    split = split_label(caption) if caption else None
    if split and (label is None or label_key(split[0]) == label_key(label)):
        label, caption = label or split[0], split[1] or None
    if (label_key(label) or "").startswith(_NO_FIGURE):
        return None
    figure = Figure(label=(label or "").rstrip(" .:;|-–—") or None, caption=caption)
    _set_picture(figure, element, pictures)
    return figure


def _caption(element: etree._Element | None) -> str | None:
    """Title and paragraphs of a caption as one text; None when there is no text."""
    if element is None:
        return None
    for identifier in [*element.iter("object-id")]:
        _set_text(identifier, None)
    for block in element.iter("label", "title", "p"):
        block.tail = f" {block.tail or ''}"
    return text_of(element)


def _set_picture(figure: Figure, element: etree._Element, pictures: Mapping[str, Path]) -> None:
    """Open the figure's picture; several graphics are composed into one picture with a panel for each."""
    slots = _graphics(element)
    if not slots:
        media = [bare_name(href_of(e)) for e in element.iter("media")]
        figure.image_error = f"no picture but the file {media[0]}" if media else "the article names no picture file"
        return
    files = [_files(slot, pictures) for slot in slots]
    missing = [
        bare_name(href_of(slot[0])) or "(no name)" for slot, found in zip(slots, files, strict=True) if not found
    ]
    if missing:
        figure.image_error = f"picture file missing beside the article: {', '.join(missing)}"
        return
    from dataset_builder.readers.pictures.keep import keep_picture

    try:
        opened = [_open_best(found) for found in files]
        image = opened[0]
        if len(opened) > 1:
            labels = [_panel_label(slot[0], i) for i, slot in enumerate(slots)]
            image, figure.panels = compose(opened, labels)
        keep_picture(figure, image)
    except (ValueError, OSError) as error:
        figure.image_error = str(error)


def _graphics(element: etree._Element) -> list[list[etree._Element]]:
    """The figure's graphics: those in one `<alternatives>`, or with the same name but for the extension, are one."""
    slots: dict[object, list[etree._Element]] = {}
    for graphic in element.iter("graphic"):
        holder = graphic.getparent()
        stem = bare_name(href_of(graphic)).lower()
        stem = re.sub(r"\.(?:tiff?|png|jpe?g?|gif|webp|bmp|eps|svg|pdf)$", "", stem)
        slots.setdefault(holder if holder.tag == "alternatives" else stem, []).append(graphic)
    return list(slots.values())


def _files(slot: list[etree._Element], pictures: Mapping[str, Path]) -> list[Path]:
    found = [path for graphic in slot for path in find_pictures(pictures, href_of(graphic))]
    return list(dict.fromkeys(found))


def _open_best(files: list[Path]) -> Image.Image:
    """The picture with the most pixels, the first among equals (`find_pictures` lists lossless formats first)."""
    from dataset_builder.readers.pictures.images import open_image

    errors = []
    for path in sorted(files, key=_pixels, reverse=True) if len(files) > 1 else files:
        try:
            return open_image(path)
        except (ValueError, OSError) as error:
            errors.append(str(error))
    raise ValueError("; ".join(errors))


def _pixels(path: Path) -> int:
    """Pixels by the file's header; 0 when it has none that can be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `open_image` has a limit of its own
            with Image.open(path) as image:
                return image.width * image.height
    except Exception:  # Pillow's decoders raise anything on broken files; `open_image` will say what is wrong
        return 0


def _panel_label(graphic: etree._Element, index: int) -> str:
    """The label printed with a graphic or its sub-figure, else its place: "1", "2", ..."""
    holder = graphic.getparent()
    label = text_of(graphic.find("label")) or (text_of(holder.find("label")) if holder.tag == "fig-panel" else None)
    return (label or "").strip(" .:()") or str(index + 1)


def compose(images: list[Image.Image], labels: list[str]) -> tuple[Image.Image, list[Panel]]:
    """One picture from several, one below the other on white, and a panel for each of them.

    Raises ValueError when the result would have more than `images.MAX_PIXELS` pixels.
    """
    from dataset_builder.readers.pictures.images import MAX_PIXELS

    width, height = max(i.width for i in images), sum(i.height for i in images)
    if width * height > MAX_PIXELS:
        raise ValueError(f"the figure's {len(images)} graphics make {width}x{height} pixels, more than {MAX_PIXELS}")
    mode = "L" if all(image.mode == "L" for image in images) else "RGB"
    canvas = Image.new(mode, (width, height), "white")
    panels, top = [], 0
    for image, label in zip(images, labels, strict=True):
        canvas.paste(image, (0, top))
        panels.append(Panel(label, [0, top, image.width, top + image.height]))
        top += image.height
    return canvas, panels


# ---- text ----


class _Run:
    """A paragraph's text, white space normalised on the way, and where in it which figures are referred to."""

    def __init__(self, ids: Mapping[str, list[int]]):
        self.ids, self.pieces, self.length = ids, [], 0
        self.marks: list[tuple[int, list[int]]] = []  # (offset in the text, figures)
        self.space = True  # whether the text ends with a space: no other one is added

    def add(self, text: str | None) -> None:
        if not text:
            return
        words = clean(text)
        lead = " " if not self.space and (text[0].isspace() or not words) else ""
        if words:
            piece = lead + words + (" " if text[-1].isspace() else "")
            self.space = text[-1].isspace()
        else:
            piece, self.space = (lead, True) if text[0].isspace() else ("", self.space)
        self.pieces.append(piece)
        self.length += len(piece)

    def walk(self, element: etree._Element) -> None:
        """Add the text of an inline element."""
        if element.tag == "xref" and (figures := _referred(element, self.ids)):
            self.marks.append((self.length, figures))
        self.add(element.text)
        for child in element:
            self.walk(child)
            self.add(child.tail)

    def take(self) -> tuple[str, list[tuple[int, list[int]]]]:
        """The text and its marks so far; the run starts again."""
        text, marks = "".join(self.pieces), self.marks
        self.pieces, self.length, self.marks, self.space = [], 0, [], True
        return text.rstrip(), marks


def _referred(xref: etree._Element, ids: Mapping[str, list[int]]) -> list[int]:
    """The figures that an `<xref>` refers to; `rid` may hold several ids."""
    rid = xref.get("rid") or ""
    return ids.get(rid, []) if " " not in rid else [figure for name in rid.split() for figure in ids.get(name, ())]


def _read_text(part: etree._Element, xrefs, found: Mapping[int, tuple[Figure, list[str]]], title: str | None) -> str:
    """Give the figures their context sentences; returns the part's Markdown."""
    ids: dict[str, list[int]] = {}
    keys: dict[str, int] = {}
    for n, (figure, own_ids) in found.items():
        for name in own_ids:
            ids.setdefault(name, []).append(n)
        for key in label_keys(figure.label):
            keys.setdefault(key, n)
    other_kinds = any(key.startswith(tuple(OTHER_KINDS)) for key in keys)
    marked = _marked_paragraphs(xrefs, ids)
    lines = [f"# {title}"] if title else []
    for section, heading, is_body in _sections(part):
        lines += [f"## {heading}"] if heading else []
        for kind, content in _blocks(section, ids, marked, 1):
            if kind == "figures":
                lines += [_figure_line(found[int(n)][0]) for n in content.split() if int(n) in found]
            elif kind != "text":
                lines.append(f"{kind} {content}")
            else:
                prefix, text, marks = content
                lines.append(prefix + text)
                if is_body:
                    named = [(mention.start, mention.keys) for mention in mentions(text, other_kinds)]
                    _add_context(text, marks, named, found, keys)
    return "\n\n".join(lines) + "\n"


def _sections(part: etree._Element) -> Iterator[tuple[etree._Element, str | None, bool]]:
    """(element, heading in Markdown, whether its sentences count as context) in reading order."""
    for abstract in part.findall("front/article-meta/abstract"):
        yield abstract, None if abstract.find("title") is not None else "Abstract", False
    for name in ("body", "back"):
        yield from ((element, None, True) for element in part.findall(name))
    yield from ((element, None, False) for element in part.findall("floats-group"))


def _marked_paragraphs(xrefs: list[etree._Element], ids: Mapping[str, list[int]]) -> set[etree._Element]:
    """The paragraphs with an `<xref>` to a figure."""
    return {next(xref.iterancestors("p"), None) for xref in xrefs if _referred(xref, ids)}


def _blocks(parent, ids, marked, level: int, prefix: str = "") -> Iterator[tuple[str, object]]:
    """What stands in a section: ("##", heading), ("text", (prefix, text, marks)), ("figures", places)."""
    for child in parent:
        tag = child.tag
        if tag == "p":
            yield from _paragraph(child, ids, marked, level, prefix)
        elif tag == "title" and (text := text_of(child)):
            yield "#" * min(max(level, 2), 6), text
        elif tag == "fig":
            yield "figures", child.get("n")
        elif tag in _CONTAINERS:
            deeper = level + (tag in ("sec", "app", "boxed-text"))
            yield from _blocks(child, ids, marked, deeper, "- " if tag == "list-item" else prefix)


def _paragraph(p, ids, marked, level: int, prefix: str) -> Iterator[tuple[str, object]]:
    """A paragraph; lists and the like inside it end its text, figures inside it follow it."""
    tags = {child.tag for child in p}
    groups = () if tags.isdisjoint(("fig", "fig-group")) else p.iterchildren("fig", "fig-group")
    figures = [mark.get("n") for group in groups for mark in group.iter("fig")]
    if p not in marked and tags.isdisjoint(_CONTAINERS):
        if text := text_of(p):
            yield "text", (prefix, text, [])
    else:
        run = _Run(ids)
        run.add(p.text)
        for child in p:
            if child.tag in _CONTAINERS:
                yield from _texts(run, prefix)
                yield from _blocks([child], ids, marked, level, prefix)
            else:
                run.walk(child)
            run.add(child.tail)
        yield from _texts(run, prefix)
    yield from (("figures", places) for places in figures)


def _texts(run: _Run, prefix: str) -> Iterator[tuple[str, object]]:
    text, marks = run.take()
    if text:
        yield "text", (prefix, text, marks)


def _add_context(text: str, marks, said, found: Mapping[int, tuple[Figure, list[str]]], keys: dict[str, int]) -> None:
    """Add the sentences of a paragraph to the figures that they refer to (`marks`) or mention by words (`said`)."""
    places = [(offset, n) for offset, figures in marks for n in figures]
    places += [(offset, keys[key]) for offset, named in said for key in named if key in keys]
    if not places:
        return
    for start, end in sentence_spans(text):
        for n in {n for offset, n in places if start <= offset < end}:
            if text[start:end] not in found[n][0].context:
                found[n][0].context.append(text[start:end])


def _figure_line(figure: Figure) -> str:
    return " ".join(filter(None, [f"**{figure.label or 'Figure'}.**", figure.caption]))
