"""How many faces `ldrt screen` finds, by size, turn and what hides them; in how many figures without any it sees one.

LDRT_FACE_MODEL is YuNet's .onnx; LDRT_FACE_PICTURES a folder of photographs: each face in them that is found as it
stands is cut out and tried. LDRT_NO_FACES: a dataset folder whose figures are taken to show none.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as parquet
from PIL import Image, ImageDraw

from dataset_builder.screening.faces import FaceFinder
from dataset_builder.screening.lines import Box
from tests.benchmarks.bench_screen import share

MARGIN = 0.35  # around a face, of its height: hair, neck
HEIGHT_PX = 120  # of a face, where its size is not what is tried
EYES, BAR = 0.38, 0.2  # how far down a face the eyes are, and how high a bar over them is, of its height
WHITE_PX = 20  # around the picture


@dataclass(frozen=True)
class Face:
    """A face with what is around it."""

    picture: Image.Image
    box: Box

    def sized(self, height: float) -> "Face":
        scale = height / (self.box[3] - self.box[1])
        size = round(self.picture.width * scale), round(self.picture.height * scale)
        return Face(self.picture.resize(size), tuple(value * scale for value in self.box))  # type: ignore[arg-type]


def main() -> dict[str, float]:
    """Recall of faces and share of figures that are flagged, each with a 95 % interval (Wilson)."""
    if "LDRT_FACE_MODEL" not in os.environ or "LDRT_FACE_PICTURES" not in os.environ:
        return {}
    finder = FaceFinder(Path(os.environ["LDRT_FACE_MODEL"]))
    faces = [face for path in sorted(Path(os.environ["LDRT_FACE_PICTURES"]).iterdir()) for face in cut(path, finder)]
    rows: dict[str, float] = {}
    for name, shown in tried().items():
        right = sum(bool(finder.faces(shown(face))) for face in faces)
        rows |= share(f"faces found: {name}", right, len(faces))
    if "LDRT_NO_FACES" in os.environ:
        flagged = {name: bool(finder.faces(picture)) for name, picture in figures(Path(os.environ["LDRT_NO_FACES"]))}
        print(*(name for name, has_face in flagged.items() if has_face), sep="\n")  # to be looked at
        rows |= share("figures in which a face is seen", sum(flagged.values()), len(flagged))
    return rows


def cut(path: Path, finder: FaceFinder) -> Iterator[Face]:
    """Each face of a photograph with a margin around it."""
    photograph = Image.open(path).convert("RGB")
    for found in finder.faces(photograph):
        x0, y0, x1, y1 = found.box
        margin = MARGIN * (y1 - y0)
        left, top = max(0.0, x0 - margin), max(0.0, y0 - margin)
        right, bottom = min(photograph.width, x1 + margin), min(photograph.height, y1 + margin)
        yield Face(photograph.crop((left, top, right, bottom)), (x0 - left, y0 - top, x1 - left, y1 - top))


def tried() -> dict[str, Callable[[Face], Image.Image]]:
    """Ways to show a face, by name."""
    ways: dict[str, Callable[[Face], Image.Image]] = {
        f"{height} px": lambda face, height=height: on_white(face.sized(height).picture)
        for height in (16, 24, 40, 80, 320, 1000)
    }
    ways |= {
        f"turned by {angle}": lambda face, angle=angle: on_white(
            face.sized(HEIGHT_PX).picture.rotate(angle, expand=True, fillcolor="white")
        )
        for angle in (30, 45, 90, 180)
    }
    return ways | {
        "fills a large picture": lambda face: face.picture.crop(face.box).resize((900, 1200)),
        "bar over the eyes": with_bar,
        "grey": lambda face: on_white(face.sized(HEIGHT_PX).picture.convert("L").convert("RGB")),
        "left half": lambda face: on_white(part(face.sized(HEIGHT_PX).picture, 0.5, 1)),
        "upper half": lambda face: on_white(part(face.sized(HEIGHT_PX).picture, 1, 0.5)),
    }


def on_white(picture: Image.Image) -> Image.Image:
    side = max(picture.size) + 2 * WHITE_PX
    page = Image.new("RGB", (side, side), "white")
    page.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return page


def with_bar(face: Face) -> Image.Image:
    shown = face.sized(HEIGHT_PX)
    x0, y0, x1, y1 = shown.box
    top = y0 + (EYES - BAR / 2) * (y1 - y0)
    ImageDraw.Draw(shown.picture).rectangle((x0, top, x1, top + BAR * (y1 - y0)), fill="black")
    return on_white(shown.picture)


def part(picture: Image.Image, across: float, down: float) -> Image.Image:
    return picture.crop((0, 0, round(across * picture.width), round(down * picture.height)))


def figures(dataset: Path) -> Iterator[tuple[str, Image.Image]]:
    for path in sorted((dataset / "pairs").glob("*.parquet")):
        for batch in parquet.ParquetFile(path).iter_batches(50, columns=["figure_id", "image"]):
            for row in batch.to_pylist():
                yield row["figure_id"], Image.open(BytesIO(row["image"]["bytes"])).convert("RGB")
