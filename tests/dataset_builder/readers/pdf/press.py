"""A PDF written by hand for what reportlab does not print: glyphs of several codes, fonts that name none."""

from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2

from dataset_builder.readers.pdf.layout.pages import PageContent
from dataset_builder.readers.pdf.page.content import read_page


@dataclass
class Font:
    """A standard font whose ToUnicode map says of some bytes what they stand for; `encoding` as in the PDF."""

    base: str = "Helvetica"
    to_unicode: dict[int, str] = field(default_factory=dict)

    def cmap(self) -> bytes:
        rows = "".join(f"<{byte:02X}> <{text.encode('utf-16-be').hex()}>\n" for byte, text in self.to_unicode.items())
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def /CMapType 2 def\n"
            "1 begincodespacerange <00> <FF> endcodespacerange\n"
            f"{len(self.to_unicode)} beginbfchar\n{rows}endbfchar\nendcmap end end"
        ).encode()


def write_pdf(path: Path, content: bytes, fonts: list[Font]) -> Path:
    """One A4 page with this content stream; its fonts are F0, F1, ... in the order given."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"",
        _stream(content),
    ]
    names = []
    for number, font in enumerate(fonts):
        names.append(f"/F{number} {len(objects) + 1} 0 R")
        objects.append(
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{font.base} /Encoding /WinAnsiEncoding"
            f" /ToUnicode {len(objects) + 2} 0 R >>".encode()
        )
        objects.append(_stream(font.cmap()))
    objects[2] = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        f" /Resources << /Font << {' '.join(names)} >> >> >>"
    ).encode()
    path.write_bytes(_file(objects))
    return path


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _file(objects: list[bytes]) -> bytes:
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + head + table + trailer


def content_of(path: Path) -> PageContent:
    """The first page, as read."""
    with pypdfium2.PdfDocument(path) as document:
        return read_page(document[0], 1)
