"""Files made to hurt, by strangers: each costs one clear line, little memory and no other file.

Entities and DTDs are in jats/test_xml.py, archives in test_archives.py, hangs and crashes in test_isolation.py.
"""

import io
import json
import os
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from dataset_builder import build
from dataset_builder.readers.jats.reader import read_jats
from dataset_builder.readers.pdf.reader import read_pdf
from dataset_builder.sample.articles import make_articles
from dataset_builder.sample.corpus import write_articles
from trust.pictures.opener import open_picture_file

TEXT = b"BT /F1 10 Tf 50 700 Td (Figure 1. Joint of a patient, seen from the side, before the treatment.) Tj ET\n"
GIGAPIXEL_SIDE = 31_623  # pixels


def pdf(objects: dict[int, bytes]) -> bytes:
    """A PDF of these objects; object 1 is the catalogue."""
    data, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = max(objects) + 1
    rows = b"".join(b"%010d 00000 %c \n" % (places.get(k, 0), b"n" if k in places else b"f") for k in range(size))
    end = b"xref\n0 %d\n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return bytes(data) + end % (size, rows, size, len(data))


def stream(entries: bytes, data: bytes) -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def pages(count: int, kids: bytes) -> dict[int, bytes]:
    return {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids)}


def one_page(content: bytes, resources: bytes = b"", **more: bytes) -> bytes:
    """A PDF of one page; `more` are further objects, named by "o" and their number."""
    about = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>%s>>>>"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    objects = pages(1, b"3 0 R") | {3: about % resources, 4: stream(b"", content), 5: font}
    return pdf(objects | {int(name[1:]): body for name, body in more.items()})


def form(content: bytes, name: bytes) -> bytes:
    return stream(b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<<%s>>>>" % name, content)


def bitmap(entries: bytes, data: bytes) -> bytes:
    """A page with a caption and a bitmap of these dimensions above it."""
    image = stream(b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray" + entries, data)
    return one_page(TEXT + b"q 300 0 0 300 100 300 cm /I Do Q", b"/XObject<</I 6 0 R>>", o6=image)


def leaf(number: int) -> dict[int, bytes]:
    return {number: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]>>"}


def many_pages(count: int) -> bytes:
    objects = pages(count, b" ".join(b"%d 0 R" % (3 + k) for k in range(count)))
    for k in range(count):
        objects.update(leaf(3 + k))
    return pdf(objects)


PAGE_TREES = {
    "100,000 pages": (lambda: many_pages(100_000), "100000 pages, more than"),
    "a tree that holds itself": (
        lambda: pdf(pages(100_000, b"3 0 R 2 0 R") | {3: b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 50000>>"}),
        "pages, more than the 500 allowed",
    ),
    "two thousand million pages, it says": (lambda: pdf(pages(2_000_000_000, b"3 0 R") | leaf(3)), "without text"),
    "no page": (lambda: pdf(pages(0, b"")), "damaged or truncated PDF"),
    "a page that is no object": (lambda: pdf(pages(1, b"9 0 R")), "without text"),
    "blank": (lambda: many_pages(400), "without text, pictures and drawings"),
}


@pytest.mark.parametrize(("make", "message"), PAGE_TREES.values(), ids=PAGE_TREES)
def test_page_trees(tmp_path, make, message):
    path = tmp_path / "a.pdf"
    path.write_bytes(make())
    with pytest.raises(ValueError, match="a.pdf: ") as raised:
        read_pdf(path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_damaged_file_after_an_encrypted_one_is_called_damaged(tmp_path):
    """pdfium keeps its last error, which is that of the encrypted file, when it finds no page."""
    write_articles(tmp_path, make_articles(10, seed=0))
    with pytest.raises(ValueError, match="encrypted PDF, a password is needed"):
        read_pdf(tmp_path / "pdf-encrypted.pdf")
    damaged = tmp_path / "no-page.pdf"
    damaged.write_bytes(pdf(pages(0, b"")))
    with pytest.raises(ValueError, match="damaged or truncated PDF"):
        read_pdf(damaged)


NESTED = {
    "a form that draws itself": lambda: one_page(
        TEXT + b"/X Do", b"/XObject<</X 6 0 R>>", o6=form(b"/X Do 0 0 9 9 re f", b"/X 6 0 R")
    ),
    "forms in forms": lambda: one_page(
        TEXT + b"/X Do",
        b"/XObject<</X 6 0 R>>",
        **{f"o{6 + k}": form(b"0 0 9 9 re f /X Do", b"/X %d 0 R" % (7 + k)) for k in range(3000)},
    ),
    "arrays in arrays": lambda: one_page(TEXT + b"[" * 200_000 + b"]" * 200_000),
    "dictionaries in dictionaries": lambda: one_page(TEXT, b"/X" + b"<</A" * 50_000 + b"/B" + b">>" * 50_000),
    "states in states": lambda: one_page(b"q " * 300_000 + TEXT),
    "a program": lambda: one_page(TEXT).replace(
        b"/Pages 2 0 R", b"/Pages 2 0 R/OpenAction<</S/JavaScript/JS(for(;;))>>"
    ),
}


@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_nested_content(tmp_path, make):
    path = tmp_path / "a.pdf"
    path.write_bytes(make())
    assert [figure.label for figure in read_pdf(path).figures] == ["Figure 1"]


def jpeg(width: int, height: int) -> bytes:
    """A small JPEG whose header tells of another size."""
    data = io.BytesIO()
    Image.new("L", (16, 16)).save(data, "JPEG")
    data = data.getvalue()
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def size(side: int, bits: int) -> bytes:
    return b"/Width %d/Height %d/BitsPerComponent %d" % (side, side, bits)


BITMAPS = {
    "flate": lambda: bitmap(
        size(GIGAPIXEL_SIDE, 1) + b"/Filter/FlateDecode", zlib.compress(bytes(GIGAPIXEL_SIDE * GIGAPIXEL_SIDE // 8), 1)
    ),
    "says so only": lambda: bitmap(size(60_000, 8) + b"/Filter/FlateDecode", zlib.compress(bytes(1000))),
    "jpeg": lambda: bitmap(size(65_000, 8) + b"/Filter/DCTDecode", jpeg(65_000, 65_000)),
}
MEASURE = """
import resource, sys
from pathlib import Path
from dataset_builder.readers.pdf.reader import read_pdf
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
labels = [figure.label for path in sys.argv[1:] for figure in read_pdf(Path(path)).figures]
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(labels), (after - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux")
def test_gigapixel_bitmaps_in_a_pdf_are_never_whole_in_memory(tmp_path):
    paths = [tmp_path / f"{name}.pdf" for name in BITMAPS]
    for path, make in zip(paths, BITMAPS.values(), strict=True):
        path.write_bytes(make())
    done = subprocess.run([sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, check=True)
    figures, megabytes = map(int, done.stdout.split())
    assert figures == len(BITMAPS)
    assert megabytes < 500


def png(side: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def tiff(side: int) -> bytes:
    entries = [(256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, side), (279, side)]
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4)


PICTURES = {
    "png": png(GIGAPIXEL_SIDE),
    "jpg": jpeg(GIGAPIXEL_SIDE, GIGAPIXEL_SIDE),
    "tif": tiff(GIGAPIXEL_SIDE),
    "gif": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(20),
    "bmp": b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, GIGAPIXEL_SIDE, GIGAPIXEL_SIDE, 1, 24, 0, 0, 0, 0, 0, 0),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(x) (w) file\n",
}


@pytest.mark.parametrize("data", PICTURES.values(), ids=PICTURES)
def test_pictures_are_refused_by_their_header(tmp_path, data):
    path = tmp_path / "f1.png"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="f1.png: ") as raised:
        open_picture_file(path)
    assert "\n" not in str(raised.value)
    assert "0x" not in str(raised.value)


def article(figures: str) -> str:
    return f'<article xmlns:xlink="http://www.w3.org/1999/xlink"><front/><body>{figures}</body></article>'


def figure(number: int, caption: str = "Dose.", href: str = "f1.png") -> str:
    label = f"<label>Figure {number}</label><caption><p>{caption}</p></caption>"
    return f'<p>See Figure {number}.</p><fig id="F{number}">{label}<graphic xlink:href="{href}"/></fig>'


def test_captions_are_cleaned(tmp_path):
    """Control characters, overrides of the writing direction, zero-width and private-use characters."""
    caption = "Low\u202e esod\u202c\u2066 is\u2069\u200b s&#x85;&#x9b;31m&#xfeff;afe\ue000"
    (tmp_path / "x.xml").write_text(article(figure(1, caption)), encoding="utf-8")
    caption = read_jats(tmp_path / "x.xml").figures[0].caption
    assert caption == "Low esod is s…›31mafe"  # references to C1 controls are what browsers take them for


def test_huge_caption_and_many_figures(tmp_path):
    long = "Fig. 1 and S1, (A) the dose. " * 30_000
    figures = figure(1, long) + "".join(figure(number) for number in range(2, 67))
    (tmp_path / "x.xml").write_text(article(figures), encoding="utf-8")
    found = read_jats(tmp_path / "x.xml").figures
    assert [f.context for f in found] == [[f"See Figure {number}."] for number in range(1, 67)]
    assert found[0].caption == long.strip()


def test_the_rest_of_the_batch_goes_on(tmp_path):
    folder = tmp_path / "articles"
    for name in ("good", "picture", "entity"):
        (folder / name).mkdir(parents=True)
    Image.effect_noise((300, 200), 100).save(folder / "good/f1.png")
    Image.effect_noise((300, 200), 100).save(tmp_path / "secret.png")
    (folder / "good/x.xml").write_text(article(figure(1) + figure(2, href="../../secret.png")))
    (folder / "picture/x.xml").write_text(article(figure(1)))
    (folder / "picture/f1.png").write_bytes(png(GIGAPIXEL_SIDE))
    (folder / "entity/x.xml").write_text(f'<!DOCTYPE a [<!ENTITY b "{"b" * 99}">]>' + article("&b;" * 9999)[:-3])
    (folder / "pages.pdf").write_bytes(many_pages(1000))
    (folder / "cycle.pdf").write_bytes(pdf(pages(9, b"2 0 R")))
    os.mkfifo(folder / "pipe.pdf")
    (folder / "x.tar.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\xff" * 99)
    dataset = tmp_path / "dataset"
    build.run(build.Options(articles=folder, output=dataset, workers=1))
    lines = [json.loads(line) for line in (dataset / "provenance/failed.jsonl").read_text().splitlines()]
    assert {line["article"] for line in lines} == {"entity/x.xml", "pages.pdf", "cycle.pdf", "pipe.pdf", "x.tar.gz"}
    assert all(line["error"] and "\n" not in line["error"] and str(tmp_path) not in line["error"] for line in lines)
    lines = [json.loads(line) for line in (dataset / "provenance/rejected.jsonl").read_text().splitlines()]
    assert [(line["source_file"], line["label"]) for line in lines] == [
        ("good/x.xml", "Figure 2"),
        ("picture/x.xml", "Figure 1"),
    ]
