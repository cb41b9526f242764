"""Pictures of the sample corpus: dose maps, line plots, bar charts, micrographs and panels A-D, each with attributes.

A picture is a display list (`list[Operation]`, coordinates in pixels, origin top left), so that one description becomes
either one raster image (`to_image`) or vector shapes on a PDF page (`to_pdf`):
`("rect", (x0, y0, x1, y1), colour)`, `("line", [(x, y), …], colour, width)`, `("dot", (x, y), radius, colour)`,
`("text", (x, y), size, string, colour)` with x, y the text's top left, `("image", (x, y), rgb)` with `rgb` uint8
(height, width, 3). Colours are RGB triples 0-255.
"""

import math
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Operation = tuple[Any, ...]  # its name, its place, and what else that name needs
Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "red": (235, 30, 35),
    "green": (25, 190, 55),
    "blue": (40, 80, 250),
    "yellow": (250, 215, 20),
}
NUMBERS = {"two": 2, "three": 3, "four": 4, "six": 6}
# Each kind of picture with its attributes. Every value is drawn independently of the others and of the text, and is
# plain to see at 64 pixels.
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "dose map": {"hot spot colour": tuple(COLOURS), "hot spot side": ("left", "right")},
    "line plot": {"number of curves": ("two", "four"), "trend": ("rise", "fall")},
    "bar chart": {"number of bars": ("three", "six"), "bar colour": tuple(COLOURS), "tallest bar": ("left", "right")},
    "micrograph": {"cell colour": tuple(COLOURS), "cell density": ("sparse", "dense")},
}
CURVE_COLOURS = ((30, 30, 30), COLOURS["red"], COLOURS["blue"], COLOURS["green"])
INK = (40, 40, 40)
MARK = "synthetic"  # drawn into every picture: a PNG without metadata carries its warning in its pixels
PANEL_GAP_PX = 12
GRAIN = 7  # standard deviation of the noise in photographs, in grey levels: keeps them sharp


def draw(kind: str, attributes: dict[str, str], width: int, height: int, rng: np.random.Generator) -> list[Operation]:
    """The display list of one picture of `KINDS`, `width` × `height` pixels, showing `attributes`."""
    painter = {"dose map": _dose_map, "line plot": _line_plot, "bar chart": _bar_chart, "micrograph": _micrograph}[kind]
    return painter(attributes, width, height, rng)


def draw_panels(
    panels: list[tuple[str, dict[str, str]]], columns: int, size: tuple[int, int], rng: np.random.Generator
) -> tuple[list[Operation], list[list[int]], tuple[int, int]]:
    """A compound figure of `panels` = [(kind, attributes)], each `size` = (width, height) pixels, lettered A, B, …

    Returns (display list, [panel box x0, y0, x1, y1 in pixels], (width, height) of the whole).
    """
    width, height = size
    operations: list[Operation] = []
    boxes: list[list[int]] = []
    for i, (kind, attributes) in enumerate(panels):
        x = (i % columns) * (width + PANEL_GAP_PX)
        y = (i // columns) * (height + PANEL_GAP_PX)
        operations += [_shift(operation, x, y) for operation in draw(kind, attributes, width, height, rng)]
        operations += [
            ("rect", (x, y, x + 20, y + 20), (255, 255, 255)),
            ("text", (x + 4, y + 2), 15, chr(ord("A") + i), (0, 0, 0)),
        ]
        boxes.append([x, y, x + width, y + height])
    return operations, boxes, (max(box[2] for box in boxes), max(box[3] for box in boxes))


def to_image(operations: list[Operation], width: int, height: int) -> Image.Image:
    """The display list as an RGB image; shapes are drawn at twice the size and averaged, for smooth edges."""
    image = Image.new("RGB", (2 * width, 2 * height), (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for name, place, *rest in operations:
        if name == "rect":
            pen.rectangle([round(2 * value) for value in place], fill=rest[0])
        elif name == "line":
            points = [(2 * x, 2 * y) for x, y in place]
            pen.line(points, fill=rest[0], width=max(2, round(2 * rest[1])), joint="curve")
        elif name == "dot":
            pen.circle((2 * place[0], 2 * place[1]), 2 * rest[0], fill=rest[1])
        elif name == "text":
            font = ImageFont.load_default(2 * rest[0])
            pen.text((2 * place[0], 2 * place[1]), rest[1], fill=rest[2], font=font)
        elif name == "image":
            pixels = Image.fromarray(rest[0])
            bigger = pixels.resize((2 * pixels.width, 2 * pixels.height), Image.Resampling.NEAREST)
            image.paste(bigger, (round(2 * place[0]), round(2 * place[1])))
    return image.reduce(2)


def to_pdf(operations: list[Operation], canvas, height: int, points_per_px: float) -> None:
    """Draw the display list with its lower left corner at the origin of a reportlab `canvas`, shapes as vectors."""
    from reportlab.lib.utils import ImageReader

    canvas.saveState()
    canvas.scale(points_per_px, points_per_px)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    for name, place, *rest in operations:
        if name == "rect":
            x0, y0, x1, y1 = place
            canvas.setFillColorRGB(*(value / 255 for value in rest[0]))
            canvas.rect(x0, height - y1, x1 - x0, y1 - y0, stroke=0, fill=1)
        elif name == "line":
            canvas.setStrokeColorRGB(*(value / 255 for value in rest[0]))
            canvas.setLineWidth(rest[1])
            path = canvas.beginPath()
            path.moveTo(place[0][0], height - place[0][1])
            for x, y in place[1:]:
                path.lineTo(x, height - y)
            canvas.drawPath(path)
        elif name == "dot":
            canvas.setFillColorRGB(*(value / 255 for value in rest[1]))
            canvas.circle(place[0], height - place[1], rest[0], stroke=0, fill=1)
        elif name == "text":
            canvas.setFillColorRGB(*(value / 255 for value in rest[2]))
            canvas.setFont("Helvetica", rest[0])
            canvas.drawString(place[0], height - place[1] - rest[0], rest[1])
        elif name == "image":
            rows, columns = rest[0].shape[:2]
            picture = ImageReader(Image.fromarray(rest[0]))
            canvas.drawImage(picture, place[0], height - place[1] - rows, columns, rows)
    canvas.restoreState()


def sharpness(image: Image.Image) -> float:
    """Variance of the Laplacian of the 8-bit grey image (OpenCV, CV_64F, ksize 1)."""
    return float(cv2.Laplacian(np.asarray(image.convert("L")), cv2.CV_64F, ksize=1).var())


def _shift(operation: Operation, dx: float, dy: float) -> Operation:
    name, place, *rest = operation
    moved: tuple[float, ...] | list[tuple[float, float]]
    if name == "rect":
        moved = (place[0] + dx, place[1] + dy, place[2] + dx, place[3] + dy)
    elif name == "line":
        moved = [(x + dx, y + dy) for x, y in place]
    else:
        moved = (place[0] + dx, place[1] + dy)
    return (name, moved, *rest)


def _field(height: int, width: int, cells: int, rng: np.random.Generator) -> np.ndarray:
    """A smooth random field (height, width) in -1…1 with about `cells` bumps a side."""
    coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def _tissue(height: int, width: int, base: float, swing: float, rng: np.random.Generator) -> np.ndarray:
    """Brightness of tissue (height, width) float32: smooth shading, so that no two pictures look alike."""
    return base + swing * _field(height, width, 4, rng) + 0.5 * swing * _field(height, width, 8, rng)


def _dose_map(attributes: dict[str, str], width: int, height: int, rng: np.random.Generator) -> list[Operation]:
    short = min(width, height)
    grey = _tissue(height, width, 60, 30, rng)
    body = np.zeros((height, width), np.float32)
    axes = (int(width * rng.uniform(0.42, 0.48)), int(height * rng.uniform(0.4, 0.48)))
    centre = (int(width * rng.uniform(0.46, 0.54)), int(height * rng.uniform(0.46, 0.54)))
    cv2.ellipse(body, centre, axes, rng.uniform(-12, 12), 0, 360, 1.0, -1, cv2.LINE_AA)
    rgb = np.repeat((grey * body + (15 + 0.1 * grey) * (1 - body))[:, :, None], 3, axis=2)
    x = width * (rng.uniform(0.22, 0.3) if attributes["hot spot side"] == "left" else rng.uniform(0.7, 0.78))
    y = height * rng.uniform(0.38, 0.62)
    rows, columns = np.mgrid[:height, :width]
    radius = short * rng.uniform(0.2, 0.25)
    distance = np.hypot((columns - x) / rng.uniform(0.85, 1.15), rows - y)[:, :, None] / radius
    glow = np.clip(3.2 - 2.2 * distance, 0, 1)  # a pale ring makes the side plain whatever the colour
    rgb = rgb * (1 - glow) + 245 * glow
    core = np.clip(6.2 - 6 * distance, 0, 1)
    rgb = rgb * (1 - core) + np.array(COLOURS[attributes["hot spot colour"]]) * core
    rgb += rng.normal(0, GRAIN, (height, width, 1))
    return [("image", (0, 0), _pixels(rgb)), ("text", (width - 62, height - 15), 11, MARK, (235, 235, 235))]


def _micrograph(attributes: dict[str, str], width: int, height: int, rng: np.random.Generator) -> list[Operation]:
    dense = attributes["cell density"] == "dense"
    short = min(width, height)
    colour = np.array(COLOURS[attributes["cell colour"]], float)
    # The stain tints the ground a little, as it does in a real section.
    rgb = np.ascontiguousarray(_tissue(height, width, 0.17, 0.14, rng)[:, :, None] * colour + 12)
    step = short * (0.12 if dense else 0.34)  # distance between cells
    for cy in np.arange(step / 2, height, step):
        for cx in np.arange(step / 2, width, step):
            if rng.random() < 0.12:
                continue
            x, y = cx + rng.uniform(-0.3, 0.3) * step, cy + rng.uniform(-0.3, 0.3) * step
            radius = short * rng.uniform(0.052, 0.066)
            axes = (int(radius * rng.uniform(0.9, 1.3)), int(radius))
            shade = tuple(float(value) for value in (colour * rng.uniform(0.85, 1)))
            angle = rng.uniform(0, 180)
            cv2.ellipse(rgb, (int(x), int(y)), axes, angle, 0, 360, shade, -1, cv2.LINE_AA)
            nucleus = tuple(0.35 * value for value in shade)
            cv2.circle(rgb, (int(x), int(y)), max(1, int(radius * 0.3)), nucleus, -1, cv2.LINE_AA)
    rgb += rng.normal(0, GRAIN, (height, width, 1))
    bar = width * rng.uniform(0.12, 0.2)
    return [
        ("image", (0, 0), _pixels(rgb)),
        ("rect", (10, height - 14, 10 + bar, height - 10), (255, 255, 255)),
        ("text", (width - 62, height - 15), 11, MARK, (255, 255, 255)),
    ]


def _line_plot(attributes: dict[str, str], width: int, height: int, rng: np.random.Generator) -> list[Operation]:
    operations, (left, top, right, bottom) = _axes(width, height, "day", rng)
    count = NUMBERS[attributes["number of curves"]]
    span = (bottom - top) * 0.9 / count
    steps = np.linspace(0, 1, 13)
    bend = rng.uniform(0.5, 2.0)
    lift = rng.uniform(0.35, 0.55) if count > 2 else rng.uniform(0.6, 0.8)  # share of the height a curve climbs
    for i in range(count):
        climb = lift * (bottom - top) * rng.uniform(0.85, 1.1)
        low = bottom - (0.04 + 0.9 * (1 - lift) * (i / (count - 1))) * (bottom - top)
        curve = low - climb * steps**bend + rng.normal(0, 0.012 * (bottom - top), len(steps))
        curve = np.clip(curve if attributes["trend"] == "rise" else curve[::-1], top, bottom)
        xs = left + (0.03 + 0.94 * steps) * (right - left)
        points = [(round(float(x), 2), round(float(y), 2)) for x, y in zip(xs, curve, strict=True)]
        operations.append(("line", points, CURVE_COLOURS[i], max(4.0, 0.032 * min(width, height))))
        if span > 40:
            operations += [("dot", point, 0.034 * min(width, height), CURVE_COLOURS[i]) for point in points[::3]]
    return operations


def _bar_chart(attributes: dict[str, str], width: int, height: int, rng: np.random.Generator) -> list[Operation]:
    operations, (left, top, right, bottom) = _axes(width, height, "dose (Gy)", rng)
    count = NUMBERS[attributes["number of bars"]]
    heights = rng.uniform(0.2, 0.62, count)
    heights[0 if attributes["tallest bar"] == "left" else -1] = rng.uniform(0.9, 0.98)
    slot = (right - left) / count
    fill = (right - left) * rng.uniform(0.11, 0.135)
    for i, share in enumerate(heights):
        x0 = left + i * slot + (slot - fill) / 2
        y0 = bottom - share * (bottom - top)
        operations.append(("rect", (x0 - 1.5, y0 - 1.5, x0 + fill + 1.5, bottom), INK))
        operations.append(("rect", (x0, y0, x0 + fill, bottom), COLOURS[attributes["bar colour"]]))
        error = rng.uniform(0.02, 0.05) * (bottom - top)
        middle = x0 + fill / 2
        operations.append(("line", [(middle, y0 - error), (middle, y0 + error)], INK, 1.5))
    return operations


def _axes(
    width: int, height: int, title: str, rng: np.random.Generator
) -> tuple[list[Operation], tuple[float, float, float, float]]:
    """Background, axes, ticks and grid; returns (display list, plot area x0, y0, x1, y1)."""
    left, right = width * rng.uniform(0.1, 0.16) + 8, width * rng.uniform(0.93, 0.97)
    top, bottom = height * rng.uniform(0.05, 0.1) + 10, height * rng.uniform(0.9, 0.94) - 22
    operations: list[Operation] = []
    if rng.random() < 0.7:
        paper = int(rng.integers(225, 250))
        operations.append(("rect", (0, 0, width, height), (paper, paper, int(rng.integers(225, 255)))))
    if rng.random() < 0.6:
        operations.append(("rect", (left, top, right, bottom), (255, 255, 255)))
    ticks = int(rng.integers(3, 7))
    scale = int(rng.choice([1, 2, 5, 10, 20]))
    grid = rng.random() < 0.5
    for i in range(ticks + 1):
        y = bottom - i * (bottom - top) / ticks
        if grid:
            operations.append(("line", [(left, y), (right, y)], (190, 190, 190), 1.0))
        operations.append(("line", [(left - 4, y), (left, y)], INK, 1.5))
        operations.append(("text", (left - 8 - 6 * len(str(i * scale)), y - 6), 10, str(i * scale), INK))
    operations.append(("line", [(left, top), (left, bottom), (right, bottom)], INK, 1.8))
    operations.append(("text", ((left + right) / 2 - 3 * len(title), bottom + 6), 11, title, INK))
    operations.append(("text", (max(2, right - 50), max(0, top - 14)), 10, MARK, (120, 120, 120)))
    return operations, (left, top, right, bottom)


def _pixels(rgb: np.ndarray) -> np.ndarray:
    return rgb.round().clip(0, 255).astype(np.uint8)


def blurred(image: Image.Image) -> Image.Image:
    """The picture out of focus, far below the sharpness that the build asks for; its mark stays just legible."""
    sigma_px = math.sqrt(image.width * image.height) / 30
    soft = Image.fromarray(cv2.GaussianBlur(np.asarray(image), (0, 0), sigma_px))
    font = ImageFont.load_default(11)
    ImageDraw.Draw(soft).text((image.width - 62, image.height - 15), MARK, fill=(75, 75, 75), font=font)
    return soft
