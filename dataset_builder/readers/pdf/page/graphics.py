"""The drawings of a page, as pdfium gives them -> boxes of what is visible: bitmaps, and vector shapes."""

import ctypes
from collections.abc import Iterator

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c

from dataset_builder.readers.pdf.layout.boxes import Box
from dataset_builder.readers.pdf.page.matrices import transform

MAX_GRAPHICS_PER_PAGE = 60_000  # further drawings add time, not information
MAX_FORM_DEPTH = 6  # nesting of form XObjects; cyclic ones end here
MAX_CLIP_SEGMENTS = 16  # a clip of more segments follows an outline inside the object's own bounds
WHITE_LEVEL = 250  # of 255, of each colour: paler fills leave no mark

Bounds = tuple[float, float, float, float]  # left, bottom, right, top in the page's user space
_KINDS = (pdfium_c.FPDF_PAGEOBJ_PATH, pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_SHADING)


def graphics(page: pypdfium2.PdfPage, matrix: np.ndarray) -> tuple[list[Box], list[Box]]:
    """Boxes of visible bitmaps and of visible vector shapes, cut to the page and to their clip paths.

    `matrix` leads from the page's user space to that of the boxes.
    """
    images: list[Bounds] = []
    shapes: list[Bounds] = []
    for count, item in enumerate(drawn_objects(page)):
        if count >= MAX_GRAPHICS_PER_PAGE:
            break
        if item.type == pdfium_c.FPDF_PAGEOBJ_PATH and not _is_painted(item.raw):
            continue
        bounds = _visible_bounds(item)
        if bounds is not None:
            kind = images if item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE else shapes
            kind.append(bounds)
    return _boxes(images, matrix), _boxes(shapes, matrix)


def drawn_objects(
    page: pypdfium2.PdfPage, form: pypdfium2.PdfObject | None = None, level: int = 0
) -> Iterator[pypdfium2.PdfObject]:
    """The paths, bitmaps and shadings of a page, or of one form on it, those of the forms therein included.

    As `PdfPage.get_objects`, which makes a Python object of each text as well: four of five on a printed page.
    """
    count = pdfium_c.FPDFPage_CountObjects(page) if form is None else pdfium_c.FPDFFormObj_CountObjects(form)
    for place in range(count):
        raw = pdfium_c.FPDFPage_GetObject(page, place) if form is None else pdfium_c.FPDFFormObj_GetObject(form, place)
        kind = pdfium_c.FPDFPageObj_GetType(raw)
        if kind in _KINDS:
            yield pypdfium2.PdfObject(raw, page=page, pdf=page.pdf, container=form, level=level)
        elif kind == pdfium_c.FPDF_PAGEOBJ_FORM and level < MAX_FORM_DEPTH - 1:
            inner = pypdfium2.PdfObject(raw, page=page, pdf=page.pdf, container=form, level=level)
            yield from drawn_objects(page, inner, level + 1)


def bitmap_box(item: pypdfium2.PdfObject, matrix: np.ndarray) -> Box | None:
    """The visible part of one bitmap; None where nothing of it is seen. `matrix` as for `graphics`."""
    bounds = _visible_bounds(item)
    boxes = _boxes([bounds], matrix) if bounds is not None else []
    return boxes[0] if boxes else None


def _boxes(bounds: list[Bounds], matrix: np.ndarray) -> list[Box]:
    if not bounds:
        return []
    boxes = transform(np.array(bounds, float), matrix)
    return [Box(*row) for row in boxes[np.isfinite(boxes).all(axis=1)].tolist()]


def _is_painted(path: ctypes.c_void_p) -> bool:
    """Whether a path leaves a mark: stroked, or filled with something else than white."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDFPath_GetDrawMode(path, fill, stroke)
    if stroke.value:
        return True
    return fill.value != pdfium_c.FPDF_FILLMODE_NONE and not _is_filled_white(path)


def _is_filled_white(path: ctypes.c_void_p) -> bool:
    """Whether a path's fill is white or transparent; False where pdfium knows no colour, as for a pattern."""
    red, green, blue, alpha = (ctypes.c_uint(255) for _ in range(4))
    known = pdfium_c.FPDFPageObj_GetFillColor(path, red, green, blue, alpha)
    pale = min(red.value, green.value, blue.value) >= WHITE_LEVEL
    return bool(known) and (alpha.value == 0 or pale)


def _visible_bounds(item: pypdfium2.PdfObject) -> Bounds | None:
    """Bounds of what is visible of an object; None when its clip path hides it."""
    bounds = item.get_bounds()
    clip = _clip_bounds(item.raw)
    if clip is not None:
        bounds = _intersection(bounds, clip)
    if bounds[0] > bounds[2] or bounds[1] > bounds[3]:
        return None
    container = item.container
    while container is not None:  # out of the forms in which it stands
        bounds = _mapped(bounds, container.get_matrix())
        container = container.container
    return bounds


def _mapped(bounds: Bounds, matrix: pypdfium2.PdfMatrix) -> Bounds:
    x0, y0, x1, y1 = bounds
    return _around([matrix.on_point(x, y) for x in (x0, x1) for y in (y0, y1)])


def _clip_bounds(item: ctypes.c_void_p) -> Bounds | None:
    """Intersection of the boxes of an object's clip paths, or None where it has no simple ones."""
    clip = pdfium_c.FPDFPageObj_GetClipPath(item)
    paths = pdfium_c.FPDFClipPath_CountPaths(clip) if clip else 0  # -1 for a clip that is none
    bounds = None
    for number in range(paths):
        segments = pdfium_c.FPDFClipPath_CountPathSegments(clip, number)
        if 0 < segments <= MAX_CLIP_SEGMENTS:
            box = _around(_points(clip, number, segments))
            bounds = _intersection(bounds, box) if bounds else box
    return bounds


def _points(clip: ctypes.c_void_p, number: int, segments: int) -> list[tuple[float, float]]:
    """The end points of the segments of one path of a clip."""
    points = []
    for k in range(segments):
        x, y = ctypes.c_float(), ctypes.c_float()
        if pdfium_c.FPDFPathSegment_GetPoint(pdfium_c.FPDFClipPath_GetPathSegment(clip, number, k), x, y):
            points.append((x.value, y.value))
    return points


def _around(points: list[tuple[float, float]]) -> Bounds:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _intersection(one: Bounds, other: Bounds) -> Bounds:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])
