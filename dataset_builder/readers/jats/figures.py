"""The figures of an article's XML: label, caption and picture; several graphics are one picture with panels."""

import re
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from PIL import Image

from dataset_builder.articles.pictures import (
    OUTSIDE,
    TOO_LARGE,
    UNREADABLE,
    FolderPictures,
    Refusal,
    bare_name,
    find_pictures,
    names_outside,
    path_of,
)
from dataset_builder.files.hashes import file_sha256
from dataset_builder.readers.article import Figure, Panel
from dataset_builder.readers.jats.rights import figure_rights
from dataset_builder.readers.jats.xml import child_of, href_of, set_text, text_of
from dataset_builder.text.holders import Owner
from dataset_builder.text.labels import label_key, split_label

_NO_FIGURE = ("TABLE", "BOX")  # kinds of label, see text/labels.py
_LABEL_STOPS = " .:;|-–—"  # behind a label
_PANEL_STOPS = " .:()"  # around the label of a panel
_MIN_TITLE_WORDS = 3  # of a caption's title that is a sentence, not a panel's letter or name
_PANEL_LETTER = re.compile(r"^\(?([A-Za-z])[).:]\s*(?=\w|$)")  # in front of a panel's caption: "(a) Dose"
_LETTER_OF_LABEL = re.compile(r"\d\s?[.,]?\s?\(?([A-Za-z])\)?[\s.:]*$")  # of a panel: "Figure 1A", "Fig. 1(a)"
_RAISED = re.compile(r"(?<=[\w)])\^\S*$")  # a citation behind a label, see `formulas`
_GRAPHIC_SUFFIX = re.compile(r"\.(?:tiff?|png|jpe?g?|gif|webp|bmp|eps|svg|pdf)$")


@dataclass(frozen=True)
class Found:
    """A figure, and the ids by which `<xref>` refers to it: its own and those of its panels and graphics."""

    figure: Figure
    ids: list[str]


def read_figures(elements: list[etree._Element], pictures: FolderPictures, owner: Owner) -> dict[int, Found]:
    """The figures by their place among the `<fig>` elements of a part, in reading order; `owner` is of the article.

    Every element becomes an empty mark, `<fig n="2 0 1">`, of the place where it stood: its own number and those of the
    figures inside it.
    """
    found: dict[int, Found] = {}
    for n, element in reversed([*enumerate(elements)]):  # inner figures before those around them
        inside = [mark.get("n") for mark in element.iter("fig") if mark is not element]
        figure = _figure(element, pictures, owner)
        if figure:
            found[n] = Found(figure, _ids(element))
        element.clear(keep_tail=True)
        element.set("n", " ".join([str(n), *inside]))
    return dict(sorted(found.items()))


def _ids(element: etree._Element) -> list[str]:
    inside = element.iter("fig-panel", "graphic", "alternatives")
    return [e.get("id") for e in (element, *inside) if e.get("id")]


def _figure(element: etree._Element, pictures: FolderPictures, owner: Owner) -> Figure | None:
    """One `<fig>` (figures inside it are marks already); None for a table or a box."""
    label, caption = _label_and_caption(element)
    if (label_key(label) or "").startswith(_NO_FIGURE):
        return None
    figure = Figure(label=(label or "").rstrip(_LABEL_STOPS) or None, caption=caption)
    rights = figure_rights(element, caption, owner)
    if rights:
        figure.rights, figure.license = rights.words, rights.license
    _set_picture(figure, element, pictures)
    return figure


def _label_and_caption(element: etree._Element) -> tuple[str | None, str | None]:
    """The label of its own or, where there is none, that at the caption's start; the caption goes without it.

    A figure without a caption of its own has those of its panels.
    """
    label = text_of(child_of(element, "label"))
    label = _RAISED.sub("", label) if label else None
    caption = _caption(child_of(element, "caption")) or _captions_of_panels(element)
    split = split_label(caption) if caption else None
    if split is None:
        return label, caption
    in_caption, rest = split
    if label is None or label_key(in_caption) == label_key(label):
        return label or in_caption, rest or None
    return label, caption


def _captions_of_panels(element: etree._Element) -> str | None:
    """ "(a) Dose. (b) Survival." """
    captions = []
    for panel in element.iter("fig-panel"):
        label, caption = text_of(child_of(panel, "label")), _caption(child_of(panel, "caption"))
        if caption:
            captions.append(f"{label} {caption}" if label else caption)
    return " ".join(captions) or None


def _caption(element: etree._Element | None) -> str | None:
    """Title and paragraphs of a caption as one text; None when there is no text.

    A title gets the full stop that its own line stood for, so that it does not run into the paragraph; a note neither.
    """
    if element is None:
        return None
    for identifier in [*element.iter("object-id")]:
        set_text(identifier, None)
    for note in element.iter("fn"):
        note.text = f" {note.text or ''}"
    for block in element.iter("label", "title", "p"):
        block.tail = f"{_stop(block)} {block.tail or ''}"
    return text_of(element)


def _stop(block: etree._Element) -> str:
    """The full stop behind a title of several words that has none and a paragraph behind it."""
    title = text_of(block) if block.tag == "title" else None
    lacks_stop = title is not None and title[-1].isalnum() and len(title.split()) >= _MIN_TITLE_WORDS
    return "." if lacks_stop and text_of(block.getnext()) else ""


# ---- pictures ----


def _set_picture(figure: Figure, element: etree._Element, pictures: FolderPictures) -> None:
    """Open the figure's picture, or say in `image_fault` and `image_error` why there is none."""
    slots = _graphics(element, pictures)
    if not slots:
        media = [bare_name(href_of(e)) for e in element.iter("media")]
        figure.image_error = f"no picture but the file {media[0]}" if media else "the article names no picture file"
        return
    files = [_files(slot, pictures) for slot in slots]
    missing = [slot for slot, found in zip(slots, files, strict=True) if not found]
    if missing:
        figure.image_fault, figure.image_error = _why_missing(missing, pictures)
        return
    from dataset_builder.readers.pictures.keep import keep_picture
    from trust.pictures.opener import PictureTooLarge, UnreadablePicture

    try:
        opened = [_open_best(found) for found in files]
        images = [image for _, image in opened]
        image = images[0]
        if len(images) > 1:
            labels = [_panel_label(slot[0], i) for i, slot in enumerate(slots)]
            image, figure.panels = compose(images, labels)
            for panel, slot in zip(figure.panels, slots, strict=True):
                panel.caption = _panel_caption(slot[0])
        keep_picture(figure, image)
        figure.picture_files = [{"name": path.name, "sha256": file_sha256(path)} for path, _ in opened]
    except PictureTooLarge as error:
        figure.image_fault, figure.image_error = TOO_LARGE, str(error)
    except UnreadablePicture as error:
        figure.image_fault, figure.image_error = UNREADABLE, str(error)


def _why_missing(slots: list[list[etree._Element]], pictures: FolderPictures) -> Refusal:
    """Why the graphics have no file to open: one is there and is refused, they name others' files, or none is there."""
    hrefs = [href_of(graphic) for slot in slots for graphic in slot]
    for href in hrefs:
        if refused := find_pictures(pictures.refused, href):
            return Refusal(refused[0].fault, f"{bare_name(href)}: {refused[0].reason}")
    names = ", ".join(map(_name, slots))
    if any(map(names_outside, hrefs)):
        return Refusal(OUTSIDE, f"picture file named outside of the article's folder: {names}")
    return Refusal("image_missing", f"picture file missing beside the article: {names}")


def _graphics(element: etree._Element, pictures: FolderPictures) -> list[list[etree._Element]]:
    """The figure's graphics: those in one `<alternatives>`, with the same files, or with the same path but for the
    extension, are one.
    """
    graphics = [*element.iter("graphic")]
    if len(graphics) == 1:
        return [graphics]
    slots: dict[object, list[etree._Element]] = {}
    for graphic in graphics:
        holder = graphic.getparent()
        files = frozenset(find_pictures(pictures.found, href_of(graphic)))
        stem = _GRAPHIC_SUFFIX.sub("", path_of(href_of(graphic)).lower())
        slots.setdefault(holder if holder.tag == "alternatives" else files or stem, []).append(graphic)
    return list(slots.values())


def _name(slot: list[etree._Element]) -> str:
    return bare_name(href_of(slot[0])) or "(no name)"


def _files(slot: list[etree._Element], pictures: FolderPictures) -> list[Path]:
    found = [path for graphic in slot for path in find_pictures(pictures.found, href_of(graphic))]
    return list(dict.fromkeys(found))


def _open_best(files: list[Path]) -> tuple[Path, Image.Image]:
    """The file with the most pixels, the first among equals (`find_pictures` lists lossless formats first), and its
    picture.
    """
    from trust.pictures.opener import UnreadablePicture, open_picture_file

    if len(files) > 1:
        files = sorted(files, key=_pixels, reverse=True)
    errors: list[UnreadablePicture] = []
    for path in files:
        try:
            return path, open_picture_file(path)
        except UnreadablePicture as error:
            errors.append(error)
    raise type(errors[0])("; ".join(map(str, errors)))  # the first is the largest


def _pixels(path: Path) -> int:
    """Pixels by the file's header; 0 when it has none that can be read."""
    from trust.pictures.opener import UnreadablePicture, picture_file_size

    try:
        width, height = picture_file_size(path)
    except UnreadablePicture:  # opening it will say what is wrong
        return 0
    return width * height


def _panel_label(graphic: etree._Element, index: int) -> str:
    """The label printed with a graphic or its sub-figure, else its place: "1", "2", ..."""
    label = text_of(child_of(graphic, "label"))
    panel = next(graphic.iterancestors("fig-panel"), None)
    if label is None and panel is not None:
        label = text_of(child_of(panel, "label"))
        letter = _PANEL_LETTER.match(_caption(child_of(panel, "caption")) or "") if label is None else None
        label = letter[1] if letter else label
    if letter := _LETTER_OF_LABEL.search(label or ""):
        label = letter[1]
    return (label or "").strip(_PANEL_STOPS) or str(index + 1)


def _panel_caption(graphic: etree._Element) -> str | None:
    """What stands below a sub-figure alone, without the letter that it starts with."""
    panel = next(graphic.iterancestors("fig-panel"), graphic)
    caption = _caption(child_of(panel, "caption"))
    return _PANEL_LETTER.sub("", caption) or None if caption else None


def compose(images: list[Image.Image], labels: list[str]) -> tuple[Image.Image, list[Panel]]:
    """One picture from several, one below the other on white, and a panel for each of them.

    Raises PictureTooLarge when the result would have more than `opener.MAX_PIXELS` pixels.
    """
    from trust.pictures.opener import MAX_PIXELS, PictureTooLarge

    width = max(image.width for image in images)
    height = sum(image.height for image in images)
    if width * height > MAX_PIXELS:
        raise PictureTooLarge(
            f"the figure's {len(images)} graphics make {width}x{height} pixels, more than {MAX_PIXELS}"
        )
    mode = "L" if all(image.mode == "L" for image in images) else "RGB"
    canvas = Image.new(mode, (width, height), "white")
    panels, top = [], 0
    for image, label in zip(images, labels, strict=True):
        canvas.paste(image, (0, top))
        panels.append(Panel(label, [0, top, image.width, top + image.height]))
        top += image.height
    return canvas, panels
