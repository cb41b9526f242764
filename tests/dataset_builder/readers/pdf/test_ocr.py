"""A scan through docling's OCR; skipped where no engine is installed (extra `ocr`)."""

import pypdfium2
import pytest

from dataset_builder.readers.pdf.reader import ocr_engine, read_pdf
from tests.dataset_builder.readers.paper import HEIGHT, WIDTH, Paper, prose


@pytest.mark.slow
@pytest.mark.skipif(ocr_engine() is None, reason="no OCR engine: install the extra `ocr`")
def test_scan_without_a_text_layer(tmp_path):
    """Loading torch, docling and three models takes most of the time: 27 s of one core, 1.8 GB."""
    printed = Paper(tmp_path / "printed.pdf")
    printed.text(50, 60, 495, prose(1, 12) + " The pain fell with the dose (Figure 1).", size=11)
    printed.chart(150, 280, 300, 180)
    printed.caption(50, 470, 495, "Figure 1. Pain after treatment. Values of all patients.")
    printed.text(50, 510, 495, prose(2, 15), size=11)
    pypdfium2.PdfDocument(printed.save())[0].render(scale=150 / 72).to_pil().convert("L").save(tmp_path / "scan.png")
    scan = Paper(tmp_path / "scan.pdf")
    scan.canvas.drawImage(str(tmp_path / "scan.png"), 0, 0, WIDTH, HEIGHT)
    figures = read_pdf(scan.save()).figures
    assert [(f.label, f.caption, f.context) for f in figures] == [
        ("Figure 1", "Pain after treatment. Values of all patients.", ["The pain fell with the dose (Figure 1)."])
    ]
    x0, y0, x1, y1 = figures[0].bbox
    assert x0 <= 182
    assert y0 <= 282
    assert x1 >= 446
    assert 450 <= y1 <= 470
