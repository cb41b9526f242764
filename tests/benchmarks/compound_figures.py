"""Compound figures in the styles of many publishers, drawn with their truth, to count right, wrong and missing cuts.

    figures = [compound_figure(seed) for seed in range(300)]

A figure is drawn at its full size, then scaled and maybe stored as JPEG, as in a journal. Every choice (layout, gutter,
kind of panel, typeface, place and decoration of the letters, stray letters) comes from the seed.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dataset_builder.readers.article import Panel

ALPHABET = "ABCDEFGHIJ"
FACES = ("DejaVuSans", "DejaVuSans-Bold", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "DejaVuSerif-Bold")
LARGEST_PX = 1400  # longest side of a figure as drawn
MIN_OWN_SHARE, MAX_OTHER_SHARE = 0.93, 0.03  # of a panel's area, in its own box and in another's
NEAR_WHITE, WHITE_SHARE, INK_LEVELS = 245, 0.3, 30  # levels of grey, and the share of white from which the ground is it
NARROW_PX = 250  # panels that hold no gel, table or scheme

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class CompoundFigure:
    """A picture, its caption and the box of each panel, letter and all, in pixels: x0, y0, x1, y1.

    `panels` is empty where the picture is one: what its caption names are marks in it. `style` names what was drawn.
    """

    picture: Image.Image
    caption: str
    panels: dict[str, Box]
    style: str


@dataclass
class _Style:
    """What the panels of one figure have in common."""

    rng: np.random.Generator
    gutter: int  # pixels between panels
    ground: tuple[int, int, int]
    divider: bool  # lines in the gutters
    frames: bool  # a line around each panel
    place: str  # of the letters: above, inside, boxed, circled, below
    corner: str  # of letters inside: left, right, bottom
    mark: str  # "{}", "({})", "{})", "{}."
    lower: bool
    face: str
    size: int
    photos: bool | None  # only photographs, only drawings, or both
    stray: bool  # letters of significance over bars

    def font(self, size: int, face: str = "DejaVuSans") -> ImageFont.FreeTypeFont:
        spec = find_spec("matplotlib")
        assert spec is not None, "a requirement of this package"
        assert spec.origin is not None, "it is a package with an __init__.py"
        return ImageFont.truetype(str(Path(spec.origin).parent / "mpl-data/fonts/ttf" / f"{face}.ttf"), size)


def compound_figure(seed: int) -> CompoundFigure:
    """The figure of this seed; every twelfth is one picture whose caption names marks in it."""
    rng = np.random.default_rng(seed)
    style = _style(rng)
    single = seed % 12 == 11
    count = int(rng.choice([2, 2, 3, 3, 4, 4, 5, 6, 8]))
    letters = ALPHABET.lower()[:count] if style.lower else ALPHABET[:count]
    width, height = int(rng.integers(700, LARGEST_PX)), int(rng.integers(600, 1200))
    if style.place == "touching":
        style.gutter = 0
    canvas = Image.new("RGB", (width, height), style.ground)
    margin = 6
    area = (margin, margin, width - margin, height - margin)
    cells = [area] if single else _cells(area, count, style)
    if single:
        _draw_photo(canvas, area, rng)
        panels = {}
        for letter in letters:
            at = int(rng.integers(20, width - 60)), int(rng.integers(20, height - 60))
            _write(canvas, at, style.mark.format(letter), style, "white")
    else:
        panels = {letter: _panel(canvas, cell, letter, style) for letter, cell in zip(letters, cells, strict=True)}
    picture, scale = _stored(canvas, rng)
    boxes = {letter: _scaled(box, scale) for letter, box in panels.items()}
    caption = "Overview. " + " ".join(f"({letter}) Part {letter}." for letter in letters)
    described = f"{style.place} {style.corner} {style.mark} gutter {style.gutter} ground {style.ground[0]} "
    described += f"{style.face} {style.size} divider {style.divider} photos {style.photos} single {single}"
    return CompoundFigure(picture, caption, boxes, described)


def is_right(figure: CompoundFigure, panels: Sequence[Panel]) -> bool:
    """Whether each panel holds what was drawn of it, and next to nothing of another."""
    true = {letter: _inked(figure.picture, box) for letter, box in figure.panels.items()}
    if list(true) != [panel.label for panel in panels]:
        return False
    for panel in panels:
        shares = {letter: _shared(panel.bbox, box) for letter, box in true.items()}
        if shares.pop(panel.label) < MIN_OWN_SHARE or max(shares.values()) > MAX_OTHER_SHARE:
            return False
    return True


def _inked(picture: Image.Image, box: Box) -> Box:
    """The box without its white or black margins."""
    grey = np.asarray(picture.convert("L"))[box[1] : box[3], box[0] : box[2]].astype(int)
    ground = 255 if (grey > NEAR_WHITE).mean() > WHITE_SHARE or grey[0].mean() > NEAR_WHITE // 2 else 0
    ink = np.abs(grey - ground) > INK_LEVELS
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    x0, y0 = box[:2]
    return x0 + int(columns[0]), y0 + int(rows[0]), x0 + int(columns[-1]) + 1, y0 + int(rows[-1]) + 1


def _shared(found: Sequence[float], true: Box) -> float:
    """The share of the true box that lies in the one found."""
    width = min(found[2], true[2]) - max(found[0], true[0])
    height = min(found[3], true[3]) - max(found[1], true[1])
    return max(0.0, width) * max(0.0, height) / ((true[2] - true[0]) * (true[3] - true[1]))


def _scaled(box: Box, scale: float) -> Box:
    x0, y0, x1, y1 = (round(value * scale) for value in box)
    return x0, y0, x1, y1


def _style(rng: np.random.Generator) -> _Style:
    place = str(rng.choice(["above", "above", "above", "inside", "inside", "boxed", "circled", "below", "touching"]))
    photos = {"touching": True, "boxed": True, "circled": True}.get(place, rng.choice([True, False, None]))
    dark = bool(photos) and rng.random() < 0.25
    divider = not dark and place not in ("touching",) and rng.random() < 0.15
    return _Style(
        rng,
        gutter=int(rng.choice([8, 12, 20, 30, 45])),
        ground=(0, 0, 0) if dark else (255, 255, 255),
        divider=divider,
        frames=not dark and rng.random() < 0.1,
        place=place,
        corner=str(rng.choice(["left", "left", "left", "right", "bottom"])) if place != "above" else "left",
        mark=str(rng.choice(["{}", "{}", "({})", "{})", "{}."])),
        lower=bool(rng.random() < 0.5),
        face=str(rng.choice(FACES)),
        size=int(rng.integers(20, 38)),
        photos=None if photos is None else bool(photos),
        stray=bool(rng.random() < 0.25),
    )


def _cells(area: Box, count: int, style: _Style) -> list[Box]:
    """The area cut into as many cells, in the order of their letters: rows of columns, or columns of rows."""
    rng = style.rng
    by_columns = count > 2 and rng.random() < 0.15
    lines = int(rng.integers(1, min(count, 4) + 1))
    if count / lines > 4:
        lines = 2
    sizes = [count // lines + (k < count % lines) for k in range(lines)]
    rng.shuffle(sizes)
    axis = 0 if by_columns else 1
    cells = []
    for line, many in zip(_parts(area, axis, lines, style), sizes, strict=True):
        cells += _parts(line, 1 - axis, many, style)
    return cells


def _parts(box: Box, axis: int, count: int, style: _Style) -> list[Box]:
    """The box in `count` parts along the axis with gutters between them, equal or not."""
    start, stop = box[axis], box[axis + 2]
    shares = np.ones(count) if style.rng.random() < 0.5 else style.rng.uniform(0.7, 1.5, count)
    free = stop - start - style.gutter * (count - 1)
    lengths = (free * shares / shares.sum()).astype(int)
    parts, at = [], start
    for length in lengths:
        part = list(box)
        part[axis], part[axis + 2] = at, at + int(length)
        parts.append((part[0], part[1], part[2], part[3]))
        at += int(length) + style.gutter
    return parts


# ---- one panel ----


def _panel(canvas: Image.Image, cell: Box, letter: str, style: _Style) -> Box:
    """Draw the panel and its letter; the box of both."""
    x0, y0, x1, y1 = cell
    text = style.mark.format(letter)
    room = round(1.35 * style.size)
    inner = cell
    if style.place == "above":
        inner = (x0 + int(style.rng.integers(0, 12)), y0 + room, x1, y1)
    if style.place == "below":
        inner = (x0, y0, x1, y1 - room)
    is_photo = style.photos if style.photos is not None else bool(style.rng.random() < 0.5)
    if style.place == "inside" and not is_photo:
        inner = (x0, y0, x1, y1 - room) if style.corner == "bottom" else (x0, y0 + room, x1, y1)
    light = _draw_photo(canvas, inner, style.rng) if is_photo else _draw_drawing(canvas, inner, style)
    pen = ImageDraw.Draw(canvas)
    if style.frames:
        pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline="black", width=2)
    if style.divider:
        half = style.gutter // 2
        if x1 < canvas.width - 10:
            pen.line((x1 + half, y0 - half, x1 + half, y1 + half), fill="black", width=2)
        if y1 < canvas.height - 10:
            pen.line((x0 - half, y1 + half, x1 + half, y1 + half), fill="black", width=2)
    _letter(canvas, cell, inner, text, style, light)
    return cell


def _letter(canvas: Image.Image, cell: Box, inner: Box, text: str, style: _Style, light: bool) -> None:
    inset = 6 if style.frames else 0
    x0, y0, x1, y1 = cell[0] + inset, cell[1] + inset // 2, cell[2] - inset, cell[3] - inset
    ink = "black" if style.ground[0] else "white"
    width = round(style.font(style.size, style.face).getlength(text))
    if style.place == "above":
        _write(canvas, (x0, y0), text, style, ink)
    elif style.place == "below":
        _write(canvas, ((x0 + x1 - width) // 2, inner[3] - inset), text, style, ink)
    else:
        pad = 8
        left = x1 - pad - width if style.corner == "right" else x0 + pad
        top = y1 - round(1.4 * style.size) - pad if style.corner == "bottom" else y0 + pad
        pen = ImageDraw.Draw(canvas)
        if style.place == "boxed":
            pen.rectangle((left - 6, top - 2, left + width + 6, top + round(1.3 * style.size)), fill="white")
        if style.place == "circled":
            middle, half = (left + width / 2, top + 0.65 * style.size), 0.75 * max(width, style.size)
            box = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
            pen.ellipse(box, fill="white", outline="navy", width=2)
        on_white = light or style.place in ("boxed", "circled")
        _write(canvas, (left, top), text, style, "black" if on_white else "white")


def _write(canvas: Image.Image, at: tuple[int, int], text: str, style: _Style, ink: str) -> None:
    ImageDraw.Draw(canvas).text(at, text, fill=ink, font=style.font(style.size, style.face))


def _draw_photo(canvas: Image.Image, box: Box, rng: np.random.Generator) -> bool:
    """A photograph, tissue, cells or a scan; whether it is light."""
    width, height = box[2] - box[0], box[3] - box[1]
    coarse = rng.normal(0, 1, (height // 24 + 2, width // 24 + 2)).astype(np.float32)
    fine = rng.normal(0, 1, (height // 3 + 2, width // 3 + 2)).astype(np.float32)
    light = bool(rng.random() < 0.4)
    base, spread = (rng.uniform(170, 205), 14) if light else (rng.uniform(30, 105), 18)
    field = base + spread * cv2.resize(coarse, (width, height)) + 0.5 * spread * cv2.resize(fine, (width, height))
    tint = rng.uniform(0.75, 1.0, 3)
    pixels = (field[:, :, None] * tint).clip(0, 235).astype(np.uint8)
    for _ in range(int(rng.integers(0, 12))):
        centre = int(rng.integers(0, width)), int(rng.integers(0, height))
        colour = tuple(int(v) for v in rng.integers(20, 230, 3))
        cv2.circle(pixels, centre, int(rng.integers(4, 30)), colour, -1, cv2.LINE_AA)
    canvas.paste(Image.fromarray(pixels), (box[0], box[1]))
    return light


def _draw_drawing(canvas: Image.Image, box: Box, style: _Style) -> bool:
    """Plots side by side, a gel, a table or a scheme on white."""
    kind = style.rng.choice(["plots", "plots", "gel", "table", "scheme"])
    if box[2] - box[0] < NARROW_PX:
        kind = "plots"
    {"plots": _draw_plots, "gel": _draw_gel, "table": _draw_table, "scheme": _draw_scheme}[kind](canvas, box, style)
    return True


def _draw_plots(canvas: Image.Image, box: Box, style: _Style) -> None:
    """One to three plots with axes, numbers and titles; between them there may be more room than between panels."""
    rng, pen = style.rng, ImageDraw.Draw(canvas)
    wide = box[2] - box[0] > 360
    count = int(rng.integers(1, 4)) if wide else 1
    for k in range(count):
        step = (box[2] - box[0]) // count
        x0, x1 = box[0] + k * step + 46, box[0] + (k + 1) * step - int(rng.integers(4, 16))
        y0, y1 = box[1] + 4, box[3] - 44
        small = style.font(13)
        pen.line((x0, y0, x0, y1), fill="black", width=2)
        pen.line((x0, y1, x1, y1), fill="black", width=2)
        for part in range(5):
            y = y1 - part * (y1 - y0) // 5
            pen.line((x0 - 5, y, x0, y), fill="black")
            pen.text((x0 - 32, y - 8), f"{10 * part}", fill="black", font=small)
        pen.text(((x0 + x1) // 2 - 30, y1 + 24), "Time (days)", fill="black", font=small)
        bars = int(rng.integers(3, 6))
        for bar in range(bars):
            x = x0 + 12 + bar * (x1 - x0 - 12) // bars
            top = int(y1 - rng.uniform(0.2, 0.75) * (y1 - y0))
            colour = tuple(int(v) for v in rng.integers(40, 200, 3))
            pen.rectangle((x, top, x + (x1 - x0) // (2 * bars), y1), fill=colour)
            pen.text((x, y1 + 6), "abcxyz"[bar] + "1", fill="black", font=small)
            if style.stray:
                pen.text((x + 4, top - 20), "abc"[int(rng.integers(0, 3))], fill="black", font=style.font(15))


def _draw_gel(canvas: Image.Image, box: Box, style: _Style) -> None:
    rng, pen = style.rng, ImageDraw.Draw(canvas)
    x0, x1 = box[0] + 90, box[2] - 60
    for k, y in enumerate(range(box[1] + 30, box[3] - 30, 54)):
        pen.text((box[0] + 4, y + 8), f"Actin{k}", fill="black", font=style.font(15))
        pen.rectangle((x0, y, x1, y + 36), fill=(228, 228, 226), outline="black")
        for x in range(x0 + 10, x1 - 40, 60):
            pen.ellipse((x, y + 10, x + 40, y + 24), fill=(int(rng.integers(10, 160)),) * 3)
        pen.text((x1 + 4, y + 8), "42 kDa", fill="black", font=style.font(13))


def _draw_table(canvas: Image.Image, box: Box, style: _Style) -> None:
    """A forest plot: lines of text with an interval each."""
    rng, pen = style.rng, ImageDraw.Draw(canvas)
    middle = (box[0] + box[2]) // 2
    for y in range(box[1] + 8, box[3] - 24, int(rng.integers(22, 34))):
        pen.text((box[0] + 30, y), f"Study {int(rng.integers(1990, 2020))}", fill="black", font=style.font(14))
        x = middle + int(rng.integers(-20, 40))
        pen.line((x - 30, y + 9, x + 30, y + 9), fill="black")
        pen.rectangle((x - 4, y + 5, x + 4, y + 13), fill="black")
    pen.line((middle, box[1] + 4, middle, box[3] - 6), fill="grey")


def _draw_scheme(canvas: Image.Image, box: Box, style: _Style) -> None:
    """Boxes with words, and arrows between them, apart from each other."""
    pen = ImageDraw.Draw(canvas)
    y = (box[1] + box[3]) // 2
    steps = max(2, (box[2] - box[0]) // 190)
    for k in range(steps):
        x = box[0] + 12 + k * (box[2] - box[0] - 24) // steps
        pen.rectangle((x, y - 40, x + 110, y + 40), outline="black", width=2)
        pen.text((x + 14, y - 10), ("Dose", "Scan", "Score", "Cells")[k % 4], fill="black", font=style.font(17))
        if k < steps - 1:
            pen.line((x + 122, y, x + 150, y), fill="black", width=3)


def _stored(canvas: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, float]:
    """The picture as a journal keeps it, and its scale."""
    scale = float(rng.choice([0.5, 0.7, 1.0, 1.0, 1.4]))
    if scale != 1:
        canvas = canvas.resize((round(canvas.width * scale), round(canvas.height * scale)), Image.Resampling.BICUBIC)
    if rng.random() < 0.6:
        buffer = io.BytesIO()
        canvas.save(buffer, "JPEG", quality=int(rng.integers(50, 92)))
        canvas = Image.open(buffer)
        canvas.load()
    return canvas, scale
